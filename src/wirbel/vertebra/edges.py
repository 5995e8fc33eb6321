"""Endplates read in the CT: the mask's surface is where to look, the bone's edge is the answer."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.vertebra.local import in_frame, sample
from wirbel.vertebra.settings import EdgeSettings
from wirbel.vertebra.surfaces import LATTICE_MM, Surfaces
from wirbel.volume import Volume

#: Least fraction of an endplate whose edge must be clear for the CT to be believed at all.
LEAST_CLEAR = 0.3
#: Value for what lies outside the CT: no edge is ever found there.
NO_CT_HU = -2000.0


def refined(surfaces: Surfaces, ct: Volume, settings: EdgeSettings) -> Surfaces:
    """The same columns with both endplates moved to the outer half-maximum of the bone's edge.

    Along `superior`, within `search_mm` of the mask's surface. Where the edge is unclear (low contrast, a bridge,
    metal, outside the CT) the column moves as its clear neighbours do; where few are clear the mask's surface
    stays.
    """
    return replace(
        surfaces,
        upper_mm=surfaces.upper_mm + _shift(surfaces, surfaces.upper_mm, 1.0, ct, settings),
        lower_mm=surfaces.lower_mm - _shift(surfaces, surfaces.lower_mm, -1.0, ct, settings),
    )


def _shift(
    surfaces: Surfaces,
    height_mm: Float64[np.ndarray, "u v"],
    outward: float,
    ct: Volume,
    settings: EdgeSettings,
) -> Float64[np.ndarray, "u v"]:
    """Outward shift of each column in mm."""
    inside = surfaces.inside
    start = _smoothed(height_mm, inside, 1.0)
    out_mm = np.arange(
        -settings.search_mm - 1.0, settings.search_mm + settings.background_mm + 0.01, settings.step_mm
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
    edge_mm, clear = _outer_half_maximum(rows, out_mm, settings)
    total = start[inside] - height_mm[inside]  # the start was smoothed: take that back where nothing is clear
    if clear.mean() < LEAST_CLEAR:
        return np.zeros_like(height_mm)
    shift = np.zeros_like(height_mm)
    known = np.zeros_like(inside)
    known[inside] = clear
    shift[known] = edge_mm[clear]
    filled = _filled(shift, known, inside)
    answer = np.zeros_like(height_mm)
    answer[inside] = outward * total + filled[inside]
    return answer


def _outer_half_maximum(
    rows: Float64[np.ndarray, "n t"], out_mm: Float64[np.ndarray, "t"], settings: EdgeSettings
) -> tuple[Float64[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    """Where each outward profile falls through half of its crest over the disc, and whether that is clear."""
    near = np.abs(out_mm) <= settings.search_mm
    # a crest near the mask's surface is preferred to a higher one far off (the next vertebra's endplate)
    liking = np.where(near[None, :], rows - 25.0 * np.abs(out_mm)[None, :], -np.inf)
    crest = np.argmax(liking, axis=1)
    index = np.arange(rows.shape[1])[None, :]
    beyond = index > crest[:, None]
    reach = index <= (crest + round(settings.background_mm / settings.step_mm))[:, None]
    value = np.take_along_axis(rows, crest[:, None], axis=1)[:, 0]
    outside = np.where(beyond & reach, rows, np.inf)
    lowest = np.argmin(outside, axis=1)
    ground = np.take_along_axis(rows, lowest[:, None], axis=1)[:, 0]
    half = 0.5 * (value + ground)
    below = beyond & (rows <= half[:, None])
    at = np.argmax(below, axis=1)
    high = np.take_along_axis(rows, np.maximum(at - 1, 0)[:, None], axis=1)[:, 0]
    low = np.take_along_axis(rows, at[:, None], axis=1)[:, 0]
    part = (high - half) / np.where(high > low, high - low, 1.0)
    edge = out_mm[np.maximum(at - 1, 0)] + np.clip(part, 0.0, 1.0) * settings.step_mm
    interior = (crest > np.argmax(near)) & (crest < len(out_mm) - 1 - np.argmax(near[::-1]))
    clear = (
        (value - ground >= settings.least_contrast_hu)
        & below.any(axis=1)
        & interior
        & (np.abs(edge) <= settings.search_mm)
        & (rows.min(axis=1) > 0.5 * NO_CT_HU)
    )
    return edge, clear


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
    return np.where(inside, calm, 0.0)
