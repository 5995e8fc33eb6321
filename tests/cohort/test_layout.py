"""Folders as the study's authors, VerSe and hospitals have them; centroids and predictions in the authors' form."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirbel.cohort.centroids import axis_letters, read_centroids, write_centroids
from wirbel.cohort.images import mask_means, read_cohort_study, stored_grid
from wirbel.cohort.layout import find_images, is_simulated
from wirbel.cohort.predictions import FilePredictions, Prediction, read_predictions, write_predictions
from wirbel.dicom.write_ct import CtAttributes, write_ct_series
from wirbel.errors import InputRejected, UsageError
from wirbel.spine import Level
from wirbel.volume import Grid, LabelMap

from .conftest import NUMBERS, drawn_ct, save_nifti, write_image

ORIENTATIONS = st.sampled_from(["LPS", "PIR", "RAS", "IAL", "PSR", "SLA", "AIL"])


def test_the_authors_layout_is_found_with_mask_and_centroids(tmp_path: Path) -> None:
    write_image(tmp_path, "verse004", 1)
    write_image(tmp_path, "gl003", 2, stem="sub-gl003_dir-ax")
    found = find_images(tmp_path)
    assert [(f.patient, f.stem) for f in found] == [("gl003", "sub-gl003_dir-ax"), ("verse004", "sub-verse004")]
    assert all(f.mask is not None and f.centroids is not None for f in found)
    assert found[1].derived == tmp_path / "derivatives" / "sub-verse004"


def test_versess_flat_layout_has_all_three_files_in_one_folder(tmp_path: Path) -> None:
    ct, masks = drawn_ct(0)
    home = tmp_path / "sub-verse012"
    save_nifti(home / "sub-verse012_ct.nii.gz", ct.hu, ct.grid)
    save_nifti(home / "sub-verse012_seg-vert_msk.nii.gz", masks, ct.grid)
    (found,) = find_images(tmp_path)
    assert found.mask is not None
    assert found.centroids is None


def test_a_dicom_folder_takes_its_mask_from_derivatives(tmp_path: Path) -> None:
    ct, masks = drawn_ct(0)
    write_ct_series(ct, tmp_path / "rawdata" / "sub-p1" / "series", attributes=CtAttributes(seed=1))
    save_nifti(tmp_path / "derivatives" / "sub-p1" / "sub-p1_seg-vert_msk.nii.gz", masks, ct.grid)
    (found,) = find_images(tmp_path)
    assert found.is_dicom
    study = read_cohort_study(found)
    assert np.array_equal(study.labels.labels, masks)
    assert set(study.centroids) == {Level(n) for n in NUMBERS}


@pytest.mark.parametrize("axes", ["LPS", "PIR", "IAL", "RSP"])
def test_image_mask_and_centroids_mean_the_same_whatever_the_files_axes(tmp_path: Path, axes: str) -> None:
    write_image(tmp_path, "p1", 1, axes)
    (found,) = find_images(tmp_path)
    study = read_cohort_study(found)
    ct, masks = drawn_ct(1)
    assert np.array_equal(study.ct.hu, ct.hu)
    assert np.array_equal(study.labels.labels, masks)
    expected = mask_means(LabelMap(ct.grid, masks))
    for level, point in study.centroids.items():
        assert np.allclose(point, expected[level], atol=0.16)  # one decimal of a 3 mm voxel


@settings(max_examples=25, deadline=None)
@given(axes=ORIENTATIONS, told=ORIENTATIONS, points=st.lists(st.floats(0, 20), min_size=3, max_size=3))
def test_centroids_in_another_direction_are_turned(axes: str, told: str, points: list[float]) -> None:
    grid = stored(axes)
    want = grid.to_lps_mm(np.array([points]))[0]
    other = stored(told)
    index = other.to_voxel(want[None])[0]
    entries = [{"direction": list(told)}, {"label": 20, "X": index[0], "Y": index[1], "Z": index[2]}]
    path = Path("/dev/shm") / "wirbel-centroids-test.json"
    path.write_text(json.dumps(entries))
    try:
        got = read_centroids(path, grid)[Level.L1]
    finally:
        path.unlink()
    assert np.allclose(got, want, atol=1e-6)


def stored(axes: str) -> Grid:
    """The grid of a 21 x 31 x 41 mm block with the file's axes."""
    block = nib.Nifti1Image(np.zeros((21, 31, 41), np.uint8), np.diag([-1.0, -1.0, 1.0, 1.0]))
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(block.affine), nib.orientations.axcodes2ornt(tuple(axes))
    )
    turned = block.as_reoriented(turn)
    grid = Grid(turned.shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ turned.affine)
    assert axis_letters(grid) == tuple(axes)
    return grid


