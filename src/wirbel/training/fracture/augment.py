"""Crops bent and degraded anew for every step: one resample a crop, then arithmetic.

What the study did (left-right flip, sagittal rotation of 10 degrees, zoom, elastic deformation), a small shift
(the centre is a prediction), and what scanners differ in: gain, offset, a soft or hard kernel, noise. The mask and
what was painted bend alike; now and then the vertebra's outline is too tight or too wide, as a prediction may be.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy.random import Generator
from torch.nn import functional as F  # noqa: N812

from wirbel.etiology.network_input import VERTEBRA
from wirbel.training.fracture.perturb import grown

#: Nodes of the elastic field along each axis, and noise drawn ahead.
NODES = 5
_NOISE = 1 << 21


@dataclass(frozen=True, slots=True)
class AugmentSettings:
    """How far training bends and degrades; each range is symmetric about no change."""

    size: tuple[int, int, int] = (64, 64, 64)
    flip: float = 0.5
    bend: float = 0.4
    """How often a crop is turned, zoomed and bent (one resample); else it is only shifted and flipped, which is
    three times as fast."""
    turn_deg: float = 10.0
    """Sagittal rotation."""
    zoom: float = 0.10
    shift_mm: float = 3.0
    elastic_mm: float = 2.0
    """Spread of the elastic field's nodes."""
    gain: float = 0.08
    offset_hu: float = 30.0
    """Far more than a scanner's calibration errs: marrow and contrast differ between people as much."""
    blur: float = 0.4
    """How often a crop is blurred, by up to about 0.7 voxels."""
    sharpen: float = 0.2
    """How often it is sharpened instead, by up to 1.5 times what that blur takes away."""
    noise_hu: float = 25.0
    misdrawn: float = 0.35
    """How often the vertebra's outline is `tight` to `wide` voxels too wide."""
    tight: int = -1
    wide: int = 2


@dataclass(frozen=True, slots=True, eq=False)
class Bent:
    """A crop as training sees it; `marks` are at half the resolution, None where nothing is told of paint."""

    hu: Float32[np.ndarray, "z y x"]
    mask: UInt8[np.ndarray, "z y x"]
    marks: UInt8[np.ndarray, "z2 y2 x2"] | None


