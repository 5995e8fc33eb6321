"""What a yes-or-no reading is worth: sensitivity to likelihood ratios from the four counts.

Definitions: sensitivity, specificity (Altman & Bland, BMJ 1994;308:1552), predictive values, also at another
prevalence by Bayes (BMJ 1994;309:102), likelihood ratios (Deeks & Altman, BMJ 2004;329:168) with Koopman's score
interval (Biometrics 1984;40:513), F1 (van Rijsbergen 1979), balanced accuracy (Brodersen et al., ICPR 2010).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.estimate import Estimate, NotEstimable, valid_level
from wirbel.evaluation.inputs import binary, same_length
from wirbel.evaluation.proportions import ProportionInterval, proportion
from wirbel.evaluation.ratios import proportion_ratio
from wirbel.evaluation.resampling import REPLICATES, percentile_estimate

WILSON = ProportionInterval.WILSON
FIGURES = (
    "sensitivity", "specificity", "accuracy", "positive_predictive_value", "negative_predictive_value", "f1",
    "balanced_accuracy", "positive_likelihood_ratio", "negative_likelihood_ratio",
)
"""The figures of `Accuracy`, by the names of its fields."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """The four counts: diseased called so and not, healthy called diseased and not."""

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    def __post_init__(self) -> None:
        for f in fields(self):
            if getattr(self, f.name) < 0:
                raise ValueError(f"{f.name} must not be negative, got {getattr(self, f.name)}")
        if self.total == 0:
            raise ValueError("a confusion table without a case")

    @property
    def diseased(self) -> int:
        """Cases with the disease."""
        return self.true_positive + self.false_negative

    @property
    def healthy(self) -> int:
        """Cases without the disease."""
        return self.false_positive + self.true_negative

    @property
    def total(self) -> int:
        """All cases."""
        return self.diseased + self.healthy


def confusion(truth: npt.ArrayLike, called: npt.ArrayLike) -> Confusion:
    """Counts of calls (1 = called diseased) against the truth."""
    labels, calls = binary(truth), binary(called, "calls")
    same_length(truth=labels, calls=calls)
    return Confusion(
        int((labels & calls).sum()), int((labels & ~calls).sum()), int((~labels & calls).sum()),
        int((~labels & ~calls).sum()),
    )


def sensitivity(c: Confusion, *, method: ProportionInterval = WILSON, level: float = 0.95) -> Estimate:
    """Share of the diseased that were called."""
    return _share(c.true_positive, c.diseased, "diseased", method, level)


def specificity(c: Confusion, *, method: ProportionInterval = WILSON, level: float = 0.95) -> Estimate:
    """Share of the healthy that were not called."""
    return _share(c.true_negative, c.healthy, "healthy", method, level)


def accuracy(c: Confusion, *, method: ProportionInterval = WILSON, level: float = 0.95) -> Estimate:
    """Share of right calls."""
    return proportion(c.true_positive + c.true_negative, c.total, method=method, level=level)


def positive_predictive_value(
    c: Confusion, *, method: ProportionInterval = WILSON, level: float = 0.95
) -> Estimate:
    """Share of the diseased among those called, at the sample's own prevalence."""
    return _share(c.true_positive, c.true_positive + c.false_positive, "case called diseased", method, level)


def negative_predictive_value(
    c: Confusion, *, method: ProportionInterval = WILSON, level: float = 0.95
) -> Estimate:
    """Share of the healthy among those not called, at the sample's own prevalence."""
    return _share(c.true_negative, c.true_negative + c.false_negative, "case called healthy", method, level)


def positive_likelihood_ratio(c: Confusion, *, level: float = 0.95) -> Estimate:
    """Sensitivity / (1 - specificity), Koopman's interval; infinite without a false positive."""
    _both(c)
    return proportion_ratio(c.true_positive, c.diseased, c.false_positive, c.healthy, level=level)


def negative_likelihood_ratio(c: Confusion, *, level: float = 0.95) -> Estimate:
    """(1 - sensitivity) / specificity, Koopman's interval."""
    _both(c)
    return proportion_ratio(c.false_negative, c.diseased, c.true_negative, c.healthy, level=level)


def ppv_at(c: Confusion, prevalence: float, *, level: float = 0.95) -> Estimate:
    """Positive predictive value at a stated prevalence: Bayes on the likelihood ratio, and on its limits."""
    ratio = positive_likelihood_ratio(c, level=level)
    return _mapped(ratio, lambda r: _posterior(r, _prevalence(prevalence)), f"PPV at {prevalence:g}", c.total)


def npv_at(c: Confusion, prevalence: float, *, level: float = 0.95) -> Estimate:
    """Negative predictive value at a stated prevalence: one minus the posterior after a negative call."""
    ratio = negative_likelihood_ratio(c, level=level)
    return _mapped(ratio, lambda r: 1.0 - _posterior(r, _prevalence(prevalence)), f"NPV at {prevalence:g}", c.total)


