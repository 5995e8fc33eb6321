"""Endplates eroded on both sides of a disc, against the exact truth of analytic vertebrae."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wirbel.finding.signs import Sign, Signs, SignSettings, picture_of, signs_of_all, stands_out
from wirbel.spine import Spine
from wirbel.vertebra import NotMeasured, Reason
from wirbel.volume import LabelMap

SPEC = importlib.util.spec_from_file_location("drawn_vertebrae", Path(__file__).parent / "drawn_vertebrae.py")
drawn = importlib.util.module_from_spec(SPEC)
sys.modules.setdefault("drawn_vertebrae", drawn)
SPEC.loader.exec_module(drawn)
Drawn, Scan, box, column, lytic = drawn.Drawn, drawn.Scan, drawn.box, drawn.column, drawn.lytic
HALF = drawn.HALF_HEIGHT
#: Soft tissue in place of 18 mm by 16 mm of a plate and 3 mm below it.
LOWER = Drawn(paints=(lytic(box((-9.0, -9.0, -HALF - 0.5), (9.0, 7.0, -HALF + 3.0))),))
UPPER = Drawn(paints=(lytic(box((-9.0, -9.0, HALF - 3.0), (9.0, 7.0, HALF + 0.5))),))
THIN = Scan(noise_hu=25.0, pitch_mm=28.0)


def signs_of(seen: object, label: int = 2) -> Signs:
    (signs,) = signs_of_all(seen.ct, seen.spine, seen.measures, SignSettings(), seen.acquisition, labels=[label])
    return signs


def share(seen: object, label: int = 2) -> float:
    value = signs_of(seen, label).values.of(Sign.ENDPLATES)
    assert isinstance(value, float), value
    return value


def without(spine: Spine, label: int) -> Spine:
    """A vertebra that no mask names."""
    kept = np.where(spine.instances.labels == label, 0, spine.instances.labels)
    return replace(spine, instances=LabelMap(spine.instances.grid, kept))


@pytest.fixture(scope="module")
def infected():
    """The disc below the middle vertebra: its lower plate, and the upper ones of the others."""
    return column(LOWER, others=UPPER, scan=THIN)


def test_plates_eroded_on_both_sides_of_one_disc_are_read_and_stand_out(infected) -> None:
    signs = signs_of(infected)
    # 288 mm2 of about 550 mm2 inside the rim, of both plates
    assert 0.3 < share(infected) < 0.65
    assert stands_out(signs, Sign.ENDPLATES)


def test_the_neighbour_sees_the_same_disc_where_it_is_the_only_one_in_view(infected) -> None:
    """The scan's usual plate is then the own lower one, which no other faces."""
    assert share(infected, 3) == pytest.approx(share(infected), abs=0.12)


def test_the_place_lies_at_the_disc_and_has_a_picture(infected) -> None:
    signs = signs_of(infected)
    mark, frame = signs.evidence[Sign.ENDPLATES], infected.measures[1].frame
    up = (mark.grid.to_lps_mm(np.argwhere(mark.labels > 0).astype(float)) - frame.origin_lps_mm) @ frame.superior
    assert up.max() < -HALF + 3.0
    assert up.min() < -HALF - 2.0  # the facing plate lies 4 mm below
    picture = picture_of(infected.ct, infected.spine, signs, frame, Sign.ENDPLATES)
    assert picture is not None and picture.overlay.any()


@pytest.mark.parametrize(
    ("own", "others"),
    [(LOWER, Drawn()), (Drawn(), UPPER), (UPPER, UPPER)],
    ids=["own plate alone", "facing plate alone", "no two that face each other"],
)
def test_one_plate_alone_counts_nothing(own, others) -> None:
    assert share(column(own, others=others, scan=THIN)) < 0.02


@pytest.mark.parametrize("grow_mm", [-1.0, 1.0])
def test_a_mask_wrong_by_a_millimetre_changes_little(grow_mm: float) -> None:
    assert 0.25 < share(column(LOWER, others=UPPER, scan=replace(THIN, grow_mm=grow_mm))) < 0.7


def test_without_neighbours_nothing_is_measured_and_the_reason_is_told(infected) -> None:
    alone = replace(infected, spine=without(without(infected.spine, 1), 3))
    value = signs_of(alone).values.of(Sign.ENDPLATES)
    assert isinstance(value, NotMeasured) and value.reason is Reason.NO_NEIGHBOURS


def test_a_disc_whose_other_plate_is_not_in_view_is_none(infected) -> None:
    """Without the vertebra below only the sound disc above is read."""
    assert share(replace(infected, spine=without(infected.spine, 3))) < 0.02


def test_thick_slices_tell_no_plates(infected) -> None:
    value = signs_of(drawn.with_acquisition(infected, 2.5)).values.of(Sign.ENDPLATES)
    assert isinstance(value, NotMeasured) and value.reason is Reason.TOO_COARSE
