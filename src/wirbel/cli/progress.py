"""What long work shows on a terminal; nothing where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@dataclass(frozen=True, slots=True, eq=False)
class Display:
    """`study(name)` announces the next study and gives back how to tell its steps; `line` prints below it."""

    study: Callable[[str], Callable[[str], None]]
    line: Callable[[str], None]


@contextmanager
def display(studies: int, *, quiet: bool) -> Iterator[Display]:
    """A display on standard error while the block runs; lines alone where that is no terminal or `quiet`."""
    console = Console(stderr=True, highlight=False)
    if quiet or not sys.stderr.isatty():
        yield Display(lambda _name: no_steps, _line)
        return
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    if studies > 1:
        columns.insert(3, MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=studies if studies > 1 else None)
        begun = 0

        def study(name: str) -> Callable[[str], None]:
            nonlocal begun
            progress.update(task, completed=begun if studies > 1 else 0)
            begun += 1
            return lambda step: progress.update(task, description=f"{name}: {step}")

        yield Display(study, lambda text: progress.console.print(text, markup=False, soft_wrap=True))


def no_steps(_step: str) -> None:
    """Steps that nobody watches."""


def _line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