def test_centroids_written_and_read_again_are_the_same_to_a_decimal(tmp_path: Path) -> None:
    grid = stored("PIR")
    points = {Level.L2: np.array([3.25, -2.5, 10.0]), Level.T12: np.array([-1.0, -20.0, 30.0])}
    write_centroids(tmp_path / "c.json", points, grid)
    plain = json.loads((tmp_path / "c.json").read_text())
    assert plain[0] == {"direction": ["P", "I", "R"]}
    assert [entry["label"] for entry in plain[1:]] == [19, 21]
    again = read_centroids(tmp_path / "c.json", grid)
    assert all(np.abs(again[level] - points[level]).max() <= 0.051 for level in points)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "no JSON"),
        ("{}", "no list of centroids"),
        ('[{"direction": ["P", "P", "R"]}]', "not three letters"),
        ('[{"direction": ["P", "I", "R"]}, {"label": 20, "X": 1}]', "without label, X, Y and Z"),
        ('[{"label": 20, "X": 1, "Y": 1, "Z": 1}, {"label": 20, "X": 1, "Y": 1, "Z": 1}]', "L1 is there twice"),
    ],
)
def test_what_is_no_file_of_centroids_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "sub-p_seg-subreg_ctd.json"
    path.write_text(text)
    with pytest.raises(InputRejected, match=words):
        read_centroids(path, stored("PIR"))


def test_older_centroids_and_nan_entries_are_read_as_the_authors_code_does(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(
        '{"vertebralCentroids": [{"direction": ["L", "P", "S"]}, {"label": 20, "X": 1, "Y": 2, "Z": 3}, '
        '{"label": 21, "X": NaN, "Y": NaN, "Z": NaN}, {"label": 41, "X": 1, "Y": 2, "Z": 3}]}'
    )
    found = read_centroids(path, stored("LPS"))
    assert set(found) == {Level.L1}
    assert np.allclose(found[Level.L1], stored("LPS").to_lps_mm(np.array([[1.0, 2.0, 3.0]]))[0])


def test_predictions_have_the_authors_form_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "sub-p1_pred.json"
    told = FilePredictions(
        "sub-p1", (Prediction(Level.L1, False, True), Prediction(Level.T12, True, False))
    )
    write_predictions(path, told)
    assert path.read_text() == (
        '{"FileID": "sub-p1", "T12": {"pred": 1, "uncert": 0}, "L1": {"pred": 0, "uncert": 1}}\n'
    )
    assert read_predictions(path) == told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "no FileID"),
        ('{"FileID": "a", "Q1": {"pred": 1, "uncert": 0}}', "'Q1' is no vertebra"),
        ('{"FileID": "a", "L1": {"pred": 2, "uncert": 0}}', "must be 0 or 1"),
        ('{"FileID": "a", "L1": 1}', "must be 0 or 1"),
    ],
)
def test_what_is_no_file_of_predictions_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "sub-a_pred.json"
    path.write_text(text)
    with pytest.raises(InputRejected, match=words):
        read_predictions(path)


def test_a_folder_without_images_is_refused_and_hidden_folders_are_not_looked_into(tmp_path: Path) -> None:
    write_image(tmp_path / ".import", "p1", 1)
    with pytest.raises(UsageError, match="has no rawdata"):
        find_images(tmp_path)


def test_a_description_tells_a_simulated_cohort(tmp_path: Path) -> None:
    assert not is_simulated(tmp_path)
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.9.0", "Simulated": true}')
    assert is_simulated(tmp_path)


@pytest.mark.parametrize("name", ["verse004", "verse010"])
def test_verses_own_centroids_lie_in_their_vertebrae(data_dir: Path, tmp_path: Path, name: str) -> None:
    image, grid, centroids = verse(data_dir, tmp_path, name, f"sub-{name}")
    for level, point in centroids.items():
        index = np.rint(grid.to_voxel(point[None])[0]).astype(int)
        assert int(image.dataobj[tuple(index)]) == level
    assert len(centroids) >= 5


@pytest.mark.slow
def test_verses_indices_count_from_0(data_dir: Path, tmp_path: Path) -> None:
    """C1 has no body: its centroid is the mean of its mask, which tells how VerSe counts voxels."""
    image, grid, centroids = verse(data_dir, tmp_path, "gl017", "sub-gl017")
    own = np.argwhere(np.asarray(image.dataobj) == Level.C1)
    assert np.abs(grid.to_voxel(centroids[Level.C1][None])[0] - own.mean(0)).max() <= 0.051


def verse(
    data_dir: Path, home: Path, name: str, stem: str
) -> tuple[nib.Nifti1Image, Grid, dict[Level, np.ndarray]]:
    """A mask of the hand-out laid out as the authors want it (itself in the CT's place), and its centroids."""
    mask = data_dir / "masks" / name / f"{stem}_seg-vert_msk.nii.gz"
    for part in ("rawdata", "derivatives"):
        (home / part / stem).mkdir(parents=True)
    (home / "rawdata" / stem / f"{stem}_ct.nii.gz").symlink_to(mask)
    for part in ("seg-vert_msk.nii.gz", "seg-subreg_ctd.json"):
        (home / "derivatives" / stem / f"{stem}_{part}").symlink_to(mask.parent / f"{stem}_{part}")
    (found,) = find_images(home)
    assert found.mask is not None
    assert found.centroids is not None
    image = nib.load(mask)
    grid = Grid(image.shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine)
    assert grid.same_as(stored_grid(found, grid))
    return image, grid, read_centroids(found.centroids, grid)
