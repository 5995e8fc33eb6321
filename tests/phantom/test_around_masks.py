"""Masks become bone in a drawn person: same place, same names, neighbours above and below."""

import numpy as np
import pytest

from wirbel.phantom import (
    AnatomySettings,
    PhantomLabels,
    draw_anatomy,
    draw_appearance,
    draw_around,
    labels_around,
    prepare_masks,
    rasterise,
    realistic_look,
)
from wirbel.spine import Level, Part
from wirbel.volume import Grid


@pytest.fixture(scope="module")
def loin() -> PhantomLabels:
    """L1-L3 of a drawn person at 2 mm, as if they were masks of a patient."""
    person = draw_anatomy(np.random.default_rng(3), AnatomySettings(variant_chance=0.0, fracture_chance=0.0))
    return rasterise(person, Grid.axis_aligned((75, 60, 60), (2.0, 2.0, 2.0), (-60.0, -40.0, -65.0)))


@pytest.fixture(scope="module")
def masks(loin: PhantomLabels) -> np.ndarray:
    kept = np.isin(loin.instances, [20, 21, 22, 23])
    return np.where(kept, loin.instances, 0).astype(np.uint8)


def test_masks_keep_their_place_their_names_and_their_parts(loin: PhantomLabels, masks: np.ndarray) -> None:
    column = prepare_masks(masks, loin.parts, loin.grid)
    assert Level.L2 in column.levels and Level.L3 in column.levels
    labels = labels_around(column, np.random.default_rng(0))
    assert labels.anatomy is not None
    instance = {v.level: v.instance for v in labels.anatomy.vertebrae}
    for level in column.levels:
        before, after = masks == level.value, labels.instances == instance[level]
        assert 2 * np.sum(before & after) / (before.sum() + after.sum()) > 0.9
    both = (masks == Level.L3.value) & (labels.instances == instance[Level.L3])
    assert np.mean(labels.parts[both] == loin.parts[both]) > 0.98


def test_a_column_goes_on_above_and_below_the_masks(loin: PhantomLabels, masks: np.ndarray) -> None:
    column = prepare_masks(masks, loin.parts, loin.grid)
    grid = Grid.axis_aligned((60, 40, 20), (6.0, 6.0, 6.0), (-60.0, -120.0, -200.0))
    labels = labels_around(column, np.random.default_rng(0), grid)
    assert len(set(np.unique(labels.instances))) > len(column.levels) + 4
    assert np.any(labels.parts == Part.SACRUM)


def test_drawn_bone_is_brighter_than_what_lies_around_it(loin: PhantomLabels, masks: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    drawn = draw_around(masks, None, loin.grid, rng, realistic_look(rng, 180.0))
    bone = drawn.labels.instances == drawn.levels.index(Level.L3) + 1
    assert drawn.hu[bone].mean() > 250
    again = draw_appearance(drawn.labels, np.random.default_rng(1), realistic_look(np.random.default_rng(1), 60.0))
    assert again[bone].mean() < drawn.hu[bone].mean()
