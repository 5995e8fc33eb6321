"""A reader or software that may abstain: coverage, the risk among what is decided, and the risk-coverage curve."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.accuracy import Confusion, sensitivity, specificity
from wirbel.evaluation.estimate import Comparison, Estimate, NotEstimable
from wirbel.evaluation.inputs import binary, both_classes, finite, same_length
from wirbel.evaluation.paired_calls import compare_paired_calls
from wirbel.evaluation.proportions import proportion
from wirbel.evaluation.resampling import REPLICATES, percentile_estimate

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Undecided(Enum):
    """What an undecided case counts as."""

    WRONG = "undecided counted as wrong"
    CALLED = "undecided counted as called diseased (sent on to MRI)"
    LEFT_OUT = "decided cases only"


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """Share of cases decided when the surest come first, and the share of errors among them."""

    coverage: Floats
    risk: Floats


@dataclass(frozen=True, slots=True)
class Selective:
    """What an abstaining reading does: how much it decides, and how often it is wrong where it does."""

    coverage: Estimate
    coverage_of_diseased: Estimate
    coverage_of_healthy: Estimate
    risk: Estimate | NotEstimable
    miss_rate: Estimate | NotEstimable
    false_alarm_rate: Estimate | NotEstimable


@dataclass(frozen=True, slots=True)
class AgainstReader:
    """An abstaining software and a reader on the same cases: paired differences, software minus reader."""

    undecided: Undecided
    cases: int
    sensitivity: Comparison | NotEstimable
    specificity: Comparison | NotEstimable


def selective(
    truth: npt.ArrayLike, called: npt.ArrayLike, decided: npt.ArrayLike, *, level: float = 0.95
) -> Selective:
    """Coverage and class-conditional errors among the decided (El-Yaniv & Wiener, JMLR 2010;11:1605). `called` is
    ignored where not decided."""
    labels, calls, sure = _checked(truth, called, decided)
    both_classes(labels)
    wrong = calls != labels

    def among(hits: Bools, group: Bools) -> Estimate | NotEstimable:
        if not group.any():
            return NotEstimable("no such case was decided")
        return proportion(int((hits & group).sum()), int(group.sum()), level=level)

    return Selective(
        proportion(int(sure.sum()), sure.size, level=level),
        proportion(int((sure & labels).sum()), int(labels.sum()), level=level),
        proportion(int((sure & ~labels).sum()), int((~labels).sum()), level=level),
        among(wrong, sure),
        among(wrong, sure & labels),
        among(wrong, sure & ~labels),
    )


def risk_coverage(wrong: npt.ArrayLike, confidence: npt.ArrayLike) -> RiskCoverage:
    """The curve over all thresholds of confidence (El-Yaniv & Wiener 2010); cases of equal confidence are decided
    together."""
    errors, surety = binary(wrong, "errors"), finite(confidence, "confidence")
    same_length(errors=errors, confidence=surety)
    order = np.argsort(-surety, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(surety[order])), errors.size - 1]
    count = last + 1.0
    return RiskCoverage(count / errors.size, np.cumsum(errors[order])[last] / count)


def area_under_risk_coverage(wrong: npt.ArrayLike, confidence: npt.ArrayLike) -> float:
    """Mean selective risk over the coverages 1/n ... 1 (AURC; Geifman, Uziel & El-Yaniv, ICLR 2019, eq. 4); cases
    of equal confidence come in random order, of which this is the mean."""
    errors, surety = binary(wrong, "errors"), finite(confidence, "confidence")
    same_length(errors=errors, confidence=surety)
    order = np.argsort(-surety, kind="stable")
    group = np.r_[0, np.cumsum(np.diff(surety[order]) != 0)]
    expected = (np.bincount(group, weights=errors[order]) / np.bincount(group))[group]
    return float((np.cumsum(expected) / np.arange(1, errors.size + 1)).mean())


def bootstrap_area_under_risk_coverage(
    wrong: npt.ArrayLike,
    confidence: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """AURC with a percentile bootstrap interval."""
    errors, surety = binary(wrong, "errors"), finite(confidence, "confidence")
    value = area_under_risk_coverage(errors, surety)
    drawn = rng.integers(0, errors.size, (replicates, errors.size))
    draws = np.array([area_under_risk_coverage(errors[i], surety[i]) for i in drawn])
    return percentile_estimate(value, draws, n=errors.size, method="AURC, bootstrap percentile", level=level)


def against_reader(
    truth: npt.ArrayLike,
    called: npt.ArrayLike,
    decided: npt.ArrayLike,
    reader: npt.ArrayLike,
    *,
    undecided: Undecided = Undecided.WRONG,
    level: float = 0.95,
) -> AgainstReader:
    """Sensitivity and specificity of the software minus the reader's, on the same cases (McNemar exact).

    Leaving out what the software did not decide compares on cases that the software chose: show it beside one of
    the ways to count all.
    """
    labels, calls, sure = _checked(truth, called, decided)
    read = binary(reader, "reader's calls")
    same_length(truth=labels, reader=read)
    effective = np.where(sure, calls, ~labels if undecided is Undecided.WRONG else np.ones_like(calls))
    used = sure if undecided is Undecided.LEFT_OUT else np.ones_like(sure)

    def compared(group: Bools, right: bool) -> Comparison | NotEstimable:
        if not group.any():
            return NotEstimable("no case of this class is left")
        return compare_paired_calls(effective[group] == right, read[group] == right, level=level)

    return AgainstReader(undecided, int(used.sum()), compared(used & labels, True), compared(used & ~labels, False))


def counted(
    truth: npt.ArrayLike, called: npt.ArrayLike, decided: npt.ArrayLike, *, undecided: Undecided
) -> Confusion:
    """The four counts, undecided cases counted as said."""
    labels, calls, sure = _checked(truth, called, decided)
    effective = np.where(sure, calls, ~labels if undecided is Undecided.WRONG else np.ones_like(calls))
    used = sure if undecided is Undecided.LEFT_OUT else np.ones_like(sure)
    a, b = labels[used], effective[used]
    return Confusion(
        int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())
    )


def sensitivity_and_specificity(
    truth: npt.ArrayLike,
    called: npt.ArrayLike,
    decided: npt.ArrayLike,
    *,
    undecided: Undecided,
    level: float = 0.95,
) -> tuple[Estimate, Estimate]:
    """Both shares, undecided cases counted as said."""
    table = counted(truth, called, decided, undecided=undecided)
    return sensitivity(table, level=level), specificity(table, level=level)


def _checked(truth: npt.ArrayLike, called: npt.ArrayLike, decided: npt.ArrayLike) -> tuple[Bools, Bools, Bools]:
    labels, calls, sure = binary(truth), binary(called, "calls"), binary(decided, "decided")
    same_length(truth=labels, calls=calls, decided=sure)
    return labels, calls, sure

