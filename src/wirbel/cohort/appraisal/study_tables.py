"""The study's Tables 3 and 4 for our cohort, the printed lines of the study beside them."""

from collections.abc import Sequence

import numpy as np

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm
from wirbel.cohort.appraisal.model import SOUND, Model, learnt_from, units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Share, Sheet
from wirbel.cohort.labelled import Diagnosis
from wirbel.evaluation import Accuracy, NotEstimable
from wirbel.evaluation.foreman import ROWS, Printed, StudyRow

#: Table 3 of Foreman et al. 2024 as printed: patients, women, age (mean, SD, range), osteoporotic and malignant
#: fractures, unfractured vertebrae with malignant lesions.
PRINTED_TABLE_3: tuple[tuple[str, int, int, str, int, int, str], ...] = (
    ("study, internal training and validation", 381, 188, "69.9 ± 11.4 (18 to 94)", 378, 447, "482"),
    ("study, internal test", 86, 41, "66.9 ± 12.0 (36 to 94)", 37, 49, "–"),
    ("study, external test", 65, 39, "68.8 ± 12.5 (25 to 91)", 30, 35, "–"),
)
PRINTED_HEADER = (
    "arm", "who", "malignant / osteoporotic", "AUC as printed: (sensitivity + specificity) / 2", "accuracy",
    "sensitivity", "specificity",
)  # fmt: skip


def cohort_section(cohort: AppraisedCohort) -> Section:
    """Table 3: who is in each arm."""
    rows = [_of_arm(arm) for arm in cohort.arms]
    printed = tuple(
        (name, str(n), f"{women} ({100 * women / n:.0f} %)", age, str(ost), str(mal),
         lesions)
        for name, n, women, age, ost, mal, lesions in PRINTED_TABLE_3
    )  # fmt: skip
    sheet = Sheet(
        "table3", "Table 3: the cohort",
        ("arm", "patients", "women", "age: mean ± SD (range), years", "osteoporotic fractures",
         "malignant fractures", "unfractured, malignant lesion", "normal and mimic", "native CT, cases",
         "scanners"),
        tuple(rows), keys=1,
        note="Age and sex are counted by patient, contrast and scanners by vertebra.",
    )  # fmt: skip
    beside = Sheet("table3_printed", "Table 3 as the study prints it (real patients)", sheet.header[:7], printed,
                   keys=1, printed=True)  # fmt: skip
    return Section("The cohort", sheets=(sheet, beside))


