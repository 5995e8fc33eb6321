"""Rows that contradict each other: a vertebra twice, one patient with two sexes, a patient in two splits."""

from collections.abc import Callable, Iterator, Sequence

from wirbel.cohort.labelled import LabelledVertebra
from wirbel.cohort.problem import Code, Problem, error
from wirbel.cohort.table import CohortTable

#: Ages in the rows of one CT may differ by as much (rounding, a birthday).
SAME_AGE_YEARS = 1.0


def disagreements(table: CohortTable) -> tuple[Problem, ...]:
    """Every contradiction between rows; each names the first row it was seen in, and the rows' lines."""
    of_patient: dict[str, list[LabelledVertebra]] = {}
    for v in table.vertebrae:
        of_patient.setdefault(v.patient, []).append(v)
    return tuple(problem for rows in of_patient.values() for problem in _in_patient(table.name, rows))


def _in_patient(table: str, rows: Sequence[LabelledVertebra]) -> Iterator[Problem]:
    yield from _twice(table, rows)
    yield from _differing(
        table, rows, "split", lambda v: v.split.value if v.split else "none", Code.LEAK,
        "one patient's vertebrae belong into one split: correct it, or split again",
    )  # fmt: skip
    yield from _differing(
        table, rows, "fold", lambda v: v.fold, Code.LEAK,
        "one patient's vertebrae belong into one fold: correct it, or split again",
    )  # fmt: skip
    yield from _differing(table, rows, "sex", lambda v: v.sex.value if v.sex else None)
    of_image: dict[str | None, list[LabelledVertebra]] = {}
    for v in rows:
        of_image.setdefault(v.image, []).append(v)
    for same in of_image.values():
        yield from _differing(table, same, "scanner", lambda v: v.scanner)
        yield from _differing(table, same, "contrast", lambda v: v.contrast.value if v.contrast else None)
        yield from _differing(table, same, "site", lambda v: v.site)
        ages = [v.age_years for v in same if v.age_years is not None]
        if ages and max(ages) - min(ages) > SAME_AGE_YEARS:
            yield _contradiction(table, same, "age", [f"{min(ages):g}", f"{max(ages):g}"])


def _twice(table: str, rows: Sequence[LabelledVertebra]) -> Iterator[Problem]:
    seen: list[LabelledVertebra] = []
    for v in rows:
        for other in seen:
            if other.level is v.level and (other.image == v.image or None in (other.image, v.image)):
                same = other.diagnosis is v.diagnosis
                classes = "" if same else f" ({other.diagnosis.value}, {v.diagnosis.value})"
                yield error(
                    Code.TWICE,
                    f"{table}, line {v.line}, vertebra",
                    f"{v.name} is in line {other.line} already{classes}: keep one row",
                )
                break
        seen.append(v)


def _differing(
    table: str,
    rows: Sequence[LabelledVertebra],
    column: str,
    value: Callable[[LabelledVertebra], str | int | None],
    code: Code = Code.CONTRADICTION,
    cure: str = "one of them is wrong: correct it",
) -> Iterator[Problem]:
    told = list(dict.fromkeys(str(value(v)) for v in rows if value(v) is not None))
    if len(told) > 1:
        yield _contradiction(table, rows, column, told, code, cure)


def _contradiction(
    table: str,
    rows: Sequence[LabelledVertebra],
    column: str,
    told: Sequence[str],
    code: Code = Code.CONTRADICTION,
    cure: str = "one of them is wrong: correct it",
) -> Problem:
    lines = ", ".join(str(v.line) for v in rows[:8]) + (" ..." if len(rows) > 8 else "")
    sentence = f"sub-{rows[0].patient} has {' and '.join(told)}: {cure}"
    return error(code, f"{table}, lines {lines}, {column}", sentence)
