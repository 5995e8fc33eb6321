"""What every `Segmenter` keeps: one suite over all of them.

A new segmenter of drawn blocks is added to `SEGMENTERS`, as a function from the drawn masks to the segmenter; the
shipped networks see a drawn person, and a CT without a spine.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wirbel.network import load_spine_segmenter
from wirbel.network.totalsegmentator import TotalSegmentatorSegmenter
from wirbel.phantom import AnatomySettings, draw_anatomy, random_scanner, whole_grid
from wirbel.phantom.simulate import simulate
from wirbel.spine import Level, Part, Segmenter, SpineSettings, name_levels
from wirbel.volume import Grid, LabelMap, Volume

_spec = importlib.util.spec_from_file_location("segmenters", Path(__file__).with_name("segmenters.py"))
drawn = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(drawn)


def replayed_totalsegmentator(masks: LabelMap) -> TotalSegmentatorSegmenter:
    table = np.zeros(256, np.uint8)
    for level in Level:
        table[level.value] = level.totalsegmentator or 0
    return TotalSegmentatorSegmenter(lambda _: LabelMap(masks.grid, table[masks.labels]), "replayed")


SEGMENTERS = {
    "fake": lambda masks: drawn.FakeSegmenter(),
    "masks": drawn.MasksSegmenter,
    "totalsegmentator": replayed_totalsegmentator,
}


#: Segmenter, the CT it sees, and how many vertebrae it must find there at least.
Subject = tuple[Segmenter, Volume, int]


def on_blocks(name: str) -> Subject:
    ct, masks = drawn.drawn_ct()
    return SEGMENTERS[name](masks), ct, 4


def network_without_a_spine() -> Subject:
    hu = np.random.default_rng(3).normal(40, 15, (40, 48, 48)).astype(np.int16)
    return load_spine_segmenter(threads=1), Volume(Grid.axis_aligned(hu.shape, (3.0, 3.0, 3.0)), hu), 0


def network_on_a_drawn_person() -> Subject:
    rng = np.random.default_rng(810_001)
    anatomy = draw_anatomy(rng, AnatomySettings(variant_chance=0.0))
    z = {v.level: float(v.centre_lps_mm[2]) for v in anatomy.truth.vertebrae}
    whole = whole_grid(anatomy, (2.0, 2.0, 2.0))
    low, high = (int(whole.to_voxel(np.array([[0.0, 0.0, z[level]]]))[0, 0]) for level in (Level.L4, Level.T9))
    grid = whole.cropped((low, 0, 0), (high, whole.shape[1], whole.shape[2]))
    return load_spine_segmenter(threads=1), simulate(anatomy, grid, random_scanner(rng), rng).ct, 3


SUBJECTS: dict[str, Callable[[], Subject]] = {
    **{name: (lambda name=name: on_blocks(name)) for name in sorted(SEGMENTERS)},
    "network without a spine": network_without_a_spine,
    "network on a drawn person": network_on_a_drawn_person,
}
_SLOW = {"network on a drawn person"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.slow if name in _SLOW else ()) for name in SUBJECTS],
)
def seen(request):
    """Segmenter, CT, least number of vertebrae; the CT's values before; the evidence."""
    segmenter, ct, least = SUBJECTS[request.param]()
    before = ct.hu.copy()
    return segmenter, ct, least, before, segmenter(ct)


@pytest.fixture
def whole(seen):
    """A CT, its evidence, the segmenter, and the CT's values before."""
    segmenter, ct, _, before, evidence = seen
    return ct, evidence, segmenter, before


def test_it_finds_what_is_there(seen) -> None:
    _, _, least, _, evidence = seen
    assert len(evidence.vertebrae) >= least
    assert least > 0 or not evidence.vertebrae


def test_it_is_a_segmenter(whole) -> None:
    assert isinstance(whole[2], Segmenter)


def test_it_keeps_the_ct_as_it_was(whole) -> None:
    ct, _, _, before = whole
    assert np.array_equal(ct.hu, before)


def test_it_answers_on_one_canonical_grid(whole) -> None:
    _, evidence, _, _ = whole
    assert evidence.instances.grid.is_canonical
    assert evidence.instances.grid.same_as(evidence.parts.grid)


def test_what_it_labels_lies_in_the_cts_field_of_view(whole) -> None:
    ct, evidence, _, _ = whole
    grid = evidence.instances.grid
    labelled = np.argwhere((evidence.instances.labels > 0) | (evidence.parts.labels > 0)).astype(np.float64)
    spacing_mm = np.array(ct.grid.spacing_mm)
    at = ct.grid.to_voxel(grid.to_lps_mm(labelled))
    out_mm = np.maximum(-0.5 - at, at - (np.array(ct.grid.shape) - 0.5)) * spacing_mm
    # masks interpolated from coarser voxels end up to one such voxel outside
    assert not len(at) or out_mm.max() <= 2.0, f"{(out_mm > 2).sum()} voxels, up to {out_mm.max():.0f} mm out"


def test_labels_run_from_one_from_above_and_cover_the_instances(whole) -> None:
    _, evidence, _, _ = whole
    labels = [v.label for v in evidence.vertebrae]
    assert labels == list(range(1, len(labels) + 1))
    assert set(np.unique(evidence.instances.labels)) - {0} == set(labels)
    heights = [v.centre_lps_mm[2] for v in evidence.vertebrae]
    assert heights == sorted(heights, reverse=True)


def test_every_vertebra_has_a_body_around_its_centre(whole) -> None:
    _, evidence, _, _ = whole
    for v in evidence.vertebrae:
        z, y, x = np.round(evidence.instances.grid.to_voxel(v.centre_lps_mm[None])[0]).astype(int)
        assert evidence.instances.labels[z, y, x] == v.label
        assert evidence.parts.labels[z, y, x] == Part.BODY


def test_vertebrae_consist_of_body_and_posterior_elements_alone(whole) -> None:
    _, evidence, _, _ = whole
    inside = np.unique(evidence.parts.labels[evidence.instances.labels > 0])
    assert set(inside) <= {Part.BODY, Part.POSTERIOR}
    assert set(np.unique(evidence.parts.labels)) <= {0, *Part}


def test_probabilities_are_probabilities_or_said_to_be_unknown(whole) -> None:
    _, evidence, _, _ = whole
    for p in (evidence.sacrum_below, evidence.skull_above, *(v.rib_probability for v in evidence.vertebrae)):
        assert p is None or 0.0 <= p <= 1.0
    for v in evidence.vertebrae:
        assert 0.0 <= v.score <= 1.0
        assert sum(np.exp(p) for p in v.level_log_probability.values()) <= 1.0 + 1e-6


def test_it_says_who_it_is(whole) -> None:
    assert whole[1].source


def test_it_gives_the_same_answer_twice(whole) -> None:
    ct, evidence, segmenter, _ = whole
    again = segmenter(ct)
    assert np.array_equal(again.instances.labels, evidence.instances.labels)
    assert np.array_equal(again.parts.labels, evidence.parts.labels)


def test_its_evidence_can_be_named_or_refused(whole) -> None:
    spine = name_levels(whole[1], SpineSettings())
    assert len(spine.vertebrae) == len(whole[1].vertebrae)


@pytest.mark.parametrize("name", sorted(SEGMENTERS))
def test_only_the_body_that_the_border_cuts_is_marked(name) -> None:
    ct, masks = drawn.drawn_ct(cut=True)
    assert [v.cut_by_border for v in SEGMENTERS[name](masks)(ct).vertebrae] == [False, False, False, True]
