"""A tube that is followed further is the tube followed at once, and what was followed is not run again."""

import numpy as np
import pytest
from tests.network.test_maps import HEIGHTS, SEGMENT, blocks

from wirbel.network.session import Network
from wirbel.network.tubes import Tube, TubeSettings, even_line, segment_tube, stations

SETTINGS = TubeSettings(step_mm=30.0, bent=(1.0,) * 7)
NOTHING = np.empty((0, 3))
LINE = np.array([[60.0, 60.0, z] for z in (*HEIGHTS[::-1],)])


def counting() -> tuple[Network, list[int]]:
    """The network made by hand, and how often it was run."""
    runs = [0]

    def run(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        runs[0] += 1
        return SEGMENT.run(image)

    return Network(run, "onnxruntime"), runs


@pytest.mark.parametrize("first", [slice(0, 2), slice(2, 4), slice(1, 3)])
def test_what_is_found_piece_by_piece_is_what_is_found_at_once(first: slice) -> None:
    ct = blocks(HEIGHTS)
    whole = segment_tube(ct, LINE, SEGMENT, SETTINGS)
    network, runs = counting()
    tube = Tube(ct, network, SETTINGS)
    tube.follow(LINE[first])
    before = runs[0]
    tube.follow(LINE)
    assert 0 < runs[0] - before < 6
    maps = tube.maps()
    corner = whole.grid.to_voxel(maps.grid.to_lps_mm(np.zeros((1, 3))))[0]
    assert np.allclose(corner, np.round(corner))
    z, y, x = np.round(corner).astype(int)
    assert max(z, y, x) <= 0, "the longer way round never sees less"
    same = maps.classes[-z:, -y:, -x:][: whole.classes.shape[0], : whole.classes.shape[1], : whole.classes.shape[2]]
    assert np.mean(same != whole.classes) < 0.001
    assert np.array_equal(np.unique(maps.classes), np.unique(whole.classes))


def test_a_line_that_was_followed_is_not_followed_again() -> None:
    network, runs = counting()
    tube = Tube(blocks(HEIGHTS), network, SETTINGS)
    tube.follow(LINE)
    before, maps = runs[0], tube.maps()
    tube.follow(LINE + np.array([3.0, -4.0, 0.0]))
    assert runs[0] == before
    assert np.array_equal(tube.maps().classes, maps.classes)


def test_boxes_lie_at_even_steps_and_where_the_line_leaves_what_was_followed() -> None:
    line = np.array([[0.0, 0.0, 300.0], [0.0, 0.0, 0.0]])
    settings = TubeSettings(step_mm=60.0)
    assert stations(line, NOTHING, settings)[:, 2].tolist() == [300.0, 240.0, 180.0, 120.0, 60.0, 0.0]
    followed = even_line(np.array([[0.0, 0.0, 300.0], [0.0, 0.0, 150.0]]), 3.0)
    below = stations(line, followed, settings)[:, 2]
    assert below[-1] == 0.0 and len(below) == 3 and np.diff(below) == pytest.approx(-46.0, abs=2.0)
    aside = followed.copy()
    aside[20:30, 0] = 20.0
    between = stations(aside, followed, settings)
    assert len(between) == 1 and between[0, 0] == pytest.approx(20.0)
    assert not len(stations(followed, followed, settings))
    assert stations(line[:1], NOTHING, settings).tolist() == [[0.0, 0.0, 300.0]]
