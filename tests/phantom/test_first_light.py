"""A phantom hangs together: same seed same voxels, names from above, parts where they belong."""

import numpy as np
import pytest

from wirbel.finding import Grade, Shape
from wirbel.phantom import (
    Anatomy,
    AnatomySettings,
    Scanner,
    draw_anatomy,
    draw_appearance,
    rasterise,
    realistic_look,
    scan,
    whole_grid,
)
from wirbel.spine import Level, Part


@pytest.fixture(scope="module")
def person() -> Anatomy:
    return draw_anatomy(np.random.default_rng(7), AnatomySettings(variant_chance=0.0))


def test_the_same_seed_draws_the_same_voxels(person: Anatomy) -> None:
    again = draw_anatomy(np.random.default_rng(7), AnatomySettings(variant_chance=0.0))
    grid = whole_grid(person, (6.0, 6.0, 6.0))
    images = []
    for anatomy in (person, again):
        labels = rasterise(anatomy, grid)
        rng = np.random.default_rng(1)
        hu = draw_appearance(labels, rng, realistic_look(rng, 150.0))
        images.append(scan(hu, grid, Scanner(), rng))
    assert images[0].tobytes() == images[1].tobytes()


def test_vertebrae_are_numbered_from_above_and_every_centre_lies_in_its_own_body(person: Anatomy) -> None:
    grid = whole_grid(person, (2.0, 2.0, 2.0))
    labels = rasterise(person, grid)
    assert person.truth.levels == tuple(Level(n) for n in range(1, 25))
    for vertebra in person.truth.vertebrae[1:]:
        iz, iy, ix = np.round(grid.to_voxel(vertebra.centre_lps_mm[None])[0]).astype(int)
        assert labels.instances[iz, iy, ix] == vertebra.instance
        assert labels.parts[iz, iy, ix] == Part.BODY


def test_a_sub_box_shows_the_same_labels_as_the_whole(person: Anatomy) -> None:
    grid = whole_grid(person, (3.0, 3.0, 3.0))
    box = (slice(40, 80), slice(30, 70), slice(20, 60))
    part = grid.cropped((40, 30, 20), (80, 70, 60))
    whole, crop = rasterise(person, grid), rasterise(person, part)
    assert np.mean(whole.tissue[box] != crop.tissue) < 1e-3
    np.testing.assert_array_equal(whole.instances[box], crop.instances)
    np.testing.assert_array_equal(whole.parts[box], crop.parts)


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("grade", [Grade.MILD, Grade.MODERATE, Grade.SEVERE])
def test_a_fracture_has_the_grade_that_was_asked_for(shape: Shape, grade: Grade) -> None:
    settings = AnatomySettings(fractures=((Level.L2, shape, grade),), variant_chance=0.0)
    for seed in range(4):
        anatomy = draw_anatomy(np.random.default_rng(seed), settings)
        truth = next(v for v in anatomy.truth.vertebrae if v.level is Level.L2)
        assert (truth.grade, truth.fracture) == (grade, shape)
        assert truth.loss > 0.2
