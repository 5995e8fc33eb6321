"""English words that other rooms leave in their results, retold in the report's language with every figure.

A detail, an anchor or a note is one line of English (`overlaps its neighbour by 3.1 mm`). Each is known by the
shape it has where it is made; its words are `detail.overlap`, `anchor.last_rib_at`, ... in the texts. The name of a
field says what it is: `level`, `levels`, `name`, a word with texts of its own (`phase`, `kernel`, `plane`, `tag`),
or a figure, whose last part is its unit (`over_mm`).
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from wirbel.report.language import Language, fields_of, language
from wirbel.spine import Level
from wirbel.vertebra import NotMeasured, Reason

#: Details of `NotMeasured`, as the rooms below write them.
DETAILS: Final[Mapping[str, str]] = {
    # vertebra
    "no_bone_inside": "no bone inside the cortex",
    "outside_ct": "outside the CT",
    "trabecular": "{bone_mm3} mm3 of trabecular bone",
    "endplate_area": "{area_mm2} mm2 between endplates",
    "endplates_lean": "endplates lean {tilt_deg} deg from the column",
    "overlap": "overlaps its neighbour by {over_mm} mm",
    "planes_read": "{read} of {count} planes read",
    "along_column": "{apart_mm} mm along the column",
    # finding: density, kyphosis
    "no_level_measured": "none of {levels} measured",
    "voltage": "{tube_kv} kVp",
    "voltage_unknown": "unknown",
    "kyphosis_ends": "{count} measured vertebrae between {upper} and {lower}",
    # finding: signs
    "slices_of": "slices of {slice_mm} mm",
    "only_thoracolumbar": "thoracic and lumbar vertebrae only",
    "no_waist": "no waist",
    "no_two_endplates": "no two endplates",
    "wall_planes": "posterior wall in {read} of {count} planes",
    "wall_hidden": "the arch hides the posterior wall",
    "line_neighbours": "posterior line needs a neighbour above and below",
    "no_retropulsion": "no retropulsion",
    "no_outline": "no outline at the apex",
    "outline_ends": "outline ends at the apex",
    "ring_open": "the ring around the canal is open",
    "canal_neighbours": "needs a canal above and below",
    "inside_cortex": "{inside_mm3} mm3 inside the cortex",
    "no_line": "no line",
    "line_flat": "no contrast across the line",
    "no_free_wall": "no free wall",
    "no_free_posterior_wall": "no free posterior wall",
    "cortex_of": "cortex of {cortex_hu} HU",
    "lung_around": "lung all around a cortex too thin for the scan",
    "no_pedicle_bone": "no bone in the references' pedicles",
    "shell_unseen": "{unseen_percent} % of the shell not imaged",
    "references_have": "references have {median_hu} HU",
    "no_endplate": "no endplate",
    "none_faces": "no endplate faces this one",
    "disc_unseen": "the disc is not in view",
    "endplates_of": "endplates of {usual_hu} HU",
    "metal_above": "{metal_mm3} mm3 above {limit_hu} HU",
    "cement_above": "{share_percent} % of the body above {limit_hu} HU",
}
#: Details that are a word of an enumeration and nothing else.
WORDS: Final[Mapping[Reason, str]] = {Reason.CONTRAST: "phase", Reason.KERNEL: "kernel"}
#: What a numbering rests on, one entry of a list each.
ANCHORS: Final[Mapping[str, str]] = {
    "skull_above": "skull above {level}",
    "first_rib_at": "first rib at {level}",
    "last_rib_at": "last rib at {level}",
    "sacrum_below": "sacrum below {level}",
    "a_rib_at": "a rib at {level}",
    "no_rib_at": "no rib at {level}",
    "the_sacrum_right_below": "the sacrum right below {level}",
    "given": "given names",
    "given_levels": "given: {levels}",
}
#: How a numbering came about or why it failed, a sentence of its own each.
NAMINGS: Final[Mapping[str, str]] = {
    "shifted": "names shifted by {by} by a reader",
    "counted": "counted from {name}={level}, named by a reader",
    "twice": "the given names contradict themselves: {level} is there twice",
    "upside_down": "the given names contradict themselves: {lower} lies below {upper}",
    "no_room": "the given names contradict themselves: {upper} and {lower} are neighbours "
    "({apart_mm} mm apart), yet {level} should lie between them",
    "too_many": "{count} vertebrae, more than a spine has",
}
FIGURE: Final = r"[+-]?\d+(?:\.\d+)?"
LEVEL: Final = r"(?:C|T|L|S)\d+"
KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("level", "upper", "lower"), LEVEL),
    "levels": rf"{LEVEL}(?:, {LEVEL})*",
    "name": r"V\d+",
    **dict.fromkeys(("plane", "tag"), r"[a-z ]+"),
}


def detail_of(speech: Language, blank: NotMeasured) -> str:
    """What a blank adds to its reason, empty where it adds nothing; unknown words are quoted as they are."""
    if not blank.detail:
        return ""
    section = WORDS.get(blank.reason)
    if section is not None and speech.has(f"{section}.{blank.detail}"):
        return speech.say(f"detail.{section}", **{section: speech.say(f"{section}.{blank.detail}")})
    return _told(speech, "detail", DETAILS, blank.detail) or _quoted(speech, blank.detail)


def anchor_of(speech: Language, anchor: str) -> str:
    """An entry for the list of anchors (`last rib at T12`); unknown words are quoted as they are."""
    return _told(speech, "anchor", ANCHORS, anchor) or _quoted(speech, anchor)


def naming_of(speech: Language, anchor: str) -> str | None:
    """The sentence on how the names came about or why there are none; None for what is an anchor."""
    return _told(speech, "naming", NAMINGS, anchor)


def note_of(speech: Language, note: str) -> str:
    """A note of ingest, whose English stands in the English texts; as it is where it has no counterpart."""
    return _told(speech, "note", _notes(), note) or note


@cache
def _notes() -> Mapping[str, str]:
    texts = language("en").texts
    return {key.removeprefix("note."): words[0] for key, words in texts.items() if key.startswith("note.")}


def _told(speech: Language, section: str, shapes: Mapping[str, str], words: str) -> str | None:
    for key, shape in shapes.items():
        found = _pattern(shape).fullmatch(words)
        if found:
            fields = {name: _field(speech, name, value) for name, value in found.groupdict().items()}
            return speech.say(f"{section}.{key}", **fields)
    return None


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    pattern = re.escape(shape)
    for name in fields_of(shape):
        pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{KINDS.get(name, FIGURE)})")
    return re.compile(pattern)


def _field(speech: Language, name: str, value: str) -> str:
    """A field in words: levels, words with texts of their own, figures with the unit that their name says."""
    if name == "name":
        return value
    if name in KINDS and KINDS[name] == LEVEL:
        return speech.level(Level[value])
    if name == "levels":
        return speech.enumeration([speech.level(Level[each]) for each in value.split(", ")])
    if name in KINDS:
        key = f"{name}.{value.replace(' ', '_')}"
        return speech.say(key) if speech.has(key) else value
    figure = value.replace("-", "−").replace(".", speech.say("language.decimal"))
    unit = f"unit.{name.rpartition('_')[2]}"
    return speech.say(unit, value=figure) if "_" in name else figure


def _quoted(speech: Language, words: str) -> str:
    return speech.say("language.original", words=words)
