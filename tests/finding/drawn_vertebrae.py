"""Analytic vertebrae with a shell, spongiosa and an arch, into which known lesions are cut; for tests alone.

World axes are those of the vertebrae: left, posterior, superior. Bodies are elliptic cylinders; every solid is
drawn with its exact share of each voxel, from its signed depth.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from wirbel.spine import Level, Numbering, NumberingStatus, Part, Spine, Vertebra
from wirbel.vertebra import VertebraMeasures, VertebraSettings, measure_all
from wirbel.volume import Acquisition, Grid, Kernel, LabelMap, Plane, Volume

HALF_WIDTH, HALF_DEPTH, HALF_HEIGHT, PITCH = 19.0, 14.0, 12.0, 32.0
CANAL_HALF_WIDTH, CANAL_HALF_DEPTH = 11.0, 8.0
#: The canal's middle behind the body's.
CANAL_AT = HALF_DEPTH + CANAL_HALF_DEPTH - 1.0
MARROW_HU, CORTEX_HU, SOFT_HU, FAT_HU, CANAL_HU, DISC_HU = 150.0, 1000.0, 50.0, -100.0, 15.0, 80.0
SHELL_MM = 0.7
AXIAL_1_MM = Acquisition(Plane.AXIAL, 1.0, 1.0, kernel=Kernel.SOFT, kvp=120.0)

#: Paints on the HU before blur and noise: (hu, x, y, z) of one vertebra's own coordinates, returns the new HU.
Paint = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Drawn:
    """One vertebra of the column: `wall_mm` moves its posterior wall backward by (left, up), `paints` its
    lesions."""

    wall_mm: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda x, z: np.zeros(np.broadcast(x, z).shape)
    paints: tuple[Paint, ...] = ()
    marrow_hu: float = MARROW_HU


@dataclass(frozen=True)
class Column:
    """What the signs are given."""

    ct: Volume
    spine: Spine
    measures: tuple[VertebraMeasures, ...]
    acquisition: Acquisition = AXIAL_1_MM


@dataclass(frozen=True)
class Scan:
    """How the column is imaged and outlined; `grow_mm`: masks too large by that much (negative: too small)."""

    blur_mm: float = 0.9
    noise_hu: float = 0.0
    grow_mm: float = 0.0
    side_mm: float = 38.0
    acquisition: Acquisition = AXIAL_1_MM
    posterior_mm: float = 48.0
    levels: tuple[Level, ...] = (Level.T11, Level.T12, Level.L1, Level.L2, Level.L3)
    pitch_mm: float = PITCH
    lean_deg: float = 0.0


def column(
    index: Drawn | None = None, *, others: Drawn | None = None, scan: Scan | None = None, count: int = 3
) -> Column:
    """`count` vertebrae on one axis, the middle one drawn as `index`."""
    scan, others = scan or Scan(), others or Drawn()
    index = index or others
    half = 0.5 * scan.pitch_mm * (count - 1) + HALF_HEIGHT + 12.0
    shape = (int(2 * half) + 1, int(HALF_DEPTH + 20.0 + scan.posterior_mm), int(2 * scan.side_mm) + 1)
    # no voxel centre on a symmetry plane
    low = (-scan.side_mm + 0.27, -HALF_DEPTH - 20.0 + 0.31, -half + 0.19)
    turned = np.eye(4)
    lean = np.radians(scan.lean_deg)
    turned[1:3, 1:3] = [[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]]
    grid = Grid(shape, turned @ Grid.axis_aligned(shape, (1.0, 1.0, 1.0), low).voxel_to_lps_mm)
    z, y, x = np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij")
    x, y, z = x + low[0], y + low[1], z + low[2]
    hu = np.full(shape, FAT_HU)
    canal = _ellipse(x, y - CANAL_AT, CANAL_HALF_WIDTH, CANAL_HALF_DEPTH)
    hu = _mixed(hu, CANAL_HU, canal)
    instances, parts = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    vertebrae = []
    for k in range(count):
        drawn = index if k == count // 2 else others
        up = z - (0.5 * (count - 1) - k) * scan.pitch_mm
        gap = 0.5 * (scan.pitch_mm - 2 * HALF_HEIGHT) - np.abs(up + 0.5 * scan.pitch_mm)
        disc = np.minimum(_ellipse(x, y, HALF_WIDTH, HALF_DEPTH), gap)
        hu = _mixed(hu, DISC_HU, disc)
        body = body_depth(drawn, x, y, up)
        arch = _arch_depth(x, y, up)
        hu = _bone(hu, arch, drawn.marrow_hu + 100.0)
        hu = _bone(hu, body, drawn.marrow_hu)
        for paint in drawn.paints:
            hu = paint(hu, x, y, up)
        own = np.maximum(body, arch) > -scan.grow_mm
        instances[own] = k + 1
        parts[own] = np.where((body > -scan.grow_mm)[own], Part.BODY, Part.POSTERIOR)
        centre = turned[:3, :3] @ np.array([0.0, 0.0, (0.5 * (count - 1) - k) * scan.pitch_mm])
        first = len(scan.levels) // 2 - count // 2
        vertebrae.append(Vertebra(k + 1, scan.levels[first + k], None, centre, cut_by_border=False))
    hu = ndimage.gaussian_filter(hu, scan.blur_mm / 2.355)
    if scan.noise_hu:
        grain = ndimage.gaussian_filter(np.random.default_rng(7).standard_normal(shape), 0.5)
        hu = hu + scan.noise_hu * grain / grain.std()
    spine = Spine(
        tuple(vertebrae),
        LabelMap(grid, instances),
        LabelMap(grid, parts),
        Numbering(NumberingStatus.GIVEN, None, None, None),
        "drawn",
    )
    ct = Volume(grid, hu.astype(np.float32))
    return Column(ct, spine, measure_all(ct, spine, VertebraSettings(), scan.acquisition), scan.acquisition)


def with_acquisition(drawn: Column, slice_mm: float) -> Column:
    """The same column, said to be made of thicker slices."""
    return replace(drawn, acquisition=Acquisition(Plane.AXIAL, slice_mm, slice_mm, kernel=Kernel.SOFT, kvp=120.0))


def body_depth(drawn: Drawn, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Depth below the body's surface, mm; its posterior wall is moved backward by `wall_mm`."""
    behind = y > 0
    stretch = np.where(behind, (HALF_DEPTH + drawn.wall_mm(x, z)) / HALF_DEPTH, 1.0)
    return np.minimum(_ellipse(x, y / stretch, HALF_WIDTH, HALF_DEPTH), HALF_HEIGHT - np.abs(z))


