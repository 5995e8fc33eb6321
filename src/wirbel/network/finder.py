"""Find the column: body centres, what speaks for their level, sacrum, ribs; at 3 mm over the whole volume."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import ndimage, special

from wirbel.network.session import Network
from wirbel.network.spine_heads import CLASSES, FIND_MM, FINDER_LEVELS, at_coarse, network_input
from wirbel.volume import Grid, Volume
from wirbel.volume.resample import OUTSIDE_HU, resample_volume

_N = len(CLASSES)


@dataclass(frozen=True, slots=True)
class FinderSettings:
    """How the finder's maps are read; values chosen on drawn CTs and on the hand-out's left-out patients."""

    peak: float = 0.12
    """Least heat of a candidate."""
    apart_mm: float = 9.0
    """Two candidates are at least this far from each other."""
    window: int = 128
    overlap: int = 48
    multiple: int = 32


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Peaks of the heat map, best first, and the coarse head's opinions everywhere.

    The peaks lie along the column, not always one a vertebra: the votes of the segmenter say which there are.
    `coarse`: logits at a quarter of the resolution of `grid` (levels of `FINDER_LEVELS`, then "carries a rib").
    """

    centres_lps_mm: Float64[np.ndarray, "n 3"]
    heat: Float64[np.ndarray, " n"]
    coarse: Float32[np.ndarray, "k _ _ _"]
    grid: Grid

    def level_log_p(self, points_lps_mm: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n k"]:
        """Log-probability of each of `FINDER_LEVELS` at any points."""
        logits = at_coarse(self.coarse[:-1], self.grid.to_voxel(points_lps_mm))
        log_p: Float64[np.ndarray, "n k"] = special.log_softmax(logits, axis=0).T
        return log_p

    def rib_logit(self, points_lps_mm: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, " n"]:
        """Logit of "carries a rib" at any points."""
        return at_coarse(self.coarse[-1:], self.grid.to_voxel(points_lps_mm))[0]


def find_candidates(ct: Volume, network: Network, settings: FinderSettings) -> Candidates:
    """Candidates for vertebral bodies in the whole CT."""
    grid = ct.grid.respaced((FIND_MM, FIND_MM, FIND_MM))
    hu = resample_volume(ct, grid).hu.astype(np.float32)
    heat, coarse = _maps(hu, network, settings)
    at, height = _peaks(heat, settings)
    return Candidates(grid.to_lps_mm(at), height, coarse, grid)


def _maps(
    hu: Float32[np.ndarray, "z y x"], network: Network, settings: FinderSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Heat, and coarse logits at a quarter of the resolution, tile by tile."""
    tiles = [_tiles(n, settings) for n in hu.shape]
    size = [t[0] for t in tiles]
    full = [t[1][-1] + t[0] for t in tiles]
    padded = np.pad(hu, [(0, f - n) for f, n in zip(full, hu.shape, strict=True)], constant_values=OUTSIDE_HU)
    heat_sum = np.zeros(full, np.float32)
    coarse_sum = np.zeros((len(FINDER_LEVELS) + 1, *[f // 4 for f in full]), np.float32)
    weight, coarse_weight = np.zeros(full, np.float32), np.zeros([f // 4 for f in full], np.float32)
    window, coarse_window = _taper(size), _taper([s // 4 for s in size])
    for z in tiles[0][1]:
        for y in tiles[1][1]:
            for x in tiles[2][1]:
                box = tuple(slice(a, a + s) for a, s in zip((z, y, x), size, strict=True))
                small = tuple(slice(b.start // 4, b.stop // 4) for b in box)
                if padded[box].max() < -500:
                    continue
                dense, coarse = network.run(network_input(padded[box]))
                heat_sum[box] += dense[_N] * window
                coarse_sum[(slice(None), *small)] += coarse * coarse_window
                weight[box] += window
                coarse_weight[small] += coarse_window
    inside = tuple(slice(0, n) for n in hu.shape)
    seen = weight > 0
    coarse_sum /= np.maximum(coarse_weight, 1e-6)
    heat: np.ndarray = np.where(seen, special.expit(heat_sum / np.maximum(weight, 1e-6)), 0)[inside]
    return heat, coarse_sum


def _tiles(n: int, settings: FinderSettings) -> tuple[int, list[int]]:
    """Side of the tile and where tiles start along one axis; one tile where the axis is short."""
    m = settings.multiple
    whole = -(-n // m) * m
    if whole <= settings.window + m:
        return whole, [0]
    step = settings.window - settings.overlap
    count = -(-(n - settings.window) // step) + 1
    last = -(-(n - settings.window) // 4) * 4
    return settings.window, sorted({min(i * step, last) for i in range(count)})


def _taper(shape: list[int]) -> np.ndarray:
    """Weights that fall toward a tile's faces."""
    sides = [np.minimum(np.arange(n) + 1.0, np.arange(n)[::-1] + 1.0) for n in shape]
    sides = [np.minimum(s, 12.0 * len(s) / 128 + 1) for s in sides]
    taper: np.ndarray = (sides[0][:, None, None] * sides[1][:, None] * sides[2]).astype(np.float32)
    return taper


def _peaks(heat: np.ndarray, settings: FinderSettings) -> tuple[np.ndarray, np.ndarray]:
    """Local maxima, best first: fractional voxel (heat-weighted mean around the maximum) and height."""
    radius = round(settings.apart_mm / FIND_MM)
    top = ndimage.maximum_filter(heat, size=2 * radius - 1)
    at = np.argwhere((heat == top) & (heat >= settings.peak))
    height = heat[tuple(at.T)]
    at, height = _without_neighbours(at, height, settings.apart_mm / FIND_MM)
    return np.array([_centroid(heat, p) for p in at]).reshape(-1, 3), height.astype(np.float64)


def _without_neighbours(at: np.ndarray, height: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Best first; of two nearer than `apart` (a plateau has many maxima) only the better stays."""
    order = np.argsort(-height, kind="stable")
    at, height = at[order], height[order]
    kept: list[int] = []
    for i in range(len(at)):
        if not kept or np.linalg.norm(at[kept] - at[i], axis=1).min() >= apart:
            kept.append(i)
    return at[kept], height[kept]


def _centroid(heat: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """Centre of mass of the upper part of a peak."""
    low, high = np.maximum(peak - 2, 0), np.minimum(peak + 3, heat.shape)
    box = heat[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    mass = np.maximum(box - 0.5 * box.max(), 0)
    index = np.indices(box.shape).reshape(3, -1)
    centre: np.ndarray = (index * mass.reshape(-1)).sum(1) / mass.sum() + low
    return centre
