"""Fracture lines: sheets in the body's inside, dark gaps or bright impacted bands, and how sharp they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.finding.signs.patch import NO_CT_HU, Patch, box_of
from wirbel.finding.signs.settings import LineSettings
from wirbel.vertebra import NotMeasured, Reason
from wirbel.vertebra.local import sample
from wirbel.volume import Volume

LEAST_CORE_MM3 = 250.0
STEP_MM = 0.25
#: Share of the reference's voxels that may exceed its extreme.
EXTREME = 99.5
#: A millimetre beside counts so much of one above or below.
BESIDE = 0.6
#: A gap is thinner than it is wide by this much at least.
LEAST_FLATNESS = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class Sheets:
    """How sheet-like each voxel of the body's inside is, in HU, and its second derivatives."""

    where: Bool[np.ndarray, "s p l"]
    strength_hu: Float64[np.ndarray, "n"]
    second_hu: Float64[np.ndarray, "n 3 3"]
    extreme_hu: float


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The area of all fracture lines, the sharpness of the largest, and where they are."""

    area_mm2: float
    sharpness_hu_per_mm: float | NotMeasured
    where: Bool[np.ndarray, "s p l"]


def sheets_of(patch: Patch, settings: LineSettings) -> Sheets | NotMeasured:
    """Second derivatives of the CT in the body's inside, where one direction dominates."""
    # side walls are thick in front and where spurs grow: stay farther away from them than from the endplates
    depth = np.zeros(patch.body.shape)
    window = box_of(patch.body, 1)
    depth[window] = ndimage.distance_transform_edt(patch.body[window], sampling=(1.0, BESIDE, BESIDE))
    inside = (depth > min(settings.depth_mm, 0.5 * float(depth.max(initial=0.0)))) & patch.imaged
    if inside.sum() < LEAST_CORE_MM3:
        return NotMeasured(Reason.MASK_POOR, f"{int(inside.sum())} mm3 inside the cortex")
    index = np.argwhere(inside)
    low, high = np.maximum(index.min(axis=0) - 5, 0), index.max(axis=0) + 6
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    crop, within = np.clip(patch.hu[box], -300.0, 1200.0), inside[box]
    second = np.zeros((int(within.sum()), 3, 3))
    for a in range(3):
        for b in range(a, 3):
            order = [0, 0, 0]
            order[a] += 1
            order[b] += 1
            value = ndimage.gaussian_filter(crop, settings.scale_mm, order=order)[within]
            second[:, a, b] = second[:, b, a] = value
    second *= settings.scale_mm**2
    sizes = np.sort(np.abs(_eigenvalues(second)), axis=1)
    strength = np.where(sizes[:, 1] <= settings.flat * sizes[:, 2], sizes[:, 2], 0.0)
    return Sheets(inside, strength, second, float(np.percentile(strength, EXTREME)))


def line_of(
    ct: Volume, patch: Patch, own: Sheets, references: Sequence[Sheets], settings: LineSettings
) -> Line | NotMeasured:
    """Fracture lines inside the body.

    Criterion: sharp fracture lines (Foreman 2024 table 1: puzzle sign). Connected voxels whose sheet-like second
    derivative (Gaussian scale 1 mm) exceeds 1.3 times the references' 99.5th percentile and 22 HU; the area of each
    piece is that of its shadow on its own plane, pieces under 50 mm2 or not flat do not count. Sharpness of the
    largest: height of the mean profile across it over its width at half height. `NO_NEIGHBOURS` without references;
    the sharpness is `NOT_PRESENT` where there is no line.
    """
    if not references:
        return NotMeasured(Reason.NO_NEIGHBOURS)
    limit = max(settings.least_hu, settings.over * float(np.median([sheets.extreme_hu for sheets in references])))
    strong = np.zeros_like(own.where)
    strong[own.where] = own.strength_hu > limit
    pieces, count = ndimage.label(strong, structure=np.ones((3, 3, 3)))
    kept = np.zeros_like(strong)
    total, best_area = 0.0, 0.0
    best: np.ndarray | None = None
    sizes = np.bincount(pieces.ravel())
    for number in range(1, count + 1):
        if sizes[number] < settings.least_area_mm2:
            continue
        piece = pieces == number
        area = _flat_area_mm2(np.argwhere(piece).astype(np.float64))
        if area < settings.least_area_mm2:
            continue
        total += area
        kept |= piece
        if area > best_area:
            best_area, best = area, piece
    if best is None:
        return Line(0.0, NotMeasured(Reason.NOT_PRESENT, "no line"), kept)
    return Line(total, _sharpness(ct, patch, own, best, settings), kept)


