"""Random patches: place, pose, field of view, resolution, contrast and noise drawn anew for every step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int8, UInt8
from numpy.random import Generator
from scipy import ndimage
from torch.nn import functional as F  # noqa: N812

from wirbel.network.spine_heads import CLASSES
from wirbel.training.sample import ANY_CLASS, Drawing, Sample

#: Draws HU (float32) for a tissue map: `wirbel.phantom`'s appearance, bound by the caller.
DrawHu = Callable[[Drawing, float, Generator], Float32[np.ndarray, "z y x"]]

OUTSIDE_HU = -1024.0
#: The sacrum is one bone of two dozen, yet it tells L5 from S1: patches are drawn to it this often.
_TO_SACRUM = 0.12
_SACRUM = 1 << CLASSES.index("sacrum")


@dataclass(frozen=True, slots=True)
class AugmentSettings:
    """How far training may bend the truth; each range is symmetric about no change."""

    rotate_deg: tuple[float, float, float] = (12.0, 10.0, 18.0)
    """About the axes z, y, x."""
    scale: float = 0.18
    bend_mm: float = 5.0
    """Amplitude of a smooth random displacement field."""
    flip: float = 0.5
    crop: float = 0.5
    """How often a random box is all that is seen."""
    thick: float = 0.6
    """How often slices are thicker than the grid."""
    max_thick_mm: float = 6.0
    gain: float = 0.25
    noise_hu: float = 45.0


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A patch ready for targets: like `Sample`, always with HU; centres outside the patch are kept.

    `seen` is False where the image shows nothing (outside the field of view).
    """

    spacing_mm: float
    hu: Float32[np.ndarray, "z y x"]
    allowed: UInt8[np.ndarray, "z y x"]
    instances: UInt8[np.ndarray, "z y x"]
    seen: np.ndarray
    centres_voxel: Float32[np.ndarray, "n 3"]
    levels: UInt8[np.ndarray, " n"]
    ribs: Int8[np.ndarray, " n"]
    centres_complete: bool


def draw_patch(
    sample: Sample,
    shape: tuple[int, int, int],
    rng: Generator,
    settings: AugmentSettings,
    draw_hu: DrawHu | None,
    *,
    spacing_mm: float,
) -> Patch:
    """One random patch of `shape` at `spacing_mm`, more often near the column than away from it."""
    zoom = spacing_mm / sample.spacing_mm
    matrix = _pose(rng, settings) * zoom
    half = (np.asarray(shape) - 1) / 2.0
    middle = _middle(sample, np.asarray(shape) * zoom, rng)
    grid_voxel = _sampling(shape, matrix, half, middle, rng, settings.bend_mm / sample.spacing_mm)
    allowed = _look_up(sample.allowed, grid_voxel, "nearest", 0.0).astype(np.uint8)
    seen = allowed > 0
    allowed[~seen] = ANY_CLASS
    instances = _look_up(sample.instances, grid_voxel, "nearest", 0.0).astype(np.uint8)
    if sample.hu is not None:
        hu = _look_up(sample.hu, grid_voxel, "bilinear", OUTSIDE_HU)
    else:
        if draw_hu is None or sample.drawing is None:
            raise ValueError("a drawn sample needs draw_hu to give it HU")
        drawing = Drawing(
            tissue=_look_up(sample.drawing.tissue, grid_voxel, "nearest", 0.0).astype(np.uint8),
            depth=np.rint(_look_up(sample.drawing.depth, grid_voxel, "bilinear", -127.0)).astype(np.int8),
            extra=_look_up(sample.drawing.extra, grid_voxel, "nearest", 0.0).astype(np.int8),
        )
        hu = draw_hu(drawing, spacing_mm, rng)
    hu = _degrade(hu, spacing_mm, rng, settings)
    seen &= _field_of_view(shape, rng, settings)
    hu[~seen] = OUTSIDE_HU
    allowed[~seen] = ANY_CLASS
    instances[~seen] = 0
    back = np.linalg.inv(matrix)
    centres = (sample.centres_voxel - middle) @ back.T + half
    return Patch(
        spacing_mm=spacing_mm,
        hu=hu,
        allowed=allowed,
        instances=instances,
        seen=seen,
        centres_voxel=centres.astype(np.float32),
        levels=sample.levels,
        ribs=sample.ribs,
        centres_complete=sample.centres_complete,
    )


def _pose(rng: Generator, settings: AugmentSettings) -> np.ndarray:
    """Patch-to-sample matrix in voxels: flip, scales, three small rotations."""
    scale = np.exp(rng.uniform(-settings.scale, settings.scale)) * np.exp(rng.uniform(-0.06, 0.06, 3))
    matrix = np.diag(scale)
    if rng.random() < settings.flip:
        matrix[2, 2] *= -1.0
    for axis, limit in enumerate(settings.rotate_deg):
        angle = np.deg2rad(np.clip(rng.normal(0, limit / 2), -limit, limit))
        a, b = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def _middle(sample: Sample, shape: np.ndarray, rng: Generator) -> np.ndarray:
    """Where the patch is centred: near a body nine times in ten, or near the sacrum where there is one."""
    size = np.asarray(sample.shape, dtype=np.float64)
    if rng.random() < _TO_SACRUM:
        sacrum = np.flatnonzero(sample.allowed == _SACRUM)
        if len(sacrum):
            at = np.array(np.unravel_index(sacrum[rng.integers(len(sacrum))], sample.shape), dtype=np.float64)
            return np.clip(at + rng.uniform(-1, 1, 3) * shape * 0.25, 0, size - 1)
    inside = np.all((sample.centres_voxel >= 0) & (sample.centres_voxel < size), axis=1)
    if inside.any() and rng.random() < 0.9:
        centre = rng.choice(sample.centres_voxel[inside])
        reach = shape * np.array([0.3, 0.25, 0.25])
        return np.clip(centre + rng.uniform(-1, 1, 3) * reach, 0, size - 1)
    return rng.uniform(0, size - 1)