def calls_section(cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings) -> Section:
    """Table 4: every model on every arm with fractures, at the operating point and over all thresholds."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.fracture_arms:
        rows += [_of_model(model, arm, settings) for model in models if model.scores.has(arm)]
    printed = tuple(printed_row(row) for row in ROWS if row.table == 4)
    table = Sheet(
        "table4", "Table 4: osteoporotic against malignant, two answers",
        ("arm", "model", "malignant / osteoporotic", "AUC of the probabilities",
         "(sensitivity + specificity) / 2 of the operating point", "accuracy", "sensitivity", "specificity"),
        tuple(rows), keys=3,
        note="Operating point: raw softmax of malignant at least 0.5, as the study cuts. The study prints the area "
        "of that one point as its AUC; the AUC of the probabilities is over all thresholds. Positive is malignant. "
        "95 % intervals: scaled score (AUC), Wilson or its clustered form, MOVER.",
    )  # fmt: skip
    beside = Sheet(
        "table4_printed", "Table 4 as the study prints it (real patients; not comparable case by case)",
        PRINTED_HEADER, printed, keys=3,
        note="Approach 3 leaves its undecided cases out. Its AUC is that of one operating point; one of the "
        "probabilities is not printed.", printed=True,
    )  # fmt: skip
    return Section(
        "Two answers", _learnt(models, cohort), (table, _calibrated_cut(cohort, models, settings), beside,
                                                _members(cohort, models, settings)),
    )  # fmt: skip


def _of_arm(arm: Arm) -> tuple[Cell, ...]:
    first = {c.patient: c for c in reversed(arm.cases)}.values()
    ages = np.array([c.age_years for c in first if c.age_years is not None])
    women = sum(c.sex == "F" for c in first)
    count = {d: sum(c.diagnosis is d for c in arm.cases) for d in Diagnosis}
    told = "–"
    if ages.size > 1:
        told = f"{ages.mean():.1f} ± {ages.std(ddof=1):.1f} ({ages.min():.0f} to {ages.max():.0f})"
    native = sum(c.contrast == "none" for c in arm.cases)
    return (
        arm.name, str(len(first)), f"{women} ({100 * women / len(first):.0f} %)", told,
        str(count[Diagnosis.OSTEOPOROTIC_FRACTURE]), str(count[Diagnosis.MALIGNANT_FRACTURE]),
        str(count[Diagnosis.MALIGNANT_LESION]), str(count[Diagnosis.NORMAL] + count[Diagnosis.MIMIC]),
        f"{native} of {len(arm.cases)}", str(len({c.scanner for c in arm.cases})),
    )  # fmt: skip


def _of_model(model: Model, arm: Arm, settings: AppraisalSettings) -> tuple[Cell, ...]:
    units, scores = units_of(arm, settings), model.scores.log_odds_of(arm)
    called = scores >= settings.operating_log_odds
    return (
        arm.name, model.name, f"{units.malignant_count} / {units.other_count}", units.area(scores),
        *calls_cells(units.accuracy(called)),
    )  # fmt: skip


def calls_cells(table: Accuracy | NotEstimable) -> tuple[Cell, ...]:
    """Area of the operating point, accuracy, sensitivity, specificity with their counts."""
    if isinstance(table, NotEstimable):
        return (table,) * 4
    c = table.confusion
    return (
        table.balanced_accuracy,
        Share(c.true_positive + c.true_negative, c.total, table.accuracy),
        Share(c.true_positive, c.diseased, table.sensitivity) if c.diseased else table.sensitivity,
        Share(c.true_negative, c.healthy, table.specificity) if c.healthy else table.specificity,
    )


def _calibrated_cut(cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings) -> Sheet:
    """The same at a calibrated probability of 0.5."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.fracture_arms:
        for model in models:
            p = model.probability(arm) if model.scores.has(arm) else None
            if p is not None:
                rows.append((arm.name, model.name, *calls_cells(units_of(arm, settings).accuracy(p >= 0.5))))
    return Sheet(
        "table4_calibrated", "Table 4 again, cut at a calibrated probability of 0.5",
        ("arm", "model", "(sensitivity + specificity) / 2", "accuracy", "sensitivity", "specificity"), tuple(rows),
        note="The AUC of the probabilities is not changed by a rising map and is not repeated.",
    )  # fmt: skip


def _members(cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings) -> Sheet:
    """Each member of each ensemble alone: what seeds and folds do."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.conclusion_arms:
        units = units_of(arm, settings)
        for model in models:
            if model.scores.has(arm) and model.scores.members.shape[1] > 1:
                own = model.scores.members_of(arm)
                rows += [(arm.name, model.name, str(k), units.area(own[:, k])) for k in range(own.shape[1])]
    return Sheet(
        "members", "AUC of the probabilities of each member of the ensembles",
        ("arm", "model", "member", "AUC of the probabilities"), tuple(rows), keys=3,
        note="Members are the networks of the seeds and folds of one training plan.",
    )  # fmt: skip


def _learnt(models: Sequence[Model], cohort: AppraisedCohort) -> tuple[str, ...]:
    """What each model learnt from, where its scores tell."""
    out = []
    for model in models:
        counts = [
            (learnt_from(model.scores, cohort, kind), word)
            for kind, word in (
                (frozenset({Diagnosis.OSTEOPOROTIC_FRACTURE}), "osteoporotic fractures"),
                (frozenset({Diagnosis.MALIGNANT_FRACTURE}), "malignant fractures"),
                (frozenset({Diagnosis.MALIGNANT_LESION}), "unfractured vertebrae with malignant lesions"),
                (SOUND, "normal or mimic vertebrae"),
            )
        ]
        if sum(n for n, _ in counts):
            out.append(f"{model.name} learnt from {', '.join(f'{n} {word}' for n, word in counts if n)}.")
    return tuple(out)


def printed_row(row: StudyRow) -> tuple[Cell, ...]:
    """A line of the study's Table 4 or 5."""

    def plain(p: Printed) -> str:
        return f"{p.value:.2f} ({p.low:.2f} to {p.high:.2f})"

    right = row.true_positive + row.true_negative
    return (
        f"study, {row.site}", row.who, f"{row.positives} / {row.negatives}", plain(row.auc),
        f"{right}/{row.positives + row.negatives} {plain(row.accuracy)}",
        f"{row.true_positive}/{row.positives} {plain(row.sensitivity)}",
        f"{row.true_negative}/{row.negatives} {plain(row.specificity)}",
    )  # fmt: skip
