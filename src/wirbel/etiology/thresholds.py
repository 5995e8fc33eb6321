"""Thresholds of the three tiers that hold a promised error: learn-then-test with the patient as unit.

Promise: P(some malignant vertebra of a patient is called osteoporotic) <= alpha_missed, and P(some osteoporotic
vertebra of a patient is called malignant) <= alpha_false_alarm, each with confidence 1 - delta over the draw of the
calibration cohort (Angelopoulos et al. 2021, arXiv 2110.01052). Assumed: the patients to come are exchangeable with
those of the calibration cohort, within each class.

A patient errs when any of the class's vertebrae errs: a yes or no, so the exact binomial p-value applies, and the
mean share of wrong vertebrae a patient is bounded with it. An error can only grow with its own threshold. So the
thresholds are tested from the safest onward and the first failure ends it (fixed sequence: no correction for the
search), which comes to an order statistic of the patients' extreme scores, exact for thresholds taken from the data
too: the number of patients beyond the (k+1)-th of n is what Wilks' tolerance limits (Ann Math Stat 1941;12:91) are
about. The two tiers rest on different classes; `Confidence.BOTH` halves delta (Bonferroni) to promise both at once.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float64, Int64
from scipy import stats

from wirbel.errors import UsageError
from wirbel.etiology.labelled_scores import LabelledScores
from wirbel.evaluation import ProportionInterval, proportion


class Confidence(StrEnum):
    """What is promised with confidence 1 - delta."""

    EACH = "each"
    """Each of the two errors on its own."""
    BOTH = "both"
    """Both at once; delta is halved."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Bounds of the two class-conditional errors, and the risk `delta` that a bound is broken."""

    alpha_missed: float = 0.10
    alpha_false_alarm: float = 0.10
    delta: float = 0.10
    confidence: Confidence = Confidence.EACH

    def __post_init__(self) -> None:
        for name in ("alpha_missed", "alpha_false_alarm", "delta"):
            value = getattr(self, name)
            if not 0.0 < value < 1.0:
                raise UsageError(f"{name} must lie between 0 and 1, got {value:g}: give a fraction such as 0.10")
        if self.delta > 0.5:
            raise UsageError(f"delta must not exceed 0.5, got {self.delta:g}: it is the risk of a broken promise")

    @property
    def delta_each(self) -> float:
        """The risk left to each tier."""
        return self.delta if self.confidence is Confidence.EACH else self.delta / 2


@dataclass(frozen=True, slots=True)
class Bound:
    """What one tier promises and on what it rests.

    `patients` of the class in the calibration cohort, of whom `errors` err at the threshold and `needed` would have
    sufficed without any; `upper` is the exact upper limit of the error at 1 - `delta`. `certified` is False where
    no threshold holds: the tier is then never given.
    """

    alpha: float
    delta: float
    patients: int
    needed: int
    certified: bool
    errors: int = 0
    upper: float = 1.0


@dataclass(frozen=True, slots=True)
class TierThresholds:
    """Osteoporotic below `osteoporotic_below`, malignant from `malignant_from` on, in the ensemble's log-odds; an
    infinite one means that the tier is never given."""

    promise: Promise
    osteoporotic_below: float
    malignant_from: float
    missed: Bound
    false_alarm: Bound


def patients_needed(alpha: float, delta: float, *, errors: int = 0) -> int:
    """How many patients of a class certify an error of at most `alpha` when `errors` of them err: the least n with
    P(Bin(n, alpha) <= errors) <= delta; without errors (1 - alpha)^n <= delta."""
    low, high = errors, errors + 1
    while stats.binom.cdf(errors, high, alpha) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if stats.binom.cdf(errors, middle, alpha) <= delta else (middle, high)
    return high


def errors_allowed(patients: int, alpha: float, delta: float) -> int:
    """The most errors whose exact binomial p-value P(Bin(patients, alpha) <= errors) is at most `delta`; -1 where
    even none is too many."""
    p_values = stats.binom.cdf(np.arange(patients + 1), patients, alpha)
    return int(np.searchsorted(p_values, delta, side="right")) - 1


def safe_below(
    lowest: Float64[np.ndarray, "... n"], *, alpha: float, delta: float
) -> Float64[np.ndarray, "..."]:
    """The highest certified threshold t of "osteoporotic below t", for each row of malignant patients' lowest
    scores; -inf where none is certified."""
    allowed = errors_allowed(lowest.shape[-1], alpha, delta)
    if allowed < 0:
        return np.full(lowest.shape[:-1], -np.inf)
    return np.asarray(np.partition(lowest, allowed, axis=-1)[..., allowed])


def safe_from(
    highest: Float64[np.ndarray, "... n"], *, alpha: float, delta: float
) -> Float64[np.ndarray, "..."]:
    """The lowest certified threshold t of "malignant from t on", for each row of osteoporotic patients' highest
    scores; inf where none is certified."""
    return np.asarray(np.nextafter(-safe_below(-highest, alpha=alpha, delta=delta), np.inf))


def certify(scores: LabelledScores, promise: Promise) -> TierThresholds:
    """The widest tiers that hold the promise on a calibration cohort; a tier that cannot is never given."""
    lowest, highest = extremes(scores)
    delta = promise.delta_each
    below = float(safe_below(lowest, alpha=promise.alpha_missed, delta=delta))
    start = float(safe_from(highest, alpha=promise.alpha_false_alarm, delta=delta))
    below, start = apart(below, start, lowest, highest)
    return TierThresholds(
        promise,
        below,
        start,
        _bound(lowest.size, int((lowest < below).sum()), promise.alpha_missed, delta),
        _bound(highest.size, int((highest >= start).sum()), promise.alpha_false_alarm, delta),
    )


def extremes(scores: LabelledScores) -> tuple[Float64[np.ndarray, "m"], Float64[np.ndarray, "o"]]:
    """The lowest score among each patient's malignant vertebrae, and the highest among each one's others."""
    codes, x, y = scores.patient_codes, scores.log_odds, scores.malignant
    return _lowest(codes[y], x[y]), -_lowest(codes[~y], -x[~y])


def apart(
    below: float, start: float, lowest: Float64[np.ndarray, "m"], highest: Float64[np.ndarray, "o"]
) -> tuple[float, float]:
    """Thresholds that do not cross. Where both promises leave room to spare, every common cut between them holds
    both (an error can only shrink); the one with the fewest errors on the calibration cohort is taken."""
    if below <= start:
        return below, start
    inside = np.unique(np.r_[start, below, lowest[(lowest >= start) & (lowest <= below)]])
    errors = np.array([(lowest < c).mean() + (highest >= c).mean() for c in inside])
    best = np.flatnonzero(errors == errors.min())
    cut = float(inside[best[best.size // 2]])
    return cut, cut


def _lowest(codes: Int64[np.ndarray, "v"], scores: Float64[np.ndarray, "v"]) -> Float64[np.ndarray, "p"]:
    order = np.lexsort((scores, codes))
    first = np.r_[True, np.diff(codes[order]) != 0]
    return np.asarray(scores[order][first])


def _bound(patients: int, errors: int, alpha: float, delta: float) -> Bound:
    needed = patients_needed(alpha, delta)
    if patients < needed:
        return Bound(alpha, delta, patients, needed, certified=False)
    limit = proportion(errors, patients, method=ProportionInterval.CLOPPER_PEARSON, level=1 - 2 * min(delta, 0.499))
    return Bound(alpha, delta, patients, needed, certified=True, errors=errors, upper=limit.high)
