"""Volumes and label maps onto other grids."""

import numpy as np
from scipy import ndimage

from wirbel.volume.grid import Grid
from wirbel.volume.volume import LabelMap, Volume, freeze

#: HU given to what lies outside the input: air.
OUTSIDE_HU = -1024.0


def _sampled(array: np.ndarray, source: Grid, target: Grid, *, order: int, outside: float) -> np.ndarray:
    """Values of `array` at the voxel centres of `target`; one affine resampling."""
    between = source.lps_mm_to_voxel @ target.voxel_to_lps_mm
    if np.allclose(between[:3, :3], np.eye(3), atol=1e-6) and np.allclose(
        between[:3, 3], np.round(between[:3, 3]), atol=1e-4
    ):
        return _shifted(array, np.round(between[:3, 3]).astype(int), target.shape, outside)
    result: np.ndarray = ndimage.affine_transform(  # type: ignore[call-overload]  # scipy-stubs wants order as Literal
        array,
        between[:3, :3],
        between[:3, 3],
        output_shape=target.shape,
        output=np.dtype(np.float32) if order else array.dtype,
        order=order,
        mode="constant",
        cval=outside,
        prefilter=order > 1,
    )
    return result


def _shifted(array: np.ndarray, start: np.ndarray, shape: tuple[int, int, int], outside: float) -> np.ndarray:
    """A crop with padding: no interpolation where grids differ by whole voxels only."""
    out = np.full(shape, outside, dtype=array.dtype)
    low = np.maximum(start, 0)
    high = np.minimum(start + np.asarray(shape), array.shape)
    if np.all(high > low):
        source = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        target = tuple(slice(a, b) for a, b in zip(low - start, high - start, strict=True))
        out[target] = array[source]
    return out


def antialiased(array: np.ndarray, spacing_mm: tuple[float, ...], target_mm: tuple[float, ...]) -> np.ndarray:
    """Gaussian smoothing before down-sampling, sigma chosen so that FWHM matches the coarser voxel."""
    sigma = [
        np.sqrt(max(0.0, (new / 2.355) ** 2 - (old / 2.355) ** 2)) / old
        for old, new in zip(spacing_mm, target_mm, strict=True)
    ]
    if max(sigma) < 0.15:
        return array
    smoothed: np.ndarray = ndimage.gaussian_filter(array, sigma, output=np.float32, mode="nearest", truncate=3.0)
    return smoothed


def resample_volume(ct: Volume, grid: Grid, *, outside_hu: float = OUTSIDE_HU) -> Volume:
    """The CT on another grid: smoothed where the grid is coarser, then trilinear.

    Outside the input: `outside_hu`. Returns float32 unless grids differ by whole voxels only.
    """
    values = antialiased(ct.hu, ct.grid.spacing_mm, _spacing_along(ct.grid, grid))
    return Volume(grid, freeze(_sampled(values, ct.grid, grid, order=1, outside=outside_hu)))


def resample_labels(labels: LabelMap, grid: Grid) -> LabelMap:
    """Labels on another grid, nearest neighbour; 0 outside."""
    return LabelMap(grid, freeze(_sampled(labels.labels, labels.grid, grid, order=0, outside=0)))


def _spacing_along(source: Grid, target: Grid) -> tuple[float, ...]:
    """The target's spacing as seen along the source's axes (for oblique pairs: the nearest axis)."""
    a = source.voxel_to_lps_mm[:3, :3] / np.asarray(source.spacing_mm)
    b = target.voxel_to_lps_mm[:3, :3] / np.asarray(target.spacing_mm)
    nearest = np.argmax(np.abs(a.T @ b), axis=1)
    return tuple(target.spacing_mm[i] for i in nearest)


def canonical(ct: Volume) -> Volume:
    """The same voxels with axes flipped and permuted toward superior, posterior, left; no interpolation."""
    return Volume(*_reoriented(ct.grid, ct.hu))


def canonical_labels(labels: LabelMap) -> LabelMap:
    """Like `canonical`, for labels."""
    return LabelMap(*_reoriented(labels.grid, labels.labels))


def _reoriented(grid: Grid, array: np.ndarray) -> tuple[Grid, np.ndarray]:
    directions = grid.voxel_to_lps_mm[:3, :3] / np.asarray(grid.spacing_mm)
    order = _axis_for_each(np.abs(directions))
    affine = np.array(grid.voxel_to_lps_mm)
    columns = affine[:3, :3][:, order]
    signs = np.sign(columns[[2, 1, 0], [0, 1, 2]])
    shape = tuple(grid.shape[i] for i in order)
    origin = affine[:3, 3] + sum(
        columns[:, k] * (shape[k] - 1) for k in range(3) if signs[k] < 0
    )
    new = np.eye(4)
    new[:3, :3] = columns * signs
    new[:3, 3] = origin
    turned = array.transpose(order)[tuple(slice(None, None, int(s)) for s in signs)]
    return Grid((shape[0], shape[1], shape[2]), new), freeze(np.ascontiguousarray(turned))


def _axis_for_each(weights: np.ndarray) -> list[int]:
    """Which array axis runs along z, y, x: the assignment with the largest sum of cosines."""
    best = max(
        ((a, b, c) for a in range(3) for b in range(3) for c in range(3) if len({a, b, c}) == 3),
        key=lambda o: weights[2, o[0]] + weights[1, o[1]] + weights[0, o[2]],
    )
    return list(best)
