"""Geometry is exact: DICOM -> Volume -> NIfTI -> back, in any orientation, and others read the same places."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from wirbel.dicom import CtAttributes, Syntax, write_ct_series
from wirbel.dicom.write_enhanced import write_enhanced_ct
from wirbel.ingest import read_study
from wirbel.volume import Grid, Plane, Volume
from wirbel.volume.resample import canonical

from .bodies import body, body_hu, edit_all

SMALL = (7, 12, 14)


def turned(rotation: Rotation, spacing_mm: tuple[float, float, float], *, mirrored: bool = False) -> Volume:
    """The body on a grid in any orientation; `mirrored` stacks the slices against their normal."""
    affine = np.eye(4)
    affine[:3, :3] = rotation.as_matrix()[:, ::-1] * spacing_mm
    affine[:3, 0] *= -1 if mirrored else 1
    affine[:3, 3] = (12.3456, -78.9, 1234.5)
    return Volume(Grid(SMALL, affine), body_hu(SMALL))


def as_nifti(ct: Volume, path: Path) -> Path:
    """The volume as NIfTI the way any writer would: RAS, axes x, y, z, int16."""
    lps_to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine = lps_to_ras @ ct.grid.voxel_to_lps_mm[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(ct.hu.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nib.save(image, path)
    return path


def assert_same(read: Volume, written: Volume, tolerance_mm: float = 2e-3) -> None:
    expected = canonical(written)
    assert read.grid.same_as(expected.grid, tolerance_mm=tolerance_mm)
    assert np.array_equal(read.hu, expected.hu)


rotations = st.integers(0, 2**32 - 1).map(lambda seed: Rotation.random(rng=np.random.default_rng(seed)))
spacings = st.tuples(st.floats(0.5, 4.9), st.floats(0.3, 2.0), st.floats(0.3, 2.0))


@settings(max_examples=8, deadline=None)
@given(rotation=rotations, spacing_mm=spacings, mirrored=st.booleans())
def test_dicom_to_volume_to_nifti_and_back_in_any_orientation(
    rotation: Rotation, spacing_mm: tuple[float, float, float], mirrored: bool
) -> None:
    ct = turned(rotation, spacing_mm, mirrored=mirrored)
    with tempfile.TemporaryDirectory() as folder:
        write_ct_series(ct, Path(folder) / "s", attributes=CtAttributes(seed=1))
        from_dicom = read_study(Path(folder) / "s").main.volume
        assert_same(from_dicom, ct, tolerance_mm=1e-6)
        from_nifti = read_study(as_nifti(from_dicom, Path(folder) / "ct.nii.gz")).main.volume
        assert_same(from_nifti, from_dicom)  # NIfTI has single precision
        write_ct_series(from_nifti, Path(folder) / "again", attributes=CtAttributes(seed=2))
        assert_same(read_study(Path(folder) / "again").main.volume, ct)


@settings(max_examples=4, deadline=None)
@given(rotation=rotations, spacing_mm=spacings, enhanced=st.booleans())
def test_simpleitk_finds_every_value_at_the_same_place(
    rotation: Rotation, spacing_mm: tuple[float, float, float], enhanced: bool
) -> None:
    ct = turned(rotation, spacing_mm)
    with tempfile.TemporaryDirectory() as folder:
        paths = write_ct_series(ct, Path(folder) / "s", attributes=CtAttributes(seed=1))
        image = SimpleITK.ReadImage([str(p) for p in paths])
        source = Path(folder) / "s"
        if enhanced:
            source = write_enhanced_ct(ct, Path(folder) / "e.dcm", attributes=CtAttributes(seed=1))
        ours = read_study(source).main.volume
    indices = np.random.default_rng(0).integers(0, image.GetSize(), size=(60, 3)).tolist()
    voxels = ours.grid.to_voxel(np.array([image.TransformIndexToPhysicalPoint(index) for index in indices]))
    nearest = np.round(voxels).astype(int)
    assert np.abs(voxels - nearest).max() < 1e-3
    assert [ours.hu[tuple(n)] for n in nearest] == [image[index] for index in indices]


@pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="dcm2niix is not installed")
@pytest.mark.parametrize("seed", range(4))
def test_dcm2niix_makes_the_same_volume_of_the_same_files(tmp_path: Path, seed: int) -> None:
    tumbled = Rotation.from_euler("xyz", np.random.default_rng(seed).uniform(-20, 20, 3), degrees=True)
    ct = turned(tumbled, (2.0, 0.8, 0.8))
    write_ct_series(ct, tmp_path / "s", attributes=CtAttributes(seed=1))
    (tmp_path / "out").mkdir()
    command = ["dcm2niix", "-z", "n", "-f", "ct", "-o", str(tmp_path / "out"), str(tmp_path / "s")]
    subprocess.run(command, check=True, capture_output=True)
    theirs = read_study(tmp_path / "out" / "ct.nii").main.volume
    assert_same(theirs, ct, tolerance_mm=5e-3)


@pytest.mark.parametrize(
    ("position", "angles_deg"),
    [("HFS", (0, 0, 0)), ("FFS", (0, 0, 0)), ("HFP", (0, 0, 180)), ("HFDR", (0, 0, 90)), ("FFDL", (0, 0, -90))],
)
def test_how_the_patient_lay_changes_nothing(
    tmp_path: Path, position: str, angles_deg: tuple[float, float, float]
) -> None:
    ct = turned(Rotation.from_euler("xyz", angles_deg, degrees=True), (2.0, 0.9, 0.9))
    write_ct_series(ct, tmp_path / "s", attributes=CtAttributes(seed=1, patient_position=position))
    assert_same(read_study(tmp_path / "s").main.volume, ct, tolerance_mm=1e-6)


@pytest.mark.parametrize(
    ("axes", "plane", "craniocaudal_mm"),
    [((0, 1, 2), Plane.AXIAL, 2.5), ((1, 0, 2), Plane.CORONAL, 0.8), ((2, 0, 1), Plane.SAGITTAL, 0.8)],
)
def test_the_plane_comes_from_geometry_not_from_the_label(
    tmp_path: Path, axes: tuple[int, int, int], plane: Plane, craniocaudal_mm: float
) -> None:
    upright = Grid.axis_aligned((12, 12, 12), (1.0, 1.0, 1.0))
    affine = np.array(upright.voxel_to_lps_mm)
    affine[:3, :3] = affine[:3, list(axes)] * (2.5, 0.8, 0.8)
    ct = Volume(Grid((8, 12, 12), affine), body_hu((8, 12, 12)))
    write_ct_series(ct, tmp_path / "s", attributes=CtAttributes(seed=1))  # all say AXIAL
    main = read_study(tmp_path / "s").main
    assert main.ref.acquisition.plane is plane
    assert main.ref.acquisition.craniocaudal_mm == craniocaudal_mm
    assert any("by its geometry" in note for note in main.ref.notes) == (plane is not Plane.AXIAL)
    assert_same(main.volume, ct, tolerance_mm=1e-6)


def test_small_rounding_of_positions_is_no_unevenness(tmp_path: Path) -> None:
    ct = body((1.25, 0.9, 0.8))
    write_ct_series(ct, tmp_path / "s", attributes=CtAttributes(seed=1), syntax=Syntax.IMPLICIT)
    edit_all(
        tmp_path / "s",
        lambda ds, _: setattr(ds, "ImagePositionPatient", [round(float(v), 1) for v in ds.ImagePositionPatient]),
    )
    assert read_study(tmp_path / "s").main.volume.grid.spacing_mm[0] == pytest.approx(1.25, abs=0.01)
