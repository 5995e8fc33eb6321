"""What is wrong in a cohort: where, what, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a problem matters."""

    ERROR = "error"
    """The cohort contradicts itself: nothing should be trained or tested on it."""
    NOTE = "note"
    """Worth knowing; nothing has to be done."""


class Code(StrEnum):
    """Every kind of problem; JSON carries the name."""

    # the table
    NO_TABLE = "no_table"
    UNKNOWN_CLASS = "unknown_class"
    UNKNOWN_LEVEL = "unknown_level"
    UNKNOWN_SOURCE = "unknown_source"
    UNKNOWN_WORD = "unknown_word"
    MISSING_VALUE = "missing_value"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    TWICE = "twice"
    CONTRADICTION = "contradiction"
    # patients and splits
    LEAK = "leak"
    SAME_IMAGE = "same_image"
    ONE_CLASS = "one_class"
    TOO_FEW_PATIENTS = "too_few_patients"
    SEVERAL_FRACTURES_IN_TEST = "several_fractures_in_test"
    NO_HEALTHY_VERTEBRAE = "no_healthy_vertebrae"
    # images, masks and centroids
    NO_IMAGE = "no_image"
    WHICH_IMAGE = "which_image"
    NO_MASK = "no_mask"
    IMAGE_REFUSED = "image_refused"
    MASK_REFUSED = "mask_refused"
    GRID_DIFFERS = "grid_differs"
    ILLEGAL_LABEL = "illegal_label"
    NOT_IN_MASK = "not_in_mask"
    CUT_BY_BORDER = "cut_by_border"
    NO_CENTROID = "no_centroid"
    CENTROID_ELSEWHERE = "centroid_elsewhere"
    UNUSED_IMAGE = "unused_image"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of a check. `where` names file, line and column as far as they apply; lines count from 1."""

    code: Code
    severity: Severity
    where: str
    sentence: str

    @property
    def text(self) -> str:
        """One line for people."""
        return f"{self.where}: {self.sentence}"

    def as_plain(self) -> dict[str, str]:
        """For JSON."""
        return {
            "code": self.code.value,
            "severity": self.severity.value,
            "where": self.where,
            "sentence": self.sentence,
        }


def error(code: Code, where: str, sentence: str) -> Problem:
    """A contradiction."""
    return Problem(code, Severity.ERROR, where, sentence)


def note(code: Code, where: str, sentence: str) -> Problem:
    """Something worth knowing."""
    return Problem(code, Severity.NOTE, where, sentence)
