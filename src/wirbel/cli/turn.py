"""One study's turn among several: its outcome, whatever happens."""

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from wirbel.cli.exit import DEBUG, line_of
from wirbel.cli.one_study import Engine, Step, analyse_study, engine_of
from wirbel.cli.order import Order
from wirbel.cli.outcome import Outcome
from wirbel.cli.progress import no_steps
from wirbel.errors import InputRejected

OpenEngine = Callable[[Order, int | None], Engine]


@dataclass(frozen=True, slots=True)
class Turn:
    """A study and its place; `repr` names no file. `masks` are those that the call brings."""

    name: str
    path: Path
    out: Path
    masks: Path | None = None

    def __repr__(self) -> str:
        return "Turn(...)"

    @property
    def inputs(self) -> tuple[Path, ...]:
        """What is read."""
        return (self.path,) if self.masks is None else (self.path, self.masks)


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """`wirbel.workers.Work` in this process, with an engine that is open; `steps` gives how to tell a study's."""

    order: Order
    engine: Engine
    steps: Callable[[str], Step]

    def __call__(self, turn: Turn, /, *, threads: int | None) -> Outcome:
        """The study's outcome; the engine has its threads."""
        return outcome_of(turn, self.order, lambda: self.engine, self.steps(turn.name))


@dataclass(frozen=True, slots=True, eq=False)
class Unwatched:
    """`wirbel.workers.Work` in other processes, each of which opens its own engine once."""

    order: Order
    open_engine: OpenEngine = engine_of

    def __call__(self, turn: Turn, /, *, threads: int | None) -> Outcome:
        """The study's outcome."""
        return outcome_of(turn, self.order, lambda: _opened(self, threads), no_steps)


def outcome_of(turn: Turn, order: Order, engine: Callable[[], Engine], step: Step) -> Outcome:
    """The study's outcome, whatever happens but an interruption."""
    path = turn.path
    try:
        return analyse_study(path, turn.out, order, engine(), step)
    except Exception as exc:  # noqa: BLE001  # the edge where one bad study is set aside
        if os.environ.get(DEBUG):
            traceback.print_exc()
        message, code = line_of(exc)
        if path.name not in message:
            message = f"{path.name}: {message}"
        refused = exc.code if isinstance(exc, InputRejected) else None
        return Outcome(turn.name, code, " ".join(message.split()), code=refused)


@lru_cache(maxsize=1)
def _opened(work: Unwatched, threads: int | None) -> Engine:
    """One engine a process."""
    return work.open_engine(work.order, threads)
