"""One proportion: k of n, and its interval."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Estimate, valid_level

Floats = npt.NDArray[np.float64]


class ProportionInterval(Enum):
    """Interval of a proportion, by the name a paper gives it."""

    WILSON = "Wilson"
    CLOPPER_PEARSON = "Clopper-Pearson"
    MID_P = "mid-P Clopper-Pearson"
    JEFFREYS = "Jeffreys"
    AGRESTI_COULL = "Agresti-Coull"
    WALD = "Wald"
    BOOTSTRAP = "bootstrap percentile (exact)"


def proportion(
    successes: int,
    total: int,
    *,
    method: ProportionInterval = ProportionInterval.WILSON,
    level: float = 0.95,
) -> Estimate:
    """`successes` of `total` with an interval.

    Wilson by default: its mean coverage over p is closest to the nominal one at every n; Clopper-Pearson
    never covers less. All but Wald and Agresti-Coull stay in [0, 1]; these two are cut there. At 0 and `total`
    successes Wald and the bootstrap have no width and refuse (`proportion_limits` shows it).
    """
    counted(successes, total)
    if method in (ProportionInterval.WALD, ProportionInterval.BOOTSTRAP) and successes in (0, total):
        raise ValueError(
            f"{method.value} gives no interval for {successes} of {total} (no width): use Wilson or Clopper-Pearson"
        )
    low, high = proportion_limits(np.array([successes]), np.array([total]), method=method, level=level)
    return Estimate(
        successes / total, float(np.clip(low[0], 0, 1)), float(np.clip(high[0], 0, 1)), level, total, method.value
    )


def counted(successes: int, total: int) -> None:
    """Refuse counts that are no `k of n`."""
    if total < 1:
        raise ValueError(f"a proportion of nothing: total must be at least 1, got {total}")
    if not 0 <= successes <= total:
        raise ValueError(f"successes must lie between 0 and the total of {total}, got {successes}")


def proportion_limits(
    k: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    method: ProportionInterval = ProportionInterval.WILSON,
    level: float = 0.95,
) -> tuple[Floats, Floats]:
    """Lower and upper limits, elementwise; n (and k) may be fractional: an effective sample size."""
    valid_level(level)
    successes, total = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    return _LIMITS[method](successes, total, 1.0 - level)


def wilson_limits(k: Floats, n: Floats, z: float | Floats) -> tuple[Floats, Floats]:
    """Score interval for a given normal (or t) quantile (Wilson, JASA 1927;22:209)."""
    p, z2 = k / n, np.asarray(z, dtype=np.float64) ** 2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2) * np.sqrt(p * (1 - p) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    # exact at the ends, where rounding would leave 1e-17
    return np.where(k <= 0, 0.0, centre - half), np.where(k >= n, 1.0, centre + half)


def _wilson(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    return wilson_limits(k, n, float(stats.norm.isf(alpha / 2)))


def _clopper_pearson(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Both tails at alpha/2, as beta quantiles (Clopper & Pearson, Biometrika 1934;26:404)."""
    return _beta(k, n - k + 1, k + 1, n - k, alpha, k, n)


def _jeffreys(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Equal-tailed beta(k + 1/2, n - k + 1/2) (Brown, Cai & DasGupta, Stat Sci 2001;16:101, eq. 8)."""
    return _beta(k + 0.5, n - k + 0.5, k + 0.5, n - k + 0.5, alpha, k, n)


def _beta(
    a1: Floats, b1: Floats, a2: Floats, b2: Floats, alpha: float, k: Floats, n: Floats
) -> tuple[Floats, Floats]:
    tiny = np.finfo(float).tiny
    low = stats.beta.ppf(alpha / 2, np.maximum(a1, tiny), np.maximum(b1, tiny))
    high = stats.beta.isf(alpha / 2, np.maximum(a2, tiny), np.maximum(b2, tiny))
    return np.where(k <= 0, 0.0, low), np.where(k >= n, 1.0, high)


def _mid_p(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Tails that count half of the observed point (Berry & Armitage, Statistician 1995;44:417), by bisection."""

    def above(p: Floats) -> Floats:
        return np.asarray(stats.binom.sf(k, n, p) + 0.5 * stats.binom.pmf(k, n, p))

    def root(target: float) -> Floats:
        low, high = np.zeros_like(n), np.ones_like(n)
        for _ in range(60):
            middle = (low + high) / 2
            below = above(middle) < target
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    return np.where(k <= 0, 0.0, root(alpha / 2)), np.where(k >= n, 1.0, root(1 - alpha / 2))


def _agresti_coull(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Wald about the Wilson centre with n + z^2 trials (Agresti & Coull, Am Stat 1998;52:119)."""
    z = float(stats.norm.isf(alpha / 2))
    trials = n + z**2
    centre = (k + z**2 / 2) / trials
    half = z * np.sqrt(centre * (1 - centre) / trials)
    return centre - half, centre + half


def _wald(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    """p -/+ z sqrt(p(1-p)/n): shown because papers print it, of no width at 0 and n."""
    p = k / n
    half = float(stats.norm.isf(alpha / 2)) * np.sqrt(p * (1 - p) / n)
    return p - half, p + half


def _bootstrap(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    """The percentile bootstrap without drawing: its distribution is binomial(n, k/n)."""
    return stats.binom.ppf(alpha / 2, n, k / n) / n, stats.binom.ppf(1 - alpha / 2, n, k / n) / n


_LIMITS: dict[ProportionInterval, Callable[[Floats, Floats, float], tuple[Floats, Floats]]] = {
    ProportionInterval.WILSON: _wilson,
    ProportionInterval.CLOPPER_PEARSON: _clopper_pearson,
    ProportionInterval.MID_P: _mid_p,
    ProportionInterval.JEFFREYS: _jeffreys,
    ProportionInterval.AGRESTI_COULL: _agresti_coull,
    ProportionInterval.WALD: _wald,
    ProportionInterval.BOOTSTRAP: _bootstrap,
}
