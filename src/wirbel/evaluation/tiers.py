"""Three tiers (benign, uncertain, malignant) and what they would change: predictive values, scans, misses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.estimate import Estimate, NotEstimable
from wirbel.evaluation.inputs import binary, both_classes, finite, same_length
from wirbel.evaluation.proportions import ProportionInterval, proportion
from wirbel.evaluation.ratios import proportion_ratio

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Tier(IntEnum):
    """The answer to one case."""

    BENIGN = 0
    UNCERTAIN = 1
    MALIGNANT = 2


@dataclass(frozen=True, slots=True)
class TierFigures:
    """One tier: how many cases land in it, and how many of them are malignant."""

    tier: Tier
    share: Estimate
    malignant: Estimate | NotEstimable
    of_malignant: Estimate
    of_benign: Estimate


@dataclass(frozen=True, slots=True)
class Policy:
    """What sending only the tiers that are not benign to MRI would do to a thousand patients at one prevalence.

    `saved` scans per 1,000 against scanning everybody; `missed` malignant fractures per 1,000 that no scan would
    find; `saved_per_miss` is their ratio, infinite where nothing was missed.
    """

    prevalence: float
    saved: Estimate
    missed: Estimate
    missed_per_saved: Estimate | NotEstimable
    saved_per_miss: float


def tiers_of(scores: npt.ArrayLike, *, benign_below: float, malignant_from: float) -> Ints:
    """Tier of each score: benign below the first threshold, malignant from the second on, uncertain between."""
    if not benign_below <= malignant_from:
        raise ValueError(
            f"thresholds must not cross: benign below {benign_below}, malignant from {malignant_from}"
        )
    values = finite(scores)
    return np.where(
        values >= malignant_from, int(Tier.MALIGNANT), np.where(values < benign_below, 0, int(Tier.UNCERTAIN))
    ).astype(np.int64)


def tier_table(truth: npt.ArrayLike, tiers: npt.ArrayLike, *, level: float = 0.95) -> tuple[TierFigures, ...]:
    """For each tier its size, its share of malignant cases, and the class-conditional shares (Wilson)."""
    labels, answer = _checked(truth, tiers)
    rows = []
    for tier in Tier:
        here = answer == tier
        inside = int((labels & here).sum())
        rows.append(TierFigures(
            tier,
            proportion(int(here.sum()), here.size, level=level),
            proportion(inside, int(here.sum()), level=level) if here.any()
            else NotEstimable("no case in this tier"),
            proportion(inside, int(labels.sum()), level=level),
            proportion(int((~labels & here).sum()), int((~labels).sum()), level=level),
        ))
    return tuple(rows)


def malignant_share_at(
    truth: npt.ArrayLike, tiers: npt.ArrayLike, tier: Tier, prevalence: float, *, level: float = 0.95
) -> Estimate:
    """Share of malignant cases in a tier at a stated prevalence: Bayes on the tier's likelihood ratio and on its
    score limits (Koopman, Biometrics 1984;40:513)."""
    labels, answer = _checked(truth, tiers)
    _prevalence(prevalence)
    here = answer == tier
    ratio = proportion_ratio(
        int((labels & here).sum()), int(labels.sum()), int((~labels & here).sum()), int((~labels).sum()),
        level=level,
    )
    value, low, high = (_posterior(r, prevalence) for r in (ratio.value, ratio.low, ratio.high))
    return Estimate(value, low, high, level, labels.size, f"share of malignant at {prevalence:g}, {ratio.method}")


def mri_policy(
    truth: npt.ArrayLike,
    tiers: npt.ArrayLike,
    *,
    prevalences: npt.ArrayLike,
    level: float = 0.95,
) -> tuple[Policy, ...]:
    """Scans saved and malignant fractures missed per 1,000 patients when only uncertain and malignant answers lead
    to MRI, at each prevalence.

    Both are sums of class-conditional shares weighted by the prevalence; their limits join the Wilson limits of
    the two shares (MOVER, Zou & Donner, Stat Med 2008;27:1693).
    """
    labels, answer = _checked(truth, tiers)
    benign = answer == Tier.BENIGN
    missed = proportion(int((labels & benign).sum()), int(labels.sum()), level=level)
    spared = proportion(int((~labels & benign).sum()), int((~labels).sum()), level=level)
    out = []
    for prevalence in np.atleast_1d(np.asarray(prevalences, dtype=np.float64)).tolist():
        _prevalence(prevalence)
        a, b = 1000 * prevalence, 1000 * (1 - prevalence)
        value = a * missed.value + b * spared.value
        low = value - np.hypot(a * (missed.value - missed.low), b * (spared.value - spared.low))
        high = value + np.hypot(a * (missed.high - missed.value), b * (spared.high - spared.value))
        n = labels.size
        lost = Estimate(
            a * missed.value, a * missed.low, a * missed.high, level, n, "missed per 1,000 patients, Wilson"
        )
        out.append(Policy(
            float(prevalence),
            Estimate(value, max(float(low), 0.0), min(float(high), 1000.0), level, n, "saved per 1,000, MOVER"),
            lost,
            malignant_share_at(labels, answer, Tier.BENIGN, prevalence, level=level)
            if benign.any() else NotEstimable("nobody was called benign: no scan is saved"),
            value / lost.value if lost.value > 0 else float("inf"),
        ))
    return tuple(out)


def largest_safe_miss_rate(
    truth: npt.ArrayLike, tiers: npt.ArrayLike, *, level: float = 0.95
) -> Estimate:
    """Share of the malignant cases called benign with its exact (Clopper-Pearson) limits: the upper one is what a
    sample of this size cannot rule out (3/n where nothing was missed, at one-sided 95 %)."""
    labels, answer = _checked(truth, tiers)
    missed = int((labels & (answer == Tier.BENIGN)).sum())
    return proportion(missed, int(labels.sum()), method=ProportionInterval.CLOPPER_PEARSON, level=level)


def _checked(truth: npt.ArrayLike, tiers: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], Ints]:
    labels, answer = binary(truth), np.asarray(tiers)
    same_length(truth=labels, tiers=answer)
    both_classes(labels)
    wrong = np.flatnonzero(~np.isin(answer, [int(t) for t in Tier]))
    if wrong.size:
        raise ValueError(
            f"tiers are 0 (benign), 1 (uncertain) and 2 (malignant), got {answer[wrong[0]]} at position"
            f" {int(wrong[0]) + 1}"
        )
    return labels, answer.astype(np.int64)


def _prevalence(value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ValueError(f"a prevalence must lie between 0 and 1, got {value}")


def _posterior(ratio: float, prevalence: float) -> float:
    return 1.0 if np.isinf(ratio) else prevalence * ratio / (prevalence * ratio + 1 - prevalence)
