"""How much of a body the border of a field of view cuts."""

import numpy as np
from jaxtyping import Float64

from wirbel.volume import Grid


def share_at_border(
    body_lps_mm: Float64[np.ndarray, "n 3"],
    voxel_mm3: float,
    field: Grid,
    layer_mm: tuple[float, float, float],
) -> float:
    """Area of a body's voxels in the outermost layer of `field`, as share of volume^(2/3), its usual cross-section.

    `layer_mm`: how thick that layer is along each axis. The largest of the six faces counts; 0 for no voxels.
    """
    if not len(body_lps_mm):
        return 0.0
    at, shape = field.to_voxel(body_lps_mm), np.asarray(field.shape)
    layer_voxel = np.asarray(layer_mm) / np.asarray(field.spacing_mm)
    outermost = np.stack([at < layer_voxel - 0.5, at > shape - 0.5 - layer_voxel])
    met_mm2 = outermost.sum(axis=1).max(axis=0) * voxel_mm3 / np.asarray(layer_mm)
    return float(met_mm2.max() / (len(body_lps_mm) * voxel_mm3) ** (2 / 3))
