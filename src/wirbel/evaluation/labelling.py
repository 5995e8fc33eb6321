"""Were the vertebrae named right, and graded right? VerSe identification rate and Genant confusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.accuracy import Confusion, sensitivity, specificity
from wirbel.evaluation.estimate import Estimate, NotEstimable
from wirbel.evaluation.kappa import Kappa, cohen_kappa
from wirbel.evaluation.proportions import proportion

HIT_MM = 20.0
"""A centroid farther than this from its vertebra is no hit (Sekuboyina et al., Med Image Anal 2021;73:102166)."""

GRADES = 4
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Identification:
    """Vertebrae found under their own name.

    `mean_distance_mm` counts a vertebra that is missing from the prediction as `worst_mm`; over those of the same
    name alone it is `mean_distance_of_named_mm` (NaN without one), the figure VerSe calls d_mean.
    """

    rate: Estimate
    hits: tuple[int, ...]
    missing: tuple[int, ...]
    mean_distance_mm: float
    mean_distance_of_named_mm: float
    worst_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class GenantConfusion:
    """Table of true (rows) against called (columns) grades 0 to 3, and what follows from it."""

    table: Ints
    exact: Estimate
    within_one: Estimate
    kappa_linear: Kappa | NotEstimable
    fracture_sensitivity: Estimate | NotEstimable
    fracture_specificity: Estimate | NotEstimable
    moderate_sensitivity: Estimate | NotEstimable
    moderate_specificity: Estimate | NotEstimable


def identification(
    truth_mm: Mapping[int, Sequence[float]],
    predicted_mm: Mapping[int, Sequence[float]],
    *,
    worst_mm: float,
    level: float = 0.95,
) -> Identification:
    """Identification rate and mean centroid distance of one spine, centroids in mm by label.

    A true vertebra is a hit if the prediction of its name lies nearer to it than to any other true vertebra, and
    within 20 mm (Sekuboyina 2021, sec. 2.4); a name missing from the prediction is no hit, a predicted name that
    the truth lacks costs nothing.
    """
    if not truth_mm:
        raise ValueError("the truth names no vertebra: there is nothing to identify")
    names = sorted(truth_mm)
    centres = np.array([_point(truth_mm[k], k) for k in names])
    hits, missing, distances = [], [], []
    for i, name in enumerate(names):
        if name not in predicted_mm:
            missing.append(name)
            continue
        to_all = np.linalg.norm(centres - _point(predicted_mm[name], name), axis=1)
        distances.append(float(to_all[i]))
        if to_all[i] <= to_all.min() and to_all[i] < HIT_MM:
            hits.append(name)
    counted = np.minimum(distances, worst_mm).tolist() + [worst_mm] * len(missing)
    return Identification(
        proportion(len(hits), len(names), level=level),
        tuple(hits),
        tuple(missing),
        float(np.mean(counted)),
        float(np.mean(distances)) if distances else float("nan"),
        float(worst_mm),
    )


def genant_confusion(truth: npt.ArrayLike, called: npt.ArrayLike, *, level: float = 0.95) -> GenantConfusion:
    """Grades 0 (none), 1 (mild), 2 (moderate), 3 (severe) against the truth (Genant et al., J Bone Miner Res
    1993;8:1137); 'fracture' is grade 1 or more, 'moderate' grade 2 or more."""
    a, b = _grades(truth, "truth"), _grades(called, "calls")
    if a.shape != b.shape:
        raise ValueError(f"grades must be of one length, got {a.size} true and {b.size} called")
    table = np.bincount(a * GRADES + b, minlength=GRADES**2).reshape(GRADES, GRADES)
    n = int(a.size)
    near = int((np.abs(a - b) <= 1).sum())
    found = [_two_way(a >= cut, b >= cut, level) for cut in (1, 2)]
    return GenantConfusion(
        table,
        proportion(int(np.trace(table)), n, level=level),
        proportion(near, n, level=level),
        _kappa(table, level),
        *found[0],
        *found[1],
    )


def _kappa(table: Ints, level: float) -> Kappa | NotEstimable:
    try:
        return cohen_kappa(table, weights="linear", level=level)
    except ValueError as exc:
        return NotEstimable(str(exc))


def _two_way(
    a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_], level: float
) -> tuple[Estimate | NotEstimable, Estimate | NotEstimable]:
    table = Confusion(int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum()))
    return (
        sensitivity(table, level=level) if table.diseased else NotEstimable("no vertebra of such a grade"),
        specificity(table, level=level) if table.healthy else NotEstimable("no vertebra of a lower grade"),
    )


def _grades(values: npt.ArrayLike, name: str) -> Ints:
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be a series of grades, got an array of shape {array.shape}")
    wrong = np.flatnonzero(~np.isin(array, np.arange(GRADES)))
    if wrong.size:
        raise ValueError(f"{name} must hold grades 0 to 3, got {array[wrong[0]]} at position {int(wrong[0]) + 1}")
    return array.astype(np.int64)


def _point(values: Sequence[float], name: int) -> npt.NDArray[np.float64]:
    point = np.asarray(values, dtype=np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise ValueError(f"the centroid of label {name} must be three finite numbers in mm, got {values}")
    return point
