"""Where the discs lie along the column: dark bands between bright endplates, at distances that fit the level."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import ndimage

from wirbel.network.line import LINE_STEP_MM
from wirbel.volume import Volume


@dataclass(frozen=True, slots=True)
class DiscSettings:
    """How a profile along the column becomes discs; chosen on the hand-out's chests and on drawn columns."""

    radius_mm: float = 8.0
    """The profile is the median HU over a disc of this radius across the line."""
    background_mm: float = 6.0
    body_share: float = 1.0
    """Weight of the network's body probability beside HU in the profile."""
    vote_share: float = 1.0
    """Weight of the turning of the votes."""
    slices_mm: tuple[float, float] = (2.5, 5.0)
    """HU count fully up to the first slice spacing and not at all from the second."""
    class_share: float = 1.0
    """Weight of what the network calls disc (and, half as much and against it, body)."""
    body_reward: float = 1.0
    """A stretch between two discs is worth so much when all of it is body, and costs as much when none is."""
    reward_from: float = 0.15
    """A disc must be darker than the profile around it by this many standard deviations to be worth one."""
    spacing_sd: float = 0.16
    """Spread of log(spacing / expected spacing of the level)."""
    change_sd: float = 0.10
    """Spread of log(spacing / spacing of the neighbour)."""
    surprise: float = 2.0
    """No spacing costs more than one so many standard deviations off: a collapsed body is rare, not impossible."""
    spacing_mm: tuple[int, int] = (11, 46)


def disc_positions(
    darkness: Float64[np.ndarray, " t"],
    body: Float64[np.ndarray, " t"],
    expected_mm: Float64[np.ndarray, " t"],
    settings: DiscSettings,
) -> Float64[np.ndarray, " d"]:
    """Positions (mm along the line) of the best row of discs by dynamic programming over position and spacing.

    `darkness` in standard deviations, `body` (share of body, 0 to 1) and `expected_mm`, all at steps of 1 mm.
    Spacings fit the level and change smoothly; every stretch of the profile is cut into bodies.
    """
    n = len(darkness)
    filled = np.concatenate([[0.0], np.cumsum(2.0 * body - 1.0)])
    spacings = np.arange(settings.spacing_mm[0], settings.spacing_mm[1] + 1)
    change = np.log(spacings[:, None] / spacings[None, :]) / settings.change_sd
    cost_of_change = 0.5 * np.minimum(change**2, settings.surprise**2)
    best = np.full((n, len(spacings)), -np.inf)
    came = np.full((n, len(spacings)), -1)
    worth = darkness - settings.reward_from
    start = np.zeros(n)
    for t in range(n):
        for k, s in enumerate(spacings):
            before = t - s
            if before < 0:
                continue
            off = np.log(s / expected_mm[(t + before) // 2]) / settings.spacing_sd
            fit = -0.5 * min(off**2, settings.surprise**2)
            fit += settings.body_reward * (filled[t] - filled[before]) / s
            chained = best[before] - cost_of_change[k]
            j = int(np.argmax(chained))
            first = worth[before] + start[before]
            if chained[j] > first:
                best[t, k], came[t, k] = chained[j] + fit + worth[t], j
            else:
                best[t, k] = first + fit + worth[t]
    if not np.isfinite(best).any():
        return np.zeros(0)
    at, j = divmod(int(np.argmax(best)), len(spacings))
    row: list[int] = [at]
    while j >= 0:
        above = row[-1] - int(spacings[j])
        j = int(came[row[-1], j])
        row.append(above)
    return np.array(row[::-1], dtype=np.float64)


def hu_profile(
    ct: Volume, line_lps_mm: Float64[np.ndarray, "t 3"], axes: Float64[np.ndarray, "t 3"], settings: DiscSettings
) -> Float64[np.ndarray, " t"]:
    """Median HU over a disc across each point of the line."""
    side = np.cross(axes, [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    front = np.cross(axes, side)
    a, b = (m.ravel() for m in np.meshgrid(*[np.arange(-settings.radius_mm, settings.radius_mm + 0.1, 2.0)] * 2))
    inside = a**2 + b**2 <= settings.radius_mm**2
    a, b = a[inside, None], b[inside, None]
    points = line_lps_mm[:, None] + a * side[:, None] + b * front[:, None]
    at = ct.grid.to_voxel(points.reshape(-1, 3)).T
    low = np.maximum(np.floor(at.min(1)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(at.max(1)).astype(int) + 2, ct.grid.shape)
    crop = ct.hu[tuple(slice(int(p), int(q)) for p, q in zip(low, high, strict=True))]
    values = ndimage.map_coordinates(crop, at - low[:, None], order=1, mode="nearest", output=np.float64)
    profile: Float64[np.ndarray, " t"] = np.median(values.reshape(len(line_lps_mm), -1), axis=1)
    return profile


def darkness_of(profile: Float64[np.ndarray, " t"], settings: DiscSettings) -> Float64[np.ndarray, " t"]:
    """How far a profile lies below its surroundings, in its own standard deviations."""
    background = ndimage.gaussian_filter1d(profile, settings.background_mm / LINE_STEP_MM, mode="nearest")
    depth = background - ndimage.gaussian_filter1d(profile, 1.0 / LINE_STEP_MM, mode="nearest")
    spread = np.sqrt(ndimage.gaussian_filter1d(depth**2, 40.0 / LINE_STEP_MM, mode="nearest")) + 1e-6
    return np.clip(depth / spread, -3.0, 3.0)
