"""Areas under the ROC curve when units come in clusters: several vertebrae, or lesions, of one patient.

Obuchowski, Nonparametric analysis of clustered ROC curve data, Biometrics 1997;53:567.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.auc_intervals import scaled_score_limits, wald_limits
from wirbel.evaluation.clustered_shares import at_least_two
from wirbel.evaluation.compare_auc import (
    Alternative,
    normal_comparison,
    ranked_alike,
    readings_placements,
)
from wirbel.evaluation.estimate import Comparison, Estimate, valid_level
from wirbel.evaluation.inputs import binary, both_classes, cluster_codes, finite, labelled_scores, same_length
from wirbel.evaluation.placements import Placements
from wirbel.evaluation.resampling import REPLICATES, draw_counts, percentile_estimate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


_NO_VARIANCE = 1e-20


@dataclass(frozen=True, slots=True, eq=False)
class ClusterComponents:
    """Obuchowski's sums of squares and products: S10, S01 (readings, readings), S11 (its transpose is S11 with the
    readings exchanged), and the unit numbers M (diseased) and N (healthy)."""

    s10: Floats
    s01: Floats
    s11: Floats
    diseased: int
    healthy: int

    def covariance(self) -> Floats:
        """Covariance of the areas: S10/M + S01/N + (S11 + S11')/(M N) (eq. 3 and 5)."""
        m, n = self.diseased, self.healthy
        return self.s10 / m + self.s01 / n + (self.s11 + np.swapaxes(self.s11, -1, -2)) / (m * n)


def cluster_components(parts: Placements, diseased_clusters: Ints, healthy_clusters: Ints) -> ClusterComponents:
    """S components of readings (..., readings, units) (Obuchowski 1997, eq. 4).

    Clusters are coded 0 .. I-1 over both classes; S10 counts the clusters with diseased units, S01 those with
    healthy ones, S11 all.
    """
    total = int(max(diseased_clusters.max(), healthy_clusters.max())) + 1
    area = parts.auc[..., None]
    t10, m_i = _sums(parts.diseased, diseased_clusters, total)
    t01, n_i = _sums(parts.healthy, healthy_clusters, total)
    r10, r01 = t10 - m_i * area, t01 - n_i * area
    m, n = int(m_i.sum()), int(n_i.sum())
    i10, i01 = int((m_i > 0).sum()), int((n_i > 0).sum())
    return ClusterComponents(
        i10 / (max(i10 - 1, 1) * m) * (r10 @ np.swapaxes(r10, -1, -2)),
        i01 / (max(i01 - 1, 1) * n) * (r01 @ np.swapaxes(r01, -1, -2)),
        total / max(total - 1, 1) * (r10 @ np.swapaxes(r01, -1, -2)),
        m,
        n,
    )


def clustered_auc(
    truth: npt.ArrayLike, scores: npt.ArrayLike, clusters: npt.ArrayLike, *, level: float = 0.95
) -> Estimate:
    """Area of clustered units with the scaled score interval of `auc`, its variance Obuchowski's and its quantile
    a t of the clusters in the smaller class; n is the number of clusters."""
    labels, parts, codes = _clustered(truth, (scores,), clusters)
    low, high, area = clustered_auc_limits(parts, codes[labels], codes[~labels], level=level)
    return Estimate(
        float(area[0]), float(low[0]), float(high[0]), level, int(codes.max()) + 1,
        "score interval, scaled (Newcombe 2006 and Obuchowski 1997), t",
    )


def clustered_auc_limits(
    parts: Placements, diseased_clusters: Ints, healthy_clusters: Ints, *, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Lower limit, upper limit and area for each reading (..., units) on its own."""
    one_each = Placements(parts.diseased[..., None, :], parts.healthy[..., None, :])
    components = cluster_components(one_each, diseased_clusters, healthy_clusters)
    variance, area = components.covariance()[..., 0, 0], parts.auc
    units = min(np.unique(diseased_clusters).size, np.unique(healthy_clusters).size)
    t = float(stats.t.isf((1 - valid_level(level)) / 2, max(units - 1, 1)))
    low, high = scaled_score_limits(
        area, variance, t, diseased=components.diseased, healthy=components.healthy, units=units
    )
    return low, high, area


def wald_clustered_auc(
    truth: npt.ArrayLike, scores: npt.ArrayLike, clusters: npt.ArrayLike, *, level: float = 0.95
) -> Estimate:
    """Area -/+ z SE as Obuchowski 1997 prints it (cut at 0 and 1): shown beside; it covers too little near 1, and
    refuses where it has no width."""
    labels, parts, codes = _clustered(truth, (scores,), clusters)
    _two_of_each(labels, codes)
    variance = np.diag(cluster_components(parts, codes[labels], codes[~labels]).covariance())
    if variance.item() <= _NO_VARIANCE:
        raise ValueError(
            f"Wald (Obuchowski 1997) gives no interval for an area of {parts.auc.item():g} (no variance): use the"
            " score interval of clustered_auc"
        )
    z = float(stats.norm.isf((1 - valid_level(level)) / 2))
    low, high = wald_limits(parts.auc, variance, z)
    return Estimate(
        float(parts.auc[0]), float(low[0]), float(high[0]), level, int(codes.max()) + 1, "Wald (Obuchowski 1997)"
    )


def compare_clustered_auc(
    truth: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    alternative: Alternative = Alternative.TWO_SIDED,
    level: float = 0.95,
) -> Comparison:
    """Two readings of the same clustered units: difference first minus second, z test (Obuchowski 1997, eq. 5)."""
    labels, parts, codes = _clustered(truth, (first, second), clusters)
    _two_of_each(labels, codes)
    cov = cluster_components(parts, codes[labels], codes[~labels]).covariance()
    return normal_comparison(
        float(parts.auc[0] - parts.auc[1]), max(float(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]), 0.0),
        int(codes.max()) + 1, "clustered DeLong (Obuchowski 1997)", alternative=alternative, level=level,
        alike=ranked_alike(first, second),
    )


def bootstrap_clustered_auc(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Area with a percentile interval over drawn clusters (Field & Welsh, JRSS B 2007;69:369)."""
    labels, values = labelled_scores(truth, scores)
    codes = cluster_codes(clusters, labels.size)
    count = int(codes.max()) + 1
    at_least_two(count)
    draws = cluster_bootstrap_areas(labels, values, codes, replicates=replicates, rng=rng)
    wins, m, n = win_matrix(labels, values, codes)
    return percentile_estimate(
        float(wins.sum() / (m.sum() * n.sum())), draws, n=count, method="cluster bootstrap percentile", level=level
    )


def cluster_bootstrap_areas(
    labels: npt.NDArray[np.bool_], values: Floats, codes: Ints, *, replicates: int, rng: np.random.Generator
) -> Floats:
    """Areas of samples of clusters, all at once: w' K w / (w'm w'n), K the wins of cluster against cluster; NaN
    where a sample lacks a class."""
    wins, m, n = win_matrix(labels, values, codes)
    out = np.empty(replicates)
    chunk = max(1, 8_000_000 // m.size)
    with_m, with_n = np.flatnonzero(m), np.flatnonzero(n)
    core = np.ascontiguousarray(wins[np.ix_(with_m, with_n)])
    for start in range(0, replicates, chunk):
        w = draw_counts(m.size, min(chunk, replicates - start), rng)
        areas = np.einsum("bi,bi->b", w[:, with_m] @ core, w[:, with_n])
        pairs = (w @ m) * (w @ n)
        out[start : start + w.shape[0]] = np.where(pairs > 0, areas / np.where(pairs > 0, pairs, 1.0), np.nan)
    return out


def win_matrix(
    labels: npt.NDArray[np.bool_], values: Floats, codes: Ints
) -> tuple[Floats, Floats, Floats]:
    """Wins plus half ties of each cluster's diseased units over each cluster's healthy ones, and how many of both a
    cluster has."""
    count = int(codes.max()) + 1
    x, y = values[labels], values[~labels]
    order = np.argsort(y)
    # healthy units of each cluster below a diseased score, from the counts up to its place in the sorted order
    step = np.zeros((y.size + 1, count))
    step[np.arange(1, y.size + 1), codes[~labels][order]] = 1.0
    cumulative = np.cumsum(step, axis=0)
    ordered = y[order]
    beaten = (
        cumulative[np.searchsorted(ordered, x, side="left")] + cumulative[np.searchsorted(ordered, x, side="right")]
    ) / 2
    wins = np.zeros((count, count))
    np.add.at(wins, codes[labels], beaten)
    m, n = (np.bincount(codes[c], minlength=count).astype(np.float64) for c in (labels, ~labels))
    return wins, m, n


def _clustered(
    truth: npt.ArrayLike, readings: tuple[npt.ArrayLike, ...], clusters: npt.ArrayLike
) -> tuple[npt.NDArray[np.bool_], Placements, Ints]:
    labels = binary(truth)
    both_classes(labels)
    for scores in readings:
        same_length(truth=labels, scores=finite(scores))
    codes = cluster_codes(clusters, labels.size)
    at_least_two(int(codes.max()) + 1)
    return labels, readings_placements(truth, *readings, at_least=1), codes


def _two_of_each(labels: npt.NDArray[np.bool_], codes: Ints) -> None:
    """Refuse a class that a single cluster holds: its variance between clusters cannot be seen."""
    for units, name in ((labels, "diseased"), (~labels, "healthy")):
        if np.unique(codes[units]).size < 2:
            raise ValueError(
                f"all {name} units belong to one cluster (patient): a variance between clusters needs two with"
                f" {name} units; the score interval of clustered_auc answers"
            )


def _sums(values: Floats, codes: Ints, total: int) -> tuple[Floats, Floats]:
    """Sums of (..., units) and numbers of units within clusters."""
    indicator = np.zeros((codes.size, total))
    indicator[np.arange(codes.size), codes] = 1.0
    return values @ indicator, indicator.sum(axis=0)
