"""A small drawn cohort on disk, laid out as the study's authors' code wants it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.volume import Grid, Volume

#: Levels of the drawn column from above: T11, T12, L1, L2.
NUMBERS = (18, 19, 20, 21)
PITCH_MM = 24.0
MakeCohort = Callable[..., Path]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table to be written."""

    patient: str
    vertebra: str = "L1"
    label: str = "osteoporotic_fracture"
    source: str = "follow_up"
    follow_up_months: str = "6"
    pet_ct_days: str = ""
    age: str = "70"
    sex: str = "F"
    site: str = "A"
    split: str = ""
    fold: str = ""
    image: str = ""
    extra: dict[str, str] = field(default_factory=dict)


def malignant(patient: str, **changes: str) -> Row:
    """A malignant fracture proven by histology."""
    return replace(Row(patient, label="malignant_fracture", source="histology", follow_up_months=""), **changes)


def sound_rows(each: int = 6) -> list[Row]:
    """As many patients of both classes, nothing wrong."""
    return [
        *(Row(f"b{i:02d}", sex="FM"[i % 2]) for i in range(each)),
        *(malignant(f"m{i:02d}", sex="FM"[i % 2]) for i in range(each)),
    ]


def drawn_ct(seed: int) -> tuple[Volume, np.ndarray]:
    """Soft tissue with four boxes as bodies, and their VerSe numbers; 3 mm."""
    grid = Grid.axis_aligned((40, 24, 24), (3.0, 3.0, 3.0), (-34.5, -34.5, 0.0))
    z, y, x = np.meshgrid(*[np.arange(n) * 3.0 for n in grid.shape], indexing="ij")
    hu = np.where(((x - 34.5) / 33) ** 2 + ((y - 34.5) / 33) ** 2 < 1, 40.0, -1000.0)
    masks = np.zeros(grid.shape, np.uint8)
    for i, number in enumerate(NUMBERS):
        cz = 108.0 - PITCH_MM * i
        body = (np.abs(z - cz) < 8.0) & (np.abs(x - 34.5) < 15) & (np.abs(y - 40) < 11)
        hu[body], masks[body] = 180.0, number
    hu += np.random.default_rng(seed).normal(0, 12, hu.shape)
    return Volume(grid, np.maximum(hu, -1024).astype(np.int16)), masks


def save_nifti(path: Path, values: np.ndarray, grid: Grid, axes: str = "LPS") -> Path:
    """A `[z, y, x]` array as NIfTI whose file has other axes."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.voxel_to_lps_mm[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(np.transpose(values, (2, 1, 0)), affine)
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(affine), nib.orientations.axcodes2ornt(tuple(axes))
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image.as_reoriented(turn), path)
    return path


def write_image(folder: Path, patient: str, seed: int, axes: str = "PIR", stem: str | None = None) -> None:
    """CT, mask and centroids of one patient."""
    ct, masks = drawn_ct(seed)
    stem = stem or f"sub-{patient}"
    home, derived = folder / "rawdata" / f"sub-{patient}", folder / "derivatives" / f"sub-{patient}"
    save_nifti(home / f"{stem}_ct.nii.gz", ct.hu, ct.grid, axes)
    mask = save_nifti(derived / f"{stem}_seg-vert_msk.nii.gz", masks, ct.grid, axes)
    stored = np.asarray(nib.load(mask).dataobj)
    entries: list[dict[str, object]] = [{"direction": list(axes)}]
    for number in NUMBERS:
        x, y, z = np.argwhere(stored == number).mean(0).round(1).tolist()
        entries.append({"label": number, "X": x, "Y": y, "Z": z})
    (derived / f"{stem}_seg-subreg_ctd.json").write_text(json.dumps(entries))


def write_table(path: Path, rows: Sequence[Row]) -> Path:
    """The rows as TSV."""
    extra = sorted({key for row in rows for key in row.extra})
    names = ("follow_up_months", "pet_ct_days", "age", "sex", "site", "split", "fold", "image")
    lines = ["\t".join(("patient", "vertebra", "class", "source", *names, *extra))]
    for row in rows:
        head = (row.patient, row.vertebra, row.label, row.source)
        cells = (*head, *(getattr(row, name) for name in names), *(row.extra.get(key, "") for key in extra))
        lines.append("\t".join(cells))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def make_cohort(tmp_path: Path) -> MakeCohort:
    """A function that writes a cohort: `make(rows, images=None)`; images for every patient unless told."""

    def make(rows: Sequence[Row], images: Sequence[str] | None = None, name: str = "cohort") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for seed, patient in enumerate(images if images is not None else dict.fromkeys(r.patient for r in rows)):
            write_image(folder, patient, seed)
        write_table(folder / "cohort.tsv", rows)
        return folder

    return make
