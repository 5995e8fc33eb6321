"""Tiles and boxes are put together without seams, and votes become vertebrae; over networks made by hand."""

import numpy as np
import pytest
from scipy import ndimage

from wirbel.network.columns import Column
from wirbel.network.discs import DiscSettings, disc_positions
from wirbel.network.finder import FinderSettings, find_candidates
from wirbel.network.instances import InstanceSettings, vertebrae_between_discs
from wirbel.network.segmenter import NetworkSegmenter, NetworkSettings
from wirbel.network.session import Network
from wirbel.network.spine_heads import (
    CLASSES,
    FINDER_COARSE,
    FINDER_DENSE,
    FINDER_LEVELS,
    OFFSET_UNIT_MM,
    SEGMENTER_DENSE,
    WINDOWS_HU,
)
from wirbel.network.tubes import TubeMaps, TubeSettings, segment_tube
from wirbel.spine import Level, Part
from wirbel.spine.naming import name_levels
from wirbel.spine.settings import SpineSettings
from wirbel.volume import Grid, Volume

BODY_HU, BACK_HU = 600.0, 0.0


def hu_of(image: np.ndarray) -> np.ndarray:
    """Undo the wide window."""
    low, high = WINDOWS_HU[0]
    return (image[0] + 1) * (high - low) / 2 + low


def blocks(heights_mm: list[float], *, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Volume:
    """Cubes of bone, 24 mm a side, centred at the given z, in water; x and y at 60 mm."""
    shape = tuple(round(s / d) for s, d in zip((max(heights_mm) + 60, 120, 120), spacing, strict=True))
    grid = Grid.axis_aligned((shape[0], shape[1], shape[2]), spacing)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1).reshape(-1, 3)
    at = grid.to_lps_mm(index.astype(np.float64))
    hu = np.full(len(at), BACK_HU)
    for z in heights_mm:
        hu[np.all(np.abs(at - [60, 60, z]) <= 12, axis=1)] = BODY_HU
    return Volume(grid, hu.reshape(shape).astype(np.int16))


