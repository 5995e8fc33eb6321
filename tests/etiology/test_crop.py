"""The vertebra crop: where it lies, what is in it, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirbel.errors import InputRejected, UsageError
from wirbel.etiology.crop import (
    CropSettings,
    as_channels,
    crop_grid,
    masked_values,
    packed,
    scaled_values,
    vertebra_crop,
)
from wirbel.volume import Grid, LabelMap, Volume

SMALL = CropSettings((16, 16, 16), 2.0)


def ramp(shape: tuple[int, int, int] = (30, 28, 26), spacing_mm: float = 2.0) -> tuple[Volume, LabelMap]:
    """Values that rise linearly with the place in the patient (10 HU a mm up, 3 to the back, 1 to the left)."""
    grid = Grid.axis_aligned(shape, (spacing_mm,) * 3, (-20.0, -25.0, 5.0))
    points = grid.to_lps_mm(np.indices(shape).reshape(3, -1).T.astype(np.float64))
    hu = (points @ np.array([1.0, 3.0, 10.0])).reshape(shape).astype(np.float32)
    labels = np.zeros(shape, np.uint8)
    labels[10:18, 8:18, 8:18] = 20
    labels[20:28, 8:18, 8:18] = 19
    return Volume(grid, hu), LabelMap(grid, labels)


def middle(labels: LabelMap, label: int) -> np.ndarray:
    return labels.grid.to_lps_mm(np.argwhere(labels.labels == label).mean(0)[None])[0]


@settings(max_examples=20, deadline=None)
@given(shift=st.tuples(*[st.floats(-6, 6)] * 3), spacing_mm=st.sampled_from([0.7, 1.0, 1.5]))
def test_values_are_those_of_the_places_in_the_patient(
    shift: tuple[float, float, float], spacing_mm: float
) -> None:
    ct, labels = ramp()
    centre = middle(labels, 20) + np.array(shift)
    crop = vertebra_crop(ct, labels, 20, centre, CropSettings((12, 12, 12), spacing_mm))
    points = crop.grid.to_lps_mm(np.indices((12, 12, 12)).reshape(3, -1).T.astype(np.float64))
    expected = (points @ np.array([1.0, 3.0, 10.0])).reshape(12, 12, 12)
    assert np.abs(crop.hu - expected)[crop.inside].max() < 0.05
    assert np.allclose(points.mean(0), centre)


def test_the_studys_crop_is_64_voxels_of_1_mm() -> None:
    grid = crop_grid(np.array([1.0, 2.0, 3.0]), CropSettings())
    assert grid.shape == (64, 64, 64)
    assert grid.spacing_mm == (1.0, 1.0, 1.0)
    assert np.allclose(grid.to_lps_mm(np.full((1, 3), 31.5))[0], [1.0, 2.0, 3.0])


def test_mask_neighbours_and_outside_are_told_apart() -> None:
    ct, labels = ramp()
    crop = vertebra_crop(ct, labels, 20, middle(labels, 20), CropSettings((40, 40, 40), 2.0))
    assert crop.mask.sum() == 8 * 10 * 10
    assert crop.others.sum() == 8 * 10 * 10
    assert crop.inside.sum() == 30 * 28 * 26
    assert np.all(crop.hu[~crop.inside] == -1024.0)
    bits = packed(crop)
    assert np.array_equal(bits & 1, crop.mask)
    assert np.array_equal((bits & 4) == 0, crop.inside)
    assert crop.inside_share == pytest.approx(30 * 28 * 26 / 40**3)


def test_the_ct_axes_do_not_matter() -> None:
    ct, labels = ramp()
    affine = np.array(ct.grid.voxel_to_lps_mm)
    affine[:3, 3] = ct.grid.to_lps_mm(np.array([[29.0, 0.0, 0.0]]))[0]
    affine[:3, 0] *= -1.0
    turned = Grid(ct.grid.shape, affine)
    upside_down = Volume(turned, ct.hu[::-1].copy()), LabelMap(turned, labels.labels[::-1].copy())
    other = vertebra_crop(*upside_down, 20, middle(labels, 20), SMALL)
    crop = vertebra_crop(ct, labels, 20, middle(labels, 20), SMALL)
    assert np.allclose(other.hu, crop.hu, atol=1e-3)
    assert np.array_equal(other.mask, crop.mask)


def test_scaling_is_the_authors_and_padding_their_mean() -> None:
    grid = Grid.axis_aligned((20, 20, 20), (1.0, 1.0, 1.0))
    hu = np.full(grid.shape, 250, np.int16)
    hu[:10] = -2000
    hu[15:] = 5000
    labels = np.zeros(grid.shape, np.uint8)
    labels[5:15] = 20
    crop = vertebra_crop(
        Volume(grid, hu), LabelMap(grid, labels), 20, np.array([9.5, 9.5, 9.5]), CropSettings((40, 20, 20))
    )
    values = scaled_values(crop)
    assert np.allclose(np.unique(values[crop.inside]), [0.0, 0.5, 1.8])
    mean = (10 * 0.0 + 5 * 0.5 + 5 * 1.8) / 20
    assert np.allclose(values[~crop.inside], mean, atol=1e-5)
    assert np.all(masked_values(crop)[~crop.mask] == 0.0)
    channels = as_channels(crop)
    assert channels.shape == (3, 40, 20, 20)
    assert np.array_equal(channels[1] > 0, crop.mask)


def test_nan_missing_masks_and_foreign_centres_are_refused() -> None:
    ct, labels = ramp()
    centre = middle(labels, 20)
    with pytest.raises(InputRejected, match="vertebra 24 is not in the mask"):
        vertebra_crop(ct, labels, 24, centre, SMALL)
    with pytest.raises(InputRejected, match="vertebra 20 is not in the crop around its centre"):
        vertebra_crop(ct, labels, 20, centre + 200.0, SMALL)
    with pytest.raises(InputRejected, match="has no centre"):
        vertebra_crop(ct, labels, 20, np.array([np.nan, 0.0, 0.0]), SMALL)
    broken = np.array(ct.hu)
    broken[13, 12, 12] = np.nan
    with pytest.raises(InputRejected, match=r"NaN or infinite"):
        vertebra_crop(Volume(ct.grid, broken), labels, 20, centre, SMALL)


@pytest.mark.parametrize(("size", "spacing_mm"), [((4, 64, 64), 1.0), ((64, 64, 64), 0.0), ((64, 64, 64), 9.0)])
def test_sizes_that_make_no_sense_are_refused(size: tuple[int, int, int], spacing_mm: float) -> None:
    with pytest.raises(UsageError):
        CropSettings(size, spacing_mm)
