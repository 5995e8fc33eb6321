"""Which map: the simplest one that is as good as the best on patients it was not fitted to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from wirbel.errors import InputRejected
from wirbel.etiology.labelled_scores import LabelledScores
from wirbel.etiology.probability_map import MapKind, ProbabilityMap, fit_map

FOLDS = 5


@dataclass(frozen=True, slots=True)
class MapChoice:
    """The map chosen and fitted on all rows; `log_loss` is each kind's mean over rows when their patients were left
    out."""

    map: ProbabilityMap
    log_loss: Mapping[MapKind, float]


def choose_map(
    scores: LabelledScores, *, rng: np.random.Generator, kinds: tuple[MapKind, ...] = tuple(MapKind)
) -> MapChoice:
    """The first kind whose log loss exceeds the best one's by at most a standard error of the paired difference
    (the one-standard-error rule; Breiman 1984, 3.4.3), in patient-wise cross-validation."""
    if min(scores.patients_of(malignant=True), scores.patients_of(malignant=False)) < FOLDS:
        raise InputRejected(f"choosing a calibration needs at least {FOLDS} patients of each class")
    x, y = scores.log_odds, scores.malignant
    folds = _folds(scores, rng)
    losses = {kind: _left_out(kind, x, y, folds) for kind in kinds}
    best = min(losses, key=lambda kind: float(losses[kind].mean()))
    chosen = next(kind for kind in kinds if _as_good(losses[kind] - losses[best], scores.patient_codes))
    return MapChoice(fit_map(chosen, x, y), {kind: float(loss.mean()) for kind, loss in losses.items()})


def _as_good(excess: Float64[np.ndarray, "n"], patients: Int64[np.ndarray, "n"]) -> bool:
    """Whether the mean excess is within its standard error over patients."""
    sums = np.bincount(patients, weights=excess)
    error = float(np.sqrt(np.sum((sums - sums.mean()) ** 2))) / excess.size
    return float(excess.mean()) <= error


def _folds(scores: LabelledScores, rng: np.random.Generator) -> Int64[np.ndarray, "n"]:
    """A fold for each row: patients stay whole; those with and without a malignant vertebra are spread evenly."""
    codes = scores.patient_codes
    has = np.bincount(codes, weights=scores.malignant) > 0
    fold = np.empty(has.size, dtype=np.int64)
    for group in (has, ~has):
        members = rng.permutation(np.flatnonzero(group))
        fold[members] = np.arange(members.size) % FOLDS
    return np.asarray(fold[codes])


def _left_out(
    kind: MapKind, x: Float64[np.ndarray, "n"], y: Bool[np.ndarray, "n"], folds: Int64[np.ndarray, "n"]
) -> Float64[np.ndarray, "n"]:
    """The log loss of each row under the map of the other folds."""
    loss = np.empty(x.size)
    for fold in range(FOLDS):
        out = folds == fold
        p = fit_map(kind, x[~out], y[~out])(x[out])
        loss[out] = -np.log(np.where(y[out], p, 1.0 - p))
    return loss
