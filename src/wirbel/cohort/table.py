"""The one table of a cohort: text in, labelled vertebrae and every problem out; nothing is lost on the way back."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from wirbel.cohort import cells
from wirbel.cohort.cells import BadCell
from wirbel.cohort.labelled import LabelledVertebra, UnreadRow
from wirbel.cohort.problem import Problem, error
from wirbel.errors import DeliveryError, InputRejected, UsageError

#: Names under which a cohort's table is looked for.
TABLE_NAMES = ("cohort.tsv", "cohort.csv")
REQUIRED = ("patient", "vertebra", "class", "source")
OPTIONAL = (
    "follow_up_months", "pet_ct_days", "age", "sex", "scanner", "contrast", "site", "split", "fold", "image",
)  # fmt: skip
COLUMNS = (*REQUIRED, *OPTIONAL)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CohortTable:
    """The table as text and as read.

    `columns` and `rows` are the file's own, foreign columns and empty lines included. `vertebrae` are the rows
    that could be read, `unread` the others; `problems` has every bad cell.
    """

    name: str
    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    vertebrae: tuple[LabelledVertebra, ...]
    unread: tuple[UnreadRow, ...]
    problems: tuple[Problem, ...]

    def checked(self) -> "CohortTable":
        """The table itself when every cell could be read; else `InputRejected` with the first bad one."""
        if self.problems:
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            raise InputRejected(f"{self.problems[0].text}{more}", code=self.problems[0].code.value.upper())
        return self


def find_table(folder: Path) -> Path:
    """The table of a cohort's folder; `UsageError` where there is none, or more than one."""
    if not folder.is_dir():
        raise UsageError(f"{folder.name!r} is no folder: name the folder that holds rawdata and {TABLE_NAMES[0]}")
    found = [folder / name for name in TABLE_NAMES if (folder / name).is_file()]
    if len(found) > 1:
        raise UsageError(f"{folder.name!r} holds {' and '.join(TABLE_NAMES)}: keep one, or say --table")
    if not found:
        raise UsageError(
            f"{folder.name!r} has no {TABLE_NAMES[0]}: write one (columns {', '.join(REQUIRED)}, ...), name one "
            "with --table, or draft one with: wirbel cohort draft"
        )
    return found[0]


def read_table(path: Path) -> CohortTable:
    """A table from a TSV or CSV file with a header line.

    Raises `InputRejected` where the file is no table at all; bad cells come back as problems.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise InputRejected(f"{path.name}: no UTF-8 text: save it as CSV (UTF-8) or TSV") from exc
    except OSError as exc:
        raise DeliveryError(f"{path.name}: cannot be read ({exc.strerror})") from exc
    return table_from(text, path.name)


def table_from(text: str, name: str) -> CohortTable:
    """A table from its text; tabs, semicolons or commas between the cells."""
    first = text.split("\n", 1)[0]
    delimiter = next((mark for mark in "\t;" if mark in first), ",")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if not lines or not any(cell.strip() for cell in lines[0]):
        raise InputRejected(f"{name}: empty: a header line with {', '.join(REQUIRED)} and a row each are needed")
    columns = tuple(cell.strip().lower() for cell in lines[0])
    _check_columns(columns, name)
    rows = tuple(tuple(line) for line in lines[1:])
    numbers = [i for i, row in enumerate(rows, start=2) if any(cell.strip() for cell in row)]
    short = next((i for i in numbers if len(rows[i - 2]) != len(columns)), None)
    if short is not None:
        raise InputRejected(
            f"{name}, line {short}: {len(rows[short - 2])} cells, the header has {len(columns)}: "
            "add or remove separators"
        )
    read, unread, problems = [], [], []
    for line in numbers:
        row, bad = _row(dict(zip(columns, rows[line - 2], strict=True)), line, name)
        problems += bad
        if isinstance(row, LabelledVertebra):
            read.append(row)
        else:
            unread.append(row)
    return CohortTable(name, delimiter, columns, rows, tuple(read), tuple(unread), tuple(problems))


def table_text(columns: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str = "\t") -> str:
    """Columns and rows as text."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def with_cells(table: CohortTable, column: str, cells_by_line: Mapping[int, str]) -> CohortTable:
    """The table with cells of one column rewritten, by line of the file; a missing column is added at the end."""
    columns = table.columns if column in table.columns else (*table.columns, column)
    place = columns.index(column)
    rows = []
    for line, row in enumerate(table.rows, start=2):
        new = [*row, *[""] * (len(columns) - len(row))]
        new[place] = cells_by_line.get(line, new[place])
        rows.append(tuple(new) if any(cell.strip() for cell in new) else ())
    return table_from(table_text(columns, rows, table.delimiter), table.name)


def _check_columns(columns: tuple[str, ...], name: str) -> None:
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise InputRejected(
            f"{name}, line 1: no column {', '.join(missing)}; there are {', '.join(columns)}: rename or add it"
        )
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise InputRejected(f"{name}, line 1: column {', '.join(twice)} is there twice: remove one")


def _row(cell: Mapping[str, str], line: int, name: str) -> tuple[LabelledVertebra | UnreadRow, list[Problem]]:
    problems: list[Problem] = []

    def read(column: str, reader: Callable[[str], V]) -> V | None:
        try:
            return reader(cell.get(column, ""))
        except BadCell as exc:
            problems.append(error(exc.code, f"{name}, line {line}, {column}", str(exc)))
            return None

    def number(column: str, low: float, high: float, what: str) -> float | None:
        return read(column, lambda text: cells.number_of(text, low, high, what))

    patient = read("patient", cells.patient_of)
    level, diagnosis = read("vertebra", cells.level_of), read("class", cells.diagnosis_of)
    sources = read("source", cells.sources_of)
    rest = {
        "follow_up_months": number("follow_up_months", 0.0, cells.LONGEST_MONTHS, "follow-up in months"),
        "pet_ct_days": number("pet_ct_days", -cells.FARTHEST_DAYS, cells.FARTHEST_DAYS, "days from the fracture"),
        "age_years": number("age", 0.0, cells.OLDEST_YEARS, "age in years"),
    }
    sex, contrast = read("sex", cells.sex_of), read("contrast", cells.contrast_of)
    split, fold = read("split", cells.split_of), read("fold", cells.fold_of)
    if patient is None or level is None or diagnosis is None or sources is None:
        return UnreadRow(line, patient or f"line {line}"), problems
    entry = LabelledVertebra(
        line, patient, level, diagnosis, sources, **rest, sex=sex, contrast=contrast, split=split, fold=fold,
        scanner=cells.text_of(cell.get("scanner", "")),
        site=cells.text_of(cell.get("site", "")),
        image=cells.text_of(cell.get("image", "")),
    )  # fmt: skip
    return entry, problems
