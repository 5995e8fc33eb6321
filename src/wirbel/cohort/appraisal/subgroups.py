"""Where a model is good and where not: by age, sex, region, contrast and scanner; small groups as counts only."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm, Case
from wirbel.cohort.appraisal.model import Model, Rule, units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Share, Sheet
from wirbel.evaluation import NotEstimable


def subgroup_section(cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings) -> Section:
    """Each model on the arms for conclusions."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.conclusion_arms:
        for model in models:
            if model.scores.has(arm):
                rows += _rows(arm, model, settings)
    sheet = Sheet(
        "subgroups", "Subgroups",
        ("arm", "model", "by", "group", "malignant / osteoporotic", "AUC of the probabilities", "sensitivity",
         "specificity", "coverage, certified", "missed, certified", "false alarm, certified"),
        tuple(rows), keys=4,
        note=f"Counts only where a class has fewer than {settings.least_of_a_class} cases. Sensitivity and "
        "specificity at the operating point of Table 4; missed and false alarm as shares of all malignant and all "
        "osteoporotic cases of the group. Nothing is tested here: with so many groups some differ by chance.",
    )  # fmt: skip
    return Section("Subgroups", sheets=(sheet,))


def region_of(vertebra: str) -> str:
    """Upper thoracic, thoracolumbar junction, or lower lumbar."""
    if vertebra in ("T10", "T11", "T12", "T13", "L1", "L2"):
        return "thoracolumbar T10 to L2"
    if vertebra.startswith("T"):
        return "thoracic T1 to T9"
    return "lumbar L3 and below" if vertebra.startswith("L") else f"other ({vertebra})"


def age_band(age_years: float | None, starts: Sequence[int]) -> str:
    """`under 60`, `60 to 69`, ... `80 and older`."""
    if age_years is None:
        return "not known"
    if age_years < starts[0]:
        return f"under {starts[0]}"
    for low, high in pairwise(starts):
        if age_years < high:
            return f"{low} to {high - 1}"
    return f"{starts[-1]} and older"


def _rows(arm: Arm, model: Model, settings: AppraisalSettings) -> list[tuple[Cell, ...]]:
    groupings: tuple[tuple[str, Callable[[Case], str]], ...] = (
        ("age, years", lambda c: age_band(c.age_years, settings.age_bands_years)),
        ("sex", lambda c: {"F": "women", "M": "men"}.get(c.sex, "not known")),
        ("region", lambda c: region_of(c.vertebra)),
        ("contrast", lambda c: c.contrast or "not known"),
        ("scanner", lambda c: c.scanner or "not known"),
    )
    out: list[tuple[Cell, ...]] = []
    for title, group_of in groupings:
        groups: dict[str, list[Case]] = {}
        for case in arm.cases:
            groups.setdefault(group_of(case), []).append(case)
        out += [
            (arm.name, model.name, title, name, *_figures(arm.of(cases), model, settings))
            for name, cases in sorted(groups.items(), key=lambda kv: (not kv[0].startswith("under"), kv[0]))
        ]
    return out


def _figures(group: Arm, model: Model, settings: AppraisalSettings) -> tuple[Cell, ...]:
    units, scores = units_of(group, settings), model.scores.log_odds_of(group)
    counts = f"{units.malignant_count} / {units.other_count}"
    if min(units.malignant_count, units.other_count) < settings.least_of_a_class:
        return (counts, *(("–",) * 6))
    called = scores >= settings.operating_log_odds
    answers = model.answers(group, Rule.CERTIFIED, settings)
    truth = group.malignant
    tiers: tuple[Share | NotEstimable, ...] = (NotEstimable("not calibrated"),) * 3
    if answers is not None:
        tiers = (
            units.share(answers.decided), units.share(answers.osteoporotic, truth),
            units.share(answers.malignant, ~truth),
        )  # fmt: skip
    return (
        counts, units.area(scores), units.share(np.asarray(called), truth), units.share(~called, ~truth), *tiers,
    )  # fmt: skip
