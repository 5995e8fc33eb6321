"""From scattered candidates to one column: the best smooth chain with plausible steps."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wirbel.spine.column_model import SPACING_MM
from wirbel.spine.level import FROM_ABOVE, Level

#: Levels with a known distance downward, by rank: what a position reading says about the next step.
_RANKED = tuple(level for level in FROM_ABOVE if level in SPACING_MM and level is not Level.T13)
_RANKS = np.array([level.rank for level in _RANKED])
_STEPS_MM = np.array([SPACING_MM[level] for level in _RANKED])


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Rewards and costs share one unit (about a logarithm of odds); chosen on simulated clutter (tests/spine)."""

    reward: float = 4.5
    """What a candidate earns whose score is `strong_share` of the strongest ones' median; the cost of an ordinary
    bend, change of length and error of the reading is about 2."""
    reward_slope: float = 3.0
    """A candidate earns less by this times the logarithm of its lower score."""
    reward_most: float = 5.0
    step_mm: tuple[float, float] = (9.0, 48.0)
    """Shortest and longest distance of neighbours: a child's neck (10) to a tall man's lumbar column (45)."""
    most_missed: int = 1
    """So many vertebrae in a row may have no candidate."""
    missed_cost: float = 5.0
    turn_sd_deg: float = 22.0
    """Spread of the angle between consecutive steps: kyphosis and scoliosis turn by up to 15 degrees a level, and
    errors of centres by as much in the neck."""
    ratio_sd: float = 0.3
    """Spread of the logarithm of the ratio of consecutive steps."""
    growth: float = 0.02
    """Steps grow downward by this much (17 mm in the neck, 36 mm at L3)."""
    reading_sd: float = 0.9
    """Spread of the step between two position readings, in levels."""
    length_sd: float = 0.3
    """Spread of a step's logarithm around what the position reading lets expect."""
    down: float = 0.15
    """Least share of a step that leads toward the feet."""
    strong_share: float = 0.5
    """A candidate with this share of the strongest ones' score earns the full reward, less earn less."""
    alone: float = 0.3
    """A single candidate is a column only from this score."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Indices of the chosen candidates from above; `missed_below[k]` vertebrae lack between k and k + 1."""

    indices: tuple[int, ...]
    missed_below: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """All allowed steps between candidates: upper, lower, missed between, direction, length a level, own cost."""

    upper: np.ndarray
    lower: np.ndarray
    missed: np.ndarray
    direction: np.ndarray
    log_length: np.ndarray
    cost: np.ndarray


def chain_centres(
    candidates_lps_mm: Float64[np.ndarray, "n 3"],
    scores: Float64[np.ndarray, " n"],
    *,
    positions: Float64[np.ndarray, " n"] | None = None,
    settings: ChainSettings | None = None,
) -> Chain:
    """The best column through candidates, some of which are false and some vertebrae have none.

    `scores` in (0, 1]. `positions`: a reading of the place along the column (`Level.rank`; NaN = none) that should
    grow by about one a step; used softly. Nothing found: an empty chain.
    """
    settings = settings or ChainSettings()
    if not len(candidates_lps_mm):
        return Chain((), ())
    reward = _rewards(scores, settings)
    steps = _steps(candidates_lps_mm, positions, settings)
    best, came_by = _best_ending_with(steps, reward, candidates_lps_mm[:, 2], settings)
    if not len(best) or best.max() <= reward.max():
        strongest = int(np.argmax(scores))
        return Chain((strongest,), ()) if scores[strongest] >= settings.alone else Chain((), ())
    at = int(np.argmax(best))
    indices, missed = [int(steps.lower[at])], []
    while at >= 0:
        indices.append(int(steps.upper[at]))
        missed.append(int(steps.missed[at]))
        at = int(came_by[at])
    return Chain(tuple(indices[::-1]), tuple(missed[::-1]))


def _rewards(scores: Float64[np.ndarray, " n"], settings: ChainSettings) -> Float64[np.ndarray, " n"]:
    """Relative to the strongest ones: heat falls everywhere in a tight crop or an unusual scan."""
    strong = settings.strong_share * float(np.median(np.sort(scores)[-5:]))
    worth = settings.reward + settings.reward_slope * np.log(np.maximum(scores, 1e-6) / strong)
    return np.minimum(worth, settings.reward_most)


