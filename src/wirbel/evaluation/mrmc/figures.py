"""Figures of merit of one reading, and what they become when a patient is left out.

`AreaUnderCurve`, `Sensitivity` and `Specificity` have closed forms, so leaving out every patient in turn
costs hardly more than the figure itself. `UserFigure` wraps any function of (truth, ratings).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.mrmc.readings import Readings

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AreaUnderCurve:
    """Empirical (trapezoidal) area under the ROC curve, the Mann-Whitney statistic."""

    name: str = "AUC"
    bounds: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Share of diseased cases rated at or above `threshold`."""

    threshold: float
    name: str = "sensitivity"
    bounds: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Specificity:
    """Share of non-diseased cases rated below `threshold`."""

    threshold: float
    name: str = "specificity"
    bounds: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class UserFigure:
    """Any function of (truth, ratings) of one reader under one treatment; it is called for each left-out
    patient."""

    name: str
    function: Callable[[npt.NDArray[np.bool_], Floats], float]
    bounds: tuple[float, float] = (-np.inf, np.inf)


Figure = AreaUnderCurve | Sensitivity | Specificity | UserFigure


@dataclass(frozen=True, slots=True, eq=False)
class LeaveOneOut:
    """The figure of each (treatment, reader) cell, and again without each patient.

    `values` is (treatments, readers), NaN where a reader did not read under a treatment; `without` is
    (treatments, readers, patients). For sensitivity the patients are those with a diseased case, for
    specificity those with another: leaving out the rest changes nothing.
    """

    values: Floats
    without: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Placements:
    """How each case contributes to the figure of each cell: DeLong's structural components.

    `diseased` is (cells, diseased cases), `healthy` (cells, other cases), 0 where a case was not read;
    `n_diseased` and `n_healthy` count the cases read in each cell. A cell is a (treatment, reader) pair,
    treatments outermost. For sensitivity only `diseased` carries variance, for specificity only `healthy`.
    """

    values: Floats
    diseased: Floats
    healthy: Floats
    n_diseased: Floats
    n_healthy: Floats


def cell_name(readings: Readings, cell: int) -> str:
    """'reader X under treatment Y' for the flat number of a (treatment, reader) cell."""
    t, r = divmod(cell, len(readings.readers))
    return f"reader {readings.readers[r]!r} under treatment {readings.treatments[t]!r}"


def placements(readings: Readings, figure: Figure) -> Placements:
    """Contribution of every case to the figure of every cell (DeLong et al. 1988, eq. 4-5)."""
    if isinstance(figure, UserFigure):
        raise ValueError(
            f"{figure.name}: a user's figure has no known contribution of each case; use the jackknife or bootstrap"
        )
    n_cells = len(readings.treatments) * len(readings.readers)
    ratings = readings.ratings.reshape(n_cells, -1)
    read = readings.read.reshape(n_cells, -1)
    pos, neg = readings.truth, ~readings.truth
    n_pos, n_neg = read[:, pos].sum(axis=1), read[:, neg].sum(axis=1)
    _both_classes_read(readings, figure, n_pos, n_neg)
    by_pos, by_neg = np.zeros((n_cells, int(pos.sum()))), np.zeros((n_cells, int(neg.sum())))
    if isinstance(figure, AreaUnderCurve):
        for cell in np.flatnonzero(read.any(axis=1)):
            p, n = read[cell, pos], read[cell, neg]
            by_pos[cell, p], by_neg[cell, n] = _auc_placements(ratings[cell, pos][p], ratings[cell, neg][n])
        sums, counts = by_pos.sum(axis=1), n_pos
    elif isinstance(figure, Sensitivity):
        by_pos = np.where(read[:, pos], ratings[:, pos] >= figure.threshold, 0.0)
        sums, counts = by_pos.sum(axis=1), n_pos
    else:
        by_neg = np.where(read[:, neg], ratings[:, neg] < figure.threshold, 0.0)
        sums, counts = by_neg.sum(axis=1), n_neg
    observed = read.any(axis=1)
    values = np.full(n_cells, np.nan)
    values[observed] = sums[observed] / counts[observed]
    return Placements(values, by_pos, by_neg, n_pos.astype(float), n_neg.astype(float))


def _auc_placements(pos: Floats, neg: Floats) -> tuple[Floats, Floats]:
    """V10 of each diseased and V01 of each other case, by counting in sorted ratings instead of all pairs."""
    return _share_below(pos, np.sort(neg)), 1.0 - _share_below(neg, np.sort(pos))


def _share_below(ratings: Floats, ordered: Floats) -> Floats:
    """Share of `ordered` below each rating, equal ones counted half."""
    return (ordered.searchsorted(ratings, "left") + ordered.searchsorted(ratings, "right")) / (2.0 * ordered.size)


