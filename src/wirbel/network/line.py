"""A fine line down the middle of the column."""

import numpy as np
from jaxtyping import Float64
from scipy import ndimage
from scipy.spatial import cKDTree

from wirbel.volume import Grid

#: Step of the line, and how far it goes on past its ends.
LINE_STEP_MM = 0.5
PROLONGED_MM = 20.0


def fine_line(
    points_lps_mm: Float64[np.ndarray, "n 3"], body_lps_mm: Float64[np.ndarray, "m 3"]
) -> tuple[Float64[np.ndarray, "t 3"], Float64[np.ndarray, "t 3"]]:
    """Points every `LINE_STEP_MM` from the head downward, and the unit direction there.

    `points_lps_mm`: rough points along the column from above. `body_lps_mm`: places called body, to whose middle
    the line is drawn.
    """
    line = _even(prolonged(points_lps_mm, PROLONGED_MM), 10.0)
    for _ in range(2):
        apart, nearest = cKDTree(line).query(body_lps_mm, distance_upper_bound=22.0)
        place = np.asarray(nearest)
        near = np.isfinite(apart)
        count = np.bincount(place[near], minlength=len(line)).astype(float)
        away = body_lps_mm[near] - line[place[near]]
        sums = [np.bincount(place[near], away[:, k], minlength=len(line)) for k in (0, 1)]
        sd = 8.0 / LINE_STEP_MM
        weight = ndimage.gaussian_filter1d(count, sd, mode="nearest")
        shift = np.zeros_like(line)
        for k in (0, 1):
            smooth = ndimage.gaussian_filter1d(sums[k], sd, mode="nearest")
            shift[:, k] = np.where(weight > 0.05 * weight.max(), smooth / np.maximum(weight, 1e-9), 0.0)
        line = _even(line + shift, 6.0)
    axes = np.gradient(line, axis=0)
    return line, axes / np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-9)


def prolonged(points: Float64[np.ndarray, "n 3"], by_mm: float) -> Float64[np.ndarray, "m 3"]:
    """The line with a straight piece at both ends."""
    if len(points) == 1:
        points = points + np.array([[0.0, 0.0, 5.0], [0.0, 0.0, -5.0]])
    ends = [points[0] - points[min(2, len(points) - 1)], points[-1] - points[-min(3, len(points))]]
    ends = [e / np.linalg.norm(e) * by_mm for e in ends]
    return np.concatenate([[points[0] + ends[0]], points, [points[-1] + ends[1]]])


def farthest_inside(points: Float64[np.ndarray, "n 3"], line: Float64[np.ndarray, "m 3"], seen: Grid) -> float:
    """How far, in mm, a line through the points leads from another line inside the grid; 0 where it is outside."""
    fine, other = (_even(p, 6.0) for p in (points, line))
    at = seen.to_voxel(fine)
    inside = np.all((at >= 0) & (at <= np.asarray(seen.shape) - 1), axis=1)
    return float(np.max(cKDTree(other).query(fine[inside])[0], initial=0.0))


def _even(points: np.ndarray, smooth_mm: float) -> np.ndarray:
    """The same line at even steps, smoothed."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.arange(0.0, length[-1], LINE_STEP_MM)
    line = np.stack([np.interp(at, length, points[:, k]) for k in range(3)], axis=1)
    smooth: np.ndarray = ndimage.gaussian_filter1d(line, smooth_mm / LINE_STEP_MM, axis=0, mode="nearest")
    return smooth
