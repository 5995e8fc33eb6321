"""From the ensemble's log-odds to probabilities: four maps, all rising."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float64
from scipy import optimize, special

from wirbel.errors import InputRejected


class MapKind(StrEnum):
    """Kinds of maps, from few parameters to many."""

    TEMPERATURE = "temperature"
    PLATT = "platt"
    BETA = "beta"
    ISOTONIC = "isotonic"


@dataclass(frozen=True, slots=True)
class BetaMap:
    """logit p = a ln s - b ln(1 - s) + c with s the ensemble's softmax (Kull 2017, EJS 11:5052, eq. 5).

    Platt's map (Platt 1999) is a = b, temperature scaling (Guo 2017) a = b and c = 0.
    """

    kind: MapKind
    a: float
    b: float
    c: float

    def __call__(self, log_odds: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
        """Calibrated probabilities."""
        return np.asarray(special.expit(_terms(log_odds) @ np.array([self.a, self.b]) + self.c))


@dataclass(frozen=True, slots=True)
class StepMap:
    """Isotonic regression (Zadrozny & Elkan 2002): the fitted shares at `log_odds`, straight between them."""

    kind: MapKind
    log_odds: tuple[float, ...]
    shares: tuple[float, ...]

    def __call__(self, log_odds: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
        """Calibrated probabilities."""
        return np.asarray(np.interp(log_odds, self.log_odds, self.shares))


ProbabilityMap = BetaMap | StepMap


def fit_map(kind: MapKind, log_odds: Float64[np.ndarray, "n"], malignant: Bool[np.ndarray, "n"]) -> ProbabilityMap:
    """The map of one kind by maximum likelihood.

    The targets are Platt's (n+ + 1) / (n+ + 2) and 1 / (n- + 2) instead of 1 and 0, so that separated classes have
    a finite fit; isotonic shares are kept in [1 / (n + 2), (n + 1) / (n + 2)]. `InputRejected` where the scores do
    not rise with malignancy.
    """
    _must_rise(log_odds, malignant)
    if kind is MapKind.ISOTONIC:
        return _isotonic(log_odds, malignant)
    n_malignant = int(malignant.sum())
    targets = np.where(malignant, (n_malignant + 1) / (n_malignant + 2), 1 / (malignant.size - n_malignant + 2))
    terms = _terms(log_odds)
    one = np.ones((malignant.size, 1))
    design = {
        MapKind.TEMPERATURE: terms.sum(axis=1, keepdims=True),
        MapKind.PLATT: np.hstack([terms.sum(axis=1, keepdims=True), one]),
        MapKind.BETA: np.hstack([terms, one]),
    }[kind]
    fitted = _rising_logistic(np.asarray(design), targets, intercept=kind is not MapKind.TEMPERATURE)
    slopes = fitted[:1].repeat(2) if kind is not MapKind.BETA else fitted[:2]
    if float(slopes.max()) <= 0.0:
        raise InputRejected(_NOT_RISING)
    intercept = 0.0 if kind is MapKind.TEMPERATURE else float(fitted[-1])
    return BetaMap(kind, float(slopes[0]), float(slopes[1]), intercept)


_NOT_RISING = (
    "the scores do not rise with malignancy: check that higher means malignant and that classes and rows belong "
    "together"
)


def _terms(log_odds: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n 2"]:
    """ln s and -ln(1 - s) of the softmax s."""
    return np.stack([-np.logaddexp(0.0, -log_odds), np.logaddexp(0.0, log_odds)], axis=1)


def _must_rise(log_odds: Float64[np.ndarray, "n"], malignant: Bool[np.ndarray, "n"]) -> None:
    if not float(log_odds[malignant].mean()) > float(log_odds[~malignant].mean()):
        raise InputRejected(_NOT_RISING)


def _rising_logistic(
    design: Float64[np.ndarray, "n k"], targets: Float64[np.ndarray, "n"], *, intercept: bool
) -> Float64[np.ndarray, "k"]:
    """Coefficients of a logistic model for targets in (0, 1), slopes not under 0."""

    def loss(beta: np.ndarray) -> float:
        linear = design @ beta
        return float(np.mean(np.logaddexp(0.0, linear) - targets * linear))

    def gradient(beta: np.ndarray) -> np.ndarray:
        return np.asarray(design.T @ (special.expit(design @ beta) - targets) / len(targets))

    slopes = design.shape[1] - intercept
    start = np.r_[np.full(slopes, 0.5 if slopes == 2 else 1.0), np.zeros(design.shape[1] - slopes)]
    lower = np.r_[np.zeros(slopes), np.full(design.shape[1] - slopes, -np.inf)]
    found = optimize.minimize(
        loss, start, jac=gradient, method="L-BFGS-B", bounds=optimize.Bounds(lower, np.inf),
        options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 500},
    )  # fmt: skip
    return np.asarray(found.x, dtype=np.float64)


def _isotonic(log_odds: Float64[np.ndarray, "n"], malignant: Bool[np.ndarray, "n"]) -> StepMap:
    scores, place, count = np.unique(log_odds, return_inverse=True, return_counts=True)
    share = np.bincount(place, weights=malignant) / count
    fitted = optimize.isotonic_regression(share, weights=count.astype(np.float64)).x
    n = malignant.size
    kept = np.clip(fitted, 1 / (n + 2), (n + 1) / (n + 2))
    return StepMap(MapKind.ISOTONIC, tuple(scores.tolist()), tuple(kept.tolist()))
