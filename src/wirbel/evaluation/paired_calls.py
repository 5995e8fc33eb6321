"""Two yes-or-no readings of the same cases: McNemar's tests and the difference of two paired shares."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Comparison, Estimate, Significance
from wirbel.evaluation.inputs import binary, same_length
from wirbel.evaluation.proportions import proportion


class McNemar(Enum):
    """Form of McNemar's test."""

    EXACT = "McNemar exact"
    MID_P = "McNemar mid-p"
    CHI_SQUARE = "McNemar chi-square"
    CORRECTED = "McNemar chi-square, continuity-corrected"


def mcnemar(only_first: int, only_second: int, *, method: McNemar = McNemar.EXACT) -> Significance:
    """Test that two readings of the same cases are right equally often, from the two discordant counts.

    Exact: binomial(b + c, 1/2), two-sided; mid-p counts the observed point half (Fagerland, BMC Med Res Methodol
    2013;13:91); chi-square (|b - c| - k)^2 / (b + c) with k = 0, or 1 as corrected (McNemar, Psychometrika
    1947;12:153; Edwards 1948). Without a discordant case p is 1.
    """
    b, c = only_first, only_second
    if b < 0 or c < 0:
        raise ValueError(f"discordant counts must not be negative, got {b} and {c}")
    n = b + c
    if n == 0:
        return Significance(0.0, 1.0, 1.0, f"{method.value} (no discordant case)")
    if method in (McNemar.EXACT, McNemar.MID_P):
        p = 2.0 * float(stats.binom.cdf(min(b, c), n, 0.5))
        if method is McNemar.MID_P:
            p -= float(stats.binom.pmf(min(b, c), n, 0.5))
        return Significance(float(min(b, c)), float(n), min(p, 1.0), method.value)
    correction = 1.0 if method is McNemar.CORRECTED else 0.0
    statistic = max(abs(b - c) - correction, 0.0) ** 2 / n
    return Significance(statistic, 1.0, float(stats.chi2.sf(statistic, 1)), method.value)


def compare_paired_calls(
    first: npt.ArrayLike, second: npt.ArrayLike, *, method: McNemar = McNemar.EXACT, level: float = 0.95
) -> Comparison:
    """Difference of the shares of ones in two paired series (of the diseased: sensitivities), with Newcombe's
    hybrid score interval (Stat Med 1998;17:2635, method 10) and McNemar's test."""
    one, two = binary(first, "first reading"), binary(second, "second reading")
    n = same_length(**{"first reading": one, "second reading": two})
    a, b = int((one & two).sum()), int((one & ~two).sum())
    c, d = int((~one & two).sum()), int((~one & ~two).sum())
    p1, p2 = proportion(a + b, n, level=level), proportion(a + c, n, level=level)
    phi = _phi(a, b, c, d, n)
    value = (b - c) / n

    def reach(x: float, y: float) -> float:
        return math.sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0))

    low = value - reach(p1.value - p1.low, p2.high - p2.value)
    high = value + reach(p1.high - p1.value, p2.value - p2.low)
    estimate = Estimate(
        value, max(low, -1.0), min(high, 1.0), level, n, "hybrid score, paired (Newcombe 1998, method 10)"
    )
    return Comparison(estimate, mcnemar(b, c, method=method))


def compare_unpaired_calls(k1: int, n1: int, k2: int, n2: int, *, level: float = 0.95) -> Comparison:
    """Difference of two independent shares: Newcombe's hybrid score interval (Stat Med 1998;17:873, method 10) and
    Fisher's exact test."""
    p1, p2 = proportion(k1, n1, level=level), proportion(k2, n2, level=level)
    value = p1.value - p2.value
    low = value - math.hypot(p1.value - p1.low, p2.high - p2.value)
    high = value + math.hypot(p1.high - p1.value, p2.value - p2.low)
    odds, p = stats.fisher_exact(np.array([[k1, n1 - k1], [k2, n2 - k2]]))
    statistic = 1.0 if math.isnan(odds) else float(odds)
    return Comparison(
        Estimate(value, max(low, -1.0), min(high, 1.0), level, n1 + n2, "hybrid score (Newcombe 1998, method 10)"),
        Significance(statistic, 1.0, min(float(p), 1.0), "Fisher exact"),
    )


def _phi(a: int, b: int, c: int, d: int, n: int) -> float:
    """Correlation of the two readings, corrected toward 0 when positive (Newcombe 1998, method 10)."""
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return 0.0
    cross = float(a * d - b * c)
    if cross > 0:
        cross = max(cross - n / 2, 0.0)
    return cross / math.sqrt(margins)
