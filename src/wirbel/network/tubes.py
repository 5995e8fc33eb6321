"""Segment at 1 mm, only in a tube of overlapping boxes along the column."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from scipy import special

from wirbel.network.session import Network
from wirbel.network.spine_heads import (
    CLASSES,
    FINDER_LEVELS,
    OFFSET_UNIT_MM,
    SEGMENT_MM,
    at_coarse,
    network_input,
)
from wirbel.volume import Grid, Volume
from wirbel.volume.resample import resample_volume

_N = len(CLASSES)


@dataclass(frozen=True, slots=True)
class TubeSettings:
    """Boxes along the column, in mm (voxels at 1 mm), sides divisible by 16."""

    box: tuple[int, int, int] = (96, 112, 112)
    step_mm: float = 48.0
    behind_mm: float = 16.0
    """The box's centre lies this far behind the body's centre, so that spinous processes fit."""
    margin_mm: float = 48.0


@dataclass(frozen=True, slots=True, eq=False)
class TubeMaps:
    """Maps of the box that holds the tube.

    `classes`: the most probable (`CLASSES`). `vote_mm`: offset (z, y, x) to the own body's centre. `body_p`: the
    probability of body in 1/255. `opinion`: the coarse head's logits at each of the n centres asked for.
    """

    grid: Grid
    classes: UInt8[np.ndarray, "z y x"]
    vote_mm: Float32[np.ndarray, "3 z y x"]
    body_p: UInt8[np.ndarray, "z y x"]
    opinion: Float64[np.ndarray, "n k"]


def segment_tube(
    ct: Volume, centres_lps_mm: Float64[np.ndarray, "n 3"], network: Network, settings: TubeSettings
) -> TubeMaps:
    """Run the network in boxes centred on the column (n >= 1 body centres, from the head downward)."""
    grid = _tube_grid(ct.grid, centres_lps_mm, settings)
    hu = resample_volume(ct, grid).hu.astype(np.float32, copy=False)
    total = np.zeros((_N + 3, *grid.shape), np.float16)
    weight = np.zeros(grid.shape, np.float16)
    taper = _taper(settings.box)
    at = grid.to_voxel(centres_lps_mm)
    opinion = np.zeros((len(at), len(FINDER_LEVELS) + 1))
    opinion_weight = np.full((len(at), 1), 1e-9)
    for centre in _stations(at, settings):
        low = np.round(centre).astype(int) - np.asarray(settings.box) // 2
        low = np.clip(low, 0, np.asarray(grid.shape) - settings.box)
        box = tuple(slice(a, a + s) for a, s in zip(low, settings.box, strict=True))
        dense, coarse = network.run(network_input(hu[box]))
        dense[:_N] = special.softmax(dense[:_N], axis=0)
        total[(slice(None), *box)] += (dense * taper).astype(np.float16)
        weight[box] += taper.astype(np.float16)
        inner = np.minimum(at - low, low + np.asarray(settings.box) - at).min(1)
        trust = np.clip(inner / 24.0, 0.0, 1.0)[:, None]
        opinion += trust * at_coarse(coarse, at - low).T
        opinion_weight += trust
    seen = weight > 0
    classes = np.where(seen, total[:_N].argmax(0), 0).astype(np.uint8)
    share = np.maximum(weight, np.float16(1e-3))
    body_p = np.clip(255 * (total[1] / share), 0, 255).astype(np.uint8)
    vote = (total[_N:] / share).astype(np.float32) * OFFSET_UNIT_MM
    return TubeMaps(grid, classes, vote, body_p, opinion / opinion_weight)


def _tube_grid(full: Grid, centres_lps_mm: np.ndarray, settings: TubeSettings) -> Grid:
    """The part of the 1 mm grid that the boxes need, at least one box large."""
    fine = full.respaced((SEGMENT_MM, SEGMENT_MM, SEGMENT_MM))
    at = fine.to_voxel(centres_lps_mm)
    at[:, 1] += settings.behind_mm
    half = np.asarray(settings.box) // 2
    low = np.floor(at.min(0)).astype(int) - half - 2
    high = np.ceil(at.max(0)).astype(int) + half + 2
    return fine.cropped((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _stations(at: np.ndarray, settings: TubeSettings) -> np.ndarray:
    """Box centres every `step_mm` along the polyline of body centres, its ends included."""
    at = at + np.array([0.0, settings.behind_mm / SEGMENT_MM, 0.0])
    if len(at) == 1:
        return at
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(at, axis=0), axis=1))])
    count = max(2, int(np.ceil(length[-1] / settings.step_mm)) + 1)
    where = np.linspace(0.0, length[-1], count)
    return np.stack([np.interp(where, length, at[:, k]) for k in range(3)], axis=1)


def _taper(shape: tuple[int, int, int]) -> np.ndarray:
    """Weights from 0.05 at a box's faces to 1 from 16 voxels inward."""
    sides = [np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / 16.0, 0.05, 1.0) for n in shape]
    taper: np.ndarray = (sides[0][:, None, None] * sides[1][:, None] * sides[2]).astype(np.float32)
    return taper
