"""Bad input ends in one line with the input's name and the reason, the right exit code, and nothing in OUT."""

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from wirbel.cli.main import run
from wirbel.dicom.write_ct import CtAttributes, write_ct_series
from wirbel.volume import Grid, Volume

ATTRIBUTES = CtAttributes(seed=11)


def small(slices: int = 12, step_mm: float = 2.0) -> Volume:
    """A cylinder of soft tissue in air, with noise, 12 slices of 48 x 48."""
    grid = Grid.axis_aligned((slices, 48, 48), (step_mm, 4.0, 4.0), (-94.0, -94.0, 0.0))
    y, x = np.indices((48, 48)) - 23.5
    hu = np.where(x**2 + y**2 < 400, 40, -1000) + np.random.default_rng(1).normal(0, 15, grid.shape)
    return Volume(grid, hu.astype(np.int16))


def series(folder: Path, ct: Volume | None = None, **changes: object) -> Path:
    write_ct_series(ct or small(), folder, attributes=replace(ATTRIBUTES, **changes))
    return folder


def changed(folder: Path, change: Callable[[pydicom.Dataset], None]) -> Path:
    """Every file of a series with something else in its header."""
    for path in series(folder).iterdir():
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)
    return folder


def nifti(path: Path, values: np.ndarray, *, oriented: bool = True) -> Path:
    nib.save(nib.Nifti1Image(values, np.diag([-4.0, -4.0, 2.0, 1.0]) if oriented else None), path)
    return path


def as_float() -> np.ndarray:
    return np.transpose(small().hu, (2, 1, 0)).astype(np.float32)


def empty_folder(p: Path) -> Path:
    (p / "study").mkdir()
    return p / "study"


def text_files(p: Path) -> Path:
    (empty_folder(p) / "letter.txt").write_text("Dear colleague")
    return p / "study"


def mr(p: Path) -> Path:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.Modality = "MR"
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"

    return changed(p / "study", change)


def pet(p: Path) -> Path:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.Modality = "PT"
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.128"

    return changed(p / "study", change)


def localizer(p: Path) -> Path:
    return series(p / "study", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))


def few_slices(p: Path) -> Path:
    return series(p / "study", small(slices=4))


def thick_slices(p: Path) -> Path:
    return series(p / "study", small(step_mm=8.0))


def gap(p: Path) -> Path:
    paths = sorted(series(p / "study").iterdir())
    paths[6].unlink()
    return p / "study"


def duplicate(p: Path) -> Path:
    path = sorted(series(p / "study").iterdir())[5]
    dataset = pydicom.dcmread(path)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID + ".1"
    dataset.save_as(p / "study" / "again.dcm")
    return p / "study"


def two_patients(p: Path) -> Path:
    series(p / "study" / "a")
    series(p / "study" / "a", patient_id="OTHER", series_number=2)
    return p / "study" / "a"


def two_studies(p: Path) -> Path:
    series(p / "study")
    series(p / "study", seed=12, series_number=2)
    return p / "study"


def truncated(p: Path) -> Path:
    path = sorted(series(p / "study").iterdir())[5]
    path.write_bytes(path.read_bytes()[:-900])
    return p / "study"


def not_a_number(p: Path) -> Path:
    values = as_float()
    values[3, 3, 3] = np.nan
    return nifti(p / "study.nii.gz", values)


def four_dimensions(p: Path) -> Path:
    return nifti(p / "study.nii.gz", np.stack([as_float()] * 2, axis=3))


def no_orientation(p: Path) -> Path:
    return nifti(p / "study.nii.gz", as_float(), oriented=False)


def eight_bit(p: Path) -> Path:
    windowed = np.clip((as_float() + 160) / 400 * 255, 0, 255).astype(np.uint8)
    return nifti(p / "study.nii.gz", windowed)


def label_map(p: Path) -> Path:
    return nifti(p / "study.nii.gz", (as_float() > 0).astype(np.uint8) * 20)


def cut_file(p: Path) -> Path:
    path = nifti(p / "study.nii.gz", as_float())
    path.write_bytes(path.read_bytes()[:2000])
    return path


