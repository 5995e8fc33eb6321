"""Segment at 1.5 mm, only in a tube of overlapping boxes along the column; the maps come at 1 mm."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16, Float32, Float64, UInt8
from scipy import special

from wirbel.network.session import Network
from wirbel.network.spine_heads import (
    CLASSES,
    FINDER_COARSE,
    OFFSET_UNIT_MM,
    SEGMENT_MM,
    at_coarse,
    network_input,
)
from wirbel.volume import Grid, Volume, freeze
from wirbel.volume.resample import resample_volume

_N = len(CLASSES)
#: Voxel size of the masks.
MASK_MM = 1.0
#: The classes whose probabilities are kept.
PARTS = tuple(CLASSES.index(name) for name in ("body", "posterior", "disc"))


@dataclass(frozen=True, slots=True)
class TubeSettings:
    """Boxes along the column; sides in voxels of `SEGMENT_MM`, divisible by 16."""

    box: tuple[int, int, int] = (80, 80, 80)
    step_mm: float = 60.0
    bent: tuple[float, ...] = (0.5, 4.0, 3.25, 4.0, 2.5, 1.0, 0.5)
    """Probabilities are divided by these: the classes' weights in the loss, and for body, disc and posterior
    elements more, because their loss of overlap bends too. By the weights alone drawn bodies come out a tenth to a
    sixth too large, by these less so (simulated), and so do those of `totalseg-example-ct` left out of training.
    Body and disc go together: with the body's alone a last body before the border is lost."""
    behind_mm: float = 16.0
    """The box's centre lies this far behind the body's centre, so that spinous processes fit."""


