"""A CT's noise apart from what it shows, and new noise with the same spectrum and the same local strength."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy import ndimage

from wirbel.phantom.implicit import unchecked

#: Soft tissue in which the noise's strength and spectrum are taken.
SOFT_HU = (-160.0, 190.0)
#: Flat is where the picture's own variance stays under this multiple of the noise's.
_FLAT = 1.0
_LEAST_VOXELS = 500


@unchecked
@dataclass(frozen=True, slots=True, eq=False)
class Grain:
    """A CT cut in two: `smooth` + `noise` is the CT. `sd_hu` is the noise's in soft tissue, `local_hu` its map.

    `amplitude`: of the noise's Fourier components, unit variance (the grid's own shape).
    """

    smooth: Float32[np.ndarray, "z y x"]
    noise: Float32[np.ndarray, "z y x"]
    sd_hu: float
    local_hu: Float32[np.ndarray, "z y x"]
    amplitude: np.ndarray

    @unchecked
    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        """A new field of unit variance with the noise's spectrum."""
        white = np.fft.rfftn(rng.standard_normal(self.noise.shape, dtype=np.float32))
        field = np.fft.irfftn(white * self.amplitude, s=self.noise.shape, axes=(0, 1, 2)).astype(np.float32)
        return field / max(float(field.std()), 1e-6)


@unchecked
def grain_of(hu: np.ndarray, spacing_mm: tuple[float, float, float]) -> Grain:
    """Split by a guided filter (He et al. 2013): what varies more than the noise stays in the smooth part."""
    hu = hu.astype(np.float32)
    rough = _roughness(hu)
    size = [3 if s > 2.0 else 5 for s in spacing_mm]
    smooth = _guided(hu, size, (1.6 * rough) ** 2)
    noise = hu - smooth
    flat = _flat(smooth, rough)
    sd = float(noise[flat].std()) if flat.sum() > _LEAST_VOXELS else rough
    local = np.sqrt(ndimage.uniform_filter(np.clip(noise, -3 * sd, 3 * sd) ** 2, [2 * n - 1 for n in size]))
    spectrum = np.abs(np.fft.rfftn(np.where(flat, noise, 0)))
    spectrum = ndimage.gaussian_filter(spectrum, 1.0, mode="wrap")
    return Grain(smooth, noise, sd, np.clip(local, 0.3 * sd, 1.5 * sd).astype(np.float32), spectrum)


@unchecked
def _roughness(hu: np.ndarray) -> float:
    """The noise's SD from differences to the neighbours in the slice, in soft tissue (robust)."""
    soft = (hu > SOFT_HU[0]) & (hu < SOFT_HU[1])
    away = hu - ndimage.uniform_filter(hu, (1, 3, 3))
    values = np.abs(away[soft])
    # the mean of nine takes a part of the noise with it; 1.25 makes up for white noise and a little grain
    return float(np.clip(1.4826 * np.median(values) * 1.25, 3.0, 60.0)) if values.size else 10.0


@unchecked
def _guided(hu: np.ndarray, size: list[int], eps: float) -> np.ndarray:
    mean = ndimage.uniform_filter(hu, size)
    variance = np.maximum(ndimage.uniform_filter(hu * hu, size) - mean * mean, 0)
    slope = variance / (variance + np.float32(eps))
    offset = mean * (1 - slope)
    return ndimage.uniform_filter(slope, size) * hu + ndimage.uniform_filter(offset, size)


@unchecked
def _flat(smooth: np.ndarray, rough: float) -> np.ndarray:
    soft = (smooth > SOFT_HU[0]) & (smooth < SOFT_HU[1])
    steps = np.sqrt(sum(g * g for g in np.gradient(smooth)))
    return ndimage.binary_erosion(soft & (steps < _FLAT * rough))
