"""Real vertebrae from a folder of masks (`--shapes`): read, hashed, and drawn around."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from wirbel.errors import InputRejected
from wirbel.phantom.anatomy import Truth
from wirbel.phantom.appearance import draw_appearance
from wirbel.phantom.around_masks import MaskColumn, labels_around, prepare_masks
from wirbel.phantom.look import realistic_look
from wirbel.phantom.scanner import Scanner, scan
from wirbel.phantom.simulate import SimulatedCt
from wirbel.phantom.view import Region, view_of
from wirbel.spine import Part
from wirbel.volume import Grid, Volume, freeze

#: nibabel is untyped.
_NIFTI: Any = nib
#: Sub-region number of the body in VerSe-like sub-region masks, old (7) and new (49, 50) numbering.
BODY_NUMBERS = (7, 49, 50)


@dataclass(frozen=True, slots=True, eq=False)
class ShapeFile:
    """One mask of a folder, with its sub-regions where there are any, and the hash of its bytes."""

    vertebrae: Path
    subregions: Path | None
    sha256: str


def shape_files(folder: Path) -> tuple[ShapeFile, ...]:
    """Vertebra masks in a folder: `*vert*.nii*`, each with the `*subreg*` of the same stem beside it."""
    files = sorted(p for p in folder.rglob("*.nii*") if "vert" in p.name)
    if not files:
        raise InputRejected(f"no vertebra mask (*vert*.nii.gz) in {folder.name!r}: name a folder of masks")
    out = []
    for path in files:
        beside = path.with_name(path.name.replace("seg-vert", "seg-subreg"))
        subregions = beside if beside != path and beside.is_file() else None
        out.append(ShapeFile(path, subregions, sha256(path.read_bytes()).hexdigest()))
    return tuple(out)


def read_shape(file: ShapeFile) -> MaskColumn:
    """A mask prepared for drawing around; VerSe numbers."""
    instances, grid = read_mask(file.vertebrae)
    parts = None
    if file.subregions is not None:
        regions, _ = read_mask(file.subregions)
        body = np.isin(regions, BODY_NUMBERS)
        parts = np.where(body, np.uint8(Part.BODY), np.uint8(Part.POSTERIOR)) * (instances > 0)
        parts = parts.astype(np.uint8)
    return prepare_masks(instances, parts, grid)


def read_mask(path: Path) -> tuple[np.ndarray, Grid]:
    """A NIfTI label map as a canonical [z, y, x] array and its grid in LPS."""
    try:
        image = _NIFTI.as_closest_canonical(_NIFTI.load(path))
        data = np.asarray(image.dataobj)
    except (OSError, ValueError, nib.filebasedimages.ImageFileError) as exc:
        raise InputRejected(f"{path.name!r} is not a readable NIfTI mask: {type(exc).__name__}") from exc
    if data.ndim != 3:
        raise InputRejected(f"{path.name!r} has {data.ndim} dimensions, a mask has 3")
    array = np.ascontiguousarray(data[::-1, ::-1, :].transpose(2, 1, 0))
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(image.affine, float)
    flipped = to_lps @ np.array(
        [[0, 0, -1, data.shape[0] - 1], [0, -1, 0, data.shape[1] - 1], [1, 0, 0, 0], [0, 0, 0, 1]], float
    )
    return np.where((array >= 0) & (array < 256), array, 0).astype(np.uint8), Grid(array.shape, flipped)


def simulate_around_shapes(
    folder: Path,
    rng: np.random.Generator,
    region: Region,
    spacing_mm: tuple[float, float, float],
    scanner: Scanner,
    phase: str | None,
) -> tuple[SimulatedCt, Truth]:
    """A study around one of the folder's spines, drawn by `rng`; its hash goes into the truth.

    Heights and grades of the real vertebrae are not known: `VertebraTruth.from_mask` says which they are.
    """
    files = shape_files(folder)
    file = files[int(rng.integers(len(files)))]
    column = read_shape(file)
    seed = int(rng.integers(2**31))
    first = labels_around(column, np.random.default_rng(seed), _coarse(column))
    if first.anatomy is None:
        raise InputRejected(f"{file.vertebrae.name!r} holds no whole vertebra to draw around")
    grid = view_of(first.anatomy, region, spacing_mm)
    labels = labels_around(column, np.random.default_rng(seed), grid)
    person = first.anatomy.person
    look = realistic_look(rng, person.trabecular_hu, cortex_mm=person.cortex_mm, phase=phase)
    hu = scan(draw_appearance(labels, rng, look), grid, scanner, rng)
    truth = replace(first.anatomy.truth, shapes_sha256={file.vertebrae.name: file.sha256})
    ct = Volume(grid, freeze(np.rint(hu).astype(np.int16)))
    return SimulatedCt(ct, labels, look, scanner), truth


def _coarse(column: MaskColumn) -> Grid:
    """A few voxels around the masks: enough to learn where the person stands."""
    return column.grid.respaced((20.0, 20.0, 20.0))
