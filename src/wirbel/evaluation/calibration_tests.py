"""Is the calibration off by more than chance? Slope and intercept, Hosmer-Lemeshow, Spiegelhalter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from wirbel.evaluation.calibration import BINS, equal_count_bins, predictions
from wirbel.evaluation.estimate import Estimate, Significance, valid_level
from wirbel.evaluation.inputs import both_classes

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_ITERATIONS = 50


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """Logistic recalibration: `slope` and `intercept` of logit(truth) on logit(prediction), `in_the_large` the
    intercept at slope 1, and the likelihood-ratio test of slope 1 and intercept 0 together.

    Good predictions have slope 1 and intercepts 0; a slope under 1 means predictions too extreme.
    """

    slope: Estimate
    intercept: Estimate
    in_the_large: Estimate
    test: Significance


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Cases, events and expected events of one group of predicted risk."""

    n: int
    observed: int
    expected: float


@dataclass(frozen=True, slots=True)
class HosmerLemeshow:
    """The groups and the test."""

    groups: tuple[RiskGroup, ...]
    test: Significance


def calibration_line(truth: npt.ArrayLike, predicted: npt.ArrayLike, *, level: float = 0.95) -> CalibrationLine:
    """Cox's calibration slope and intercept with Wald intervals (Cox, Biometrika 1958;45:562; Steyerberg 2009,
    15.3).

    Predictions of exactly 0 or 1 have no logit and are refused, as is a truth that the predictions separate.
    """
    labels, p = predictions(truth, predicted)
    both_classes(labels)
    edge = np.flatnonzero((p <= 0) | (p >= 1))
    if edge.size:
        raise ValueError(
            f"prediction {int(edge[0]) + 1} is {p[edge[0]]:g}, which has no logit ({edge.size} such): keep"
            " predictions inside (0, 1)"
        )
    x = special.logit(p)
    if np.ptp(x) == 0:
        raise ValueError("all predictions are equal: a slope cannot be fitted")
    if x[labels].min() >= x[~labels].max() or x[labels].max() <= x[~labels].min():
        raise ValueError("the predictions separate the classes perfectly: the slope is infinite")
    y = labels.astype(np.float64)
    beta, cov = _logistic(np.c_[np.ones(x.size), x], y, np.zeros(x.size))
    alone, alone_cov = _logistic(np.ones((x.size, 1)), y, x)
    z = float(stats.norm.isf((1 - valid_level(level)) / 2))

    def around(value: float, variance: float, name: str) -> Estimate:
        half = z * float(np.sqrt(variance))
        return Estimate(value, value - half, value + half, level, labels.size, name)

    gain = 2 * (_log_likelihood(beta[0] + beta[1] * x, y) - _log_likelihood(x, y))
    return CalibrationLine(
        around(float(beta[1]), float(cov[1, 1]), "calibration slope, Wald"),
        around(float(beta[0]), float(cov[0, 0]), "calibration intercept, Wald"),
        around(float(alone[0]), float(alone_cov[0, 0]), "calibration in the large, Wald"),
        Significance(
            max(float(gain), 0.0), 2.0, float(stats.chi2.sf(max(gain, 0.0), 2)), "likelihood ratio, recalibration"
        ),
    )


def hosmer_lemeshow(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, *, groups: int = BINS, fitted_here: bool = True
) -> HosmerLemeshow:
    """Chi-square over groups of risk: right-closed intervals between type-7 quantiles (Hosmer & Lemeshow, Commun
    Stat 1980;9:1043).

    Degrees of freedom are groups - 2 for a model fitted on these cases (as published), and groups for predictions
    that come from elsewhere (`fitted_here=False`).
    """
    labels, p = predictions(truth, predicted)
    index = equal_count_bins(p, groups)
    found = tuple(
        RiskGroup(int((index == b).sum()), int(labels[index == b].sum()), float(p[index == b].sum()))
        for b in np.unique(index)
    )
    df = len(found) - 2 if fitted_here else len(found)
    if df < 1:
        raise ValueError(f"{len(found)} distinct groups of risk leave {df} degrees of freedom: more are needed")
    statistic = 0.0
    for g in found:
        variance = g.expected * (1 - g.expected / g.n)
        if variance > 0:
            statistic += (g.observed - g.expected) ** 2 / variance
        elif abs(g.observed - g.expected) > 1e-9:
            raise ValueError(
                f"a group of {g.n} cases was predicted with certainty and {g.observed} were diseased: the"
                " statistic is infinite"
            )
    return HosmerLemeshow(
        found, Significance(statistic, float(df), float(stats.chi2.sf(statistic, df)), "Hosmer-Lemeshow")
    )


def spiegelhalter(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> Significance:
    """Z of the Brier score against its expectation if the predictions were right: sum (y-p)(1-2p) over the root of
    sum (1-2p)^2 p(1-p), two-sided (Spiegelhalter, Stat Med 1986;5:421)."""
    labels, p = predictions(truth, predicted)
    variance = float(np.sum((1 - 2 * p) ** 2 * p * (1 - p)))
    if variance <= 0:
        raise ValueError("predictions of 0, 1/2 and 1 alone have no variance for Spiegelhalter's test")
    z = float(np.sum((labels - p) * (1 - 2 * p)) / np.sqrt(variance))
    return Significance(z, np.inf, min(2 * float(stats.norm.sf(abs(z))), 1.0), "Spiegelhalter")


def _logistic(design: Floats, y: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Maximum-likelihood coefficients and their covariance by Newton's method with step halving."""
    beta = np.zeros(design.shape[1])
    best = _log_likelihood(offset + design @ beta, y)
    for _ in range(_ITERATIONS):
        mean = special.expit(offset + design @ beta)
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (y - mean))
        while (value := _log_likelihood(offset + design @ (beta + step), y)) < best - 1e-12:
            step = step / 2
        beta, best = beta + step, value
        if np.abs(step).max() < 1e-10:
            mean = special.expit(offset + design @ beta)
            information = (design * (mean * (1 - mean))[:, None]).T @ design
            return beta, np.asarray(np.linalg.inv(information), dtype=np.float64)
    raise ValueError(f"the recalibration did not converge in {_ITERATIONS} steps: the classes are nearly separated")


def _log_likelihood(linear: Floats, y: Floats) -> float:
    return float(np.sum(y * linear - np.logaddexp(0.0, linear)))
