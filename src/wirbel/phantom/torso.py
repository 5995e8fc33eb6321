"""The trunk's outlines along the column: skin, chest wall, and where they lie at each height."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from wirbel.phantom.anatomy import Anatomy

# rank, half-width, back (behind body centre), front (before it): without fat, mm; C1 = 1 ... S1 = 26, thigh = 32.
# Read off six CTs of the hand-out at the annotated bodies (skin, lung and muscle extents by threshold).
_TRUNK = np.array(
    [
        [-2, 72, 78, 90],
        [1, 66, 62, 92],
        [3, 60, 56, 84],
        [5, 62, 60, 76],
        [6.5, 80, 78, 66],
        [8, 140, 82, 62],
        [9.5, 158, 74, 84],
        [11, 156, 63, 104],
        [13, 150, 58, 132],
        [15, 138, 56, 142],
        [17, 133, 58, 142],
        [19, 131, 61, 130],
        [21, 130, 65, 114],
        [23, 131, 68, 106],
        [25, 140, 74, 108],
        [26, 150, 80, 112],
        [28, 165, 95, 112],
        [31, 172, 100, 105],
        [34, 172, 92, 95],
    ],
    dtype=float,
)
# rank, half-width, back, front of the inner surface of the chest wall and of the belly's cavity
_CHEST = np.array(
    [
        [6, 14, 8, 20],
        [7.5, 30, 22, 34],
        [8.5, 48, 30, 46],
        [9.5, 76, 34, 58],
        [11, 101, 35, 88],
        [13, 113, 35, 120],
        [15, 118, 36, 130],
        [17, 119, 37, 130],
        [18.5, 119, 38, 122],
        [20, 117, 36, 112],
        [22, 117, 30, 98],
        [24, 117, 28, 93],
        [26, 112, 58, 98],
        [28, 80, 80, 95],
        [31, 50, 75, 60],
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
