"""Bootstrap and cluster bootstrap: how often each unit is drawn, and percentile intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.estimate import Estimate, valid_level
from wirbel.evaluation.inputs import cluster_codes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REPLICATES = 2000
LEAST_VALID_SHARE = 0.9
"""With fewer usable replicates (both classes drawn ...), the sample is too small for a bootstrap."""
_NO_WIDTH = 1e-12


def draw_counts(n: int, replicates: int, rng: np.random.Generator) -> Floats:
    """How often each of n things is drawn in each replicate: (replicates, n), rows summing to n."""
    if n < 1 or replicates < 1:
        raise ValueError(f"nothing to draw: {n} units, {replicates} replicates")
    cells = rng.integers(0, n, size=(replicates, n)) + np.arange(0, replicates * n, n)[:, None]
    return np.bincount(cells.ravel(), minlength=replicates * n).reshape(replicates, n).astype(np.float64)


def percentile_estimate(
    value: float, draws: Floats, *, n: int, method: str, level: float = 0.95
) -> Estimate:
    """Percentile interval (Efron & Tibshirani 1993, 13.3); NaN marks replicates without a value.

    Where all replicates have one value (perfect separation, nothing called) it refuses: drawing from such a sample
    again shows nothing of what another sample would bring.
    """
    valid_level(level)
    usable = draws[np.isfinite(draws)]
    if usable.size < LEAST_VALID_SHARE * draws.size:
        raise ValueError(
            f"only {usable.size} of {draws.size} bootstrap samples had a value ({method}): too few cases of one"
            " kind; use an analytic interval"
        )
    if np.ptp(usable) <= _NO_WIDTH:
        raise ValueError(
            f"every bootstrap sample has the value {usable[0]:.3g} ({method}): that is no interval; use an analytic"
            " one"
        )
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(usable, [tail, 1.0 - tail])
    return Estimate(float(value), float(low), float(high), level, n, f"{method}, {draws.size} replicates")


def bootstrap(
    figure: Callable[[Ints], float],
    n: int,
    *,
    rng: np.random.Generator,
    strata: npt.ArrayLike | None = None,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Percentile interval of any figure of n units; `figure` gets the indices drawn (with `strata`: in each
    stratum as many as there are)."""
    everyone = np.arange(n)
    groups = [everyone] if strata is None else cluster_members(cluster_codes(strata, n))
    draws = np.empty(replicates)
    for b in range(replicates):
        index = np.concatenate([g[rng.integers(0, g.size, g.size)] for g in groups])
        draws[b] = _or_nan(figure, index)
    return percentile_estimate(figure(everyone), draws, n=n, method="bootstrap percentile", level=level)


def cluster_bootstrap(
    figure: Callable[[Ints], float],
    clusters: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Percentile interval of any figure when whole clusters (patients) are drawn (Field & Welsh, JRSS B
    2007;69:369); n is the number of clusters."""
    n = np.asarray(clusters).shape[0]
    members = cluster_members(cluster_codes(clusters, n))
    draws = np.empty(replicates)
    for b in range(replicates):
        index = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        draws[b] = _or_nan(figure, index)
    return percentile_estimate(
        figure(np.arange(n)), draws, n=len(members), method="cluster bootstrap percentile", level=level
    )


def cluster_members(codes: Ints) -> list[Ints]:
    """The units of each cluster."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _or_nan(figure: Callable[[Ints], float], index: Ints) -> float:
    """A figure that refuses this draw (one class ...) has no value there."""
    try:
        return float(figure(index))
    except (ValueError, ZeroDivisionError):
        return float("nan")
