"""Approach 3, three answers: coverage beside every figure, the undecided counted, promises against what came."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int64

from wirbel.cohort.appraisal.cases import EXTERNAL, AppraisedCohort, Arm
from wirbel.cohort.appraisal.model import Answers, Model, Rule, units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Share, Sheet, cell_text
from wirbel.cohort.appraisal.study_tables import calls_cells
from wirbel.evaluation import ProportionInterval, proportion


def tiers_section(cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings) -> Section:
    """Both rules for every model on every arm with fractures."""
    decided, counted, promised = [], [], []
    for arm in cohort.fracture_arms:
        for model in models:
            for rule in Rule:
                answers = model.answers(arm, rule, settings) if model.scores.has(arm) else None
                if answers is None:
                    continue
                key = (arm.name, model.name, rule.value)
                decided.append((*key, *_among_decided(answers, arm, settings)))
                counted.append((*key, *_undecided_counted(answers, arm, settings)))
                promised.append((*key, *_errors(answers, model, arm, rule, cohort, settings)))
    head = ("arm", "model", "rule")
    return Section(
        "Approach 3: three answers",
        _why_blank(models),
        (
            Sheet("tiers", "Approach 3: three answers, figures among the decided cases alone",
                  (*head, "coverage", "coverage of malignant", "coverage of osteoporotic",
                   "(sensitivity + specificity) / 2", "accuracy", "sensitivity", "specificity"),
                  tuple(decided), keys=3,
                  note="Every figure right of the coverage leaves the undecided out, as the study does: read it "
                  "with the coverage only. Raw softmax serves the authors' rule, calibrated thresholds the other."),
            Sheet("tiers_counted", "The same with the undecided counted",
                  (*head, "coverage", "sensitivity, undecided wrong", "specificity, undecided wrong",
                   "accuracy, undecided wrong", "sensitivity, undecided sent to MRI",
                   "specificity, undecided sent to MRI"),
                  tuple(counted), keys=3,
                  note="Sent to MRI: an undecided case counts as called malignant, which is what the answer asks "
                  "for."),
            Sheet("promises", "Promised errors against what came",
                  (*head, "missed: promised at most", "missed: patients", "false alarm: promised at most",
                   "false alarm: patients", "kept"),
                  tuple(promised), keys=3,
                  note="Missed: patients with a malignant fracture called osteoporotic; false alarm: patients with "
                  "an osteoporotic one called malignant. Exact (Clopper-Pearson) intervals. The promise is made "
                  "for patients like those of the calibration cohort, with confidence 1 − δ over its draw; for "
                  "another hospital it is not made, and what came is shown all the same."),
        ),
    )  # fmt: skip


def best_rows(arm: Arm, model: Model, settings: AppraisalSettings) -> list[tuple[Cell, ...]]:
    """Lines of Table 5 for one model: the decided alone, the undecided counted both ways."""
    rows: list[tuple[Cell, ...]] = []
    for rule in Rule:
        answers = model.answers(arm, rule, settings)
        if answers is None:
            continue
        units = units_of(arm, settings)
        coverage = cell_text(units.share(answers.decided))
        kept = answers.decided
        name = f"{model.name}, {rule.value}"
        rows += [
            (arm.name, f"{name}: decided only", coverage,
             *calls_cells(units.among(kept).accuracy(answers.malignant[kept]))),
            (arm.name, f"{name}: undecided wrong", coverage,
             *calls_cells(units.accuracy(_wrong_if_undecided(answers, arm)))),
            (arm.name, f"{name}: undecided sent to MRI", coverage,
             *calls_cells(units.accuracy(~answers.osteoporotic))),
        ]  # fmt: skip
    return rows


def patients_hit(
    hit: Bool[np.ndarray, "n"], of: Bool[np.ndarray, "n"], patients: Int64[np.ndarray, "n"], level: float
) -> Share:
    """Patients of the cases `of` with at least one hit, with the exact interval."""
    total = np.unique(patients[of]).size
    hits = np.unique(patients[of & hit]).size
    return Share(hits, total, proportion(hits, total, method=ProportionInterval.CLOPPER_PEARSON, level=level))


def _among_decided(answers: Answers, arm: Arm, settings: AppraisalSettings) -> tuple[Cell, ...]:
    units, kept = units_of(arm, settings), answers.decided
    return (
        units.share(kept), units.share(kept, arm.malignant), units.share(kept, ~arm.malignant),
        *calls_cells(units.among(kept).accuracy(answers.malignant[kept])),
    )  # fmt: skip


def _undecided_counted(answers: Answers, arm: Arm, settings: AppraisalSettings) -> tuple[Cell, ...]:
    units, truth = units_of(arm, settings), arm.malignant
    right = np.where(truth, answers.malignant, answers.osteoporotic)
    return (
        units.share(answers.decided), units.share(right, truth), units.share(right, ~truth), units.share(right),
        units.share(~answers.osteoporotic, truth), units.share(answers.osteoporotic, ~truth),
    )  # fmt: skip


def _wrong_if_undecided(answers: Answers, arm: Arm) -> Bool[np.ndarray, "n"]:
    return np.where(answers.decided, answers.malignant, ~arm.malignant)


def _errors(
    answers: Answers, model: Model, arm: Arm, rule: Rule, cohort: AppraisedCohort, settings: AppraisalSettings
) -> tuple[Cell, ...]:
    truth, patients = arm.malignant, arm.patients
    missed = patients_hit(answers.osteoporotic, truth, patients, settings.level)
    alarm = patients_hit(answers.malignant, ~truth, patients, settings.level)
    if rule is Rule.AUTHORS or model.fractured is None:
        return "nothing promised", missed, "nothing promised", alarm, "–"
    promise = model.fractured.tiers.promise
    verdicts = [_verdict(s, a) for s, a in ((missed, promise.alpha_missed), (alarm, promise.alpha_false_alarm))]
    site = " (another hospital: no promise)" if arm.split == EXTERNAL else ""
    return (
        f"{promise.alpha_missed:g} at δ {promise.delta:g}", missed, f"{promise.alpha_false_alarm:g} at δ "
        f"{promise.delta:g}", alarm, f"missed {verdicts[0]}; false alarm {verdicts[1]}{site}",
    )  # fmt: skip


def _verdict(share: Share, alpha: float) -> str:
    if share.hits <= alpha * share.of:
        return "within"
    low = getattr(share.estimate, "low", 0.0)
    return "above, beyond chance" if low > alpha else "above, within chance"


def _cut(word: str, log_odds: float) -> str:
    return f"{word} {log_odds:.3f} log-odds" if np.isfinite(log_odds) else "never (nothing is certified)"


def _why_blank(models: Sequence[Model]) -> tuple[str, ...]:
    """What the answers rest on, and where there are none."""
    out = []
    for model in models:
        fitted = model.fractured
        if fitted is not None:
            cut = fitted.tiers
            whose = "fitted to this folder's calibration arm" if model.fitted_here else "given"
            novelty = (
                "vertebrae unlike the calibration cohort are refused" if model.refuses
                else "no features were given, so nothing is refused as unlike the calibration cohort"
            )
            out.append(
                f"{model.name}: calibration {whose} ({fitted.cohort.malignant} malignant and "
                f"{fitted.cohort.benign} osteoporotic patients, map {fitted.map.kind.value}); osteoporotic "
                f"{_cut('below', cut.osteoporotic_below)}, malignant {_cut('from', cut.malignant_from)}; {novelty}."
            )
        out += list(model.blanks)
    return tuple(out)
