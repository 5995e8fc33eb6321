"""Area under the ROC curve of one reading, with its interval."""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.auc_intervals import (
    logit_limits,
    newcombe_variance,
    scaled_score_limits,
    score_limits,
    wald_limits,
)
from wirbel.evaluation.estimate import Estimate, valid_level
from wirbel.evaluation.inputs import labelled_scores
from wirbel.evaluation.placements import Placements, placements
from wirbel.evaluation.resampling import REPLICATES, bootstrap, draw_counts, percentile_estimate
from wirbel.evaluation.roc import Axis, average_precision, partial_area

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


_NO_VARIANCE = 1e-20


class AucInterval(Enum):
    """Interval of an area under the ROC curve."""

    SCALED_SCORE = "score interval, scaled (Newcombe 2006 and DeLong)"
    NEWCOMBE = "score interval (Newcombe 2006, method 5)"
    LOGIT_DELONG = "logit DeLong"
    DELONG = "DeLong"


def auc(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    method: AucInterval = AucInterval.SCALED_SCORE,
    level: float = 0.95,
) -> Estimate:
    """Trapezoidal area under the ROC curve (Hanley & McNeil, Radiology 1982;143:29); higher scores mean more
    disease, ties count half.

    By default with Newcombe's score interval (Stat Med 2006;25:559, method 5), its variance scaled to the data
    (`scaled_score_limits`); DeLong's is that of DeLong 1988, eq. 3, symmetric or on the logit scale (Pepe 2003).

    DeLong's intervals need two cases of each class and some variance (perfect separation and nothing but ties have
    none): else they refuse. The score intervals always answer.
    """
    labels, values = labelled_scores(truth, scores)
    diseased, healthy = values[labels], values[~labels]
    one = placements(diseased, healthy)
    parts = Placements(one.diseased[None], one.healthy[None])
    low, high, value = auc_limits(parts, method=method, level=level)
    return Estimate(float(value[0]), float(low[0]), float(high[0]), level, labels.size, method.value)


def auc_limits(
    parts: Placements, *, method: AucInterval = AucInterval.SCALED_SCORE, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Lower limit, upper limit and area, elementwise over the leading axes of the placements."""
    z = float(stats.norm.isf((1.0 - valid_level(level)) / 2))
    m, n = parts.diseased.shape[-1], parts.healthy.shape[-1]
    area = parts.auc
    if method is AucInterval.NEWCOMBE:
        return *score_limits(area, lambda theta: newcombe_variance(theta, m, n), z), area
    enough = min(m, n) >= 2
    if method is AucInterval.SCALED_SCORE:
        variance = parts.variance if enough else np.full_like(area, np.nan)
        return *scaled_score_limits(area, variance, z, diseased=m, healthy=n), area
    if not enough:
        raise ValueError(
            f"{method.value} needs two cases of each class, got {m} diseased and {n} healthy:"
            " use a score interval"
        )
    if area.size == 1 and parts.variance.item() < _NO_VARIANCE:
        raise ValueError(
            f"{method.value} gives no interval for an area of {area.item():g} (no variance): use a score interval"
        )
    limits = wald_limits if method is AucInterval.DELONG else logit_limits
    return *limits(area, parts.variance, z), area


def bootstrap_auc(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Area with a percentile bootstrap interval, diseased and healthy cases drawn apart (Efron & Tibshirani 1993,
    8.3 and 13.3).

    At perfect separation every draw has an area of 1: then it refuses, as DeLong's interval does.
    """
    labels, values = labelled_scores(truth, scores, at_least=2)
    diseased, healthy = values[labels], values[~labels]
    value = float(placements(diseased, healthy).auc)
    if value in (0.0, 1.0):
        raise ValueError(f"a bootstrap gives no interval for an area of {value:g}: use a score interval")
    draws = bootstrap_areas(diseased, healthy, replicates=replicates, rng=rng)
    return percentile_estimate(
        value, draws, n=labels.size, method="stratified bootstrap percentile", level=level
    )


def bootstrap_areas(
    diseased: Floats, healthy: Floats, *, replicates: int, rng: np.random.Generator
) -> Floats:
    """Areas of stratified bootstrap samples, all at once: w' K v / (m n), K the matrix of wins and half ties, or
    by sorted counts where the matrix would be large."""
    m, n = diseased.size, healthy.size
    out = np.empty(replicates)
    values, inverse = np.unique(np.concatenate([diseased, healthy]), return_inverse=True)
    below = _wins(diseased, healthy) if m * n <= _MATRIX_LIMIT else None
    chunk = max(1, min(replicates, 4_000_000 // (m + n)))
    for start in range(0, replicates, chunk):
        stop = min(start + chunk, replicates)
        w, v = draw_counts(m, stop - start, rng), draw_counts(n, stop - start, rng)
        if below is not None:
            out[start:stop] = np.einsum("bi,bi->b", w @ below, v)
        else:
            out[start:stop] = [
                _area_of_counts(w[b], v[b], inverse[:m], inverse[m:], values.size) for b in range(stop - start)
            ]
    return out / (m * n)


_MATRIX_LIMIT = 1_000_000


def _wins(diseased: Floats, healthy: Floats) -> Floats:
    x, y = diseased[:, None], healthy[None, :]
    return np.asarray((x > y) + 0.5 * (x == y), dtype=np.float64)


def _area_of_counts(w: Floats, v: Floats, row: Ints, column: Ints, size: int) -> float:
    up = np.bincount(row, weights=w, minlength=size)
    down = np.bincount(column, weights=v, minlength=size)
    return float(up @ (np.cumsum(down) - down / 2.0))


def partial_auc(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    low: float,
    high: float,
    rng: np.random.Generator,
    axis: Axis = Axis.SPECIFICITY,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Partial area between two specificities (or sensitivities) with a stratified bootstrap interval."""
    labels, values = labelled_scores(truth, scores, at_least=2)

    def figure(index: Ints) -> float:
        return partial_area(labels[index], values[index], low=low, high=high, axis=axis)

    return bootstrap(figure, labels.size, strata=labels, rng=rng, replicates=replicates, level=level)


def average_precision_estimate(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Average precision with a stratified bootstrap interval: it is a figure of this share of diseased cases."""
    labels, values = labelled_scores(truth, scores, at_least=2)

    def figure(index: Ints) -> float:
        return average_precision(labels[index], values[index])

    return bootstrap(figure, labels.size, strata=labels, rng=rng, replicates=replicates, level=level)
