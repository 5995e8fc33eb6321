"""One decoding over the whole column: every variant, every start, missed vertebrae, both nuisances.

The offset that all appearance readings share moves a little from one vertebra to the next, so that a reading which
stretches or squeezes the column is not mistaken for one vertebra more or fewer. So does the patient's size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from wirbel.spine import likelihood
from wirbel.spine.column_model import levels_of_column
from wirbel.spine.evidence import VertebraEvidence
from wirbel.spine.level import Level
from wirbel.spine.settings import SpineSettings

#: A step of one is the next vertebra; two and three pass over missed ones.
STEPS = (1, 2, 3)
#: A labelling whose best path lies so far (natural logarithms) below the best of all is not worth naming.
HOPELESS = 14.0


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSeen:
    """A column as the decoder takes it: vertebrae from above, distances between them, sizes, what lies beyond."""

    vertebrae: tuple[VertebraEvidence, ...]
    distances_mm: tuple[float, ...]
    sizes_mm: tuple[float | None, ...]
    sacrum_below: float | None
    skull_above: float | None


@dataclass(frozen=True, slots=True)
class Labelling:
    """Names from above and the probability of all of them together."""

    levels: tuple[Level, ...]
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Decoding:
    """Labellings, most probable first, and by vertebra the probability of each level."""

    labellings: tuple[Labelling, ...]
    by_vertebra: tuple[dict[Level, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Variant:
    """The log-likelihood tables of one kind of column: o common offsets, s patient sizes, l levels, t steps."""

    levels: tuple[Level, ...]
    log_start: Float64[np.ndarray, "o s l"]
    log_seen: Float64[np.ndarray, "n o s l"]
    log_step: Float64[np.ndarray, "m t s l"]
    log_end: Float64[np.ndarray, " l"]
    drift: Float64[np.ndarray, "o o"]
    growth: Float64[np.ndarray, "s s"]


def decode(column: ColumnSeen, settings: SpineSettings) -> Decoding:
    """All labellings worth naming with their probabilities; they sum to at most 1.

    None where there are more vertebrae than any column has.
    """
    variants = [_variant(column, kind, prior, settings) for kind, prior in settings.columns.items()]
    forward = [_forward(variant) for variant in variants]
    ends = [f[-1] + v.log_end for v, f in zip(variants, forward, strict=True)]
    total = float(_log_sum(np.concatenate([end.ravel() for end in ends])[:, None], axis=0)[0])
    marginals: list[dict[Level, float]] = [{} for _ in column.vertebrae]
    if not np.isfinite(total):
        return Decoding((), tuple(marginals))
    found: dict[tuple[Level, ...], float] = {}
    for variant, ahead, end in zip(variants, forward, ends, strict=True):
        if not np.isfinite(end).any():
            continue  # this kind of column is too short
        shares = np.exp(ahead + _backward(variant) - total).sum(axis=(1, 2))
        for marginal, share in zip(marginals, shares, strict=True):
            for level, p in zip(variant.levels, share, strict=True):
                marginal[level] = marginal.get(level, 0.0) + float(p)
        for levels, log in _best_paths(variant).items():
            found[levels] = max(log, found.get(levels, -np.inf))
    least = max(found.values()) - HOPELESS
    worth = {levels for levels, log in found.items() if log >= least}
    worth |= {moved for levels in worth for moved in _shifted(levels)}
    ordered = sorted(worth)
    labellings = [Labelling(*one) for one in zip(ordered, _probabilities(ordered, variants, total), strict=True)]
    labellings.sort(key=lambda labelling: -labelling.probability)
    return Decoding(tuple(labellings), tuple(marginals))


def _variant(column: ColumnSeen, kind: tuple[int, int], prior: float, settings: SpineSettings) -> _Variant:
    levels = levels_of_column(*kind)
    n = len(levels)
    common = likelihood.nuisances(settings)
    seen = [
        likelihood.of_vertebra(v, levels, settings)
        + likelihood.of_appearance(v, levels, settings)[:, None]
        + likelihood.of_size(size_mm, levels, settings)[None]
        for v, size_mm in zip(column.vertebrae, column.sizes_mm, strict=True)
    ]
    log_step = np.full((len(column.distances_mm), len(STEPS), len(likelihood.SCALES), n), -np.inf)
    for i, distance_mm in enumerate(column.distances_mm):
        for t, step in enumerate(STEPS):
            log_step[i, t] = likelihood.of_distance(distance_mm, levels, step, settings)
            log_step[i, t] += (step - 1) * np.log(settings.missed)
    skull = _border(column.skull_above, np.arange(n) < 2, settings)  # C1 is often part of the skull to a detector
    start = common.log_offset[:, None, None] + common.log_scale[:, None] + skull + np.log(prior / n)
    sacrum = _border(column.sacrum_below, np.arange(n) == n - 1, settings)
    return _Variant(levels, start, np.stack(seen), log_step, sacrum, common.drift, common.growth)


def _border(
    probability: float | None, neighbours: Bool[np.ndarray, " l"], settings: SpineSettings
) -> Float64[np.ndarray, " l"]:
    """What the skull above or the sacrum below says about the outermost vertebra's level."""
    log = np.zeros(len(neighbours))
    if probability is not None:
        p = float(np.clip(probability, 1 - settings.border_trust, settings.border_trust))
        log[neighbours], log[~neighbours] = np.log(p), np.log(1 - p)
    return log


