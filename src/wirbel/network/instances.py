"""Tube maps into vertebrae: bodies between their discs, posterior elements by their votes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.segmentation import watershed

from wirbel.network.columns import Column
from wirbel.network.spine_heads import CLASSES
from wirbel.network.tubes import MASK_MM, TubeMaps

_BODY, _POSTERIOR = CLASSES.index("body"), CLASSES.index("posterior")
_DISC = CLASSES.index("disc")


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """How votes become vertebrae."""

    beyond_disc: float = 0.9
    """Body voxels up to so many half spacings from the middle belong to a body."""
    corner: float = 1.25
    """Those further off, up to here, belong to the body that they hang on where edges were drawn at 1 mm: rims of
    lordotic bodies reach that far. Else they are disc."""
    end: float = 1.05
    """So far at the ends of the column, where no neighbour holds its own."""
    widest_mm: float = 40.0
    reach_mm: float = 22.0
    """A vote further than this from every centre counts for none."""
    smallest_body_mm3: float = 1500.0
    """Less body than this, away from the border, is no vertebra (a C3 has about 6,000 mm3)."""
    fill_to: float = 0.8
    """What is called disc within so many half spacings from the middle, between body above and body below, is body:
    the dense band of a fresh fracture looks like two endplates with a disc between."""
    speck: float = 0.1
    """A piece smaller than this share of its vertebra's largest piece of the same part is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """`labels`: 1..n in the order of the centres given (0 none); `classes`: those of the maps, bodies filled;
    centres and volumes of the bodies found."""

    labels: UInt8[np.ndarray, "z y x"]
    classes: UInt8[np.ndarray, "z y x"]
    centres_voxel: Float64[np.ndarray, "n 3"]
    bodies_mm3: Float64[np.ndarray, " n"]


def vertebrae_between_discs(
    maps: TubeMaps, column: Column, settings: InstanceSettings, *, outlined: bool = False
) -> Instances:
    """Bodies by the discs that bound them, posterior elements by the centre nearest to their vote.

    `outlined`: the maps' edges were drawn at 1 mm, so that bodies and discs can be told apart by them.
    """
    at = maps.grid.to_voxel(column.centres_lps_mm)
    labels, classes = np.zeros(maps.grid.shape, np.uint8), maps.classes.copy()
    _assign_bodies(labels, maps, column, settings, outlined=outlined)
    # before gaps are closed: a speck of calcified annulus is no lower half of a body
    _without_specks(labels, len(at), settings)
    _fill_bodies(labels, classes, maps, column, settings)
    if outlined:
        _fill_holes(labels, classes)
    _assign_posterior(labels, maps, at, settings)
    _without_specks(labels, len(at), settings)
    at, volumes = _body_centres(labels, classes, maps, at)
    return Instances(labels, classes, at, volumes)


def _fill_bodies(
    labels: np.ndarray, classes: np.ndarray, maps: TubeMaps, column: Column, settings: InstanceSettings
) -> None:
    """Close gaps along each body's own axis; in place."""
    turn = np.linalg.inv(maps.grid.voxel_to_lps_mm[:3, :3])
    for i, box in enumerate(ndimage.find_objects(labels, max_label=len(column.half_mm))):
        if box is None:
            continue
        gap = np.argwhere((classes[box] == _DISC) & (labels[box] == 0)) + [b.start for b in box]
        along = (maps.grid.to_lps_mm(gap.astype(np.float64)) - column.centres_lps_mm[i]) @ column.down[i]
        gap = gap[np.abs(along) <= settings.fill_to * column.half_mm[i]]
        step = turn @ column.down[i]
        reach = np.arange(1.0, 2.0 * column.half_mm[i])
        above, below = (_meets(labels, i + 1, gap, sign * reach[:, None] * step) for sign in (-1, 1))
        filled = tuple(gap[above & below].T)
        labels[filled], classes[filled] = i + 1, _BODY


