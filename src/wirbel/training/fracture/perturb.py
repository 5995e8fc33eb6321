"""One disturbance at a time of a stored crop: what scanners, reconstructions and poor outlines do to it.

Each function takes a crop of 1 mm voxels (z, y, x toward superior, posterior, left) as float32 HU, or its mask's
bits, and gives a new one. Random parts come from `rng`.
"""

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import ndimage

from wirbel.etiology.network_input import OTHERS, VERTEBRA

Image = Float32[np.ndarray, "z y x"]
Mask = UInt8[np.ndarray, "z y x"]
#: Where two rods run beside the spinous process: behind the crop's middle, and to either side of it.
RODS_BEHIND_MM, RODS_APART_MM = 20.0, 30.0
#: Rays lose all but 1/e of their strength over this way.
RAYS_REACH_MM = 30.0
_ANGLES = 180


def smoothed(hu: Image, sigma_mm: float) -> Image:
    """A softer kernel: Gaussian in the axial plane."""
    return ndimage.gaussian_filter(hu, (0.0, sigma_mm, sigma_mm))


def sharpened(hu: Image, amount: float) -> Image:
    """A harder kernel: `amount` of what a Gaussian of 1 mm in the axial plane takes away is added, noise too."""
    return hu + np.float32(amount) * (hu - smoothed(hu, 1.0))


def noisy(hu: Image, sd_hu: float, rng: np.random.Generator, *, grain_mm: float = 0.0) -> Image:
    """Noise of this spread; with a grain it is correlated in the axial plane (Gaussian of that sigma)."""
    noise = rng.standard_normal(hu.shape, dtype=np.float32)
    if grain_mm > 0:
        noise = ndimage.gaussian_filter(noise, (0.0, grain_mm, grain_mm), mode="wrap")
        noise /= noise.std()
    return hu + np.float32(sd_hu) * noise


def noise_added_hu(noise_hu: float, dose_share: float) -> float:
    """What must be added to an image's noise at a share of its dose: quantum noise goes with 1 / sqrt(dose)."""
    return float(noise_hu * np.sqrt(1.0 / dose_share - 1.0))


def sliced(hu: Image, thickness: int, first: int = 0) -> Image:
    """Thick slices without gap or overlap: means of `thickness` voxels along z, linear between their middles.

    `first`: how many voxels the first slice lacks; beyond the outer middles the outer slices are repeated.
    """
    starts = _starts(hu.shape[0], thickness, first)
    ends = np.r_[starts[1:], hu.shape[0]]
    means = np.add.reduceat(hu, starts, axis=0) / (ends - starts)[:, None, None].astype(np.float32)
    middles = (starts + ends - 1) / 2
    at = np.arange(hu.shape[0])
    weights = np.stack([np.interp(at, middles, row) for row in np.eye(len(starts))], axis=1)
    return np.tensordot(weights.astype(np.float32), means, axes=1)


def sliced_mask(mask: Mask, thickness: int, first: int = 0) -> Mask:
    """The mask as outlined on such slices: each has its middle's outline through all its thickness."""
    starts = _starts(mask.shape[0], thickness, first)
    ends = np.r_[starts[1:], mask.shape[0]]
    return mask[np.repeat((starts + ends - 1) // 2, ends - starts)]


def enhanced(hu: Image, mask: Mask, rise_hu: float) -> Image:
    """All soft tissue outside the vertebrae brighter by as much; fat, air and bone as they were.

    Crude: in a patient vessels rise more than muscle, and marrow rises as well.
    """
    base = ndimage.gaussian_filter(hu, 1.5)
    soft = np.clip((base + 10) / 30, 0, 1) * np.clip((180 - base) / 60, 0, 1)
    soft[(mask & (VERTEBRA | OTHERS)) > 0] = 0
    return hu + np.float32(rise_hu) * soft


def streaked(hu: Image, amplitude_hu: float, rng: np.random.Generator) -> Image:
    """Rays of two metal rods behind the vertebra, and the dark band between them; the rods are not drawn.

    Random over the angle, slowly changing along z; `amplitude_hu` is their spread at the rods.
    """
    z, y, x = hu.shape
    down = (np.arange(y) - (y - 1) / 2 - RODS_BEHIND_MM)[:, None]
    across = (np.arange(x) - (x - 1) / 2)[None, :]
    field = np.zeros(hu.shape, dtype=np.float32)
    for side in (-0.5, 0.5):
        off = across - side * RODS_APART_MM
        rays = ndimage.gaussian_filter(rng.standard_normal((z, _ANGLES), dtype=np.float32), (3.0, 1.2), mode="wrap")
        rays /= rays.std()
        angle = (np.arctan2(down, off) / (2 * np.pi) % 1.0 * _ANGLES).astype(int) % _ANGLES
        field += rays[:, angle] * np.exp(-np.hypot(down, off) / RAYS_REACH_MM).astype(np.float32)
    between = np.exp(-np.square(down / 3.0) / 2) * (np.abs(across) < RODS_APART_MM / 2)
    return hu + np.float32(amplitude_hu) * (field - 2 * between.astype(np.float32))


def grown(mask: Mask, voxels: int) -> Mask:
    """The vertebra's outline too wide (or, below zero, too tight) by so many voxels; never empty."""
    own = (mask & VERTEBRA) > 0
    if voxels < 0:
        less = ndimage.binary_erosion(own, iterations=-voxels)
        return _with_vertebra(mask, less if less.any() else own)
    return _with_vertebra(mask, ndimage.binary_dilation(own, iterations=voxels) if voxels else own)


def moved(mask: Mask, far_mm: float, rng: np.random.Generator) -> Mask:
    """All outlines beside their place, by as much in a random direction (whole voxels); the edge is repeated."""
    way = rng.standard_normal(3)
    by = np.rint(far_mm * way / np.linalg.norm(way)).astype(int)
    at = [np.clip(np.arange(n) - d, 0, n - 1) for n, d in zip(mask.shape, by, strict=True)]
    out = mask[np.ix_(*at)]
    return out if (out & VERTEBRA).any() else mask


def joined(mask: Mask, reach_mm: float) -> Mask:
    """The vertebra above taken for this one, as far as it lies lower than `reach_mm` above this one's upper end.

    The upper end is the level under which 95 % of the outline lies; crops of 1 mm know no names, so what lies above
    the outline's middle and is another's counts as the one above.
    """
    own, others = (mask & VERTEBRA) > 0, (mask & OTHERS) > 0
    levels = np.nonzero(own)[0]
    middle, end = int(levels.mean()), int(np.percentile(levels, 95) + reach_mm)
    above = others.copy()
    above[:middle] = False
    above[end + 1 :] = False
    return _with_vertebra(mask, own | above)


def _starts(length: int, thickness: int, first: int) -> np.ndarray:
    """Where each slice begins."""
    return np.unique(np.maximum(np.arange(-first, length, thickness), 0))


def _with_vertebra(mask: Mask, own: np.ndarray) -> Mask:
    """The mask with another vertebra in it; where it lies there is no other."""
    left = mask & np.uint8(0xFF ^ VERTEBRA)
    return np.where(own, (left & np.uint8(0xFF ^ OTHERS)) | np.uint8(VERTEBRA), left).astype(np.uint8)
