"""CTs and masks as NIfTI without a word about the patient: geometry, values and a fixed note."""

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from wirbel.volume import Grid, LabelMap, Volume
from wirbel.volume.resample import reorientation

#: nibabel is untyped.
_NIFTI: Any = nib
CT_NOTE, MASK_NOTE = "wirbel cohort: CT in HU; research use only", "wirbel cohort: VerSe numbers; research use only"


def file_axes(grid: Grid) -> Grid:
    """A canonical grid with NIfTI's usual file axes: the array's last axis first."""
    k, j, i = grid.shape
    return Grid((i, j, k), np.array(grid.voxel_to_lps_mm)[:, [2, 1, 0, 3]])


def write_ct(path: Path, ct: Volume) -> None:
    """A canonical CT, rounded to whole HU."""
    hu = ct.hu if ct.hu.dtype == np.int16 else np.clip(np.rint(ct.hu), -1024, 32767).astype(np.int16)
    _write(path, hu, file_axes(ct.grid), CT_NOTE)


def write_mask(path: Path, labels: LabelMap, stored: Grid, note: str = MASK_NOTE) -> None:
    """Canonical labels with the axes of `stored`, the same place otherwise."""
    _write(path, labels.labels, stored, note)


def _write(path: Path, canonical: np.ndarray, stored: Grid, note: str) -> None:
    """The same values give the same bytes: no name, no time in the packed file."""
    array = reorientation(stored).undone(canonical)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ stored.voxel_to_lps_mm
    image = _NIFTI.Nifti1Image(np.asfortranarray(array), affine, dtype=array.dtype)
    image.header["descrip"] = note.encode("ascii")[:79]
    image.header.set_xyzt_units("mm")
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as packed:
        packed.write(image.to_bytes())
