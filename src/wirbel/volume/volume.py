"""CT values and labels on a grid, frozen."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int16, UInt8

from wirbel.errors import GeometryError
from wirbel.volume.grid import Grid


def _frozen(array: np.ndarray) -> np.ndarray:
    """The array itself when nobody can write to it, else a read-only copy."""
    if not array.flags.writeable and (array.base is None or not getattr(array.base.flags, "writeable", True)):
        return array
    copy = np.array(array, order="C")
    copy.setflags(write=False)
    return copy


def freeze(array: np.ndarray) -> np.ndarray:
    """Give an array away: marks it read-only so that `Volume` and `LabelMap` keep it without a copy."""
    own = array if array.base is None else array.copy()
    own.setflags(write=False)
    return own


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A CT: Hounsfield units on a grid, array axes (z, y, x).

    `hu` is int16 (as read) or float32 (as resampled); it is kept read-only, copied unless `freeze`d.
    """

    grid: Grid
    hu: Int16[np.ndarray, "z y x"] | Float32[np.ndarray, "z y x"]

    def __post_init__(self) -> None:
        if self.hu.shape != self.grid.shape:
            raise GeometryError(f"values have shape {self.hu.shape}, their grid has {self.grid.shape}")
        object.__setattr__(self, "hu", _frozen(self.hu))


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """Small whole numbers on a grid, 0 = nothing; the room that makes it says what the numbers mean."""

    grid: Grid
    labels: UInt8[np.ndarray, "z y x"]

    def __post_init__(self) -> None:
        if self.labels.shape != self.grid.shape:
            raise GeometryError(f"labels have shape {self.labels.shape}, their grid has {self.grid.shape}")
        object.__setattr__(self, "labels", _frozen(self.labels))
