"""Vertebrae that nobody should call malignant: normal, mimics, discitis; and lesions without fracture."""

from collections.abc import Sequence

import numpy as np

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm, Case
from wirbel.cohort.appraisal.model import Model, Rule, units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Sheet
from wirbel.cohort.labelled import Diagnosis

RULE_OF_THREE = (
    "Where none of n was hit, as many as 3/n may still be (rule of three, one-sided 95 %); it stands beside the "
    "count."
)


def unfractured_section(
    cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings
) -> Section:
    """The unfractured arms, and discitis."""
    sentences: list[str] = []
    sheets: list[Sheet] = []
    if cohort.unfractured is not None:
        sheets += [_suspicious(cohort.unfractured, models, settings), _areas(cohort.unfractured, models, settings)]
    else:
        sentences.append("No unfractured vertebra is in a test arm.")
    if cohort.discitis is not None:
        sheets.append(_discitis(cohort.discitis, models, settings))
    else:
        sentences.append("No spondylodiscitis is in a test arm.")
    return Section("Without fracture, and discitis", tuple(sentences), tuple(sheets))


def _suspicious(arm: Arm, models: Sequence[Model], settings: AppraisalSettings) -> Sheet:
    rows: list[tuple[Cell, ...]] = []
    for model in models:
        if model.scores.has(arm):
            rows += [(model.name, name, *_forced(arm.of(cases), model, settings)) for name, cases in _groups(arm)]
    return Sheet(
        "unfractured", "Unfractured vertebrae: called suspicious, and what a forced answer would say",
        ("model", "vertebrae", "cases", "suspicious (certified)", "forced: raw softmax ≥ 0.5",
         "forced: malignant by the authors' rule"),
        tuple(rows), keys=2,
        note="Only a model that learnt from normal vertebrae and has a calibration for unfractured ones may say "
        "suspicious; the others are forced here, to show what 'no deformity means malignant' does to them. "
        + RULE_OF_THREE,
    )  # fmt: skip


def _areas(arm: Arm, models: Sequence[Model], settings: AppraisalSettings) -> Sheet:
    units = units_of(arm, settings)
    rows = tuple(
        (arm.name, model.name, f"{units.malignant_count} / {units.other_count}",
         units.area(model.scores.log_odds_of(arm)))
        for model in models if model.scores.has(arm)
    )  # fmt: skip
    return Sheet(
        "unfractured_auc", "Unfractured vertebrae: malignant lesion against normal and mimic",
        ("arm", "model", "lesion / other", "AUC of the probabilities"), rows, keys=3,
    )  # fmt: skip


def _discitis(arm: Arm, models: Sequence[Model], settings: AppraisalSettings) -> Sheet:
    rows: list[tuple[Cell, ...]] = []
    units = units_of(arm, settings)
    for model in models:
        for rule in Rule:
            answers = model.answers(arm, rule, settings) if model.scores.has(arm) else None
            if answers is None:
                continue
            ended = units.share(~answers.decided)
            rows.append((
                model.name, rule.value, ended, units.share(answers.refused) if model.refuses else "not measured",
                units.share(answers.osteoporotic), units.share(answers.malignant),
                "yes" if ended.hits == ended.of else "no",
            ))  # fmt: skip
    return Sheet(
        "discitis", "Spondylodiscitis: neither answer is right",
        ("model", "rule", "uncertain or refused", "of these refused as unlike", "called osteoporotic",
         "called malignant", "all end uncertain or refused"),
        tuple(rows), keys=2,
        note="Refusal as unlike the calibration cohort needs the scorer's features; 'not measured' where the "
        "scores come without. " + RULE_OF_THREE,
    )  # fmt: skip


def _groups(arm: Arm) -> list[tuple[str, list[Case]]]:
    """By class, then the mimics by cause."""
    out: list[tuple[str, list[Case]]] = []
    for diagnosis in (Diagnosis.NORMAL, Diagnosis.MIMIC, Diagnosis.MALIGNANT_LESION):
        own = [c for c in arm.cases if c.diagnosis is diagnosis]
        if own:
            out.append((diagnosis.value.replace("_", " "), own))
        causes = sorted({c.cause for c in own if c.cause != diagnosis.value})
        out += [(f"… {cause.replace('_', ' ')}", [c for c in own if c.cause == cause]) for cause in causes]
    return out


def _forced(arm: Arm, model: Model, settings: AppraisalSettings) -> tuple[Cell, ...]:
    units = units_of(arm, settings)
    suspicious = model.suspicious(arm)
    authors = model.answers(arm, Rule.AUTHORS, settings)
    raw = np.asarray(model.scores.log_odds_of(arm) >= settings.operating_log_odds)
    return (
        len(arm.cases), "may not speak" if suspicious is None else units.share(suspicious), units.share(raw),
        "–" if authors is None else units.share(authors.malignant),
    )  # fmt: skip
