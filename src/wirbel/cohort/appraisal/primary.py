"""The one primary estimand, and the targets that were set beforehand for the simulated cohort."""

from collections.abc import Sequence
from dataclasses import dataclass

from wirbel.cohort.appraisal.cases import EXTERNAL, AppraisedCohort, Arm
from wirbel.cohort.appraisal.comparisons import compare_areas, difference_of, p_of
from wirbel.cohort.appraisal.model import Model, Rule, units_of
from wirbel.cohort.appraisal.probability_tables import calibration_figures
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Sheet, cell_text
from wirbel.cohort.appraisal.sign_section import DENSITY, SignAreas
from wirbel.errors import UsageError
from wirbel.evaluation import Accuracy, Estimate
from wirbel.evaluation.pages import p_value

#: Models that are looked for first where nothing is said: ours, and the study's.
CANDIDATES, REFERENCES = ("b2", "f", "b1"), ("a2", "a1")


@dataclass(frozen=True, slots=True, eq=False)
class Primary:
    """What is asked first: one model's area on one arm, and its difference to another's where there is one."""

    model: Model
    against: Model | None
    arm: Arm

    def sentences(self, settings: AppraisalSettings, *, simulated: bool) -> tuple[str, ...]:
        """The estimand, and what came."""
        units, word = units_of(self.arm, settings), "SIMULATED. " if simulated else ""
        n = len(self.arm.cases)
        patients = len({c.patient for c in self.arm.cases})
        who = f"{n} fractures of {patients} patients of the arm {self.arm.name}, none left out"
        area = f"{self.model.name} {cell_text(units.area(self.model.scores.log_odds_of(self.arm)))}"
        if self.against is None:
            return (
                f"{word}Primary estimand: the AUC of the probabilities of {self.model.name} over {who}.",
                f"{word}It is {area}.",
            )
        compared = compare_areas(self.model, self.against, self.arm, settings)
        other = f"{self.against.name} {cell_text(units.area(self.against.scores.log_odds_of(self.arm)))}"
        p = p_of(compared)
        return (
            f"{word}Primary estimand: the difference in the AUC of the probabilities, {self.model.name} minus "
            f"{self.against.name}, over {who}; paired, two-sided, patients as units. All other figures are "
            "secondary.",
            f"{word}It is {cell_text(difference_of(compared))}{'' if p is None else f', {p_value(p)}'}: {area}, "
            f"{other} ({100 * settings.level:g} % intervals in brackets).",
        )


def primary_of(
    cohort: AppraisedCohort, models: Sequence[Model], model: str, against: str, arm: str
) -> Primary:
    """The estimand that is named, else ours against the study's on the large external arm; `UsageError` for names
    that are not there."""
    names = {m.name: m for m in models}
    arms = {a.name: a for a in cohort.fracture_arms}
    for asked, known, option in ((model, names, "--primary"), (against, names, "--against"), (arm, arms, "--arm")):
        if asked and asked not in known:
            raise UsageError(f"{option} {asked!r} is none of {', '.join(known)}")
    if model and model == against:
        raise UsageError(f"--primary and --against are both {model!r}: name two models, or one")
    chosen = names[model] if model else _first(names, CANDIDATES) or models[-1]
    rest = {n: m for n, m in names.items() if n != chosen.name}
    other = names[against] if against else _first(rest, REFERENCES) or next(iter(rest.values()), None)
    both = [m for m in (chosen, other) if m is not None]
    large = [a for a in cohort.conclusion_arms if all(m.scores.has(a) for m in both)] or cohort.conclusion_arms
    where = arms[arm] if arm else next((a for a in large if a.split == EXTERNAL), large[-1])
    for m in both:
        if not m.scores.has(where):
            raise UsageError(f"{m.name} did not score {where.name!r}, the primary estimand's arm: name another")
    return Primary(chosen, other, where)


