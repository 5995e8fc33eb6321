"""The classifier's networks: opened when whole, scoring what is a crop, and saying where they looked."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.network.tiny_bundle import FEATURES, SIDE, described, tiny_bundle

from wirbel.errors import InputRejected, ModelError, UsageError
from wirbel.etiology import HeatMap, HeatMethod
from wirbel.etiology.network_input import network_input
from wirbel.network.bundle import load_bundle
from wirbel.network.fracture import FractureNetworks, open_fracture
from wirbel.network.heat import OcclusionSettings, enlarged, grad_cam, occlusion
from wirbel.volume import Grid

GRID = Grid.axis_aligned((SIDE,) * 3, (4.0, 4.0, 4.0), (-30.0, -30.0, -30.0))


def crops(n: int = 2, side: int = SIDE, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hu = rng.integers(-100, 400, (n, side, side, side)).astype(np.int16)
    mask = np.zeros(hu.shape, np.uint8)
    middle = slice(side // 2 - 3, side // 2 + 3)
    mask[:, middle, middle, middle] = 1
    mask[:, :2] = 2
    return hu, mask


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("fracture"))


@pytest.fixture(scope="module")
def networks(folder: Path) -> FractureNetworks:
    return open_fracture(load_bundle(folder), threads=1)


def test_scores_are_the_heads_on_the_means_of_the_maps(networks: FractureNetworks) -> None:
    scores = networks.score(*crops())
    assert scores.log_odds.shape == (2, 2)
    assert scores.features.shape == (2, 2 * FEATURES)
    for m, head in enumerate(networks.about.heads):
        means = scores.maps[m].mean(axis=(2, 3, 4))
        np.testing.assert_allclose(means, scores.features[:, m * FEATURES : (m + 1) * FEATURES], rtol=1e-4)
        np.testing.assert_allclose(means @ head.weights + head.bias, scores.log_odds[:, m], rtol=1e-3, atol=1e-4)


def test_crops_that_are_larger_are_cut_to_their_middle_and_each_is_scored_for_itself(
    networks: FractureNetworks,
) -> None:
    hu, mask = crops(5, side=SIDE + 4)
    scores = networks.score(hu, mask)
    middle = (slice(None), *(slice(2, 2 + SIDE),) * 3)
    np.testing.assert_allclose(scores.log_odds, networks.score(hu[middle], mask[middle]).log_odds, rtol=1e-5)
    alone = np.concatenate([networks.score(hu[i : i + 1], mask[i : i + 1]).log_odds for i in range(5)])
    np.testing.assert_allclose(scores.log_odds, alone, rtol=1e-4, atol=1e-5)


def test_the_network_sees_what_training_sees(networks: FractureNetworks) -> None:
    hu, mask = crops(1)
    seen = networks.score_input(network_input(hu[0], mask[0], "context")[None])
    np.testing.assert_array_equal(seen.log_odds, networks.score(hu, mask).log_odds)


def test_no_crops_give_no_scores(networks: FractureNetworks) -> None:
    hu, mask = crops(1)
    assert networks.score(hu[:0], mask[:0]).log_odds.shape == (0, 2)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda hu, mask: (np.where(hu > 300, np.nan, hu.astype(np.float32)), mask), "no numbers"),
        (lambda hu, mask: (hu, mask * 0), "nothing of the vertebra"),
        (lambda hu, mask: (hu[:, :12], mask[:, :12]), "no middle"),
    ],
)
def test_what_is_no_crop_is_refused(networks: FractureNetworks, damage, said: str) -> None:
    with pytest.raises(InputRejected, match=said):
        networks.score(*damage(*crops()))


def rewritten(folder: Path, **changes: object) -> Path:
    about = json.loads((folder / "scorer.json").read_text())
    (folder / "scorer.json").write_text(json.dumps({**about, **changes}))
    return described(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"heads": []}, "2 members and 0 heads"),
        ({"kind": "guessed"}, "'guessed' is none of masked, context"),
        ({"members": ["b2_0", "b2_7"]}, "no network 'b2_7'"),
        ({"crop": {"size": [16], "spacing_mm": 1}}, "cannot be read"),
        ({"crop": None}, "cannot be read"),
    ],
)
def test_a_description_that_contradicts_itself_is_refused(tmp_path: Path, changes, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        open_fracture(load_bundle(rewritten(tiny_bundle(tmp_path), **changes)))


def test_a_bundle_of_something_else_is_no_classifier(tmp_path: Path) -> None:
    bundle = load_bundle(tiny_bundle(tmp_path))
    with pytest.raises(ModelError, match=r"no scorer\.json"):
        open_fracture(replace(bundle, files={}))


def test_a_head_that_belongs_to_another_network_is_noticed(tmp_path: Path) -> None:
    heads = [{"weights": [1.0] * FEATURES, "bias": 9.0}] * 2
    stranger = open_fracture(load_bundle(rewritten(tiny_bundle(tmp_path), heads=heads)))
    with pytest.raises(ModelError, match="do not belong together"):
        stranger.score(*crops(1))


def test_a_network_of_another_input_is_one_sentence(networks: FractureNetworks) -> None:
    with pytest.raises(ModelError, match=r"b2_0\.onnx of bundle 'fracture' cannot be run"):
        networks.score_input(np.zeros((1, 2, SIDE, SIDE, SIDE), np.float32))


def test_the_heat_map_sums_to_what_the_maps_add_to_the_score(networks: FractureNetworks) -> None:
    """Where nothing is cut at zero, the mean of the map is the mean log-odds without the bias."""
    hu, mask = crops(1)
    scores = networks.score(hu, mask)
    each = [np.tensordot(h.weights, m[0], axes=1) for h, m in zip(networks.about.heads, scores.maps, strict=True)]
    bias = np.mean([h.bias for h in networks.about.heads])
    assert np.mean(each) == pytest.approx(scores.log_odds.mean() - bias, abs=1e-3)
    heat = grad_cam(networks, scores, 0, GRID)
    assert heat.values.max() == 1.0
    expected = np.maximum(enlarged(np.mean(each, axis=0).astype(float), GRID.shape), 0.0)
    np.testing.assert_allclose(heat.values, expected / expected.max(), atol=1e-5)
    assert heat.method is HeatMethod.GRAD_CAM
    assert heat.made_by == ("b2_0", "b2_1")


def test_members_that_see_lesions_weigh_the_heat_map(tmp_path: Path) -> None:
    """Same weights, and beside them where a lesion is seen: what Grad-CAM has there is all that stays."""
    plain = open_fracture(load_bundle(tiny_bundle(tmp_path / "plain")), threads=1)
    seeing = open_fracture(load_bundle(tiny_bundle(tmp_path / "seeing", lesion=True)), threads=1)
    hu, mask = crops(5)
    scores, before = seeing.score(hu, mask), plain.score(hu, mask)
    assert len(scores.lesions) == 2 and scores.lesions[0].shape == (5, SIDE, SIDE, SIDE) and before.lesions == ()
    np.testing.assert_array_equal(scores.log_odds, before.log_odds)
    heat, cam = grad_cam(seeing, scores, 4, GRID), grad_cam(plain, before, 4, GRID)
    assert (heat.method, cam.method) == (HeatMethod.LESION_CAM, HeatMethod.GRAD_CAM)
    lesion = 1 / (1 + np.exp(-network_input(hu[4], mask[4], "context")[0]))
    np.testing.assert_allclose(heat.values, cam.values * lesion / (cam.values * lesion).max(), atol=1e-5)


def test_a_coarse_map_keeps_its_place() -> None:
    coarse = np.zeros((4, 4, 4))
    coarse[1, 2, 3] = 1.0
    centre = np.array(np.unravel_index(np.argmax(enlarged(coarse, (64, 64, 64))), (64, 64, 64)))
    assert np.all(np.abs(centre - [23.5, 39.5, 60.0]) <= 4.0)
    np.testing.assert_allclose(enlarged(np.full((4, 4, 4), 0.3), (64, 64, 64)), 0.3, rtol=1e-6)


@cache
def _bright() -> tuple[np.ndarray, np.ndarray]:
    hu, mask = crops(1)
    hu = np.full_like(hu, 40)
    hu[0, 8:12, 4:8, 4:8] = 1200
    return hu, mask


def test_painting_over_shows_the_place_that_raised_the_score(tmp_path: Path) -> None:
    """One feature: the mean of the bone window."""
    kept = tiny_bundle(tmp_path, members=1)
    networks = open_fracture(load_bundle(kept), threads=1)
    hu, mask = _bright()
    scores = networks.score(hu, mask)
    dark = networks.score(np.full_like(hu, 40), mask)
    sign = 1 if scores.log_odds[0, 0] > dark.log_odds[0, 0] else -1
    heat = occlusion(networks, hu[0], mask[0], GRID, OcclusionSettings(cube=8, step=8))
    inside = heat.values[8:12, 4:8, 4:8].mean()
    assert heat.method is HeatMethod.OCCLUSION
    assert (inside == 1.0) if sign > 0 else (heat.values.max() == 0.0 or inside == 0.0)


def test_cubes_that_leave_gaps_and_maps_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot move by 9"):
        OcclusionSettings(cube=8, step=9)
    with pytest.raises(ModelError, match="0 to 1"):
        HeatMap(GRID, np.full(GRID.shape, 1.5, np.float32), HeatMethod.GRAD_CAM, ("b2_0",))
    with pytest.raises(ModelError, match="does not fit"):
        HeatMap(GRID, np.zeros((3, 3, 3), np.float32), HeatMethod.GRAD_CAM, ("b2_0",))
