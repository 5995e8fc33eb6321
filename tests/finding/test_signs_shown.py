"""How signs are said and shown: JSON with units, and pictures as data."""

import importlib.util
import json
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from wirbel.finding.signs import (
    Sign,
    SignPlane,
    Signs,
    SignSettings,
    SignValues,
    picture_of,
    signs_of_all,
    to_json,
    unit_of,
)
from wirbel.vertebra import NotMeasured, Reason

SPEC = importlib.util.spec_from_file_location("drawn_vertebrae_shown", Path(__file__).parent / "drawn_vertebrae.py")
drawn = importlib.util.module_from_spec(SPEC)
sys.modules["drawn_vertebrae_shown"] = drawn
SPEC.loader.exec_module(drawn)


@lru_cache(maxsize=1)
def sick() -> tuple[object, Signs]:
    gas = drawn.lytic(drawn.ball(4.0, 2.0, 2.0, 3.5), -1000.0)
    hole = drawn.lytic(drawn.ball(0.0, -14.0, 0.0, 7.0))
    seen = drawn.column(drawn.Drawn(paints=(gas, hole)), scan=drawn.Scan(lean_deg=15.0))
    (signs,) = signs_of_all(seen.ct, seen.spine, seen.measures, SignSettings(), seen.acquisition, labels=[2])
    return seen, signs


def test_json_says_every_sign_with_its_unit_or_the_reason() -> None:
    _, signs = sick()
    said = json.loads(json.dumps(to_json(signs)))
    assert said["label"] == 2
    assert said["references"] == [1, 3]
    assert set(said["signs"]) == {sign.value for sign in Sign}
    assert said["signs"]["vacuum_mm3"]["unit"] == "mm3"
    assert said["signs"]["cortex_destroyed_fraction"]["value"] > 0.05
    assert said["signs"]["retropulsion_angle_deg"] == {"not_measured": "not_present", "detail": "no retropulsion"}


def test_every_sign_has_a_unit() -> None:
    units = {sign: unit_of(sign) for sign in Sign}
    assert units[Sign.LINE_SHARPNESS] == "HU/mm"
    assert units[Sign.CANAL] == "%"
    assert units[Sign.CORTEX] == "1"


def test_a_blank_keeps_its_reason_in_every_field() -> None:
    why = NotMeasured(Reason.METAL, "40 mm3")
    assert {SignValues.blank(why).of(sign) for sign in Sign} == {why}


def test_evidence_lies_where_the_lesion_was_drawn() -> None:
    seen, signs = sick()
    evidence = signs.evidence[Sign.VACUUM]
    points = evidence.grid.to_lps_mm(np.argwhere(evidence.labels > 0).astype(float))
    frame = seen.measures[1].frame
    arm = points.mean(axis=0) - frame.origin_lps_mm
    place = [arm @ frame.left, -(arm @ frame.anterior), arm @ frame.superior]
    assert np.allclose(place, [4.0, 2.0, 2.0], atol=1.2)


def test_a_picture_shows_the_sign_in_the_plane_a_reader_looks_for_it() -> None:
    seen, signs = sick()
    frame = seen.measures[1].frame
    gas = picture_of(seen.ct, seen.spine, signs, frame, Sign.VACUUM)
    assert gas.plane is SignPlane.SAGITTAL
    assert gas.hu[gas.overlay].mean() < -400.0
    assert gas.hu[gas.vertebra & ~gas.overlay].mean() > 50.0
    hole = picture_of(seen.ct, seen.spine, signs, frame, Sign.CORTEX)
    assert hole.plane is SignPlane.AXIAL
    rows, columns = np.nonzero(hole.overlay)
    # anterior is up, and the hole lies in the middle of the front wall
    assert rows.mean() < np.nonzero(hole.vertebra)[0].mean()
    assert abs(columns.mean() - 0.5 * hole.hu.shape[1]) * hole.pixel_mm < 4.0


def test_what_is_absent_has_no_picture() -> None:
    seen, signs = sick()
    assert picture_of(seen.ct, seen.spine, signs, seen.measures[1].frame, Sign.EPIDURAL) is None
    assert picture_of(seen.ct, seen.spine, signs, seen.measures[1].frame, Sign.DENSITY) is None
