"""Trabecular density of a body in HU."""

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.vertebra.local import Cutout, sample
from wirbel.vertebra.measures import Density, Frame, NotMeasured, Reason
from wirbel.vertebra.settings import DensitySettings
from wirbel.volume import Volume

#: No value there: outside the CT.
NO_CT_HU = -2000.0
STEP_MM = 1.0


def density_of(cutout: Cutout, frame: Frame, ct: Volume, settings: DensitySettings) -> Density | NotMeasured:
    """Median HU of the eroded core without the basivertebral vein; foreign material and outliers left out.

    The core is sampled every millimetre. `CEMENT` or `METAL` when more than `most_foreign` of it is that;
    `MASK_POOR` when too little bone is left.
    """
    points = _core_points(cutout, frame, settings)
    if len(points) == 0:
        return NotMeasured(Reason.MASK_POOR, "no bone inside the cortex")
    values = sample(ct.hu, ct.grid, points, outside=NO_CT_HU)
    values = values[values > 0.5 * NO_CT_HU]
    if len(values) == 0:
        return NotMeasured(Reason.MASK_POOR, "outside the CT")
    if float(np.mean(values > settings.metal_hu)) > settings.most_foreign:
        return NotMeasured(Reason.METAL)
    if float(np.mean(values > settings.cement_hu)) > settings.most_foreign:
        return NotMeasured(Reason.CEMENT)
    kept = _without_outliers(values[values <= settings.cement_hu], settings.clip)
    volume_mm3 = len(kept) * STEP_MM**3
    if volume_mm3 < settings.least_mm3:
        return NotMeasured(Reason.MASK_POOR, f"{volume_mm3:.0f} mm3 of trabecular bone")
    low, median, high = np.percentile(kept, [25.0, 50.0, 75.0])
    calibrated: float | NotMeasured = NotMeasured(Reason.NO_CALIBRATION)
    if settings.mg_cm3_per_hu is not None:
        calibrated = float(settings.mg_cm3_at_0_hu + settings.mg_cm3_per_hu * median)
    return Density(float(median), float(high - low), float(volume_mm3), calibrated)


def _core_points(
    cutout: Cutout, frame: Frame, settings: DensitySettings
) -> Float64[np.ndarray, "n 3"]:
    """Points every millimetre in the body's core, less eroded where a body is too flat."""
    depth_mm = ndimage.distance_transform_edt(cutout.body, sampling=cutout.grid.spacing_mm)
    erosion = min(settings.erosion_mm, 0.5 * float(depth_mm.max()))
    extent = np.argwhere(depth_mm > erosion)
    if len(extent) == 0:
        return np.zeros((0, 3))
    spacing = np.asarray(cutout.grid.spacing_mm)
    axes = [
        np.arange(a, b + 1e-6, STEP_MM / s)
        for a, b, s in zip(extent.min(axis=0), extent.max(axis=0), spacing, strict=True)
    ]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.float64)
    within = ndimage.map_coordinates(depth_mm, index.T, order=1) > erosion
    points = cutout.grid.to_lps_mm(index[within])
    arm = points - frame.origin_lps_mm
    front, side = arm @ frame.anterior, arm @ frame.left
    keep = ~_vein(front, side, settings)
    return points[keep]


def _vein(
    front: Float64[np.ndarray, "n"], side: Float64[np.ndarray, "n"], settings: DensitySettings
) -> Bool[np.ndarray, "n"]:
    """The posterior middle, where the basivertebral vein enters."""
    if len(front) == 0:
        return np.zeros(0, dtype=bool)
    limit = front.min() + settings.vein_fraction * np.ptp(front)
    return (front < limit) & (np.abs(side) < settings.vein_half_width_mm)


def _without_outliers(values: Float64[np.ndarray, "n"], clip: float) -> Float64[np.ndarray, "kept"]:
    """Values near the median: lesions, bone islands and vessels that fill less than half go."""
    kept = values
    for _ in range(3):
        if len(kept) == 0:
            break
        median = float(np.median(kept))
        spread = max(1.4826 * float(np.median(np.abs(kept - median))), 10.0)
        kept = values[np.abs(values - median) <= clip * spread]
    return kept
