"""A tilted gantry is corrected, and said so; what contradicts itself is refused."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.dicom import CtAttributes, tilted_grid, write_ct_series
from wirbel.ingest import read_study
from wirbel.volume import Grid, Volume

from .bodies import edit_all, set_all

SHAPE = (24, 48, 40)


def landscape_hu(points_lps_mm: np.ndarray) -> np.ndarray:
    """Smooth values that differ everywhere, in the range of a body, with air in front."""
    x, y, z = points_lps_mm.T
    soft = 60 * np.sin(x / 9) + 80 * np.cos(y / 11) + 70 * np.sin(z / 13) + 2 * z
    return np.where(y < -20, -900.0, soft)


def tilted(tilt_deg: float, *, turned: bool = False) -> Volume:
    grid = tilted_grid(Grid.axis_aligned(SHAPE, (2.0, 1.0, 1.0), (-20.0, -24.0, -24.0)), tilt_deg)
    if turned:  # in the plane, so that rows and columns both run aslant of the stack
        affine = np.array(grid.voxel_to_lps_mm)
        column, row = affine[:3, 1].copy(), affine[:3, 2].copy()
        affine[:3, 1], affine[:3, 2] = 0.96 * column - 0.28 * row, 0.28 * column + 0.96 * row
        grid = Grid(SHAPE, affine)
    return Volume(grid, np.round(values_on(grid)).astype(np.int16))


def values_on(grid: Grid) -> np.ndarray:
    index = np.indices(grid.shape).reshape(3, -1).T.astype(np.float64)
    return landscape_hu(grid.to_lps_mm(index)).reshape(grid.shape)


def assert_upright_and_in_place(read: Volume) -> None:
    directions = read.grid.voxel_to_lps_mm[:3, :3] / np.asarray(read.grid.spacing_mm)
    assert directions.T @ directions == pytest.approx(np.eye(3), abs=1e-6)
    index = np.indices(read.grid.shape).reshape(3, -1).T.astype(np.float64)
    places = read.grid.to_lps_mm(index).reshape(*read.grid.shape, 3)
    inside = (read.hu > -800) & (places[..., 1] > -17)
    expected = values_on(read.grid)
    assert inside.mean() > 0.5
    assert np.abs(read.hu - expected)[inside].max() < 2.0  # linear between pixels of a smooth landscape


@pytest.mark.parametrize("tilt_deg", [-22.0, 6.0, 14.0, 30.0])
@pytest.mark.parametrize("tag", ["as the geometry", "missing", "zero"])
def test_tilt_is_corrected_with_and_without_the_tag(tmp_path: Path, tilt_deg: float, tag: str) -> None:
    write_ct_series(tilted(tilt_deg), tmp_path / "s", attributes=CtAttributes(seed=1))
    if tag != "as the geometry":
        edit_all(tmp_path / "s", set_all(GantryDetectorTilt=None if tag == "missing" else "0"))
    main = read_study(tmp_path / "s").main
    assert_upright_and_in_place(main.volume)
    note = next(note for note in main.ref.notes if "tilt" in note)
    assert f"{abs(tilt_deg):.1f} degrees" in note
    assert ("only the geometry tells" in note) == (tag != "as the geometry")


def test_nothing_of_a_slice_is_lost_at_the_edges(tmp_path: Path) -> None:
    ct = tilted(20.0)
    hu = np.array(ct.hu)
    hu[:, 0, :], hu[:, -1, :] = 900, 901
    write_ct_series(Volume(ct.grid, hu), tmp_path / "s", attributes=CtAttributes(seed=1))
    read = read_study(tmp_path / "s").main.volume
    for index in (0, SHAPE[0] - 1):
        for row in (0, SHAPE[1] - 1):
            place = ct.grid.to_lps_mm(np.array([[float(index), float(row), 20.0]]))
            voxel = read.grid.to_voxel(place)[0]
            assert np.all(voxel > -0.5)
            assert np.all(voxel < np.array(read.grid.shape) - 0.5)


def test_a_slant_across_rows_and_columns_is_corrected_too(tmp_path: Path) -> None:
    write_ct_series(tilted(12.0, turned=True), tmp_path / "s", attributes=CtAttributes(seed=1))
    assert_upright_and_in_place(read_study(tmp_path / "s").main.volume)


def test_a_sheared_nifti_affine_is_corrected(tmp_path: Path) -> None:
    ct = tilted(15.0)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ct.grid.voxel_to_lps_mm[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(ct.hu.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, 1)
    image.set_qform(None, 0)
    nib.save(image, tmp_path / "ct.nii")
    main = read_study(tmp_path / "ct.nii").main
    assert_upright_and_in_place(main.volume)
    assert any("15.0 degrees" in note for note in main.ref.notes)


def test_a_reformat_that_kept_the_tag_of_its_tilted_scan_is_read(series: Path) -> None:
    edit_all(series, set_all(GantryDetectorTilt="12", ImageType=["DERIVED", "SECONDARY", "AXIAL", "MPR"]))
    assert read_study(series).main.ref.slices == 12
