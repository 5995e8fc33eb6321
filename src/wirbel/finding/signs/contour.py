"""The posterior wall's outline: convexity beyond its own chord, retropulsion beyond the neighbours' line."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage
from skimage import measure

from wirbel.finding.signs.patch import IMAGED_HU, NO_CT_HU, Patch
from wirbel.finding.signs.settings import ContourSettings
from wirbel.vertebra import Frame, NotMeasured, Reason
from wirbel.vertebra.local import in_frame, sample
from wirbel.volume import Volume

FRACTIONS = np.linspace(0.0, 1.0, 25)
PLANE_STEP_MM = 1.5
STEP_MM = 0.5
#: The column that tells the wall's height stands this far in front of it, mm.
INSIDE_MM = 3.0
#: The CT's edge is looked for this far from the mask's, mm, and must stand out by so many HU.
SEARCH_MM, LEAST_CREST_HU = 2.5, 80.0
#: A plane in which the arch lies behind more of the wall than this is none of the canal's.
ARCH_SHARE = 0.15
#: Neighbours' corners that far away along the column weigh half.
HALF_AT_MM = 40.0


@dataclass(frozen=True, slots=True, eq=False)
class PosteriorWall:
    """The wall in sagittal planes (left, fraction of the wall's height from below), mm in the vertebra's frame."""

    left_mm: Float64[np.ndarray, "l"]
    up_mm: Float64[np.ndarray, "l f"]
    back_mm: Float64[np.ndarray, "l f"]

    def corners_mm(self, at: tuple[float, float]) -> Float64[np.ndarray, "2 2"]:
        """(up, posterior) of the lower and the upper corner in the middle planes."""
        middle = np.abs(self.left_mm - np.median(self.left_mm)) <= 5.0
        near = [np.abs(FRACTIONS - f) <= 0.05 for f in at]
        return np.array(
            [[np.median(self.up_mm[middle][:, n]), np.median(self.back_mm[middle][:, n])] for n in near]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Retropulsion:
    """How far the wall stands behind the neighbours' line, where (LPS), and the outline's angle there."""

    mm: float
    angle_deg: float | NotMeasured
    apex_lps_mm: Float64[np.ndarray, "3"]


def posterior_wall(ct: Volume, patch: Patch, settings: ContourSettings) -> PosteriorWall | NotMeasured:
    """The wall between the endplates: the mask's surface, moved to the bone's outer edge where the CT shows one."""
    frame, field = patch.frame, patch.cutout.field
    waist = patch.body[np.abs(patch.up_mm) <= 3.0].any(axis=(0, 1))
    if waist.sum() < 10:
        return NotMeasured(Reason.MASK_POOR, "no waist")
    half = 0.5 * float(np.ptp(patch.left_mm[waist])) * settings.planes
    left = np.arange(-half, half + 0.1, PLANE_STEP_MM)
    back = np.arange(-6.0, float(patch.posterior_mm[patch.body.any(axis=(0, 2))].max()) + 4.0, STEP_MM)
    u, s, p = np.meshgrid(left, patch.up_mm, back, indexing="ij")
    values = sample(field, patch.cutout.grid, in_frame(frame, u, -p, s), outside=0.0)
    wall = _last_crossing(values, back)
    rows = [_between_endplates(values[i], wall[i], back, patch.up_mm) for i in range(len(left))]
    kept = [i for i, row in enumerate(rows) if row is not None]
    if len(kept) < 0.5 * len(left) or len(kept) < 4:
        return NotMeasured(Reason.MASK_POOR, f"posterior wall in {len(kept)} of {len(left)} planes")
    up = np.array([row[0] for row in rows if row is not None])
    behind = np.array([row[1] for row in rows if row is not None])
    free = _no_arch_behind(patch, left[kept], up, behind)
    if free.sum() < 4:
        return NotMeasured(Reason.MASK_POOR, "the arch hides the posterior wall")
    kept, up, behind = [k for k, one in zip(kept, free, strict=True) if one], up[free], behind[free]
    plain = PosteriorWall(left[kept], up, behind)
    return PosteriorWall(left[kept], up, behind + _edge_shift(ct, frame, plain))


def convexity_mm(wall: PosteriorWall, settings: ContourSettings) -> float:
    """How far the wall bulges behind the chord between its own upper and lower corner; negative: concave
    throughout.

    Criterion: convex posterior contour of the body (Foreman 2024 table 1). The largest distance behind the chord
    within the wall's middle two thirds; of the sagittal planes of the central 40 % of the width, each averaged with
    its neighbours over 4.5 mm, a fifth has at least this much. An outline that is everywhere too large by a
    millimetre has the same convexity.
    """
    low, high = (int(np.argmin(np.abs(FRACTIONS - f))) for f in settings.corners)
    inner = (settings.within[0] <= FRACTIONS) & (settings.within[1] >= FRACTIONS)
    calm = ndimage.uniform_filter1d(wall.back_mm, 3, axis=0, mode="nearest")
    calm = ndimage.uniform_filter1d(calm, 3, axis=1, mode="nearest")
    share = (FRACTIONS - FRACTIONS[low]) / (FRACTIONS[high] - FRACTIONS[low])
    chord = calm[:, [low]] + (calm[:, [high]] - calm[:, [low]]) * share[None, :]
    return float(np.percentile((calm - chord)[:, inner].max(axis=1), settings.convex_percent))


def retropulsion_of(
    patch: Patch,
    wall: PosteriorWall,
    corners_above_lps_mm: Sequence[Float64[np.ndarray, "2 3"]],
    corners_below_lps_mm: Sequence[Float64[np.ndarray, "2 3"]],
    settings: ContourSettings,
) -> Retropulsion | NotMeasured:
    """How far the wall, or a fragment in the mask, stands behind the line of the neighbours' posterior corners.

    Criterion: retropulsed bone fragment, angular (Foreman 2024 table 1). The line is a parabola through the corners
    of up to two neighbours above and below, near ones first; the distance is counted beyond the own less displaced
    corner, so that a vertebra that has slipped as a whole has none, and a quarter of the planes must have it. The
    angle is that of the sagittal outline at the hindmost point, between arms of 5 mm: about 90 deg at a corner or
    an angular fragment, near 180 deg at a smooth bulge. `NO_NEIGHBOURS` without a neighbour on both sides; the
    angle is `NOT_PRESENT` under 2 mm.
    """
    if not corners_above_lps_mm or not corners_below_lps_mm:
        return NotMeasured(Reason.NO_NEIGHBOURS, "posterior line needs a neighbour above and below")
    points = np.concatenate([*corners_above_lps_mm, *corners_below_lps_mm])
    arm = points - patch.frame.origin_lps_mm
    up, back = arm @ patch.frame.superior, -(arm @ patch.frame.anterior)
    weight = 1.0 / (1.0 + np.abs(up) / HALF_AT_MM)
    line = np.polynomial.Polynomial.fit(up, back, 2, w=weight)
    behind = ndimage.uniform_filter1d(wall.back_mm, 3, axis=0, mode="nearest") - line(wall.up_mm)
    typical = np.median(behind, axis=0)
    low, high = (float(typical[np.abs(FRACTIONS - f) <= 0.05].mean()) for f in settings.corners)
    shifted = max(0.0, min(low, high))
    hindmost = np.percentile(behind, settings.share_percent, axis=0)
    at = int(np.argmax(hindmost))
    plane = int(np.argmin(np.abs(behind[:, at] - hindmost[at])))
    apex = in_frame(
        patch.frame,
        wall.left_mm[plane : plane + 1],
        -wall.back_mm[plane : plane + 1, at],
        wall.up_mm[plane : plane + 1, at],
    )[0]
    size = max(0.0, float(hindmost[at]) - shifted)
    if size < settings.retropulsion_mm:
        return Retropulsion(size, NotMeasured(Reason.NOT_PRESENT, "no retropulsion"), apex)
    return Retropulsion(size, _angle_deg(patch, apex, settings.arm_mm), apex)


def corners_lps_mm(
    patch: Patch, wall: PosteriorWall, settings: ContourSettings
) -> Float64[np.ndarray, "2 3"]:
    """The wall's lower and upper corner."""
    corners = wall.corners_mm(settings.corners)
    return in_frame(patch.frame, np.full(2, float(np.median(wall.left_mm))), -corners[:, 1], corners[:, 0])


def _last_crossing(values: Float64[np.ndarray, "l s p"], back: Float64[np.ndarray, "p"]) -> np.ndarray:
    """Hindmost place where the mask's surface is crossed; -inf where there is no body."""
    bone = values >= 0.5
    last = values.shape[2] - 1 - np.argmax(bone[..., ::-1], axis=2)
    inside = np.take_along_axis(values, last[..., None], axis=2)[..., 0]
    beyond = np.take_along_axis(values, np.minimum(last + 1, len(back) - 1)[..., None], axis=2)[..., 0]
    part = np.clip((inside - 0.5) / np.where(inside > beyond, inside - beyond, 1.0), 0.0, 1.0)
    return np.where(bone.any(axis=2), back[last] + part * STEP_MM, -np.inf)


def _between_endplates(
    values: Float64[np.ndarray, "s p"],
    wall: Float64[np.ndarray, "s"],
    back: Float64[np.ndarray, "p"],
    up: Float64[np.ndarray, "s"],
) -> tuple[Float64[np.ndarray, "f"], Float64[np.ndarray, "f"]] | None:
    """(up, posterior) of one plane's wall at the fractions of its height."""
    middle = wall[(np.abs(up) <= 4.0) & np.isfinite(wall)]
    if len(middle) < 3:
        return None
    near = int(np.argmin(np.abs(back - (np.median(middle) - INSIDE_MM))))
    runs, count = ndimage.label(values[:, near] >= 0.5)
    if count == 0:
        return None
    at = np.flatnonzero(runs == 1 + int(np.argmax(np.bincount(runs)[1:])))
    if len(at) < 5 or not np.isfinite(wall[at]).all():
        return None
    place = up[at[0]] + FRACTIONS * (up[at[-1]] - up[at[0]])
    return place, np.interp(place, up[at], wall[at])


def _no_arch_behind(
    patch: Patch, left: Float64[np.ndarray, "l"], up: Float64[np.ndarray, "l f"], back: Float64[np.ndarray, "l f"]
) -> Bool[np.ndarray, "l"]:
    """Planes in which the canal, not the root of a pedicle, lies behind the wall."""
    found = np.zeros(up.shape, dtype=bool)
    for behind_mm in (2.0, 3.5, 5.0):
        place = np.stack(
            [
                up - patch.up_mm[0],
                back + behind_mm - patch.posterior_mm[0],
                np.broadcast_to(left[:, None] - patch.left_mm[0], up.shape),
            ]
        )
        at = np.clip(np.rint(place).astype(int), 0, np.asarray(patch.grid.shape)[:, None, None] - 1)
        found |= patch.arch[tuple(at)]
    return np.asarray(found.mean(axis=1) < ARCH_SHARE)


def _edge_shift(ct: Volume, frame: Frame, wall: PosteriorWall) -> Float64[np.ndarray, "l f"]:
    """How far behind the mask's surface the cortex falls to half of its height over what lies behind it.

    Where it is unclear (destroyed, outside the CT) the median of the clear places; 0 where few are clear.
    """
    out = np.arange(-SEARCH_MM, SEARCH_MM + 3.01, STEP_MM)
    left = np.broadcast_to(wall.left_mm[:, None, None], (*wall.back_mm.shape, len(out)))
    up = np.broadcast_to(wall.up_mm[:, :, None], left.shape)
    hu = sample(ct.hu, ct.grid, in_frame(frame, left, -(wall.back_mm[:, :, None] + out), up), outside=NO_CT_HU)
    hu = ndimage.uniform_filter(hu, size=(3, 3, 1), mode="nearest")
    reach = int(np.searchsorted(out, SEARCH_MM + 0.01))
    crest = np.argmax(hu[..., :reach], axis=2)
    top = np.take_along_axis(hu, crest[..., None], axis=2)[..., 0]
    after = np.arange(len(out))[None, None, :] >= crest[..., None]
    behind = np.where(after, hu, np.inf).min(axis=2)
    half = 0.5 * (top + behind)
    fall = np.argmax(after & (hu <= half[..., None]), axis=2)
    clear: Bool[np.ndarray, "l f"] = (
        (top - behind >= LEAST_CREST_HU) & (behind > IMAGED_HU) & (np.abs(out[fall]) <= SEARCH_MM) & (crest > 0)
    )
    if clear.mean() < 0.3:
        return np.zeros_like(wall.back_mm)
    shift = np.where(clear, out[fall] - 0.5 * STEP_MM, float(np.median(out[fall][clear])) - 0.5 * STEP_MM)
    return np.asarray(ndimage.median_filter(shift, size=(5, 5), mode="nearest"))


def _angle_deg(patch: Patch, apex_lps_mm: Float64[np.ndarray, "3"], arm_mm: float) -> float | NotMeasured:
    """The angle of the body's sagittal outline at its point nearest to the apex."""
    arm = apex_lps_mm - patch.frame.origin_lps_mm
    left = float(arm @ patch.frame.left)
    apex = np.array([arm @ patch.frame.superior, -(arm @ patch.frame.anterior)])
    up = np.arange(patch.up_mm[0], patch.up_mm[-1], STEP_MM)
    back = np.arange(-6.0, apex[1] + 8.0, STEP_MM)
    s, p = np.meshgrid(up, back, indexing="ij")
    values = sample(
        patch.cutout.field, patch.cutout.grid, in_frame(patch.frame, np.full_like(s, left), -p, s), outside=0.0
    )
    best: tuple[float, np.ndarray, int] | None = None
    for line in measure.find_contours(values, 0.5):  # type: ignore[no-untyped-call]  # scikit-image has no types
        outline = np.stack([up[0] + line[:, 0] * STEP_MM, back[0] + line[:, 1] * STEP_MM], axis=1)
        far = np.linalg.norm(outline - apex, axis=1)
        if best is None or far.min() < best[0]:
            best = (float(far.min()), outline, int(np.argmin(far)))
    if best is None or best[0] > 2.0 * SEARCH_MM:
        return NotMeasured(Reason.MASK_POOR, "no outline at the apex")
    _, outline, at = best
    run = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(outline, axis=0), axis=1))])
    if run[at] < arm_mm or run[-1] - run[at] < arm_mm:
        return NotMeasured(Reason.MASK_POOR, "outline ends at the apex")
    before = np.array([np.interp(run[at] - arm_mm, run, outline[:, k]) for k in range(2)]) - outline[at]
    after = np.array([np.interp(run[at] + arm_mm, run, outline[:, k]) for k in range(2)]) - outline[at]
    cosine = float(before @ after) / float(np.linalg.norm(before) * np.linalg.norm(after))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