def _fill_holes(labels: np.ndarray, classes: np.ndarray) -> None:
    """What a body surrounds in a slice of any direction is body, unless it is disc (which a rim surrounds too): the
    dense band of a fracture is taken for bone that is not body's; in place."""
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        body = (labels[box] == label) & (classes[box] == _BODY)
        around = np.zeros(body.shape, bool)
        for axis in range(3):
            in_slice = np.moveaxis(np.zeros((3, 3, 3), bool), 0, axis)
            np.moveaxis(in_slice, axis, 0)[1] = ndimage.generate_binary_structure(2, 1)
            around |= ndimage.binary_fill_holes(body, in_slice)
        holes = around & (classes[box] != _DISC) & ((labels[box] == 0) | (labels[box] == label))
        labels[box][holes], classes[box][holes] = label, _BODY


def _meets(labels: np.ndarray, label: int, at: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Whether any of the steps leads from a voxel to the label."""
    met = np.zeros(len(at), bool)
    for step in steps:
        there = np.clip(np.rint(at + step).astype(int), 0, np.asarray(labels.shape) - 1)
        met |= labels[tuple(there.T)] == label
    return met


def _assign_bodies(
    labels: np.ndarray, maps: TubeMaps, column: Column, settings: InstanceSettings, *, outlined: bool
) -> None:
    """Each body voxel to the body whose middle is nearest in units of that body's own half height; in place."""
    body = np.argwhere(maps.classes == _BODY)
    points = maps.grid.to_lps_mm(body.astype(np.float64))
    count = min(2, len(column.centres_lps_mm))
    apart, near = cKDTree(column.centres_lps_mm).query(points, k=count, workers=-1)
    apart, near = np.reshape(apart, (len(points), -1)), np.reshape(near, (len(points), -1))
    centres, down, half = column.centres_lps_mm, column.down, column.half_mm
    signed = np.stack([((points - centres[n]) * down[n]).sum(1) / half[n] for n in near.T], 1)
    along = np.abs(signed)
    best = np.argmin(along, axis=1)
    rows = np.arange(len(points))
    here = apart[rows, best] <= settings.widest_mm
    fits = here & (along[rows, best] <= settings.beyond_disc)
    labels[tuple(body[fits].T)] = near[rows, best][fits] + 1
    if outlined:
        corners = np.zeros(labels.shape, bool)
        own, below = near[rows, best], signed[rows, best] > 0
        outward = np.where(below, own == len(half) - 1, own == 0)
        reach = np.where(outward, settings.end, settings.corner)
        corners[tuple(body[here & (along[rows, best] <= reach)].T)] = True
        height = np.full(labels.shape, np.inf, np.float32)
        height[tuple(body.T)] = along[rows, best]
        grown = watershed(height, labels, mask=corners)  # type: ignore[no-untyped-call]  # skimage does not annotate it
        labels[corners] = grown[corners]


def _assign_posterior(labels: np.ndarray, maps: TubeMaps, at: np.ndarray, settings: InstanceSettings) -> None:
    """Each posterior voxel to the centre its vote comes nearest to; in place."""
    bone = np.nonzero(maps.classes == _POSTERIOR)
    if not len(bone[0]):
        return
    votes = np.stack([axis + maps.vote_mm[k][bone] / MASK_MM for k, axis in enumerate(bone)], axis=1)
    distance, nearest = cKDTree(at).query(votes, distance_upper_bound=settings.reach_mm / MASK_MM, workers=-1)
    labels[bone] = np.where(np.isfinite(distance), nearest + 1, 0)


def _without_specks(labels: np.ndarray, count: int, settings: InstanceSettings) -> None:
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


def _body_centres(
    labels: np.ndarray, classes: np.ndarray, maps: TubeMaps, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Centres of mass and volumes of the bodies; a vertebra without body keeps the centre it had."""
    where = np.nonzero((classes == _BODY) & (labels > 0))
    own = labels[where].astype(np.int64) - 1
    voxels = np.bincount(own, minlength=len(at))
    sums = np.stack([np.bincount(own, axis, minlength=len(at)) for axis in where], axis=1)
    centres = np.where((voxels > 50)[:, None], sums / np.maximum(voxels, 1)[:, None], at)
    return centres, voxels * maps.grid.voxel_mm3
