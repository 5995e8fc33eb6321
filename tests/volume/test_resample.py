"""Resampling keeps the patient where he is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from wirbel.errors import GeometryError
from wirbel.volume import Grid, LabelMap, Volume
from wirbel.volume.resample import canonical, canonical_labels, resample_labels, resample_volume


def ramp(grid: Grid) -> Volume:
    """HU that are an affine function of the place in LPS mm, so every interpolation must reproduce it."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1).reshape(-1, 3)
    points = grid.to_lps_mm(index.astype(np.float64))
    return Volume(grid, (points @ [1.0, -2.0, 3.0] + 10).reshape(grid.shape).astype(np.float32))


def tilted(shape: tuple[int, int, int], angle_deg: float, spacing: tuple[float, float, float]) -> Grid:
    a = np.deg2rad(angle_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    base = Grid.axis_aligned(shape, spacing, (5.0, -7.0, 11.0)).voxel_to_lps_mm
    affine = np.array(base)
    affine[:3, :3] = turn @ affine[:3, :3]
    return Grid(shape, affine)


@given(angle=st.floats(-30, 30), mm=st.floats(0.7, 3.2))
@settings(max_examples=15, deadline=None)
def test_a_ramp_in_the_patient_survives_any_respacing(angle: float, mm: float) -> None:
    source = tilted((40, 36, 44), angle, (1.0, 0.8, 0.8))
    target = source.respaced((mm, mm, mm))
    there = resample_volume(ramp(source), target).hu
    expected = ramp(target).hu
    inner = tuple(slice(3, n - 3) for n in target.shape)
    assert np.max(np.abs(there[inner] - expected[inner])) < 0.02


@pytest.mark.parametrize("flip", [1, -1])
def test_axes_that_run_alike_are_interpolated_as_scipy_does(flip: int) -> None:
    rng = np.random.default_rng(3)
    source = Grid.axis_aligned((13, 17, 19), (1.5, 1.5, 1.5), (3.0, -2.0, 1.0))
    affine = np.array(source.respaced((1.1, 1.07, 1.3)).cropped((-3, 2, -2), (20, 30, 24)).voxel_to_lps_mm)
    affine[:3, 3] += 0.013  # no voxel of labels lies halfway between two
    affine[2, 0], affine[2, 3] = flip * affine[2, 0], affine[2, 3] if flip == 1 else 17.0
    target = Grid((23, 28, 26), affine)
    hu = rng.normal(0, 300, source.shape).astype(np.float32)
    index = np.indices(target.shape).reshape(3, -1).T.astype(np.float64)
    at = source.to_voxel(target.to_lps_mm(index)).T
    seen = np.all((at >= -0.5) & (at <= np.array(source.shape)[:, None] - 0.5), axis=0)
    expected = np.where(seen, ndimage.map_coordinates(hu, at, order=1, mode="nearest"), -1024.0)
    got = resample_volume(Volume(source, hu), target).hu.ravel()
    assert seen.any() and not seen.all()
    assert np.abs(got - expected).max() < 0.01
    labels = rng.integers(0, 9, source.shape).astype(np.uint8)
    nearest = np.where(seen, ndimage.map_coordinates(labels, at, order=0, mode="nearest"), 0)
    assert np.array_equal(resample_labels(LabelMap(source, labels), target).labels.ravel(), nearest)


def test_respacing_keeps_the_outer_faces() -> None:
    grid = Grid.axis_aligned((30, 60, 90), (3.0, 1.0, 0.5))
    new = grid.respaced((1.5, 1.5, 1.5))
    assert np.allclose(
        grid.to_lps_mm(np.array([[-0.5, -0.5, -0.5]])), new.to_lps_mm(np.array([[-0.5, -0.5, -0.5]]))
    )
    assert new.shape == (60, 40, 30)


def test_outside_the_input_is_air_and_label_zero() -> None:
    grid = Grid.axis_aligned((10, 10, 10), (1.0, 1.0, 1.0))
    wide = Grid.axis_aligned((20, 20, 20), (0.9, 0.9, 0.9), (-5.0, -5.0, -5.0))
    ct = resample_volume(Volume(grid, np.full((10, 10, 10), 40, np.int16)), wide)
    assert ct.hu[0, 0, 0] == -1024
    assert np.isclose(ct.hu[10, 10, 10], 40)
    labels = resample_labels(LabelMap(grid, np.ones((10, 10, 10), np.uint8)), wide)
    assert labels.labels[0, 0, 0] == 0
    assert labels.labels[10, 10, 10] == 1


def test_slabs_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    grid = Grid.axis_aligned((50, 20, 20), (1.0, 1.0, 1.0))
    ct = Volume(grid, rng.normal(0, 100, grid.shape).astype(np.float32))
    target = grid.respaced((2.5, 2.5, 2.5))
    whole = resample_volume(ct, target).hu
    monkeypatch.setattr("wirbel.volume.resample._SLAB_VOXELS", 64)
    assert np.allclose(resample_volume(ct, target).hu, whole, atol=1e-3)


@given(order=st.permutations([0, 1, 2]), flips=st.tuples(st.booleans(), st.booleans(), st.booleans()))
@settings(max_examples=20, deadline=None)
def test_canonical_turns_axes_without_touching_a_value(order: list[int], flips: tuple[bool, bool, bool]) -> None:
    base = Grid.axis_aligned((4, 5, 6), (3.0, 2.0, 1.0), (1.0, 2.0, 3.0))
    values = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    affine = np.array(base.voxel_to_lps_mm)
    turned = values
    for axis, flip in enumerate(flips):
        if flip:
            turned = np.flip(turned, axis)
            affine[:3, 3] += affine[:3, axis] * (base.shape[axis] - 1)
            affine[:3, axis] *= -1
    turned = np.ascontiguousarray(turned.transpose(order))
    affine[:3, :3] = affine[:3, order]
    back = canonical(Volume(Grid(turned.shape, affine), turned))
    assert back.grid.same_as(base)
    assert np.array_equal(back.hu, values)
    labels = canonical_labels(LabelMap(Grid(turned.shape, affine), turned.astype(np.uint8)))
    assert np.array_equal(labels.labels, values.astype(np.uint8))


def test_a_flat_affine_is_refused_with_its_numbers() -> None:
    with pytest.raises(GeometryError, match="invertible"):
        Grid((2, 2, 2), np.diag([1.0, 1.0, 0.0, 1.0]))


def test_values_cannot_be_changed_behind_the_volume() -> None:
    mine = np.zeros((2, 2, 2), np.int16)
    ct = Volume(Grid.axis_aligned((2, 2, 2), (1.0, 1.0, 1.0)), mine)
    mine[0, 0, 0] = 9
    assert ct.hu[0, 0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        ct.hu[0, 0, 0] = 1
