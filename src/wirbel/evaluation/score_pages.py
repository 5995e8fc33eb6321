"""Pages of one score against the truth, and of two scores of the same cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.abstention import risk_coverage
from wirbel.evaluation.accuracy import FIGURES, accuracy_table, confusion
from wirbel.evaluation.auc import AucInterval, auc
from wirbel.evaluation.clustered_accuracy import clustered_accuracy_table
from wirbel.evaluation.clustered_auc import clustered_auc, compare_clustered_auc, wald_clustered_auc
from wirbel.evaluation.clustered_shares import compare_clustered_proportions
from wirbel.evaluation.compare_auc import compare_paired_auc
from wirbel.evaluation.estimate import Comparison, Estimate, NotEstimable, Significance
from wirbel.evaluation.inputs import labelled_scores
from wirbel.evaluation.pages import Page, Table, number, p_value
from wirbel.evaluation.paired_calls import compare_paired_calls
from wirbel.evaluation.permutation import permutation_test_paired_auc
from wirbel.evaluation.plots import curve_drawing, roc_drawing

Floats = npt.NDArray[np.float64]
Patients = npt.NDArray[np.generic] | None
Compared = Comparison | Significance | NotEstimable
"""A difference with its test; the test alone, or the reason, where nothing varies."""


def score_page(
    name: str, truth: npt.ArrayLike, scores: npt.ArrayLike, *, patients: Patients = None,
    threshold: float | None = None, level: float = 0.95, rng: np.random.Generator,
) -> Page:
    """AUC of a score with its interval, and at a threshold what it calls; `patients` groups cases of one
    patient."""
    labels, values = labelled_scores(truth, scores)
    area = _area(labels, values, patients, level)
    rows: list[tuple[str, Estimate | NotEstimable]] = [("AUC", area), *_beside(labels, values, patients, level)]
    sentences = [f"In {_cases(labels, patients)} the AUC of {name} was {area.text(3)}; {area.method}."]
    drawings = [roc_drawing({name: (values, labels)}, rng=rng, patients=patients, level=level)]
    if threshold is not None:
        called = values >= threshold
        table = (
            accuracy_table(confusion(labels, called), level=level) if patients is None
            else clustered_accuracy_table(labels, called, patients, level=level)
        )
        figures = [(name.replace("_", " ").replace("f1", "F1"), getattr(table, name)) for name in FIGURES]
        rows += figures
        sens, spec = (
            f.text(3) if isinstance(f, Estimate) else str(f) for f in (table.sensitivity, table.specificity)
        )
        sentences.append(
            f"At a threshold of {threshold:g} it called {int(called[labels].sum())} of {int(labels.sum())} "
            f"diseased and {int(called[~labels].sum())} of {int((~labels).sum())} other cases: the sensitivity was "
            f"{sens} and the specificity {spec}."
        )
        curve = risk_coverage(called != labels, np.abs(values - threshold))
        drawings.append(
            curve_drawing(
                "risk-coverage",
                "Errors among the decided, the least certain left out first",
                curve.coverage,
                curve.risk,
                ("Share of cases decided", "Share of errors among them"),
            )
        )
    return Page(
        title=f"How well {name} tells the classes apart", sentences=tuple(sentences), tables=(_estimates(rows),),
        drawings=tuple(drawings), notes=(_patients_note(patients),) if patients is not None else (),
        numbers={key: e.to_json() for key, e in rows},
    )


def comparison_page(
    names: tuple[str, str], truth: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, *,
    patients: Patients = None, threshold: float | None = None, level: float = 0.95, rng: np.random.Generator,
) -> Page:
    """Two scores of the same cases: the difference of their AUC, and at a threshold of their calls."""
    labels, a = labelled_scores(truth, first)
    _, b = labelled_scores(truth, second)
    areas = [("AUC of " + n, _area(labels, s, patients, level)) for n, s in zip(names, (a, b), strict=True)]
    compared = _compare_areas(labels, a, b, patients, level, rng)
    tests: list[tuple[str, Compared]] = [("AUC", compared)]
    if threshold is not None:
        tests += [
            ("sensitivity", _compare_calls(a >= threshold, b >= threshold, labels, patients, level)),
            ("specificity", _compare_calls(a < threshold, b < threshold, ~labels, patients, level)),
        ]
    return Page(
        title=f"{names[0]} against {names[1]}",
        sentences=(
            f"The AUC was {areas[0][1].text(3)} for {names[0]} and {areas[1][1].text(3)} for {names[1]}; the "
            f"difference was {_verdict(compared, level)}; {_cases(labels, patients)}).",
        ),
        tables=(_estimates(areas), _comparisons(tests)),
        drawings=(
            roc_drawing(
                {names[0]: (a, labels), names[1]: (b, labels)}, rng=rng, patients=patients, level=level
            ),
        ),
        notes=(_patients_note(patients),) if patients is not None else (),
        numbers={
            "areas": {n: e.to_json() for n, e in areas},
            "differences": {n: c.to_json() for n, c in tests},
        },
    )


def _area(labels: npt.NDArray[np.bool_], values: Floats, patients: Patients, level: float) -> Estimate:
    if patients is None:
        return auc(labels, values, level=level)
    return clustered_auc(labels, values, patients, level=level)


def _beside(
    labels: npt.NDArray[np.bool_], values: Floats, patients: Patients, level: float
) -> list[tuple[str, Estimate]]:
    """Intervals that papers often print, where they exist: without variance they refuse."""
    try:
        if patients is not None:
            return [("AUC, Wald", wald_clustered_auc(labels, values, patients, level=level))]
        return [
            (f"AUC, {m.value}", auc(labels, values, method=m, level=level))
            for m in (AucInterval.LOGIT_DELONG, AucInterval.DELONG)
        ]
    except ValueError:
        return []


def _compare_areas(
    labels: npt.NDArray[np.bool_],
    first: Floats,
    second: Floats,
    patients: Patients,
    level: float,
    rng: np.random.Generator,
) -> Comparison | Significance:
    """DeLong's comparison, or where the areas do not vary a permutation test."""
    try:
        if patients is None:
            return compare_paired_auc(labels, first, second, level=level)
        return compare_clustered_auc(labels, first, second, patients, level=level)
    except ValueError:
        return permutation_test_paired_auc(labels, first, second, rng=rng, clusters=patients)


