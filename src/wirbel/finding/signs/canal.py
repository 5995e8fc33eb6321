"""The spinal canal at one vertebra: its free area against the neighbours', and soft tissue in it that is none of
theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import ndimage

from wirbel.finding.signs.patch import IMAGED_HU, Patch, box_of
from wirbel.finding.signs.settings import CanalSettings
from wirbel.vertebra import NotMeasured, Reason

#: Plausible free area in mm2, down to a canal that is nearly closed.
AREA_MM2 = (25.0, 900.0)
#: Side of the square, mm around the canal's centre, on which neighbours' contents are averaged.
HALF_MM = 18
SMOOTH_MM = 1.2
#: How far the blur of bone reaches into the canal, mm.
RIM_MM = 4
#: So far from bone its blur is hardly seen, mm.
CLEAN_MM = 2
#: Above and below the posterior wall that much is left out, mm: discs bulge there.
DISC_MM = 2
#: How far the neighbours' content may lie elsewhere in the canal, mm.
ROOM_MM = 3


@dataclass(frozen=True, slots=True, eq=False)
class Canal:
    """The hole in the vertebra's ring, seen along the direction in which it looks widest.

    `lumen`: the hole at every height of the posterior wall, sheared along that direction, in the patch.
    `centre_mm`: its (posterior, left) at the body's mid-height, `back_mm`: its hindmost place in the middle,
    `slope`: posterior per mm of height. `content_hu`: mean content on a square around the centre; NaN where none.
    `rim_hu`: the 90th percentile by distance from bone, where the blur of bone reaches into the canal.
    """

    area_mm2: float
    lumen: Bool[np.ndarray, "s p l"]
    centre_mm: Float64[np.ndarray, "2"]
    back_mm: float
    half_width_mm: float
    slope: float
    content_hu: Float64[np.ndarray, "a b"]
    rim_hu: Float64[np.ndarray, "d"]
    noise_hu: float


@dataclass(frozen=True, slots=True, eq=False)
class Occupied:
    """Foreign soft tissue in the canal in mm3, how much of the area it and loose bone fill at most, and where."""

    mass_mm3: float | NotMeasured
    filled_mm2: float
    where: Bool[np.ndarray, "s p l"]


def canal_of(patch: Patch, settings: CanalSettings) -> Canal | NotMeasured:
    """The canal of a vertebra whose ring is closed; `MASK_POOR` where it is open or there is no arch."""
    heights = np.asarray(patch.body.any(axis=(1, 2)))
    bone = (patch.body | patch.arch) & heights[:, None, None]
    walled = _walled(patch)
    back = patch.posterior_mm[:, None]
    views = [(tilt, _hole(_seen_along(bone, patch, tilt), back)) for tilt in settings.tilts_deg]
    tilt, hole = max(views, key=lambda view: view[1].sum())
    if not hole.any():
        return NotMeasured(Reason.MASK_POOR, "the ring around the canal is open")
    p, left = np.nonzero(hole)
    centre = np.array([patch.posterior_mm[0] + p.mean(), patch.left_mm[0] + left.mean()])
    middle = np.abs(left - left.mean()) <= 0.35 * 0.5 * (np.ptp(left) + 1)
    slope = float(np.tan(np.radians(tilt)))
    lumen = np.zeros(patch.grid.shape, dtype=bool)
    for k in np.flatnonzero(walled):
        lumen[k] = np.roll(hole, round(slope * patch.up_mm[k]), axis=0)
    far = _from_bone(patch, lumen, settings)
    clean = lumen & (far >= CLEAN_MM)
    smooth = _smoothed(patch.hu, clean)
    content, noise = _content(patch, clean & (patch.hu > IMAGED_HU), smooth, centre, slope)
    rim = _rim(lumen, far, smooth)
    return Canal(
        float(hole.sum()),
        lumen,
        centre,
        float(patch.posterior_mm[0] + p[middle].max()),
        0.5 * (float(np.ptp(left)) + 1.0),
        slope,
        content,
        rim,
        noise,
    )


def occupied(patch: Patch, own: Canal, references: Sequence[Canal], settings: CanalSettings) -> Occupied:
    """Soft tissue in the canal that the references do not have there.

    Criterion: epidural mass (Foreman 2024 table 1). Voxels of the lumen whose smoothed HU
    exceed by 18 HU and three of the references' SDs what the references' canals hold within 1 mm of the same place
    and at the same distance from bone, 2 mm from any bone; grown to the bone; at least 120 mm3. A layer thinner
    than 2 mm is not seen. `NO_NEIGHBOURS` without references.
    """
    where = np.zeros_like(own.lumen)
    if not references:
        why = NotMeasured(Reason.NO_NEIGHBOURS)
        return Occupied(why, 0.0, where)
    far = _from_bone(patch, own.lumen, settings)
    inner = own.lumen & (far >= CLEAN_MM)
    smooth = _smoothed(patch.hu, inner)
    expected, spread = _expected(references)
    rim = np.median([canal.rim_hu for canal in references], axis=0)
    usual = np.maximum(_on_patch(patch, own, expected), rim[far])
    limit = usual + max(settings.mass_hu, settings.mass_sd * spread)
    dense = inner & (smooth > limit) & (smooth > 0.0)
    where = _large(dense, settings.least_mm3)
    fragments = own.lumen & ~patch.body & ~patch.arch & (patch.hu > settings.bone_hu)
    fragments &= _apart_from_bone(patch, own.lumen)
    # the border that was left out of the search belongs to what it borders
    border = own.lumen & (far >= 1) & (far < CLEAN_MM)
    plane = np.ones((1, 3, 3), dtype=bool)
    grown = where | (ndimage.binary_dilation(where, structure=plane, iterations=CLEAN_MM - 1) & border)
    filled = grown | fragments
    by_height = ndimage.uniform_filter1d(filled.sum(axis=(1, 2)).astype(np.float64), 3)
    return Occupied(float(grown.sum()), float(by_height.max(initial=0.0)), grown)


def narrowing_percent(
    own: Canal, filled: Occupied, above: Canal | None, below: Canal | None
) -> float | NotMeasured:
    """One minus the canal's free area over the mean of the nearest references' above and below, in percent.

    Free is the hole in the ring, seen along its widest direction, less what mass and loose bone fill at the height
    where they fill most. `NO_NEIGHBOURS` unless there is a reference on both sides: the canal's width changes along
    the column, most of all from T11 to L1.
    """
    if above is None or below is None:
        return NotMeasured(Reason.NO_NEIGHBOURS, "needs a canal above and below")
    usual_mm2 = 0.5 * (above.area_mm2 + below.area_mm2)
    return 100.0 * float(np.clip(1.0 - (own.area_mm2 - filled.filled_mm2) / usual_mm2, 0.0, 1.0))


def _walled(patch: Patch) -> Bool[np.ndarray, "s"]:
    """Heights at which the canal has the posterior wall in front of it, not a disc."""
    waist = patch.body[np.abs(patch.up_mm) <= 3.0].any(axis=(0, 2))
    if not waist.any():
        return np.asarray(patch.body.any(axis=(1, 2)))
    back = float(patch.posterior_mm[waist].max())
    near = (patch.posterior_mm >= back - 6.0) & (patch.posterior_mm <= back - 1.0)
    middle = np.abs(patch.left_mm) <= 7.0
    share = patch.body[:, near][:, :, middle].mean(axis=(1, 2))
    runs = np.flatnonzero(share >= 0.5)
    walled = np.zeros(len(share), dtype=bool)
    if len(runs) > 2 * DISC_MM + 3:
        walled[runs[0] + DISC_MM : runs[-1] + 1 - DISC_MM] = True
    return walled


def _seen_along(bone: Bool[np.ndarray, "s p l"], patch: Patch, tilt_deg: float) -> Bool[np.ndarray, "p l"]:
    """The shadow of the vertebra along a direction tilted in its sagittal plane."""
    moved = np.rint(np.tan(np.radians(tilt_deg)) * patch.up_mm).astype(int)
    depth = int(bone.shape[1])
    shadow = np.zeros(bone.shape[1:], dtype=bool)
    for plane, by in zip(bone, moved, strict=True):
        shadow[max(0, -by) : depth - max(0, by)] |= plane[max(0, by) : depth - max(0, -by)]
    return np.asarray(ndimage.binary_closing(np.pad(shadow, 2))[2:-2, 2:-2]) | shadow


def _hole(shadow: Bool[np.ndarray, "p l"], back: Float64[np.ndarray, "p 1"]) -> Bool[np.ndarray, "p l"]:
    """The largest plausible hole behind the body's middle; empty where there is none."""
    holes, count = ndimage.label(ndimage.binary_fill_holes(shadow) & ~shadow)
    best = np.zeros_like(shadow)
    for number in range(1, count + 1):
        hole = holes == number
        behind = float((hole * back).sum()) > 0.0
        if behind and AREA_MM2[0] <= hole.sum() <= AREA_MM2[1] and hole.sum() > best.sum():
            best = hole
    return best


