"""The spinal canal of one vertebra: the hole in its ring, seen along the column."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage
from scipy.spatial import ConvexHull

#: Plausible area of the canal seen along the column; the lumbar one has 200 to 300 mm2, a foramen 10 to 35.
AREA_MM2 = (60.0, 900.0)
#: A silhouette that fills this share of its convex outline is a body without an arch.
SOLID = 0.85
_RIM = 4


@dataclass(frozen=True, slots=True)
class Canal:
    """In a vertebra's (posterior, left) plane: the hole's centre, its front in the midline, half its width."""

    posterior_mm: float
    left_mm: float
    front_mm: float
    half_width_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Silhouette:
    """A vertebra's shadow along the column in 1 mm pixels (posterior, left); `corner_mm` is pixel (0, 0)."""

    pixels: Bool[np.ndarray, "p q"]
    corner_mm: Float64[np.ndarray, "2"]


def silhouette(local_mm: Float64[np.ndarray, "n 3"]) -> Silhouette:
    """The shadow of points given as (up, posterior, left)."""
    plane = local_mm[:, 1:]
    corner = np.floor(plane.min(axis=0)) - _RIM
    index = np.round(plane - corner).astype(int)
    pixels = np.zeros(index.max(axis=0) + 1 + _RIM, dtype=bool)
    pixels[index[:, 0], index[:, 1]] = True
    return Silhouette(ndimage.binary_closing(pixels), corner)


def is_solid(shadow: Silhouette) -> bool:
    """Whether the shadow is one convex blob: a body without arch or processes."""
    index = np.argwhere(shadow.pixels)
    if len(index) < 20 or np.ptp(index, axis=0).min() < 3:
        return False
    return bool(len(index) / (ConvexHull(index).volume + 1e-9) > SOLID)


def canal_seen_along(local_mm: Float64[np.ndarray, "n 3"]) -> Canal | None:
    """The canal, or None where the ring is not closed."""
    shadow = silhouette(local_mm)
    holes, count = ndimage.label(ndimage.binary_fill_holes(shadow.pixels) & ~shadow.pixels)
    best: Canal | None = None
    largest = AREA_MM2[0]
    for number in range(1, count + 1):
        posterior, left = np.nonzero(holes == number)
        if largest <= len(posterior) <= AREA_MM2[1]:
            largest = len(posterior)
            middle = np.abs(left - left.mean()) <= 0.35 * (np.ptp(left) + 1) / 2
            best = Canal(
                float(posterior.mean() + shadow.corner_mm[0]),
                float(left.mean() + shadow.corner_mm[1]),
                float(posterior[middle].min() - 1 + shadow.corner_mm[0]),
                float((np.ptp(left) + 1) / 2),
            )
    return best


def middle_canal(seen: Sequence[Canal]) -> Canal:
    """The median of canals, relative to the whole vertebrae's centres: for a vertebra whose ring is open."""
    if not seen:
        return Canal(9.0, 0.0, 1.0, 10.0)
    table = np.median([[c.posterior_mm, c.left_mm, c.front_mm, c.half_width_mm] for c in seen], axis=0)
    return Canal(*(float(value) for value in table))
