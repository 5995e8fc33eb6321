"""Whether names that came with the input agree with each other."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from wirbel.spine.column_model import SPACING_MM
from wirbel.spine.level import FROM_ABOVE, Level
from wirbel.spine.spine import Variant

#: Names that skip a level need this many times the distance of neighbours; a crushed vertebra between leaves 1.3.
ROOM_FOR_ONE_MORE = 1.25
#: Names of neighbours contradict a distance of this many times the expected one (two levels lie between).
TOO_FAR = 2.6


def contradiction_in(levels: Sequence[Level], centres_lps_mm: Sequence[Float64[np.ndarray, "3"]]) -> str | None:
    """What is wrong with the names from above, in words; None when they are in order and fit the distances.

    Missing vertebrae are no contradiction as long as there is room for them; T12 may be absent (T11 only), T13,
    L6 may be present, L5 absent.
    """
    for upper, lower in pairwise(levels):
        if lower.rank <= upper.rank:
            twice = f"{lower.name} is there twice" if lower is upper else f"{lower.name} lies below {upper.name}"
            return f"the given names contradict themselves: {twice}"
    distances = [float(np.linalg.norm(a - b)) for a, b in pairwise(centres_lps_mm)]
    single = [
        d / expected_mm(a, b)
        for (a, b), d in zip(pairwise(levels), distances, strict=True)
        if len(passed_over(a, b)) == 0
    ]
    if len(single) < 2:
        return None
    scale = float(np.median(single))
    for (a, b), distance_mm in zip(pairwise(levels), distances, strict=True):
        left_out = [level for level in passed_over(a, b) if (level, b) != (Level.T12, Level.L1)]
        if left_out and distance_mm < ROOM_FOR_ONE_MORE * scale * SPACING_MM[a]:
            return (
                f"the given names contradict themselves: {a.name} and {b.name} are neighbours "
                f"({distance_mm:.0f} mm apart), yet {left_out[0].name} should lie between them"
            )
    return None


def passed_over(upper: Level, lower: Level) -> tuple[Level, ...]:
    """Levels between two names that every column has (T13 and L6 are not asked for)."""
    return tuple(
        level
        for level in FROM_ABOVE
        if upper.rank < level.rank < lower.rank and level not in (Level.T13, Level.L6)
    )


def expected_mm(upper: Level, lower: Level) -> float:
    """Mean distance of two bodies' centres along the column."""
    return SPACING_MM[upper] + sum(SPACING_MM[level] for level in passed_over(upper, lower))


def variants_of(levels: Sequence[Level], *, sacrum_below: bool) -> tuple[Variant, ...]:
    """Numerical variants that the names themselves show."""
    found = []
    present = set(levels)
    if any((a, b) == (Level.T11, Level.L1) for a, b in pairwise(levels)):
        found.append(Variant.T11_ONLY)
    if Level.T13 in present:
        found.append(Variant.T13)
    if levels and levels[-1] is Level.L4 and sacrum_below:
        found.append(Variant.L4_ONLY)
    if Level.L6 in present:
        found.append(Variant.L6)
    return tuple(found)
