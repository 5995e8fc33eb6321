"""Contrast phase from the blood itself: the aorta beside the column, found by its evenness, not by a header's
tag."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from scipy import ndimage

from wirbel.finding.finding import ContrastPhase
from wirbel.finding.settings import VesselSettings
from wirbel.spine import Spine
from wirbel.vertebra import Frame
from wirbel.vertebra.local import in_frame, sample
from wirbel.volume import Volume

#: Window in front of and beside the body, in the body's frame, mm from its centre.
LEFT_MM = (-35.0, 45.0)
ANTERIOR_MM = (-12.0, 60.0)
STEP_MM = 1.5
#: Radius of the disc that must be even; an aorta has 8 mm and more.
DISC_MM = 6.0
#: Heights around the body's middle that are averaged against noise.
AT_MM = (-4.0, -2.0, 0.0, 2.0, 4.0)
OUTSIDE_HU = -1024.0
#: HU of blood at most; above it is calcium, a stent, metal or oral contrast.
MOST_HU = 700.0
SOFT_HU = (0.0, 90.0)
#: Levels that must agree, unless fewer are in view.
LEAST_LEVELS = 2


def contrast_phase(
    ct: Volume, spine: Spine, frames: Sequence[Frame], settings: VesselSettings
) -> ContrastPhase:
    """The phase, from bodies' frames; `UNKNOWN` where too little soft tissue beside the column is in the CT.

    At each body the brightest even disc in front of it is taken. Enhanced blood is bright at most levels in a row;
    bowel contrast, kidneys and calcium are not.
    """
    seen = [hu for hu in (_brightest_even_disc(ct, spine, frame) for frame in frames) if hu is not None]
    if len(seen) < min(LEAST_LEVELS, max(1, len(frames))):
        return ContrastPhase.UNKNOWN
    blood_hu = float(np.median(seen))
    if blood_hu < settings.enhanced_from_hu:
        return ContrastPhase.NATIVE
    return ContrastPhase.ARTERIAL if blood_hu >= settings.arterial_from_hu else ContrastPhase.PORTAL_VENOUS


def _brightest_even_disc(ct: Volume, spine: Spine, frame: Frame) -> float | None:
    """HU of the brightest disc that is even, or None where the window is not soft tissue."""
    image = _section(ct, spine, frame)
    size = 2 * round(DISC_MM / STEP_MM) + 1
    grid = np.arange(size) - size // 2
    disc = (grid[:, None] ** 2 + grid[None, :] ** 2) * STEP_MM**2 <= DISC_MM**2
    kernel = disc / disc.sum()
    mean = ndimage.correlate(image, kernel, mode="constant", cval=OUTSIDE_HU)
    square = ndimage.correlate(image**2, kernel, mode="constant", cval=OUTSIDE_HU**2)
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    even = (spread <= np.maximum(30.0, 0.15 * mean)) & (mean >= SOFT_HU[0]) & (mean <= MOST_HU)
    if even.sum() < 5:
        return None
    return float(np.percentile(mean[even], 98.0))


def _section(ct: Volume, spine: Spine, frame: Frame) -> Float64[np.ndarray, "u v"]:
    """Mean of a few sections across the body's axis; vertebrae and what touches them are set to air."""
    left = np.arange(LEFT_MM[0], LEFT_MM[1] + 0.1, STEP_MM)
    front = np.arange(ANTERIOR_MM[0], ANTERIOR_MM[1] + 0.1, STEP_MM)
    u, v = np.meshgrid(left, front, indexing="ij")
    total = np.zeros(u.shape)
    bone = np.zeros(u.shape, dtype=bool)
    for at in AT_MM:
        points = in_frame(frame, u, v, np.full_like(u, at))
        total += sample(ct.hu, ct.grid, points, outside=OUTSIDE_HU)
        bone |= sample(spine.instances.labels, spine.grid, points, outside=0.0) > 0
    return np.where(ndimage.binary_dilation(bone, iterations=1), OUTSIDE_HU, total / len(AT_MM))