def _compare_calls(
    first: npt.NDArray[np.bool_],
    second: npt.NDArray[np.bool_],
    of: npt.NDArray[np.bool_],
    patients: Patients,
    level: float,
) -> Comparison | NotEstimable:
    try:
        if patients is None:
            return compare_paired_calls(first[of], second[of], level=level)
        return compare_clustered_proportions(first[of], second[of], patients[of], level=level)
    except ValueError as exc:
        return NotEstimable(str(exc))


def _verdict(compared: Comparison | Significance, level: float) -> str:
    """The difference and its test, up to the open bracket's contents."""
    test = compared.test if isinstance(compared, Comparison) else compared
    shown = (
        compared.difference.text(3) if isinstance(compared, Comparison)
        else f"{number(compared.statistic)} (without an interval: nothing varies)"
    )
    significant = "" if test.p < 1 - level else "not "
    return f"{shown}, statistically {significant}significant ({p_value(test.p)}, {test.method}"


def _estimates(rows: Sequence[tuple[str, Estimate | NotEstimable]]) -> Table:
    return Table(
        "Estimates", ("figure", "value", "low", "high", "n", "method"),
        tuple(
            (name, number(e.value), number(e.low), number(e.high), str(e.n), e.method)
            if isinstance(e, Estimate) else (name, "-", "-", "-", "-", str(e))
            for name, e in rows
        ),
    )


def _comparisons(rows: Sequence[tuple[str, Compared]]) -> Table:
    return Table(
        "Differences, first − second", ("figure", "difference", "low", "high", "statistic", "p", "test"),
        tuple((name, *_comparison(c)) for name, c in rows),
    )


def _comparison(c: Compared) -> tuple[str, ...]:
    if isinstance(c, NotEstimable):
        return ("-", "-", "-", "-", "-", str(c))
    if isinstance(c, Significance):
        return (number(c.statistic), "-", "-", "-", number(c.p, 4), c.method)
    d, t = c.difference, c.test
    return (
        number(d.value), number(d.low), number(d.high), number(t.statistic, 2), number(t.p, 4), t.method
    )


def _cases(labels: npt.NDArray[np.bool_], patients: Patients) -> str:
    text = f"{int(labels.sum())} diseased and {int((~labels).sum())} other cases"
    return text if patients is None else f"{text} of {np.unique(patients).size} patients"


def _patients_note(patients: npt.NDArray[np.generic]) -> str:
    n = np.unique(patients).size
    return (
        f"Cases of one patient are not independent; intervals and tests allow for {n} patients, and n counts the"
        " patients that a figure rests on."
    )
