"""The curved views: what lies where, in millimetres of the patient."""

import tracemalloc

import numpy as np
import pytest

from wirbel.report.overview import spread
from wirbel.report.straighten import View, reformat
from wirbel.study import StudyResult
from wirbel.volume import Volume

Study = tuple[StudyResult, Volume]


@pytest.mark.parametrize("view", ["sagittal", "coronal"])
def test_every_body_lies_where_the_picture_places_its_centre(clear_study: Study, view: View) -> None:
    result, ct = clear_study
    picture = reformat(ct, result.spine, view, slice_axis=0)
    for vertebra in result.spine.vertebrae:
        rows, columns = np.nonzero((picture.labels == vertebra.label) & picture.body)
        seen_mm = (columns.mean() + 0.5) * picture.pixel_mm, (rows.mean() + 0.5) * picture.pixel_mm
        assert seen_mm == pytest.approx(picture.place_mm(vertebra.centre_lps_mm), abs=1.2)


def test_the_sagittal_view_runs_from_head_to_feet_and_front_to_back(clear_study: Study) -> None:
    result, ct = clear_study
    picture = reformat(ct, result.spine, "sagittal", slice_axis=0)
    first, last = result.spine.vertebrae[0], result.spine.vertebrae[-1]
    assert picture.place_mm(first.centre_lps_mm)[1] < picture.place_mm(last.centre_lps_mm)[1]
    behind = first.centre_lps_mm + np.array([0.0, 10.0, 0.0])
    assert picture.place_mm(behind)[0] - picture.place_mm(first.centre_lps_mm)[0] == pytest.approx(10)


def test_the_patients_right_is_on_the_left_of_the_coronal_view(clear_study: Study) -> None:
    result, ct = clear_study
    picture = reformat(ct, result.spine, "coronal", slice_axis=0)
    centre = result.spine.vertebrae[0].centre_lps_mm
    assert picture.place_mm(centre - np.array([10.0, 0.0, 0.0]))[0] < picture.place_mm(centre)[0]


def test_bone_is_where_the_masks_are(clear_study: Study) -> None:
    result, ct = clear_study
    picture = reformat(ct, result.spine, "sagittal", slice_axis=0)
    assert picture.hu[picture.labels > 0].mean() > 150
    assert np.abs(picture.hu[(picture.labels == 0) & (picture.hu > -200)]).mean() < 120


def test_the_column_without_vertebrae_is_the_middle_plane(empty_study: Study) -> None:
    result, ct = empty_study
    picture = reformat(ct, result.spine, "sagittal", slice_axis=0)
    assert np.ptp(picture.path_lps_mm[:, 0]) == 0
    assert not picture.labels.any()


def test_slice_numbers_span_the_picture(clear_study: Study) -> None:
    result, ct = clear_study
    picture = reformat(ct, result.spine, "sagittal", slice_axis=0)
    assert 0 <= picture.first_slice < picture.last_slice <= picture.slices - 1 == ct.grid.shape[0] - 1
    tall_mm = (picture.last_slice - picture.first_slice) * ct.grid.spacing_mm[0]
    assert tall_mm == pytest.approx(picture.height_mm, abs=2 * ct.grid.spacing_mm[0])


def test_the_input_is_not_copied_into_floats(clear_study: Study) -> None:
    result, ct = clear_study
    picture = reformat(ct, result.spine, "sagittal", slice_axis=0)
    tracemalloc.start()
    reformat(ct, result.spine, "sagittal", slice_axis=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 160 * picture.hu.size + 1_000_000  # bytes, whatever the size of the volume


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ([0.0, 50.0, 100.0], [0.0, 50.0, 100.0]),
        ([10.0, 12.0, 14.0], [10.0, 30.0, 50.0]),
        ([90.0, 95.0, 99.0], [60.0, 80.0, 100.0]),
    ],
)
def test_names_keep_their_order_and_their_distance(wanted: list[float], places: list[float]) -> None:
    assert spread(wanted, 20.0, 0.0, 100.0) == pytest.approx(places)
