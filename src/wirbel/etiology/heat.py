"""Where a classifier looked: a map of one vertebra in the CT's own space."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float32

from wirbel.errors import ModelError
from wirbel.volume import Grid


class HeatMethod(StrEnum):
    """How a map was made."""

    GRAD_CAM = "grad_cam"
    """Grad-CAM (Selvaraju 2017), which for a linear head on averaged maps is relu(sum of weight x map)."""
    LESION_CAM = "lesion_cam"
    """Grad-CAM times where networks that were taught by painted lesions see one, which is twice as fine."""
    OCCLUSION = "occlusion"
    """How far the score falls when a cube of the CT is painted over (Zeiler & Fergus 2014)."""


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """What raised the score toward malignant, voxel by voxel; it explains a score and proves no lesion.

    `values` lie in [0, 1]: 1 is the strongest place of this vertebra, or all are 0 where nothing raised the score,
    so maps of two vertebrae do not compare. `made_by` names the ensemble's members whose mean it is.
    """

    grid: Grid
    values: Float32[np.ndarray, "z y x"]
    method: HeatMethod
    made_by: tuple[str, ...]

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float32)
        if values.shape != self.grid.shape:
            raise ModelError(f"a heat map of shape {values.shape} does not fit its grid of {self.grid.shape}")
        if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0):
            raise ModelError("a heat map holds values that are no numbers in 0 to 1: the network is damaged")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
