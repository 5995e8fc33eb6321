"""TotalSegmentator's masks as evidence; the package itself and its weights are not needed."""

import nibabel as nib
import numpy as np
import pytest

from wirbel.errors import ModelError
from wirbel.network.totalsegmentator import (
    CLASSES,
    TotalSegmentatorSegmenter,
    as_labels,
    as_nifti,
    weights_must_be_there,
)
from wirbel.spine import Level, NumberingStatus, Segmenter, SpineSettings, name_levels
from wirbel.volume import Grid, LabelMap, Volume
from wirbel.volume.resample import canonical

GRID = Grid.axis_aligned((60, 40, 40), (3.0, 3.0, 3.0), (10.0, 20.0, -30.0))


def ct() -> Volume:
    return Volume(GRID, np.random.default_rng(0).integers(-100, 900, GRID.shape).astype(np.int16))


def bodies(numbers: tuple[int, ...]) -> np.ndarray:
    labels = np.zeros(GRID.shape, np.uint8)
    for i, number in enumerate(numbers):
        labels[50 - 11 * i : 58 - 11 * i, 12:24, 12:28] = number
    return labels


def segmenter(labels: np.ndarray) -> TotalSegmentatorSegmenter:
    return TotalSegmentatorSegmenter(lambda _: LabelMap(GRID, labels), "TotalSegmentator, replayed")


def test_its_numbers_become_given_names() -> None:
    engine = segmenter(bodies((31, 30, 29, 28, 27)))
    assert isinstance(engine, Segmenter)
    spine = name_levels(engine(ct()), SpineSettings())
    assert [v.level for v in spine.vertebrae] == [Level.L1, Level.L2, Level.L3, Level.L4, Level.L5]
    assert spine.numbering.status is NumberingStatus.GIVEN
    assert spine.source == "TotalSegmentator, replayed"


def test_organs_and_ribs_of_the_whole_task_are_left_out() -> None:
    labels = bodies((30, 29, 28, 27))
    labels[:8, :6, :6] = 5
    labels[30:50, 36:, :] = 92
    assert [v.given for v in segmenter(labels)(ct()).vertebrae] == [Level.L2, Level.L3, Level.L4, Level.L5]


def test_the_sacrum_below_is_seen() -> None:
    assert segmenter(bodies((29, 28, 27, 26)))(ct()).sacrum_below == 1.0


@pytest.mark.parametrize("numbers", [(), (26,), (5, 51)])
def test_a_ct_without_vertebrae_gives_none(numbers) -> None:
    assert segmenter(bodies(numbers))(ct()).vertebrae == ()


def test_a_ct_goes_to_nifti_and_back_to_the_same_place() -> None:
    volume = ct()
    image = as_nifti(volume)
    assert nib.aff2axcodes(image.affine) == ("L", "P", "S")
    marked = np.zeros(image.shape, np.uint8)
    marked[5, 6, 7] = 30
    back = as_labels(nib.Nifti1Image(marked, image.affine))
    place = back.grid.to_lps_mm(np.argwhere(back.labels == 30).astype(float))
    assert np.allclose(place, volume.grid.to_lps_mm(np.array([[7.0, 6.0, 5.0]])))
    hu = Volume(back.grid, np.asarray(image.dataobj))
    assert np.array_equal(canonical(hu).hu, volume.hu)


def test_every_class_asked_for_has_a_number() -> None:
    assert len(CLASSES) == len(set(CLASSES)) == 26
    assert {"sacrum", "vertebrae_S1", "vertebrae_L5", "vertebrae_C1"} <= set(CLASSES)
    assert "vertebrae_L6" not in CLASSES


def test_missing_weights_are_refused_before_anything_goes_online(tmp_path) -> None:
    (tmp_path / "Dataset298_TotalSegmentator_total_6mm_1559subj").mkdir()
    with pytest.raises(ModelError, match="Dataset292"):
        weights_must_be_there(tmp_path)
    (tmp_path / "Dataset292_TotalSegmentator_part2_vertebrae_1532subj").mkdir()
    weights_must_be_there(tmp_path)


@pytest.mark.data
def test_masks_that_totalsegmentator_made_are_read_as_such(data_dir) -> None:
    folder = data_dir / "ct" / "totalseg-example-ct"
    made = as_labels(nib.load(folder / "vertebrae.nii.gz"))
    image = nib.load(folder / "ct.nii.gz")
    real = canonical(Volume(as_labels(image).grid, np.asarray(image.dataobj).astype(np.int16)))
    spine = name_levels(TotalSegmentatorSegmenter(lambda _: made, "replayed")(real), SpineSettings())
    assert [v.name for v in spine.vertebrae] == ["T12", "L1", "L2", "L3", "L4", "L5"]
