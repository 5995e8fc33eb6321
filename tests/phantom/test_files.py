"""A study on disk: same seed same bytes, "simulated" everywhere, geometry that agrees, a valid DICOM series."""

import json
import shutil
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from wirbel.errors import DeliveryError, UsageError
from wirbel.phantom.order import PhantomOrder, make_phantom
from wirbel.phantom.scanners import KERNELS, SCANNERS

SMALL = PhantomOrder(seed=5, preset="lumbar", spacing_mm=(4.0, 4.0), fractures=())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("phantom") / "study"
    make_phantom(SMALL, out, "both")
    return out


def test_the_same_seed_writes_the_same_bytes(study: Path, tmp_path: Path) -> None:
    make_phantom(SMALL, tmp_path / "again", "both")
    files = sorted(p.relative_to(study) for p in study.rglob("*") if p.is_file())
    assert len(files) > 10
    for name in files:
        assert (study / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_every_file_says_that_it_is_simulated(study: Path) -> None:
    for path in (study / "ct").iterdir():
        header = pydicom.dcmread(path, stop_before_pixels=True)
        assert "simulated" in header.StudyDescription and "simulated" in header.SeriesDescription
    for path in study.rglob("*.nii.gz"):
        assert b"simulated" in nib.load(path).header["descrip"].tobytes()
    truth = json.loads((study / "truth" / "truth.json").read_text())
    assert truth["simulated"] is True
    assert json.loads((study / "truth" / "centroids.json").read_text())[0]["simulated"] is True


def test_dicom_and_nifti_show_the_same_voxels_in_the_same_place(study: Path) -> None:
    image = nib.load(study / "ct.nii.gz")
    slices = sorted(
        (pydicom.dcmread(p) for p in (study / "ct").iterdir()), key=lambda ds: float(ds.ImagePositionPatient[2])
    )
    first = slices[0]
    corner = image.affine @ np.array([0, 0, 0, 1.0])
    np.testing.assert_allclose(corner[:3] * [-1, -1, 1], np.array(first.ImagePositionPatient, float), atol=0.01)
    hu = first.pixel_array.astype(float) * float(first.RescaleSlope) + float(first.RescaleIntercept)
    np.testing.assert_array_equal(hu, np.asarray(image.dataobj)[:, :, 0].T)


def test_centroids_lie_in_their_own_labels(study: Path) -> None:
    image = nib.load(study / "truth" / "vertebrae.nii.gz")
    labels = np.asarray(image.dataobj)
    inverse = np.linalg.inv(image.affine)
    bodies = json.loads((study / "truth" / "centroids.json").read_text())[1:]
    assert {b["name"] for b in bodies} >= {"L1", "L2", "L3", "L4", "L5"}
    for body in bodies:
        i, j, k = np.rint((inverse @ [-body["X"], -body["Y"], body["Z"], 1.0])[:3]).astype(int)
        assert labels[i, j, k] == body["label"]


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian: dicom3tools) is not installed")
def test_the_series_is_valid_dicom(study: Path) -> None:
    first = min((study / "ct").iterdir())
    check = subprocess.run(["dciodvfy", str(first)], capture_output=True, text=True, check=False)
    assert "Error" not in check.stderr + check.stdout


def test_a_folder_that_holds_something_is_left_alone(study: Path) -> None:
    with pytest.raises(DeliveryError, match="not empty"):
        make_phantom(SMALL, study, "nifti")


@pytest.mark.parametrize("wrong", [{"preset": "foot"}, {"scanner": "x"}, {"phase": "late"}, {"mimics": ("scar",)}])
def test_unknown_names_are_told_with_the_known_ones(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="say one of"):
        make_phantom(PhantomOrder(**wrong), tmp_path / "out", "nifti")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_there_are_twelve_scanners_from_smooth_to_lung_and_thin_to_thick() -> None:
    assert len(SCANNERS) == 12
    assert {KERNELS[s.kernel].value for s in SCANNERS.values()} == {"soft", "bone", "lung"}
    assert min(s.slice_mm for s in SCANNERS.values()) == 0.6
    assert max(s.slice_mm for s in SCANNERS.values()) == 5.0
