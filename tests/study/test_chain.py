"""The whole chain on a small drawn column, with masks as the segmenter."""

from dataclasses import replace

import numpy as np
import pytest

from wirbel.errors import InputRejected, UsageError
from wirbel.finding import Verdict
from wirbel.spine import Level, NumberingStatus, evidence_from_masks
from wirbel.spine.shift import NamedVertebra
from wirbel.study import Series, SeriesRef, Settings, StudySeries, analyse, flat
from wirbel.study.no_spine import must_have_a_whole_one
from wirbel.vertebra import BodyHeights, Density, NotMeasured, Reason
from wirbel.volume import Acquisition, Grid, Kernel, LabelMap, Plane, Volume

NUMBERS, PITCH_MM, HEIGHT_MM = (20, 21, 22), 34.0, 26.0


class InMemory:
    """A series that counts how often it was released."""

    def __init__(self, volume: Volume, *, kernel: Kernel = Kernel.SOFT, sha256: str = "a" * 64) -> None:
        self._volume = volume
        self._ref = SeriesRef(
            "drawn", sha256, "CT", volume.grid.shape[0],
            Acquisition(Plane.AXIAL, 2.0, 2.0, kernel, None, 120.0), 2.0,
        )  # fmt: skip
        self.released = 0

    @property
    def volume(self) -> Volume:
        return self._volume

    @property
    def ref(self) -> SeriesRef:
        return self._ref

    def release(self) -> None:
        self.released += 1


def column(core_hu: float = 140.0) -> tuple[Volume, LabelMap]:
    """Three bodies L1-L3 in soft tissue, 2 mm."""
    grid = Grid.axis_aligned((62, 50, 50), (2.0, 2.0, 2.0), (-49.0, -49.0, 0.0))
    z, y, x = (grid.to_lps_mm(np.indices(grid.shape).reshape(3, -1).T.astype(float)).T[i] for i in (2, 1, 0))
    hu = np.full(z.size, 40.0)
    masks = np.zeros(z.size, np.uint8)
    for i, number in enumerate(NUMBERS):
        up = np.abs(z - (113.0 - PITCH_MM * (i + 0.5)))
        body = (up < HEIGHT_MM / 2) & ((x / 20) ** 2 + (y / 15) ** 2 < 1)
        core = (up < HEIGHT_MM / 2 - 2) & ((x / 18) ** 2 + (y / 13) ** 2 < 1)
        hu[body], hu[core], masks[body] = 500.0, core_hu, number
    return Volume(grid, hu.reshape(grid.shape).astype(np.int16)), LabelMap(grid, masks.reshape(grid.shape))


@pytest.fixture(scope="module")
def drawn():
    return column()


@pytest.fixture(scope="module")
def segment(drawn):
    return lambda ct: evidence_from_masks(drawn[1], numbering="verse", ct_grid=ct.grid)


@pytest.fixture(scope="module")
def result(drawn, segment):
    series = InMemory(drawn[0])
    assert isinstance(series, Series)
    return analyse(StudySeries(series, series, series), segment=segment, settings=Settings(), bundles={"b": "c"})


def test_every_vertebra_has_measures_a_finding_and_a_cause(result):
    labels = [v.label for v in result.spine.vertebrae]
    assert [v.level for v in result.spine.vertebrae] == [Level.L1, Level.L2, Level.L3]
    assert [m.label for m in result.measures] == labels
    assert [f.label for f in result.findings.vertebrae] == labels
    assert [c.label for c in result.etiology.vertebrae] == labels


def test_drawn_heights_are_measured_to_less_than_a_voxel(result):
    for measures in result.measures:
        assert isinstance(measures.heights, BodyHeights)
        for height_mm in (measures.heights.median.anterior_mm, measures.heights.median.posterior_mm):
            assert height_mm == pytest.approx(HEIGHT_MM, abs=1.5)


def test_whole_boxes_are_no_fractures(result):
    assert Verdict.FRACTURE not in {finding.verdict for finding in result.findings.vertebrae}