def _smoothed(hu: np.ndarray, inside: Bool[np.ndarray, "s p l"]) -> Float64[np.ndarray, "s p l"]:
    """Gaussian mean over the inside alone; -1000 outside it."""
    out = np.full(inside.shape, -1000.0)
    window = box_of(inside)
    seen = inside[window] & (hu[window] > IMAGED_HU)
    weight = ndimage.gaussian_filter(seen.astype(np.float32), SMOOTH_MM, mode="constant")
    total = ndimage.gaussian_filter(np.where(seen, hu[window], np.float32(0.0)), SMOOTH_MM, mode="constant")
    out[window] = np.where(seen, total / np.maximum(weight, 1e-3), -1000.0)
    return out


def _apart_from_bone(patch: Patch, lumen: Bool[np.ndarray, "s p l"]) -> Bool[np.ndarray, "s p l"]:
    """Voxels of the lumen that are no mere blur of the vertebra's own bone: 2 mm and more from the mask."""
    window = box_of(lumen, RIM_MM)
    bone = patch.body[window] | patch.arch[window]
    out = lumen.copy()
    if bone.any():
        out[window] &= ndimage.distance_transform_edt(~bone) >= 2.0
    return out


def _from_bone(
    patch: Patch, lumen: Bool[np.ndarray, "s p l"], settings: CanalSettings
) -> Int64[np.ndarray, "s p l"]:
    """Whole mm from the nearest bone in the CT or the mask, at most `RIM_MM`; known in the lumen."""
    window = box_of(lumen, RIM_MM + 1)
    bone = patch.body[window] | patch.arch[window] | (patch.hu[window] > settings.bone_hu)
    out = np.full(lumen.shape, RIM_MM, dtype=np.int64)
    if bone.any():
        out[window] = np.minimum(np.floor(ndimage.distance_transform_edt(~bone)), RIM_MM)
    return out


