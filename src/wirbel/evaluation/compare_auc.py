"""Are two (or more) areas under the ROC curve the same? DeLong's tests: paired, unpaired, and contrasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Comparison, Estimate, Significance, valid_level
from wirbel.evaluation.inputs import binary, both_classes, finite, labelled_scores, same_length
from wirbel.evaluation.placements import Placements, placements

Floats = npt.NDArray[np.float64]


class Alternative(Enum):
    """What the first is, if not equal to the second."""

    TWO_SIDED = "two-sided"
    GREATER = "greater"
    LESS = "less"


@dataclass(frozen=True, slots=True, eq=False)
class AucMatrix:
    """Areas of several readings of the same cases, and DeLong's covariance matrix of them."""

    areas: Floats
    covariance: Floats
    n: int


def readings_placements(truth: npt.ArrayLike, *readings: npt.ArrayLike, at_least: int = 2) -> Placements:
    """Placements (readings, cases) of several readings of the same cases."""
    labels = binary(truth)
    rows = [finite(scores, f"scores of reading {i + 1}") for i, scores in enumerate(readings)]
    if not rows:
        raise ValueError("no reading given")
    same_length(truth=labels, **{f"reading {i + 1}": row for i, row in enumerate(rows)})
    both_classes(labels, at_least=at_least)
    table = np.stack(rows)
    return placements(table[:, labels], table[:, ~labels])


def auc_matrix(truth: npt.ArrayLike, *readings: npt.ArrayLike) -> AucMatrix:
    """Areas and their covariance matrix (DeLong 1988, eq. 5) of readings of the same cases."""
    parts = readings_placements(truth, *readings)
    return AucMatrix(parts.auc, parts.covariance(), parts.diseased.shape[-1] + parts.healthy.shape[-1])


def compare_paired_auc(
    truth: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    alternative: Alternative = Alternative.TWO_SIDED,
    level: float = 0.95,
) -> Comparison:
    """Two readings of the same cases (DeLong 1988, eq. 6): difference first minus second, z test, Wald interval.

    Readings that rank all cases alike do not differ: p is 1, and the interval 0 to 0. Two different readings
    without variance (both separate perfectly) are refused.
    """
    matrix = auc_matrix(truth, first, second)
    cov = matrix.covariance
    variance = max(float(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]), 0.0)
    difference = float(matrix.areas[0] - matrix.areas[1])
    return normal_comparison(
        difference, variance, matrix.n, "DeLong, paired", alternative=alternative, level=level,
        alike=ranked_alike(first, second),
    )


def compare_unpaired_auc(
    first: tuple[npt.ArrayLike, npt.ArrayLike],
    second: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    alternative: Alternative = Alternative.TWO_SIDED,
    level: float = 0.95,
) -> Comparison:
    """Two readings, each `(truth, scores)`, of different cases: t with Welch's degrees of freedom from the case
    numbers (as pROC does: Robin et al., BMC Bioinformatics 2011;12:77)."""
    parts, cases = [], []
    for truth, scores in (first, second):
        labels, values = labelled_scores(truth, scores, at_least=2)
        parts.append(placements(values[labels], values[~labels]))
        cases.append(labels.size)
    v = [float(p.variance) for p in parts]
    variance, difference = v[0] + v[1], float(parts[0].auc - parts[1].auc)
    df = np.inf
    if variance > 0:
        df = variance**2 / sum(x**2 / (n - 1) for x, n in zip(v, cases, strict=True))
    return normal_comparison(
        difference, variance, sum(cases), "DeLong, unpaired", alternative=alternative, level=level, df=df
    )


def contrast_auc(
    truth: npt.ArrayLike, *readings: npt.ArrayLike, contrast: npt.ArrayLike | None = None
) -> Significance:
    """Chi-square test that a contrast (rows, readings) of the areas is zero; by default: all are equal (DeLong
    1988, eq. 6). Directions without variance and without difference take no degree of freedom."""
    matrix = auc_matrix(truth, *readings)
    k = matrix.areas.size
    if k < 2:
        raise ValueError(f"a contrast needs two readings or more, got {k}")
    rows = np.c_[np.ones(k - 1), -np.eye(k - 1)] if contrast is None else np.atleast_2d(np.asarray(contrast, float))
    if rows.shape[1] != k:
        raise ValueError(f"a contrast of {k} readings has {k} columns, got {rows.shape[1]}")
    if np.any(np.abs(rows.sum(axis=1)) > 1e-9):
        raise ValueError(f"each row of a contrast must sum to 0, got sums {rows.sum(axis=1).tolist()}")
    return wald_chi_square(rows @ matrix.areas, rows @ matrix.covariance @ rows.T, "DeLong contrast")


def wald_chi_square(differences: Floats, covariance: Floats, method: str) -> Significance:
    """d' S^- d against chi-square with the rank of S; a difference outside the range of S is infinitely far."""
    scale = max(float(np.abs(np.diag(covariance)).max()), 1e-300)
    rank = int(np.linalg.matrix_rank(covariance, tol=1e-10 * scale, hermitian=True)) if scale > 1e-14 else 0
    if rank == 0:
        if np.abs(differences).max() < 1e-12:
            return Significance(0.0, 0.0, 1.0, f"{method} (no difference, no variance)")
        raise ValueError("the areas differ but have no variance (perfect separation): use a permutation test")
    inverse = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True)
    statistic = float(differences @ inverse @ differences)
    return Significance(statistic, float(rank), float(stats.chi2.sf(statistic, rank)), method)


def normal_comparison(
    difference: float,
    variance: float,
    n: int,
    method: str,
    *,
    alternative: Alternative = Alternative.TWO_SIDED,
    level: float = 0.95,
    df: float = np.inf,
    alike: bool = False,
) -> Comparison:
    """Difference of two areas (or shares), z or t test, and a two-sided interval cut at -1 and 1.

    Without variance there is no interval: refused, unless both readings are known to be `alike`.
    """
    if variance <= 1e-20:
        if not alike:
            raise ValueError(
                f"the difference is {difference:g} but has no variance ({method}): use a permutation test"
            )
        return Comparison(
            Estimate(0.0, 0.0, 0.0, valid_level(level), n, method), Significance(0.0, df, 1.0, method)
        )
    law = stats.norm if np.isinf(df) else stats.t(df)
    stderr = float(np.sqrt(variance))
    statistic = difference / stderr
    half = float(law.isf((1 - valid_level(level)) / 2)) * stderr
    return Comparison(
        Estimate(difference, max(difference - half, -1.0), min(difference + half, 1.0), level, n, method),
        Significance(statistic, df, min(_TAIL[alternative](law, statistic), 1.0), f"{method}, {alternative.value}"),
    )


def ranked_alike(first: npt.ArrayLike, second: npt.ArrayLike) -> bool:
    """Whether two readings put all cases in the same order, with the same ties."""
    return bool(np.array_equal(stats.rankdata(np.asarray(first)), stats.rankdata(np.asarray(second))))


_TAIL: dict[Alternative, Callable[..., float]] = {
    Alternative.TWO_SIDED: lambda law, z: 2 * float(law.sf(abs(z))),
    Alternative.GREATER: lambda law, z: float(law.sf(z)),
    Alternative.LESS: lambda law, z: float(law.cdf(z)),
}
