"""What the channels of the two spine networks mean: one place for training and for inference."""

import numpy as np
from jaxtyping import Float32, Float64
from scipy import ndimage

from wirbel.spine import Level

#: Voxel size of the finder and of the segmenter.
FIND_MM = 3.0
SEGMENT_MM = 1.5

#: Classes of both networks in channel order; 1-5 are `wirbel.spine.Part`, 6 is the hip bone.
CLASSES = ("background", "body", "posterior", "disc", "sacrum", "rib", "hip")

#: What a voxel of each class weighs in the loss: thin and small structures count more than their size.
CLASS_WEIGHT = (0.5, 2.0, 2.5, 2.5, 2.5, 1.0, 0.5)

#: Dense channels of the finder: classes, then the heat of body centres (logit).
FINDER_DENSE = len(CLASSES) + 1
#: Coarse channels of the finder: a logit per level (`FINDER_LEVELS`), then "carries a rib".
FINDER_LEVELS: tuple[Level, ...] = tuple(sorted((lv for lv in Level if lv is not Level.T13), key=lambda v: v.rank))
FINDER_COARSE = len(FINDER_LEVELS) + 1
#: Heat of a body centre: a Gaussian of this sigma.
HEAT_SIGMA_MM = 6.0

#: Dense channels of the segmenter: classes, then the offset (z, y, x) to the centre of the own body in units of
#: `OFFSET_UNIT_MM`.
SEGMENTER_DENSE = len(CLASSES) + 3
OFFSET_UNIT_MM = 20.0

#: Two views of HU, each mapped to [-1, 1]: bone and soft tissue. Fixed, so that a crop looks as the whole does.
WINDOWS_HU = ((-1000.0, 1400.0), (-160.0, 340.0))


def network_input(hu: Float32[np.ndarray, "z y x"]) -> Float32[np.ndarray, "2 z y x"]:
    """HU in the two fixed windows, each clipped and scaled to [-1, 1]."""
    views = [np.clip((hu - low) * (2.0 / (high - low)) - 1.0, -1.0, 1.0) for low, high in WINDOWS_HU]
    return np.stack(views).astype(np.float32)


def at_coarse(
    coarse: Float32[np.ndarray, "k _ _ _"], at_voxel: Float64[np.ndarray, "n 3"]
) -> Float64[np.ndarray, "k n"]:
    """Coarse logits (a quarter of the resolution) at fractional voxels of the dense grid, trilinear."""
    where = (at_voxel.T - 1.5) / 4.0
    values = [ndimage.map_coordinates(c, where, order=1, mode="nearest", output=np.float64) for c in coarse]
    return np.stack(values).reshape(len(coarse), len(at_voxel))
