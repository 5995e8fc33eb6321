"""Focal pits (Schmorl nodes) told from sunk endplates by their width: a fracture sinks a plate from rim to rim."""

from collections.abc import Sequence

#: Place of the middle and of the two shoulders in an endplate's profile of nine stations.
MIDDLE = 0.5
SHOULDER = 1 / 8
#: Depth of the middle over the shoulders' in a smooth bowl (a parabola has 1.8).
BOWL = 1.8
#: A profile whose shallower shoulder has less than this share of the greatest depth is a pit.
NARROW = 0.3
LEAST_MM = 1.5


def is_pit(sunk_mm: Sequence[float]) -> bool:
    """Whether the depression is deep but narrow: one shoulder at least is hardly sunk."""
    return max(sunk_mm) >= LEAST_MM and _shoulder_mm(sunk_mm) < NARROW * max(sunk_mm)


def broad_mm(sunk_mm: Sequence[float], usual_mm: float) -> float:
    """Depth of the broad bowl alone, without a pit in it; `usual_mm` is the level's own bowl."""
    if not is_pit(sunk_mm):
        return max(sunk_mm)
    return min(max(sunk_mm), max(usual_mm, BOWL * _shoulder_mm(sunk_mm)))


def pit_at_middle_mm(sunk_mm: Sequence[float], usual_mm: float) -> float:
    """How much of the middle's depth is pit."""
    if not is_pit(sunk_mm):
        return 0.0
    return max(0.0, sunk_mm[round(MIDDLE * (len(sunk_mm) - 1))] - broad_mm(sunk_mm, usual_mm))


def _shoulder_mm(sunk_mm: Sequence[float]) -> float:
    """Depth at the shallower of the two shoulders."""
    step = max(1, round(SHOULDER * (len(sunk_mm) - 1)))
    return max(0.0, min(sunk_mm[step], sunk_mm[-1 - step]))
