"""A thin epidural layer on the posterior wall: seen, with about its volume; a denser canal everywhere is none."""

import importlib.util
import sys
from pathlib import Path

import pytest

from wirbel.finding.signs import Sign, SignSettings, signs_of_all

SPEC = importlib.util.spec_from_file_location("drawn_vertebrae", Path(__file__).parent / "drawn_vertebrae.py")
drawn = importlib.util.module_from_spec(SPEC)
sys.modules.setdefault("drawn_vertebrae", drawn)
SPEC.loader.exec_module(drawn)
#: 14 mm wide, 2.5 mm thick, 14 mm tall, right behind the wall.
LAYER = drawn.lytic(drawn.box((-7.0, 14.2, -7.0), (7.0, 16.7, 7.0)), 50.0)
LAYER_MM3 = 14.0 * 2.5 * 14.0


def epidural_mm3(column: object) -> float:
    (signs,) = signs_of_all(
        column.ct, column.spine, column.measures, SignSettings(), column.acquisition, labels=[2]
    )
    value = signs.values.of(Sign.EPIDURAL)
    assert isinstance(value, float)
    return value


def test_a_layer_thinner_than_what_the_canals_own_reading_leaves_out_is_seen() -> None:
    seen = drawn.column(drawn.Drawn(paints=(LAYER,)), scan=drawn.Scan(noise_hu=12.0))
    assert epidural_mm3(seen) == pytest.approx(LAYER_MM3, rel=0.5)


def test_what_all_vertebrae_have_behind_their_walls_is_no_mass() -> None:
    both = drawn.Drawn(paints=(LAYER,))
    assert epidural_mm3(drawn.column(both, others=both)) == 0.0
