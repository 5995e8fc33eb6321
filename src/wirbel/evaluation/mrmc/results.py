"""What a comparison of treatments reports, and the t and F distributions it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy import special

from wirbel.evaluation.estimate import Estimate


class Inference(Enum):
    """To whom the conclusion extends."""

    RANDOM_READERS_RANDOM_CASES = "random readers and random cases"
    FIXED_READERS = "these readers, random cases"
    FIXED_CASES = "random readers, these cases"


@dataclass(frozen=True, slots=True)
class Test:
    """Test of equal treatments: F with (df1, df2), or chi-square with df1 and an infinite df2."""

    __test__ = False  # not a test case of pytest's

    kind: str
    statistic: float
    df1: float
    df2: float
    p: float
    denominator: float


@dataclass(frozen=True, slots=True)
class TreatmentMean:
    """Mean over readers of one treatment; `df` is infinite for a normal interval."""

    name: str
    estimate: Estimate
    stderr: float
    df: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference `first` - `second` of two treatments, for one reader or (reader None) for the mean of readers."""

    first: str
    second: str
    reader: str | None
    estimate: Estimate
    stderr: float
    df: float
    statistic: float
    p: float


def hillis_df(denominator: float, mean_square: float, df: int) -> float:
    """Hillis's denominator degrees of freedom (2007, eq. 22): (MS + ...)^2 / (MS^2 / df)."""
    return float(denominator**2 * df / mean_square**2) if mean_square > 0 else np.inf


def f_tail(statistic: float, df1: float, df2: float) -> float:
    """Upper tail of F, its chi-square limit for infinite `df2`."""
    return float(special.chdtrc(df1, statistic * df1) if np.isinf(df2) else special.fdtrc(df1, df2, statistic))


def t_interval(value: float, stderr: float, df: float, level: float) -> tuple[float, float]:
    """Interval by Student's t, or the normal distribution for infinite `df`."""
    q = 0.5 + level / 2
    half = float(special.ndtri(q) if np.isinf(df) else special.stdtrit(df, q)) * stderr
    return value - half, value + half


def difference(  # noqa: PLR0913 - the parts of one record
    first: str, second: str, reader: str | None, value: float, *, stderr: float, df: float, level: float, n: int,
    method: str,
) -> Difference:
    """A difference with its interval and two-sided test."""
    with np.errstate(divide="ignore"):
        statistic = 0.0 if value == 0 else float(np.divide(value, stderr))
    p = 2 * (special.ndtr(-abs(statistic)) if np.isinf(df) else special.stdtr(df, -abs(statistic)))
    low, high = t_interval(value, stderr, df, level)
    return Difference(
        first, second, reader, Estimate(value, low, high, level, n, method), stderr, df, statistic, float(p)
    )


def bounded_mean(
    name: str, value: float, *, stderr: float, df: float, level: float, n: int, method: str,
    bounds: tuple[float, float],
) -> TreatmentMean:
    """A treatment's mean with its interval cut at the figure's bounds."""
    low, high = t_interval(value, stderr, df, level)
    estimate = Estimate(value, max(low, bounds[0]), min(high, bounds[1]), level, n, method)
    return TreatmentMean(name, estimate, stderr, df)