def _forward(variant: _Variant) -> Float64[np.ndarray, "n o s l"]:
    """Log-probability of everything seen down to each vertebra, by its level."""
    out = np.empty_like(variant.log_seen)
    out[0] = variant.log_start + variant.log_seen[0]
    for i in range(1, len(out)):
        before = _drifted(out[i - 1], variant.drift, variant.growth)
        out[i] = variant.log_seen[i] + _log_sum(_moved(variant, before, i - 1), axis=0)
    return out


def _backward(variant: _Variant) -> Float64[np.ndarray, "n o s l"]:
    """Log-probability of everything seen below each vertebra, by its level."""
    out = np.empty_like(variant.log_seen)
    out[-1] = variant.log_end
    for i in range(len(out) - 2, -1, -1):
        below = out[i + 1] + variant.log_seen[i + 1]
        options = np.full((len(STEPS), *below.shape), -np.inf)
        for t, step in enumerate(STEPS):
            options[t, ..., :-step] = below[..., step:] + variant.log_step[i, t, :, :-step]
        out[i] = _drifted(_log_sum(options, axis=0), variant.drift.T, variant.growth.T)
    return out


def _moved(variant: _Variant, before: np.ndarray, i: int) -> np.ndarray:
    """By step: what arrives at each level from `before`, -inf where nothing can."""
    options = np.full((len(STEPS), *before.shape), -np.inf)
    for t, step in enumerate(STEPS):
        options[t, ..., step:] = (before + variant.log_step[i, t])[..., :-step]
    return options


def _best_paths(variant: _Variant) -> dict[tuple[Level, ...], float]:
    """The best labelling under each common offset (held still) and size, with its logarithm (Viterbi)."""
    n, n_offset, n_scale, _ = variant.log_seen.shape
    came_by = np.zeros(variant.log_seen.shape, dtype=np.int8)
    best = variant.log_start + variant.log_seen[0]
    for i in range(1, n):
        options = _moved(variant, best, i - 1)
        came_by[i] = options.argmax(axis=0)
        best = variant.log_seen[i] + options.max(axis=0)
    best = best + variant.log_end
    at, log = best.argmax(axis=-1), best.max(axis=-1)
    path = np.zeros((n, n_offset, n_scale), dtype=int)
    rows, columns = np.ogrid[:n_offset, :n_scale]
    for i in range(n - 1, -1, -1):
        path[i] = at
        if i:
            at = at - np.take(STEPS, came_by[i, rows, columns, at])
    found: dict[tuple[Level, ...], float] = {}
    for k in zip(*np.nonzero(np.isfinite(log)), strict=True):
        levels = tuple(variant.levels[j] for j in path[:, *k])
        found[levels] = max(float(log[k]), found.get(levels, -np.inf))
    return found


def _shifted(levels: tuple[Level, ...]) -> list[tuple[Level, ...]]:
    """The same labelling one level further up and down, in a usual column: the mistakes worth naming."""
    usual = levels_of_column(12, 5)
    if not all(level in usual for level in levels):
        return []
    at = [usual.index(level) for level in levels]
    return [
        tuple(usual[j + by] for j in at) for by in (-1, 1) if at[0] + by >= 0 and at[-1] + by < len(usual)
    ]


def _probabilities(
    labellings: Sequence[tuple[Level, ...]], variants: Sequence[_Variant], total: float
) -> list[float]:
    """Each labelling's probability over every variant that contains it and over both nuisances."""
    sums = np.zeros(len(labellings))
    for variant in variants:
        place = {level: j for j, level in enumerate(variant.levels)}
        fits = [k for k, levels in enumerate(labellings) if all(level in place for level in levels)]
        at = np.array([[place[level] for level in labellings[k]] for k in fits], dtype=int)
        if not len(at):
            continue
        steps = np.diff(at, axis=1)
        passable = np.all((steps >= 1) & (steps <= len(STEPS)), axis=1)
        at, steps = at[passable], steps[passable]
        log = variant.log_start[..., at[:, 0]] + variant.log_seen[0][..., at[:, 0]]
        for i, step in enumerate(steps.T):
            log = _drifted(log, variant.drift, variant.growth) + variant.log_step[i, step - 1, :, at[:, i]].T
            log = log + variant.log_seen[i + 1][..., at[:, i + 1]]
        sums[np.array(fits)[passable]] += np.exp(log + variant.log_end[at[:, -1]] - total).sum(axis=(0, 1))
    return [float(p) for p in sums]


def _drifted(
    log: Float64[np.ndarray, "o s k"], drift: Float64[np.ndarray, "o o"], growth: Float64[np.ndarray, "s s"]
) -> Float64[np.ndarray, "o s k"]:
    """One vertebra further down: offset and size have moved as `drift` and `growth` (from row to column) say."""
    top = log.max(axis=(0, 1))
    top[~np.isfinite(top)] = 0.0
    o, s, k = log.shape
    offset = (drift.T @ np.exp(log - top).reshape(o, s * k)).reshape(o, s, k)
    with np.errstate(divide="ignore"):
        moved: np.ndarray = np.log(growth.T @ offset) + top
    return moved


def _log_sum(log: np.ndarray, *, axis: int) -> np.ndarray:
    """log of the sum of exponentials; -inf where all are."""
    top = log.max(axis=axis, keepdims=True)
    top[~np.isfinite(top)] = 0.0
    with np.errstate(divide="ignore"):
        total: np.ndarray = np.log(np.exp(log - top).sum(axis=axis)) + np.squeeze(top, axis=axis)
    return total
