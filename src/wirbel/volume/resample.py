"""Volumes and label maps onto other grids, slab by slab so that memory stays bounded."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.volume.grid import Grid
from wirbel.volume.volume import LabelMap, Volume, freeze

#: HU given to what lies outside the input: air.
OUTSIDE_HU = -1024.0
#: Output voxels worked on at once.
_SLAB_VOXELS = 4_000_000
#: Axes that leave each other by less than this over the whole grid, in voxels, run alike.
_SAME_VOXEL = 1e-3


def resample_volume(ct: Volume, grid: Grid, *, outside_hu: float = OUTSIDE_HU) -> Volume:
    """The CT on another grid: averaged where the grid is coarser, then trilinear.

    Outside the input: `outside_hu`. Float32, or the input's own type where the grids differ by whole voxels only.
    """
    shift = _whole_voxel_shift(ct.grid, grid)
    if shift is not None:
        return Volume(grid, freeze(_shifted(ct.hu, shift, grid.shape, outside_hu)))
    out = np.empty(grid.shape, dtype=np.float32)
    rows = max(1, _SLAB_VOXELS // (grid.shape[1] * grid.shape[2]))
    for start in range(0, grid.shape[0], rows):
        stop = min(start + rows, grid.shape[0])
        part = grid.cropped((start, 0, 0), (stop, grid.shape[1], grid.shape[2]))
        out[start:stop] = _interpolated(ct, part, outside_hu)
    return Volume(grid, freeze(out))


def resample_labels(labels: LabelMap, grid: Grid) -> LabelMap:
    """Labels on another grid, nearest neighbour; 0 outside."""
    shift = _whole_voxel_shift(labels.grid, grid)
    if shift is not None:
        return LabelMap(grid, freeze(_shifted(labels.labels, shift, grid.shape, 0.0)))
    return LabelMap(grid, freeze(_affine(labels.labels, labels.grid, grid, order=0, outside=0.0)))


def _interpolated(ct: Volume, grid: Grid, outside_hu: float) -> np.ndarray:
    """One slab: crop the source, average blocks where the target is coarser, interpolate."""
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in grid.shape])).reshape(3, -1).T
    at = ct.grid.to_voxel(grid.to_lps_mm(corners))
    blocks = _block_sizes(ct.grid, grid)
    low = np.maximum(np.floor(at.min(0)) - 2 * blocks, 0).astype(int)
    high = np.minimum(np.ceil(at.max(0)) + 2 * blocks + 1, ct.grid.shape).astype(int)
    if np.any(high - low < 1):
        return np.full(grid.shape, outside_hu, dtype=np.float32)
    low -= low % blocks
    crop = ct.hu[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    source = ct.grid.cropped(_three(low), _three(high))
    if blocks.max() > 1:
        crop, source = _block_means(crop, source, blocks)
    return _affine(crop.astype(np.float32, copy=False), source, grid, order=1, outside=outside_hu)


def _block_sizes(source: Grid, target: Grid) -> np.ndarray:
    """How many source voxels fit into one target voxel along each source axis."""
    a = source.voxel_to_lps_mm[:3, :3] / np.asarray(source.spacing_mm)
    b = target.voxel_to_lps_mm[:3, :3] / np.asarray(target.spacing_mm)
    nearest = np.argmax(np.abs(a.T @ b), axis=1)
    along = np.asarray(target.spacing_mm)[nearest]
    return np.maximum(1, np.floor(along / np.asarray(source.spacing_mm) + 1e-6)).astype(int)


def _block_means(array: np.ndarray, grid: Grid, blocks: np.ndarray) -> tuple[np.ndarray, Grid]:
    """Means over whole blocks (the edge repeated to fill the last one) and their grid."""
    pad = [(0, int(-n % b)) for n, b in zip(array.shape, blocks, strict=True)]
    full = np.pad(array, pad, mode="edge") if any(p for _, p in pad) else array
    for axis, b in enumerate(blocks):
        shape = [*full.shape[:axis], full.shape[axis] // b, int(b), *full.shape[axis + 1 :]]
        if b > 1:
            full = full.reshape(shape).mean(axis=axis + 1, dtype=np.float32)
    affine = np.array(grid.voxel_to_lps_mm)
    affine[:3, 3] = grid.to_lps_mm(((blocks - 1) / 2.0)[None])[0]
    affine[:3, :3] = affine[:3, :3] * blocks
    return full, Grid(_three(np.asarray(full.shape)), affine)


def _affine(array: np.ndarray, source: Grid, target: Grid, *, order: int, outside: float) -> np.ndarray:
    """Values of `array` at the voxel centres of `target`; the outer half voxel repeats the edge."""
    between = source.lps_mm_to_voxel @ target.voxel_to_lps_mm
    off_axes = between[:3, :3] - np.diag(np.diag(between[:3, :3]))
    if np.abs(off_axes).max() * max(target.shape) < _SAME_VOXEL:
        result = _axis_by_axis(array, between, target.shape, order)
    else:
        result = ndimage.affine_transform(  # type: ignore[call-overload]  # the stubs want order as a literal
            array,
            between[:3, :3],
            between[:3, 3],
            output_shape=target.shape,
            output=array.dtype,
            order=order,
            mode="nearest",
        )
    _blank_outside(result, between, np.asarray(source.shape), outside)
    return result


def _axis_by_axis(
    array: np.ndarray, between: np.ndarray, shape: tuple[int, int, int], order: int
) -> np.ndarray:
    """The same where the axes run alike: one axis after the other, several times as fast."""
    at = [
        np.clip(between[k, k] * np.arange(n) + between[k, 3], 0, array.shape[k] - 1) for k, n in enumerate(shape)
    ]
    if order == 0:
        return np.asarray(array[np.ix_(*(np.floor(a + 0.5).astype(int) for a in at))])
    result = array
    for axis, where in enumerate(at):
        first = np.minimum(np.floor(where).astype(int), max(0, array.shape[axis] - 2))
        share = (where - first).astype(np.float32)
        lower = np.take(result, first, axis=axis)
        if share.any():
            upper = np.take(result, np.minimum(first + 1, array.shape[axis] - 1), axis=axis)
            upper -= lower
            upper *= np.expand_dims(share, [k for k in range(3) if k != axis])
            lower += upper
        result = lower
    return result


def _blank_outside(result: np.ndarray, between: np.ndarray, source_shape: np.ndarray, outside: float) -> None:
    """Set voxels whose centre lies beyond the source's outer faces (in place, the array is the caller's own)."""
    axes = [np.arange(n, dtype=np.float32) for n in result.shape]
    for k in range(3):
        terms = [between[k, a] * axes[a] for a in range(3)]
        if np.count_nonzero(np.abs(between[k, :3]) > 1e-7) == 1:
            a = int(np.argmax(np.abs(between[k, :3])))
            where = terms[a] + between[k, 3]
            bad = np.nonzero((where < -0.5) | (where > source_shape[k] - 0.5))[0]
            if len(bad):
                index: list[slice | np.ndarray] = [slice(None)] * 3
                index[a] = bad
                result[tuple(index)] = outside
            continue
        for i in range(result.shape[0]):
            where = (terms[0][i] + between[k, 3]) + terms[1][:, None] + terms[2][None, :]
            result[i][(where < -0.5) | (where > source_shape[k] - 0.5)] = outside


def _whole_voxel_shift(source: Grid, target: Grid) -> np.ndarray | None:
    """The shift in voxels when the grids differ by whole voxels only."""
    between = source.lps_mm_to_voxel @ target.voxel_to_lps_mm
    shift = np.round(between[:3, 3])
    same = np.allclose(between[:3, :3], np.eye(3), atol=1e-6) and np.allclose(between[:3, 3], shift, atol=1e-4)
    return shift.astype(int) if same else None


def _shifted(array: np.ndarray, start: np.ndarray, shape: tuple[int, int, int], outside: float) -> np.ndarray:
    """A crop with padding: no interpolation."""
    out = np.full(shape, outside, dtype=array.dtype)
    low = np.maximum(start, 0)
    high = np.minimum(start + np.asarray(shape), array.shape)
    if np.all(high > low):
        source = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        target = tuple(slice(a, b) for a, b in zip(low - start, high - start, strict=True))
        out[target] = array[source]
    return out


def canonical(ct: Volume) -> Volume:
    """The same voxels with axes flipped and permuted toward superior, posterior, left; no interpolation."""
    return Volume(*_reoriented(ct.grid, ct.hu))


def canonical_labels(labels: LabelMap) -> LabelMap:
    """Like `canonical`, for labels."""
    return LabelMap(*_reoriented(labels.grid, labels.labels))


@dataclass(frozen=True, slots=True, eq=False)
class Reorientation:
    """How an array turns canonical: its axes in `order`, those with sign -1 reversed; `grid` is the result's."""

    grid: Grid
    order: tuple[int, int, int]
    signs: tuple[int, int, int]

    def of(self, array: np.ndarray) -> np.ndarray:
        """The canonical view of an array on the source grid; no copy."""
        a, b, c = self.signs
        return array.transpose(self.order)[::a, ::b, ::c]

    def undone(self, canonical_array: np.ndarray) -> np.ndarray:
        """The view of a canonical array in which it lies on the source grid; no copy."""
        a, b, c = self.signs
        return canonical_array[::a, ::b, ::c].transpose(np.argsort(self.order))


