"""Reading tables as text: tidy CSV, the iMRMC form and Iowa's `.lrc`.

Both foreign forms are read as far as a text at hand shows them; what it does not show is refused, not guessed.

iMRMC (R package iMRMC 2.0, manual page `undoIMRMCdf`): "This data frame includes columns for readerID, caseID,
modalityID, score. Each row is a reader x case x modality observation from the study [...] For truth
specifications, the readerID needs to equal "truth" or "-1", modalityID can be anything [...], and score should be
0 for signal-absent normal case, 1 for signal-present disease case." In a file (sample DIDSR/iMRMC
`standalone_application/FilesTest-iMRMC/test.imrmc`) these rows stand after the line `BEGIN DATA:`; before it come
free text and the sizes `NR:`, `N0:`, `N1:`, `NM:`.

Iowa `.lrc` (sample dpc10ster/RJafroc `inst/extdata/datasets/VD.lrc`; no specification at hand): a title line; the
first reader's name; the quoted names of the treatments; `L` for each treatment (larger ratings mean disease); a
row for each non-diseased case with its ratings under each treatment and an optional case number; `*`; the
diseased cases; `*`; the next reader's name and rows; `#` at the end.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from wirbel.evaluation.mrmc.readings import Readings, readings_from_long


@dataclass(frozen=True, slots=True)
class ReadingColumns:
    """Names of the columns of a tidy table, one row for each reading."""

    reader: str = "reader"
    treatment: str = "treatment"
    case: str = "case"
    truth: str = "truth"
    rating: str = "rating"
    patient: str | None = None

    @property
    def names(self) -> list[str]:
        """All columns that are needed."""
        return [
            self.reader,
            self.treatment,
            self.case,
            self.truth,
            self.rating,
            *([self.patient] if self.patient else []),
        ]


def read_columns(text: str) -> dict[str, list[str]]:
    """The columns of a CSV text with a header line, as text; ValueError where it is empty or a row is short."""
    rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) if row]
    if len(rows) < 2:
        raise ValueError("the table is empty: a header line and at least one row are needed")
    header = [name.strip() for name in rows[0]]
    if len(set(header)) != len(header):
        raise ValueError(f"two columns have the same name: {', '.join(header)}")
    for i, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise ValueError(f"row {i} has {len(row)} entries, the header {len(header)}")
    return {name: [row[k].strip() for row in rows[1:]] for k, name in enumerate(header)}


def column(table: dict[str, list[str]], name: str) -> list[str]:
    """A named column, or a sentence with the names there are."""
    if name not in table:
        raise ValueError(f"the table has no column {name!r}; its columns are {', '.join(table)}")
    return table[name]


def numbers(table: dict[str, list[str]], name: str) -> list[float]:
    """A column as numbers; an entry that is none is named with its row."""
    out = []
    for i, entry in enumerate(column(table, name), start=1):
        try:
            out.append(float(entry))
        except ValueError:
            raise ValueError(f"column {name!r}, row {i}: {entry!r} is not a number") from None
    return out


def readings_from_csv(text: str, columns: ReadingColumns | None = None) -> Readings:
    """Readings from a tidy CSV; a row with an empty rating is a reading that was not made."""
    columns = columns if columns is not None else ReadingColumns()
    table = read_columns(text)
    made = [entry != "" for entry in column(table, columns.rating)]
    kept = {
        name: [entry for entry, m in zip(column(table, name), made, strict=True) if m] for name in columns.names
    }
    return readings_from_long(
        kept[columns.reader],
        kept[columns.treatment],
        kept[columns.case],
        numbers(kept, columns.truth),
        numbers(kept, columns.rating),
        patient=kept[columns.patient] if columns.patient else None,
    )


def readings_from_imrmc(text: str) -> Readings:
    """Readings from the iMRMC text form; the sizes in its head are checked where they are given."""
    lines = [line.strip() for line in text.splitlines()]
    start = next((i for i, line in enumerate(lines) if line.upper().startswith("BEGIN DATA")), None)
    if start is None:
        raise ValueError("no line 'BEGIN DATA:' found: this is not the iMRMC text form")
    truth: dict[str, float] = {}
    rows: list[tuple[str, str, str, float]] = []
    for i, line in enumerate(lines[start + 1 :], start=start + 2):
        if not line:
            continue
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != 4:
            raise ValueError(f"line {i}: reader, case, modality and score are expected, got {line!r}")
        try:
            score = float(parts[3])
        except ValueError:
            raise ValueError(f"line {i}: the score {parts[3]!r} is not a number") from None
        if parts[0] in ("-1", "truth"):
            if parts[1] in truth:
                raise ValueError(f"line {i}: the truth of case {parts[1]!r} is given a second time")
            truth[parts[1]] = score
        else:
            rows.append((parts[0], parts[1], parts[2], score))
    for _, case, _, _ in rows:
        if case not in truth:
            raise ValueError(f"case {case!r} has readings but no truth row (reader -1)")
    readings = readings_from_long(
        [r[0] for r in rows], [r[2] for r in rows], [r[1] for r in rows], [truth[r[1]] for r in rows],
        [r[3] for r in rows],
    )
    _check_sizes(lines[:start], readings, truth)
    return readings


def _check_sizes(head: list[str], readings: Readings, truth: dict[str, float]) -> None:
    found = {
        "NR": len(readings.readers),
        "NM": len(readings.treatments),
        "N0": sum(t == 0 for t in truth.values()),
        "N1": sum(t == 1 for t in truth.values()),
    }
    for line in head:
        name, _, value = line.partition(":")
        if name in found and value.strip().isdigit() and int(value) != found[name]:
            raise ValueError(f"the head says {name}: {int(value)}, the data have {found[name]}")


def readings_from_lrc(text: str) -> Readings:
    """Readings from Iowa's `.lrc` text; cases are numbered in the order of their rows, the same for every
    reader."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 5:
        raise ValueError("the text is too short for Iowa's .lrc form")
    treatments = next(csv.reader([lines[2].replace("\t", " ")], delimiter=" ", skipinitialspace=True))
    treatments = [t for t in treatments if t]
    directions = lines[3].split()
    if len(directions) != len(treatments):
        raise ValueError(
            f"{len(treatments)} treatments are named but {len(directions)} directions given ({lines[3]!r})"
        )
    if any(not d.upper().startswith("L") for d in directions):
        raise ValueError(f"only 'L' (larger ratings mean disease) is known here, got {lines[3]!r}")
    rows: list[tuple[str, str, int, int, float]] = []
    reader, diseased, case = lines[1], 0, 0
    body = lines[4:]
    for i, line in enumerate(body):
        if line == "#":
            break
        if line == "*":
            diseased += 1
            continue
        if diseased == 2:
            reader, diseased, case = line, 0, 0
            continue
        entries = line.split()
        if len(entries) not in (len(treatments), len(treatments) + 1):
            raise ValueError(
                f"line {i + 5}: {len(treatments)} ratings and a case number are expected, got {line!r}"
            )
        case += 1
        for treatment, entry in zip(treatments, entries, strict=False):
            try:
                rating = float(entry)
            except ValueError:
                raise ValueError(f"line {i + 5}: the rating {entry!r} is not a number") from None
            rows.append((reader, treatment, case, diseased, rating))
    return readings_from_long(
        [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows], [r[4] for r in rows]
    )
