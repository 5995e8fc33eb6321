"""HU drawn over labels: tissue values, thin cortex with partial volume, marrow, slowly varying texture."""

import numpy as np
from jaxtyping import Float32
from scipy import ndimage

from wirbel.phantom.canvas import DEPTH_UNIT_MM, EXTRA_UNIT_HU
from wirbel.phantom.look import Look, domain_look, realistic_look
from wirbel.phantom.rasterise import PhantomLabels
from wirbel.phantom.tissue import BONES, Tissue

__all__ = ["Look", "domain_look", "draw_appearance", "realistic_look"]

#: Cortex of other bones over that of a vertebral body.
_CORTEX_SHARE = {
    Tissue.SACRUM: 1.3,
    Tissue.RIB: 2.0,
    Tissue.STERNUM: 1.6,
    Tissue.PELVIS: 2.4,
    Tissue.FEMUR: 3.0,
    Tissue.SHOULDER: 2.2,
    Tissue.ARM_BONE: 6.0,
    Tissue.SKULL: 5.0,
}
SLAB = 32


def draw_appearance(labels: PhantomLabels, rng: np.random.Generator, look: Look) -> Float32[np.ndarray, "z y x"]:
    """HU without noise and blur; cheap, so that training can draw it anew over the same labels."""
    out = np.empty(labels.grid.shape, np.float32)
    spacing = labels.grid.spacing_mm
    grain = _Field(rng, labels.grid.shape, [look.texture_mm / s for s in spacing])
    bundles = _Field(rng, labels.grid.shape, [9.0 / spacing[0], 3.5 / spacing[1], 3.5 / spacing[2]])
    bone = np.zeros(256, bool)
    bone[list(BONES)] = True
    marrow = np.nan_to_num(look.trabecular_hu).astype(np.float32)
    cortex = np.full(256, look.cortex_mm, np.float32)
    for kind, share in _CORTEX_SHARE.items():
        cortex[kind] *= share
    cortex[[Tissue.ARCH_CORTEX, Tissue.ARCH_TRABECULAR]] = look.arch_cortex_mm
    voxel = float(np.prod(spacing) ** (1 / 3))
    for start in range(0, out.shape[0], SLAB):
        part = slice(start, start + SLAB)
        tissue = labels.tissue[part]
        fine = grain.slab(start, start + SLAB)
        coarse = bundles.slab(start, start + SLAB)
        value = look.hu[tissue] + look.texture_hu[tissue] * fine
        # fat between the muscle's bundles
        value -= np.float32(120.0) * ((tissue == Tissue.MUSCLE) & (coarse > look.muscle_fat))
        whole = labels.depth[part]
        near = whole > -10 * voxel * 0.9
        depth = whole[near].astype(np.float32) * np.float32(DEPTH_UNIT_MM)
        what = tissue[near]
        thick = cortex[what]
        filled = np.clip(0.5 + depth / voxel, 0, 1)
        spongy = np.clip(0.5 + (depth - thick) / voxel, 0, 1)
        is_bone = bone[what]
        inner = marrow[what] + np.float32(look.trabecular_texture_hu) * fine[near]
        inner = inner + np.float32(EXTRA_UNIT_HU) * labels.extra[part][near]
        around = np.where(is_bone, np.float32(10.0), value[near])
        special = (~is_bone) & (depth > 0)
        mixed = around * (1 - filled) + np.float32(look.cortex_hu) * (filled - spongy) + inner * spongy
        value[near] = np.where(special, value[near], mixed)
        out[part] = value
    return out


class _Field:
    """A unit-variance field that varies over about the given number of voxels: drawn coarse, enlarged by slabs."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int, int], grain_voxel: list[float]) -> None:
        self._shape = shape
        self._step = [max(1.0, g) for g in grain_voxel]
        small = [int(np.ceil(n / s)) + 2 for n, s in zip(shape, self._step, strict=True)]
        noise = ndimage.gaussian_filter(rng.standard_normal(small, dtype=np.float32), 0.6)
        self._noise = noise / max(float(noise.std()), 1e-6)

    def slab(self, start: int, stop: int) -> np.ndarray:
        """The field's values for slices start..stop."""
        nz, ny, nx = self._shape
        out = self._noise
        for axis, (low, high) in enumerate(((start, min(stop, nz)), (0, ny), (0, nx))):
            if self._step[axis] == 1.0:
                out = out[(slice(None),) * axis + (slice(low, high),)]
                continue
            at = np.arange(low, high) / self._step[axis]
            whole = at.astype(int)
            share = (at - whole).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
            out = np.take(out, whole, axis) * (1 - share) + np.take(out, whole + 1, axis) * share
        return out
