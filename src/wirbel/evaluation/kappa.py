"""Agreement beyond chance between raters on categories: Cohen's, weighted and Fleiss's kappa."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Estimate
from wirbel.evaluation.proportions import proportion

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kappa:
    """A kappa with its standard errors: `stderr` for the interval, `stderr_null` for the test of no agreement.

    `agreement` is the observed share of agreement (weighted, where weights were given), `by_chance` the
    expected one.
    """

    estimate: Estimate
    agreement: float
    by_chance: float
    stderr: float
    stderr_null: float
    z: float
    p_one_sided: float
    p: float


def cross_table(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Square table of counts of two raters (first in rows) and its categories in sorted order."""
    a, b = np.asarray(first), np.asarray(second)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"both raters must rate the same cases once each, got {a.shape} and {b.shape} ratings")
    if a.size == 0:
        raise ValueError("no ratings to compare")
    for name, x in (("first", a), ("second", b)):
        if x.dtype.kind == "f" and not np.isfinite(x).all():
            raise ValueError(
                f"rating {int(np.flatnonzero(~np.isfinite(x))[0]) + 1} of the {name} rater is not finite"
            )
    categories, codes = np.unique(np.concatenate((a, b)), return_inverse=True)
    table = np.zeros((categories.size, categories.size), dtype=np.int64)
    np.add.at(table, (codes[: a.size], codes[a.size :]), 1)
    return table, tuple(str(c) for c in categories)


def agreement_weights(n_categories: int, kind: str) -> Floats:
    """Agreement weights: 'none' (identity), 'linear' 1 - |i-j|/(k-1) or 'quadratic' 1 - (i-j)^2/(k-1)^2."""
    distance = np.abs(np.subtract.outer(np.arange(n_categories), np.arange(n_categories))).astype(np.float64)
    span = max(n_categories - 1, 1)
    if kind == "none":
        return (distance == 0).astype(np.float64)
    if kind == "linear":
        return 1.0 - distance / span
    if kind == "quadratic":
        return 1.0 - (distance / span) ** 2
    raise ValueError(f"weights must be 'none', 'linear' or 'quadratic', got {kind!r}")


def cohen_kappa(table: npt.ArrayLike, *, weights: str | npt.ArrayLike = "none", level: float = 0.95) -> Kappa:
    """Cohen's kappa of a square table of counts (Cohen 1960, 1968), with Fleiss, Cohen & Everitt's 1969 errors.

    `weights` names a scheme or is a square matrix of agreement weights (1 on the diagonal). Where no two ratings
    differ the error is 0 and the lower limit is that of `limit_of_complete_agreement`. Where one rater used one
    category throughout, kappa is 0 whatever the other did: it says nothing, and the interval is -1 to 1. Raises
    ValueError where kappa is undefined: both raters used one and the same category throughout.
    """
    counts = square_counts(table)
    k, n = counts.shape[0], counts.sum()
    w = agreement_weights(k, weights) if isinstance(weights, str) else np.asarray(weights, dtype=np.float64)
    if w.shape != (k, k):
        raise ValueError(f"the weights must be a {k} x {k} matrix like the table, got {w.shape}")
    p = counts / n
    row, col = p.sum(axis=1), p.sum(axis=0)
    observed, chance = float((w * p).sum()), float((w * np.outer(row, col)).sum())
    if 1.0 - chance < 1e-12:
        raise ValueError(
            "kappa is undefined: both raters gave every case the same category, so agreement by chance is complete"
        )
    value = (observed - chance) / (1.0 - chance)
    mean_w = (w @ col)[:, None] + (row @ w)[None, :]
    spread = (p * (w * (1.0 - chance) - mean_w * (1.0 - observed)) ** 2).sum()
    variance = (spread - (observed * chance - 2.0 * chance + observed) ** 2) / (n * (1.0 - chance) ** 4)
    null = ((np.outer(row, col) * (w - mean_w) ** 2).sum() - chance**2) / (n * (1.0 - chance) ** 2)
    name = "Cohen's kappa" if isinstance(weights, str) and weights == "none" else "weighted kappa"
    found = _kappa(
        value, observed, chance, float(variance), float(null), int(n), level, f"{name}, Fleiss-Cohen-Everitt"
    )
    if max(row.max(), col.max()) == 1.0:
        nothing = Estimate(value, -1.0, 1.0, level, int(n), f"{name}, one rater with a single category")
        return replace(found, estimate=nothing, z=0.0, p_one_sided=0.5, p=1.0)
    return _widened(found, 1.0 - float(row @ col), level) if np.trace(counts) == n else found


