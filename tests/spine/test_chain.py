"""One column from candidates with clutter and gaps."""

import json

import numpy as np
import pytest

from wirbel.spine import Level
from wirbel.spine.chain import ChainSettings, chain_centres
from wirbel.spine.column_model import SPACING_MM, levels_of_column


def drawn_column(
    rng, first="C3", last="L5", *, kyphosis_deg=45.0, scoliosis_mm=0.0, noise_mm=2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Centres of a curved column and their ranks."""
    levels = levels_of_column(12, 5)
    kept = levels[levels.index(Level[first]) : levels.index(Level[last]) + 1]
    steps = np.array([SPACING_MM[level] for level in kept[:-1]]) * np.exp(rng.normal(0, 0.05, len(kept) - 1))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    lean = np.radians(kyphosis_deg) * np.sin(np.linspace(0.6, 5.0, len(kept)))
    step_lps = np.stack([np.zeros(len(steps)), np.sin(lean[:-1]) * steps, -np.cos(lean[:-1]) * steps], axis=1)
    points = np.concatenate([[[0.0, 0.0, 0.0]], np.cumsum(step_lps, axis=0)])
    points[:, 0] += scoliosis_mm * np.sin(along / max(along[-1], 1) * 2 * np.pi)
    return points + rng.normal(0, noise_mm, points.shape), np.array([level.rank for level in kept])


def with_clutter(rng, points, ranks, count, *, missing=()):
    """Candidates in random order, their scores, readings, and the indices that are true, from above."""
    true = np.array([i for i in range(len(points)) if i not in missing])
    around = np.array([80.0, 60.0, 40.0])
    false = rng.uniform(points.min(axis=0) - around, points.max(axis=0) + around, (count, 3))
    everything = np.concatenate([points[true], false])
    scores = np.concatenate([rng.uniform(0.5, 1.0, len(true)), rng.uniform(0.12, 0.6, count)])
    readings = np.concatenate([ranks[true] + rng.normal(0, 0.6, len(true)), rng.uniform(1, 25, count)])
    order = rng.permutation(len(everything))
    place = np.argsort(order)
    return everything[order], scores[order], readings[order], place[: len(true)].tolist()


@pytest.mark.parametrize("count", [0, 10, 58])
def test_whole_columns_are_found_among_false_candidates(count) -> None:
    left_out = taken_in = whole = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        points, ranks = drawn_column(rng)
        candidates, scores, readings, true = with_clutter(rng, points, ranks, count)
        chain = chain_centres(candidates, scores, positions=readings)
        left_out += len(set(true) - set(chain.indices))
        taken_in += len(set(chain.indices) - set(true))
        whole += len(true)
        assert list(chain.indices) == sorted(chain.indices, key=lambda i: -candidates[i, 2])
    assert left_out / whole <= 0.01
    assert taken_in <= 2


def test_most_columns_are_found_without_position_readings_too() -> None:
    found = 0
    for seed in range(12):
        rng = np.random.default_rng(100 + seed)
        candidates, scores, _, true = with_clutter(rng, *drawn_column(rng, "T2", "L1"), 25)
        found += len(set(chain_centres(candidates, scores).indices) ^ set(true)) <= 1
    assert found >= 10


def test_a_vertebra_without_a_candidate_leaves_a_flagged_gap() -> None:
    rng = np.random.default_rng(3)
    points, ranks = drawn_column(rng, "T4", "L4")
    candidates, scores, readings, true = with_clutter(rng, points, ranks, 15, missing=(5,))
    chain = chain_centres(candidates, scores, positions=readings)
    assert list(chain.indices) == true
    assert chain.missed_below[4] == 1
    assert sum(chain.missed_below) == 1


@pytest.mark.parametrize(("kyphosis_deg", "scoliosis_mm"), [(60.0, 0.0), (30.0, 35.0), (0.0, 0.0)])
def test_bent_columns_are_followed(kyphosis_deg, scoliosis_mm) -> None:
    rng = np.random.default_rng(8)
    points, ranks = drawn_column(rng, kyphosis_deg=kyphosis_deg, scoliosis_mm=scoliosis_mm)
    candidates, scores, readings, true = with_clutter(rng, points, ranks, 20)
    assert len(set(chain_centres(candidates, scores, positions=readings).indices) ^ set(true)) <= 1


def test_a_tight_crop_of_two_vertebrae_with_low_scores_is_a_column() -> None:
    points = np.array([[0.0, 0.0, 0.0], [1.0, -3.0, -34.0]])
    assert chain_centres(points, np.array([0.2, 0.18])).indices == (0, 1)


def test_one_strong_candidate_is_a_column_and_one_weak_one_is_none() -> None:
    point = np.zeros((1, 3))
    assert chain_centres(point, np.array([0.9])).indices == (0,)
    assert chain_centres(point, np.array([0.15])).indices == ()


def test_no_candidates_make_an_empty_chain() -> None:
    chain = chain_centres(np.zeros((0, 3)), np.zeros(0))
    assert chain.indices == ()
    assert chain.missed_below == ()


def test_a_second_peak_in_the_disc_is_left_out() -> None:
    points = np.array([[0.0, 0.0, -34.0 * k] for k in range(5)] + [[0.0, 0.0, -34.0 * 2 - 17.0]])
    scores = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.6])
    assert chain_centres(points, scores).indices == (0, 1, 2, 3, 4)


def test_spinous_processes_beside_the_column_do_not_replace_it() -> None:
    rng = np.random.default_rng(1)
    points, ranks = drawn_column(rng, "T6", "L5", kyphosis_deg=20.0)
    behind = points + np.array([0.0, 45.0, -12.0])
    candidates = np.concatenate([points, behind])
    scores = np.concatenate([np.full(len(points), 0.7), np.full(len(points), 0.4)])
    chain = chain_centres(candidates, scores, positions=np.concatenate([ranks, ranks]))
    assert chain.indices == tuple(range(len(points)))


def test_a_crushed_vertebra_shortens_two_steps_and_stays_in_the_chain() -> None:
    depth = np.cumsum([0, 28.0, 30.0, 22.0, 23.0, 35.0, 36.0])
    points = np.stack([np.zeros(7), np.zeros(7), -depth], axis=1)
    assert len(chain_centres(points, np.full(7, 0.8)).indices) == 7


def test_readings_that_are_missing_are_not_held_against_a_candidate() -> None:
    points = np.stack([np.zeros(4), np.zeros(4), -30.0 * np.arange(4)], axis=1)
    readings = np.array([18.0, np.nan, 20.0, np.nan])
    assert len(chain_centres(points, np.full(4, 0.8), positions=readings).indices) == 4


def test_gaps_can_be_forbidden() -> None:
    points = np.stack([np.zeros(4), np.zeros(4), np.array([0.0, -34.0, -102.0, -136.0])], axis=1)
    assert chain_centres(points, np.full(4, 0.9)).missed_below == (0, 1, 0)
    assert len(chain_centres(points, np.full(4, 0.9), settings=ChainSettings(most_missed=0)).indices) == 2


@pytest.mark.data
def test_annotated_columns_are_found_in_simulated_clutter(data_dir) -> None:
    for path in sorted((data_dir / "annotations").glob("*.json")):
        bodies = json.loads(path.read_text())["bodies"]
        points = np.array([[b["x"], b["y"], b["z"]] for b in bodies], dtype=float)
        ranks = np.array([Level[b["level"]].rank for b in bodies])
        missed = 0
        for seed in range(3):
            rng = np.random.default_rng(seed)
            candidates, scores, readings, true = with_clutter(rng, points, ranks, 30)
            missed += len(set(true) - set(chain_centres(candidates, scores, positions=readings).indices))
        assert missed <= 1, path.stem
