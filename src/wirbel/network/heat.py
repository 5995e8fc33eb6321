"""Where the networks looked: from their last maps at no cost, or by painting over, which is slow."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float32, Float64, Int16, UInt8

from wirbel.errors import UsageError
from wirbel.etiology import HeatMap, HeatMethod
from wirbel.network.fracture import CropScores, FractureNetworks
from wirbel.volume import Grid


@dataclass(frozen=True, slots=True)
class OcclusionSettings:
    """`cube` is the edge of what is painted over and `step` how far it moves, in voxels of the crop; `hu` is soft
    tissue, so that neither a hole nor dense bone is drawn."""

    cube: int = 16
    step: int = 8
    hu: int = 40

    def __post_init__(self) -> None:
        if not 1 <= self.step <= self.cube:
            raise UsageError(f"a cube of {self.cube} voxels cannot move by {self.step}: use 1 to {self.cube}")


def grad_cam(networks: FractureNetworks, scores: CropScores, row: int, grid: Grid) -> HeatMap:
    """The map of one crop of `scores`, whose voxels lie on `grid`; no second pass, no gradients to compute.

    Log-odds are the mean over the maps' voxels of sum_f w_f map_f (plus a bias), so the gradient to each voxel is
    w_f everywhere, and Grad-CAM (Selvaraju 2017) is relu(sum_f w_f map_f) exactly. The members' mean is taken
    before it is cut at zero, as their log-odds are averaged too.

    Where all members were taught by painted lesions, it is weighted by how probable they take a lesion to be at
    each place, the members' mean: the last maps tell the side, this the place on it.
    """
    by_shape: dict[tuple[int, ...], Float64[np.ndarray, "_ _ _"]] = {}
    for head, maps in zip(networks.about.heads, scores.maps, strict=True):
        raised = np.tensordot(head.weights, maps[row].astype(np.float64), axes=1) / len(scores.maps)
        by_shape[raised.shape] = by_shape.get(raised.shape, np.zeros(raised.shape)) + raised
    total = np.zeros(grid.shape, np.float32)
    for raised in by_shape.values():
        total += enlarged(raised, grid.shape)
    if len(scores.lesions) != len(networks.about.members):
        return HeatMap(grid, of_its_peak(total), HeatMethod.GRAD_CAM, networks.about.members)
    seen = np.stack([each[row] for each in scores.lesions]).astype(np.float64)
    lesion = enlarged(seen.mean(axis=0), grid.shape)
    weighted = np.maximum(total, np.float32(0.0)) * lesion
    return HeatMap(grid, of_its_peak(weighted), HeatMethod.LESION_CAM, networks.about.members)


def occlusion(
    networks: FractureNetworks,
    hu: Int16[np.ndarray, "z y x"],
    mask: UInt8[np.ndarray, "z y x"],
    grid: Grid,
    settings: OcclusionSettings | None = None,
) -> HeatMap:
    """How far the ensemble's log-odds fall when each place of one crop is painted over (Zeiler & Fergus 2014).

    `mask` holds a stored crop's bits and stays as it is; each voxel gets the mean of the cubes that cover it.
    """
    settings = settings or OcclusionSettings()
    whole = float(networks.score(hu[None], mask[None]).log_odds.mean())
    fall = np.zeros(hu.shape, dtype=np.float32)
    count = np.zeros(hu.shape, dtype=np.float32)
    for corner in product(*(_starts(length, settings) for length in hu.shape)):
        place = tuple(slice(start, start + settings.cube) for start in corner)
        painted = np.array(hu)
        painted[place] = settings.hu
        fall[place] += whole - float(networks.score(painted[None], mask[None]).log_odds.mean())
        count[place] += 1.0
    return HeatMap(grid, of_its_peak(fall / count), HeatMethod.OCCLUSION, networks.about.members)


def enlarged(
    coarse: Float64[np.ndarray, "_ _ _"], shape: tuple[int, int, int]
) -> Float32[np.ndarray, "z y x"]:
    """A coarse map on the crop's voxels, linear between its own; both cover the same cube."""
    z, y, x = (_shares(c, n) for c, n in zip(coarse.shape, shape, strict=True))
    return np.einsum("za,abc,yb,xc->zyx", z, coarse, y, x, optimize=True).astype(np.float32)


def of_its_peak(raised: Float32[np.ndarray, "z y x"]) -> Float32[np.ndarray, "z y x"]:
    """What is above zero, as a share of its highest value; all zero where nothing is."""
    positive = np.maximum(raised, np.float32(0.0))
    peak = float(positive.max())
    return np.asarray(positive / peak if peak > 0.0 else positive, dtype=np.float32)


def _shares(coarse: int, fine: int) -> Float64[np.ndarray, "fine coarse"]:
    """How much of each coarse cell a fine one takes: linear between the cells' centres, flat beyond the last."""
    at = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0.0, coarse - 1.0)
    return np.maximum(1.0 - np.abs(at[:, None] - np.arange(coarse)), 0.0)


def _starts(length: int, settings: OcclusionSettings) -> list[int]:
    """Where cubes begin: the last one ends with the crop."""
    last = max(length - settings.cube, 0)
    return sorted({*range(0, last, settings.step), last})
