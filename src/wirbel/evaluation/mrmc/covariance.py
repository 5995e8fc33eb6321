"""Covariance between the figures of all (treatment, reader) cells that comes from the cases, readers held
fixed.

Every function returns a square matrix over the cells (treatments outermost). Patients are the independent
unit: with several cases of one patient the jackknife and the bootstrap leave out and draw whole patients, and
the DeLong form becomes Obuchowski's for clustered data (Biometrics 1997;53:567).
"""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.mrmc.figures import (
    AreaUnderCurve,
    Figure,
    Sensitivity,
    Specificity,
    UserFigure,
    leave_one_out,
    placements,
)
from wirbel.evaluation.mrmc.readings import Readings

Floats = npt.NDArray[np.float64]


class Covariance(Enum):
    """How the case covariances are estimated."""

    JACKKNIFE = "jackknife"
    DELONG = "DeLong"
    UNBIASED = "unbiased"
    BOOTSTRAP = "bootstrap"


def case_covariance(
    readings: Readings,
    figure: Figure,
    method: Covariance = Covariance.JACKKNIFE,
    *,
    rng: np.random.Generator | None = None,
    replicates: int = 2000,
) -> Floats:
    """Covariance matrix of the cells' figures by the named method; the bootstrap alone needs `rng`."""
    if method is Covariance.JACKKNIFE:
        return jackknife_covariance(readings, figure)
    if method is Covariance.DELONG:
        return delong_covariance(readings, figure)
    if method is Covariance.UNBIASED:
        return unbiased_covariance(readings, figure)
    if rng is None:
        raise ValueError(
            "the bootstrap draws patients at random: pass rng, for instance numpy.random.default_rng(1)"
        )
    return bootstrap_covariance(readings, figure, rng=rng, replicates=replicates)


def jackknife_covariance(readings: Readings, figure: Figure) -> Floats:
    """Leave-one-patient-out covariance, (N - 1)/N times the sum of squared deviations (Hillis et al. 2005,
    eq. 6)."""
    without = leave_one_out(readings, figure).without
    flat = without.reshape(-1, without.shape[-1])
    deviations = flat - flat.mean(axis=1, keepdims=True)
    n = flat.shape[1]
    return _finished(deviations @ deviations.T * ((n - 1) / n), readings)


def delong_covariance(readings: Readings, figure: Figure) -> Floats:
    """DeLong 1988 (eq. 6), or with several cases per patient Obuchowski 1997 (S10, S01 and S11 components).

    Where two cells share only some cases, the sum runs over what they share and each cell keeps its own
    sample size.
    """
    parts = placements(readings, figure)
    n_cells = parts.values.size
    read = readings.read.reshape(n_cells, -1)
    pos, neg = readings.truth, ~readings.truth
    center = np.nan_to_num(parts.values)[:, None]
    by_pos = np.where(read[:, pos], parts.diseased - center, 0.0)
    by_neg = np.where(read[:, neg], parts.healthy - center, 0.0)
    if isinstance(figure, Sensitivity):
        by_neg = np.zeros_like(by_neg)
    if isinstance(figure, Specificity):
        by_pos = np.zeros_like(by_pos)
    patients = np.unique(readings.patients, return_inverse=True)[1]
    to_patient = np.zeros((patients.size, readings.n_patients))
    to_patient[np.arange(patients.size), patients] = 1.0
    in_pos = (read[:, pos].astype(float) @ to_patient[pos] > 0).sum(axis=1)
    in_neg = (read[:, neg].astype(float) @ to_patient[neg] > 0).sum(axis=1)
    in_any = (read.astype(float) @ to_patient > 0).sum(axis=1)
    _at_least_two(readings, figure, in_pos, in_neg)
    per_pos = by_pos @ to_patient[pos] / np.maximum(parts.n_diseased, 1)[:, None]
    per_neg = by_neg @ to_patient[neg] / np.maximum(parts.n_healthy, 1)[:, None]
    out = _scaled(per_pos, in_pos) @ _scaled(per_pos, in_pos).T
    out = out + _scaled(per_neg, in_neg) @ _scaled(per_neg, in_neg).T
    if readings.clustered:
        mixed = _scaled(per_pos, in_any) @ _scaled(per_neg, in_any).T
        out = out + mixed + mixed.T
    return _finished(out, readings)