def test_the_cause_is_a_blank_with_its_reason(result):
    assert {c.answer for c in result.etiology.vertebrae} == {NotMeasured(Reason.NO_CLASSIFIER)}


def test_the_provenance_names_segmenter_bundles_and_settings(result):
    assert result.provenance.segmenter == "masks (verse numbering)"
    assert dict(result.provenance.bundles) == {"b": "c"}
    assert result.provenance.settings["finding.grade.losses"] == [0.2, 0.25, 0.4]
    assert result.provenance.started is None


def test_density_comes_from_its_own_series_which_is_released_after_use(drawn, segment):
    main = InMemory(drawn[0], kernel=Kernel.BONE)
    soft = InMemory(column(core_hu=90.0)[0], sha256="b" * 64)
    result = analyse(StudySeries(main, main, soft), segment=segment, settings=Settings())
    for measures in result.measures:
        assert isinstance(measures.density, Density)
        assert measures.density.median_hu == pytest.approx(90.0, abs=5.0)
        assert isinstance(measures.heights, BodyHeights)
    assert (main.released, soft.released) == (0, 1)
    assert result.density_series.sha256 == "b" * 64


def test_a_readers_shift_and_a_named_vertebra_rename_the_column(drawn, segment):
    series = InMemory(drawn[0])
    study = StudySeries(series, series, series)
    shifted = analyse(study, segment=segment, settings=Settings(shift_levels=1))
    assert [v.name for v in shifted.spine.vertebrae] == ["L2", "L3", "L4"]
    named = analyse(study, segment=segment, settings=Settings(named=NamedVertebra(1, Level.T12)))
    assert [v.name for v in named.spine.vertebrae] == ["T12", "L1", "L2"]
    assert named.spine.numbering.status is NumberingStatus.SHIFTED
    with pytest.raises(UsageError):
        analyse(study, segment=segment, settings=Settings(shift_levels=9))


def test_no_vertebra_is_a_refusal_and_never_an_empty_report(drawn, segment):
    series = InMemory(drawn[0])
    with pytest.raises(InputRejected, match="no vertebra") as refused:
        analyse(
            StudySeries(series, series, series),
            segment=lambda ct: replace(segment(ct), vertebrae=()),
            settings=Settings(),
        )
    assert refused.value.code == "NO_VERTEBRA"


def test_a_ct_in_which_every_vertebra_is_cut_is_refused(drawn, segment):
    series = InMemory(drawn[0])

    def all_cut(ct):
        seen = segment(ct)
        return replace(seen, vertebrae=tuple(replace(v, cut_by_border=True) for v in seen.vertebrae))

    with pytest.raises(InputRejected, match="no whole vertebra: 3 seen") as refused:
        analyse(StudySeries(series, series, series), segment=all_cut, settings=Settings())
    assert refused.value.code == "NO_WHOLE_VERTEBRA"


@pytest.mark.parametrize(
    ("cut", "refused"),
    [
        ((False, False, True, True, True, True), True),
        ((True, False, False, False, False, True), False),
        ((True, True, False, False, True, True), False),
        ((True, False, True), False),
    ],
)
def test_a_side_of_the_image_through_the_column_is_refused_and_its_ends_are_not(cut, refused, drawn, segment):
    series = InMemory(drawn[0])
    whole = analyse(StudySeries(series, series, series), segment=segment, settings=Settings()).measures[1]
    edge = NotMeasured(Reason.TOUCHES_EDGE)
    measures = [replace(whole, heights=edge) if one else whole for one in cut]
    if not refused:
        must_have_a_whole_one(measures, series.ref)
        return
    with pytest.raises(InputRejected, match="3 of 4 vertebrae between") as said:
        must_have_a_whole_one(measures, series.ref)
    assert said.value.code == "NO_WHOLE_VERTEBRA"


def test_settings_become_flat_values_of_jsons_kinds():
    values = flat(Settings())
    assert values["shift_levels"] == 0
    assert values["vertebra.coarsest_mm"] == 3.05
    assert all(isinstance(v, bool | int | float | str | list) or v is None for v in values.values())
    assert all("." in key or key in {"shift_levels", "named"} for key in values)
