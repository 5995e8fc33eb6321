"""A column that a reader judged wrongly numbered, renamed as a whole."""

from dataclasses import replace
from itertools import pairwise

from wirbel.errors import UsageError
from wirbel.spine.level import FROM_ABOVE, Level
from wirbel.spine.own_names import passed_over, variants_of
from wirbel.spine.spine import Numbering, NumberingStatus, Spine

#: The usual column; a shift counts along it, so that a supernumerary T13 that was L1 all along disappears.
USUAL = tuple(level for level in FROM_ABOVE if level not in (Level.T13, Level.S1))


def shift_levels(spine: Spine, by: int) -> Spine:
    """The column with every name moved down by so many levels (negative: up); gaps in the names are kept.

    Raises `UsageError` where there are no names to move or the column would leave C1-L6.
    """
    if by == 0:
        return spine
    names = [vertebra.level for vertebra in spine.vertebrae]
    levels = [level for level in names if level is not None]
    if not levels or len(levels) < len(names):
        raise UsageError("the column has relative labels: there are no level names to shift")
    places = [_first(levels[0]) + by]
    for upper, lower in pairwise(levels):
        gap = [level for level in passed_over(upper, lower) if (level, lower) != (Level.T12, Level.L1)]
        places.append(places[-1] + 1 + len(gap))
    if places[0] < 0 or places[-1] >= len(USUAL):
        raise UsageError(
            f"shifting {levels[0].name}-{levels[-1].name} by {by:+d} leaves the spine (C1 to L6): shift by less"
        )
    renamed = [USUAL[place] for place in places]
    sacrum_below = any(anchor.startswith("sacrum") for anchor in spine.numbering.anchors)
    return replace(
        spine,
        vertebrae=tuple(
            replace(v, level=level, probability=None) for v, level in zip(spine.vertebrae, renamed, strict=True)
        ),
        numbering=Numbering(
            NumberingStatus.SHIFTED, None, None, None, variants_of(renamed, sacrum_below=sacrum_below)
        ),
    )


def _first(level: Level) -> int:
    """Where the uppermost name stands in the usual column."""
    return USUAL.index(Level.L1 if level is Level.T13 else level)