def unbiased_covariance(readings: Readings, figure: Figure) -> Floats:
    """Unbiased estimate from U-statistics (Gallas 2006): product of the figures less an unbiased product of
    means.

    Exact for any pattern of readings. Refused for several cases per patient, where it is not unbiased.
    """
    if readings.clustered:
        raise ValueError(
            "the unbiased covariance takes one case per patient; use DELONG, JACKKNIFE or BOOTSTRAP"
        )
    if not isinstance(figure, AreaUnderCurve):
        return delong_covariance(readings, figure)
    parts = placements(readings, figure)
    n_cells = parts.values.size
    read = readings.read.reshape(n_cells, -1)
    pos, neg = readings.truth, ~readings.truth
    pairs, mask = win_matrices(readings)
    n_pairs = parts.n_diseased * parts.n_healthy
    rows, cols = parts.diseased * parts.n_healthy[:, None], parts.healthy * parts.n_diseased[:, None]
    row_counts = read[:, pos] * parts.n_healthy[:, None]
    col_counts = read[:, neg] * parts.n_diseased[:, None]
    totals = np.nan_to_num(parts.values) * n_pairs
    apart = np.outer(totals, totals) - rows @ rows.T - cols @ cols.T + pairs @ pairs.T
    counts = np.outer(n_pairs, n_pairs) - row_counts @ row_counts.T - col_counts @ col_counts.T + mask @ mask.T
    if (counts[np.ix_(n_pairs > 0, n_pairs > 0)] <= 0).any():
        raise ValueError("the unbiased covariance needs at least two cases of each class in every reading")
    values = np.nan_to_num(parts.values)
    means = np.divide(apart, counts, out=np.zeros_like(apart), where=counts > 0)
    out = np.outer(values, values) - means
    return _finished(out, readings)


def bootstrap_covariance(
    readings: Readings, figure: Figure, *, rng: np.random.Generator, replicates: int = 2000
) -> Floats:
    """Covariance over bootstrap samples of patients.

    With one case per patient the draw is stratified by truth; otherwise whole patients are drawn and a sample
    that leaves a cell without a class is drawn again.
    """
    if replicates < 2:
        raise ValueError(f"a bootstrap needs at least 2 replicates, got {replicates}")
    weights = _weights(readings, rng, replicates)
    n_cells = len(readings.treatments) * len(readings.readers)
    read = readings.read.reshape(n_cells, -1)
    ratings = readings.ratings.reshape(n_cells, -1)
    pos, neg = readings.truth, ~readings.truth
    figures = np.full((n_cells, replicates), np.nan)
    for cell in np.flatnonzero(read.any(axis=1)):
        p, n = pos & read[cell], neg & read[cell]
        w_pos, w_neg = weights[:, p], weights[:, n]
        if isinstance(figure, AreaUnderCurve):
            wins = _wins(ratings[cell, p], ratings[cell, n])
            top, bottom = ((w_pos @ wins) * w_neg).sum(axis=1), w_pos.sum(axis=1) * w_neg.sum(axis=1)
        elif isinstance(figure, Sensitivity):
            top, bottom = w_pos @ (ratings[cell, p] >= figure.threshold).astype(float), w_pos.sum(axis=1)
        elif isinstance(figure, Specificity):
            top, bottom = w_neg @ (ratings[cell, n] < figure.threshold).astype(float), w_neg.sum(axis=1)
        else:
            figures[cell] = _user_replicates(readings, figure, int(cell), weights)
            continue
        figures[cell] = top / bottom
    deviations = figures - figures.mean(axis=1, keepdims=True)
    return _finished(deviations @ deviations.T / (replicates - 1), readings)


