"""Intervals of an area under the ROC curve from the area, its variance and the numbers of cases: elementwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SHRINKAGE_UNITS = 10.0
"""At so many cases in the smaller class, data and model weigh the same in the scale of the default interval."""
LEAST_SCALE = 0.8
"""The default interval's variance is at least this share of Newcombe's."""
_STEPS = 50
"""Halvings of [0, 1]: 1e-15."""


def wald_limits(auc: Floats, variance: Floats, z: float | Floats) -> tuple[Floats, Floats]:
    """Area -/+ z SE, cut at 0 and 1 (DeLong 1988)."""
    half = np.asarray(z) * np.sqrt(variance)
    return np.maximum(auc - half, 0.0), np.minimum(auc + half, 1.0)


def logit_limits(auc: Floats, variance: Floats, z: float | Floats) -> tuple[Floats, Floats]:
    """Symmetric on the logit scale (Pepe 2003, p. 107); at an area of 0 or 1 it has no width."""
    inside = (auc > 0) & (auc < 1)
    safe = np.where(inside, auc, 0.5)
    centre, half = np.log(safe / (1 - safe)), np.asarray(z) * np.sqrt(variance) / (safe * (1 - safe))
    low, high = 1 / (1 + np.exp(-(centre - half))), 1 / (1 + np.exp(-(centre + half)))
    return np.where(inside, low, auc), np.where(inside, high, auc)


def newcombe_variance(theta: Floats, diseased: int | Floats, healthy: int | Floats) -> Floats:
    """Hanley & McNeil's variance with both case numbers set to their mean (Newcombe, Stat Med 2006;25:559,
    method 5)."""
    m, n = np.asarray(diseased, dtype=np.float64), np.asarray(healthy, dtype=np.float64)
    star = (m + n) / 2 - 1
    spread = 1 + star * (1 - theta) / (2 - theta) + star * theta / (1 + theta)
    return np.asarray(theta * (1 - theta) * spread / (m * n))


def score_limits(auc: Floats, variance_at: Callable[[Floats], Floats], z: float | Floats) -> tuple[Floats, Floats]:
    """All theta with (auc - theta)^2 <= z^2 V(theta): both ends by bisection on [0, auc] and [auc, 1].

    The variance is taken at the limit, not at the estimate, so that the interval neither leaves [0, 1] nor
    shrinks to nothing under perfect separation.
    """
    z2 = np.asarray(z, dtype=np.float64) ** 2

    def end(outer: Floats) -> Floats:
        out, inner = outer.copy(), np.array(auc, dtype=np.float64)
        for _ in range(_STEPS):
            middle = (out + inner) / 2
            excluded = (auc - middle) ** 2 > z2 * variance_at(middle)
            out, inner = np.where(excluded, middle, out), np.where(excluded, inner, middle)
        return (out + inner) / 2

    zeros = np.zeros_like(auc)
    return np.where(auc <= 0, 0.0, end(zeros)), np.where(auc >= 1, 1.0, end(zeros + 1))


def scaled_score_limits(
    auc: Floats,
    variance: Floats,
    z: float | Floats,
    *,
    diseased: int | Floats,
    healthy: int | Floats,
    units: int | Floats | None = None,
) -> tuple[Floats, Floats]:
    """Newcombe's score interval, its variance function scaled to the one the data show (our default).

    The scale is the ratio of the estimated variance (DeLong, or Obuchowski with clusters) to Newcombe's at the
    estimate, its logarithm shrunk by d / (d + 10), where d is the smaller number of independent `units`
    (default: of diseased and healthy cases), and never under 0.8: in small samples near an area of 1 the
    estimated variance is mostly noise, in large ones Newcombe's assumption of exponential scores is what is
    wrong. Both constants were chosen by the coverage simulation (docs/coverage.md), not by theory. Where the
    estimated variance is 0 or unknown (NaN), the scale is 1.
    """
    smaller = np.minimum(diseased, healthy) if units is None else np.asarray(units)
    weight = np.asarray(smaller, dtype=np.float64) / (np.asarray(smaller, dtype=np.float64) + SHRINKAGE_UNITS)
    expected = newcombe_variance(auc, diseased, healthy)
    known = (expected > 0) & (variance > 0)
    ratio = np.where(known, variance, 1.0) / np.where(known, expected, 1.0)
    scale = np.where(known, np.maximum(np.exp(np.log(ratio) * weight), LEAST_SCALE), 1.0)
    return score_limits(auc, lambda theta: scale * newcombe_variance(theta, diseased, healthy), z)
