"""What one CT of a cohort is found to hold, small enough to keep for thousands of them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context

import numpy as np
from scipy import ndimage

from wirbel.cohort.centroids import read_centroids
from wirbel.cohort.images import mask_means, read_ct, read_labels, stored_grid
from wirbel.cohort.layout import SubjectImage
from wirbel.cohort.problem import Code, Problem, error, note
from wirbel.errors import InputRejected, WirbelError
from wirbel.spine import Level
from wirbel.volume import LabelMap

#: A vertebra is cut where it meets the uppermost or lowest slice with this share of its typical section.
CUT_SHARE = 0.10
#: A centroid belongs to a vertebra when it lies at most so far outside its mask's box.
NEAR_MM = 10.0
_CODES = {"NO_MASK": Code.NO_MASK, "GRID_DIFFERS": Code.GRID_DIFFERS, "ILLEGAL_LABEL": Code.ILLEGAL_LABEL}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """`levels` are whole vertebrae in the mask, `cut` those that end at the upper or lower border.

    `digest` tells equal CTs apart from others; None where the CT could not be read. `looked` is False when the
    files were not opened.
    """

    image: SubjectImage
    levels: frozenset[Level]
    cut: frozenset[Level]
    digest: str | None
    problems: tuple[Problem, ...]
    looked: bool = True


def facts_of_all(images: Sequence[SubjectImage], *, workers: int = 1) -> Iterator[ImageFacts]:
    """Facts of each image in turn, on several cores."""
    if workers <= 1 or len(images) <= 1:
        yield from map(facts_of, images)
        return
    with ProcessPoolExecutor(min(workers, len(images)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(facts_of, images)


def facts_without_looking(image: SubjectImage) -> ImageFacts:
    """What the folder's names alone tell."""
    problems = () if image.mask is not None else (_no_mask(image),)
    return ImageFacts(image, frozenset(), frozenset(), None, problems, looked=False)


def facts_of(image: SubjectImage) -> ImageFacts:
    """Read one CT, its mask and its centroids; what goes wrong is a problem, not an exception."""
    try:
        ct = read_ct(image)
    except WirbelError as exc:
        bad = error(Code.IMAGE_REFUSED, image.stem, str(exc))
        return ImageFacts(image, frozenset(), frozenset(), None, (bad,))
    digest = sha256(np.ascontiguousarray(ct.hu).data).hexdigest()
    if image.mask is None:
        return ImageFacts(image, frozenset(), frozenset(), digest, (_no_mask(image),))
    try:
        labels = read_labels(image, ct.grid)
    except WirbelError as exc:
        code = _CODES.get(exc.code, Code.MASK_REFUSED) if isinstance(exc, InputRejected) else Code.MASK_REFUSED
        return ImageFacts(image, frozenset(), frozenset(), digest, (error(code, image.stem, str(exc)),))
    levels = frozenset(mask_means(labels))
    return ImageFacts(image, levels, _cut(labels, levels), digest, tuple(_centroid_problems(image, labels)))


def _no_mask(image: SubjectImage) -> Problem:
    return error(
        Code.NO_MASK, image.stem, f"no mask: put {image.stem}_seg-vert_msk.nii.gz into derivatives, or import it"
    )


def _cut(labels: LabelMap, levels: frozenset[Level]) -> frozenset[Level]:
    """Vertebrae that meet the first or last slice with more than a rim."""
    voxels = np.bincount(labels.labels.ravel(), minlength=256)
    ends = [np.bincount(labels.labels[z].ravel(), minlength=256) for z in (0, -1)]
    met_mm2 = np.maximum(*ends) * labels.grid.voxel_mm3 / labels.grid.spacing_mm[0]
    section_mm2 = (voxels * labels.grid.voxel_mm3) ** (2 / 3)
    return frozenset(level for level in levels if met_mm2[level] >= CUT_SHARE * section_mm2[level])


def _centroid_problems(image: SubjectImage, labels: LabelMap) -> Iterator[Problem]:
    """Centroids that are not there (a note) or lie elsewhere than their vertebra (a contradiction)."""
    if image.centroids is None:
        yield note(Code.NO_CENTROID, image.stem, "no file of centroids: the masks' means are taken")
        return
    try:
        centroids = read_centroids(image.centroids, stored_grid(image, labels.grid))
    except InputRejected as exc:
        yield error(Code.CENTROID_ELSEWHERE, image.stem, str(exc))
        return
    boxes = ndimage.find_objects(labels.labels)
    for level, centre in centroids.items():
        box = boxes[level - 1] if level <= len(boxes) else None
        if box is None:
            continue
        index = labels.grid.to_voxel(np.asarray(centre)[None])[0]
        low = np.array([s.start for s in box]) - 0.5
        high = np.array([s.stop for s in box]) - 0.5
        away_mm = np.maximum(np.maximum(low - index, index - high), 0) * np.asarray(labels.grid.spacing_mm)
        if away_mm.max() > NEAR_MM:
            yield error(
                Code.CENTROID_ELSEWHERE,
                image.stem,
                f"the centroid of {level.name} lies {away_mm.max():.0f} mm outside its mask: "
                "axes or numbers are mixed up, write the centroids again",
            )
