"""The empirical ROC curve, areas under parts of it, and average precision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.inputs import labelled_scores

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Corners of the empirical curve from (0, 0) to (1, 1).

    A case is called positive where its score reaches the threshold (`score >= threshold`); the first threshold
    is infinite: nobody is.
    """

    false_positive_rate: Floats
    sensitivity: Floats
    thresholds: Floats


class Axis(Enum):
    """Along which axis a part of the curve is cut out."""

    SPECIFICITY = "specificity"
    SENSITIVITY = "sensitivity"


def roc_curve(truth: npt.ArrayLike, scores: npt.ArrayLike) -> RocCurve:
    """Empirical ROC curve, one corner for each distinct score (Fawcett, Pattern Recognit Lett 2006;27:861)."""
    labels, values = labelled_scores(truth, scores)
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    last = np.r_[np.flatnonzero(np.diff(ordered)), ordered.size - 1]
    positives = np.cumsum(labels[order])[last]
    negatives = last + 1 - positives
    return RocCurve(
        np.r_[0.0, negatives / negatives[-1]],
        np.r_[0.0, positives / positives[-1]],
        np.r_[np.inf, ordered[last]],
    )


def partial_area(
    truth: npt.ArrayLike, scores: npt.ArrayLike, *, low: float, high: float, axis: Axis = Axis.SPECIFICITY
) -> float:
    """Area under the curve between two specificities, or beside it between two sensitivities (McClish, Med Decis
    Making 1989;9:190); the curve is joined by straight lines. The whole area is that from 0 to 1."""
    _check_range(low, high)
    curve = roc_curve(truth, scores)
    if axis is Axis.SPECIFICITY:
        return _area_between(curve.false_positive_rate, curve.sensitivity, 1.0 - high, 1.0 - low)
    return _area_between(curve.sensitivity, 1.0 - curve.false_positive_rate, low, high)


def corrected_partial_area(
    truth: npt.ArrayLike, scores: npt.ArrayLike, *, low: float, high: float, axis: Axis = Axis.SPECIFICITY
) -> float:
    """Partial area rescaled so that chance gives 0.5 and perfection 1 (McClish 1989, eq. 4)."""
    area = partial_area(truth, scores, low=low, high=high, axis=axis)
    best = high - low
    by_chance = best * (2.0 - low - high) / 2.0
    if by_chance >= best:
        raise ValueError(f"between {low} and {high} chance is as good as perfection: no correction exists")
    return 0.5 * (1.0 + (area - by_chance) / (best - by_chance))


def average_precision(truth: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Sum of precision times gain of recall over the distinct thresholds, without interpolation (scikit-learn's
    definition)."""
    labels, values = labelled_scores(truth, scores)
    curve = roc_curve(labels, values)
    n_pos, n_neg = int(labels.sum()), int((~labels).sum())
    hits, false = curve.sensitivity[1:] * n_pos, curve.false_positive_rate[1:] * n_neg
    return float(np.sum(np.diff(curve.sensitivity) * hits / (hits + false)))


def _check_range(low: float, high: float) -> None:
    if not 0.0 <= low < high <= 1.0:
        raise ValueError(f"the part of the curve must satisfy 0 <= low < high <= 1, got {low} to {high}")


def _area_between(x: Floats, y: Floats, start: float, stop: float) -> float:
    """Trapezoidal area under the polyline (x non-decreasing) from `start` to `stop`.

    The integral up to t is a polyline's own: exact also where the curve jumps at t.
    """

    def until(t: float) -> float:
        width = np.clip(t - x[:-1], 0.0, np.diff(x))
        step = np.where(np.diff(x) > 0, np.diff(x), 1.0)
        height = y[:-1] + np.diff(y) * width / step / 2.0
        return float(np.sum(width * height))

    return until(stop) - until(start)
