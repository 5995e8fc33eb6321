"""Placement values: where each diseased score stands among the healthy ones, and the reverse.

Everything empirical about areas under the ROC curve follows from them: the area is their mean, its variance the
sum of their two variances (DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Placements:
    """Structural components V10 (..., diseased) and V01 (..., healthy); leading axes are readings or repetitions.

    V10 of a diseased unit is the share of healthy units scored below it, ties counting half.
    """

    diseased: Floats
    healthy: Floats

    @property
    def auc(self) -> Floats:
        """Area under the empirical (trapezoidal) ROC curve = Mann-Whitney U / (m n), ties counting half."""
        return np.asarray(self.diseased.mean(axis=-1))

    @property
    def variance(self) -> Floats:
        """DeLong's variance of the area, elementwise over the leading axes (eq. 3 of DeLong 1988)."""
        m, n = self.diseased.shape[-1], self.healthy.shape[-1]
        return np.asarray(self.diseased.var(axis=-1, ddof=1) / m + self.healthy.var(axis=-1, ddof=1) / n)

    def covariance(self) -> Floats:
        """Covariance matrix of the areas of several readings (readings, units) of the same cases (eq. 5)."""
        m, n = self.diseased.shape[-1], self.healthy.shape[-1]
        return np.atleast_2d(np.cov(self.diseased)) / m + np.atleast_2d(np.cov(self.healthy)) / n


def placements(diseased: Floats, healthy: Floats) -> Placements:
    """Placements of scores (..., m) and (..., n) in O(N log N): midranks among all minus midranks among their own
    (Sun & Xu, IEEE Signal Process Lett 2014;21:1389, eq. 7-8)."""
    m, n = diseased.shape[-1], healthy.shape[-1]
    if diseased.ndim == 1:
        return _placements_of_one(diseased, healthy)
    everyone = stats.rankdata(np.concatenate([diseased, healthy], axis=-1), axis=-1)
    v10 = (everyone[..., :m] - stats.rankdata(diseased, axis=-1)) / n
    v01 = 1.0 - (everyone[..., m:] - stats.rankdata(healthy, axis=-1)) / m
    return Placements(v10, v01)


def _placements_of_one(diseased: Floats, healthy: Floats) -> Placements:
    """The same by two sorts and binary search, which is faster for one long series."""
    x, y = np.sort(diseased), np.sort(healthy)
    return Placements(_share_below(diseased, y), 1.0 - _share_below(healthy, x))


def _share_below(values: Floats, ordered: Floats) -> Floats:
    """Share of `ordered` below each value, ties counting half; looked up in order, which is kind to caches."""
    order = np.argsort(values)
    there = values[order]
    rank = np.searchsorted(ordered, there, side="left") + np.searchsorted(ordered, there, side="right")
    shares = np.empty(values.size)
    shares[order] = rank / (2.0 * ordered.size)
    return shares
