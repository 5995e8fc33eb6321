"""Columns made from label arrays and from the hand-out's masks, for tests alone."""

from pathlib import Path

import nibabel as nib
import numpy as np

from wirbel.spine import Level, Numbering, NumberingStatus, Part, Spine, Vertebra
from wirbel.spine.refine import isotropic
from wirbel.spine.split import split_body_and_posterior
from wirbel.volume import Acquisition, Grid, LabelMap, Plane, Volume
from wirbel.volume.resample import canonical, canonical_labels

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_volume(path: Path) -> Volume:
    """A NIfTI CT with canonical axes."""
    image = nib.load(path)
    values = np.asarray(np.asanyarray(image.dataobj), dtype=np.float32)
    return canonical(Volume(Grid(values.shape, RAS_TO_LPS @ image.affine), values))


def read_labels(path: Path) -> LabelMap:
    """A NIfTI mask with canonical axes."""
    image = nib.load(path)
    values = np.asarray(np.asanyarray(image.dataobj)).astype(np.uint8)
    return canonical_labels(LabelMap(Grid(values.shape, RAS_TO_LPS @ image.affine), values))


def acquisition_of(ct: Volume) -> Acquisition:
    """What the grid alone tells."""
    z, _, x = ct.grid.spacing_mm
    plane = Plane.SAGITTAL if x > z else Plane.AXIAL
    return Acquisition(plane, slice_mm=max(z, x), craniocaudal_mm=z)


def spine_from(grid: Grid, numbers: np.ndarray, parts: np.ndarray, levels: dict[int, Level]) -> Spine:
    """A column from VerSe numbers and parts."""
    instances = np.zeros(grid.shape, dtype=np.uint8)
    vertebrae = []
    order = sorted((n for n in np.unique(numbers) if int(n) in levels), key=lambda n: levels[int(n)].rank)
    for label, number in enumerate(order, start=1):
        own = numbers == number
        body = own & (parts == Part.BODY)
        if not body.any():
            continue
        instances[own] = label
        centre = grid.to_lps_mm(np.argwhere(body).mean(axis=0)[None])[0]
        vertebrae.append(Vertebra(label, levels[int(number)], None, centre, cut_by_border=False))
    return Spine(
        tuple(vertebrae),
        LabelMap(grid, instances),
        LabelMap(grid, parts.astype(np.uint8)),
        Numbering(NumberingStatus.GIVEN, None, None, None),
        "test masks",
    )


def split(grid: Grid, numbers: np.ndarray) -> np.ndarray:
    """Body and posterior elements of whole vertebrae."""
    return np.array(split_body_and_posterior(LabelMap(grid, numbers.astype(np.uint8))).parts.labels)


VERSE = {int(level): level for level in Level if level is not Level.S1}


def totalseg_example(data: Path) -> tuple[Volume, Spine]:
    folder = data / "ct" / "totalseg-example-ct"
    ct = read_volume(folder / "ct.nii.gz")
    bodies = read_labels(folder / "bodies.nii.gz")
    whole = read_labels(folder / "vertebrae.nii.gz")
    named = {51 - n: n for n in range(27, 33)}
    numbers = np.zeros(bodies.grid.shape, dtype=np.uint8)
    for verse, total in named.items():
        numbers[whole.labels == total] = verse
    numbers = np.where(bodies.labels > 0, bodies.labels, numbers)
    parts = np.where(bodies.labels > 0, Part.BODY, np.where(numbers > 0, Part.POSTERIOR, 0)).astype(np.uint8)
    return ct, spine_from(bodies.grid, numbers, parts, VERSE)


def verse_case(data: Path, name: str) -> tuple[Volume, Spine]:
    folder = data / "ct" / name
    ct = read_volume(folder / "ct.nii.gz")
    masks = isotropic(read_labels(folder / "vertebrae.nii.gz"))
    return ct, spine_from(masks.grid, masks.labels, split(masks.grid, masks.labels), VERSE)


def verse_mask(data: Path, name: str) -> Spine:
    masks = isotropic(read_labels(data / "masks" / name / f"sub-{name}_seg-vert_msk.nii.gz"))
    return spine_from(masks.grid, masks.labels, split(masks.grid, masks.labels), VERSE)


def full_spine(data: Path, number: int) -> Spine:
    folder = data / "masks" / "full-spines"
    whole = read_labels(folder / f"verse{number}_seg-vert_from-mesh.nii.gz")
    sub = read_labels(folder / f"verse{number}_seg-subreg_from-mesh.nii.gz")
    parts = np.where(sub.labels == 7, Part.BODY, np.where(whole.labels > 0, Part.POSTERIOR, 0)).astype(np.uint8)
    return spine_from(whole.grid, whole.labels, parts, VERSE)


def no_ct(spine: Spine) -> Volume:
    """A CT without any edge, so that the mask alone is measured."""
    return Volume(spine.grid, np.zeros(spine.grid.shape, dtype=np.float32))
