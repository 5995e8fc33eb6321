"""A simulated study on disk: DICOM or NIfTI, label maps, centroids and the truth; each says "simulated"."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Literal

import nibabel as nib
import numpy as np

from wirbel.dicom.write_ct import CtAttributes, write_ct_series
from wirbel.errors import DeliveryError
from wirbel.phantom.anatomy import Truth
from wirbel.phantom.simulate import SimulatedCt
from wirbel.phantom.truth_files import centroids_as_plain, named_labels, truth_as_plain
from wirbel.volume import Grid

#: nibabel is untyped.
_NIFTI: Any = nib

Format = Literal["dicom", "nifti", "both"]


def write_study(study: SimulatedCt, truth: Truth, folder: Path, *, seed: int, kind: Format) -> None:
    """Write everything into a new folder, or nothing: `ct/` or `ct.nii.gz`, `truth/`.

    Raises `DeliveryError` when the folder holds something already or cannot be written.
    """
    check_free(folder)
    try:
        with _whole_or_nothing(folder) as out:
            if kind in ("dicom", "both"):
                write_ct_series(study.ct, out / "ct", attributes=_attributes(study, truth, seed))
            if kind in ("nifti", "both"):
                write_nifti(study.ct.hu, study.ct.grid, out / "ct.nii.gz", description="simulated CT, HU")
            _write_truth(study, truth, out / "truth", seed)
    except OSError as exc:
        raise DeliveryError(f"cannot write the phantom to {folder.name!r}: {exc.strerror or exc}") from exc


def check_free(folder: Path) -> None:
    """Raise `DeliveryError` unless the folder is new or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DeliveryError(f"{folder.name!r} is not empty: name a new folder for the phantom")


def write_nifti(array: np.ndarray, grid: Grid, path: Path, *, description: str) -> None:
    """An array [z, y, x] as NIfTI in RAS mm, gzipped without a time stamp: same input, same bytes."""
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    swap = np.eye(4)[:, [2, 1, 0, 3]]
    affine = flip @ grid.voxel_to_lps_mm @ swap
    image = _NIFTI.Nifti1Image(np.asfortranarray(array.transpose(2, 1, 0)), affine, dtype=array.dtype)
    image.header["descrip"] = description.encode()[:79]
    image.header.set_xyzt_units("mm")
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as packed:
        packed.write(image.to_bytes())


def _write_truth(study: SimulatedCt, truth: Truth, folder: Path, seed: int) -> None:
    folder.mkdir()
    grid, labels = study.ct.grid, study.labels
    plain = truth_as_plain(truth, seed=seed, scanner=study.scanner.name, phase=study.look.phase, grid=grid)
    (folder / "truth.json").write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    centroids = json.dumps(centroids_as_plain(truth, grid), indent=1)
    (folder / "centroids.json").write_text(centroids + "\n", encoding="utf-8")
    maps = {
        "vertebrae": (named_labels(labels, truth), "simulated, VerSe numbers"),
        "instances": (labels.instances, "simulated, 1 = uppermost"),
        "parts": (labels.parts, "simulated, 1 body 2 arch 3 disc 4 sacrum 5 rib"),
        "tissue": (labels.tissue, "simulated, tissue numbers"),
    }
    for name, (array, description) in maps.items():
        write_nifti(array, grid, folder / f"{name}.nii.gz", description=description)


def _attributes(study: SimulatedCt, truth: Truth, seed: int) -> CtAttributes:
    scanner = study.scanner
    return CtAttributes(
        seed=seed,
        manufacturer=scanner.manufacturer,
        model=scanner.model,
        kernel=scanner.kernel,
        kvp=scanner.kvp,
        contrast_agent=None if study.look.phase == "native" else "Iodine, simulated",
        slice_thickness_mm=scanner.slice_mm,
        patient_id=f"PHANTOM-{seed}",
        patient_sex=truth.sex,
        patient_age=f"{int(truth.age_years):03d}Y",
        study_description="simulated CT (wirbel phantom)",
        series_description=f"simulated, {study.look.phase.replace('_', ' ')}, {scanner.kernel}",
    )


@contextmanager
def _whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder beside the wanted one that takes its name when all is written."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield work
        if folder.exists():
            folder.rmdir()
        work.chmod(0o755)
        work.rename(folder)
    except BaseException:
        rmtree(work, ignore_errors=True)
        raise
