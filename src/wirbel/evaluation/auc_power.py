"""How many cases a study of one area, or of two paired areas, needs.

Obuchowski, Lieber & Wians, Clin Chem 2004;50:1118, and Obuchowski & McClish, Stat Med 1997;16:1529.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.compare_auc import auc_matrix
from wirbel.evaluation.inputs import binary


@dataclass(frozen=True, slots=True)
class AucEffect:
    """An area, or a difference of two, to be shown, and what its variance times the diseased cases is, under the
    null hypothesis and under the truth; `ratio` is healthy per diseased case."""

    effect: float
    null_variance: float
    variance: float
    ratio: float

    def power(self, diseased: float, *, alpha: float = 0.05) -> float:
        """Power of the two-sided test with so many diseased cases (and `ratio` times as many healthy)."""
        z = float(stats.norm.isf(alpha / 2))
        return float(
            stats.norm.cdf(
                (np.sqrt(diseased) * abs(self.effect) - z * np.sqrt(self.null_variance)) / np.sqrt(self.variance)
            )
        )

    def diseased_needed(self, power: float, *, alpha: float = 0.05) -> float:
        """Diseased cases for this power, not rounded: the healthy ones are `ratio` times as many."""
        if not 0.0 < power < 1.0:
            raise ValueError(f"power must lie between 0 and 1, got {power}")
        reach = stats.norm.isf(alpha / 2) * np.sqrt(self.null_variance) + stats.norm.ppf(power) * np.sqrt(
            self.variance
        )
        return float((reach / self.effect) ** 2)


def one_area(area: float, *, ratio: float) -> AucEffect:
    """An area against 0.5: the binormal approximation V = 0.0099 exp(-A^2/2) {(5 A^2 + 8) + (A^2 + 8)/ratio}, A =
    1.414 probit(area) as printed (Obuchowski 2004, eq. 4); under the null 0.0792 (1 + 1/ratio)."""
    if not 0.5 < area < 1.0:
        raise ValueError(f"the expected area must lie between 0.5 and 1, got {area}")
    if not ratio > 0:
        raise ValueError(f"healthy per diseased case must be positive, got {ratio}")
    return AucEffect(area - 0.5, 0.0792 * (1 + 1 / ratio), _binormal_variance(area, ratio), ratio)


def _binormal_variance(area: float, ratio: float) -> float:
    a = float(stats.norm.ppf(area)) * 1.414
    return float(0.0099 * np.exp(-(a**2) / 2) * ((5 * a**2 + 8) + (a**2 + 8) / ratio))


def paired_areas(truth: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike) -> AucEffect:
    """The difference of two readings of a pilot study, with DeLong's variances.

    Under the null both areas have the first one's variance, the covariance being as observed.
    """
    matrix = auc_matrix(truth, first, second)
    labels = binary(truth)
    cov, diseased = matrix.covariance, int(labels.sum())
    return AucEffect(
        float(matrix.areas[0] - matrix.areas[1]),
        float(2 * cov[0, 0] - 2 * cov[0, 1]) * diseased,
        float(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]) * diseased,
        float((labels.size - diseased) / diseased),
    )
