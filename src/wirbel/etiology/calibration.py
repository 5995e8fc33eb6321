"""What an ensemble's scores mean: probability, interval, tiers, and what is unlike all it has seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from wirbel.errors import InputRejected
from wirbel.etiology.labelled_scores import LabelledScores
from wirbel.etiology.log_odds import at_prevalence
from wirbel.etiology.map_choice import choose_map
from wirbel.etiology.novelty import Novelty, fit_novelty
from wirbel.etiology.probability_map import MapKind, ProbabilityMap
from wirbel.etiology.thresholds import Promise, TierThresholds, certify
from wirbel.etiology.venn_abers import VennAbers, venn_abers
from wirbel.etiology.vocabulary import Interval

#: Patients of each class below which no calibration is fitted: ten a parameter of Platt's map (Peduzzi 1996, J Clin
#: Epidemiol 49:1373).
LEAST_PATIENTS = 20
#: Share of usual patients that may be refused as unlike the cohort.
FALSE_REFUSALS = 0.05


class Population(StrEnum):
    """What the vertebrae of a cohort have in common."""

    FRACTURED = "fractured"
    """Osteoporotic against malignant fractures."""
    UNFRACTURED = "unfractured"
    """Normal and degenerate vertebrae against unfractured ones with a malignant lesion."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """On whom a calibration was fitted. `malignant` and `benign` count patients with a vertebra of the class."""

    name: str
    simulated: bool
    malignant: int
    benign: int
    vertebrae: int
    prevalence: float
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Fitted on one cohort for one ensemble (`scorer`: digest of its networks; `members`: how many).

    `log_loss` is each map's in cross-validation; `map` the chosen one. `novelty` is None where the scorer gives no
    features.
    """

    scorer: str
    members: int
    population: Population
    cohort: Cohort
    map: ProbabilityMap
    log_loss: Mapping[MapKind, float]
    venn_abers: VennAbers
    tiers: TierThresholds
    novelty: Novelty | None

    def probability(self, log_odds: float, *, prevalence: float | None = None) -> float:
        """Calibrated probability of malignancy; of the cohort's prevalence unless another is given."""
        return float(self._shifted(self.map(np.array([log_odds])), prevalence)[0])

    def interval(
        self, kind: Interval, members: tuple[float, ...], *, prevalence: float | None = None
    ) -> tuple[float, float]:
        """The interval of one kind around the probability of the members' mean log-odds."""
        mean = sum(members) / len(members)
        if kind is Interval.VENN_ABERS:
            around = np.array([*self.venn_abers(mean), float(self.map(np.array([mean]))[0])])
        else:
            around = self.map(np.array(members, dtype=np.float64))
        shifted = self._shifted(around, prevalence)
        return float(shifted.min()), float(shifted.max())

    def _shifted(self, p: np.ndarray, prevalence: float | None) -> np.ndarray:
        if prevalence is None:
            return p
        return at_prevalence(p, fitted_at=self.cohort.prevalence, assumed=prevalence)


def promised(population: Population) -> Promise:
    """What is promised unless something else is asked for.

    Every sound vertebra of a CT may be called suspicious, and a CT has up to seventeen: half the false alarms.
    """
    return Promise() if population is Population.FRACTURED else Promise(alpha_false_alarm=0.05)


def calibrate(
    scores: LabelledScores,
    *,
    scorer: str,
    name: str,
    simulated: bool,
    rng: np.random.Generator,
    population: Population = Population.FRACTURED,
    promise: Promise | None = None,
) -> Calibration:
    """Fit everything on one calibration cohort that served for nothing else.

    `promise`: by default what `promised` says. A tier whose promise the cohort cannot hold is never given (its
    `Bound` says how many patients are needed).
    `InputRejected` below `LEAST_PATIENTS` of each class.
    """
    counts = {"malignant": scores.patients_of(malignant=True), "other": scores.patients_of(malignant=False)}
    for kind, count in counts.items():
        if count < LEAST_PATIENTS:
            raise InputRejected(
                f"{count} patients with {kind} vertebrae are too few to calibrate: at least {LEAST_PATIENTS} "
                "of each class are needed"
            )
    choice = choose_map(scores, rng=rng)
    seen = scores.features.shape[1] > 0
    return Calibration(
        scorer=scorer,
        members=scores.members.shape[1],
        population=population,
        cohort=Cohort(
            name, simulated, counts["malignant"], counts["other"], len(scores.patients), scores.prevalence,
            scores.sha256,
        ),
        map=choice.map,
        log_loss=choice.log_loss,
        venn_abers=venn_abers(scores.log_odds, scores.malignant),
        tiers=certify(scores, promise or promised(population)),
        novelty=fit_novelty(scores, false_refusals=FALSE_REFUSALS, rng=rng) if seen else None,
    )  # fmt: skip
