"""Model against model on the same cases: areas by DeLong, calls by McNemar, corrected for their number."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float64

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm
from wirbel.cohort.appraisal.model import Model, units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Sheet
from wirbel.evaluation import (
    Comparison,
    Estimate,
    NotEstimable,
    Significance,
    compare_clustered_auc,
    compare_clustered_proportions,
    compare_paired_auc,
    compare_paired_calls,
    holm,
    permutation_test_paired_auc,
)
from wirbel.evaluation.pages import number

Compared = Comparison | Significance | NotEstimable


def comparison_section(
    cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings
) -> Section:
    """All pairs on the arms for conclusions."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.conclusion_arms:
        rows += _pairs(arm, [m for m in models if m.scores.has(arm)], settings)
    if not rows:
        return Section("Model against model", ("One model was given: there is nothing to compare.",))
    sheet = Sheet(
        "comparisons", "Differences between models, first − second",
        ("arm", "first", "second", "AUC of the probabilities", "p", "p, Holm", "sensitivity", "p", "p, Holm",
         "specificity", "p", "p, Holm"),
        tuple(rows), keys=3,
        note="AUC: DeLong, paired (clustered where patients have several vertebrae; permutation where nothing "
        "varies). Sensitivity and specificity at the operating point of Table 4: McNemar exact, Newcombe's paired "
        "interval. Holm corrects within one arm and one figure for the number of pairs; intervals are not "
        "corrected, and neither is the primary comparison above.",
    )  # fmt: skip
    return Section("Model against model", sheets=(sheet,))


def compare_areas(first: Model, second: Model, arm: Arm, settings: AppraisalSettings) -> Compared:
    """The difference of two models' areas on an arm."""
    units = units_of(arm, settings)
    a, b = first.scores.log_odds_of(arm), second.scores.log_odds_of(arm)
    try:
        if units.patients is None:
            return compare_paired_auc(units.malignant, a, b, level=settings.level)
        return compare_clustered_auc(units.malignant, a, b, units.patients, level=settings.level)
    except ValueError:
        rng = np.random.default_rng(settings.seed)
        return permutation_test_paired_auc(units.malignant, a, b, rng=rng, clusters=units.patients)


def p_of(compared: Compared) -> float | None:
    """The p value, where there is one."""
    if isinstance(compared, NotEstimable):
        return None
    return compared.test.p if isinstance(compared, Comparison) else compared.p


def _pairs(arm: Arm, models: Sequence[Model], settings: AppraisalSettings) -> list[tuple[Cell, ...]]:
    pairs = list(combinations(models, 2))
    columns = [
        [compare_areas(a, b, arm, settings) for a, b in pairs],
        [_calls(a, b, arm, arm.malignant, settings) for a, b in pairs],
        [_calls(a, b, arm, ~arm.malignant, settings) for a, b in pairs],
    ]
    shown = [_corrected(column) for column in columns]
    return [
        (arm.name, a.name, b.name, *(cell for column in shown for cell in column[k]))
        for k, (a, b) in enumerate(pairs)
    ]


def _calls(
    first: Model, second: Model, arm: Arm, of: Bool[np.ndarray, "n"], settings: AppraisalSettings
) -> Compared:
    """Shares of right calls among the cases `of`."""
    units, cut = units_of(arm, settings), settings.operating_log_odds

    def right(scores: Float64[np.ndarray, "n"]) -> Bool[np.ndarray, "m"]:
        return np.asarray((scores >= cut) == arm.malignant)[of]

    a, b = right(first.scores.log_odds_of(arm)), right(second.scores.log_odds_of(arm))
    try:
        if units.patients is None:
            return compare_paired_calls(a, b, level=settings.level)
        return compare_clustered_proportions(a, b, units.patients[of], level=settings.level)
    except ValueError as exc:
        return NotEstimable(str(exc))


def _corrected(column: Sequence[Compared]) -> list[tuple[Cell, Cell, Cell]]:
    """Difference, p and Holm's p of each pair."""
    p_values = [p for p in map(p_of, column) if p is not None]
    adjusted = iter(holm(p_values).tolist() if p_values else [])
    out: list[tuple[Cell, Cell, Cell]] = []
    for compared in column:
        p = p_of(compared)
        if p is None:
            out.append((difference_of(compared), "–", "–"))
        else:
            out.append((difference_of(compared), p_text(p), p_text(next(adjusted))))
    return out


def difference_of(compared: Compared) -> Estimate | NotEstimable | str:
    """The difference with its interval, or what stands in its place."""
    if isinstance(compared, Comparison):
        return compared.difference
    return compared if isinstance(compared, NotEstimable) else number(compared.statistic)


def p_text(p: float) -> str:
    """Three digits, never 0."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
