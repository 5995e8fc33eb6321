"""How well each level explains what was seen of each vertebra, in logarithms.

Errors that vertebrae of a column share are kept apart as two nuisances, on grids: a common offset of the appearance
readings in levels, and the patient's size. Both drift along the column. Without the first, ten vertebrae that are
all read one level too low would make a wrong name certain; without its drift, so would a column read as too long or
too short. With the drift of the size, distances and bodies count in full: a chest whose proportions deviate along a
whole stretch is allowed for, and what is left tells a lowest rib at T11 or T13 from one at T12 where T1 is not in
view.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import special

from wirbel.spine.column_model import SIZE_MM, SPACING_MM, VAGUE, reading_of_column
from wirbel.spine.evidence import VertebraEvidence
from wirbel.spine.level import Level
from wirbel.spine.settings import SpineSettings

OFFSETS_LEVELS = np.arange(-3.0, 3.01, 0.5)
SCALE_STEP = 0.05
SCALES = np.exp(np.arange(-0.25, 0.251, SCALE_STEP))
#: Fractures, fusion and degeneration shorten a distance by any amount; none makes it longer than this (in
#: logarithms): what is longer holds a vertebra that was not found.
OUTLIER_UP_TO = 0.3
IMPOSSIBLE = 1e-9
_RANKS = np.arange(1.0, 27.0)


@dataclass(frozen=True, slots=True, eq=False)
class Nuisances:
    """Log prior of the common offset and of the patient's size.

    `drift`: the chance of each offset (column) at the next vertebra, by the offset (row) at this one; `growth`
    likewise of each size.
    """

    log_offset: Float64[np.ndarray, "o"]
    log_scale: Float64[np.ndarray, "s"]
    drift: Float64[np.ndarray, "o o"]
    growth: Float64[np.ndarray, "s s"]


def nuisances(settings: SpineSettings) -> Nuisances:
    """Both priors, normalised on their grids."""
    narrow, wide = (np.exp(-0.5 * (OFFSETS_LEVELS / sd) ** 2) / sd for sd in settings.offset_sd_levels)
    offset = (1 - settings.offset_wide_share) * narrow + settings.offset_wide_share * wide
    scale = np.exp(-0.5 * (np.log(SCALES) / settings.scale_sd) ** 2)
    apart = OFFSETS_LEVELS[:, None] - OFFSETS_LEVELS
    drift = np.exp(-0.5 * (apart / settings.offset_drift_levels) ** 2)
    return Nuisances(
        np.log(offset / offset.sum()),
        np.log(scale / scale.sum()),
        drift / drift.sum(axis=1, keepdims=True),
        _random_walk(len(SCALES), settings.scale_drift / SCALE_STEP),
    )


def _random_walk(n: int, sd_steps: float) -> Float64[np.ndarray, "s s"]:
    """Moves by one place of a grid at most, with this SD in places (under 1); the ends hold what would leave."""
    aside = 0.5 * sd_steps**2
    walk = (1.0 - 2.0 * aside) * np.eye(n) + aside * (np.eye(n, k=1) + np.eye(n, k=-1))
    walk[0, 0] += aside
    walk[-1, -1] += aside
    return walk


def of_vertebra(
    seen: VertebraEvidence, levels: Sequence[Level], settings: SpineSettings
) -> Float64[np.ndarray, " l"]:
    """Ribs and a given name, by level: what depends on no nuisance."""
    log = np.zeros(len(levels))
    if seen.rib_probability is not None:
        sharpened = special.expit(settings.rib_gain * special.logit(np.clip(seen.rib_probability, 1e-6, 1 - 1e-6)))
        reading = float(np.clip(sharpened, 1 - settings.rib_trust, settings.rib_trust))
        carries = np.array([rib_prior(level, settings) for level in levels])
        log += np.log(carries * reading + (1 - carries) * (1 - reading))
    if seen.given is not None:
        same = np.array([level is seen.given for level in levels])
        log += np.where(same, np.log(settings.given_trust), np.log((1 - settings.given_trust) / 20))
    return log


def rib_prior(level: Level, settings: SpineSettings) -> float:
    """How often this level carries a rib."""
    return settings.ribs.get(level, 0.998 if level.region == "T" else 0.002)


def of_appearance(
    seen: VertebraEvidence, levels: Sequence[Level], settings: SpineSettings
) -> Float64[np.ndarray, "o l"]:
    """The segmenter's opinion, by common offset and level of a whole column; zero where it has none."""
    at = np.clip(reading_of_column(levels)[None] + OFFSETS_LEVELS[:, None], _RANKS[0] - 3.0, _RANKS[-1] + 3.0)
    if seen.level_log_probability:
        opinion = _blurred(seen, settings.position_sd_levels)
        value = np.interp(at, _RANKS, opinion, left=opinion[0], right=opinion[-1])
    elif seen.position is not None:
        sd = float(np.hypot(settings.position_sd_levels, seen.position_sd or 0.0))
        value = np.exp(-0.5 * ((seen.position - at) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
    else:
        return np.zeros((len(OFFSETS_LEVELS), len(levels)))
    floor = settings.opinion_floor
    return settings.opinion_weight * np.log((1 - floor) * value + floor / len(_RANKS))


def _blurred(seen: VertebraEvidence, sd_levels: float) -> Float64[np.ndarray, "r"]:
    """The opinion as a density over ranks, never sharper than one reading can be."""
    density = np.zeros(len(_RANKS))
    for level, log_p in seen.level_log_probability.items():
        density += np.exp(log_p) * np.exp(-0.5 * ((_RANKS - level.rank) / sd_levels) ** 2)
    return density / max(float(density.sum()), 1e-12)


def of_distance(
    distance_mm: float, levels: Sequence[Level], steps: int, settings: SpineSettings
) -> Float64[np.ndarray, "s l"]:
    """A distance to the vertebra `steps` names further down, by size and upper level; -inf beyond the column."""
    n = len(levels)
    spacing = np.array([SPACING_MM[level] for level in levels])
    vague = np.array([VAGUE.get(level, 0.0) for level in levels])[: n - steps]
    expected = np.convolve(spacing, np.ones(steps))[steps - 1 : n - 1]
    own = np.hypot(settings.spacing_sd / np.sqrt(steps), vague)
    sd = np.hypot(own, settings.spacing_error_mm / expected)
    off = np.log(distance_mm / (expected[None] * SCALES[:, None]))
    density = np.exp(-0.5 * (off / sd) ** 2) / sd
    shrunk = np.where(off < OUTLIER_UP_TO, settings.outlier * 0.5, IMPOSSIBLE)
    log = np.full((len(SCALES), n), -np.inf)
    log[:, : n - steps] = settings.spacing_weight * np.log((1 - settings.outlier) * density + shrunk)
    return log


def of_size(size_mm: float | None, levels: Sequence[Level], settings: SpineSettings) -> Float64[np.ndarray, "s l"]:
    """The cube root of the body's volume, by patient size and level; zero where it was not measured."""
    if size_mm is None:
        return np.zeros((len(SCALES), len(levels)))
    expected = np.array([SIZE_MM[level] for level in levels])
    sd = np.array([np.hypot(settings.size_sd, VAGUE.get(level, 0.0)) for level in levels])
    off = np.log(size_mm / (expected[None] * SCALES[:, None]))
    density = np.exp(-0.5 * (off / sd) ** 2) / sd
    log: Float64[np.ndarray, "s l"] = np.log((1 - settings.outlier) * density + settings.outlier * 0.5)
    return settings.size_weight * log