def win_matrices(readings: Readings) -> tuple[Floats, Floats]:
    """Comparison of every diseased with every other case, and which were made: two (cells, pairs) matrices."""
    n_cells = len(readings.treatments) * len(readings.readers)
    ratings = readings.ratings.reshape(n_cells, -1)
    read = readings.read.reshape(n_cells, -1)
    pos, neg = readings.truth, ~readings.truth
    mask = read[:, pos][:, :, None] & read[:, neg][:, None, :]
    first, second = ratings[:, pos][:, :, None], ratings[:, neg][:, None, :]
    wins = np.where(mask, (first > second) + 0.5 * (first == second), 0.0)
    return wins.reshape(n_cells, -1), mask.reshape(n_cells, -1).astype(np.float64)


def _wins(pos: Floats, neg: Floats) -> Floats:
    return (pos[:, None] > neg[None, :]) + 0.5 * (pos[:, None] == neg[None, :])


def _weights(readings: Readings, rng: np.random.Generator, replicates: int) -> Floats:
    """How often each case is drawn, (replicates, cases)."""
    n_cases = len(readings.cases)
    if not readings.clustered:
        weights = np.zeros((replicates, n_cases))
        for stratum in (readings.truth, ~readings.truth):
            n = int(stratum.sum())
            weights[:, stratum] = rng.multinomial(n, np.full(n, 1.0 / n), size=replicates)
        return weights
    patients = np.unique(readings.patients, return_inverse=True)[1]
    n, out = readings.n_patients, np.empty((0, n_cases))
    read = readings.read[readings.cells]
    for _ in range(1000):
        drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=replicates)[:, patients].astype(np.float64)
        both = (drawn @ (read & readings.truth).T > 0) & (drawn @ (read & ~readings.truth).T > 0)
        out = np.concatenate((out, drawn[both.all(axis=1)]))
        if len(out) >= replicates:
            return out[:replicates]
    raise ValueError(
        f"hardly any bootstrap sample of the {n} patients has both classes for every reader: too few patients"
    )


def _user_replicates(readings: Readings, figure: UserFigure, cell: int, weights: Floats) -> Floats:
    n_readers = len(readings.readers)
    read = readings.read[cell // n_readers, cell % n_readers]
    ratings = readings.ratings[cell // n_readers, cell % n_readers]
    counts = np.where(read, weights, 0.0).astype(int)
    return np.array([
        figure.function(np.repeat(readings.truth, count), np.repeat(ratings, count)) for count in counts
    ])


def _scaled(per_patient: Floats, n_patients: npt.NDArray[np.intp]) -> Floats:
    return per_patient * np.sqrt(n_patients / np.maximum(n_patients - 1, 1))[:, None]


def _at_least_two(
    readings: Readings, figure: Figure, in_pos: npt.NDArray[np.intp], in_neg: npt.NDArray[np.intp]
) -> None:
    observed = readings.cells.ravel()
    for what, count, unused in (("diseased", in_pos, Specificity), ("non-diseased", in_neg, Sensitivity)):
        if not isinstance(figure, unused) and (count[observed] < 2).any():
            raise ValueError(
                f"a covariance of {figure.name} needs at least two patients with {what} cases in every reading; "
                f"the fewest here is {int(count[observed].min())}"
            )


def _finished(matrix: Floats, readings: Readings) -> Floats:
    """NaN for unread cells, exactly 0 between cells that share no patient, and read-only."""
    n_cells = matrix.shape[0]
    read = readings.read.reshape(n_cells, -1).astype(np.float64)
    to_patient = np.zeros((read.shape[1], readings.n_patients))
    to_patient[np.arange(read.shape[1]), np.unique(readings.patients, return_inverse=True)[1]] = 1.0
    seen = read @ to_patient
    matrix[seen @ seen.T == 0] = 0.0
    unread = ~readings.cells.ravel()
    matrix[unread, :] = np.nan
    matrix[:, unread] = np.nan
    matrix.setflags(write=False)
    return matrix
