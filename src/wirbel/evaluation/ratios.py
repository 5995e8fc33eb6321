"""Ratio of two independent proportions with a score interval."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import optimize, stats

from wirbel.evaluation.estimate import Estimate, valid_level
from wirbel.evaluation.proportions import counted

_FAR = 60.0
"""exp(60): beyond any ratio that counts could show."""


def proportion_ratio(x1: int, n1: int, x2: int, n2: int, *, level: float = 0.95) -> Estimate:
    """(x1 / n1) / (x2 / n2) with Koopman's score interval (Biometrics 1984;40:513): right also with zero counts,
    where the interval reaches to 0 or to infinity."""
    counted(x1, n1)
    counted(x2, n2)
    if x1 == 0 and x2 == 0:
        raise ValueError(f"the ratio of 0/{n1} and 0/{n2} has no value")
    limit = float(stats.chi2.isf(1 - valid_level(level), 1))
    value = math.inf if x2 == 0 else x1 * n2 / (n1 * x2)

    def excess(log_ratio: float) -> float:
        return _koopman(math.exp(log_ratio), x1, n1, x2, n2) - limit

    inner = math.log(value) if 0 < value < math.inf else None
    low = 0.0 if x1 == 0 else math.exp(_root(excess, -_FAR, inner if inner is not None else _FAR))
    high = math.inf if x2 == 0 else math.exp(_root(excess, inner if inner is not None else -_FAR, _FAR))
    return Estimate(value, low, high, level, n1 + n2, "score interval of a ratio (Koopman 1984)")


def _root(excess: Callable[[float], float], left: float, right: float) -> float:
    return optimize.brentq(excess, left, right, xtol=1e-12)


def _koopman(ratio: float, x1: int, n1: int, x2: int, n2: int) -> float:
    """Chi-square of the hypothesis p1 = ratio * p2 (Koopman 1984, eq. 2.2; p1 under it, eq. 2.3)."""
    n, b = n1 + n2, ratio * (n1 + x2) + x1 + n2
    root = math.sqrt(max(b * b - 4 * ratio * n * (x1 + x2), 0.0))
    # the smaller root, written so that nothing cancels for very small ratios
    p1 = 2 * ratio * (x1 + x2) / (b + root)
    p2 = p1 / ratio
    out = 0.0
    for x, total, p in ((x1, n1, p1), (x2, n2, p2)):
        variance = total * p * (1 - p)
        if variance > 0:
            out += (x - total * p) ** 2 / variance
        elif abs(x - total * p) > 1e-9:
            return math.inf
    return out
