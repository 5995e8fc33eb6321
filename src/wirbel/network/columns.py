"""Body centres: midway between the discs that fit the image, the network's bodies and the levels it reads."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Float64
from scipy import ndimage

from wirbel.network.discs import DiscSettings, darkness_of, disc_positions, hu_profile
from wirbel.network.finder import Candidates
from wirbel.network.line import LINE_STEP_MM, fine_line
from wirbel.network.spine_heads import CLASSES, FINDER_LEVELS
from wirbel.network.tubes import TubeMaps
from wirbel.spine.column_model import SPACING_MM
from wirbel.volume import Volume

_BODY, _DISC = CLASSES.index("body"), CLASSES.index("disc")
_RANKS = np.array([level.rank for level in FINDER_LEVELS])
_SPACINGS_MM = np.array([SPACING_MM.get(level, 34.0) for level in FINDER_LEVELS])


@dataclass(frozen=True, slots=True)
class ColumnSettings:
    """How centres are drawn from discs."""

    discs: DiscSettings = field(default_factory=DiscSettings)
    least_body: float = 0.4
    """A stretch between two discs is a vertebra when so much of its middle is called body."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Bodies from the head downward: centres, the direction down the column there, the discs above and below as
    distances from the centre along it, and how clear these discs are (0 to 1)."""

    centres_lps_mm: Float64[np.ndarray, "n 3"]
    down: Float64[np.ndarray, "n 3"]
    half_mm: Float64[np.ndarray, " n"]
    score: Float64[np.ndarray, " n"]


def body_centres(
    ct: Volume,
    found: Candidates,
    line_points_lps_mm: Float64[np.ndarray, "n 3"],
    maps: TubeMaps,
    settings: ColumnSettings,
) -> Column:
    """Centres of the bodies from the head downward; none where nothing along the line is body."""
    voxels = np.argwhere(maps.classes == _BODY)[::5]
    if len(voxels) < 50:
        return Column(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    line, axes = fine_line(line_points_lps_mm, maps.grid.to_lps_mm(voxels.astype(np.float64)))
    inside = _inside(ct, line)
    body = _body_along(maps, line) * inside
    hu = hu_profile(ct, line, axes, settings.discs)
    darkness = _hu_share(ct, settings.discs) * darkness_of(hu, settings.discs)
    darkness = darkness + settings.discs.body_share * darkness_of(100.0 * _carried_on(body, inside), settings.discs)
    called = _carried_on(2.0 * _discs_along(maps, line) - body, inside)
    called -= ndimage.gaussian_filter1d(called, 10.0 / LINE_STEP_MM, mode="nearest")
    darkness = darkness + settings.discs.class_share * called
    turning = -np.gradient(_votes_along(maps, line, axes))
    darkness = darkness + settings.discs.vote_share * darkness_of(turning, settings.discs)
    column = ndimage.gaussian_filter1d((body > 0.15).astype(float), 4.0 / LINE_STEP_MM) > 0.5
    darkness = np.where(inside & column, darkness, settings.discs.reward_from + 0.02)
    p = np.exp(found.level_log_p(line))
    expected = ndimage.gaussian_filter1d(p @ _SPACINGS_MM, 15.0 / LINE_STEP_MM, mode="nearest")
    step = round(1.0 / LINE_STEP_MM)
    discs = disc_positions(darkness[::step], body[::step], expected[::step], settings.discs)
    middles, half, score = [], [], []
    for a, b in pairwise(discs):
        middle = round((a + b) / 2 * step)
        quarter = int((b - a) * step / 4)
        if inside[middle] and body[max(0, middle - quarter) : middle + quarter + 1].mean() >= settings.least_body:
            middles.append(middle)
            half.append((b - a) / 2)
            clear = (darkness[int(a * step)] + darkness[int(b * step)]) / 2
            score.append(float(np.clip(0.4 + 0.3 * clear, 0.05, 1.0)))
    at = np.array(middles, dtype=int)
    return Column(line[at], axes[at], np.array(half, dtype=np.float64), np.array(score, dtype=np.float64))


def _votes_along(maps: TubeMaps, line: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Mean vote of body voxels down the column, mm: it falls through a body and leaps up at a disc."""
    weight = maps.body_p.astype(np.float32) / 255.0 + 1e-3
    at = maps.grid.to_voxel(line).T
    turn = maps.grid.voxel_to_lps_mm[:3, :3] / np.asarray(maps.grid.spacing_mm)
    size = (3, 9, 9)
    total = ndimage.uniform_filter(weight, size)
    smooth = [ndimage.uniform_filter(vote * weight, size) / total for vote in maps.vote_mm]
    means = [ndimage.map_coordinates(s, at, order=1, mode="nearest", output=np.float64) for s in smooth]
    down: np.ndarray = (np.stack(means, 1) @ turn.T * axes).sum(1)
    return ndimage.gaussian_filter1d(down, 2.0 / LINE_STEP_MM)


def _inside(ct: Volume, line: np.ndarray) -> np.ndarray:
    """Where the line lies in the volume."""
    at = ct.grid.to_voxel(line)
    inside: np.ndarray = np.all((at >= -0.5) & (at <= np.asarray(ct.grid.shape) - 0.5), axis=1)
    return inside


def _carried_on(profile: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The profile with its first and last value in view carried on outside, where nothing was seen."""
    seen = np.flatnonzero(inside)
    return profile[np.clip(np.arange(len(profile)), seen[0], seen[-1])] if len(seen) else profile


def _hu_share(ct: Volume, settings: DiscSettings) -> float:
    """Thick slices mix endplate and disc: their HU say less of where a disc lies, at last nothing."""
    blurred, lost = settings.slices_mm
    return float(np.clip((lost - max(ct.grid.spacing_mm)) / (lost - blurred), 0.0, 1.0))


def _discs_along(maps: TubeMaps, line: np.ndarray) -> np.ndarray:
    """Share of disc in a small square around each point of the line."""
    smooth = ndimage.uniform_filter((maps.classes == _DISC).astype(np.float32), (1, 7, 7))
    at = maps.grid.to_voxel(line).T
    along: np.ndarray = ndimage.map_coordinates(smooth, at, order=1, mode="constant", cval=0.0, output=np.float64)
    return along


def _body_along(maps: TubeMaps, line: np.ndarray) -> np.ndarray:
    """Mean body probability in a small cube around each point of the line."""
    smooth = ndimage.uniform_filter(maps.body_p.astype(np.float32) / 255.0, (1, 7, 7))
    at = maps.grid.to_voxel(line).T
    along: np.ndarray = ndimage.map_coordinates(smooth, at, order=1, mode="constant", cval=0.0, output=np.float64)
    return along
