"""What a cluster's worker runs: one study at a time, as many threads as the worker has."""

import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from wirbel import __version__
from wirbel.errors import require
from wirbel.workers.notes import begin, read_work
from wirbel.workers.port import Lost, LostBy

#: Pictures and warnings of one process are no matter for several studies at once.
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True, slots=True)
class Presence:
    """What a worker has."""

    wirbel: str
    shares_the_folder: bool


@dataclass(frozen=True, slots=True, repr=False)
class Parcel:
    """An item and the paths it needs, closed: neither logs nor the scheduler show what is in it."""

    folder: str
    number: int
    wirbel: str
    attempts: int
    content: bytes

    def __repr__(self) -> str:
        return f"Parcel({self.number})"


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What came of an item, closed likewise."""

    result: Any

    def __repr__(self) -> str:
        return "Reply(...)"


def presence(folder: str) -> Presence:
    """Answers to whoever asks before work begins."""
    return Presence(__version__, _is_ours(folder))


def turn(parcel: Parcel) -> Reply:
    """Work on the item of a parcel; raises nothing, as Dask logs what is raised, and that may name a patient."""
    with _ONE_AT_A_TIME:
        try:
            return Reply(_result(parcel))
        except Exception as exc:  # noqa: BLE001  # the worker's edge
            return Reply(Lost(LostBy.DEFECT, f"a worker failed with {type(exc).__name__}"))


def _result(parcel: Parcel) -> Any:
    folder = Path(parcel.folder)
    if parcel.wirbel != __version__:
        return Lost(LostBy.OTHER_VERSION, f"a worker has wirbel {__version__}, here is {parcel.wirbel}")
    if not _is_ours(parcel.folder):
        return Lost(LostBy.NOT_IN_SIGHT, "a worker does not see the output folder, or may not write there")
    item, needed = pickle.loads(parcel.content)
    if not all(path.exists() for path in needed):
        return Lost(
            LostBy.NOT_IN_SIGHT,
            "a worker does not see this input at the path that it has here: all machines need the same file system",
        )
    note = begin(folder, parcel.number, parcel.attempts)
    if note is None:
        return died(parcel.attempts)
    try:
        return read_work(folder)(item, threads=_threads())
    finally:
        note.unlink(missing_ok=True)


def _is_ours(folder: str) -> bool:
    """Whether the folder is in sight, and this user may read and write in it."""
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def died(times: int) -> Lost:
    """Of an item that took its process down so often."""
    return Lost(LostBy.PROCESS_DIED, f"the process died {times} times: not enough memory?")


def _threads() -> int:
    worker = require("distributed", extra="cluster", feature="a worker").get_worker()
    return int(worker.state.nthreads)
