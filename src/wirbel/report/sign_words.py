"""The CT signs of a vertebra in words: what speaks for malignant beside what speaks for osteoporotic."""

from dataclasses import dataclass

from wirbel.finding.signs import Sign, Signs, stands_out, unit_of
from wirbel.report.retold import detail_of
from wirbel.report.wording import Wording
from wirbel.vertebra import NotMeasured, Reason

#: For what each sign speaks (Foreman 2024, table 1; `docs/method-signs.md`).
MALIGNANT = (
    Sign.CORTEX, Sign.POSTERIOR_CORTEX, Sign.PEDICLE_LEFT, Sign.PEDICLE_RIGHT, Sign.CONVEXITY, Sign.EPIDURAL,
    Sign.PARAVERTEBRAL, Sign.LYTIC, Sign.SCLEROTIC,
)  # fmt: skip
OSTEOPOROTIC = (
    Sign.RETROPULSION, Sign.RETROPULSION_ANGLE, Sign.VACUUM, Sign.LINE_AREA, Sign.LINE_SHARPNESS,
    Sign.PARAVERTEBRAL_THICKNESS, Sign.PARAVERTEBRAL_SPREAD,
)  # fmt: skip
NEITHER = (Sign.CANAL, Sign.ENDPLATES, Sign.DENSITY, Sign.DENSITY_DIFFERENCE)
#: Units as the texts know them, with digits.
UNITS = {
    "1": ("percent", 0), "mm": ("mm", 1), "deg": ("deg", 0), "mm2": ("mm2", 0), "mm3": ("mm3", 0), "HU": ("hu", 0),
    "HU/mm": ("hu_per_mm", 0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignLine:
    """One sign: its value with unit, or why there is none (`blank`). `seen`: it stands out."""

    name: str
    value: str
    seen: bool
    blank: bool


@dataclass(frozen=True, slots=True)
class SignSide:
    """Signs that speak for one thing; `kind` is that thing. `blank` is the reason that all of them share."""

    kind: str
    title: str
    lines: tuple[SignLine, ...]
    blank: str


def sign_sides(wording: Wording, signs: Signs, *, fractured: bool) -> tuple[SignSide, ...]:
    """The table's columns; of an unfractured vertebra signs of a lesion, not of malignancy, are told."""
    titles = ("malignant", "osteoporotic", "neither") if fractured else ("lesion", "fracture", "other")
    groups = (("malignant", MALIGNANT), ("osteoporotic", OSTEOPOROTIC), ("neither", NEITHER))
    return tuple(
        _side(wording, signs, kind if fractured else title, title, group)
        for (kind, group), title in zip(groups, titles, strict=True)
    )


def value_of(wording: Wording, sign: Sign, value: float) -> str:
    """A sign's value with its unit."""
    language, unit = wording.language, unit_of(sign)
    if unit == "%":
        return language.unit("percent", value / 100, 0)
    name, digits = UNITS[unit]
    words = language.unit(name, value, digits)
    if sign is Sign.DENSITY_DIFFERENCE and value > 0:
        words = f"+{words}"
    return language.say("signs.concave", mm=words) if sign is Sign.CONVEXITY and value < 0 else words


def seen_sentences(wording: Wording, signs: Signs, *, fractured: bool) -> list[str]:
    """What stands out, as sentences to be pasted: one a side, or that nothing does."""
    same = _shared({signs.values.of(sign) for sign in Sign})
    say = wording.language.say
    if same is not None:
        return [say("signs.all_blank", reason=wording.reason(same))]
    sides = (("malignant", MALIGNANT), ("osteoporotic", OSTEOPOROTIC)) if fractured else (("lesion", MALIGNANT),)
    sentences = []
    for kind, group in sides:
        seen = [line for line in _lines(wording, signs, group) if line.seen]
        if seen:
            each = ", ".join(f"{line.name} {line.value}" for line in seen)
            sentences.append(say(f"signs.text_{kind}", list=each))
    return sentences or [say("signs.text_none")]


def references_sentence(wording: Wording, signs: Signs) -> str:
    """With which vertebrae of the patient the signs were compared."""
    vertebrae = [v for v in wording.result.spine.vertebrae if v.label in signs.references]
    if not vertebrae:
        return wording.language.say("signs.references_none")
    return wording.language.say("signs.references", names=wording.ranged(vertebrae))


def _side(wording: Wording, signs: Signs, kind: str, title: str, group: tuple[Sign, ...]) -> SignSide:
    same = _shared({signs.values.of(sign) for sign in group})
    return SignSide(
        kind,
        wording.language.say(f"signs.{title}"),
        () if same is not None else _lines(wording, signs, group),
        "" if same is None else wording.not_measured(same),
    )


def _lines(wording: Wording, signs: Signs, group: tuple[Sign, ...]) -> tuple[SignLine, ...]:
    lines = []
    for sign in group:
        value, name = signs.values.of(sign), wording.language.say(f"sign.{sign.value}")
        if isinstance(value, NotMeasured):
            lines.append(SignLine(name, _blank(wording, value), False, True))
        else:
            lines.append(SignLine(name, value_of(wording, sign, value), stands_out(signs, sign), False))
    return tuple(lines)


def _blank(wording: Wording, why: NotMeasured) -> str:
    """Why a sign is not measured; of something that is not there, that it is not there."""
    detail = detail_of(wording.language, why)
    if why.reason is Reason.NOT_PRESENT and detail:
        return wording.language.say("signs.not_present", detail=detail)
    return wording.not_measured(why)


def _shared(values: set[float | NotMeasured]) -> NotMeasured | None:
    """The one reason of all values; None where any was measured or reasons differ."""
    only = next(iter(values)) if len(values) == 1 else None
    return only if isinstance(only, NotMeasured) else None