def reorientation(grid: Grid) -> Reorientation:
    """The flips and permutation toward superior, posterior, left: what `canonical` applies."""
    directions = grid.voxel_to_lps_mm[:3, :3] / np.asarray(grid.spacing_mm)
    order = _axis_for_each(np.abs(directions))
    affine = np.array(grid.voxel_to_lps_mm)
    columns = affine[:3, :3][:, order]
    signs = [-1 if columns[2 - k, k] < 0 else 1 for k in range(3)]
    shape = [grid.shape[i] for i in order]
    origin = affine[:3, 3] + sum(columns[:, k] * (shape[k] - 1) for k in range(3) if signs[k] < 0)
    new = np.eye(4)
    new[:3, :3] = columns * signs
    new[:3, 3] = origin
    turned = Grid((shape[0], shape[1], shape[2]), new)
    return Reorientation(turned, (order[0], order[1], order[2]), (signs[0], signs[1], signs[2]))


def _reoriented(grid: Grid, array: np.ndarray) -> tuple[Grid, np.ndarray]:
    turn = reorientation(grid)
    return turn.grid, freeze(np.ascontiguousarray(turn.of(array)))


def _axis_for_each(weights: np.ndarray) -> list[int]:
    """Which array axis runs along z, y, x: the assignment with the largest sum of cosines."""
    best = max(
        ((a, b, c) for a in range(3) for b in range(3) for c in range(3) if len({a, b, c}) == 3),
        key=lambda o: weights[2, o[0]] + weights[1, o[1]] + weights[0, o[2]],
    )
    return list(best)


def _three(numbers: np.ndarray) -> tuple[int, int, int]:
    z, y, x = (int(n) for n in numbers)
    return z, y, x
