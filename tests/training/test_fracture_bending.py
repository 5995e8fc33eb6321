"""What training sees: crops bent and degraded, mask and paint along with them."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from tests.training.drawn_crops import SIDE, crops_in, some_rows

from wirbel.etiology.network_input import central
from wirbel.training.fracture.augment import Augmenter, AugmentSettings
from wirbel.training.fracture.batches import BentCrops, sign_targets, training_batches
from wirbel.training.fracture.crop_rows import open_crops
from wirbel.training.fracture.recipe import RECIPES, chosen

STILL = AugmentSettings(
    flip=0.0, turn_deg=0.0, zoom=0.0, shift_mm=0.0, elastic_mm=0.0, gain=0.0, offset_hu=0.0, blur=0.0, noise_hu=0.0,
    sharpen=0.0, misdrawn=0.0,
)  # fmt: skip


@pytest.fixture
def crop() -> tuple[np.ndarray, np.ndarray]:
    """A body off the middle, so that turning and mirroring show; HU follow the mask."""
    mask = np.zeros((SIDE, SIDE, SIDE), np.uint8)
    mask[25:45, 22:42, 30:55] = 1
    return np.where(mask == 1, 300, 0).astype(np.int16), mask


@pytest.mark.parametrize("bend", [0.0, 1.0])
def test_no_bending_gives_the_middle_and_mirroring_mirrors_it(
    crop: tuple[np.ndarray, np.ndarray], bend: float
) -> None:
    rng = np.random.default_rng(0)
    still = Augmenter(replace(STILL, bend=bend), seed=0)(*crop, crop[1], rng)
    np.testing.assert_allclose(still.hu, central(crop[0]), atol=0.1)
    assert np.array_equal(still.mask, central(crop[1]))
    assert still.marks is not None and np.array_equal(still.marks, central(crop[1])[1::2, 1::2, 1::2])
    mirrored = Augmenter(replace(STILL, bend=bend, flip=1.0), seed=0)(*crop, None, rng)
    np.testing.assert_allclose(mirrored.hu, central(crop[0])[:, :, ::-1], atol=0.1)
    assert np.array_equal(mirrored.mask, central(crop[1])[:, :, ::-1])


@pytest.mark.parametrize("seed", range(4))
def test_mask_and_paint_bend_as_the_image_does(crop: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    settings = replace(
        AugmentSettings(), gain=0.0, offset_hu=0.0, blur=0.0, sharpen=0.0, noise_hu=0.0, misdrawn=0.0
    )
    for bend in (0.0, 1.0):
        bent = Augmenter(replace(settings, bend=bend), seed=0)(*crop, crop[1], np.random.default_rng(seed))
        apart = (bent.hu > 150) != (bent.mask == 1)
        assert apart.mean() < 0.01
        assert bent.marks is not None
        assert ((bent.hu > 150)[1::2, 1::2, 1::2] != (bent.marks == 1)).mean() < 0.01
        assert not np.array_equal(bent.mask, central(crop[1]))


def test_rotation_is_sagittal(crop: tuple[np.ndarray, np.ndarray]) -> None:
    bent = Augmenter(replace(STILL, turn_deg=10.0, bend=1.0), seed=0)(*crop, None, np.random.default_rng(1))
    own, before = np.argwhere(bent.mask == 1), np.argwhere(central(crop[1]) == 1)
    assert own[:, 2].min() == before[:, 2].min() and own[:, 2].max() == before[:, 2].max()
    assert own[:, 0].max() - own[:, 0].min() > before[:, 0].max() - before[:, 0].min()


def test_degrading_stays_within_its_bounds(crop: tuple[np.ndarray, np.ndarray]) -> None:
    settings = replace(STILL, gain=0.05, offset_hu=10.0, noise_hu=25.0, blur=1.0)
    augmenter = Augmenter(settings, seed=0)
    for seed in range(5):
        bent = augmenter(*crop, None, np.random.default_rng(seed))
        inside = bent.hu[25:33, 22:33, 34:40]
        assert 300 * 0.95 - 10 - 5 < inside.mean() < 300 * 1.06 + 10 + 5
        assert inside.std() < 30


@pytest.mark.parametrize("by", [-1, 2])
def test_an_outline_drawn_wrong_is_too_tight_or_too_wide_and_nothing_else(
    crop: tuple[np.ndarray, np.ndarray], by: int
) -> None:
    settings = replace(STILL, bend=0.0, misdrawn=1.0, tight=by, wide=by)
    bent = Augmenter(settings, seed=0)(*crop, crop[1], np.random.default_rng(0))
    own = np.argwhere(bent.mask == 1)
    right = np.argwhere(central(crop[1]) == 1)
    assert (own.min(0) == right.min(0) - by).all() and (own.max(0) == right.max(0) + by).all()
    np.testing.assert_allclose(bent.hu, central(crop[0]), atol=0.1)
    assert bent.marks is not None and np.array_equal(bent.marks, central(crop[1])[1::2, 1::2, 1::2])


def test_a_harder_kernel_steepens_edges_and_leaves_the_flat_alone(crop: tuple[np.ndarray, np.ndarray]) -> None:
    bent = Augmenter(replace(STILL, bend=0.0, sharpen=1.0), seed=0)(*crop, None, np.random.default_rng(2))
    inside, plain = central(crop[1]) == 1, central(crop[0])
    assert bent.hu[inside].max() > 310 and bent.hu[~inside].min() < -5
    np.testing.assert_allclose(bent.hu[25:33, 22:30, 34:40], plain[25:33, 22:30, 34:40], atol=0.1)


def test_paint_is_told_where_any_of_it_is(tmp_path: Path) -> None:
    rows = some_rows()
    folder = crops_in(tmp_path / "crops", rows)
    marks = np.zeros((len(rows), SIDE, SIDE, SIDE), np.uint8)
    marks[:, 30:33, 30:40, 20:24] = 9
    marks[:, 10:20, 10:20, 10:20] = 5
    np.save(folder / "marks.npy", marks)
    truth = [{"row": str(i), "lytic_mm3": str(100 * i), "vacuum_mm3": ""} for i in range(len(rows))]
    with (folder / "truth.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, truth[0].keys(), delimiter="\t")
        writer.writeheader()
        writer.writerows(truth)
    data = open_crops(folder)
    learnt = chosen(data.rows, RECIPES["b1"], folds=2, seed=1)
    signs = sign_targets(learnt)
    assert signs is not None
    assert np.isnan(signs).all(axis=0).sum() == signs.shape[1] - 1
    settings = replace(STILL, bend=0.0)
    crops = BentCrops(data, learnt, "context", settings, seed=1, signs=signs, paint=True)
    batch = next(iter(training_batches(crops, epoch=1, batch=4, seed=1, workers=0)))
    assert batch.taught.marks_4mm is not None and batch.taught.marks_8mm is not None
    sampled = central(marks[0])[1::2, 1::2, 1::2]
    for kind in (5, 9):
        there = (sampled == kind).reshape(16, 2, 16, 2, 16, 2).max(axis=(1, 3, 5))
        assert np.array_equal(batch.taught.marks_4mm[0, kind - 1].numpy() > 0, there)
        coarse = there.reshape(8, 2, 8, 2, 8, 2).max(axis=(1, 3, 5))
        assert np.array_equal(batch.taught.marks_8mm[0, kind - 1].numpy() > 0, coarse)


def test_without_a_truth_nothing_is_taught_of_it(tmp_path: Path) -> None:
    data = open_crops(crops_in(tmp_path / "crops", some_rows()))
    learnt = chosen(data.rows, RECIPES["b1"], folds=2, seed=1)
    assert sign_targets(learnt) is None
    crops = BentCrops(data, learnt, "context", AugmentSettings(), seed=1, signs=None, paint=True)
    batch = next(iter(training_batches(crops, epoch=1, batch=4, seed=1, workers=0)))
    assert batch.taught.marks_4mm is None and batch.taught.signs is None
