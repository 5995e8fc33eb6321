"""Gantry tilt corrected: slices shifted in their own planes until the stack stands upright on them."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from jaxtyping import Float64

from wirbel.volume import Grid

#: What lies outside a slice: air.
OUTSIDE_HU = -1024


@dataclass(frozen=True, slots=True, eq=False)
class Shear:
    """The upright grid of a sheared stack, and by how many rows and columns each slice moves into it."""

    grid: Grid
    shifts_voxel: Float64[np.ndarray, "n 2"]

    def place(self, values: np.ndarray, index: int) -> np.ndarray:
        """A slice's values at its place in the upright grid's plane: linear between pixels, air outside."""
        plane = np.asarray(values, dtype=np.float32)
        for axis, size in enumerate(self.grid.shape[1:]):
            plane = _shifted(plane, float(self.shifts_voxel[index, axis]), axis, size)
        return np.round(plane)


def upright(sheared: Grid) -> Shear:
    """The grid with the same planes, stacked along their normal; wide enough for all of every slice."""
    step, column, row = (sheared.voxel_to_lps_mm[:3, k] for k in range(3))
    normal = np.cross(row, column) / np.linalg.norm(np.cross(row, column))
    drift = np.array([step @ v / (v @ v) for v in (column, row)])
    count = sheared.shape[0]
    shifts = np.arange(count)[:, None] * drift
    low = np.array([floor(v) for v in np.minimum(0.0, shifts[-1])])
    high = np.array([ceil(v) for v in np.maximum(0.0, shifts[-1])])
    affine = np.array(sheared.voxel_to_lps_mm)
    affine[:3, 0] = normal * (normal @ step)
    affine[:3, 3] += column * low[0] + row * low[1]
    rows, columns = (int(n) for n in np.array(sheared.shape[1:]) + high - low)
    return Shear(Grid((count, rows, columns), affine), shifts - low)


def _shifted(plane: np.ndarray, shift: float, axis: int, size: int) -> np.ndarray:
    whole = floor(shift)
    part = np.float32(shift - whole)
    shape = list(plane.shape)
    shape[axis] = size
    out = np.full(shape, OUTSIDE_HU, dtype=np.float32)
    length = plane.shape[axis]

    def along(start: int, stop: int) -> tuple[slice, ...]:
        return tuple(slice(start, stop) if k == axis else slice(None) for k in range(2))

    if part < 1e-6:
        out[along(whole, whole + length)] = plane
        return out
    a, b = np.take(plane, range(length - 1), axis), np.take(plane, range(1, length), axis)
    out[along(whole + 1, whole + length)] = a * part + b * (1 - part)
    return out
