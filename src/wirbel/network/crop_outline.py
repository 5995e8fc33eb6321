"""A vertebra outlined in a crop of its own, as the spine's networks outline it in a CT.

80 mm are too little to find a column in. Therefore that it runs through the crop's middle is told, and so is which
vertebra is asked for: the one nearest to the middle. Placed and outlined it is as in a whole CT.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64, Real

from wirbel.network.bundle import Bundle
from wirbel.network.columns import body_centres
from wirbel.network.finder import find_candidates
from wirbel.network.instances import vertebrae_between_discs
from wirbel.network.line import prolonged
from wirbel.network.segmenter import NetworkSegmenter, NetworkSettings, load_spine_segmenter
from wirbel.network.spine_heads import CLASSES
from wirbel.network.tubes import segment_tube
from wirbel.volume import Grid, LabelMap, Volume
from wirbel.volume.resample import resample_labels

#: A body whose middle lies further than this from the crop's is another.
SAME_MM = 12.0
#: The line through the middle goes on so far.
LOOK_MM = 25.0
_SACRUM = CLASSES.index("sacrum")


@dataclass(frozen=True, slots=True, eq=False)
class OutlinedCrop:
    """The vertebra and what else is vertebra or sacrum, on the crop's voxels, before it is moved.

    `off`: how many voxels (z, y, x) the middle of the body lies off the crop's.
    """

    own: Bool[np.ndarray, "z y x"]
    others: Bool[np.ndarray, "z y x"]
    off: Int64[np.ndarray, "3"]


#: Takes a crop's HU, voxels of 1 mm, axes toward superior, posterior, left; None: nothing found near its middle.
CropOutliner = Callable[[Real[np.ndarray, "z y x"]], OutlinedCrop | None]


def load_crop_outliner(*, bundle: Bundle | None = None, threads: int | None = None) -> CropOutliner:
    """The outliner of a bundle of spine networks (default: the one that ships)."""
    segmenter = load_spine_segmenter(
        bundle=bundle, threads=threads, settings=NetworkSettings(look_beyond_mm=LOOK_MM)
    )

    def outline(hu: Real[np.ndarray, "z y x"]) -> OutlinedCrop | None:
        return outlined(hu, segmenter)

    return outline


def outlined(hu: Real[np.ndarray, "z y x"], segmenter: NetworkSegmenter) -> OutlinedCrop | None:
    """The vertebra nearest to the middle of a crop with voxels of 1 mm; None where none is found there."""
    grid = Grid.axis_aligned(hu.shape, (1.0, 1.0, 1.0))
    ct, middle = Volume(grid, np.array(hu)), (np.asarray(hu.shape) - 1) / 2
    settings = segmenter.settings
    found = find_candidates(ct, segmenter.find, settings.finder)
    points = prolonged(grid.to_lps_mm(middle[None]), settings.look_beyond_mm)
    maps = segment_tube(ct, points, segmenter.segment, settings.tube)
    column = body_centres(ct, found, points, maps, settings.column)
    if not len(column.centres_lps_mm):
        return None
    drawn = maps if segmenter.outline is None else segmenter.outline(maps, ct)
    made = vertebrae_between_discs(drawn, column, settings.instances, outlined=segmenter.outline is not None)
    off = grid.to_voxel(drawn.grid.to_lps_mm(made.centres_voxel)) - middle
    nearest = int(np.argmin(np.linalg.norm(off, axis=1)))
    labels = resample_labels(LabelMap(drawn.grid, made.labels), grid).labels
    sacrum = resample_labels(LabelMap(drawn.grid, made.classes), grid).labels == _SACRUM
    own = labels == nearest + 1
    if np.linalg.norm(off[nearest]) > SAME_MM or not own.any():
        return None
    return OutlinedCrop(own, ((labels > 0) | sacrum) & ~own, np.rint(off[nearest]).astype(np.int64))
