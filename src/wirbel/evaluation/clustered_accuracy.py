"""What a yes-or-no reading is worth when units come in clusters: all figures of `accuracy` for several vertebrae of
one patient, by variances between clusters or by drawing whole clusters.

Shares get the interval of `clustered_proportion`. A mean of two shares joins their limits by MOVER (Zou & Donner,
Stat Med 2008;27:1693), a ratio by its form for ratios (Donner & Zou, Stat Methods Med Res 2012;21:347, eq. 9), both
with the correlation of the two shares between clusters (Obuchowski, Biometrics 1998;54:1230, for shares of one
patient's diseased and healthy units).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.accuracy import Accuracy, confusion
from wirbel.evaluation.clustered_shares import at_least_two, clustered_proportion
from wirbel.evaluation.estimate import Estimate, NotEstimable, valid_level
from wirbel.evaluation.inputs import binary, both_classes, cluster_codes, same_length
from wirbel.evaluation.resampling import REPLICATES, draw_counts, percentile_estimate

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
RATIO = "MOVER for a ratio of clustered shares (Donner & Zou 2012)"
MEAN = "MOVER of clustered shares"


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Truth, call and cluster of every unit, checked."""

    labels: Bools
    calls: Bools
    codes: Ints
    level: float

    def share(self, ones: Bools, of: Bools, what: str) -> Estimate:
        """Clustered share of `ones` among the units `of`."""
        if not of.any():
            raise ValueError(f"no {what} in the sample: the share has no value")
        return clustered_proportion(ones[of], self.codes[of], level=self.level)

    @property
    def sensitivity(self) -> Estimate:
        return self.share(self.calls, self.labels, "diseased unit")

    @property
    def specificity(self) -> Estimate:
        return self.share(~self.calls, ~self.labels, "healthy unit")

    @property
    def correlation(self) -> float:
        """Of the estimates of sensitivity and specificity, through clusters that have units of both kinds."""
        hit = np.where(self.labels, self.calls - self.calls[self.labels].mean(), 0.0)
        right = np.where(self.labels, 0.0, ~self.calls - (~self.calls)[~self.labels].mean())
        a, b = np.bincount(self.codes, weights=hit), np.bincount(self.codes, weights=right)
        scale = float(np.sqrt((a @ a) * (b @ b)))
        return float(a @ b) / scale if scale > 0 else 0.0


def clustered_accuracy_table(
    truth: npt.ArrayLike, called: npt.ArrayLike, clusters: npt.ArrayLike, *, level: float = 0.95
) -> Accuracy:
    """Every figure of calls on clustered units, with intervals from the variance between clusters; n is the number
    of clusters that a figure rests on. What the sample cannot say is a blank with its reason."""
    u = _checked(truth, called, clusters, level)
    either = u.labels | u.calls
    return Accuracy(
        confusion=confusion(u.labels, u.calls),
        sensitivity=_or_blank(lambda: u.sensitivity),
        specificity=_or_blank(lambda: u.specificity),
        accuracy=_or_blank(lambda: u.share(u.calls == u.labels, np.ones_like(u.calls), "unit")),
        positive_predictive_value=_or_blank(lambda: u.share(u.labels, u.calls, "unit called diseased")),
        negative_predictive_value=_or_blank(lambda: u.share(~u.labels, ~u.calls, "unit called healthy")),
        f1=_or_blank(lambda: _f1(u.share(u.labels & u.calls, either, "diseased or called unit"))),
        balanced_accuracy=_or_blank(lambda: _mean(u.sensitivity, u.specificity, u.correlation)),
        positive_likelihood_ratio=_or_blank(lambda: _positive(u)),
        negative_likelihood_ratio=_or_blank(lambda: _negative(u)),
    )


def clustered_ppv_at(
    truth: npt.ArrayLike, called: npt.ArrayLike, clusters: npt.ArrayLike, prevalence: float, *, level: float = 0.95
) -> Estimate:
    """Positive predictive value at a stated prevalence: Bayes on the clustered likelihood ratio and its limits."""
    ratio = _positive(_checked(truth, called, clusters, level))
    return _posterior(ratio, prevalence, f"PPV at {prevalence:g}, {ratio.method}")


def clustered_npv_at(
    truth: npt.ArrayLike, called: npt.ArrayLike, clusters: npt.ArrayLike, prevalence: float, *, level: float = 0.95
) -> Estimate:
    """Negative predictive value at a stated prevalence: one minus the posterior after a negative call."""
    ratio = _negative(_checked(truth, called, clusters, level))
    sick = _posterior(ratio, prevalence, "")
    return Estimate(
        1 - sick.value, 1 - sick.high, 1 - sick.low, level, sick.n, f"NPV at {prevalence:g}, {ratio.method}"
    )


