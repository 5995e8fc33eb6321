"""Clinical data from a file: of one patient, or a table of many; bad input is one sentence and names no patient."""

import csv
import io
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from wirbel.errors import UsageError
from wirbel.etiology.clinical import Clinical, Sex

#: What may stand in a file: two columns that say whose row it is, and what is known.
KEYS, FACTS = ("patient", "study"), ("age", "sex", "known_cancer")
SEXES: Mapping[str, Sex] = {
    "f": Sex.FEMALE, "female": Sex.FEMALE, "m": Sex.MALE, "male": Sex.MALE, "o": Sex.OTHER, "other": Sex.OTHER,
}  # fmt: skip
YES, NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})
UNKNOWN = frozenset({"", "unknown", "n/a", "na", "none", "null"})


@dataclass(frozen=True, slots=True)
class ClinicalRow:
    """One row: whose it is (both empty: of the one patient there is), and what is known."""

    patient: str
    study: str
    clinical: Clinical

    def __repr__(self) -> str:
        return "ClinicalRow(...)"


@dataclass(frozen=True, slots=True)
class ClinicalTable:
    """The rows of a file."""

    rows: tuple[ClinicalRow, ...]

    @property
    def is_of_one(self) -> bool:
        """Whether it is one row that does not say whose it is."""
        return len(self.rows) == 1 and not self.rows[0].patient and not self.rows[0].study

    def of(self, *, patient: str | None, study: Collection[str]) -> Clinical:
        """What is known of a study's patient: by a name of the study, else by the patient's id; else nothing.

        Raises `UsageError` where two rows fit and say different things.
        """
        if self.is_of_one:
            return self.rows[0].clinical
        named = [row for row in self.rows if row.study and row.study in study]
        found = named or [row for row in self.rows if row.patient and not row.study and row.patient == patient]
        if len({row.clinical for row in found}) > 1:
            raise UsageError("the clinical file has several rows that fit this study and differ: keep one")
        if found and found[0].patient and patient is not None and found[0].patient != patient:
            raise UsageError("the clinical file names another patient for this study than its CT does: correct it")
        return found[0].clinical if found else Clinical()


def read_clinical(text: str) -> ClinicalTable:
    """A JSON object or list of objects, or a CSV text (comma, semicolon or tab) with a header.

    Names: patient, study (whose), age (years), sex (F, M, O), known_cancer (yes, no); empty is unknown. Raises
    `UsageError`, naming the row, for anything else.
    """
    plain = text.removeprefix("\ufeff").strip()
    rows = _json_rows(plain) if plain[:1] in ("{", "[") else _csv_rows(plain)
    if not rows:
        raise UsageError("the clinical file has no rows: give at least one of age, sex, known_cancer")
    table = ClinicalTable(tuple(_row(row, f"row {i}") for i, row in enumerate(rows, start=1)))
    if len(table.rows) > 1 and any(not row.patient and not row.study for row in table.rows):
        raise UsageError("the clinical file has several rows: each needs a patient or a study")
    return table


def _json_rows(text: str) -> Sequence[Mapping[str, str]]:
    try:
        plain = json.loads(text)
    except json.JSONDecodeError as exc:
        raise UsageError(f"the clinical file is no JSON ({exc.msg}, line {exc.lineno})") from None
    rows = plain if isinstance(plain, list) else [plain]
    if not all(isinstance(row, dict) for row in rows):
        raise UsageError("the clinical file must hold an object, or a list of objects")
    return [{name: _cell(value) for name, value in row.items()} for row in rows]


def _cell(value: object) -> str:
    """A JSON value as a table would have it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _csv_rows(text: str) -> Sequence[Mapping[str, str]]:
    first = text.split("\n", 1)[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if any(line)]
    if len(lines) < 2:
        raise UsageError("the clinical file has no rows: a header and at least one row are needed")
    header = [name.strip().lower() for name in lines[0]]
    for i, line in enumerate(lines[1:], start=1):
        if len(line) != len(header):
            raise UsageError(f"the clinical file, row {i}: {len(line)} cells, the header has {len(header)}")
    return [dict(zip(header, map(str.strip, line), strict=True)) for line in lines[1:]]


def _row(row: Mapping[str, str], where: str) -> ClinicalRow:
    strange = [name for name in row if name not in (*KEYS, *FACTS)]
    if strange or not any(name in row for name in FACTS):
        said = f"{strange[0]!r} is unknown" if strange else "nothing is given"
        raise UsageError(f"the clinical file, {where}: {said}; write {', '.join((*KEYS, *FACTS))}")
    age, sex, cancer = ("" if row.get(n, "").lower() in UNKNOWN else row[n].strip().lower() for n in FACTS)
    if sex and sex not in SEXES:
        raise UsageError(f"the clinical file, {where}: sex {sex!r} is none of F, M, O; leave it empty if unknown")
    if cancer and cancer not in YES | NO:
        raise UsageError(
            f"the clinical file, {where}: known_cancer {cancer!r} is neither yes nor no; leave it empty if unknown"
        )
    try:
        clinical = Clinical(_age(age), SEXES.get(sex), cancer in YES if cancer else None)
    except UsageError as exc:
        raise UsageError(f"the clinical file, {where}: {exc}") from None
    return ClinicalRow(row.get("patient", "").strip(), row.get("study", "").strip(), clinical)


def _age(cell: str) -> float | None:
    if not cell:
        return None
    try:
        years = float(cell.replace(",", "."))
    except ValueError:
        years = math.nan
    if not math.isfinite(years):
        raise UsageError(f"age {cell!r} is no number of years: leave it empty if unknown")
    return years
