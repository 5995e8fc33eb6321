"""The picture and its labels through a displacement."""

from typing import Literal

import numpy as np
from scipy import ndimage

from wirbel.donor.collapse import Displacement
from wirbel.donor.region import Region
from wirbel.phantom.implicit import unchecked


@unchecked
def warped(region: Region, own: Displacement) -> np.ndarray:
    """The region's smooth picture, moved: one cubic interpolation."""
    return _pulled(region, region.smooth, own, order=3)


@unchecked
def moved_labels(region: Region, labels: np.ndarray, own: Displacement) -> np.ndarray:
    """Labels where the picture now shows them."""
    return _pulled(region, labels, own, order=0)


@unchecked
def moved_values(region: Region, values: np.ndarray, own: Displacement) -> np.ndarray:
    """A smooth map of the working grid where the picture now shows it."""
    return _pulled(region, values, own, order=1)


@unchecked
def _pulled(region: Region, values: np.ndarray, own: Displacement, *, order: Literal[0, 1, 3]) -> np.ndarray:
    """Values at each voxel's place plus the displacement; beyond the border its last value."""
    to_voxel = (region.grid.lps_mm_to_voxel[:3, :3] @ region.frame.axes).astype(np.float32)
    at = np.empty((3, *values.shape), np.float32)
    for axis in range(3):
        index = np.arange(values.shape[axis], dtype=np.float32)
        index = index.reshape([-1 if a == axis else 1 for a in range(3)])
        at[axis] = index + to_voxel[axis, 0] * own.x + to_voxel[axis, 1] * own.y + to_voxel[axis, 2] * own.z
    kind = values.dtype if order == 0 else np.dtype(np.float32)
    return ndimage.map_coordinates(values, at, output=kind, order=order, mode="nearest")
