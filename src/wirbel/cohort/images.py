"""A cohort's CT with its mask and centroids, read and held against each other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wirbel.cohort.centroids import read_centroids
from wirbel.cohort.layout import SubjectImage
from wirbel.dicom.source import FileSource
from wirbel.errors import InputRejected
from wirbel.ingest import read_named_masks, read_study
from wirbel.ingest.nifti import read_header
from wirbel.spine import Level
from wirbel.volume import Grid, LabelMap, Volume

#: Numbers a vertebra mask may hold besides the levels': 27 is the coccyx (VerSe).
BESIDES = frozenset({0, 27})
#: Image and mask may lie apart by this share of the smallest voxel edge.
SAME_PLACE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class CohortStudy:
    """One CT with VerSe-numbered masks on its grid and the bodies' centroids; canonical axes, LPS mm."""

    source: SubjectImage
    ct: Volume
    labels: LabelMap
    centroids: Mapping[Level, Float64[np.ndarray, "3"]]


def read_cohort_study(source: SubjectImage) -> CohortStudy:
    """CT, mask and centroids; raises `InputRejected` with the file and what to do.

    Centroids that the file lacks are the means of the vertebra's mask, as VerSe's for C1.
    """
    ct = read_ct(source)
    labels = read_labels(source, ct.grid)
    return CohortStudy(source, ct, labels, centroids_of(source, labels))


def read_ct(source: SubjectImage) -> Volume:
    """The CT; refuses what holds no Hounsfield units, NaN, or no geometry."""
    return read_study(source.image).main.volume


def read_labels(source: SubjectImage, grid: Grid) -> LabelMap:
    """The masks; refuses a missing file, another grid than the CT's, and numbers that are no vertebra's."""
    if source.mask is None:
        raise InputRejected(
            f"{source.stem}: no mask: put {source.stem}_seg-vert_msk.nii.gz into derivatives", code="NO_MASK"
        )
    labels = read_named_masks(source.mask).labels
    tolerance_mm = SAME_PLACE * min(grid.spacing_mm)
    if not labels.grid.same_as(grid, tolerance_mm=tolerance_mm):
        raise InputRejected(
            f"{source.mask.name}: {_size(labels.grid)}, its CT {_size(grid)}, or another place: "
            "write the mask on the CT's own grid",
            code="GRID_DIFFERS",
        )
    illegal = [int(n) for n in np.unique(labels.labels) if n not in BESIDES and n not in Level._value2member_map_]
    if illegal:
        raise InputRejected(
            f"{source.mask.name}: holds {', '.join(map(str, illegal[:5]))}, no numbers of vertebrae: "
            "number as VerSe does (1-7 C1-C7, 8-19 T1-T12, 20-25 L1-L6, 26 sacrum, 28 T13)",
            code="ILLEGAL_LABEL",
        )
    return LabelMap(grid, labels.labels)


def centroids_of(source: SubjectImage, labels: LabelMap) -> dict[Level, Float64[np.ndarray, "3"]]:
    """The centroids of the file, and the mask's means for vertebrae that it lacks."""
    found = {} if source.centroids is None else read_centroids(source.centroids, stored_grid(source, labels.grid))
    for level, centre in mask_means(labels).items():
        found.setdefault(level, centre)
    return found


def stored_grid(source: SubjectImage, canonical: Grid) -> Grid:
    """The grid with the file's own axes, in which centroids count: the NIfTI image's, else the NIfTI mask's."""
    for path in (source.image, source.mask):
        if path is not None and path.name.endswith((".nii", ".nii.gz")):
            return read_header(FileSource(path.name, path)).grid
    i, j, k = canonical.shape
    turned = np.array(canonical.voxel_to_lps_mm)[:, [2, 1, 0, 3]]
    return Grid((k, j, i), turned)


def mask_means(labels: LabelMap) -> dict[Level, Float64[np.ndarray, "3"]]:
    """Mean position of each vertebra's voxels (without sacrum)."""
    index = np.argwhere(labels.labels > 0)
    numbers = labels.labels[tuple(index.T)]
    count = np.bincount(numbers, minlength=256)
    means = np.stack(
        [np.bincount(numbers, weights=index[:, axis].astype(np.float64), minlength=256) for axis in range(3)], 1
    ) / np.maximum(count, 1)[:, None]
    present = [level for level in Level if level is not Level.S1 and count[level] > 0]
    return {level: labels.grid.to_lps_mm(means[int(level)][None])[0] for level in present}


def _size(grid: Grid) -> str:
    shape, spacing = (" x ".join(f"{v:g}" for v in np.round(t, 2)) for t in (grid.shape, grid.spacing_mm))
    return f"{shape} voxels of {spacing} mm"
