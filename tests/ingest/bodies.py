"""A small body to write and read back, and ways to spoil what was written."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pydicom

from wirbel.volume import Grid, Volume

SHAPE = (12, 34, 40)


def body_hu(shape: tuple[int, int, int] = SHAPE, seed: int = 0) -> np.ndarray:
    """Air, fat, soft tissue and a bone, with noise: values that pass for a CT, no two slices alike."""
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    radius = np.hypot(x / 0.9, y / 0.8)
    hu = np.select([radius > 1, radius > 0.85], [-960.0, -90.0], 45.0)
    hu[(np.hypot(x, y - 0.3) < 0.25) & (np.abs(z) < 0.9)] = 420.0
    hu += 10 * z + np.random.default_rng(seed).normal(0, 12, shape)
    return np.round(hu).astype(np.int16)


def body(
    spacing_mm: tuple[float, float, float] = (2.0, 0.9, 0.8),
    shape: tuple[int, int, int] = SHAPE,
    seed: int = 0,
    origin_lps_mm: tuple[float, float, float] = (-20.0, -15.0, 100.0),
) -> Volume:
    """The body on a canonical grid."""
    return Volume(Grid.axis_aligned(shape, spacing_mm, origin_lps_mm), body_hu(shape, seed))


Edit = Callable[[pydicom.Dataset, int], None]


def edit_all(folder: Path, edit: Edit) -> Path:
    """Change every DICOM file of a folder in place: `edit(dataset, index)`, in the order of names."""
    for index, path in enumerate(sorted(folder.rglob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        edit(dataset, index)
        dataset.save_as(path)
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def set_all(**elements: object) -> Edit:
    """An edit that sets the same elements everywhere; None deletes."""

    def edit(dataset: pydicom.Dataset, _: int) -> None:
        for keyword, value in elements.items():
            if value is None:
                if keyword in dataset:
                    delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)

    return edit


def remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()