def targets_section(
    primary: Primary, cohort: AppraisedCohort, models: Sequence[Model], signs: Sequence[SignAreas],
    settings: AppraisalSettings,
) -> Section:  # fmt: skip
    """What was set before the training, and what came, on the arms for conclusions."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.conclusion_arms:
        if primary.model.scores.has(arm):
            rows += _of_arm(primary.model, arm, settings)
    if primary.against is not None:
        difference = difference_of(compare_areas(primary.model, primary.against, primary.arm, settings))
        beats = isinstance(difference, Estimate) and difference.low > 0
        rows.append((primary.arm.name, f"{primary.model.name} beats {primary.against.name} in AUC", "above 0",
                     difference, _yes(beats)))  # fmt: skip
    rows += _of_study(cohort, models, settings)
    for found in signs:
        best = found.best
        if best is not None:
            rows.append((found.arm, f"best single sign ({best[0]})", "AUC under 0.80", best[1],
                         _yes(best[1].value < 0.80)))  # fmt: skip
        density = found.single.get(DENSITY)
        if isinstance(density, Estimate):
            rows.append((found.arm, "density alone", "AUC under 0.75", density, _yes(density.value < 0.75)))
        rows.append((found.arm, f"all signs, logistic, {found.how or 'not fitted'}", "reported",
                     found.all_signs, "–"))  # fmt: skip
    sheet = Sheet("targets", "What was asked, and what came", ("arm", "what", "asked", "came", "reached"),
                  tuple(rows), keys=3,
                  note="Reached is about the estimate itself; the interval says how sure that is.")  # fmt: skip
    return Section("What was asked", sheets=(sheet,))


def _of_arm(model: Model, arm: Arm, settings: AppraisalSettings) -> list[tuple[Cell, ...]]:
    units = units_of(arm, settings)
    area = units.area(model.scores.log_odds_of(arm))
    rows: list[tuple[Cell, ...]] = [
        (arm.name, "cases", "at least 1,000", len(arm.cases), _yes(len(arm.cases) >= 1000)),
        (arm.name, f"{model.name}: AUC of the probabilities", "at least 0.90", area,
         _yes(isinstance(area, Estimate) and area.value >= 0.90)),
    ]  # fmt: skip
    answers = model.answers(arm, Rule.CERTIFIED, settings)
    if answers is not None and model.fractured is not None:
        promise, truth = model.fractured.tiers.promise, arm.malignant
        covered = units.share(answers.decided)
        missed, alarm = units.share(answers.osteoporotic, truth), units.share(answers.malignant, ~truth)
        rows += [
            (arm.name, f"{model.name}: coverage of three certified answers", "at least 0.80", covered,
             _yes(covered.hits >= 0.80 * covered.of)),
            (arm.name, f"{model.name}: malignant called osteoporotic", f"at most {promise.alpha_missed:g}", missed,
             _yes(missed.hits <= promise.alpha_missed * missed.of)),
            (arm.name, f"{model.name}: osteoporotic called malignant", f"at most {promise.alpha_false_alarm:g}",
             alarm, _yes(alarm.hits <= promise.alpha_false_alarm * alarm.of)),
        ]  # fmt: skip
    p = model.probability(arm)
    if p is not None and arm.split != EXTERNAL:
        error, slope = calibration_figures(units, p, settings)
        rows += [
            (arm.name, f"{model.name}: debiased ECE, calibrated (asked on 2,000 cases)", "at most 0.03", error,
             _yes(isinstance(error, Estimate) and error.value <= 0.03)),
            (arm.name, f"{model.name}: calibration slope", "0.8 to 1.2", slope,
             _yes(isinstance(slope, Estimate) and 0.8 <= slope.value <= 1.2)),
        ]  # fmt: skip
    return rows


def _of_study(
    cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings
) -> list[tuple[Cell, ...]]:
    """Whether the study's network lands near its printed operating points here."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.conclusion_arms:
        for model in models:
            if model.name != "a1" or not model.scores.has(arm):
                continue
            called = model.scores.log_odds_of(arm) >= settings.operating_log_odds
            table = units_of(arm, settings).accuracy(called)
            asked = 0.70 if arm.split == EXTERNAL else 0.82
            if isinstance(table, Accuracy) and isinstance(table.balanced_accuracy, Estimate):
                near = abs(table.balanced_accuracy.value - asked) <= 0.05
                rows.append((arm.name, "a1: (sensitivity + specificity) / 2, the study's printed AUC",
                             f"near {asked:.2f} (± 0.05)", table.balanced_accuracy, _yes(near)))  # fmt: skip
    return rows


def _first(models: dict[str, Model], names: Sequence[str]) -> Model | None:
    return next((models[name] for name in names if name in models), None)


def _yes(reached: bool) -> str:
    return "yes" if reached else "no"
