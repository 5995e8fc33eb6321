"""Work that tests send to other processes: these import it by this name (`pythonpath` of pytest's settings)."""

import os
import signal
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Chore:
    """`what` is done with a number; `home` is where it notes what a test looks at."""

    what: str
    number: int
    home: Path
    inputs: tuple[Path, ...] = ()

    @property
    def trace(self) -> Path:
        """Gets the process id of whoever begins, a line each."""
        return self.home / f"chore-{self.number}"

    def begins(self) -> int:
        """How often it was begun."""
        return len(self.trace.read_text().split()) if self.trace.exists() else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a chore."""

    square: int
    pid: int
    threads: int | None


@dataclass(frozen=True, slots=True)
class Chores:
    """Squares numbers; some take their process down, some wait to be let go on."""

    def __call__(self, chore: Chore, /, *, threads: int | None) -> Answer:
        """The answer."""
        with chore.trace.open("a") as file:
            file.write(f"{os.getpid()}\n")
        if chore.what == "die" or (chore.what == "die once" and chore.begins() == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if chore.what == "raise":
            raise ValueError("Mustermann^Erika")
        if chore.what == "wait" and chore.begins() == 1:
            wait_for(chore.home / "go on")
        return Answer(chore.number**2, os.getpid(), threads)


def pretend_version(version: str) -> None:
    """Have this process say that it has another wirbel."""
    import_module("wirbel.workers.turn").__version__ = version


def wait_for(path: Path, patience_s: float = 60.0) -> None:
    """Until the file is there."""
    until = time.monotonic() + patience_s
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
