"""Osteoporotic, malignant or uncertain, or why no answer is given."""

from dataclasses import dataclass
from enum import StrEnum

from wirbel.vertebra import NotMeasured


class Tier(StrEnum):
    """The three answers of Foreman et al. 2024."""

    OSTEOPOROTIC = "osteoporotic"
    MALIGNANT = "malignant"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Cause:
    """The answer for one vertebra; `answer` is a reason where nothing is said."""

    label: int
    answer: Tier | NotMeasured
    p_malignant: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Etiology:
    """One `Cause` a vertebra, in the column's order."""

    vertebrae: tuple[Cause, ...]
