"""The table's cells, one reader each: a value, nothing, or a sentence on what is wrong."""

import math
import re
from enum import StrEnum
from typing import TypeVar

from wirbel.cohort.labelled import Contrast, Diagnosis, Sex, Source, Split
from wirbel.cohort.problem import Code
from wirbel.spine import Level

E = TypeVar("E", bound=StrEnum)

#: BIDS writes n/a where there is nothing.
EMPTY = frozenset({"", "n/a"})
#: Limits of what a cell may hold.
OLDEST_YEARS, LONGEST_MONTHS, FARTHEST_DAYS, MOST_FOLDS = 120.0, 600.0, 36_500.0, 100.0
_SEXES = {
    "f": Sex.FEMALE, "female": Sex.FEMALE, "w": Sex.FEMALE, "m": Sex.MALE, "male": Sex.MALE, "o": Sex.OTHER,
}  # fmt: skip


class BadCell(ValueError):
    """A cell that cannot be used; the sentence says why and what to write instead."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def is_empty(cell: str) -> bool:
    """Whether nothing is said."""
    return cell.strip().lower() in EMPTY


def patient_of(cell: str) -> str:
    """A patient's name as in `sub-<patient>`; the prefix may be there or not."""
    name = cell.strip().removeprefix("sub-")
    if is_empty(name):
        raise BadCell(Code.MISSING_VALUE, "no patient: write the name that follows sub- in the folder's name")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise BadCell(
            Code.UNKNOWN_WORD, "a patient's name has letters, digits and hyphens only (BIDS): rename the patient"
        )
    return name


def level_of(cell: str) -> Level:
    """C1 to S1; Th12 is T12."""
    name = re.sub(r"^TH(?=\d)", "T", cell.strip().upper())
    if name in Level.__members__:
        return Level[name]
    raise BadCell(Code.UNKNOWN_LEVEL, f"{cell!r} is no vertebra: write C1 to C7, T1 to T13, L1 to L6 or S1")


def diagnosis_of(cell: str) -> Diagnosis:
    """The class."""
    return _word(cell, Diagnosis, Code.UNKNOWN_CLASS, "class")


def sources_of(cell: str) -> tuple[Source, ...]:
    """One or more sources, separated by semicolons; none where the cell is empty."""
    if is_empty(cell):
        return ()
    words = [_word(part, Source, Code.UNKNOWN_SOURCE, "source") for part in cell.split(";") if part.strip()]
    return tuple(dict.fromkeys(words))


def sex_of(cell: str) -> Sex | None:
    """F, M or O."""
    if is_empty(cell):
        return None
    if cell.strip().lower() not in _SEXES:
        raise BadCell(Code.UNKNOWN_WORD, f"{cell!r} is no sex: write F, M or O, or leave the cell empty")
    return _SEXES[cell.strip().lower()]


def contrast_of(cell: str) -> Contrast | None:
    """None, oral, arterial, portal_venous or yes."""
    return None if is_empty(cell) else _word(cell, Contrast, Code.UNKNOWN_WORD, "contrast")


def split_of(cell: str) -> Split | None:
    """Train, calibration, test or external."""
    return None if is_empty(cell) else _word(cell, Split, Code.UNKNOWN_WORD, "split")


def text_of(cell: str) -> str | None:
    """Free text."""
    return None if is_empty(cell) else cell.strip()


def fold_of(cell: str) -> int | None:
    """A fold's number, from 1."""
    number = number_of(cell, 1.0, MOST_FOLDS, "fold")
    if number is not None and number != int(number):
        raise BadCell(Code.OUT_OF_RANGE, f"fold {cell!r} is no whole number: write 1, 2, ...")
    return None if number is None else int(number)


def number_of(cell: str, low: float, high: float, what: str) -> float | None:
    """A finite number within limits; nothing where the cell is empty."""
    if is_empty(cell):
        return None
    try:
        number = float(cell.strip().replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadCell(
            Code.NOT_A_NUMBER, f"{cell!r} is not a number: write the {what}, or leave the cell empty if not known"
        )
    if not low <= number <= high:
        raise BadCell(Code.OUT_OF_RANGE, f"{what} {number:g} is outside {low:g} to {high:g}: correct it")
    return number


def _word(cell: str, kind: type[E], code: Code, what: str) -> E:
    word = re.sub(r"[\s/-]+", "_", cell.strip().lower())
    if word in {member.value for member in kind}:
        return kind(word)
    known = ", ".join(member.value for member in kind)
    if is_empty(cell):
        raise BadCell(Code.MISSING_VALUE, f"no {what}: write one of {known}")
    raise BadCell(code, f"{cell.strip()!r} is no {what}: write one of {known}")
