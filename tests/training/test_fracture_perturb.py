"""What each disturbance of a crop does and what it leaves alone."""

import numpy as np
import pytest

from wirbel.etiology.network_input import OTHERS, VERTEBRA
from wirbel.training.fracture.perturb import (
    RODS_BEHIND_MM,
    enhanced,
    grown,
    joined,
    moved,
    noise_added_hu,
    noisy,
    sharpened,
    sliced,
    sliced_mask,
    smoothed,
    streaked,
)

SIDE = 40


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture
def hu(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(100, 50, (SIDE, SIDE, SIDE)).astype(np.float32)


@pytest.fixture
def mask() -> np.ndarray:
    out = np.zeros((SIDE, SIDE, SIDE), np.uint8)
    out[14:26, 10:30, 10:30] = VERTEBRA
    out[30:38, 10:30, 10:30] = OTHERS
    out[2:10, 10:30, 10:30] = OTHERS
    return out


def test_smoothing_takes_noise_and_keeps_the_mean(hu: np.ndarray) -> None:
    soft = smoothed(hu, 1.0)
    assert soft.std() < 0.5 * hu.std()
    assert soft.mean() == pytest.approx(hu.mean(), abs=0.2)


def test_sharpening_raises_noise_and_keeps_the_mean_and_what_is_flat(hu: np.ndarray) -> None:
    hard = sharpened(hu, 1.0)
    assert hard.std() > 1.5 * hu.std()
    assert hard.mean() == pytest.approx(hu.mean(), abs=0.2)
    flat = np.full_like(hu, 77.0)
    np.testing.assert_allclose(sharpened(flat, 2.0), flat, atol=1e-3)


@pytest.mark.parametrize("grain_mm", [0.0, 0.8])
def test_noise_has_the_spread_asked_for(hu: np.ndarray, rng: np.random.Generator, grain_mm: float) -> None:
    added = noisy(hu, 20.0, rng, grain_mm=grain_mm) - hu
    assert added.std() == pytest.approx(20.0, rel=0.02)
    assert abs(added.mean()) < 1.0


def test_a_grain_correlates_neighbours_in_the_axial_plane_alone(hu: np.ndarray, rng: np.random.Generator) -> None:
    added = noisy(hu, 20.0, rng, grain_mm=0.8) - hu
    along = [np.corrcoef(np.delete(added, -1, k).ravel(), np.delete(added, 0, k).ravel())[0, 1] for k in range(3)]
    assert abs(along[0]) < 0.05
    assert min(along[1:]) > 0.4


def test_a_quarter_of_the_dose_doubles_the_noise() -> None:
    assert np.hypot(18.0, noise_added_hu(18.0, 0.25)) == pytest.approx(36.0)
    assert noise_added_hu(18.0, 1.0) == 0.0


@pytest.mark.parametrize("thickness", [2, 3, 5])
@pytest.mark.parametrize("first", [0, 1])
def test_thick_slices_keep_the_mean_and_what_does_not_change_along_z(
    hu: np.ndarray, thickness: int, first: int
) -> None:
    thick = sliced(hu, thickness, first)
    assert thick.mean() == pytest.approx(hu.mean(), abs=1.0)
    assert thick.std() < hu.std() / np.sqrt(thickness) * 1.1
    pillars = np.broadcast_to(hu[:1], hu.shape).copy()
    np.testing.assert_allclose(sliced(pillars, thickness, first), pillars, rtol=1e-5, atol=1e-3)


def test_thick_slices_keep_a_slope_away_from_the_ends() -> None:
    slope = np.broadcast_to(np.arange(SIDE, dtype=np.float32)[:, None, None], (SIDE, 4, 4)).copy()
    np.testing.assert_allclose(sliced(slope, 4)[4:-4], slope[4:-4], atol=1e-4)


def test_slices_of_a_voxel_are_the_crop_itself(hu: np.ndarray, mask: np.ndarray) -> None:
    np.testing.assert_array_equal(sliced(hu, 1), hu)
    np.testing.assert_array_equal(sliced_mask(mask, 1), mask)


def test_a_mask_on_thick_slices_is_the_same_through_each(mask: np.ndarray) -> None:
    coarse = sliced_mask(mask, 5)
    for first in range(0, SIDE, 5):
        assert (coarse[first : first + 5] == mask[first + 2]).all()


def test_enhancement_leaves_vertebrae_fat_and_air(mask: np.ndarray) -> None:
    hu = np.full((SIDE, SIDE, SIDE), 50.0, np.float32)
    hu[:, :4], hu[:, -8:] = -1000.0, -100.0
    rise = enhanced(hu, mask, 40.0) - hu
    assert (rise[(mask > 0)] == 0).all()
    assert np.abs(rise[:, :2]).max() == 0
    assert np.abs(rise[:, -4:]).max() == 0
    assert rise[20, 20, 34] == pytest.approx(40.0)


def test_streaks_grow_with_their_amplitude_and_fade_away_from_the_rods(rng: np.random.Generator) -> None:
    hu = np.zeros((80, 80, 80), np.float32)
    weak, strong = (streaked(hu, a, np.random.default_rng(3)) for a in (50.0, 100.0))
    np.testing.assert_allclose(strong, 2 * weak, rtol=1e-4, atol=1e-3)
    rods = int(40 + RODS_BEHIND_MM)
    assert strong[:, rods - 8 : rods + 8].std() > 2 * strong[:, :16].std()


def test_a_wider_outline_takes_from_the_neighbours_and_a_tighter_one_gives_nothing_to_them(
    mask: np.ndarray,
) -> None:
    wide, tight = grown(mask, 5), grown(mask, -2)
    assert ((wide & 3) != 3).all()
    assert (wide & VERTEBRA).sum() > (mask & VERTEBRA).sum() > (tight & VERTEBRA).sum() > 0
    assert ((wide & OTHERS) > 0).sum() < ((mask & OTHERS) > 0).sum() == ((tight & OTHERS) > 0).sum()
    assert (grown(mask, -30) & VERTEBRA).any()


def test_an_outline_beside_its_place_is_the_same_elsewhere(mask: np.ndarray, rng: np.random.Generator) -> None:
    there = moved(mask, 4.0, rng)
    off = np.argwhere(there & VERTEBRA).mean(0) - np.argwhere(mask & VERTEBRA).mean(0)
    assert np.linalg.norm(off) == pytest.approx(4.0, abs=0.9)
    assert (there & VERTEBRA).sum() == (mask & VERTEBRA).sum()


def test_half_a_neighbour_comes_from_above_and_no_further(mask: np.ndarray) -> None:
    own = mask & VERTEBRA
    end = int(np.percentile(np.nonzero(own)[0], 95))
    more = (joined(mask, 9.0) & VERTEBRA) > 0
    assert more[30 : end + 10, 10:30, 10:30].all()
    assert not more[end + 10 :].any()
    assert not more[:14].any()
    np.testing.assert_array_equal(joined(mask, 2.0), mask)