def zip_bomb(p: Path) -> Path:
    with zipfile.ZipFile(p / "study.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("slice.dcm", bytes(80 * 1024**2))
    return p / "study.zip"


def zip_that_climbs(p: Path) -> Path:
    with zipfile.ZipFile(p / "study.zip", "w") as archive:
        archive.writestr("../../slice.dcm", b"x")
    return p / "study.zip"


def damaged_zip(p: Path) -> Path:
    shutil.make_archive(str(p / "study"), "zip", series(p / "files"))
    (p / "study.zip").write_bytes((p / "study.zip").read_bytes()[:3000])
    return p / "study.zip"


REFUSED = {
    empty_folder: "EMPTY",
    text_files: "NOT_AN_IMAGE",
    mr: "NOT_CT",
    pet: "NOT_CT",
    localizer: "LOCALIZER",
    few_slices: "TOO_FEW_SLICES",
    thick_slices: "TOO_THICK",
    gap: "MISSING_SLICES",
    duplicate: "DUPLICATE_POSITIONS",
    two_patients: "SEVERAL_PATIENTS",
    two_studies: "SEVERAL_STUDIES",
    truncated: "PIXELS_TRUNCATED",
    not_a_number: "NOT_A_NUMBER",
    four_dimensions: "NOT_3D",
    no_orientation: "NO_ORIENTATION",
    eight_bit: "EIGHT_BIT",
    label_map: "LABEL_MASK",
    cut_file: "PIXELS_TRUNCATED",
    zip_bomb: "ARCHIVE_UNSAFE",
    zip_that_climbs: "ARCHIVE_UNSAFE",
    damaged_zip: "ARCHIVE_DAMAGED",
}


@pytest.mark.parametrize(("make", "code"), REFUSED.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_it_is_refused_in_one_line_with_its_code(make, code, study, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    source, out = make(tmp_path / "in"), tmp_path / "out"
    assert run(["analyze", str(source), "--masks", str(study.masks), "-o", str(out), "--json"]) == 3
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("wirbel: ")
    assert source.name in captured.err
    shown = json.loads(captured.out)["studies"][0]
    assert (shown["code"], shown["exit_code"], shown["status"]) == (code, 3, "failed")
    assert not out.exists()
    assert "OTHER" not in captured.err


def test_a_path_that_is_not_there_is_wrong_usage(study, tmp_path, capsys):
    assert run(["analyze", str(tmp_path / "gone"), "--masks", str(study.masks), "-o", str(tmp_path / "out")]) == 2
    assert "gone: no such file" in capsys.readouterr().err


def test_masks_of_another_ct_are_refused(study, tmp_path, capsys):
    far = Volume(Grid.axis_aligned((12, 48, 48), (2.0, 4.0, 4.0), (900.0, -94.0, 0.0)), small().hu)
    source = series(tmp_path / "in", far)
    assert run(["analyze", str(source), "--masks", str(study.masks), "-o", str(tmp_path / "out")]) == 3
    assert "field of view" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_masks_whose_numbering_is_contradicted_are_refused(study, tmp_path, capsys):
    arguments = ["analyze", str(study.nifti), "--masks", str(study.masks), "-o", str(tmp_path / "out")]
    assert run([*arguments, "--numbering", "totalsegmentator"]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_without_any_network_the_answer_is_four(study, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("wirbel.cli.one_study.SHIPPED", tmp_path / "nothing")
    assert run(["analyze", str(study.nifti), "-o", str(tmp_path / "out")]) == 4
    assert capsys.readouterr().err == (
        "wirbel: no spine network is installed: give vertebra masks with --masks, or install one\n"
    )


def test_a_place_nobody_may_write_to_is_a_delivery_error(study, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    out = tmp_path / "file" / "out"
    assert run(["analyze", str(study.nifti), "--masks", str(study.masks), "-o", str(out)]) == 5
    assert capsys.readouterr().err.count("\n") == 1


def test_everything_awkward_in_the_hand_out_is_read_or_refused_without_a_defect(data_dir, capsys):
    """The whole folder of awkward files, each with the answer its manifest expects; inspect never crashes."""
    folder = data_dir / "robustness"
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    inputs = {}
    for entry in entries:
        path = folder / entry["file"]
        inputs[path.parent if entry.get("series") else path] = entry["expectation"]
    for path in inputs:
        assert run(["inspect", str(path), "--json"]) in {0, 3}, path.name
        assert json.loads(capsys.readouterr().out), path.name