def _rim(
    lumen: Bool[np.ndarray, "s p l"], far: Int64[np.ndarray, "s p l"], smooth: Float64[np.ndarray, "s p l"]
) -> Float64[np.ndarray, "d"]:
    """The 90th percentile of the canal's smoothed HU by distance from bone; -1000 where there is nothing."""
    out = np.full(RIM_MM + 1, -1000.0)
    for k in range(CLEAN_MM, RIM_MM):
        here = lumen & (far == k)
        if here.sum() >= 20:
            out[k] = float(np.percentile(smooth[here], 90.0))
    return out


def _content(
    patch: Patch,
    inner: Bool[np.ndarray, "s p l"],
    smooth: Float64[np.ndarray, "s p l"],
    centre: Float64[np.ndarray, "2"],
    slope: float,
) -> tuple[Float64[np.ndarray, "a b"], float]:
    """Mean HU over the height on a square around the centre, and the spread of smoothed values around it."""
    size = 2 * HALF_MM + 1
    total, count = np.zeros((size, size)), np.zeros((size, size))
    s, p, left = np.nonzero(inner)
    a = np.rint(patch.posterior_mm[p] - slope * patch.up_mm[s] - centre[0]).astype(int) + HALF_MM
    b = np.rint(patch.left_mm[left] - centre[1]).astype(int) + HALF_MM
    inside = (a >= 0) & (a < size) & (b >= 0) & (b < size)
    np.add.at(total, (a[inside], b[inside]), smooth[s, p, left][inside])
    np.add.at(count, (a[inside], b[inside]), 1.0)
    mean = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    around = smooth[s, p, left][inside] - mean[a[inside], b[inside]]
    return mean, float(np.std(around)) if len(around) else 0.0


def _expected(references: Sequence[Canal]) -> tuple[Float64[np.ndarray, "a b"], float]:
    """The references' content, the densest within a few millimetres, and its spread."""
    table = np.array([canal.content_hu for canal in references])
    known = np.isfinite(table)
    mean = np.where(known, table, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    seen = known.any(axis=0)
    densest = ndimage.grey_dilation(np.where(seen, mean, -1000.0), size=(ROOM_MM, ROOM_MM))
    if seen.any():
        densest = np.where(densest > -1000.0, densest, float(np.percentile(mean[seen], 90.0)))
    return densest, float(np.median([canal.noise_hu for canal in references]))


def _on_patch(patch: Patch, own: Canal, square: Float64[np.ndarray, "a b"]) -> Float64[np.ndarray, "s p l"]:
    """A square around the centre laid onto the patch, height by height."""
    size = square.shape[0]
    p = patch.posterior_mm[None, :] - own.slope * patch.up_mm[:, None] - own.centre_mm[0]
    a = np.clip(np.rint(p).astype(int) + HALF_MM, 0, size - 1)
    b = np.clip(np.rint(patch.left_mm - own.centre_mm[1]).astype(int) + HALF_MM, 0, size - 1)
    return np.asarray(square[a[:, :, None], b[None, None, :]])


def _large(where: Bool[np.ndarray, "s p l"], least_mm3: float) -> Bool[np.ndarray, "s p l"]:
    pieces, count = ndimage.label(where)
    if count == 0:
        return where
    sizes = np.bincount(pieces.ravel())
    keep = sizes >= least_mm3
    keep[0] = False
    return np.asarray(keep[pieces])
