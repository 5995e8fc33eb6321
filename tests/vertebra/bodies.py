"""Analytic bodies with known six-point heights, for tests alone."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from wirbel.spine import Level, Numbering, NumberingStatus, Part, Spine, Vertebra
from wirbel.volume import Acquisition, Grid, Kernel, LabelMap, Plane, Volume

AXIAL_1_MM = Acquisition(Plane.AXIAL, 1.0, 1.0, kernel=Kernel.SOFT, kvp=120.0)
PLATE_HU, MARROW_HU, DISC_HU = 900.0, 150.0, 80.0


@dataclass(frozen=True)
class Shape:
    """Heights at 12, 50 and 88 % of the depth; `lip_mm` stands out in front of both endplates."""

    anterior_mm: float = 24.0
    middle_mm: float = 22.0
    posterior_mm: float = 25.0
    depth_mm: float = 30.0
    width_mm: float = 38.0
    lip_mm: float = 0.0

    def height_mm(self, front: np.ndarray) -> np.ndarray:
        """Height at a distance in front of the middle, a parabola through the three."""
        x = front / (0.38 * self.depth_mm)
        slope = 0.5 * (self.anterior_mm - self.posterior_mm)
        bow = 0.5 * (self.anterior_mm + self.posterior_mm) - self.middle_mm
        return self.middle_mm + slope * x + bow * np.clip(x, -1.4, 1.4) ** 2


def turned(tilt_deg: float, roll_deg: float = 0.0) -> np.ndarray:
    """Axes (columns: left, posterior, superior) leaning forward by the tilt and to the side by the roll."""
    t, r = np.radians([tilt_deg, roll_deg])
    forward = np.array([[1, 0, 0], [0, np.cos(t), -np.sin(t)], [0, np.sin(t), np.cos(t)]])
    sideways = np.array([[np.cos(r), 0, np.sin(r)], [0, 1, 0], [-np.sin(r), 0, np.cos(r)]])
    return sideways @ forward


def column(
    shapes: list[Shape],
    *,
    levels: list[Level | None] | None = None,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    axes: np.ndarray | None = None,
    disc_mm: float = 8.0,
    grow_mm: float = 0.0,
    blur_mm: float = 1.0,
    mirrored: bool = False,
) -> tuple[Volume, Spine]:
    """Bodies on a straight axis with blocks behind them for posterior elements; their CT, and masks `grow_mm`
    off."""
    axes = np.eye(3) if axes is None else axes
    tall = [0.5 * (s.anterior_mm + s.posterior_mm) + disc_mm for s in shapes]
    at = -np.cumsum([0.0, *[0.5 * (a + b) for a, b in pairwise(tall)]])
    centres = at[:, None] * axes[:, 2][None, :]
    tallest = max(max(s.anterior_mm, s.posterior_mm) for s in shapes)
    room = 18.0 + np.ceil(max(0.0, 0.5 * tallest - 16.0))  # the border touches no body
    low = centres.min(axis=0) - np.array([24.3, 20.4, room + 0.2])
    high = centres.max(axis=0) + np.array([24.0, 40.0, room])
    shape = tuple(int(n) for n in np.ceil((high - low)[::-1] / spacing_mm))
    grid = Grid.axis_aligned(shape, spacing_mm, tuple(float(x) for x in low))
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    points = grid.to_lps_mm(index.astype(np.float64))
    hu = np.full(len(points), DISC_HU)
    instances = np.zeros(len(points), dtype=np.uint8)
    parts = np.zeros(len(points), dtype=np.uint8)
    for label, (body, centre) in enumerate(zip(shapes, centres, strict=True), start=1):
        left, back, up = ((points - centre) @ axes).T
        height = 0.5 * body.height_mm(-back)
        radius = np.abs(left / (0.5 * body.width_mm)) ** 2.6 + np.abs(back / (0.5 * body.depth_mm)) ** 2.6
        wall = 1.0 - radius ** (1 / 2.6)
        wall_mm = wall * 0.5 * body.depth_mm
        depth = np.minimum(height - np.abs(up), wall_mm)
        if body.lip_mm:
            lip = np.minimum(
                2.5 - np.abs(-back - 0.5 * body.depth_mm - 1.0), body.lip_mm - np.abs(np.abs(up) - height)
            )
            depth = np.maximum(depth, np.minimum(lip, 14.0 - np.abs(left)))
        filled = np.clip(0.5 + depth / spacing_mm[0], 0.0, 1.0)  # part of the voxel that is bone, and marrow
        marrow = np.clip(0.5 + (depth - 1.0) / spacing_mm[0], 0.0, 1.0)
        hu += (PLATE_HU - DISC_HU) * (filled - marrow) + (MARROW_HU - DISC_HU) * marrow
        grown = depth > -grow_mm
        instances[grown], parts[grown] = label, Part.BODY
        arch = (np.abs(left) < 10) & (np.abs(back - 0.5 * body.depth_mm - 22) < 8) & (np.abs(up) < 8)
        instances[arch], parts[arch] = label, Part.POSTERIOR
        hu[arch] = 400.0
    sigma = [blur_mm / 2.355 / s for s in spacing_mm]
    values = ndimage.gaussian_filter(hu.reshape(shape).astype(np.float32), sigma)
    arrays = [values, instances.reshape(shape), parts.reshape(shape)]
    if mirrored:
        arrays = [np.ascontiguousarray(a[..., ::-1]) for a in arrays]
    names = levels or [None] * len(shapes)
    spine = Spine(
        tuple(Vertebra(i, n, None, c, False) for i, (n, c) in enumerate(zip(names, centres, strict=True), start=1)),
        LabelMap(grid, arrays[1]),
        LabelMap(grid, arrays[2]),
        Numbering(NumberingStatus.GIVEN, None, None, None),
        "test bodies",
    )
    return Volume(grid, arrays[0]), spine


def without_edges(ct: Volume) -> Volume:
    """The same grid with nothing to see on it."""
    return Volume(ct.grid, np.zeros(ct.grid.shape, dtype=np.float32))
