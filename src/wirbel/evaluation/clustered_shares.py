"""A share of units that come in clusters (vertebrae of patients): Rao-Scott interval, test, cluster bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.compare_auc import normal_comparison
from wirbel.evaluation.estimate import Comparison, Estimate, valid_level
from wirbel.evaluation.inputs import binary, cluster_codes, same_length
from wirbel.evaluation.proportions import wilson_limits
from wirbel.evaluation.resampling import REPLICATES, draw_counts, percentile_estimate

Floats = npt.NDArray[np.float64]


STEADYING_CLUSTERS = 10.0
"""With so many clusters in the rarer kind, data and prior weigh the same in the design effect."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterCounts:
    """Hits and units of each cluster (..., clusters); leading axes are repetitions."""

    hits: Floats
    units: Floats

    @property
    def share(self) -> Floats:
        """All hits over all units: every unit counts the same."""
        return np.asarray(self.hits.sum(axis=-1) / self.units.sum(axis=-1))

    @property
    def variance(self) -> Floats:
        """Ratio-estimator variance of the share: I/(I-1) sum (x_i - p n_i)^2 / N^2 (Rao & Scott, Biometrics
        1992;48:577, eq. 1; the same for sensitivity and specificity in Obuchowski, Biometrics 1998)."""
        i = (self.units > 0).sum(axis=-1)
        residual = self.hits - self.share[..., None] * self.units
        total = self.units.sum(axis=-1)
        return np.asarray(i / np.maximum(i - 1, 1) * (residual**2).sum(axis=-1) / total**2)

    @property
    def design_effect(self) -> Floats:
        """Variance over that of independent units, steadied: its logarithm is drawn toward that of sqrt(s), s the
        mean size of a unit's cluster, as d : 10, where d is the number of clusters with hits or with misses,
        whichever is rarer.

        Few misses say little about how they cluster; at a share of 0 or 1, which says nothing, sqrt(s) remains.
        The constant was chosen by the coverage simulation (docs/coverage.md).
        """
        p, total = self.share, self.units.sum(axis=-1)
        inside = (p > 0) & (p < 1)
        raw = np.where(inside, self.variance, 1.0) * total / np.where(inside, p * (1 - p), total)
        rarer = np.minimum((self.hits > 0).sum(axis=-1), (self.units > self.hits).sum(axis=-1))
        weight = rarer / (rarer + STEADYING_CLUSTERS)
        size = (self.units**2).sum(axis=-1) / total
        return np.asarray(np.exp(weight * np.log(np.maximum(raw, 0.5)) + (1 - weight) * np.log(size) / 2))


def cluster_counts(values: npt.ArrayLike, clusters: npt.ArrayLike) -> ClusterCounts:
    """Ones and units of each cluster."""
    ones = binary(values, "values")
    codes = cluster_codes(clusters, ones.size)
    return ClusterCounts(
        np.bincount(codes, weights=ones).astype(np.float64), np.bincount(codes).astype(np.float64)
    )


def rao_scott_limits(counts: ClusterCounts, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson limits on the effective numbers n / deff, with the t quantile of the clusters (Rao & Scott 1992;
    Korn & Graubard, Surv Methodol 1998;24:193, for the t). Clusters may widen the interval, never narrow it."""
    clusters = (counts.units > 0).sum(axis=-1)
    z = stats.t.isf((1 - valid_level(level)) / 2, np.maximum(clusters - 1, 1))
    effective = counts.units.sum(axis=-1) / np.maximum(counts.design_effect, 1.0)
    return wilson_limits(np.asarray(counts.share * effective), np.asarray(effective), np.asarray(z))


def clustered_proportion(values: npt.ArrayLike, clusters: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Share of ones among units of clusters, with the limits of `rao_scott_limits` (Rao & Scott 1992): of the
    diseased units' calls it is the sensitivity; n is the number of clusters."""
    counts = cluster_counts(values, clusters)
    at_least_two(counts.units.size)
    low, high = rao_scott_limits(counts, level=level)
    return Estimate(
        float(counts.share), float(low), float(high), level, counts.units.size, "Wilson, Rao-Scott, t"
    )


def bootstrap_clustered_proportion(
    values: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Share of ones with a percentile interval over drawn clusters (Field & Welsh, JRSS B 2007;69:369)."""
    counts = cluster_counts(values, clusters)
    at_least_two(counts.units.size)
    drawn = draw_counts(counts.units.size, replicates, rng)
    return percentile_estimate(
        float(counts.share), (drawn @ counts.hits) / (drawn @ counts.units), n=counts.units.size,
        method="cluster bootstrap percentile", level=level,
    )


def compare_clustered_proportions(
    first: npt.ArrayLike, second: npt.ArrayLike, clusters: npt.ArrayLike, *, level: float = 0.95
) -> Comparison:
    """Two readings of the same clustered units (a McNemar test that knows clusters): the mean difference against
    its variance between clusters, t with I - 1 degrees of freedom (Obuchowski, Stat Med 1998;17:1495)."""
    from_first, from_second = binary(first, "first reading"), binary(second, "second reading")
    n = same_length(first=from_first, second=from_second)
    codes = cluster_codes(clusters, n)
    change = from_first.astype(np.float64) - from_second.astype(np.float64)
    sums = np.bincount(codes, weights=change).astype(np.float64)
    units = np.bincount(codes).astype(np.float64)
    at_least_two(units.size)
    counts = ClusterCounts(sums, units)
    return normal_comparison(
        float(counts.share), float(counts.variance), units.size, "paired clustered shares (Obuchowski 1998)",
        level=level, df=float(units.size - 1), alike=bool((from_first == from_second).all()),
    )


def at_least_two(clusters: int) -> None:
    """Refuse a single cluster: nothing between clusters can be seen."""
    if clusters < 2:
        raise ValueError(f"at least 2 clusters (patients) are needed, got {clusters}")
