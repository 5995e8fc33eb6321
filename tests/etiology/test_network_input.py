"""What a network sees of a crop."""

import numpy as np
import pytest

from wirbel.errors import InputRejected
from wirbel.etiology.crop import VertebraCrop, masked_values, packed
from wirbel.etiology.network_input import CHANNELS, central, network_input
from wirbel.volume import Grid

SIDE = 16


@pytest.fixture
def crop() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    hu = rng.normal(100, 300, (SIDE, SIDE, SIDE)).astype(np.int16)
    mask = np.zeros(hu.shape, np.uint8)
    mask[4:12, 4:12, 4:12] = 1
    mask[:3] = 2
    return hu, mask


def test_the_masked_input_is_the_study_s(crop):
    hu, mask = crop
    mask = mask.copy()
    mask[:, :, 14:] = 4
    mask[8, 8, 8] |= 4
    outside = (mask & 4) > 0
    grid = Grid.axis_aligned(hu.shape, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    own, others = (mask & 1) > 0, (mask & 2) > 0
    same = VertebraCrop(grid, np.where(outside, -1024, hu).astype(np.float32), own, others, ~outside, 20)
    assert np.array_equal(packed(same), mask)
    np.testing.assert_allclose(network_input(hu, mask, "masked")[0], masked_values(same), atol=1e-5)


def test_masking_hides_what_lies_around_and_context_keeps_it(crop):
    hu, mask = crop
    changed = hu.copy()
    changed[14, 14, 14] = 60 if hu[14, 14, 14] != 60 else 61
    changed[13] = np.clip(hu[13], -100, 0)
    for kind, differs in (("masked", False), ("context", True)):
        same = np.array_equal(network_input(hu, mask, kind), network_input(changed, mask, kind))
        assert same is not differs


@pytest.mark.parametrize("kind", ["masked", "context"])
def test_channels_are_as_announced_and_numbers(crop, kind):
    out = network_input(*crop, kind)
    assert out.shape == (CHANNELS[kind], SIDE, SIDE, SIDE)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 3.0


def test_context_tells_the_vertebra_from_the_others(crop):
    hu, mask = crop
    out = network_input(hu, mask, "context")
    assert np.array_equal(out[2] > 0, mask == 1)
    assert np.array_equal(out[3] > 0, mask == 2)


def test_what_the_ct_does_not_cover_gets_the_mean_of_what_it_does(crop):
    hu, mask = crop
    mask = mask.copy()
    mask[:, :, 13:] = 4
    far = np.where(mask & 4, -1024, hu)
    out = network_input(far.astype(np.int16), mask, "context")
    inside = np.clip(hu.astype(np.float32), -150, 250)[(mask & 4) == 0].mean() / 200
    assert out[1][:, :, 13:] == pytest.approx(inside, abs=1e-4)


def test_a_float_crop_and_its_int16_copy_give_the_same(crop):
    hu, mask = crop
    for kind in ("masked", "context"):
        assert np.array_equal(network_input(hu, mask, kind), network_input(hu.astype(np.float32), mask, kind))


def test_no_number_and_no_vertebra_are_refused(crop):
    hu, mask = crop
    bad = hu.astype(np.float32)
    bad[0, 0, 0] = np.nan
    with pytest.raises(InputRejected, match="no numbers"):
        network_input(bad, mask, "context")
    with pytest.raises(InputRejected, match="nothing of the vertebra"):
        network_input(hu, (mask * 0).astype(np.uint8), "masked")


def test_the_middle_of_a_larger_crop_shares_its_centre(crop):
    hu, _ = crop
    assert np.array_equal(central(hu, (8, 8, 8)), hu[4:12, 4:12, 4:12])
    with pytest.raises(InputRejected, match="no middle"):
        central(hu, (8, 8, 9))
    with pytest.raises(InputRejected, match="no middle"):
        central(hu, (18, 16, 16))