def fleiss_kappa(counts: npt.ArrayLike, *, level: float = 0.95) -> Kappa:
    """Fleiss's kappa of a (cases, categories) table of how many raters chose which category (Fleiss 1971).

    Every case needs the same number of ratings. The test's error is Fleiss, Nee & Landis's (1979); the interval
    comes from leaving out one case at a time, and where all raters agree on every case from
    `limit_of_complete_agreement`.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 2:
        raise ValueError(f"a table of at least 2 cases x categories is needed, got shape {table.shape}")
    raters = table.sum(axis=1)
    if (raters != raters[0]).any() or raters[0] < 2:
        odd = int(np.flatnonzero(raters != raters[0])[0]) if (raters != raters[0]).any() else 0
        raise ValueError(
            f"every case needs the same number of ratings, at least 2; case {odd + 1} has {raters[odd]:g} and the "
            "first "
            f"{raters[0]:g} (Krippendorff's alpha takes missing ratings)"
        )
    n, m = table.shape[0], float(raters[0])
    per_case = ((table**2).sum(axis=1) - m) / (m * (m - 1))
    value, observed, chance = _fleiss(table.sum(axis=0), per_case)
    complete = bool((table.max(axis=1) == m).all())
    variance = 0.0 if complete else _fleiss_variance(table, per_case)
    share = table.sum(axis=0) / (n * m)
    pq = share * (1.0 - share)
    null = 2.0 / (n * m * (m - 1)) * (pq.sum() ** 2 - (pq * (1.0 - 2.0 * share)).sum()) / pq.sum() ** 2
    found = _kappa(value, observed, chance, variance, float(null), n, level, "Fleiss' kappa, jackknife over cases")
    return _widened(found, 1.0 - chance, level) if complete else found


def category_counts(ratings: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """(cases, categories) counts from a (cases, raters) table of categories."""
    table = np.asarray(ratings)
    categories, codes = np.unique(table, return_inverse=True)
    return np.stack([(codes.reshape(table.shape) == c).sum(axis=1) for c in range(categories.size)], axis=1)


def square_counts(table: npt.ArrayLike) -> Floats:
    """A checked square table of counts as floats."""
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.shape[0] < 2:
        raise ValueError(f"a square table of at least 2 x 2 counts is needed, got shape {counts.shape}")
    if not np.isfinite(counts).all() or (counts < 0).any() or counts.sum() == 0:
        raise ValueError("the counts must be finite, not negative and not all zero")
    return counts


def limit_of_complete_agreement(n: int, apart: float, level: float) -> float:
    """Lower limit of an agreement beyond chance of 1 in n cases, `apart` the share of pairs that would differ by
    chance: Wilson's limit of the share of agreement, its complement over `apart`.

    The usual errors are 0 there, an interval without width. A case that did differ is taken to do so as cases that
    differ by chance, which is also right for weights and scales.
    """
    return max(1.0 - (1.0 - proportion(n, n, level=level).low) / apart, -1.0)


def _widened(found: Kappa, apart: float, level: float) -> Kappa:
    e = found.estimate
    low = limit_of_complete_agreement(e.n, apart, level)
    name = e.method.split(",")[0]
    return replace(found, estimate=Estimate(1.0, low, 1.0, e.level, e.n, f"{name}, agreement complete: Wilson"))


def _fleiss_variance(table: Floats, per_case: Floats) -> float:
    """Jackknife over cases; refused where the other cases without one have a single category."""
    n, totals = table.shape[0], table.sum(axis=0)
    without = np.empty(n)
    for i in range(n):
        left = totals - table[i]
        if np.count_nonzero(left) < 2:
            raise ValueError(
                f"Fleiss' kappa has no interval: without case {i + 1} all raters give every case the same category"
            )
        without[i] = _fleiss(left, np.delete(per_case, i))[0]
    return (n - 1) / n * float(((without - without.mean()) ** 2).sum())


def _fleiss(totals: Floats, per_case: Floats) -> tuple[float, float, float]:
    share = totals / totals.sum()
    observed, chance = float(per_case.mean()), float((share**2).sum())
    if 1.0 - chance < 1e-12:
        raise ValueError("kappa is undefined: all raters gave every case the same category")
    return (observed - chance) / (1.0 - chance), observed, chance


def _kappa(
    value: float, observed: float, chance: float, variance: float, null: float, n: int, level: float, method: str
) -> Kappa:
    stderr, stderr_null = float(np.sqrt(max(variance, 0.0))), float(np.sqrt(max(null, 0.0)))
    half = float(stats.norm.ppf(0.5 + level / 2)) * stderr
    z = value / stderr_null if stderr_null > 0 else float(np.copysign(np.inf, value))
    return Kappa(
        estimate=Estimate(value, max(value - half, -1.0), min(value + half, 1.0), level, n, method),
        agreement=observed,
        by_chance=chance,
        stderr=stderr,
        stderr_null=stderr_null,
        z=z,
        p_one_sided=float(stats.norm.sf(z)),
        p=float(2 * stats.norm.sf(abs(z))),
    )
