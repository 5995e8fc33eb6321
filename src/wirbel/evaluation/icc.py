"""Intraclass correlation: the six forms of Shrout & Fleiss (Psychol Bull 1979;86:420) with F tests and
intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Estimate

FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")


@dataclass(frozen=True, slots=True)
class IntraclassCorrelation:
    """One form with the F test of no correlation."""

    form: str
    estimate: Estimate
    f: float
    df1: int
    df2: int
    p: float


@dataclass(frozen=True, slots=True)
class _Squares:
    n: int
    k: int
    between: float
    within: float
    judges: float
    error: float


def intraclass_correlations(ratings: npt.ArrayLike, *, level: float = 0.95) -> dict[str, IntraclassCorrelation]:
    """All six forms of a complete (subjects, judges) table of numbers.

    (1,.) subjects rated by different judges, (2,.) judges a random sample, absolute agreement, (3,.) these
    judges, consistency; (.,1) one judge, (.,k) the mean of the k judges. Raises ValueError for missing
    ratings, fewer than two subjects or judges, or no variation at all. A reliability of means has no lower bound:
    where subjects vary less than error would have it, ICC(.,k) and its limits may be -inf.
    """
    s = _squares(ratings)
    bms, wms, jms, ems, n, k = s.between, s.within, s.judges, s.error, s.n, s.k
    one = (bms - wms) / (bms + (k - 1) * wms)
    two = (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)
    three = (bms - ems) / (bms + (k - 1) * ems) if bms + ems > 0 else float("nan")
    one_k, two_k = (bms - wms) / bms, _of_means(two, k)
    three_k = (bms - ems) / bms
    f1, f3 = _ratio(bms, wms), _ratio(bms, ems)
    df = n - 1, n * (k - 1), (n - 1) * (k - 1)
    tail = 0.5 + level / 2
    low1, high1 = f1 / stats.f.ppf(tail, df[0], df[1]), f1 * stats.f.ppf(tail, df[1], df[0])
    low3, high3 = f3 / stats.f.ppf(tail, df[0], df[2]), f3 * stats.f.ppf(tail, df[2], df[0])
    single1, single3 = (_single(low1, k), _single(high1, k)), (_single(low3, k), _single(high3, k))
    single2 = _interval_two(s, two, tail)
    mean2 = tuple(_of_means(x, k) for x in single2)
    rows = (
        ("ICC(1,1)", one, single1, f1, df[1]),
        ("ICC(2,1)", two, single2, f3, df[2]),
        ("ICC(3,1)", three, single3, f3, df[2]),
        ("ICC(1,k)", one_k, (_mean(low1), _mean(high1)), f1, df[1]),
        ("ICC(2,k)", two_k, mean2, f3, df[2]),
        ("ICC(3,k)", three_k, (_mean(low3), _mean(high3)), f3, df[2]),
    )
    return {
        form: IntraclassCorrelation(
            form, Estimate(float(value), float(ci[0]), float(ci[1]), level, n, f"{form}, Shrout & Fleiss 1979"),
            float(f), df[0], df2, float(stats.f.sf(f, df[0], df2)),
        )
        for form, value, ci, f, df2 in rows
    }


def _squares(ratings: npt.ArrayLike) -> _Squares:
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(f"at least 2 subjects x 2 judges are needed, got shape {table.shape}")
    if not np.isfinite(table).all():
        i, j = (int(x) + 1 for x in np.argwhere(~np.isfinite(table))[0])
        raise ValueError(
            f"the rating of subject {i} by judge {j} is missing or not finite: the table must be complete"
        )
    n, k = table.shape
    grand, subject, judge = table.mean(), table.mean(axis=1), table.mean(axis=0)
    between = k * float(((subject - grand) ** 2).sum()) / (n - 1)
    judges = n * float(((judge - grand) ** 2).sum()) / (k - 1)
    within = float(((table - subject[:, None]) ** 2).sum()) / (n * (k - 1))
    error = float(((table - subject[:, None] - judge + grand) ** 2).sum()) / ((n - 1) * (k - 1))
    if between <= 0:
        raise ValueError("the subjects do not differ: the intraclass correlation is undefined")
    return _Squares(n, k, between, within, judges, error)


def _interval_two(s: _Squares, value: float, tail: float) -> tuple[float, float]:
    """Satterthwaite interval of ICC(2,1) (Shrout & Fleiss 1979, p. 424)."""
    n, k = s.n, s.k
    if s.error <= 0:
        fj, v = np.inf, float(k - 1)
    else:
        fj = s.judges / s.error
        a, b = k * value * fj, n * (1 + (k - 1) * value) - k * value
        v = (k - 1) * (n - 1) * (a + b) ** 2 / ((n - 1) * (k * value * fj) ** 2 + b**2)
    f_low, f_high = stats.f.ppf(tail, n - 1, v), stats.f.ppf(tail, v, n - 1)
    rest = k * s.judges + (k * n - k - n) * s.error
    low = n * (s.between - f_low * s.error) / (f_low * rest + n * s.between)
    high = n * (f_high * s.between - s.error) / (rest + n * f_high * s.between)
    return float(low), float(high)


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else float("inf")


def _of_means(single: float, k: int) -> float:
    """Reliability of the mean of k judges from that of one (Spearman-Brown), -inf at and below its pole."""
    below = 1 + single * (k - 1)
    return single * k / below if below > 1e-12 else float("-inf")


def _single(f: float, k: int) -> float:
    return (f - 1) / (f + k - 1) if np.isfinite(f) else 1.0


def _mean(f: float) -> float:
    return 1.0 - 1.0 / f if np.isfinite(f) else 1.0
