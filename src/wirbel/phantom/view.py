"""Which part of a person a scan shows: regions by vertebral levels, and the grid for them."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from wirbel.phantom.anatomy import Anatomy
from wirbel.spine import Level
from wirbel.volume import Grid


class Region(StrEnum):
    """Scan ranges as protocols have them."""

    TORSO = "torso"
    CHEST = "chest"
    ABDOMEN = "abdomen"
    TRUNK = "trunk"
    NECK = "neck"
    LUMBAR = "lumbar"
    SPINE = "spine"


@dataclass(frozen=True, slots=True)
class _Range:
    """From above one level to below another; `half_width_mm` None: skin to skin."""

    first: Level
    last: Level
    above_mm: float
    below_mm: float
    half_width_mm: float | None = None


_RANGES: dict[Region, _Range] = {
    Region.TORSO: _Range(Level.C1, Level.S1, 30.0, 150.0),
    Region.CHEST: _Range(Level.C7, Level.L1, 10.0, 0.0),
    Region.ABDOMEN: _Range(Level.T10, Level.S1, 15.0, 140.0),
    Region.TRUNK: _Range(Level.T1, Level.S1, 10.0, 120.0),
    Region.NECK: _Range(Level.C1, Level.T4, 30.0, 10.0),
    Region.LUMBAR: _Range(Level.T12, Level.S1, 6.0, 25.0, 75.0),
    Region.SPINE: _Range(Level.T1, Level.S1, 10.0, 40.0, 75.0),
}


def view_of(anatomy: Anatomy, region: Region, spacing_mm: tuple[float, float, float]) -> Grid:
    """The grid of a scan: spacing (slice step, row, column), canonical axes."""
    extent = _RANGES[region]
    low, high = anatomy.extent_lps_mm()
    places = {v.level: v.frame.origin_lps_mm for v in anatomy.vertebrae}
    places[Level.S1] = anatomy.sacrum.origin_lps_mm
    size = {v.level: v.body.half_height_mm for v in anatomy.vertebrae}
    high[2] = places[extent.first][2] + size.get(extent.first, 15.0) + extent.above_mm
    low[2] = places[extent.last][2] - size.get(extent.last, 15.0) - extent.below_mm
    inside = np.array([p for p in places.values() if low[2] - 20 < p[2] < high[2] + 20])
    if extent.half_width_mm is not None:
        half = extent.half_width_mm
        low[:2] = [inside[:, 0].min() - half, inside[:, 1].min() - 45.0]
        high[:2] = [inside[:, 0].max() + half, inside[:, 1].max() + 85.0]
    else:
        high[1] = inside[:, 1].max() + 145.0
    n = np.ceil((high - low)[::-1] / np.array(spacing_mm)).astype(int)
    origin = (float(low[0]), float(low[1]), float(low[2]))
    return Grid.axis_aligned((int(n[0]), int(n[1]), int(n[2])), spacing_mm, origin)
