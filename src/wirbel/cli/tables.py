"""What `wirbel analyze` prints at the end."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wirbel.cli.outcome import Outcome, VertebraLine
from wirbel.finding import Verdict

RESEARCH = "Research use only. Not a medical device."
STYLE = {
    Verdict.FRACTURE.value: "bold red",
    Verdict.BORDERLINE.value: "yellow",
    Verdict.HEIGHT_LOSS.value: "blue",
    Verdict.NOT_ASSESSED.value: "dim",
}


def study_table(outcome: Outcome) -> None:
    """The vertebrae of one study, and where the report lies."""
    console = _console()
    table = Table(box=box.SIMPLE, pad_edge=False)
    for head, side in (
        ("level", "left"), ("ant / mid / post mm", "right"), ("loss", "right"), ("grade", "left"), ("HU", "right"),
        ("verdict", "left"),
    ):  # fmt: skip
        table.add_column(head, justify=side)  # type: ignore[arg-type]  # left or right
    for line in outcome.vertebrae:
        table.add_row(*map(escape, _cells(line)), style=STYLE.get(line.verdict))
    console.print(table)
    console.print(f"numbering: {outcome.numbering}", highlight=False)
    console.print(f"report: {outcome.out}{'/report.html'}", highlight=False, soft_wrap=True, markup=False)
    console.print(RESEARCH)


def batch_table(outcomes: Sequence[Outcome], out: Path) -> None:
    """One line a study: what was found, or why not."""
    console = _console()
    table = Table(box=box.SIMPLE, pad_edge=False)
    for head in ("study", "vertebrae", "fractures", "borderline", "not assessed", "outcome"):
        table.add_column(head, overflow="fold")
    for outcome in outcomes:
        table.add_row(*map(escape, _summary(outcome)), style=None if outcome.is_done else "red")
    console.print(table)
    failed = sum(not o.is_done for o in outcomes)
    console.print(f"{len(outcomes) - failed} of {len(outcomes)} studies done; results in {out}", highlight=False)
    console.print(RESEARCH)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=140)


def _cells(line: VertebraLine) -> tuple[str, ...]:
    heights = "-" if line.heights_mm is None else " / ".join(f"{h:.1f}" for h in line.heights_mm)
    density = "-" if line.median_hu is None else f"{line.median_hu:.0f}"
    return line.name, heights, line.loss, line.grade, density, line.verdict_word


def _summary(outcome: Outcome) -> tuple[str, ...]:
    if not outcome.is_done:
        return outcome.name, "", "", "", "", f"failed ({outcome.exit_code}): {outcome.message}"
    named = [
        ", ".join(outcome.names(v)) or "none" for v in (Verdict.FRACTURE, Verdict.BORDERLINE, Verdict.NOT_ASSESSED)
    ]
    return outcome.name, str(len(outcome.vertebrae)), *named, "done"
