"""The scanner: resolution, slice thickness, correlated noise, streaks and the edge of the field of view."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy import ndimage

from wirbel.volume import Grid

#: Metal in drawn HU.
METAL_HU = 2500.0


@dataclass(frozen=True, slots=True)
class Scanner:
    """How sharp, how thick, how noisy.

    `blur_mm`: in-plane FWHM of the point spread; `slice_mm`: FWHM along the table (slice thickness); `noise_hu`:
    SD in soft tissue after the kernel; `grain_mm`: size of the noise's grain; `sharpening`: overshoot at edges of
    a hard kernel (0 none); `streaks_hu`: amplitude of horizontal photon-starvation streaks.
    """

    name: str = "plain"
    blur_mm: float = 0.9
    slice_mm: float = 1.0
    noise_hu: float = 18.0
    grain_mm: float = 1.1
    sharpening: float = 0.0
    streaks_hu: float = 0.0
    kvp: float = 120.0
    manufacturer: str = "wirbel"
    model: str = "phantom"
    kernel: str = "B30f"


def scan(
    hu: Float32[np.ndarray, "z y x"],
    grid: Grid,
    scanner: Scanner,
    rng: np.random.Generator,
    *,
    absorbing: Float32[np.ndarray, "z y x"] | None = None,
) -> Float32[np.ndarray, "z y x"]:
    """The drawn HU as the scanner shows them, on the same grid, clipped to what 12 bits hold.

    `absorbing`: the HU that decide how noisy each slice is (None: `hu`). With the HU before a lesion was painted,
    the noise far from it tells nothing of it.
    """
    spacing = grid.spacing_mm
    fwhm = (scanner.slice_mm, scanner.blur_mm, scanner.blur_mm)
    # the voxel itself already averages over its size
    sigma = [np.sqrt(max(f * f - 0.4 * s * s, 0.0)) / 2.355 / s for f, s in zip(fwhm, spacing, strict=True)]
    out = hu if max(sigma) < 0.15 else ndimage.gaussian_filter(hu, sigma, truncate=3.0)
    if scanner.sharpening:
        wide = ndimage.gaussian_filter(out, [0.0, 1.2 / spacing[1], 1.2 / spacing[2]], truncate=2.5)
        out = out + np.float32(scanner.sharpening) * (out - wide)
    out = out + noise(hu if absorbing is None else absorbing, spacing, scanner, rng)
    _metal_streaks(out, hu, grid, rng)
    return np.clip(out, -1024, 3071).astype(np.float32)


def noise(
    hu: np.ndarray, spacing: tuple[float, float, float], scanner: Scanner, rng: np.random.Generator
) -> np.ndarray:
    """Correlated noise: less where the beam passes little, more through the shoulders and pelvis."""
    grain = [0.4 * scanner.slice_mm / spacing[0], *(0.42 * scanner.grain_mm / s for s in spacing[1:])]
    out = rng.standard_normal(hu.shape, dtype=np.float32)
    if max(grain) > 0.3:
        out = ndimage.gaussian_filter(out, grain, truncate=2.5)
    out /= max(float(out[:: max(1, out.shape[0] // 8)].std()), 1e-6)
    path = np.clip((hu[:, ::4, ::4] + 1000).mean(axis=(1, 2)) / 600.0, 0.4, 1.8).astype(np.float32)
    level = np.float32(scanner.noise_hu) * path[:, None, None]
    out *= level
    if scanner.streaks_hu:
        rows = rng.standard_normal((hu.shape[0], hu.shape[1], 1), dtype=np.float32)
        rows = ndimage.gaussian_filter(rows, (0.5, 0.7, 0)) * 2.0
        out += np.float32(scanner.streaks_hu) * rows * np.clip(path[:, None, None] - 0.9, 0, 1)
    return out


def _metal_streaks(out: np.ndarray, hu: np.ndarray, grid: Grid, rng: np.random.Generator) -> None:
    """Dark and bright rays away from metal, slice by slice, in place."""
    area = float(grid.spacing_mm[1] * grid.spacing_mm[2])
    for k in np.flatnonzero((hu > METAL_HU).any(axis=(1, 2))):
        rows, columns = np.nonzero(hu[k] > METAL_HU)
        y = (np.arange(hu.shape[1]) - rows.mean())[:, None] * grid.spacing_mm[1]
        x = (np.arange(hu.shape[2]) - columns.mean())[None, :] * grid.spacing_mm[2]
        rays = ndimage.gaussian_filter1d(rng.standard_normal(180), 1.2, mode="wrap") * 1.6
        spread = max(float(rows.std() * grid.spacing_mm[1]), float(columns.std() * grid.spacing_mm[2]), 4.0)
        angle = ((np.arctan2(y, x) / np.pi + 1) * 89.99).astype(int)
        strength = min(28.0 * np.sqrt(len(rows) * area), 420.0)
        fade = np.exp(-np.hypot(x, y) / 70.0) * np.clip(np.hypot(x, y) / spread, 0, 1)
        body = hu[k] > -700
        out[k] += (strength * rays[angle] * fade * body).astype(np.float32)


def within_circle(hu: np.ndarray, grid: Grid, diameter_mm: float) -> np.ndarray:
    """Values outside the reconstruction circle set to the padding that scanners use."""
    y = (np.arange(hu.shape[1]) - 0.5 * (hu.shape[1] - 1))[:, None] * grid.spacing_mm[1]
    x = (np.arange(hu.shape[2]) - 0.5 * (hu.shape[2] - 1))[None, :] * grid.spacing_mm[2]
    return np.where(np.hypot(x, y)[None] <= 0.5 * diameter_mm, hu, hu.dtype.type(-1024))


def random_scanner(rng: np.random.Generator) -> Scanner:
    """A scanner protocol drawn from wide ranges, for training."""
    sharp = rng.uniform() < 0.35
    return Scanner(
        name="random",
        blur_mm=float(rng.uniform(0.5, 0.9) if sharp else rng.uniform(0.8, 1.6)),
        slice_mm=float(rng.choice([0.6, 1.0, 1.5, 2.0, 3.0, 5.0], p=[0.1, 0.3, 0.15, 0.15, 0.15, 0.15])),
        noise_hu=float(rng.gamma(3.0, 8.0) * (1.8 if sharp else 1.0)),
        grain_mm=float(rng.uniform(0.5, 1.0) if sharp else rng.uniform(1.0, 2.2)),
        sharpening=float(rng.uniform(0.3, 1.2) if sharp else 0.0),
        streaks_hu=float(rng.choice([0.0, rng.uniform(5, 40)])),
        kvp=float(rng.choice([80, 100, 120, 140], p=[0.1, 0.25, 0.55, 0.1])),
    )
