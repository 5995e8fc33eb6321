"""Tube maps into vertebrae: every voxel goes to the body centre it votes for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8
from scipy import ndimage
from scipy.spatial import cKDTree

from wirbel.network.spine_heads import CLASSES
from wirbel.network.tubes import TubeMaps

_BODY, _POSTERIOR = CLASSES.index("body"), CLASSES.index("posterior")


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """How votes become vertebrae."""

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
    votes = np.stack([axis + maps.vote_mm[k][bone] for k, axis in enumerate(bone)], axis=1)
    distance, nearest = cKDTree(at).query(votes, distance_upper_bound=settings.reach_mm, workers=-1)
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
