"""Folders as hospitals have them: other objects beside, scans under one identifier, files twice, batches."""

from pathlib import Path
from shutil import copyfile, copytree

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from wirbel.dicom import CtAttributes, write_ct_series
from wirbel.errors import UsageError
from wirbel.ingest import Refusal, find_studies, inspect_input, read_study
from wirbel.volume import Volume

from .bodies import body, edit_all, files_of


def other_object(folder: Path, like: Path, sop_class: str, modality: str) -> None:
    """An object of the same study without pixels."""
    dataset = pydicom.dcmread(like)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID, dataset.Modality = generate_uid(), modality
    for keyword in ("PixelData", "ImagePositionPatient", "ImageOrientationPatient", "Rows", "Columns"):
        delattr(dataset, keyword)
    dataset.save_as(folder / f"{modality}.dcm")


def test_structure_sets_reports_and_text_lie_beside(series: Path, ct: Volume) -> None:
    like = files_of(series)[0]
    other_object(series, like, "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT")
    other_object(series, like, "1.2.840.10008.5.1.4.1.1.88.33", "SR")
    (series / "notes.txt").write_text("a note")
    (series / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    study = read_study(series)
    assert np.array_equal(study.main.volume.hu, ct.hu)
    assert {r.modality: r.code for r in study.series} == {
        "CT": None, "RTSTRUCT": Refusal.NOT_CT, "SR": Refusal.NOT_CT,
    }  # fmt: skip
    assert study.other_files == 1


def test_files_that_came_twice_count_once(series: Path, ct: Volume) -> None:
    copytree(series, series / "again")
    study = read_study(series)
    assert np.array_equal(study.main.volume.hu, ct.hu)
    assert any("came twice" in note for note in study.main.ref.notes)


def test_a_localizer_inside_the_series_is_told_apart(series: Path, ct: Volume) -> None:
    scout = pydicom.dcmread(files_of(series)[0])
    scout.ImageType, scout.SOPInstanceUID = ["ORIGINAL", "PRIMARY", "LOCALIZER"], "1.2.3.4"
    scout.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    scout.save_as(series / "000.dcm")
    study = read_study(series)
    assert np.array_equal(study.main.volume.hu, ct.hu)
    assert [r.code for r in study.series] == [None, Refusal.LOCALIZER]


@pytest.mark.parametrize("gap_mm", [-6.0, 2.0, 37.0], ids=["overlapping", "adjoining evenly", "apart"])
def test_two_acquisitions_under_one_series_identifier_are_told_apart(tmp_path: Path, gap_mm: float) -> None:
    lower = body(shape=(10, 34, 40))
    upper = body(shape=(14, 34, 40), seed=1, origin_lps_mm=(-20.0, -15.0, 118.0 + gap_mm))
    write_ct_series(lower, tmp_path / "a", attributes=CtAttributes(seed=1, acquisition_number=1))
    write_ct_series(upper, tmp_path / "b", attributes=CtAttributes(seed=1, acquisition_number=2))
    edit_all(tmp_path / "b", lambda ds, index: setattr(ds, "SOPInstanceUID", f"1.2.3.{index}"))
    study = read_study(tmp_path)
    assert np.array_equal(study.main.volume.hu, upper.hu)
    assert study.main.volume.grid.same_as(upper.grid)
    assert any("told apart by acquisition number" in note for note in study.main.ref.notes)
    assert sorted(r.slices for r in study.series) == [10, 14]


def test_phases_without_acquisition_numbers_are_told_apart_by_time(tmp_path: Path) -> None:
    for number, time in enumerate(("101500", "101545")):
        write_ct_series(body(seed=number), tmp_path / time, attributes=CtAttributes(seed=1))

        def phase(ds: pydicom.Dataset, index: int, number: int = number, time: str = time) -> None:
            ds.SOPInstanceUID, ds.AcquisitionTime = f"1.2.3.{number}.{index}", time
            del ds.AcquisitionNumber

        edit_all(tmp_path / time, phase)
    study = read_study(tmp_path)
    assert [r.slices for r in study.series] == [12, 12]
    assert any("told apart by acquisition time" in note for note in study.main.ref.notes)


def test_a_step_and_shoot_scan_is_one_stack(series: Path, ct: Volume) -> None:
    edit_all(series, lambda ds, index: setattr(ds, "AcquisitionNumber", index // 2 + 1))
    study = read_study(series)
    assert np.array_equal(study.main.volume.hu, ct.hu)
    assert any("step-and-shoot scan of 6" in note for note in study.main.ref.notes)


def test_a_folder_of_studies_is_a_list_of_inputs(tmp_path: Path) -> None:
    for seed in (1, 2):
        for number in (1, 2):
            made = CtAttributes(seed=seed, series_number=number)
            write_ct_series(body(shape=(5, 8, 8)), tmp_path / f"study{seed}" / f"series{number}", attributes=made)
    (tmp_path / "readme.txt").write_text("two studies")
    assert find_studies(tmp_path) == [tmp_path / "study1", tmp_path / "study2"]
    assert find_studies(tmp_path / "study1") == [tmp_path / "study1"]
    deeper = tmp_path / "patients" / "p1"
    deeper.mkdir(parents=True)
    (tmp_path / "study1").rename(deeper / "study1")
    (tmp_path / "study2").rename(deeper / "study2")
    assert find_studies(tmp_path / "patients") == [deeper / "study1", deeper / "study2"]


def test_a_folder_with_images_is_one_input_and_an_empty_one_itself(series: Path, tmp_path: Path) -> None:
    assert find_studies(series) == [series]
    (tmp_path / "empty").mkdir()
    assert find_studies(tmp_path / "empty") == [tmp_path / "empty"]
    with pytest.raises(UsageError):
        find_studies(tmp_path / "absent")


def test_the_series_of_one_study_in_its_folders_are_one_input(series: Path, tmp_path: Path) -> None:
    write_ct_series(body(), tmp_path / "study" / "thick", attributes=CtAttributes(seed=1, series_number=2))
    (tmp_path / "study" / "thin").mkdir()
    for path in files_of(series):
        if path.parent == series:
            copyfile(path, tmp_path / "study" / "thin" / path.name)
            path.unlink()
    assert find_studies(tmp_path / "study") == [tmp_path / "study"]
    assert inspect_input(tmp_path / "study").is_accepted
