"""Work on a Dask cluster: its scheduler deals numbers out, its workers read and write the shared file system.

Dask sees parcels with numbers; which patient is in one is for the worker that opens it. A study whose worker dies
is done again by another. Which study it was that took its worker down is told by notes in a shared folder, as Dask
also suspects those that only waited there.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any

from wirbel import __version__
from wirbel.errors import ClusterError
from wirbel.workers.connection import FEATURE, ClusterSettings, connected
from wirbel.workers.notes import begun, packed, write_work
from wirbel.workers.port import Done, ItemT, Lost, LostBy, ResultT, Work
from wirbel.workers.shared_folder import shared_folder
from wirbel.workers.turn import Parcel, Presence, Reply, died, presence, turn

NO_SCHEDULER = Lost(LostBy.NO_SCHEDULER, "the cluster's scheduler is lost: run the command again")
NO_WORKER = Lost(LostBy.NO_WORKER, "the cluster has no workers any more: start some and run the command again")


@contextmanager
def on_cluster(address: str, home: Path, settings: ClusterSettings | None = None) -> Iterator["Cluster"]:
    """The cluster at a scheduler's address or scheduler file, for work whose results go below `home`.

    Raises `MissingExtra`, `UsageError` where `address` is none, and `ClusterError` where nobody answers, or a
    worker has another wirbel or does not see `home`.
    """
    settings = settings or ClusterSettings()
    with connected(address, settings) as (distributed, client), shared_folder(home) as folder:
        _check(client, folder)
        yield Cluster(distributed, client, folder, settings)


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """A `Spread` over the workers of a cluster, those included that come while it works."""

    distributed: ModuleType
    client: Any
    folder: Path
    settings: ClusterSettings

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self.client.nthreads())

    def __call__(self, work: Work[ItemT, ResultT], items: Sequence[ItemT], /) -> Iterator[Done[ResultT]]:
        """As they come; `Lost` for items that took down their workers, or when nobody is left to work."""
        folder = write_work(self.folder, work)
        run = _Run(self, folder, [_parcel(folder, n, item, self.settings) for n, item in enumerate(items)])
        try:
            yield from run.as_they_come()
        finally:
            run.give_up()


@dataclass(slots=True, eq=False)
class _Run:
    """The items of one call on their way."""

    cluster: Cluster
    folder: Path
    parcels: Sequence[Parcel]
    name: str = field(default_factory=lambda: f"wirbel-{secrets.token_hex(8)}")
    ended: SimpleQueue[int] = field(default_factory=SimpleQueue)
    running: dict[int, Any] = field(default_factory=dict)
    sent: dict[int, int] = field(default_factory=dict)
    alone_since: float | None = None

    def as_they_come(self) -> Iterator[Done[Any]]:
        """Send everything; each item's answer once."""
        for number in range(len(self.parcels)):
            self._send(number)
        while self.running:
            try:
                number = self.ended.get(timeout=self.cluster.settings.poll_s)
            except Empty:
                lost = self._nobody_left()
                if lost is not None:
                    yield from self._all_lost(lost)
                continue
            self.alone_since = None
            answer = self._answer(number)
            if answer is not None:
                del self.running[number]
                yield Done(number, answer.result)

    def give_up(self) -> None:
        """Have nobody begin what is not begun."""
        if self.running:
            with suppress(OSError, RuntimeError):
                self.cluster.client.cancel(list(self.running.values()), force=True)
        self.running.clear()

    def _send(self, number: int) -> None:
        times = self.sent[number] = self.sent.get(number, 0) + 1
        key = (self.name, number, times)
        self.running[number] = self.cluster.client.submit(turn, self.parcels[number], key=key, pure=False)
        self._listen(number)

    def _listen(self, number: int) -> None:
        self.running[number].add_done_callback(lambda _future: self.ended.put(number))

    def _answer(self, number: int) -> Reply | None:
        """What an item gives; None where it is on its way again.

        That is so where it only waited in a worker that others took down, or was done there and not fetched yet.
        """
        distributed, settings = self.cluster.distributed, self.cluster.settings
        try:
            reply = self.running[number].result(timeout=settings.answer_s)
        except distributed.KilledWorker:
            times = begun(self.folder, number, settings.attempts)
            if times >= settings.attempts or self.sent[number] >= settings.sendings:
                return Reply(died(max(times, 1)))
            self._send(number)
            return None
        except TimeoutError:
            self._listen(number)
            return None
        except (distributed.CancelledError, OSError):
            return Reply(NO_SCHEDULER)
        except Exception as exc:  # noqa: BLE001  # the edge of the worker: whatever it could not turn into a result
            return Reply(Lost(LostBy.DEFECT, f"a worker failed with {type(exc).__name__}"))
        return reply

    def _nobody_left(self) -> Lost | None:
        if self.cluster.client.status != "running":
            return NO_SCHEDULER if self.cluster.client.status in {"closed", "closing"} else None
        with suppress(OSError):
            if self.cluster.workers:
                self.alone_since = None
                return None
        now = time.monotonic()
        self.alone_since = self.alone_since or now
        return NO_WORKER if now - self.alone_since > self.cluster.settings.no_worker_s else None

    def _all_lost(self, lost: Lost) -> Iterator[Done[Any]]:
        numbers = sorted(self.running)
        self.give_up()
        for number in numbers:
            yield Done(number, lost)


def _parcel(folder: Path, number: int, item: ItemT, settings: ClusterSettings) -> Parcel:
    """An item that is not here either is not asked for there: its turn says what is wrong with it."""
    needed = tuple(path for path in item.inputs if path.exists())
    return Parcel(str(folder), number, __version__, settings.attempts, packed((item, needed)))


def _check(client: Any, folder: Path) -> None:
    """Every worker has this wirbel and sees the folder, or `ClusterError`."""
    cure = f"install wirbel {__version__} there, or start it in this environment"
    try:
        client.run_on_scheduler(presence, str(folder))
    except OSError as exc:
        why = "the cluster's scheduler was lost: look whether it runs, and run the command again"
        raise ClusterError(why) from exc
    except Exception as exc:  # whatever a machine without wirbel answers
        raise ClusterError(f"the cluster's scheduler cannot load wirbel {__version__}: {cure}") from exc
    answers = client.run(presence, str(folder), on_error="return")
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, OSError):  # it went while it was asked
            continue
        if not isinstance(answer, Presence):
            raise ClusterError(f"worker {worker} cannot load wirbel {__version__}: {cure}")
        if answer.wirbel != __version__:
            raise ClusterError(f"worker {worker} has wirbel {answer.wirbel}, here is {__version__}: {cure}")
        if not answer.shares_the_folder:
            raise ClusterError(
                f"worker {worker} does not see {folder.parent.name!r} at the path that it has here, or may not "
                f"write there: {FEATURE} needs inputs and output on a file system that all machines share"
            )
