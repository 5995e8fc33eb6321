"""Krippendorff's alpha: agreement of any number of raters, on any scale, with missing ratings."""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Estimate
from wirbel.evaluation.kappa import limit_of_complete_agreement

Floats = npt.NDArray[np.float64]


class Scale(Enum):
    """What differences between ratings mean."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


def krippendorff_alpha(
    ratings: npt.ArrayLike, *, scale: Scale = Scale.NOMINAL, level: float = 0.95
) -> Estimate:
    """Alpha of a (raters, units) table of numbers, NaN where a rater did not rate (Krippendorff 2011).

    Units with fewer than two ratings do not count. The interval comes from leaving out one unit at a time, with
    Student's t; where no two ratings of a unit differ, the lower limit is that of complete agreement (see `kappa`).
    Raises ValueError where fewer than two units are left or all ratings are equal (alpha is undefined).
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"ratings must be a (raters, units) table, got shape {table.shape}")
    if np.isinf(table).any():
        raise ValueError("a rating is infinite; use NaN for a missing rating")
    table = table[:, np.isfinite(table).sum(axis=0) >= 2]
    n_units = table.shape[1]
    if n_units < 2:
        raise ValueError(f"alpha needs at least 2 units with two ratings each, got {n_units}")
    levels = np.unique(table[np.isfinite(table)])
    if levels.size < 2:
        raise ValueError("alpha is undefined: all ratings are equal, so disagreement by chance is zero")
    counts = (table.T[:, :, None] == levels).sum(axis=1).astype(np.float64)
    value = _alpha(counts, levels, scale)
    name = f"Krippendorff's alpha ({scale.value})"
    if (np.count_nonzero(counts, axis=1) == 1).all():
        share = counts.sum(axis=0) / counts.sum()
        low = limit_of_complete_agreement(n_units, float(1.0 - (share**2).sum()), level)
        return Estimate(1.0, low, 1.0, level, n_units, f"{name}, agreement complete: Wilson")
    without = np.array([_alpha(np.delete(counts, u, axis=0), levels, scale) for u in range(n_units)])
    if not np.isfinite(without).all():
        raise ValueError(
            "alpha is undefined without one of the units: too few different ratings for an interval"
        )
    stderr = float(np.sqrt((n_units - 1) / n_units * ((without - without.mean()) ** 2).sum()))
    half = float(stats.t.ppf(0.5 + level / 2, n_units - 1)) * stderr
    return Estimate(
        value, max(value - half, -1.0), min(value + half, 1.0), level, n_units, f"{name}, jackknife over units"
    )


def _alpha(counts: Floats, levels: Floats, scale: Scale) -> float:
    """1 - observed / expected disagreement from (units, levels) counts; NaN where only one level is left."""
    per_unit = counts.sum(axis=1)
    coincidence = counts.T @ (counts / (per_unit - 1.0)[:, None])
    coincidence = coincidence - np.diag((counts / (per_unit - 1.0)[:, None]).sum(axis=0))
    totals = coincidence.sum(axis=1)
    distance = _distances(levels, totals, scale)
    expected = (np.outer(totals, totals) * distance).sum() / (totals.sum() - 1.0)
    return float(1.0 - (coincidence * distance).sum() / expected) if expected > 0 else float("nan")


def _distances(levels: Floats, totals: Floats, scale: Scale) -> Floats:
    """Squared difference between levels (Krippendorff 2011, section E)."""
    if scale is Scale.NOMINAL:
        return 1.0 - np.eye(levels.size)
    if scale is Scale.INTERVAL:
        return np.subtract.outer(levels, levels) ** 2
    if scale is Scale.RATIO:
        if (levels < 0).any():
            raise ValueError("the ratio scale takes no negative ratings")
        total = np.add.outer(levels, levels)
        return (
            np.divide(np.subtract.outer(levels, levels), total, out=np.zeros_like(total), where=total > 0) ** 2
        )
    middle = np.cumsum(totals) - totals / 2.0
    return np.subtract.outer(middle, middle) ** 2