def finding(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heat falls with the distance to the middle of the cubes seen in the tile, found by HU alone."""
    bone = hu_of(image) > 300
    dense = np.full((FINDER_DENSE, *bone.shape), -4.0, np.float32)
    dense[0] = np.where(bone, -4, 4)
    dense[1] = np.where(bone, 4, -4)
    depth = ndimage.distance_transform_edt(bone)
    dense[-1] = -4 + depth
    coarse = np.zeros((FINDER_COARSE, *[n // 4 for n in bone.shape]), np.float32)
    coarse[FINDER_LEVELS.index(Level.L2)] = 5.0
    return dense, coarse


def segmenting(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cubes are bodies whose voxels vote for their cube's centre."""
    bone = hu_of(image) > 300
    pieces, count = ndimage.label(bone)
    dense = np.zeros((SEGMENTER_DENSE, *bone.shape), np.float32)
    dense[0] = np.where(bone, -6, 6)
    dense[1] = np.where(bone, 6, -6)
    for label, centre in enumerate(ndimage.center_of_mass(bone, pieces, range(1, count + 1)), start=1):
        where = np.nonzero(pieces == label)
        for k in range(3):
            dense[len(CLASSES) + k][where] = (centre[k] - where[k]) / OFFSET_UNIT_MM
    coarse = np.zeros((FINDER_COARSE, *[n // 4 for n in bone.shape]), np.float32)
    return dense, coarse


FIND, SEGMENT = Network(finding, "onnxruntime"), Network(segmenting, "onnxruntime")
HEIGHTS = [40.0, 75.0, 110.0, 145.0]


@pytest.mark.parametrize("window", [64, 128])
def test_tiles_show_no_seam(window: int) -> None:
    ct = blocks([40.0 + 35 * i for i in range(14)], spacing=(2.0, 1.5, 1.5))
    found = find_candidates(ct, FIND, FinderSettings(window=window, overlap=32))
    z = np.sort(found.centres_lps_mm[:, 2])
    assert len(z) == 14
    assert np.max(np.abs(z - [40.0 + 35 * i for i in range(14)])) < 2.0
    assert np.max(np.abs(found.centres_lps_mm[:, :2] - 60)) < 2.0


def test_boxes_along_the_tube_agree_with_the_volume() -> None:
    ct = blocks(HEIGHTS)
    centres = np.array([[60.0, 60.0, z] for z in HEIGHTS[::-1]])
    maps = segment_tube(ct, centres, SEGMENT, TubeSettings(step_mm=30.0, bent=(1.0,) * 7))
    down = np.tile([0.0, 0.0, -1.0], (4, 1))
    column = Column(centres + np.array([1.0, -1.0, 2.0]), down, np.full(4, 17.5), np.ones(4))
    made = vertebrae_between_discs(maps, column, InstanceSettings())
    assert np.allclose(maps.grid.to_lps_mm(made.centres_voxel), centres, atol=0.8)
    assert np.allclose(made.bodies_mm3, 25.0**3, rtol=0.06)


def test_a_band_called_disc_inside_a_body_is_body_and_the_disc_between_two_stays_one() -> None:
    ct = blocks(HEIGHTS)
    centres = np.array([[60.0, 60.0, z] for z in HEIGHTS[::-1]])
    maps = segment_tube(ct, centres, SEGMENT, TubeSettings(step_mm=30.0, bent=(1.0,) * 7))
    column = Column(centres, np.tile([0.0, 0.0, -1.0], (4, 1)), np.full(4, 17.5), np.ones(4))
    whole = vertebrae_between_discs(maps, column, InstanceSettings())
    disc = CLASSES.index("disc")
    z = np.round(maps.grid.to_voxel(centres)[:, 0]).astype(int)
    maps.classes[z[1] - 1 : z[1] + 2][whole.labels[z[1] - 1 : z[1] + 2] == 2] = disc
    maps.classes[(z[1] + z[2]) // 2][whole.labels[z[1]] == 2] = disc
    made = vertebrae_between_discs(maps, column, InstanceSettings())
    assert np.array_equal(made.labels, whole.labels)
    assert np.array_equal(made.classes == CLASSES.index("body"), whole.classes == CLASSES.index("body"))
    assert np.any(made.classes[(z[1] + z[2]) // 2] == disc)


def test_a_rim_that_reaches_down_to_the_disc_belongs_to_its_body_where_edges_were_drawn() -> None:
    ct = blocks(HEIGHTS)
    centres = np.array([[60.0, 60.0, z] for z in HEIGHTS[::-1]])
    maps = segment_tube(ct, centres, SEGMENT, TubeSettings(step_mm=30.0, bent=(1.0,) * 7))
    column = Column(centres, np.tile([0.0, 0.0, -1.0], (4, 1)), np.full(4, 17.5), np.ones(4))
    z, y, x = np.round(maps.grid.to_voxel(centres)).astype(int).T
    body = CLASSES.index("body")
    rim = np.s_[z[1] - 17 : z[1] - 12, y[1] - 12 : y[1] - 9, x[1] - 8 : x[1] + 8]
    hanging = np.s_[z[3] - 20 : z[3] - 12, y[3] - 12 : y[3] - 9, x[3] - 8 : x[3] + 8]
    loose = np.s_[z[2] + 15 : z[2] + 17, y[2] + 5 : y[2] + 8, x[2] - 8 : x[2] + 8]
    for part in (rim, hanging, loose):
        maps.classes[part] = body
    for outlined in (False, True):
        made = vertebrae_between_discs(maps, column, InstanceSettings(), outlined=outlined)
        found = [np.unique(made.labels[part]).tolist() for part in (rim, hanging, loose)]
        # without drawn edges nothing reaches past 0.9 of the way; at the column's end a little over the whole way
        lowest = [int(np.nonzero((made.labels == k).any(axis=(1, 2)))[0].min()) for k in (2, 4)]
        reach = [z[1] - lowest[0], z[3] - lowest[1]]
        assert reach == ([17, 18] if outlined else [15, 15])
        assert found[0] == ([2] if outlined else [0, 2])
        assert found[1] == [0, 4]
        assert 2 not in found[2] and 3 not in found[2]


def test_bone_that_a_body_surrounds_is_body_and_the_disc_in_its_endplate_is_not() -> None:
    ct = blocks(HEIGHTS)
    centres = np.array([[60.0, 60.0, z] for z in HEIGHTS[::-1]])
    maps = segment_tube(ct, centres, SEGMENT, TubeSettings(step_mm=30.0, bent=(1.0,) * 7))
    column = Column(centres, np.tile([0.0, 0.0, -1.0], (4, 1)), np.full(4, 17.5), np.ones(4))
    whole = vertebrae_between_discs(maps, column, InstanceSettings(), outlined=True)
    z, y, x = np.round(maps.grid.to_voxel(centres[1:2])[0]).astype(int)
    band = np.s_[z - 2 : z + 2, y - 6 : y + 6, x - 6 : x + 6]
    pit = np.s_[z + 9 : z + 13, y - 5 : y + 5, x - 5 : x + 5]
    maps.classes[band], maps.classes[pit] = CLASSES.index("posterior"), CLASSES.index("disc")
    made = vertebrae_between_discs(maps, column, InstanceSettings(), outlined=True)
    assert np.all(made.labels[band] == 2) and np.all(made.classes[band] == CLASSES.index("body"))
    assert not made.labels[pit].any()
    lost = np.count_nonzero(whole.labels == 2) - np.count_nonzero(made.labels == 2)
    assert lost == np.count_nonzero(whole.labels[pit] == 2) > 0


def test_maps_end_where_the_ct_ends() -> None:
    ct = blocks([20.0, 55.0])
    maps = segment_tube(ct, np.array([[60.0, 60.0, 55.0], [60.0, 60.0, 20.0]]), SEGMENT, TubeSettings())
    first, last = ct.grid.to_voxel(maps.grid.to_lps_mm(np.array([[0.0] * 3, np.asarray(maps.grid.shape) - 1.0])))
    end = np.asarray(ct.grid.shape) - 1.0
    assert np.all(first >= -0.5) and np.all(last <= end + 0.5)
    assert np.allclose([first[0], last[0]], [0, end[0]], atol=0.5) and np.isclose(last[1], end[1], atol=0.5)


def column_with_discs_at(truth: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Darkness with a band at each disc, and body everywhere between the first and the last."""
    t = np.arange(float(length))
    darkness = sum(np.exp(-((t - d) ** 2) / 8) for d in truth) * 2.0 - 0.2
    body = ((t > truth[0]) & (t < truth[-1])).astype(float)
    return darkness + np.random.default_rng(0).normal(0, 0.1, length), body


def test_discs_are_found_where_it_is_dark_at_spacings_that_fit() -> None:
    truth = np.cumsum([20, 21, 22, 23, 24, 26, 28, 30])
    darkness, body = column_with_discs_at(truth, 240)
    expected = np.interp(np.arange(240.0), truth[1:], np.diff(truth))
    found = disc_positions(darkness, body, expected, DiscSettings())
    assert len(found) == len(truth)
    assert np.abs(found - truth).max() <= 1.5


def test_a_collapsed_body_keeps_the_discs_that_are_its_own() -> None:
    truth = np.cumsum([20, 24, 24, 13, 26, 27, 28])
    darkness, body = column_with_discs_at(truth, 200)
    found = disc_positions(2.0 * darkness, body, np.full(200, 25.0), DiscSettings())
    assert len(found) == len(truth)
    assert np.abs(found - truth).max() <= 1.5


def test_the_last_body_before_the_border_counts_though_its_disc_lies_beyond() -> None:
    truth = np.cumsum([20, 25, 26, 27, 28])
    darkness, body = column_with_discs_at(truth, 180)
    unseen = np.arange(180) > truth[-2] + 10
    darkness = np.where(unseen, DiscSettings().reward_from + 0.02, darkness)
    found = disc_positions(darkness, body, np.full(180, 27.0), DiscSettings())
    assert len(found) == len(truth)
    assert abs(found[-1] - truth[-1]) <= 5.0


def test_air_alone_is_no_spine_and_no_error() -> None:
    grid = Grid.axis_aligned((40, 64, 64), (3.0, 3.0, 3.0))
    segment = NetworkSegmenter(FIND, SEGMENT, "by hand", NetworkSettings())
    evidence = segment(Volume(grid, np.full(grid.shape, -1000, np.int16)))
    assert evidence.vertebrae == ()


def test_the_segmenter_orders_from_the_head_and_marks_what_the_border_cuts() -> None:
    ct = blocks([6.0, *HEIGHTS])
    segment = NetworkSegmenter(FIND, SEGMENT, "by hand", NetworkSettings())
    before = np.array(ct.hu)
    evidence = segment(ct)
    assert np.array_equal(ct.hu, before)
    z = [v.centre_lps_mm[2] for v in evidence.vertebrae]
    assert z == sorted(z, reverse=True)
    assert [v.cut_by_border for v in evidence.vertebrae] == [False] * 4 + [True] * (len(z) - 4)
    assert set(np.unique(evidence.parts.labels)) == {0, Part.BODY}
    assert [v.label for v in evidence.vertebrae] == list(range(1, len(z) + 1))
    spine = name_levels(evidence, SpineSettings())
    assert len(spine.vertebrae) == len(z)


def test_bodies_that_the_finder_misses_are_followed_to_from_those_it_sees() -> None:
    heights = [30.0 + 35 * i for i in range(6)]
    ct = blocks(heights)
    dense = blocks(heights[:1]).hu
    hu = np.array(ct.hu)
    hu[: len(dense)][dense == BODY_HU] = BODY_HU + 200

    def short_sighted(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return finding(image - np.float32(2 * 400 / (WINDOWS_HU[0][1] - WINDOWS_HU[0][0])))

    def found(passes: int) -> list[float]:
        settings = NetworkSettings(passes=passes)
        segment = NetworkSegmenter(Network(short_sighted, "onnxruntime"), SEGMENT, "by hand", settings)
        return [float(v.centre_lps_mm[2]) for v in segment(Volume(ct.grid, hu)).vertebrae]

    assert 1 <= len(found(1)) < len(heights)
    assert np.allclose(found(NetworkSettings().passes), heights[::-1], atol=1.5)


@pytest.mark.parametrize(("edge_mm", "filled"), [(2, False), (24, True)])
def test_a_gap_is_closed_between_halves_of_a_body_but_not_down_to_a_speck_of_annulus(edge_mm, filled) -> None:
    grid = Grid.axis_aligned((60, 40, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    classes = np.zeros(grid.shape, np.uint8)
    classes[30:44, 8:32, 8:32] = CLASSES.index("body")
    classes[22:30, 8:32, 8:32] = CLASSES.index("disc")
    classes[12 if filled else 20 : 22, 8 : 8 + edge_mm, 8 : 8 + edge_mm] = CLASSES.index("body")
    nothing = np.zeros((3, *grid.shape), np.float32)
    coarse = np.zeros((1, 15, 10, 10), np.float32)
    maps = TubeMaps(grid, classes, nothing, np.zeros((3, *grid.shape), np.uint8), coarse, grid)
    centre = np.array([[19.5, 19.5, 29.0]])
    column = Column(centre, np.array([[0.0, 0.0, -1.0]]), np.array([18.0]), np.array([1.0]))
    made = vertebrae_between_discs(maps, column, InstanceSettings())
    assert bool((made.labels[22:30] == 1).any()) is filled
