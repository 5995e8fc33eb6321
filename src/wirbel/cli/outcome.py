"""What came of one study, small enough to keep for a thousand of them."""

from dataclasses import dataclass
from pathlib import Path

from wirbel.cli.exit import ExitCode
from wirbel.finding import Verdict
from wirbel.report.rows import rows_of
from wirbel.report.wording import Wording
from wirbel.vertebra import BodyHeights, Density
from wirbel.volume import Grid


@dataclass(frozen=True, slots=True)
class VertebraLine:
    """One vertebra of the table: words of the report's language, figures where measured."""

    name: str
    verdict: str
    verdict_word: str
    grade: str
    loss: str
    heights_mm: tuple[float, float, float] | None
    median_hu: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A study done (`exit_code` 0), or why not. `code` is the enumerated reason of a refusal."""

    name: str
    exit_code: int
    message: str
    out: Path | None = None
    code: str | None = None
    seconds: float | None = None
    numbering: str | None = None
    vertebrae: tuple[VertebraLine, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether there is a result."""
        return self.exit_code == ExitCode.DONE

    def names(self, verdict: Verdict) -> tuple[str, ...]:
        """The vertebrae with this verdict."""
        return tuple(line.name for line in self.vertebrae if line.verdict == verdict.value)

    def as_plain(self) -> dict[str, object]:
        """For JSON."""
        return {
            "input": self.name,
            "status": "done" if self.is_done else "failed",
            "exit_code": int(self.exit_code),
            "code": self.code,
            "message": self.message,
            "out": None if self.out is None else str(self.out),
            "seconds": self.seconds,
            "numbering": self.numbering,
            "vertebrae": [
                {
                    "name": line.name,
                    "verdict": line.verdict,
                    "grade": line.grade,
                    "heights_mm": line.heights_mm,
                    "median_hu": line.median_hu,
                }
                for line in self.vertebrae
            ],
        }


def lines_of(wording: Wording, grid: Grid) -> tuple[VertebraLine, ...]:
    """The table of a result."""
    lines = []
    for row in rows_of(wording, grid):
        heights, density = row.measures.heights, row.measures.density
        median = heights.median if isinstance(heights, BodyHeights) else None
        lines.append(
            VertebraLine(
                name=row.name,
                verdict=row.finding.verdict.value,
                verdict_word=row.verdict,
                grade=row.grade,
                loss=row.loss,
                heights_mm=(median.anterior_mm, median.middle_mm, median.posterior_mm) if median else None,
                median_hu=density.median_hu if isinstance(density, Density) else None,
            )
        )
    return tuple(lines)
