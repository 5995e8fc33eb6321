"""How many cases a study of one area, or of two paired areas, needs.

Obuchowski, Lieber & Wians, Clin Chem 2004;50:1118, and Obuchowski & McClish, Stat Med 1997;16:1529.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.compare_auc import auc_matrix
from wirbel.evaluation.inputs import binary, finite
from wirbel.evaluation.roc import roc_curve


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


def paired_areas_binormal(truth: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike) -> AucEffect:
    """The difference of two readings of a pilot study, with binormal variances and covariance (Obuchowski & McClish
    1997, eq. 4-5).

    The curve's two parameters come from a straight line through its corners on probit axes, specificity on
    sensitivity; the correlations are those of the scores in diseased and in healthy cases.
    """
    matrix = auc_matrix(truth, first, second)
    labels = binary(truth)
    scores = [finite(first), finite(second)]
    ratio = float((~labels).sum() / labels.sum())
    one, two = (_Binormal.fitted(labels, s) for s in scores)
    together = [float(np.corrcoef(scores[0][part], scores[1][part])[0, 1]) for part in (labels, ~labels)]
    shared = one.covariance(two, diseased=together[0], healthy=together[1], ratio=ratio)
    v1, v2 = one.variance(ratio), two.variance(ratio)
    return AucEffect(float(matrix.areas[0] - matrix.areas[1]), 2 * v1 - 2 * shared, v1 + v2 - 2 * shared, ratio)


@dataclass(frozen=True, slots=True)
class _Binormal:
    """Intercept and slope of a straight ROC curve on probit axes."""

    a: float
    b: float

    @classmethod
    def fitted(cls, labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> _Binormal:
        curve = roc_curve(labels, scores)
        x, y = curve.false_positive_rate, curve.sensitivity
        inside = (x > 0) & (x < 1) & (y > 0) & (y < 1)
        if inside.sum() < 2:
            raise ValueError("the ROC curve has fewer than two inner corners: no binormal curve can be fitted")
        line = stats.linregress(stats.norm.ppf(y[inside]), stats.norm.ppf(1 - x[inside]))
        return cls(float(line.intercept), float(line.slope))

    @property
    def gradient(self) -> tuple[float, float]:
        """Derivatives of the area by both parameters: f and g of Obuchowski & McClish, table I."""
        spread = 1 + self.b**2
        peak = float(np.exp(-(self.a**2) / (2 * spread)))
        return peak / np.sqrt(2 * np.pi * spread), -peak * self.a * self.b / np.sqrt(2 * np.pi * spread**3)

    def variance(self, ratio: float) -> float:
        """Variance of the area, times the number of diseased cases, as printed (eq. 4)."""
        f, g = self.gradient
        return float(
            f**2 * (1 + self.b**2 / ratio + self.a**2 / 2) + g**2 * self.b**2 * (1 + ratio) / (2 * ratio)
        )

    def covariance(self, other: _Binormal, *, diseased: float, healthy: float, ratio: float) -> float:
        """Covariance of two areas, times the number of diseased cases (eq. 5)."""
        (f1, g1), (f2, g2) = self.gradient, other.gradient
        square = diseased**2 / 2
        return float(
            f1 * f2 * (diseased + healthy * self.b * other.b / ratio + square * self.a * other.a)
            + g1 * g2 * self.b * other.b * (healthy**2 + ratio * diseased**2) / (2 * ratio)
            + f1 * g2 * square * self.a * other.b
            + f2 * g1 * square * other.a * self.b
        )
