"""Endplates read in the CT: the mask's surface is where to look, the bone's edge is the answer."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.vertebra.local import Cutout, in_frame, sample
from wirbel.vertebra.settings import EdgeSettings
from wirbel.vertebra.surfaces import LATTICE_MM, Surfaces
from wirbel.volume import Volume

#: Least fraction of an endplate whose edge must be clear for the CT to be believed at all.
LEAST_CLEAR = 0.3
#: Value for what lies outside the CT: so low that any share of it in a mean is seen.
NO_CT_HU = -1.0e6
#: No tissue has less.
LEAST_HU = -1100.0
#: How much lower a crest nearer to the mask's surface may be and still be taken, HU per mm.
LIKING_HU_MM = 40.0
#: The mask's error varies slowly along an endplate.
CALM_MM = 1.5


def refined(surfaces: Surfaces, cutout: Cutout, ct: Volume, settings: EdgeSettings) -> Surfaces:
    """The same columns with both endplates moved to the bone's outer edge in the CT.

    Along `superior`, within `search_mm` of the mask's surface and never beyond the middle of the disc. The edge
    is the
    outer half-maximum of the endplate's crest, less the blur that widens a thin plate. Where it is unclear (low
    contrast, a bridge, metal, outside the CT) a column moves as its clear neighbours do; where few are clear the
    mask's surface stays.
    """
    return replace(
        surfaces,
        upper_mm=surfaces.upper_mm + _shift(surfaces, surfaces.upper_mm, 1.0, cutout, ct, settings),
        lower_mm=surfaces.lower_mm - _shift(surfaces, surfaces.lower_mm, -1.0, cutout, ct, settings),
    )


def _shift(
    surfaces: Surfaces,
    height_mm: Float64[np.ndarray, "u v"],
    outward: float,
    cutout: Cutout,
    ct: Volume,
    settings: EdgeSettings,
) -> Float64[np.ndarray, "u v"]:
    """Outward shift of each column in mm."""
    inside = surfaces.inside
    start = _smoothed(height_mm, inside, 1.0)
    out_mm = np.arange(
        -settings.search_mm - settings.background_mm,
        settings.search_mm + settings.background_mm + 0.01,
        settings.step_mm,
    )
    u, v = np.meshgrid(surfaces.left_mm, surfaces.anterior_mm, indexing="ij")
    points = in_frame(
        surfaces.frame,
        np.repeat(u[inside][:, None], len(out_mm), axis=1),
        np.repeat(v[inside][:, None], len(out_mm), axis=1),
        start[inside][:, None] + outward * out_mm[None, :],
    )
    profiles = np.zeros((*inside.shape, len(out_mm)))
    profiles[inside] = sample(ct.hu, ct.grid, points, outside=NO_CT_HU)
    size = max(1, round(settings.smooth_mm / LATTICE_MM))
    share = ndimage.uniform_filter(inside.astype(np.float64), size, mode="constant")
    smooth = ndimage.uniform_filter(profiles, (size, size, 1), mode="constant")
    rows = smooth[inside] / share[inside][:, None]
    foreign = sample(cutout.others.astype(np.float32), cutout.grid, points, outside=0.0) >= 0.5
    edges = _outer_edges(rows, out_mm, _gap(foreign, out_mm), settings)
    if edges.clear.mean() < LEAST_CLEAR:
        return np.zeros_like(height_mm)
    widening = float(np.median(edges.widening_mm[edges.clear]))
    shift, known = np.zeros_like(height_mm), np.zeros_like(inside)
    known[inside] = edges.clear
    shift[known] = edges.half_mm[edges.clear] - widening
    # profiles start from the smoothed surface, the answer is counted from the surface itself
    return np.where(inside, outward * (start - height_mm) + _filled(shift, known, inside), 0.0)


def _gap(foreign: Bool[np.ndarray, "n t"], out_mm: Float64[np.ndarray, "t"]) -> Float64[np.ndarray, "n"]:
    """How far out the next vertebra's mask begins; infinite where none is in reach."""
    beyond = foreign & (out_mm > 0)[None, :]
    return np.where(beyond.any(axis=1), out_mm[np.argmax(beyond, axis=1)], np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Per profile: where the crest falls to half (mm outward), by how much blur has moved that, and whether
    clear."""

    half_mm: Float64[np.ndarray, "n"]
    widening_mm: Float64[np.ndarray, "n"]
    clear: Bool[np.ndarray, "n"]


def _outer_edges(
    rows: Float64[np.ndarray, "n t"],
    out_mm: Float64[np.ndarray, "t"],
    gap_mm: Float64[np.ndarray, "n"],
    settings: EdgeSettings,
) -> _Edges:
    """The outer half-maximum of each profile's crest over the disc."""
    limit = np.minimum(settings.search_mm, 0.5 * gap_mm)
    imaged = rows > LEAST_HU
    near = imaged & (out_mm[None, :] >= -settings.search_mm) & (out_mm[None, :] <= limit[:, None])
    # a crest near the mask's surface is preferred to a higher one farther off
    liking = np.where(near, rows - LIKING_HU_MM * np.abs(out_mm)[None, :], -np.inf)
    crest = np.argmax(liking, axis=1)
    at = np.arange(rows.shape[1])[None, :]
    steps = round(settings.background_mm / settings.step_mm)
    beyond = (at > crest[:, None]) & (at <= crest[:, None] + steps) & (out_mm[None, :] < gap_mm[:, None])
    beyond &= imaged
    within = imaged & (at < crest[:, None]) & (at >= crest[:, None] - steps)
    top = np.take_along_axis(rows, crest[:, None], axis=1)[:, 0]
    disc = np.where(beyond, rows, np.inf).min(axis=1)
    marrow = np.where(within, rows, np.inf).min(axis=1)
    seen = np.isfinite(disc)
    disc, marrow = np.where(seen, disc, top), np.where(np.isfinite(marrow), marrow, top)
    half = 0.5 * (top + disc)
    below = beyond & (rows <= half[:, None])
    fall = np.argmax(below, axis=1)
    high = np.take_along_axis(rows, np.maximum(fall - 1, 0)[:, None], axis=1)[:, 0]
    low = np.take_along_axis(rows, fall[:, None], axis=1)[:, 0]
    part = np.clip((high - half) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
    half_mm = out_mm[np.maximum(fall - 1, 0)] + part * settings.step_mm
    # a plate stands out on both sides; a step from dense bone to disc does not, and is not widened
    contrast = np.where(top > disc, top - disc, 1.0)
    plate = np.clip(2.0 * (top - marrow) / contrast, 0.0, 1.0)
    widening = plate * np.maximum(half_mm - out_mm[crest] - 0.5 * settings.plate_mm, 0.0)
    inner = np.take_along_axis(near, np.minimum(crest + 1, rows.shape[1] - 1)[:, None], axis=1)[:, 0]
    clear = (
        seen
        & inner
        & (out_mm[crest] > -settings.search_mm + 0.5 * settings.step_mm)
        & (top - disc >= settings.least_contrast_hu)
        & below.any(axis=1)
        & (np.abs(half_mm) <= settings.search_mm)
        & near.any(axis=1)
    )
    return _Edges(half_mm, widening, clear)


def _smoothed(
    values: Float64[np.ndarray, "u v"], inside: Bool[np.ndarray, "u v"], sigma_mm: float
) -> Float64[np.ndarray, "u v"]:
    """Gaussian mean over the inside alone."""
    sigma = sigma_mm / LATTICE_MM
    share = ndimage.gaussian_filter(inside.astype(np.float64), sigma, mode="constant")
    total = ndimage.gaussian_filter(np.where(inside, values, 0.0), sigma, mode="constant")
    return np.where(inside, total / np.where(share > 0, share, 1.0), values)


def _filled(
    shift: Float64[np.ndarray, "u v"], known: Bool[np.ndarray, "u v"], inside: Bool[np.ndarray, "u v"]
) -> Float64[np.ndarray, "u v"]:
    """Shifts where the edge is unclear from the nearest clear ones, then a median against strays."""
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled = np.asarray(shift[tuple(nearest)])
    calm: np.ndarray = ndimage.median_filter(filled, size=3, mode="nearest")
    return _smoothed(np.where(inside, calm, 0.0), inside, CALM_MM)
