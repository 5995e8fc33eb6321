"""Two readings of the same cases: limits of agreement, changed categories, and readers against others and
themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Estimate
from wirbel.evaluation.kappa import (
    Kappa,
    category_counts,
    cohen_kappa,
    cross_table,
    fleiss_kappa,
    square_counts,
)

MINIMUM_DAYS = 30
"""Least distance of two readings by one reader, so that the first is not remembered (Foreman et al. 2024)."""


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Mean difference (second minus first) and 95 % limits of agreement, each with its interval.

    `slope` is the change of the difference per unit of the mean, with its p value: a difference that grows
    with size makes fixed limits misleading.
    """

    bias: Estimate
    lower_limit: Estimate
    upper_limit: Estimate
    sd: float
    slope: float
    slope_p: float


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A chi-square statistic, its degrees of freedom and p."""

    statistic: float
    df: int
    p: float
    method: str


@dataclass(frozen=True, slots=True)
class InterReader:
    """Agreement between readers: over all, and for each pair."""

    overall: Kappa
    pairs: dict[tuple[str, str], Kappa]


@dataclass(frozen=True, slots=True)
class IntraReader:
    """Agreement of a reader with the same reader's second reading."""

    reader: str
    days_apart: float
    agreed: int
    kappa: Kappa
    changed: ChiSquare


def bland_altman(first: npt.ArrayLike, second: npt.ArrayLike, *, level: float = 0.95) -> BlandAltman:
    """Limits of agreement, bias -/+ 1.96 SD (Bland & Altman, Lancet 1986;1:307; interval of the limits 1999,
    5.1)."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or a.size < 3:
        raise ValueError(
            f"two series of at least 3 paired measurements are needed, got {a.shape} and {b.shape}"
        )
    if not (np.isfinite(a) & np.isfinite(b)).all():
        i = int(np.flatnonzero(~(np.isfinite(a) & np.isfinite(b)))[0])
        raise ValueError(f"pair {i + 1} is missing or not finite: leave incomplete pairs out")
    n, difference, mean = a.size, b - a, (a + b) / 2
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = float(stats.t.ppf(0.5 + level / 2, n - 1))
    se_bias = sd / np.sqrt(n)
    se_limit = sd * np.sqrt(1 / n + 1.96**2 / (2 * (n - 1)))

    def around(value: float, stderr: float, name: str) -> Estimate:
        return Estimate(float(value), float(value - t * stderr), float(value + t * stderr), level, n, name)

    slope, slope_p = 0.0, 1.0
    if np.ptp(mean) > 0 and sd > 0:
        fit = stats.linregress(mean, difference)
        slope, slope_p = float(fit.slope), float(fit.pvalue)
    return BlandAltman(
        bias=around(bias, se_bias, "mean difference, t"),
        lower_limit=around(bias - 1.96 * sd, se_limit, "limit of agreement, t"),
        upper_limit=around(bias + 1.96 * sd, se_limit, "limit of agreement, t"),
        sd=sd,
        slope=slope,
        slope_p=slope_p,
    )


def stuart_maxwell(table: npt.ArrayLike) -> ChiSquare:
    """Are the two margins of a square table equal? (Stuart 1955; Maxwell 1970); McNemar's test for two
    categories."""
    counts = square_counts(table)
    used = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts) > 0
    counts = counts[np.ix_(used, used)]
    if counts.shape[0] < 2:
        return ChiSquare(0.0, 0, 1.0, "Stuart-Maxwell (nothing changed)")
    d = (counts.sum(axis=1) - counts.sum(axis=0))[:-1]
    s = -(counts + counts.T)
    s[np.diag_indices_from(s)] = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    rank = int(np.linalg.matrix_rank(s[:-1, :-1]))
    statistic = float(d @ np.linalg.pinv(s[:-1, :-1], hermitian=True) @ d)
    return ChiSquare(statistic, rank, float(stats.chi2.sf(statistic, rank)), "Stuart-Maxwell")


def bowker(table: npt.ArrayLike) -> ChiSquare:
    """Are changes in both directions equally frequent, for every pair of categories? (Bowker 1948).

    Pairs of categories between which nobody changed carry no information and take no degree of freedom.
    """
    counts = square_counts(table)
    upper = np.triu_indices_from(counts, k=1)
    there, back = counts[upper], counts.T[upper]
    used = there + back > 0
    if not used.any():
        return ChiSquare(0.0, 0, 1.0, "Bowker (nothing changed)")
    statistic = float(((there - back)[used] ** 2 / (there + back)[used]).sum())
    df = int(used.sum())
    return ChiSquare(statistic, df, float(stats.chi2.sf(statistic, df)), "Bowker")


def inter_reader(ratings: npt.ArrayLike, readers: tuple[str, ...], *, level: float = 0.95) -> InterReader:
    """Fleiss's kappa of a complete (cases, readers) table of categories, and Cohen's for each pair of
    readers."""
    table = np.asarray(ratings)
    if table.ndim != 2 or table.shape[1] != len(readers) or len(readers) < 2:
        raise ValueError(
            f"a (cases, readers) table with {len(readers)} >= 2 readers is needed, got {table.shape}"
        )
    pairs = {
        (readers[i], readers[j]): cohen_kappa(cross_table(table[:, i], table[:, j])[0], level=level)
        for i, j in combinations(range(len(readers)), 2)
    }
    return InterReader(fleiss_kappa(category_counts(table), level=level), pairs)


def intra_reader(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    reader: str,
    days_apart: float,
    minimum_days: float = MINIMUM_DAYS,
    level: float = 0.95,
) -> IntraReader:
    """Agreement of two readings of the same cases by one reader, at least `minimum_days` apart."""
    if days_apart < minimum_days:
        raise ValueError(
            f"reader {reader!r} read again after {days_apart:g} days, less than {minimum_days:g}: the first "
            "reading may "
            "be remembered"
        )
    table, _ = cross_table(first, second)
    if table.shape[0] < 2:
        raise ValueError(
            f"reader {reader!r} gave every case the same category in both readings: kappa is undefined"
        )
    return IntraReader(reader, days_apart, int(np.trace(table)), cohen_kappa(table, level=level), bowker(table))