def _steps(
    points: Float64[np.ndarray, "n 3"], positions: Float64[np.ndarray, " n"] | None, settings: ChainSettings
) -> _Steps:
    gap = points[None] - points[:, None]
    length = np.linalg.norm(gap, axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        downward = -gap[..., 2] / length
    parts = []
    for missed in range(settings.most_missed + 1):
        each = length / (missed + 1)
        allowed = (each >= settings.step_mm[0]) & (each <= settings.step_mm[1]) & (downward >= settings.down)
        upper, lower = np.nonzero(allowed)
        parts.append((upper, lower, np.full(len(upper), missed)))
    upper, lower, missed_of = (np.concatenate(column) for column in zip(*parts, strict=True))
    log_length = np.log(length[upper, lower] / (missed_of + 1))
    cost = settings.missed_cost * missed_of.astype(np.float64)
    if positions is not None:
        cost += _reading_cost(positions, upper, lower, missed_of, log_length, settings)
    direction = gap[upper, lower] / length[upper, lower][:, None]
    return _Steps(upper, lower, missed_of, direction, log_length, cost)


def _reading_cost(
    positions: np.ndarray,
    upper: np.ndarray,
    lower: np.ndarray,
    missed: np.ndarray,
    log_length: np.ndarray,
    settings: ChainSettings,
) -> np.ndarray:
    """Position readings should grow by one a level, and a step be as long as usual there; both softly."""
    grown = positions[lower] - positions[upper] - (missed + 1)
    middle = 0.5 * (positions[lower] + positions[upper]) - 0.5
    expected = np.log(np.interp(middle, _RANKS, _STEPS_MM))
    cost = _soft(grown / settings.reading_sd) + _soft((log_length - expected) / settings.length_sd)
    return np.nan_to_num(cost)


def _best_ending_with(
    steps: _Steps, reward: np.ndarray, height_mm: np.ndarray, settings: ChainSettings
) -> tuple[np.ndarray, np.ndarray]:
    """By step: the worth of the best chain that ends with it, and the step before it (-1: the chain begins)."""
    best = reward[steps.upper] + reward[steps.lower] - steps.cost
    came_by = np.full(len(best), -1)
    into: dict[int, list[int]] = {}
    out_of: dict[int, list[int]] = {}
    for number, (upper, lower) in enumerate(zip(steps.upper.tolist(), steps.lower.tolist(), strict=True)):
        out_of.setdefault(upper, []).append(number)
        into.setdefault(lower, []).append(number)
    for node in np.argsort(-height_mm, kind="stable").tolist():
        before, after = np.array(into.get(node, []), dtype=int), np.array(out_of.get(node, []), dtype=int)
        if not len(before) or not len(after):
            continue
        joined = best[before][:, None] - _bend(steps, before, after, settings)
        chosen = joined.argmax(axis=0)
        continued = joined.max(axis=0) + reward[steps.lower[after]] - steps.cost[after]
        better = continued > best[after]
        best[after[better]] = continued[better]
        came_by[after[better]] = before[chosen[better]]
    return best, came_by


def _bend(steps: _Steps, before: np.ndarray, after: np.ndarray, settings: ChainSettings) -> np.ndarray:
    """Cost of following one step by another: the turn, and the change of length."""
    cosine = np.clip(steps.direction[before] @ steps.direction[after].T, -1.0, 1.0)
    turn_deg = np.degrees(np.arccos(cosine))
    grown = steps.log_length[after][None] - steps.log_length[before][:, None] - settings.growth
    return _soft(turn_deg / settings.turn_sd_deg) + _soft(grown / settings.ratio_sd)


def _soft(deviation: np.ndarray) -> np.ndarray:
    """Half the square up to two spreads, linear beyond (Huber)."""
    size = np.abs(deviation)
    cost: np.ndarray = np.where(size <= 2.0, 0.5 * size**2, 2.0 * size - 2.0)
    return cost