def leave_one_out(readings: Readings, figure: Figure) -> LeaveOneOut:
    """The figure of every cell with all patients, and without each patient in turn (the jackknife of Hillis et al.,
    Stat Med 2005;24:1579)."""
    if isinstance(figure, UserFigure):
        return _leave_one_out_user(readings, figure)
    parts = placements(readings, figure)
    shape = (len(readings.treatments), len(readings.readers))
    n_cells, n_patients = shape[0] * shape[1], readings.n_patients
    pos, neg = readings.truth, ~readings.truth
    read = readings.read.reshape(n_cells, -1)
    to_patient = np.zeros((len(readings.cases), n_patients))
    to_patient[np.arange(len(readings.cases)), np.unique(readings.patients, return_inverse=True)[1]] = 1.0
    m_left = parts.n_diseased[:, None] - read[:, pos].astype(float) @ to_patient[pos]
    n_left = parts.n_healthy[:, None] - read[:, neg].astype(float) @ to_patient[neg]
    observed = np.asarray(read.any(axis=1))[:, None]
    if isinstance(figure, AreaUnderCurve):
        wins = parts.values[:, None] * (parts.n_diseased * parts.n_healthy)[:, None]
        wins = wins - (parts.diseased * parts.n_healthy[:, None]) @ to_patient[pos]
        wins = wins - (parts.healthy * parts.n_diseased[:, None]) @ to_patient[neg]
        if readings.clustered:
            wins = wins + _wins_within_patients(readings)
        left = m_left * n_left
    elif isinstance(figure, Sensitivity):
        wins, left = parts.diseased.sum(axis=1)[:, None] - parts.diseased @ to_patient[pos], m_left
    else:
        wins, left = parts.healthy.sum(axis=1)[:, None] - parts.healthy @ to_patient[neg], n_left
    if ((left == 0) & observed).any():
        cell, patient = (int(i) for i in np.argwhere((left == 0) & observed)[0])
        cases = [c for c, p in zip(readings.cases, to_patient[:, patient], strict=True) if p]
        raise ValueError(
            f"{figure.name} of {cell_name(readings, cell)} is undefined without case {cases[0]!r}, the only "
            "patient of "
            "its class there: at least two patients of each class are needed"
        )
    without = np.divide(wins, left, out=np.full_like(left, np.nan), where=observed & (left > 0))
    if not isinstance(figure, AreaUnderCurve):
        without = without[:, to_patient[pos if isinstance(figure, Sensitivity) else neg].any(axis=0)]
    return LeaveOneOut(parts.values.reshape(shape), without.reshape(*shape, -1))


def _wins_within_patients(readings: Readings) -> Floats:
    """Sum of the diseased-against-other comparisons inside each patient, (cells, patients)."""
    patients = np.unique(readings.patients, return_inverse=True)[1]
    pos, neg = np.flatnonzero(readings.truth), np.flatnonzero(~readings.truth)
    same = np.argwhere(patients[pos][:, None] == patients[neg][None, :])
    i, j = pos[same[:, 0]], neg[same[:, 1]]
    n_cells = len(readings.treatments) * len(readings.readers)
    ratings = readings.ratings.reshape(n_cells, -1)
    read = readings.read.reshape(n_cells, -1)
    wins = (ratings[:, i] > ratings[:, j]) + 0.5 * (ratings[:, i] == ratings[:, j])
    wins = np.where(read[:, i] & read[:, j], wins, 0.0)
    out = np.zeros((n_cells, readings.n_patients))
    np.add.at(out.T, patients[i], wins.T)
    return out


def _leave_one_out_user(readings: Readings, figure: UserFigure) -> LeaveOneOut:
    shape = (len(readings.treatments), len(readings.readers))
    patients = np.unique(readings.patients, return_inverse=True)[1]
    values = np.full(shape, np.nan)
    without = np.full((*shape, readings.n_patients), np.nan)
    for t, r in np.argwhere(readings.cells):
        read, ratings = readings.read[t, r], readings.ratings[t, r]
        values[t, r] = figure.function(readings.truth[read], ratings[read])
        without[t, r] = values[t, r]
        for p in np.unique(patients[read]):
            keep = read & (patients != p)
            without[t, r, p] = figure.function(readings.truth[keep], ratings[keep])
    if not (np.isfinite(values[readings.cells]).all() and np.isfinite(without[readings.cells]).all()):
        raise ValueError(
            f"{figure.name} is not a finite number for every reader, or not without every patient; "
            "a figure that can be undefined cannot be analysed by leaving patients out"
        )
    return LeaveOneOut(values, without)


def _both_classes_read(
    readings: Readings, figure: Figure, n_pos: npt.NDArray[np.intp], n_neg: npt.NDArray[np.intp]
) -> None:
    needs_pos = isinstance(figure, AreaUnderCurve | Sensitivity)
    needs_neg = isinstance(figure, AreaUnderCurve | Specificity)
    for what, count, needed in (("diseased", n_pos, needs_pos), ("non-diseased", n_neg, needs_neg)):
        short = np.flatnonzero((count == 0) & (n_pos + n_neg > 0))
        if needed and short.size:
            raise ValueError(
                f"{cell_name(readings, int(short[0]))} read no {what} case: {figure.name} is undefined there"
            )
