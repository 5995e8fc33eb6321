"""The trunk's outlines along the column: skin, chest wall, and where they lie at each height."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from wirbel.phantom.anatomy import Anatomy

# rank, half-width, back (behind body centre), front (before it): without fat, mm; C1 = 1 ... S1 = 26, thigh = 32.
# After the meshes of BodyParts3D (an adult male) and looked at beside CTs.
_TRUNK = np.array(
    [
        [-2, 70, 75, 75],
        [1, 66, 72, 85],
        [4, 56, 58, 62],
        [7, 66, 62, 58],
        [8, 130, 66, 66],
        [9.5, 168, 70, 82],
        [12, 168, 72, 118],
        [15, 160, 70, 142],
        [18, 152, 66, 140],
        [20, 146, 64, 128],
        [22, 142, 64, 116],
        [24, 148, 68, 118],
        [26, 162, 78, 122],
        [28, 172, 95, 115],
        [31, 176, 105, 105],
        [34, 176, 95, 95],
    ],
    dtype=float,
)
# rank, half-width, back, front of the inner surface of the chest wall and of the belly's cavity
_CHEST = np.array(
    [
        [6, 14, 10, 20],
        [7.5, 34, 22, 34],
        [8.5, 58, 30, 46],
        [9.5, 80, 36, 60],
        [11, 101, 42, 88],
        [13, 119, 46, 116],
        [15, 128, 47, 132],
        [17, 128, 45, 134],
        [18.5, 124, 42, 126],
        [20, 120, 38, 116],
        [22, 116, 24, 98],
        [24, 112, 22, 100],
        [26, 112, 60, 104],
        [28, 70, 85, 95],
        [31, 40, 80, 60],
    ],
    dtype=float,
)


@dataclass(frozen=True, slots=True, eq=False)
class Trunk:
    """Outlines by height z (LPS mm): centre of the column, half-widths, and y of back and front surfaces."""

    z_mm: np.ndarray
    column_x: np.ndarray
    column_y: np.ndarray
    half_width: np.ndarray
    back_y: np.ndarray
    front_y: np.ndarray
    chest_half_width: np.ndarray
    chest_back_y: np.ndarray
    chest_front_y: np.ndarray
    rank: np.ndarray

    def at(self, name: str, z: np.ndarray) -> np.ndarray:
        """One of the outlines at heights z."""
        return np.asarray(np.interp(z, self.z_mm, getattr(self, name)))


def trunk_of(anatomy: Anatomy) -> Trunk:
    """The outlines of a person, following the column's curve."""
    origins = np.array([v.frame.origin_lps_mm for v in anatomy.vertebrae] + [anatomy.sacrum.origin_lps_mm])
    ranks = _ranks(anatomy)
    step = 28.0 * anatomy.person.scale
    above = origins[0] + np.array([0.0, -4.0, 3 * 16.0])
    back = np.array([8.0, 8.0, 2.0, -4.0, -8.0, -8.0, -8.0, -8.0])
    below = [origins[-1] + np.array([0.0, back[i], -step * (i + 1)]) for i in range(8)]
    points = np.vstack([above, origins, below])
    rank = np.concatenate([[ranks[0] - 3], ranks, ranks[-1] + np.arange(1, 9)])
    z = np.arange(points[-1, 2], points[0, 2] + 1.0, 2.0)
    order = np.argsort(points[:, 2])
    keep = np.concatenate([[True], np.diff(points[order, 2]) > 0.1])
    order = order[keep]
    at_rank = PchipInterpolator(points[order, 2], rank[order])(z)
    x = PchipInterpolator(points[order, 2], points[order, 0])(z)
    y = PchipInterpolator(points[order, 2], points[order, 1])(z)
    k, girth, fat = anatomy.person.scale, anatomy.person.girth, anatomy.person.fat_mm
    trunk = PchipInterpolator(_TRUNK[:, 0], _TRUNK[:, 1:])(np.clip(at_rank, -2, 34))
    chest = PchipInterpolator(_CHEST[:, 0], _CHEST[:, 1:])(np.clip(at_rank, 6, 31))
    belly = np.interp(at_rank, [16, 20, 24, 28], [1.0, 1.0, 1.0, 1.0]) * (0.4 + 0.6 * girth)
    loin = np.interp(at_rank, [15, 21, 27], [0.5, 1.0, 0.6])
    y_front = y * 0.55 + 0.45 * np.interp(z, z[[0, -1]], y[[0, -1]])
    return Trunk(
        z_mm=z,
        column_x=x,
        column_y=y,
        half_width=trunk[:, 0] * k * (0.5 + 0.5 * girth) + fat * loin,
        back_y=y + trunk[:, 1] * k + 0.6 * fat * loin,
        front_y=np.minimum(y_front, y - 25) - trunk[:, 2] * k * belly - fat * loin,
        chest_half_width=chest[:, 0] * k * (0.5 + 0.5 * girth),
        chest_back_y=y + chest[:, 1] * k,
        chest_front_y=np.minimum(y_front, y - 15) - chest[:, 2] * k * belly,
        rank=at_rank,
    )


def _ranks(anatomy: Anatomy) -> np.ndarray:
    """Places 1..26 along the column, spread evenly within chest and loin whatever the variant."""
    out: list[float] = []
    for region, low, high in (("C", 1, 7), ("T", 8, 19), ("L", 20, 25)):
        n = sum(v.level.region == region for v in anatomy.vertebrae)
        out.extend(np.linspace(low, high, n))
    return np.array([*out, 26.0])
