"""What a report is made of: tables whose cells are figures, pictures, sections; and how a figure is printed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from wirbel.evaluation import Estimate, NotEstimable
from wirbel.evaluation.pages import number

#: Cases from which 3/n comes near the exact limit 1 - 0.05^(1/n); below, the interval says it alone.
RULE_OF_THREE_FROM = 20


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of` with the interval; where nothing (or everything) was hit, the rule of three says what that
    still allows."""

    hits: int
    of: int
    estimate: Estimate | NotEstimable

    def __str__(self) -> str:
        if isinstance(self.estimate, NotEstimable):
            return f"{self.hits}/{self.of} ({self.estimate.reason})"
        text = f"{self.hits}/{self.of} {interval_text(self.estimate)}"
        if self.hits not in (0, self.of) or self.of < RULE_OF_THREE_FROM:
            return text
        allowed = 3.0 / self.of
        return f"{text}; 3/n: {'≤' if self.hits == 0 else '≥'} {allowed if self.hits == 0 else 1 - allowed:.3f}"


Cell = str | int | float | Estimate | NotEstimable | Share


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the first `keys` columns name the row, the others hold figures. `note` says how to read it.

    `printed` tables are the study's own, of real patients.
    """

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    keys: int = 2
    note: str = ""
    printed: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn figure: SVG or PNG bytes, by the ending of `name`."""

    name: str
    caption: str
    data: bytes

    @property
    def is_svg(self) -> bool:
        """Else PNG."""
        return self.name.endswith(".svg")


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences, then tables, then pictures."""

    title: str
    sentences: tuple[str, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report. `simulated` puts the word at every table and figure; `foot` are digests and settings."""

    title: str
    simulated: bool
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    foot: tuple[tuple[str, str], ...] = field(default=())

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """Every table, in order."""
        return tuple(sheet for section in self.sections for sheet in section.sheets)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every figure, in order."""
        return tuple(picture for section in self.sections for picture in section.pictures)


def cell_text(cell: Cell) -> str:
    """A cell as it is printed."""
    if isinstance(cell, Estimate):
        return interval_text(cell)
    if isinstance(cell, NotEstimable):
        return f"– ({cell.reason})"
    return number(cell) if isinstance(cell, float) else str(cell)


def interval_text(e: Estimate, digits: int = 3) -> str:
    """`0.823 (0.741 to 0.902)`; figures per thousand with one digit."""
    digits = 1 if abs(e.high) > 5 else digits
    return f"{number(e.value, digits)} ({number(e.low, digits)} to {number(e.high, digits)})"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
