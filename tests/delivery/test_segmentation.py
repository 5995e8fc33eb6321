"""The masks on disk: right place, right numbers, and a header that says which numbers."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wirbel.delivery.nifti import on_grid, write_labels
from wirbel.delivery.segmentation import LEGEND, MASKS, PARTS, write_segmentation
from wirbel.spine import Level, Part, Spine
from wirbel.volume import Grid, LabelMap, Volume
from wirbel.volume.resample import resample_labels


def read(path: Path) -> nib.Nifti1Image:
    return nib.load(path)


def at_lps(image: nib.Nifti1Image, point_lps_mm: np.ndarray) -> int:
    """The value at a point of the patient, through nibabel's own reading of the header."""
    ras = point_lps_mm * [-1, -1, 1]
    index = np.rint(np.linalg.inv(image.affine) @ [*ras, 1.0])[:3].astype(int)
    return int(np.asarray(image.dataobj)[tuple(index)])


def test_vertebrae_carry_verse_numbers_at_their_place(spine: Spine, ct: Volume, tmp_path: Path) -> None:
    write_segmentation(tmp_path, spine, ct.grid)
    image = read(tmp_path / MASKS)
    assert image.shape == ct.grid.shape[::-1]
    for vertebra, level in zip(spine.vertebrae, (Level.L3, Level.L4, Level.L5), strict=True):
        assert at_lps(image, vertebra.centre_lps_mm) == level.value
    assert set(np.unique(image.dataobj)) == {0, 22, 23, 24, 26}
    assert "VerSe numbers" in bytes(image.header["descrip"]).decode()


def test_an_unnumbered_column_counts_from_one_and_says_so(unnumbered: Spine, ct: Volume, tmp_path: Path) -> None:
    write_segmentation(tmp_path, unnumbered, ct.grid)
    image = read(tmp_path / MASKS)
    assert set(np.unique(image.dataobj)) == {0, 1, 2, 3}
    assert b"relative numbers" in bytes(image.header["descrip"])
    legend = json.loads((tmp_path / LEGEND).read_text())
    assert legend[MASKS] == {"numbering": "relative", "numbers": {"1": "V1", "2": "V2", "3": "V3"}}


def test_parts_lie_beside_with_their_legend(spine: Spine, ct: Volume, tmp_path: Path) -> None:
    write_segmentation(tmp_path, spine, ct.grid)
    image = read(tmp_path / PARTS)
    assert at_lps(image, spine.vertebrae[0].centre_lps_mm) == Part.BODY
    legend = json.loads((tmp_path / LEGEND).read_text())
    assert legend[PARTS]["numbers"]["1"] == "body"
    assert legend[MASKS]["numbers"]["26"] == "sacrum"


def test_headers_say_research_use_only(spine: Spine, ct: Volume, tmp_path: Path) -> None:
    write_segmentation(tmp_path, spine, ct.grid)
    for name in (MASKS, PARTS):
        assert b"research use only" in bytes(read(tmp_path / name).header["descrip"])


def test_the_same_masks_give_the_same_bytes(spine: Spine, ct: Volume, tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_segmentation(tmp_path / name, spine, ct.grid)
        written.append((tmp_path / name / MASKS).read_bytes())
    assert written[0] == written[1]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    turn_deg=st.floats(-25, 25),
    origin=st.tuples(*[st.floats(-300, 300)] * 3),
    spacing=st.tuples(*[st.floats(0.4, 5.0)] * 3),
)
def test_any_grid_reads_back_in_its_place(
    turn_deg: float, origin: tuple[float, ...], spacing: tuple[float, ...], tmp_path: Path
) -> None:
    turned = np.array(Grid.axis_aligned((6, 5, 4), spacing, origin).voxel_to_lps_mm)
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    turned[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ turned[:3, :3]
    grid = Grid((6, 5, 4), turned)
    labels = np.zeros(grid.shape, np.uint8)
    labels[4, 1, 2] = 7
    write_labels(tmp_path / "x.nii.gz", on_grid(LabelMap(grid, labels), grid), grid, note="x")
    image = read(tmp_path / "x.nii.gz")
    assert at_lps(image, grid.to_lps_mm(np.array([[4.0, 1.0, 2.0]]))[0]) == 7
    assert np.count_nonzero(image.dataobj) == 1
    assert np.allclose(image.header.get_zooms(), grid.spacing_mm[::-1], rtol=1e-5)


@pytest.mark.parametrize("turn_deg", [0.0, 15.0])
def test_resampling_agrees_with_the_volume_room(spine: Spine, turn_deg: float) -> None:
    affine = np.array(Grid.axis_aligned((50, 22, 20), (0.9, 1.1, 1.3), (-10.3, -123.2, 297.1)).voxel_to_lps_mm)
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ affine[:3, :3]
    grid = Grid((50, 22, 20), affine)
    ours = np.concatenate(list(on_grid(spine.instances, grid)))
    theirs = resample_labels(spine.instances, grid).labels
    assert (ours != theirs).mean() < 0.002  # ties at half voxels alone
    assert ours.any()
