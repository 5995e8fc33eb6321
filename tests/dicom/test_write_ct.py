"""What is written is valid, the same each time, and read alike by others."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from wirbel.dicom import CtAttributes, Syntax, tilted_grid, write_ct_series
from wirbel.dicom.write_ct import tilt_of
from wirbel.errors import DeliveryError, GeometryError
from wirbel.volume import Grid, Volume


def a_ct(shape: tuple[int, int, int] = (6, 40, 36)) -> Volume:
    grid = Grid.axis_aligned(shape, (1.25, 0.7, 0.6), (-10.1234567, 5.0, 3.0))
    return Volume(grid, np.random.default_rng(0).integers(-1000, 2000, shape).astype(np.int16))


@pytest.mark.parametrize("syntax", list(Syntax))
def test_simpleitk_reads_the_same_values_in_every_transfer_syntax(tmp_path: Path, syntax: Syntax) -> None:
    ct = a_ct()
    paths = write_ct_series(ct, tmp_path, attributes=CtAttributes(seed=3), syntax=syntax)
    image = SimpleITK.ReadImage([str(p) for p in paths])
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), ct.hu)
    assert image.GetOrigin() == pytest.approx((-10.1234567, 5.0, 3.0), abs=1e-9)
    assert image.GetSpacing() == pytest.approx((0.6, 0.7, 1.25), abs=1e-9)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
@pytest.mark.parametrize("syntax", [s for s in Syntax if s is not Syntax.DEFLATED])  # dciodvfy cannot inflate
@pytest.mark.parametrize("contrast_agent", [None, "Iodine"])
def test_dciodvfy_has_nothing_to_say(tmp_path: Path, syntax: Syntax, contrast_agent: str | None) -> None:
    attributes = CtAttributes(seed=3, contrast_agent=contrast_agent, patient_age="071Y")
    paths = write_ct_series(a_ct((2, 32, 32)), tmp_path, attributes=attributes, syntax=syntax)
    said = subprocess.run(["dciodvfy", str(paths[0])], capture_output=True, text=True, check=False)
    assert said.stderr.split() == ["CTImage"] or said.stdout.split() + said.stderr.split() == ["CTImage"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_ct_series(a_ct(), tmp_path / "a", attributes=CtAttributes(seed=7))
    again = write_ct_series(a_ct(), tmp_path / "b", attributes=CtAttributes(seed=7))
    other = write_ct_series(a_ct(), tmp_path / "c", attributes=CtAttributes(seed=8))
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert first[0].read_bytes() != other[0].read_bytes()


def test_series_of_one_seed_share_the_study_and_its_frame(tmp_path: Path) -> None:
    one, two = (
        pydicom.dcmread(write_ct_series(a_ct(), tmp_path, attributes=CtAttributes(seed=7, series_number=n))[0])
        for n in (1, 2)
    )
    assert one.StudyInstanceUID == two.StudyInstanceUID
    assert one.FrameOfReferenceUID == two.FrameOfReferenceUID
    assert one.SeriesInstanceUID != two.SeriesInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID


@pytest.mark.parametrize("tilt_deg", [-18.5, 0.5, 14.0])
def test_a_tilted_gantry_is_in_the_tag_and_in_the_geometry(tmp_path: Path, tilt_deg: float) -> None:
    grid = tilted_grid(a_ct().grid, tilt_deg)
    assert tilt_of(grid) == pytest.approx(tilt_deg, abs=1e-6)
    ct = Volume(grid, a_ct().hu)
    datasets = [pydicom.dcmread(p) for p in write_ct_series(ct, tmp_path, attributes=CtAttributes(seed=1))]
    assert float(datasets[0].GantryDetectorTilt) == pytest.approx(tilt_deg, abs=1e-6)
    step = np.subtract(datasets[1].ImagePositionPatient, datasets[0].ImagePositionPatient)
    assert step == pytest.approx([0, 0, 1.25], abs=1e-6)
    assert float(datasets[0].SliceThickness) == pytest.approx(1.25 * np.cos(np.radians(tilt_deg)), abs=1e-6)


def test_a_plane_whose_rows_and_columns_are_not_at_right_angles_is_not_written(tmp_path: Path) -> None:
    affine = np.array(a_ct().grid.voxel_to_lps_mm)
    affine[0, 1] = 0.1
    ct = Volume(Grid(a_ct().grid.shape, affine), a_ct().hu)
    with pytest.raises(GeometryError, match="right angles"):
        write_ct_series(ct, tmp_path, attributes=CtAttributes(seed=1))


def test_a_folder_that_is_a_file_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(DeliveryError, match="'taken'") as caught:
        write_ct_series(a_ct(), tmp_path / "taken", attributes=CtAttributes(seed=1))
    assert str(tmp_path) not in str(caught.value)