@dataclass(frozen=True, slots=True, eq=False)
class TubeMaps:
    """Maps of the box that holds the tube, as far as the CT reaches.

    `classes`: the most probable (`CLASSES`). `vote_mm`: offset (z, y, x) to the own body's centre. `part_p`: the
    probabilities of body, posterior elements and disc (`PARTS`) in 1/255. `coarse`: the coarse head's logits on
    `coarse_grid`.
    """

    grid: Grid
    classes: UInt8[np.ndarray, "z y x"]
    vote_mm: Float32[np.ndarray, "3 z y x"]
    part_p: UInt8[np.ndarray, "3 z y x"]
    coarse: Float32[np.ndarray, "k _ _ _"]
    coarse_grid: Grid

    @property
    def body_p(self) -> UInt8[np.ndarray, "z y x"]:
        """The probability of body in 1/255."""
        return self.part_p[0]

    def opinion_at(self, points_lps_mm: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n k"]:
        """The coarse head's logits at any points."""
        return at_coarse(self.coarse, self.coarse_grid.to_voxel(points_lps_mm)).T


def segment_tube(
    ct: Volume, centres_lps_mm: Float64[np.ndarray, "n 3"], network: Network, settings: TubeSettings
) -> TubeMaps:
    """Run the network in boxes centred on the column (n >= 1 body centres, from the head downward)."""
    grid = _tube_grid(ct.grid, centres_lps_mm, settings)
    hu = resample_volume(ct, grid).hu.astype(np.float32, copy=False)
    total = np.zeros((_N + 3, *grid.shape), np.float16)
    weight = np.zeros(grid.shape, np.float16)
    taper = _taper(settings.box)
    small = [n // 4 for n in grid.shape]
    coarse_total, coarse_weight = np.zeros((FINDER_COARSE, *small), np.float32), np.zeros(small, np.float32)
    coarse_taper = _taper((settings.box[0] // 4, settings.box[1] // 4, settings.box[2] // 4))
    bent = np.log(np.asarray(settings.bent, np.float32))[:, None, None, None]
    for centre in _stations(grid.to_voxel(centres_lps_mm), settings):
        low = np.round(centre).astype(int) - np.asarray(settings.box) // 2
        low = np.clip(low, 0, np.asarray(grid.shape) - settings.box) // 4 * 4
        box = tuple(slice(a, a + s) for a, s in zip(low, settings.box, strict=True))
        dense, coarse = network.run(network_input(hu[box]))
        dense[:_N] = special.softmax(dense[:_N] - bent, axis=0)
        total[(slice(None), *box)] += (dense * taper).astype(np.float16)
        weight[box] += taper.astype(np.float16)
        part = tuple(slice(b.start // 4, b.stop // 4) for b in box)
        coarse_total[(slice(None), *part)] += coarse * coarse_taper
        coarse_weight[part] += coarse_taper
    share = np.maximum(weight, np.float16(1e-3))
    total /= share
    total[0][weight == 0] = 1.0
    return _fine_maps(total, grid, coarse_total / np.maximum(coarse_weight, 1e-6), ct.grid)


def _fine_maps(
    total: Float16[np.ndarray, "c z y x"], grid: Grid, coarse: Float32[np.ndarray, "k _ _ _"], seen: Grid
) -> TubeMaps:
    """Probabilities and votes onto the 1 mm grid, channel by channel, so that edges fall between coarse voxels."""
    fine = _seen_part(grid.respaced((MASK_MM, MASK_MM, MASK_MM)), seen)
    best, classes = np.zeros(fine.shape, np.float32), np.zeros(fine.shape, np.uint8)
    part_p = np.zeros((len(PARTS), *fine.shape), np.uint8)
    for c in range(_N):
        p = resample_volume(Volume(grid, freeze(total[c].astype(np.float32))), fine, outside_hu=0.0).hu
        better = p > best
        best[better], classes[better] = p[better], c
        if c in PARTS:
            part_p[PARTS.index(c)] = np.clip(255 * p, 0, 255).astype(np.uint8)
    vote = np.empty((3, *fine.shape), np.float32)
    for k in range(3):
        offset = Volume(grid, freeze(total[_N + k].astype(np.float32) * OFFSET_UNIT_MM))
        vote[k] = resample_volume(offset, fine, outside_hu=0.0).hu
    return TubeMaps(fine, classes, vote, part_p, coarse, grid)


def _seen_part(fine: Grid, seen: Grid) -> Grid:
    """The voxels where the CT shows something; what a network makes of the padding is nothing.

    Both grids have the same axes (one is the other respaced), so each axis is looked at alone.
    """
    ends = seen.to_voxel(fine.to_lps_mm(np.array([[0.0, 0.0, 0.0], np.asarray(fine.shape) - 1.0])))
    starts, stops = [], []
    for axis, n in enumerate(fine.shape):
        at = np.linspace(ends[0, axis], ends[1, axis], n)
        inside = np.flatnonzero((at >= -0.5) & (at <= seen.shape[axis] - 0.5))
        starts.append(int(inside[0]))
        stops.append(int(inside[-1]) + 1)
    return fine.cropped((starts[0], starts[1], starts[2]), (stops[0], stops[1], stops[2]))


def _tube_grid(full: Grid, centres_lps_mm: np.ndarray, settings: TubeSettings) -> Grid:
    """The part of the segmenter's grid that the boxes need, at least one box large."""
    fine = full.respaced((SEGMENT_MM, SEGMENT_MM, SEGMENT_MM))
    at = fine.to_voxel(centres_lps_mm)
    at[:, 1] += settings.behind_mm / SEGMENT_MM
    half = np.asarray(settings.box) // 2
    # an even start: two voxels of 1.5 mm are three of 1 mm, so masks lie on the voxels of a CT of 1 mm, not between
    z0, y0, x0 = (int(v) // 2 * 2 for v in np.floor(at.min(0)).astype(int) - half - 2)
    z1, y1, x1 = (int(v) for v in np.ceil(at.max(0)).astype(int) + half + 2)
    return fine.cropped((z0, y0, x0), (z1 - (z1 - z0) % -4, y1 - (y1 - y0) % -4, x1 - (x1 - x0) % -4))


def _stations(at: np.ndarray, settings: TubeSettings) -> np.ndarray:
    """Box centres every `step_mm` along the polyline of body centres, its ends included."""
    at = at + np.array([0.0, settings.behind_mm / SEGMENT_MM, 0.0])
    if len(at) == 1:
        return at
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(at, axis=0), axis=1))])
    count = max(2, int(np.ceil(length[-1] * SEGMENT_MM / settings.step_mm)) + 1)
    where = np.linspace(0.0, length[-1], count)
    return np.stack([np.interp(where, length, at[:, k]) for k in range(3)], axis=1)


def _taper(shape: tuple[int, int, int]) -> np.ndarray:
    """Weights from 0.05 at a box's faces to 1 from 16 voxels inward."""
    sides = [np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / 16.0, 0.05, 1.0) for n in shape]
    taper: np.ndarray = (sides[0][:, None, None] * sides[1][:, None] * sides[2]).astype(np.float32)
    return taper
