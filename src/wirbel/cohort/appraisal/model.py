"""A model with its scores and what they were calibrated to mean: probabilities and the three answers."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import special

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm
from wirbel.cohort.appraisal.figures import Units
from wirbel.cohort.appraisal.scores import ModelScores, patient_codes
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.labelled import Diagnosis
from wirbel.errors import InputRejected
from wirbel.etiology import Calibration, LabelledScores, Population, calibrate
from wirbel.evaluation import Tier, tiers_of

#: Split whose cases may calibrate.
CALIBRATION_SPLIT = "calibration"
#: Vertebrae that a model must have learnt from before it may speak of unfractured ones.
SOUND = frozenset({Diagnosis.NORMAL, Diagnosis.MIMIC})


class Rule(StrEnum):
    """By which thresholds three answers are given."""

    AUTHORS = "authors (0.95 / 0.85 on raw softmax)"
    CERTIFIED = "certified"


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One answer a case; `refused` ones are uncertain because the vertebra is unlike the calibration cohort."""

    tier: Int64[np.ndarray, "n"]
    refused: Bool[np.ndarray, "n"]

    @property
    def decided(self) -> Bool[np.ndarray, "n"]:
        """Osteoporotic or malignant."""
        return np.asarray(self.tier != int(Tier.UNCERTAIN))

    @property
    def malignant(self) -> Bool[np.ndarray, "n"]:
        """Called malignant."""
        return np.asarray(self.tier == int(Tier.MALIGNANT))

    @property
    def osteoporotic(self) -> Bool[np.ndarray, "n"]:
        """Called osteoporotic."""
        return np.asarray(self.tier == int(Tier.BENIGN))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """`fractured` and `unfractured` are None where the model has no calibration for such vertebrae, `blanks` says
    why; `fitted_here` says that they were fitted to this folder's calibration arms."""

    scores: ModelScores
    fractured: Calibration | None
    unfractured: Calibration | None
    fitted_here: bool
    blanks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As given on the command line."""
        return self.scores.name

    @property
    def refuses(self) -> bool:
        """Whether it can tell a vertebra that is unlike all it has seen."""
        fitted = self.fractured
        return fitted is not None and fitted.novelty is not None and self.scores.features.shape[1] > 0

    def raw(self, arm: Arm) -> Float64[np.ndarray, "n"]:
        """The raw softmax of malignant."""
        return np.asarray(special.expit(self.scores.log_odds_of(arm)))

    def probability(self, arm: Arm) -> Float64[np.ndarray, "n"] | None:
        """The calibrated probability of malignancy, at the calibration cohort's prevalence."""
        return None if self.fractured is None else self.fractured.map(self.scores.log_odds_of(arm))

    def answers(self, arm: Arm, rule: Rule, settings: AppraisalSettings) -> Answers | None:
        """The three answers; None where the rule needs a calibration that is not there."""
        log_odds = self.scores.log_odds_of(arm)
        refused = self.unlike(arm, self.fractured)
        if rule is Rule.AUTHORS:
            tier = authors_tiers(log_odds, settings)
        elif self.fractured is None:
            return None
        else:
            cut = self.fractured.tiers
            tier = tiers_of(log_odds, benign_below=cut.osteoporotic_below, malignant_from=cut.malignant_from)
        return Answers(np.where(refused, int(Tier.UNCERTAIN), tier).astype(np.int64), refused)

    def suspicious(self, arm: Arm) -> Bool[np.ndarray, "n"] | None:
        """Unfractured vertebrae called suspicious; None where the model may not speak of them."""
        if self.unfractured is None:
            return None
        above = self.scores.log_odds_of(arm) >= self.unfractured.tiers.malignant_from
        return np.asarray(above & ~self.unlike(arm, self.unfractured))

    def unlike(self, arm: Arm, fitted: Calibration | None) -> Bool[np.ndarray, "n"]:
        """Beyond the novelty limit; nobody where no features were given."""
        if fitted is None or fitted.novelty is None or self.scores.features.shape[1] == 0:
            return np.zeros(len(arm.cases), dtype=bool)
        return np.asarray(fitted.novelty.distance(self.scores.features_of(arm)) > fitted.novelty.limit)


