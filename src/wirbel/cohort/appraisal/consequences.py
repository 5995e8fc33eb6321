"""What the answers would change: predictive values and MRI saved, at stated shares of malignant fractures."""

import numpy as np
from jaxtyping import Bool

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm
from wirbel.cohort.appraisal.figures import Units, or_blank
from wirbel.cohort.appraisal.model import Model, Rule, units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Sheet
from wirbel.evaluation import (
    Estimate,
    NotEstimable,
    clustered_npv_at,
    clustered_ppv_at,
    confusion,
    mri_policy,
    npv_at,
    ppv_at,
)


def consequence_section(cohort: AppraisedCohort, model: Model, settings: AppraisalSettings) -> Section:
    """For the model of the primary estimand, on the arms for conclusions."""
    values: list[tuple[Cell, ...]] = []
    policies: list[tuple[Cell, ...]] = []
    for arm in cohort.conclusion_arms:
        if model.scores.has(arm):
            values += _values(arm, model, settings)
            policies += _policies(arm, model, settings)
    head = ("arm", "model", "malignant among fractures")
    return Section(
        "What it would change",
        sheets=(
            Sheet("predictive_values", "Predictive values of two answers at stated prevalences",
                  (*head, "positive predictive value", "negative predictive value"), tuple(values), keys=3,
                  note="Bayes on the likelihood ratios at the operating point of Table 4; assumes that only the "
                  "share of malignant fractures differs."),
            Sheet("mri", "MRI saved when only 'uncertain' and 'malignant' lead to one, per 1,000 patients",
                  ("arm", "model", "rule", "malignant among fractures", "MRI saved of 1,000", "malignant missed",
                   "malignant among those called osteoporotic", "saved per missed one"),
                  tuple(policies), keys=4,
                  note="Against MRI for everybody. Both counts are sums of class-conditional shares at the stated "
                  "prevalence (MOVER, Wilson)."),
        ),
    )  # fmt: skip


def _values(arm: Arm, model: Model, settings: AppraisalSettings) -> list[tuple[Cell, ...]]:
    units = units_of(arm, settings)
    called = np.asarray(model.scores.log_odds_of(arm) >= settings.operating_log_odds)
    return [
        (arm.name, model.name, f"{100 * share:g} %", *_at(units, called, share)) for share in settings.prevalences
    ]


def _at(
    units: Units, called: Bool[np.ndarray, "n"], share: float
) -> tuple[Estimate | NotEstimable, Estimate | NotEstimable]:
    """Positive and negative predictive value at a prevalence."""
    patients, truth = units.patients, units.malignant
    if patients is None:
        table = confusion(truth, called)
        return (
            or_blank(lambda: ppv_at(table, share, level=units.level)),
            or_blank(lambda: npv_at(table, share, level=units.level)),
        )
    return (
        or_blank(lambda: clustered_ppv_at(truth, called, patients, share, level=units.level)),
        or_blank(lambda: clustered_npv_at(truth, called, patients, share, level=units.level)),
    )


def _policies(arm: Arm, model: Model, settings: AppraisalSettings) -> list[tuple[Cell, ...]]:
    out: list[tuple[Cell, ...]] = []
    shares = np.array(settings.prevalences)
    for rule in Rule:
        answers = model.answers(arm, rule, settings)
        if answers is None:
            continue
        rows = mri_policy(arm.malignant, answers.tier, prevalences=shares, level=settings.level)
        out += [
            (arm.name, model.name, rule.value, f"{100 * p.prevalence:g} %", p.saved, p.missed, p.missed_per_saved,
             "none missed" if p.saved_per_miss == float("inf") else f"{p.saved_per_miss:.0f}")
            for p in rows
        ]  # fmt: skip
    return out
