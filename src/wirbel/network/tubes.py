"""Segment at 1.5 mm, only in a tube of overlapping boxes along the column; the maps come at 1 mm."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from scipy import ndimage, special
from scipy.spatial import cKDTree

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
#: Steps in which a line is looked at.
_LINE_MM = 3.0


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
    same_mm: float = 12.0
    """What was followed within this of a line is not followed again."""
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
    tube = Tube(ct, network, settings)
    tube.follow(centres_lps_mm)
    return tube.maps()


class Tube:
    """Sums over boxes along a column, to which more are added where it turns out to lead further."""

    __slots__ = (
        "_coarse", "_coarse_weight", "_ct", "_followed", "_low", "_network", "_settings", "_sum", "_weight",
    )  # fmt: skip

    def __init__(self, ct: Volume, network: Network, settings: TubeSettings) -> None:
        self._ct, self._network, self._settings = ct, network, settings
        self._followed = np.empty((0, 3))
        self._low = np.zeros(3, np.int64)
        self._sum, self._weight = np.zeros((_N + 3, 0, 0, 0), np.float32), np.zeros((0, 0, 0), np.float32)
        self._coarse, self._coarse_weight = np.zeros((FINDER_COARSE, 0, 0, 0), np.float32), self._weight

    @property
    def grid(self) -> Grid:
        """The segmenter's voxels as far as boxes reach."""
        return _part(self._ct.grid, self._low, self._low + self._weight.shape)

    def follow(self, centres_lps_mm: Float64[np.ndarray, "n 3"]) -> None:
        """Run the network along the line, except where a line was followed before (within `same_mm`)."""
        settings = self._settings
        places = stations(centres_lps_mm, self._followed, settings)
        if not len(places):
            return
        self._make_room(places)
        taper = _taper(settings.box)
        coarse_taper = _taper((settings.box[0] // 4, settings.box[1] // 4, settings.box[2] // 4))
        bent = np.log(np.asarray(settings.bent, np.float32))[:, None, None, None]
        for centre in places:
            at = self.grid.to_voxel(centre[None])[0]
            at[1] += settings.behind_mm / SEGMENT_MM
            low = np.round(at).astype(int) - np.asarray(settings.box) // 2
            low = np.clip(low, 0, np.asarray(self._weight.shape) - settings.box) // 4 * 4
            box = tuple(slice(a, a + s) for a, s in zip(low, settings.box, strict=True))
            seen = _part(self._ct.grid, self._low + low, self._low + low + settings.box)
            dense, coarse = self._network.run(network_input(resample_volume(self._ct, seen).hu.astype(np.float32)))
            dense[:_N] = special.softmax(dense[:_N] - bent, axis=0)
            self._sum[(slice(None), *box)] += dense * taper
            self._weight[box] += taper
            part = tuple(slice(b.start // 4, b.stop // 4) for b in box)
            self._coarse[(slice(None), *part)] += coarse * coarse_taper
            self._coarse_weight[part] += coarse_taper
        self._followed = np.concatenate([self._followed, even_line(centres_lps_mm, _LINE_MM)])

    def maps(self) -> TubeMaps:
        """Probabilities and votes onto the 1 mm grid, channel by channel, so that edges fall between voxels."""
        grid, nowhere = self.grid, self._weight == 0
        share = np.maximum(self._weight, 1e-3)
        fine = _seen_part(grid.respaced((MASK_MM, MASK_MM, MASK_MM)), self._ct.grid)
        best, classes = np.zeros(fine.shape, np.float32), np.zeros(fine.shape, np.uint8)
        part_p = np.zeros((len(PARTS), *fine.shape), np.uint8)
        for c in range(_N):
            mean = self._sum[c] / share
            if c == 0:
                mean[nowhere] = 1.0
            p = resample_volume(Volume(grid, freeze(mean)), fine, outside_hu=0.0).hu
            better = p > best
            np.copyto(best, p, where=better)
            classes[better] = c
            if c in PARTS:
                part_p[PARTS.index(c)] = np.clip(255 * p, 0, 255).astype(np.uint8)
        vote = np.empty((3, *fine.shape), np.float32)
        for k in range(3):
            offset = Volume(grid, freeze(self._sum[_N + k] * np.float32(OFFSET_UNIT_MM) / share))
            vote[k] = resample_volume(offset, fine, outside_hu=0.0).hu
        coarse = self._coarse / np.maximum(self._coarse_weight, 1e-6)
        return TubeMaps(fine, classes, vote, part_p, coarse, grid)

    def _make_room(self, places_lps_mm: np.ndarray) -> None:
        """Let the sums reach to all of these boxes, what is summed in its place."""
        low, high = _reach(self._ct.grid, places_lps_mm, self._settings)
        if self._weight.size:
            low = np.minimum(low, self._low)
            low -= (low - self._low) % 4  # cells of four voxels stay what they were
            high = np.maximum(high, self._low + self._weight.shape)
        shape = tuple(int(n) for n in (high - low) + (low - high) % 4)
        small, at = tuple(n // 4 for n in shape), self._low - low
        self._sum = _grown(self._sum, shape, at)
        self._weight = _grown(self._weight, shape, at)
        self._coarse = _grown(self._coarse, small, at // 4)
        self._coarse_weight = _grown(self._coarse_weight, small, at // 4)
        self._low = low


def stations(
    line_lps_mm: Float64[np.ndarray, "n 3"], followed: Float64[np.ndarray, "m 3"], settings: TubeSettings
) -> Float64[np.ndarray, "k 3"]:
    """Places every `step_mm` along a line, its ends included; only where it leaves what was followed, if any was.

    `followed`: points at every few mm. Where a piece begins or ends at what was followed there is a box already.
    """
    fine = even_line(line_lps_mm, _LINE_MM)
    if not len(followed):
        return even_line(line_lps_mm, settings.step_mm)
    new = cKDTree(followed).query(fine)[0] > settings.same_mm
    pieces, count = ndimage.label(new)
    out = [np.empty((0, 3))]
    for label in range(1, count + 1):
        where = np.flatnonzero(pieces == label)
        some = even_line(fine[where], settings.step_mm)
        keep = some[(1 if where[0] > 0 else 0) : (-1 if where[-1] < len(fine) - 1 else None)]
        out.append(keep if len(keep) else fine[where[len(where) // 2]][None])
    return np.concatenate(out)


def even_line(points: Float64[np.ndarray, "n 3"], step_mm: float) -> Float64[np.ndarray, "m 3"]:
    """Points at even steps of at most `step_mm` along a polyline, at least its ends; a single point as it is."""
    if len(points) == 1:
        return points
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    where = np.linspace(0.0, length[-1], max(2, int(np.ceil(length[-1] / step_mm)) + 1))
    return np.stack([np.interp(where, length, points[:, k]) for k in range(3)], axis=1)


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


def _part(full: Grid, low: np.ndarray, high: np.ndarray) -> Grid:
    """A part of the segmenter's grid of a CT; it may lie beyond it."""
    fine = full.respaced((SEGMENT_MM, SEGMENT_MM, SEGMENT_MM))
    (z0, y0, x0), (z1, y1, x1) = (tuple(int(v) for v in end) for end in (low, high))
    return fine.cropped((z0, y0, x0), (z1, y1, x1))


def _reach(full: Grid, points_lps_mm: np.ndarray, settings: TubeSettings) -> tuple[np.ndarray, np.ndarray]:
    """Which of the segmenter's voxels the boxes of a line need, at least one box of them."""
    at = full.respaced((SEGMENT_MM, SEGMENT_MM, SEGMENT_MM)).to_voxel(points_lps_mm)
    at[:, 1] += settings.behind_mm / SEGMENT_MM
    half = np.asarray(settings.box) // 2
    # an even start: two voxels of 1.5 mm are three of 1 mm, so masks lie on the voxels of a CT of 1 mm, not between
    return (np.floor(at.min(0)).astype(int) - half - 2) // 2 * 2, np.ceil(at.max(0)).astype(int) + half + 2


def _grown(array: np.ndarray, shape: tuple[int, ...], at: np.ndarray) -> np.ndarray:
    """Zeros of that shape (last axes), the array in them at that place."""
    if array.shape[-3:] == shape:
        return array
    out = np.zeros((*array.shape[:-3], *shape), array.dtype)
    if array.size:
        z, y, x = (slice(int(a), int(a) + n) for a, n in zip(at, array.shape[-3:], strict=True))
        out[..., z, y, x] = array
    return out


def _taper(shape: tuple[int, int, int]) -> np.ndarray:
    """Weights from 0.05 at a box's faces to 1 from 16 voxels inward."""
    sides = [np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / 16.0, 0.05, 1.0) for n in shape]
    taper: np.ndarray = (sides[0][:, None, None] * sides[1][:, None] * sides[2]).astype(np.float32)
    return taper
