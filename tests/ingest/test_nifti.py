"""NIfTI files: read as others read them, refused where they cannot be trusted."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from wirbel.errors import DeliveryError, InputRejected
from wirbel.ingest import Refusal, inspect_input, read_study
from wirbel.volume import Plane

from .bodies import body, body_hu

RAS = np.diag([0.8, 0.9, 2.0, 1.0])


def saved(
    path: Path, values: np.ndarray, affine: np.ndarray = RAS, *, sform: int = 1, qform: int = 1, units: str = "mm"
) -> Path:
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units(units)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    nib.save(image, path)
    return path


def hu(dtype: type = np.int16) -> np.ndarray:
    return body_hu().transpose(2, 1, 0).astype(dtype)


def refusal_of(path: Path) -> InputRejected:
    with pytest.raises(InputRejected) as caught:
        read_study(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    assert inspect_input(path).code == caught.value.code
    return caught.value


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64, np.dtype(">i2")])
def test_values_and_places_are_those_simpleitk_reads(tmp_path: Path, name: str, dtype: type) -> None:
    path = saved(tmp_path / name, hu(dtype), np.diag([-0.8, 0.9, 2.0, 1.0]))
    read = read_study(path).main.volume
    image = SimpleITK.ReadImage(str(path))
    indices = np.random.default_rng(0).integers(0, image.GetSize(), size=(40, 3)).tolist()
    voxels = read.grid.to_voxel(np.array([image.TransformIndexToPhysicalPoint(i) for i in indices]))
    assert np.abs(voxels - np.round(voxels)).max() < 1e-4
    assert [read.hu[tuple(v)] for v in np.round(voxels).astype(int)] == [image[i] for i in indices]


def test_scaled_values_are_scaled(tmp_path: Path) -> None:
    image = nib.Nifti1Image(((hu().astype(np.int32) + 1024) * 2).astype(np.int16), RAS)
    image.header.set_slope_inter(0.5, -1024)
    nib.save(image, tmp_path / "ct.nii")
    read = read_study(tmp_path / "ct.nii").main.volume
    assert np.array_equal(read.hu, body_hu()[:, ::-1, ::-1])


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.where(np.arange(hu().size).reshape(hu().shape) == 7, np.nan, hu(np.float32)), Refusal.NOT_A_NUMBER),
        (np.stack([hu(), hu()], axis=-1), Refusal.NOT_3D),
        (hu()[:, :, 0], Refusal.NOT_3D),
        (hu()[:, :, :4], Refusal.TOO_FEW_SLICES),
        (np.clip((hu(np.float64) + 160) / 400 * 255, 0, 255).astype(np.uint8), Refusal.EIGHT_BIT),
        (np.where(hu() < 200, 0, hu()), Refusal.THRESHOLDED),
        ((hu() > 200).astype(np.uint8) * 20, Refusal.LABEL_MASK),
        ((hu() > 200).astype(np.float64) * 20, Refusal.LABEL_MASK),
        (hu(np.complex64), Refusal.NOT_MONOCHROME),
    ],
    ids=["NaN", "4-D", "2-D", "4 slices", "8 bit", "bone only", "mask", "float mask", "complex"],
)
def test_values_that_are_no_ct(tmp_path: Path, values: np.ndarray, code: Refusal) -> None:
    path = saved(tmp_path / "ct.nii.gz", values)
    if code is Refusal.LABEL_MASK:
        with pytest.raises(InputRejected, match="--masks"):
            read_study(path)
        assert inspect_input(path).kind == "label map"
    else:
        assert refusal_of(path).code == code


def test_a_fourth_axis_of_one_is_no_axis(tmp_path: Path) -> None:
    assert read_study(saved(tmp_path / "ct.nii", hu()[..., None])).main.volume.hu.shape == (12, 34, 40)


@pytest.mark.parametrize("units", ["unknown", "meter", "micron"])
def test_units_of_the_spacing(tmp_path: Path, units: str) -> None:
    path = saved(tmp_path / "ct.nii", hu(), units=units)
    if units == "unknown":
        assert any("taken as mm" in note for note in read_study(path).main.ref.notes)
    else:
        assert refusal_of(path).code == Refusal.NO_GEOMETRY


def test_no_orientation_is_refused_not_guessed(tmp_path: Path) -> None:
    assert refusal_of(saved(tmp_path / "ct.nii", hu(), sform=0, qform=0)).code == Refusal.NO_ORIENTATION


def test_two_orientations_that_disagree_are_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(hu(), RAS)
    image.set_sform(RAS, 1)
    image.set_qform(np.diag([-0.8, 0.9, 2.0, 1.0]), 1)
    nib.save(image, tmp_path / "ct.nii")
    assert refusal_of(tmp_path / "ct.nii").code == Refusal.ORIENTATION_CONTRADICTION


def test_thick_slices_are_refused_whatever_their_plane(tmp_path: Path) -> None:
    assert refusal_of(saved(tmp_path / "ct.nii", hu(), np.diag([0.8, 0.9, 6.0, 1]))).code == Refusal.TOO_THICK


def test_the_coarsest_axis_is_the_slices(tmp_path: Path) -> None:
    ref = read_study(saved(tmp_path / "ct.nii", hu(), np.diag([3.0, 0.9, 0.9, 1]))).main.ref
    acquisition = ref.acquisition
    assert ref.slices == hu().shape[0]
    assert (acquisition.plane, acquisition.slice_mm, acquisition.craniocaudal_mm) == (Plane.SAGITTAL, 3.0, 0.9)


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.3, 0.9])
def test_a_short_file_is_said_to_be_short(tmp_path: Path, keep: float) -> None:
    whole = saved(tmp_path / "whole.nii", hu()).read_bytes()
    short = whole[: int(len(whole) * keep)]
    (tmp_path / "ct.nii").write_bytes(short)
    (tmp_path / "ct.nii.gz").write_bytes(gzip.compress(whole)[: int(300 + keep * 5000)])
    expected = {Refusal.PIXELS_TRUNCATED, Refusal.NOT_AN_IMAGE, Refusal.PIXELS_UNREADABLE}
    assert refusal_of(tmp_path / "ct.nii").code in expected
    assert refusal_of(tmp_path / "ct.nii.gz").code in expected


def test_a_header_that_promises_the_moon_is_refused_before_reading(tmp_path: Path) -> None:
    data = bytearray(saved(tmp_path / "ct.nii", hu()).read_bytes())
    data[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    (tmp_path / "ct.nii").write_bytes(data)
    assert refusal_of(tmp_path / "ct.nii").code == Refusal.TOO_LARGE


def test_a_folder_with_one_nifti_file_is_that_file(tmp_path: Path) -> None:
    saved(tmp_path / "ct.nii.gz", hu())
    (tmp_path / "ct.json").write_text("{}")
    assert read_study(tmp_path).main.volume.hu.shape == (12, 34, 40)
    saved(tmp_path / "second.nii.gz", hu())
    with pytest.raises(InputRejected, match="2 NIfTI files") as caught:
        read_study(tmp_path)
    assert caught.value.code == Refusal.SEVERAL_IMAGES


def test_what_nifti_does_not_tell_is_not_made_up(tmp_path: Path) -> None:
    ref = read_study(saved(tmp_path / "ct.nii.gz", hu())).main.ref
    assert ref.patient_id is ref.study_date is ref.accession is ref.acquisition.kvp is None
    assert ref.source_name == "ct.nii.gz"
    assert body().grid.shape == (12, 34, 40)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file whose reading fails")
def test_a_disk_that_fails_is_a_delivery_error(tmp_path: Path) -> None:
    (tmp_path / "bad.dcm").symlink_to("/proc/self/mem")
    with pytest.raises(DeliveryError, match=r"bad\.dcm: cannot be read"):
        read_study(tmp_path / "bad.dcm")
