"""Tube maps into vertebrae: every voxel goes to the body centre it votes for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8
from scipy import ndimage
from scipy.spatial import cKDTree

from wirbel.network.spine_heads import CLASSES
from wirbel.network.tubes import MASK_MM, TubeMaps

_BODY, _POSTERIOR = CLASSES.index("body"), CLASSES.index("posterior")


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """How votes become vertebrae."""

    cell_mm: float = 2.0
    vote_sd_mm: float = 2.5
    bodies_apart_mm: float = 9.0
    gather_mm: float = 6.0
    """Votes this near to a peak belong to it."""
    fewest_votes_mm3: float = 400.0
    """Fewer votes (in mm3 of voters) make no vertebra."""
    sure_votes_mm3: float = 3000.0
    """So many votes give full confidence."""
    reach_mm: float = 16.0
    """A vote further than this from every centre counts for none."""
    smallest_body_mm3: float = 1500.0
    """Less body than this, away from the border, is no vertebra (a C3 has about 6,000 mm3)."""
    speck: float = 0.1
    """A piece smaller than this share of its vertebra's largest piece of the same part is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """`labels`: 1..n in the order of the centres given (0 none); centres and volumes of the bodies found."""

    labels: UInt8[np.ndarray, "z y x"]
    centres_voxel: Float64[np.ndarray, "n 3"]
    bodies_mm3: Float64[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class VotedCentres:
    """Places that many body voxels vote for; `score`: their votes over a quarter of a typical body, at most 1."""

    centres_lps_mm: Float64[np.ndarray, "n 3"]
    score: Float64[np.ndarray, " n"]


def centres_of_votes(maps: TubeMaps, settings: InstanceSettings) -> VotedCentres:
    """Peaks of the density of votes that body voxels cast for their own body's centre."""
    body = np.nonzero(maps.classes == _BODY)
    if not len(body[0]):
        return VotedCentres(np.zeros((0, 3)), np.zeros(0))
    votes = np.stack([axis + maps.vote_mm[k][body] / MASK_MM for k, axis in enumerate(body)], axis=1)
    cells = [int(np.ceil(n * MASK_MM / settings.cell_mm)) for n in maps.grid.shape]
    at = np.clip(np.floor((votes + 0.5) * MASK_MM / settings.cell_mm).astype(int), 0, np.array(cells) - 1)
    count = np.bincount(np.ravel_multi_index(tuple(at.T), cells), minlength=int(np.prod(cells))).reshape(cells)
    density = ndimage.gaussian_filter(count.astype(np.float32), settings.vote_sd_mm / settings.cell_mm)
    wide = 2 * round(settings.bodies_apart_mm / settings.cell_mm / 2) + 1
    peaks = np.argwhere((density == ndimage.maximum_filter(density, wide)) & (density > 0))
    tree = cKDTree(votes)
    near = [tree.query_ball_point((p + 0.5) * settings.cell_mm / MASK_MM - 0.5, settings.gather_mm) for p in peaks]
    mm3 = np.array([len(n) for n in near]) * maps.grid.voxel_mm3
    kept = [i for i in range(len(peaks)) if mm3[i] >= settings.fewest_votes_mm3]
    centres = np.array([votes[near[i]].mean(0) for i in kept]).reshape(-1, 3)
    score = np.clip(mm3[kept] / settings.sure_votes_mm3, 0.0, 1.0).astype(np.float64)
    return VotedCentres(maps.grid.to_lps_mm(centres), score)


def vertebrae_from_votes(
    maps: TubeMaps, centres_lps_mm: Float64[np.ndarray, "n 3"], settings: InstanceSettings
) -> Instances:
    """Assign body and posterior voxels to the nearest centre of their vote; twice, as bodies move their centre."""
    at = maps.grid.to_voxel(centres_lps_mm)
    labels = np.zeros(maps.grid.shape, np.uint8)
    for _ in range(2):
        labels = _assigned(maps, at, settings)
        _without_specks(labels, maps.classes, len(at), settings)
        at, volumes = _body_centres(labels, maps, at)
    return Instances(labels, at, volumes)


def _assigned(maps: TubeMaps, at: np.ndarray, settings: InstanceSettings) -> np.ndarray:
    bone = np.nonzero((maps.classes == _BODY) | (maps.classes == _POSTERIOR))
    votes = np.stack([axis + maps.vote_mm[k][bone] / MASK_MM for k, axis in enumerate(bone)], axis=1)
    distance, nearest = cKDTree(at).query(votes, distance_upper_bound=settings.reach_mm / MASK_MM, workers=-1)
    labels = np.zeros(maps.grid.shape, np.uint8)
    labels[bone] = np.where(np.isfinite(distance), nearest + 1, 0)
    return labels


def _without_specks(labels: np.ndarray, classes: np.ndarray, count: int, settings: InstanceSettings) -> None:
    """Drop small loose pieces of each vertebra; in place, the labels are the caller's own."""
    boxes = ndimage.find_objects(labels, max_label=count)
    for label, box in enumerate(boxes, start=1):
        if box is None:
            continue
        mine = labels[box] == label
        pieces, number = ndimage.label(mine)
        if number < 2:
            continue
        sizes = np.bincount(pieces.ravel())[1:]
        small = np.nonzero(sizes < settings.speck * sizes.max())[0] + 1
        labels[box][np.isin(pieces, small)] = 0


def _body_centres(labels: np.ndarray, maps: TubeMaps, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres of mass and volumes of the bodies; a vertebra without body keeps the centre it had."""
    body = np.where(maps.classes == _BODY, labels, 0)
    index = np.arange(1, len(at) + 1)
    voxels = ndimage.sum_labels(body > 0, body, index)
    found = np.array(ndimage.center_of_mass(body > 0, body, index)) if np.any(voxels) else at.copy()
    centres = np.where((voxels > 50)[:, None], np.nan_to_num(found), at)
    return centres, voxels * maps.grid.voxel_mm3