class Augmenter:
    """Keeps what does not change from crop to crop: base grid, spline weights, drawn noise."""

    def __init__(self, settings: AugmentSettings, *, seed: int) -> None:
        self.settings = settings
        self._weights = [torch.from_numpy(_spline(n)) for n in settings.size]
        self._axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in settings.size]
        self._noise = np.random.default_rng(seed).standard_normal(_NOISE, dtype=np.float32)

    def __call__(
        self, hu: np.ndarray, mask: np.ndarray, marks: np.ndarray | None, rng: Generator
    ) -> Bent:
        """One crop, bent and degraded; values between voxels trilinear, labels nearest, the edge repeated."""
        if rng.random() >= self.settings.bend:
            return self._shifted(hu, mask, marks, rng)
        where = self._where(hu.shape, rng)
        values = torch.from_numpy(np.ascontiguousarray(hu, dtype=np.float32))
        at = _nearest(where, hu.shape)
        for axis, n in enumerate(hu.shape[::-1]):
            where[axis].mul_(2.0 / n).add_(1.0 / n - 1.0)
        grid = where.movedim(0, -1)[None]
        bent = F.grid_sample(values[None, None], grid, padding_mode="border", align_corners=False)[0, 0]
        own = _looked_up(mask, at)
        half = None if marks is None else _looked_up(marks, at[1::2, 1::2, 1::2])
        return Bent(self._degraded(bent.numpy(), rng), self._misdrawn(own, rng), half)

    def _shifted(self, hu: np.ndarray, mask: np.ndarray, marks: np.ndarray | None, rng: Generator) -> Bent:
        """Moved by whole voxels, as far as the stored crop reaches, and perhaps mirrored."""
        cut = []
        for have, want in zip(hu.shape, self.settings.size, strict=True):
            middle = (have - want) // 2
            far = min(int(self.settings.shift_mm), middle)
            low = middle + int(rng.integers(-far, far + 1))
            cut.append(slice(low, low + want))
        turn = slice(None, None, -1 if rng.random() < self.settings.flip else 1)
        values = hu[tuple(cut)].astype(np.float32)[:, :, turn]
        half = None if marks is None else np.array(marks[tuple(cut)][:, :, turn][1::2, 1::2, 1::2])
        own = np.array(mask[tuple(cut)][:, :, turn])
        return Bent(self._degraded(values, rng), self._misdrawn(own, rng), half)

    def _where(self, shape: tuple[int, ...], rng: Generator) -> torch.Tensor:
        """Where in the stored crop each voxel of the bent one lies: x, y and z in its voxels."""
        s = self.settings
        angle = np.deg2rad(rng.uniform(-s.turn_deg, s.turn_deg))
        zoom = float(np.exp(rng.uniform(-s.zoom, s.zoom)))
        cos, sin = float(np.cos(angle)) * zoom, float(np.sin(angle)) * zoom
        shift = rng.uniform(-s.shift_mm, s.shift_mm, 3)
        z, y, x = self._axes[0][:, None, None], self._axes[1][:, None], self._axes[2]
        mirror = -zoom if rng.random() < s.flip else zoom
        nodes = torch.from_numpy(rng.normal(0, s.elastic_mm, (3, NODES, NODES, NODES)).astype(np.float32))
        middle = [(n - 1) / 2 + float(d) for n, d in zip(shape, shift, strict=True)]
        wz, wy, wx = self._weights
        partly = torch.einsum("yj,cijx->ciyx", wy, nodes @ wx.T).flatten(2)
        field = (wz @ partly).reshape(3, len(z), len(y), len(x))
        straight = (mirror * x + middle[2], sin * z + cos * y + middle[1], cos * z - sin * y + middle[0])
        for axis, line in enumerate(straight):
            field[axis].add_(line)
        return field

    def _misdrawn(self, mask: np.ndarray, rng: Generator) -> UInt8[np.ndarray, "z y x"]:
        s = self.settings
        if rng.random() >= s.misdrawn or not (mask & VERTEBRA).any():
            return mask
        return grown(mask, int(rng.integers(s.tight, s.wide + 1)))

    def _degraded(self, hu: np.ndarray, rng: Generator) -> Float32[np.ndarray, "z y x"]:
        s = self.settings
        kernel = rng.random()
        if kernel < s.blur:
            hu = _blurred(hu, float(rng.uniform(0, 0.2)))
        elif kernel < s.blur + s.sharpen:
            hu = hu + np.float32(rng.uniform(0, 1.5)) * (hu - _blurred(hu, 0.2))
        hu = hu * np.float32(np.exp(rng.uniform(-s.gain, s.gain)))
        hu += np.float32(rng.uniform(-s.offset_hu, s.offset_hu))
        start = int(rng.integers(0, _NOISE - hu.size)) if hu.size < _NOISE else 0
        amount = np.float32(rng.uniform(0, s.noise_hu))
        if hu.size < _NOISE:
            hu = hu + amount * self._noise[start : start + hu.size].reshape(hu.shape)
        else:
            hu += amount * rng.standard_normal(hu.shape, dtype=np.float32)
        return hu


def _spline(n: int) -> Float32[np.ndarray, "n nodes"]:
    """Weights of the nodes (a cubic B-spline over the whole axis, unit spread at the middle) at n voxels."""
    at = np.linspace(0.5, NODES - 1.5, n)[:, None] - np.arange(NODES)
    d = np.abs(at)
    weights = np.where(d < 1, (4 - 6 * d**2 + 3 * d**3) / 6, np.where(d < 2, (2 - d) ** 3 / 6, 0.0))
    return (weights / np.sqrt(np.square(weights).sum(1, keepdims=True))).astype(np.float32)


def _nearest(where: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Flat index of the nearest voxel, at the edge where beyond."""
    x, y, z = (w.add(0.5).clamp_(0.0, n - 0.5).to(torch.int32) for w, n in zip(where, shape[::-1], strict=True))
    return z.mul_(shape[1]).add_(y).mul_(shape[2]).add_(x)


def _looked_up(labels: np.ndarray, at: torch.Tensor) -> UInt8[np.ndarray, "_ _ _"]:
    flat = torch.from_numpy(np.array(labels).reshape(-1))
    return np.asarray(torch.index_select(flat, 0, at.reshape(-1)).reshape(at.shape).numpy())


def _blurred(hu: np.ndarray, side: float) -> np.ndarray:
    """Three taps along each axis, the edge repeated; `side` is the weight of each neighbour."""
    for axis in range(3):
        line = np.moveaxis(hu, axis, 0)
        out = np.float32(1 - 2 * side) * line
        out[1:] += np.float32(side) * line[:-1]
        out[:-1] += np.float32(side) * line[1:]
        out[0] += np.float32(side) * line[0]
        out[-1] += np.float32(side) * line[-1]
        hu = np.moveaxis(out, 0, axis)
    return hu