def bootstrap_clustered_accuracy_table(
    truth: npt.ArrayLike,
    called: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Accuracy:
    """Every figure with a percentile interval over drawn clusters; a figure without one (all draws alike, or often
    without a value) is a blank with its reason."""
    u = _checked(truth, called, clusters, level)
    kinds = (u.labels & u.calls, u.labels & ~u.calls, ~u.labels & u.calls, ~u.labels & ~u.calls)
    counts = np.stack([np.bincount(u.codes, weights=k) for k in kinds], axis=1)
    drawn = draw_counts(counts.shape[0], replicates, rng) @ counts

    def estimate(name: str) -> Estimate | NotEstimable:
        with np.errstate(divide="ignore", invalid="ignore"):
            value, draws = (np.asarray(_FORMULAS[name](*c.T)) for c in (counts.sum(axis=0), drawn))
        if not np.isfinite(value):
            return NotEstimable("the figure has no finite value in the sample")
        return _or_blank(lambda: percentile_estimate(
            float(value), draws, n=counts.shape[0], method="cluster bootstrap percentile", level=level
        ))

    return Accuracy(confusion=confusion(u.labels, u.calls), **{name: estimate(name) for name in _FORMULAS})


_FORMULAS: dict[str, Callable[..., Floats]] = {
    "sensitivity": lambda tp, fn, fp, tn: tp / (tp + fn),
    "specificity": lambda tp, fn, fp, tn: tn / (tn + fp),
    "accuracy": lambda tp, fn, fp, tn: (tp + tn) / (tp + fn + fp + tn),
    "positive_predictive_value": lambda tp, fn, fp, tn: tp / (tp + fp),
    "negative_predictive_value": lambda tp, fn, fp, tn: tn / (tn + fn),
    "f1": lambda tp, fn, fp, tn: 2 * tp / (2 * tp + fp + fn),
    "balanced_accuracy": lambda tp, fn, fp, tn: (tp / (tp + fn) + tn / (tn + fp)) / 2,
    "positive_likelihood_ratio": lambda tp, fn, fp, tn: tp / (tp + fn) / (fp / (tn + fp)),
    "negative_likelihood_ratio": lambda tp, fn, fp, tn: fn / (tp + fn) / (tn / (tn + fp)),
}


def _checked(truth: npt.ArrayLike, called: npt.ArrayLike, clusters: npt.ArrayLike, level: float) -> _Units:
    labels, calls = binary(truth), binary(called, "calls")
    same_length(truth=labels, calls=calls)
    both_classes(labels)
    codes = cluster_codes(clusters, labels.size)
    at_least_two(int(codes.max()) + 1)
    return _Units(labels, calls, codes, valid_level(level))


def _positive(u: _Units) -> Estimate:
    return _ratio(u.sensitivity, _complement(u.specificity), -u.correlation)


def _negative(u: _Units) -> Estimate:
    return _ratio(_complement(u.sensitivity), u.specificity, -u.correlation)


def _complement(e: Estimate) -> Estimate:
    return Estimate(1 - e.value, 1 - e.high, 1 - e.low, e.level, e.n, e.method)


def _f1(share: Estimate) -> Estimate:
    value, low, high = (2 * j / (1 + j) for j in (share.value, share.low, share.high))
    return Estimate(value, low, high, share.level, share.n, f"F1, {share.method}")


def _mean(one: Estimate, two: Estimate, r: float) -> Estimate:
    value = (one.value + two.value) / 2
    below = _joined(one.value - one.low, two.value - two.low, r) / 2
    above = _joined(one.high - one.value, two.high - two.value, r) / 2
    return Estimate(value, max(value - below, 0.0), min(value + above, 1.0), one.level, min(one.n, two.n), MEAN)


def _joined(x: float, y: float, r: float) -> float:
    return math.sqrt(max(x * x + 2 * r * x * y + y * y, 0.0))


def _ratio(top: Estimate, bottom: Estimate, r: float) -> Estimate:
    """Ratio of two shares, from their limits and the correlation of their estimates."""
    if top.value == 0 and bottom.value == 0:
        raise ValueError("the ratio of 0 and 0 has no value")
    value = math.inf if bottom.value == 0 else top.value / bottom.value
    low = _end(top.value, bottom.value, top.low, bottom.high, r, -1.0)
    high = _end(top.value, bottom.value, top.high, bottom.low, r, 1.0)
    return Estimate(value, min(low, value), max(high, value), top.level, min(top.n, bottom.n), RATIO)


def _end(top: float, bottom: float, top_limit: float, bottom_limit: float, r: float, side: float) -> float:
    """The limit R that solves (top - R bottom)^2 = dt^2 + R^2 db^2 - 2 R r dt db, dt and db being the distances to
    the limits; infinite where the bottom's limit is 0."""
    a = bottom_limit * (2 * bottom - bottom_limit)
    b = top * bottom - r * abs(top - top_limit) * abs(bottom - bottom_limit)
    c = top_limit * (2 * top - top_limit)
    if side > 0 and a <= 0:
        return math.inf
    if abs(a) < 1e-15:
        return c / (2 * b) if b > 0 else 0.0
    return max((b + side * math.sqrt(max(b * b - a * c, 0.0))) / a, 0.0)


def _posterior(ratio: Estimate, prevalence: float, method: str) -> Estimate:
    if not 0.0 < prevalence < 1.0:
        raise ValueError(f"a prevalence must lie between 0 and 1, got {prevalence}")
    value, low, high = (
        1.0 if math.isinf(r) else prevalence * r / (prevalence * r + 1 - prevalence)
        for r in (ratio.value, ratio.low, ratio.high)
    )
    return Estimate(value, low, high, ratio.level, ratio.n, method)


def _or_blank(figure: Callable[[], Estimate]) -> Estimate | NotEstimable:
    try:
        return figure()
    except ValueError as exc:
        return NotEstimable(str(exc))
