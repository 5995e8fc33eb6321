"""Which of the two numberings a mask speaks: they overlap, but rise in opposite directions."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import ndimage

from wirbel.errors import InputRejected
from wirbel.spine.level import Level, Numbering, from_totalsegmentator
from wirbel.volume import LabelMap

#: VerSe 26 sacrum, 27 coccyx; TotalSegmentator v2 25 sacrum, 26 S1.
SACRUM: Mapping[Numbering, frozenset[int]] = {
    "verse": frozenset({26, 27}),
    "totalsegmentator": frozenset({25, 26}),
}
#: Numbers a mask may hold besides vertebrae and sacrum: TPTBox puts the disc below a vertebra at +100 and its
#: endplates at +200; TotalSegmentator's whole task has 117 organs.
ELSE: Mapping[Numbering, frozenset[int]] = {
    "verse": frozenset(range(101, 129)) | frozenset(range(201, 229)),
    "totalsegmentator": frozenset(range(51, 118)),
}
_VERSE_VERTEBRAE = frozenset(int(level) for level in Level) - SACRUM["verse"]
#: At least this share of all pairs of vertebrae must lie in the order of their names.
IN_ORDER = 0.8


@dataclass(frozen=True, slots=True)
class _Reading:
    """One numbering tried on a mask."""

    vertebrae: int
    in_order: float
    foreign: tuple[int, ...]

    @property
    def possible(self) -> bool:
        return self.vertebrae > 0 and self.in_order >= IN_ORDER


def level_of(number: int, scheme: Numbering) -> Level | None:
    """The vertebra that a number means; none for the sacrum, discs, organs and unknown numbers."""
    if number in SACRUM[scheme]:
        return None
    if scheme == "totalsegmentator":
        return from_totalsegmentator(number)
    return Level(number) if number in _VERSE_VERTEBRAE else None


def numbering_of(masks: LabelMap, asked: Numbering | None) -> Numbering:
    """The numbering of a canonical mask: as asked when the numbers bear it out, else found from their direction.

    Raises `InputRejected` with code NUMBERING_UNCLEAR or NUMBERING_CONTRADICTED.
    """
    heights = _heights(masks)
    readings: dict[Numbering, _Reading] = {
        "verse": _reading(heights, "verse"),
        "totalsegmentator": _reading(heights, "totalsegmentator"),
    }
    shown = ", ".join(str(number) for number in sorted(heights))
    if asked is not None:
        other: Numbering = "totalsegmentator" if asked == "verse" else "verse"
        explains_more = readings[other].possible and not readings[other].foreign and readings[asked].foreign
        if not readings[asked].possible or explains_more:
            raise InputRejected(
                f"mask numbers {shown} do not lie in the order of the numbering {asked!r}"
                + (f", but in that of {other!r}: use --numbering {other}" if readings[other].possible
                   else ": check the masks and their orientation"),
                code="NUMBERING_CONTRADICTED",
            )
        return asked
    possible = [scheme for scheme, reading in readings.items() if reading.possible]
    complete = [scheme for scheme in possible if not readings[scheme].foreign]
    for candidates in (complete, possible):
        if len(candidates) == 1:
            return candidates[0]
    raise InputRejected(
        f"mask numbers {shown} fit "
        + ("both numberings" if possible else "neither the VerSe nor the TotalSegmentator numbering")
        + ": say which with --numbering verse or --numbering totalsegmentator",
        code="NUMBERING_UNCLEAR",
    )


def _sacral_rank(number: int, scheme: Numbering) -> float:
    """VerSe's coccyx lies below its sacrum; TotalSegmentator's S1 and sacrum overlap."""
    return Level.S1.rank + (1.0 if scheme == "verse" and number == 27 else 0.0)


def _heights(masks: LabelMap) -> dict[int, float]:
    """Each number's centre along the patient, toward the head, in mm."""
    heights = {}
    for number, box in enumerate(ndimage.find_objects(masks.labels), start=1):
        if box is not None:
            inside = ndimage.center_of_mass(masks.labels[box] == number)
            index = np.array([[c + s.start for c, s in zip(inside, box, strict=True)]], dtype=np.float64)
            heights[number] = float(masks.grid.to_lps_mm(index)[0, 2])
    return heights


def _reading(heights: Mapping[int, float], scheme: Numbering) -> _Reading:
    ranked: list[tuple[float, float]] = []
    foreign = []
    vertebrae = 0
    for number, height_mm in heights.items():
        level = level_of(number, scheme)
        if level is not None:
            vertebrae += 1
            ranked.append((level.rank, height_mm))
        elif number in SACRUM[scheme]:
            ranked.append((_sacral_rank(number, scheme), height_mm))
        elif number not in ELSE[scheme]:
            foreign.append(number)
    pairs = [(a, b) for a, b in combinations(ranked, 2) if a[0] != b[0]]
    right = sum((a[0] < b[0]) == (a[1] > b[1]) for a, b in pairs)
    return _Reading(vertebrae, right / len(pairs) if pairs else 1.0, tuple(foreign))