def f1(c: Confusion, *, method: ProportionInterval = WILSON, level: float = 0.95) -> Estimate:
    """2 J / (1 + J) of the share J = TP / (TP + FP + FN), and of its limits: given how many cases are not true
    negatives, J is a plain proportion and F1 grows with it."""
    share = _share(
        c.true_positive, c.total - c.true_negative, "diseased or called case", method, level
    )
    return _mapped(share, lambda j: 2 * j / (1 + j), f"F1, {share.method}", share.n)


def balanced_accuracy(c: Confusion, *, method: ProportionInterval = WILSON, level: float = 0.95) -> Estimate:
    """Mean of sensitivity and specificity, from their limits by MOVER (Zou & Donner, Stat Med 2008;27:1693)."""
    se, sp = sensitivity(c, method=method, level=level), specificity(c, method=method, level=level)
    value = (se.value + sp.value) / 2
    low = value - math.hypot(se.value - se.low, sp.value - sp.low) / 2
    high = value + math.hypot(se.high - se.value, sp.high - sp.value) / 2
    return Estimate(value, max(low, 0.0), min(high, 1.0), level, c.total, f"MOVER of {method.value}")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """All figures of one yes-or-no reading; what the counts cannot say is a blank with its reason."""

    confusion: Confusion
    sensitivity: Estimate | NotEstimable
    specificity: Estimate | NotEstimable
    accuracy: Estimate | NotEstimable
    positive_predictive_value: Estimate | NotEstimable
    negative_predictive_value: Estimate | NotEstimable
    f1: Estimate | NotEstimable
    balanced_accuracy: Estimate | NotEstimable
    positive_likelihood_ratio: Estimate | NotEstimable
    negative_likelihood_ratio: Estimate | NotEstimable

    def to_json(self) -> dict[str, object]:
        """The counts and every figure under its name."""
        counts = {f.name: getattr(self.confusion, f.name) for f in fields(self.confusion)}
        return {"confusion": counts} | {
            f.name: getattr(self, f.name).to_json() for f in fields(self) if f.name != "confusion"
        }


def accuracy_table(
    c: Confusion, *, method: ProportionInterval = WILSON, level: float = 0.95
) -> Accuracy:
    """Every figure of the four counts."""
    valid_level(level)
    return Accuracy(
        confusion=c,
        sensitivity=_or_blank(lambda: sensitivity(c, method=method, level=level)),
        specificity=_or_blank(lambda: specificity(c, method=method, level=level)),
        accuracy=_or_blank(lambda: accuracy(c, method=method, level=level)),
        positive_predictive_value=_or_blank(lambda: positive_predictive_value(c, method=method, level=level)),
        negative_predictive_value=_or_blank(lambda: negative_predictive_value(c, method=method, level=level)),
        f1=_or_blank(lambda: f1(c, method=method, level=level)),
        balanced_accuracy=_or_blank(lambda: balanced_accuracy(c, method=method, level=level)),
        positive_likelihood_ratio=_or_blank(lambda: positive_likelihood_ratio(c, level=level)),
        negative_likelihood_ratio=_or_blank(lambda: negative_likelihood_ratio(c, level=level)),
    )


def bootstrap_confusion(
    figure: Callable[[Confusion], float],
    c: Confusion,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Percentile interval of any figure of the four counts, diseased and healthy drawn apart."""
    _both(c)
    hits = rng.binomial(c.diseased, c.true_positive / c.diseased, replicates)
    false = rng.binomial(c.healthy, c.false_positive / c.healthy, replicates)
    draws = np.empty(replicates)
    for b, (tp, fp) in enumerate(zip(hits.tolist(), false.tolist(), strict=True)):
        try:
            draws[b] = figure(Confusion(tp, c.diseased - tp, fp, c.healthy - fp))
        except (ValueError, ZeroDivisionError):
            draws[b] = np.nan
    return percentile_estimate(
        figure(c), draws, n=c.total, method="stratified bootstrap percentile", level=level
    )


def _share(k: int, n: int, of: str, method: ProportionInterval, level: float) -> Estimate:
    if n == 0:
        raise ValueError(f"no {of} in the sample: the share has no value")
    return proportion(k, n, method=method, level=level)


def _both(c: Confusion) -> None:
    if c.diseased == 0 or c.healthy == 0:
        raise ValueError(f"both classes are needed, got {c.diseased} diseased and {c.healthy} healthy cases")


def _prevalence(value: float) -> float:
    if not 0.0 < value < 1.0:
        raise ValueError(f"a prevalence must lie between 0 and 1, got {value}")
    return value


def _posterior(ratio: float, prevalence: float) -> float:
    return 1.0 if math.isinf(ratio) else prevalence * ratio / (prevalence * ratio + 1 - prevalence)


def _mapped(source: Estimate, f: Callable[[float], float], method: str, n: int) -> Estimate:
    low, high = sorted((f(source.low), f(source.high)))
    return Estimate(f(source.value), low, high, source.level, n, method)


def _or_blank(figure: Callable[[], Estimate]) -> Estimate | NotEstimable:
    try:
        return figure()
    except ValueError as exc:
        return NotEstimable(str(exc))
