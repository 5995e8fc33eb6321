"""A small drawn study on disk: a DICOM series, and masks of its vertebrae."""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.dicom.write_ct import CtAttributes, write_ct_series
from wirbel.volume import Grid, Volume

#: VerSe numbers from above, and the pitch of the drawn column.
NUMBERS, PITCH_MM, HEIGHT_MM = (20, 21, 22, 23), 34.0, 26.0


@dataclass(frozen=True, slots=True)
class StudyOnDisk:
    """Where the drawn study lies."""

    dicom: Path
    nifti: Path
    masks: Path


def drawn(seed: int = 5) -> tuple[Volume, np.ndarray]:
    """Soft tissue with a column of boxes L1-L4 and the masks of the bodies, 2 mm."""
    grid = Grid.axis_aligned((80, 60, 60), (2.0, 2.0, 2.0), (-59.0, -79.0, 0.0))
    z, y, x = (grid.to_lps_mm(np.indices(grid.shape).reshape(3, -1).T.astype(float)).T[i] for i in (2, 1, 0))
    hu = np.where((x / 56) ** 2 + ((y + 20) / 56) ** 2 < 1, 40.0, -1000.0)
    masks = np.zeros(z.size, np.uint8)
    for i, number in enumerate(NUMBERS):
        cz = 146.0 - PITCH_MM * (i + 0.5)
        up = np.abs(z - cz)
        body = (up < HEIGHT_MM / 2) & ((x / 20) ** 2 + (y / 15) ** 2 < 1)
        core = (up < HEIGHT_MM / 2 - 2) & ((x / 18) ** 2 + (y / 13) ** 2 < 1)
        hu[body], hu[core] = 500.0, 140.0
        masks[body] = number
    hu += np.random.default_rng(seed).normal(0, 12, hu.size)
    return Volume(grid, hu.reshape(grid.shape).astype(np.int16)), masks.reshape(grid.shape)


def save_nifti(path: Path, values: np.ndarray, grid: Grid) -> Path:
    """A `[z, y, x]` array as NIfTI."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.voxel_to_lps_mm[:, [2, 1, 0, 3]]
    nib.save(nib.Nifti1Image(np.transpose(values, (2, 1, 0)), affine), path)
    return path


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyOnDisk:
    """The drawn study, written once."""
    folder = tmp_path_factory.mktemp("study")
    ct, masks = drawn()
    write_ct_series(ct, folder / "ct", attributes=CtAttributes(seed=3))
    return StudyOnDisk(
        folder / "ct",
        save_nifti(folder / "ct.nii.gz", ct.hu, ct.grid),
        save_nifti(folder / "masks.nii.gz", masks, ct.grid),
    )