def _eigenvalues(second: Float64[np.ndarray, "n 3 3"]) -> Float64[np.ndarray, "n 3"]:
    """Of symmetric matrices, in closed form (Smith 1961)."""
    mean = np.trace(second, axis1=1, axis2=2) / 3.0
    off = second - mean[:, None, None] * np.eye(3)
    scale = np.maximum(np.sqrt((off**2).sum(axis=(1, 2)) / 6.0), 1e-12)
    a, b, c = off[:, 0, 0], off[:, 1, 1], off[:, 2, 2]
    d, e, f = off[:, 0, 1], off[:, 0, 2], off[:, 1, 2]
    determinant = a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)
    angle = np.arccos(np.clip(0.5 * determinant / scale**3, -1.0, 1.0)) / 3.0
    turns = angle[:, None] + np.array([0.0, 2.0, 4.0]) * np.pi / 3.0
    return np.asarray(mean[:, None] + 2.0 * scale[:, None] * np.cos(turns))


def _across(second: Float64[np.ndarray, "n 3 3"]) -> Float64[np.ndarray, "n 3"]:
    """The direction of the strongest second derivative."""
    values, vectors = np.linalg.eigh(second)
    strongest = np.argmax(np.abs(values), axis=1)
    return np.asarray(vectors[np.arange(len(values)), :, strongest])


def _flat_area_mm2(points: Float64[np.ndarray, "n 3"]) -> float:
    """Area of the points' shadow on their own plane; 0 for what is not flat."""
    centred = points - points.mean(axis=0)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    if spread[1] < LEAST_FLATNESS * spread[2]:
        return 0.0
    shadow = np.unique(np.rint(centred @ axes[:2].T).astype(int), axis=0)
    return float(len(shadow))


def _sharpness(
    ct: Volume, patch: Patch, sheets: Sheets, piece: Bool[np.ndarray, "s p l"], settings: LineSettings
) -> float | NotMeasured:
    """Height over width of the mean profile across a piece, each profile centred on its own extreme."""
    chosen = piece[sheets.where]
    points = patch.grid.to_lps_mm(np.argwhere(sheets.where)[chosen].astype(np.float64))
    turn = patch.grid.voxel_to_lps_mm[:3, :3]
    normal = _across(sheets.second_hu[chosen]) @ turn.T
    out = np.arange(-settings.half_length_mm - 1.5, settings.half_length_mm + 1.51, STEP_MM)
    hu = sample(ct.hu, ct.grid, points[:, None, :] + out[None, :, None] * normal[:, None, :], outside=NO_CT_HU)
    middle = np.abs(out) <= 1.5
    base = np.median(hu, axis=1)
    sign = np.sign(np.median(hu[:, middle].mean(axis=1) - base)) or 1.0
    raised = sign * hu
    crest = np.flatnonzero(middle)[np.argmax(raised[:, middle], axis=1)]
    half = round(settings.half_length_mm / STEP_MM)
    rows = np.stack([raised[i, c - half : c + half + 1] for i, c in enumerate(crest)])
    mean = rows.mean(axis=0)
    flank = np.abs(np.arange(-half, half + 1)) * STEP_MM >= 0.7 * settings.half_length_mm
    height = float(mean[half] - mean[flank].mean())
    above = mean >= mean[half] - 0.5 * height
    first = half - int(np.argmin(above[: half + 1][::-1])) if not above[: half + 1].all() else 0
    last = half + int(np.argmin(above[half:])) if not above[half:].all() else 2 * half
    width = max((last - first) * STEP_MM, STEP_MM)
    return height / width if height > 0 else NotMeasured(Reason.NOT_SEPARABLE, "no contrast across the line")