def lytic(inside: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray], hu: float = SOFT_HU) -> Paint:
    """Replaces what lies where `inside` (a signed depth in mm) is positive."""
    return lambda old, x, y, z: _mixed(old, hu, inside(x, y, z))


def ball(x0: float, y0: float, z0: float, radius: float) -> Callable[..., np.ndarray]:
    """Signed depth of a sphere."""
    return lambda x, y, z: radius - np.sqrt((x - x0) ** 2 + (y - y0) ** 2 + (z - z0) ** 2)


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Callable[..., np.ndarray]:
    """Signed depth of a box (left, posterior, superior)."""
    return lambda x, y, z: np.minimum.reduce(
        [x - low[0], high[0] - x, y - low[1], high[1] - y, z - low[2], high[2] - z]
    )


def _ellipse(x: np.ndarray, y: np.ndarray, a: float, b: float) -> np.ndarray:
    """About the distance to an ellipse, positive inside."""
    q = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2) / np.maximum(q, 1e-6)
    return (1.0 - q) / np.maximum(slope, 1e-6)


def _arch_depth(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Two pedicles in the upper half, laminae that close the ring, a spinous process."""
    ring = np.minimum(
        _ellipse(x, y - CANAL_AT, CANAL_HALF_WIDTH + 7.0, CANAL_HALF_DEPTH + 6.0),
        -_ellipse(x, y - CANAL_AT, CANAL_HALF_WIDTH, CANAL_HALF_DEPTH),
    )
    pedicles = np.minimum.reduce([ring, y - 0.6 * HALF_DEPTH, CANAL_AT + 3.0 - y, 6.0 - np.abs(z - 4.0)])
    laminae = np.minimum.reduce([ring, y - CANAL_AT, 9.0 - np.abs(z + 1.0)])
    behind = CANAL_AT + CANAL_HALF_DEPTH + 2.0
    spinous = np.minimum.reduce([3.5 - np.abs(x), y - behind, 46.0 - y, 7.0 - np.abs(z + 3.0)])
    return np.maximum.reduce([pedicles, laminae, spinous])


def _mixed(old: np.ndarray, new: float | np.ndarray, depth: np.ndarray) -> np.ndarray:
    share = np.clip(depth + 0.5, 0.0, 1.0)
    return old * (1.0 - share) + new * share


def _bone(old: np.ndarray, depth: np.ndarray, marrow_hu: float) -> np.ndarray:
    return _mixed(_mixed(old, CORTEX_HU, depth), marrow_hu, depth - SHELL_MM)
