"""Bad input: one line that names file and reason, a code, no patient data, never a wrong answer in silence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from wirbel.dicom import CtAttributes, write_ct_series
from wirbel.errors import InputRejected, UsageError
from wirbel.ingest import Refusal, inspect_input, read_study
from wirbel.volume import Volume

from .bodies import body, edit_all, files_of, remove, set_all


def refusal_of(path: Path) -> InputRejected:
    """The refusal, after checks that hold for every one."""
    with pytest.raises(InputRejected) as caught:
        read_study(path)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 3
    assert caught.value.code in set(Refusal)
    assert str(path.parent) not in message
    assert "Phantom" not in message
    assert "PHANTOM" not in message
    assert "2.25." not in message
    inspected = inspect_input(path)
    assert (inspected.is_accepted, inspected.code, inspected.sentence) == (False, caught.value.code, message)
    return caught.value


def test_the_good_series_is_read(series: Path, ct: Volume) -> None:
    study = read_study(series)
    assert np.array_equal(study.main.volume.hu, ct.hu)
    assert study.main.volume.grid.same_as(ct.grid, tolerance_mm=1e-6)
    assert study.heights is study.density is study.cortex is study.main


def test_nothing_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        read_study(tmp_path / "absent")


def test_an_empty_folder(tmp_path: Path) -> None:
    assert refusal_of(tmp_path).code == Refusal.EMPTY


def test_text_files_and_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("no image")
    (tmp_path / "empty.dcm").write_bytes(b"")
    assert refusal_of(tmp_path).code == Refusal.NOT_AN_IMAGE
    assert refusal_of(tmp_path / "readme.txt").code == Refusal.NOT_AN_IMAGE
    assert refusal_of(tmp_path / "empty.dcm").code == Refusal.NOT_AN_IMAGE


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, Refusal.NOT_CT),
        ({"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128"}, Refusal.NOT_CT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, Refusal.NOT_A_CT_IMAGE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, Refusal.LOCALIZER),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "MIP"]}, Refusal.DERIVED),
        ({"SeriesDescription": "3 mm MIP axial"}, Refusal.DERIVED),
        ({"SliceThickness": "7.5"}, Refusal.TOO_THICK),
        ({"ImagePositionPatient": None}, Refusal.NO_GEOMETRY),
        ({"ImageOrientationPatient": None}, Refusal.NO_GEOMETRY),
        ({"PixelSpacing": None}, Refusal.NO_GEOMETRY),
        ({"ImageOrientationPatient": [1, 0, 0, 0.5, 0.866, 0]}, Refusal.NO_GEOMETRY),
        ({"RescaleSlope": None}, Refusal.NO_RESCALE),
        ({"RescaleIntercept": None}, Refusal.NO_RESCALE),
        ({"RescaleType": "Z_EFF"}, Refusal.NOT_HU),
        ({"GantryDetectorTilt": "18.5"}, Refusal.TILT_CONTRADICTION),
        ({"PixelData": None}, Refusal.NO_PIXELS),
    ],
)
def test_what_the_header_says(series: Path, elements: dict[str, object], code: Refusal) -> None:
    edit_all(series, set_all(**elements))
    assert refusal_of(series).code == code


def test_fewer_than_five_slices(series: Path) -> None:
    remove(files_of(series)[4:])
    refused = refusal_of(series)
    assert refused.code == Refusal.TOO_FEW_SLICES
    assert "4 slices" in str(refused)


def test_one_slice_of_a_series_asks_for_the_rest(series: Path) -> None:
    assert "give the whole series" in str(refusal_of(files_of(series)[3]))


def test_a_missing_slice_is_named_by_its_neighbours(series: Path) -> None:
    remove([files_of(series)[5]])
    refused = refusal_of(series)
    assert refused.code == Refusal.MISSING_SLICES
    assert "001-0005.dcm and 001-0007.dcm" in str(refused)
    assert "1 slice is missing" in str(refused)


def test_uneven_spacing_is_named_by_its_place(series: Path) -> None:
    def later_slices_up(ds: pydicom.Dataset, index: int) -> None:
        if index >= 7:
            ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], float(ds.ImagePositionPatient[2]) + 0.9]

    refused = refusal_of(edit_all(series, later_slices_up))
    assert refused.code == Refusal.UNEVEN_SPACING
    assert "001-0007.dcm and 001-0008.dcm" in str(refused)


def test_a_slice_off_the_stack_is_named(series: Path) -> None:
    def one_aside(ds: pydicom.Dataset, index: int) -> None:
        if index == 4:
            ds.ImagePositionPatient = [float(ds.ImagePositionPatient[0]) + 3, *ds.ImagePositionPatient[1:]]

    refused = refusal_of(edit_all(series, one_aside))
    assert refused.code == Refusal.NOT_A_STACK
    assert "001-0005.dcm" in str(refused)


def test_all_slices_at_one_position(series: Path) -> None:
    edit_all(series, set_all(ImagePositionPatient=[0, 0, 0]))
    assert refusal_of(series).code == Refusal.DUPLICATE_POSITIONS


def test_two_scans_that_nothing_tells_apart_are_not_stacked(series: Path, ct: Volume) -> None:
    write_ct_series(body(seed=5), series / "b", attributes=CtAttributes(seed=1))
    edit_all(series / "b", lambda ds, index: setattr(ds, "SOPInstanceUID", f"1.2.3.{index}"))
    assert refusal_of(series).code == Refusal.DUPLICATE_POSITIONS


def test_two_different_images_of_one_identifier_are_not_chosen_between(series: Path) -> None:
    write_ct_series(body(seed=5), series / "b", attributes=CtAttributes(seed=1))
    assert refusal_of(series).code == Refusal.DUPLICATE_POSITIONS


def test_two_patients_are_counted_not_named(series: Path) -> None:
    write_ct_series(body(), series / "b", attributes=CtAttributes(seed=2, patient_id="DOE-42"))
    refused = refusal_of(series)
    assert refused.code == Refusal.SEVERAL_PATIENTS
    assert "2 patients" in str(refused)
    assert "DOE" not in str(refused)


def test_two_birth_dates_under_one_identifier_are_two_patients(series: Path) -> None:
    edit_all(series, lambda ds, index: setattr(ds, "PatientBirthDate", "19500101" if index < 6 else "19600101"))
    refused = refusal_of(series)
    assert refused.code == Refusal.SEVERAL_PATIENTS
    assert "19" not in str(refused)


def test_two_studies_are_counted(series: Path) -> None:
    write_ct_series(body(), series / "b", attributes=CtAttributes(seed=2))
    refused = refusal_of(series)
    assert refused.code == Refusal.SEVERAL_STUDIES
    assert "2 studies" in str(refused)


def test_a_truncated_slice_is_named(series: Path) -> None:
    path = files_of(series)[6]
    path.write_bytes(path.read_bytes()[:-100])
    refused = refusal_of(series)
    assert refused.code == Refusal.PIXELS_TRUNCATED
    assert "001-0007.dcm" in str(refused)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda hu: np.clip((hu + 160) / 400 * 255, 0, 255), Refusal.EIGHT_BIT),
        (lambda hu: np.where(hu < 200, 0, hu), Refusal.THRESHOLDED),
        (lambda hu: np.clip(hu, -160, 240), Refusal.THRESHOLDED),
        (lambda hu: np.clip(hu, -1024, 240), Refusal.EIGHT_BIT),
        (lambda hu: np.clip(hu, 0, None) * 5 + np.arange(hu.shape[2]), Refusal.NOT_HU),
        (lambda hu: np.where(hu < -500, 0, hu), Refusal.THRESHOLDED),
        (lambda hu: hu * 0 - 1000, Refusal.EIGHT_BIT),
        (lambda hu: 3200 + 3 * np.abs(hu), Refusal.NOT_HU),
        (lambda hu: hu - 1024 * (hu > -500), Refusal.NOT_HU),
    ],
    ids=[
        "8 bit", "below 200 to 0", "windowed", "bone cut off", "MR-like", "outside to 0", "constant", "bright",
        "no soft tissue",
    ],
)
def test_values_that_are_no_hounsfield_units(
    tmp_path: Path, spoil: Callable[[np.ndarray], np.ndarray], code: Refusal
) -> None:
    good = body()
    hu = spoil(good.hu.astype(np.float64)).astype(np.int16)
    write_ct_series(Volume(good.grid, hu), tmp_path / "s", attributes=CtAttributes(seed=1))
    assert refusal_of(tmp_path / "s").code == code


def test_colour_slices(series: Path) -> None:
    def to_rgb(ds: pydicom.Dataset, _: int) -> None:
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        ds.PixelData = bytes(ds.Rows * ds.Columns * 3)

    assert refusal_of(edit_all(series, to_rgb)).code == Refusal.NOT_MONOCHROME


def test_a_localizer_alone_and_several_refused_series_are_listed(series: Path) -> None:
    edit_all(series, set_all(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    write_ct_series(
        body((8.0, 0.9, 0.8)), series / "thick", attributes=CtAttributes(seed=1, series_number=2)
    )
    refused = refusal_of(series)
    assert "none of 2 series" in str(refused)
    assert refused.code == Refusal.TOO_THICK
    assert {report.code for report in inspect_input(series).series} == {Refusal.LOCALIZER, Refusal.TOO_THICK}
