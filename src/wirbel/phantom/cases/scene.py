"""One vertebra in its own coordinates on a crop, ready to be painted on."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy import ndimage

from wirbel.phantom.anatomy import VertebraShape
from wirbel.phantom.body import surface, wall_depth
from wirbel.phantom.canvas import DEPTH_UNIT_MM
from wirbel.phantom.implicit import Box, box_of, coordinates, unchecked
from wirbel.phantom.look import Look
from wirbel.phantom.rasterise import PhantomLabels
from wirbel.phantom.tissue import Tissue
from wirbel.spine import Part


class Mark(IntEnum):
    """What was painted where; the numbers are stable."""

    NOTHING = 0
    LYTIC = 1
    SCLEROTIC = 2
    CORTEX = 3
    PEDICLE = 4
    EPIDURAL = 5
    PARAVERTEBRAL = 6
    THICKENING = 7
    VACUUM = 8
    LINE = 9
    FRAGMENT = 10
    HAEMANGIOMA = 11
    ISLAND = 12
    CEMENT = 13
    MARROW = 14


@unchecked
@dataclass(slots=True, eq=False)
class Scene:
    """A vertebra's surroundings: arrays are views into the crop over `box`, so painting shows there.

    `x`, `y`, `z`: own coordinates (left, posterior, superior). `wall`: depth below the body's side walls, `plates`:
    below the nearer endplate, `bone`: below the surface of any bone, all mm and negative outside.
    """

    vertebra: VertebraShape
    look: Look
    rng: np.random.Generator
    box: Box
    voxel_mm: float
    hu: np.ndarray
    marks: np.ndarray
    tissue: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    wall: np.ndarray
    plates: np.ndarray
    bone: np.ndarray
    body: np.ndarray
    arch: np.ndarray
    soft_hu: float

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel."""
        return self.voxel_mm**3

    @unchecked
    def noise(self, grain_mm: float) -> np.ndarray:
        """A field of unit variance that varies over about `grain_mm`."""
        return smooth_noise(self.rng, self.hu.shape, max(grain_mm / self.voxel_mm, 1.0))

    @unchecked
    def blend(self, alpha: np.ndarray, value: np.ndarray | float, mark: Mark) -> np.ndarray:
        """Paint a value with an opacity; marks where it is at least half. The marked voxels are returned."""
        self.hu += alpha * (value - self.hu)
        marked = alpha > 0.5
        self.marks[marked] = mark
        return marked


@unchecked
def scene_of(
    labels: PhantomLabels, hu: np.ndarray, marks: np.ndarray, vertebra: VertebraShape, look: Look, seed: int
) -> Scene | None:
    """The scene of one vertebra, or None where it lies outside the crop."""
    b, s = vertebra.body, vertebra.size
    tall = b.half_height_mm + 16.0
    low = np.array([-0.5 * b.width_superior_mm - 26.0, -0.5 * b.depth_mm - 26.0, -tall])
    high = np.array([-low[0], 0.5 * b.depth_mm + s.canal_depth_mm + 8.0, tall])
    box = box_of(labels.grid, vertebra.frame, low, high)
    if box is None or min(q.stop - q.start for q in box) < 4:
        return None
    shape = tuple(q.stop - q.start for q in box)
    x, y, z = (np.broadcast_to(c, shape) for c in coordinates(labels.grid, box, vertebra.frame))
    plates = np.minimum(surface(b.upper, b, x, y) - z, z + surface(b.lower, b, x, y))
    own = labels.instances[box] == vertebra.instance
    parts = labels.parts[box]
    rng = np.random.default_rng(seed)
    rise = {"arterial": 18.0, "portal_venous": 30.0}.get(look.phase, 0.0) * rng.uniform(0.5, 1.3)
    return Scene(
        vertebra=vertebra,
        look=look,
        rng=rng,
        box=box,
        voxel_mm=float(np.prod(labels.grid.spacing_mm) ** (1 / 3)),
        hu=hu[box],
        marks=marks[box],
        tissue=labels.tissue[box],
        x=x,
        y=y,
        z=z,
        wall=wall_depth(b, x, y, z),
        plates=plates,
        bone=labels.depth[box].astype(np.float32) * np.float32(DEPTH_UNIT_MM),
        body=own & (parts == Part.BODY),
        arch=own & (parts == Part.POSTERIOR),
        soft_hu=float(look.hu[Tissue.MUSCLE] + rng.uniform(-12, 6) + rise),
    )


@unchecked
def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], grain_voxel: float) -> np.ndarray:
    """A field of unit variance, drawn coarse and enlarged."""
    small = [int(np.ceil(n / grain_voxel)) + 3 for n in shape]
    coarse = ndimage.gaussian_filter(rng.standard_normal(small, dtype=np.float32), 0.5)
    at = [np.arange(n) / grain_voxel for n in shape]
    out = coarse
    for axis, place in enumerate(at):
        whole = place.astype(int)
        share = (place - whole).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        share = share * share * (3 - 2 * share)
        out = np.take(out, whole, axis) * (1 - share) + np.take(out, whole + 1, axis) * share
    return out / max(float(out.std()), 1e-6)


@unchecked
def fade(value_mm: np.ndarray, edge_mm: float) -> np.ndarray:
    """0 below -edge, 1 above +edge, smooth between."""
    t = np.clip(np.float32(0.5) + value_mm * np.float32(0.5 / max(edge_mm, 0.05)), 0, 1)
    return t * t * (3 - 2 * t)


@unchecked
def level_for(field: np.ndarray, where: np.ndarray, share: float) -> float:
    """The value below which `field` lies in the given share of the voxels `where`."""
    values = field[where]
    if values.size == 0:
        return -np.inf
    k = int(np.clip(round(share * values.size), 0, values.size - 1))
    return float(np.partition(values, k)[k])


@unchecked
def azimuth_to(scene: Scene, azimuth_deg: float) -> np.ndarray:
    """Angle in radians between each voxel and an azimuth (0 front, 90 left, 180 back), 0..pi."""
    angle = np.arctan2(scene.x, -scene.y)
    away = np.abs(angle - np.float32(np.radians(azimuth_deg)))
    return np.minimum(away, np.float32(2 * np.pi) - away)


def place_of(
    vertebra: VertebraShape, azimuth_deg: float, height: float, share: float
) -> tuple[float, float, float]:
    """A point in the body: `share` of the way from its axis to the wall, `height` -1 lower to 1 upper endplate."""
    b, a = vertebra.body, np.radians(azimuth_deg)
    x = share * 0.5 * b.width_middle_mm * np.sin(a)
    y = -share * 0.5 * b.depth_mm * np.cos(a)
    return float(x), float(y), float(0.75 * height * b.half_height_mm)
