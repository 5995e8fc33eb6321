"""Focal pits (Schmorl nodes) told from sunk endplates by their width: a fracture sinks a plate from rim to rim."""

from collections.abc import Sequence

#: A pit reaches half of its depth over at most this share of the profile; a bowl does over three quarters.
NARROW = 0.45
LEAST_MM = 1.5


def is_pit(sunk_mm: Sequence[float]) -> bool:
    """Whether the depression is deep but narrow."""
    deepest = max(sunk_mm)
    return deepest >= LEAST_MM and sum(s >= 0.5 * deepest for s in sunk_mm) <= NARROW * len(sunk_mm)


def broad_mm(sunk_mm: Sequence[float], usual_mm: float) -> float:
    """Depth of the bowl without a pit in it; `usual_mm` is the level's own bowl."""
    return min(max(sunk_mm), usual_mm) if is_pit(sunk_mm) else max(sunk_mm)


def deepest_mm(sunk_mm: Sequence[float], _usual_mm: float) -> float:
    """Depth of the deepest place, pit or not."""
    return max(sunk_mm)


def pit_at_middle_mm(sunk_mm: Sequence[float], usual_mm: float) -> float:
    """How much of the middle's depth is pit."""
    middle = sunk_mm[len(sunk_mm) // 2]
    return max(0.0, middle - usual_mm) if is_pit(sunk_mm) else 0.0