def _sampling(
    shape: tuple[int, int, int],
    matrix: np.ndarray,
    half: np.ndarray,
    middle: np.ndarray,
    rng: Generator,
    bend_voxel: float,
) -> torch.Tensor:
    """Sample coordinates (1, z, y, x, 3) in voxels for every voxel of the patch."""
    axes = [torch.arange(n, dtype=torch.float32) - float(h) for n, h in zip(shape, half, strict=True)]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    out = grid @ torch.from_numpy(matrix.T.astype(np.float32)) + torch.from_numpy(middle.astype(np.float32))
    if bend_voxel > 0:
        knots = torch.from_numpy(rng.normal(0, bend_voxel / 2, (1, 3, 5, 5, 5)).astype(np.float32))
        field = F.interpolate(knots, size=shape, mode="trilinear", align_corners=True)
        out = out + field[0].permute(1, 2, 3, 0)
    return out[None]


def _look_up(array: np.ndarray, grid_voxel: torch.Tensor, mode: str, outside: float) -> np.ndarray:
    """Values at fractional voxel coordinates; `outside` beyond the array."""
    size = torch.tensor(array.shape, dtype=torch.float32)
    low = torch.floor(grid_voxel.amin(dim=(0, 1, 2, 3))).clamp(min=0)
    high = torch.minimum(torch.ceil(grid_voxel.amax(dim=(0, 1, 2, 3))) + 1, size)
    if bool((high - low < 2).any()):
        return np.full(tuple(grid_voxel.shape[1:4]), outside, dtype=np.float32)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    part = torch.from_numpy(np.ascontiguousarray(array[box]).astype(np.float32) - outside)[None, None]
    extent = torch.tensor(part.shape[2:], dtype=torch.float32)
    unit = (2 * (grid_voxel - low) + 1) / extent - 1
    found = F.grid_sample(part, unit.flip(-1), mode=mode, padding_mode="zeros", align_corners=False)
    return found[0, 0].numpy() + outside


def _degrade(hu: np.ndarray, spacing_mm: float, rng: Generator, settings: AugmentSettings) -> np.ndarray:
    """Contrast, thick slices, blur and noise of a scanner never seen."""
    gain = np.exp(rng.uniform(-settings.gain, settings.gain))
    bone = np.maximum(hu - 120.0, 0.0)
    hu = hu + bone * (gain - 1.0) + rng.uniform(-25, 25)
    if rng.random() < 0.3:
        hu = ndimage.gaussian_filter(hu, rng.uniform(0.2, 0.9))
    if rng.random() < settings.thick:
        thick = rng.uniform(spacing_mm, settings.max_thick_mm) / spacing_mm
        if thick > 1.2:
            hu = _thick_slices(hu, thick, axis=0 if rng.random() < 0.8 else 2)
    level = abs(rng.normal(0, settings.noise_hu / 2))
    noise = rng.standard_normal(hu.shape, dtype=np.float32)
    smooth = rng.uniform(0.0, 1.2)
    if smooth > 0.3:
        noise = ndimage.gaussian_filter(noise, smooth)
        noise /= noise.std() + 1e-6
    return np.clip(hu + level * noise, -1024, 3000).astype(np.float32)


def _thick_slices(hu: np.ndarray, thick: float, axis: int) -> np.ndarray:
    """Slices of `thick` voxels, sampled at their distance and interpolated back."""
    wide = ndimage.uniform_filter1d(hu, max(2, round(thick)), axis=axis)
    n = hu.shape[axis]
    coarse = max(2, round(n / thick))
    at = np.linspace(0, n - 1, coarse)
    slices = np.take(wide, np.round(at).astype(int), axis=axis)
    where = np.interp(np.arange(n), at, np.arange(coarse))
    low = np.minimum(where.astype(int), coarse - 2)
    shape = [1, 1, 1]
    shape[axis] = n
    w = (where - low).reshape(shape).astype(np.float32)
    result: np.ndarray = np.take(slices, low, axis=axis) * (1 - w) + np.take(slices, low + 1, axis=axis) * w
    return result


def _field_of_view(shape: tuple[int, int, int], rng: Generator, settings: AugmentSettings) -> np.ndarray:
    """True inside a random box (or everywhere)."""
    seen = np.ones(shape, dtype=bool)
    if rng.random() >= settings.crop:
        return seen
    for axis, n in enumerate(shape):
        low, high = 0, n
        if rng.random() < 0.5:
            low = int(rng.uniform(0, 0.35) * n)
        if rng.random() < 0.5:
            high = n - int(rng.uniform(0, 0.35) * n)
        index = np.arange(n)
        inside = (index >= low) & (index < high)
        one = [1, 1, 1]
        one[axis] = n
        seen &= inside.reshape(one)
    return seen