def authors_tiers(log_odds: Float64[np.ndarray, "n"], settings: AppraisalSettings) -> Int64[np.ndarray, "n"]:
    """The study's rule, one case a number of `Tier`."""
    malignant = special.expit(log_odds) >= settings.authors.malignant_from
    benign = special.expit(-log_odds) >= settings.authors.osteoporotic_from
    tier = np.where(malignant, int(Tier.MALIGNANT), np.where(benign, int(Tier.BENIGN), int(Tier.UNCERTAIN)))
    return tier.astype(np.int64)


def units_of(arm: Arm, settings: AppraisalSettings) -> Units:
    """Truth and patients of an arm."""
    return Units(arm.malignant, patient_codes(arm), settings.level)


def model_of(
    scores: ModelScores, given: tuple[Calibration, ...], cohort: AppraisedCohort, settings: AppraisalSettings
) -> Model:
    """A model with the calibrations it was given, or else with its own fitted to this folder's calibration arms.

    Vertebrae without fracture are spoken of only by a model that learnt from normal or mimic ones. `InputRejected`
    where a calibration belongs to another ensemble, or two are for the same vertebrae.
    """
    by_population: dict[Population, Calibration] = {}
    for fitted in given:
        if fitted.members != scores.members.shape[1]:
            raise InputRejected(
                f"the calibration of {scores.name} is for {fitted.members} members, its scores have "
                f"{scores.members.shape[1]}: give the one of this ensemble"
            )
        if scores.scorer is not None and fitted.scorer != scores.scorer:
            raise InputRejected(
                f"the calibration of {scores.name} is for the ensemble {fitted.scorer[:12]}, its scores come from "
                f"{scores.scorer[:12]}: give the one of this ensemble"
            )
        if fitted.population in by_population:
            raise InputRejected(f"{scores.name} has two calibrations for {fitted.population.value} vertebrae")
        by_population[fitted.population] = fitted
    blanks: list[str] = []
    wanted = [] if given else list(Population)
    if not learnt_from(scores, cohort, SOUND) and Population.UNFRACTURED in wanted:
        wanted.remove(Population.UNFRACTURED)
        blanks.append(f"{scores.name} did not learn from sound vertebrae: it may not speak of unfractured ones.")
    for population in wanted:
        try:
            by_population[population] = fitted_to(scores, cohort, population, settings)
        except InputRejected as exc:
            blanks.append(f"{scores.name} has no calibration for {population.value} vertebrae: {exc}.")
    return Model(
        scores, by_population.get(Population.FRACTURED), by_population.get(Population.UNFRACTURED), not given,
        tuple(blanks),
    )  # fmt: skip


def learnt_from(scores: ModelScores, cohort: AppraisedCohort, classes: frozenset[Diagnosis]) -> int:
    """How many vertebrae of these classes the model learnt from."""
    return sum(
        case.diagnosis in classes for arm in cohort.arms for case in arm.cases if case.row in scores.trained_on
    )


def fitted_to(
    scores: ModelScores, cohort: AppraisedCohort, population: Population, settings: AppraisalSettings
) -> Calibration:
    """Fitted to the calibration arms; `InputRejected` where they are missing, not scored, or too small."""
    wants_fractures = population is Population.FRACTURED
    cases = tuple(
        c for arm in cohort.arms if arm.split == CALIBRATION_SPLIT and scores.has(arm)
        for c in arm.cases if c.is_fracture is wants_fractures
    )
    if not cases:
        raise InputRejected("no calibration arm was scored")
    arm = Arm(CALIBRATION_SPLIT, CALIBRATION_SPLIT, cases)
    labelled = LabelledScores(
        tuple(c.patient for c in cases), tuple(c.vertebra for c in cases), arm.malignant,
        scores.members_of(arm), scores.features_of(arm),
    )  # fmt: skip
    return calibrate(
        labelled, scorer=scores.scorer or scores.sha256, name=f"{cohort.name}: {CALIBRATION_SPLIT}",
        simulated=cohort.simulated, rng=np.random.default_rng(settings.seed), population=population,
        promise=settings.promise,
    )  # fmt: skip
