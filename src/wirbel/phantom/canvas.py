"""Arrays being drawn on, and the rule by which bones join or keep a joint's distance."""

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.implicit import Box, Solid, box_of, coordinates, unchecked
from wirbel.phantom.tissue import Tissue
from wirbel.volume import Grid

#: Depths are kept in tenths of a millimetre, clipped.
DEPTH_UNIT_MM = 0.1
OUTSIDE = -127
#: Density on top of a bone's own is kept in tens of HU.
EXTRA_UNIT_HU = 10.0


@dataclass(slots=True, eq=False)
class Canvas:
    """Arrays being drawn on; see `PhantomLabels` for what they mean."""

    grid: Grid
    tissue: np.ndarray
    instances: np.ndarray
    parts: np.ndarray
    depth: np.ndarray
    extra: np.ndarray

    @classmethod
    def blank(cls, grid: Grid) -> "Canvas":
        """Air everywhere."""
        tissue, instances, parts = (np.zeros(grid.shape, np.uint8) for _ in range(3))
        depth, extra = np.full(grid.shape, OUTSIDE, np.int8), np.zeros(grid.shape, np.int8)
        return cls(grid, tissue, instances, parts, depth, extra)

    @unchecked
    def bone(self, solid: Solid, tissue: Tissue, part: int = 0, *, gap_mm: float | None = None) -> None:
        """A bone joins; it wins where it is deeper. With `gap_mm` it keeps that distance from what is there."""
        box = box_of(self.grid, solid.frame, solid.low, solid.high, margin_mm=1.5 * max(self.grid.spacing_mm))
        if box is None:
            return
        depth = solid.depth(*coordinates(self.grid, box, solid.frame))
        self.put(box, depth, tissue, part, 0, gap_mm=gap_mm)

    @unchecked
    def put(
        self,
        box: Box,
        depth: np.ndarray,
        tissue: Tissue | np.ndarray,
        part: int | np.ndarray,
        instance: int,
        *,
        gap_mm: float | None = None,
    ) -> None:
        """Depths of one bone over a box; `tissue` and `part` are one number or one for each voxel."""
        whole = np.clip(np.rint(depth * (1 / DEPTH_UNIT_MM)), -127, 127).astype(np.int8)
        there = self.depth[box]
        if gap_mm is not None:
            limit = -there.astype(np.int16) - round(gap_mm / DEPTH_UNIT_MM)
            whole = np.minimum(whole, limit).astype(np.int8)
        deeper = whole > there
        there[deeper] = whole[deeper]
        won = deeper & (whole > 0)
        self.tissue[box][won] = tissue[won] if isinstance(tissue, np.ndarray) else tissue
        self.parts[box][won] = part if isinstance(part, int) else part[won]
        self.instances[box][won] = instance


@unchecked
def joined(a: np.ndarray, b: np.ndarray, fillet_mm: float) -> np.ndarray:
    """The union of two depths with the notch between them filled by a fillet."""
    k = np.float32(fillet_mm)
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.maximum(a, b) + h * h * (k / 4)
