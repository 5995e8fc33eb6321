"""Tests that need no model: permutation of cases or readings; and Holm's correction for several of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Significance
from wirbel.evaluation.inputs import binary, both_classes, cluster_codes, finite, labelled_scores, same_length
from wirbel.evaluation.placements import placements

Floats = npt.NDArray[np.float64]

PERMUTATIONS = 10_000


def permutation_test_auc(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    clusters: npt.ArrayLike | None = None,
    permutations: int = PERMUTATIONS,
) -> Significance:
    """Is the area 0.5? Truths are shuffled over the cases: the permutation null of the Mann-Whitney statistic (Mann
    & Whitney, Ann Math Stat 1947;18:50).

    With `clusters`, whole patients change their truths: every patient must then be diseased or healthy
    altogether.
    """
    labels, values = labelled_scores(truth, scores)
    unit_truth, weight = labels, np.ones(labels.size)
    rank_sum: Floats = np.asarray(stats.rankdata(values), dtype=np.float64)
    if clusters is not None:
        codes = cluster_codes(clusters, labels.size)
        weight = np.bincount(codes).astype(np.float64)
        share = np.bincount(codes, weights=labels) / weight
        if not np.isin(share, (0.0, 1.0)).all():
            raise ValueError("a cluster holds diseased and healthy units: truths cannot move between clusters")
        unit_truth = share > 0.5
        rank_sum = np.bincount(codes, weights=rank_sum).astype(np.float64)

    def figure(chosen: npt.NDArray[np.bool_]) -> Floats:
        m = chosen @ weight
        n = labels.size - m
        return np.asarray((chosen @ rank_sum - m * (m + 1) / 2) / (m * n))

    observed = float(figure(unit_truth))
    shuffled = rng.permuted(np.tile(unit_truth, (permutations, 1)), axis=1)
    extreme = int((np.abs(figure(shuffled) - 0.5) >= abs(observed - 0.5) - 1e-12).sum())
    p = (extreme + 1) / (permutations + 1)
    return Significance(observed, np.inf, p, f"permutation of truths, {permutations}")


def permutation_test_paired_auc(
    truth: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    clusters: npt.ArrayLike | None = None,
    permutations: int = PERMUTATIONS,
) -> Significance:
    """Have two readings of the same cases the same area? The readings' mid-ranks are exchanged within cases (with
    `clusters`, within whole patients) (Venkatraman & Begg, Biometrika 1996;83:835; Braun & Alonzo,
    Biostatistics 2008;9:364)."""
    labels, a, b = binary(truth), finite(first, "first scores"), finite(second, "second scores")
    same_length(truth=labels, first=a, second=b)
    both_classes(labels)
    ranks = np.stack([stats.rankdata(a), stats.rankdata(b)])
    codes = np.arange(labels.size) if clusters is None else cluster_codes(clusters, labels.size)

    def difference(table: Floats) -> Floats:
        areas = placements(table[..., labels], table[..., ~labels]).auc
        return np.asarray(areas[..., 0, :] - areas[..., 1, :])

    observed = float(difference(ranks[:, None, :])[0])
    extreme, done = 0, 0
    while done < permutations:
        size = min(max(1, 2_000_000 // labels.size), permutations - done)
        swap = rng.integers(0, 2, (size, codes.max() + 1)).astype(bool)[:, codes]
        exchanged = np.stack([np.where(swap, ranks[1], ranks[0]), np.where(swap, ranks[0], ranks[1])])
        extreme += int((np.abs(difference(exchanged)) >= abs(observed) - 1e-12).sum())
        done += size
    return Significance(
        observed, np.inf, (extreme + 1) / (permutations + 1), f"permutation of readings, {permutations}"
    )


def permutation_test_paired(
    figure: Callable[[Floats], float],
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> Significance:
    """Has any figure of a series the same value in two paired series? Values are exchanged within pairs."""
    a, b = finite(first, "first series"), finite(second, "second series")
    n = same_length(first=a, second=b)
    observed = figure(a) - figure(b)
    extreme = 0
    for _ in range(permutations):
        swap = rng.integers(0, 2, n).astype(bool)
        value = figure(np.where(swap, b, a)) - figure(np.where(swap, a, b))
        extreme += abs(value) >= abs(observed) - 1e-12
    return Significance(
        float(observed), np.inf, (extreme + 1) / (permutations + 1), f"permutation of pairs, {permutations}"
    )


def holm(p_values: npt.ArrayLike) -> Floats:
    """P values adjusted for their number, in the order given (Holm, Scand J Stat 1979;6:65)."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or p.size == 0 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"a series of p values in [0, 1] is needed, got {p_values!r}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
