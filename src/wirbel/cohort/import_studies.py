"""A PACS export into a cohort: every study once, on all cores or a cluster; a bad one never stops the rest."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from wirbel.cohort.identity import Identity, identity_of
from wirbel.cohort.key_book import KeyBook, KeyEntry, check_apart, read_key_book, write_key_book
from wirbel.cohort.one_import import ImportOrder, ImportSettings, import_one
from wirbel.errors import DeliveryError, InputRejected, UsageError, WirbelError
from wirbel.ingest import find_studies
from wirbel.spine import Segmenter
from wirbel.workers.port import Lost, Spread
from wirbel.workers.processes import Here


@runtime_checkable
class MakeSegmenter(Protocol):
    """Makes a segmenter in the process that uses it; hashable, and it can be sent to other processes."""

    def __call__(self, threads: int | None, /) -> Segmenter:
        """The segmenter; `threads` for each network, None: as many as there are cores."""
        ...

    def __hash__(self) -> int:
        """The same for the same segmenter."""
        ...


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of one study; `code` says why it failed. No word on where it came from: that is in the key."""

    stem: str
    code: str | None = None
    was_there: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the study is in the cohort."""
        return self.code is None


@dataclass(frozen=True, slots=True, repr=False)
class _Outcome:
    """From the worker: what the key is told besides."""

    imported: Imported
    sentence: str


def import_studies(
    source: Path,
    home: Path,
    key: Path,
    make_segmenter: MakeSegmenter,
    settings: ImportSettings | None = None,
    *,
    spread: Spread | None = None,
    seen: Callable[[Imported], None] | None = None,
) -> tuple[Imported, ...]:
    """Import every study below `source` that is not in the cohort yet; in the order of the key.

    The key is written before the first study is read, and after each one. Raises `UsageError` where another
    import is at work, or the key would lie in the cohort. `spread` None: in this process.
    """
    settings = settings or ImportSettings()
    check_apart(key, home)
    inputs = find_studies(source)
    with _alone(home):
        book, orders, unread = _orders(source, inputs, home, read_key_book(key))
        write_key_book(key, book)
        done = [Imported(order.stem, was_there=True) for order in orders if order.image.is_file()]
        for imported in (*done, *unread):
            if seen is not None:
                seen(imported)
        work = ImportWork(make_segmenter, settings)
        for outcome in _worked([o for o in orders if not o.image.is_file()], work, spread or Here()):
            book = book.with_outcome(outcome.imported.stem, outcome.sentence)
            write_key_book(key, book)
            done.append(outcome.imported)
            if seen is not None:
                seen(outcome.imported)
    order = {entry.stem: place for place, entry in enumerate(book.entries)}
    return tuple(sorted((*done, *unread), key=lambda imported: order.get(imported.stem, len(order))))


def _orders(
    source: Path, inputs: Sequence[Path], home: Path, book: KeyBook
) -> tuple[KeyBook, list[ImportOrder], list[Imported]]:
    """The key with all studies in it, an order for each, and inputs whose headers cannot be read."""
    found: dict[str, tuple[Path, Identity, KeyEntry]] = {}
    unread = []
    for number, path in enumerate(inputs, start=1):
        try:
            identity = identity_of(path, source)
        except (WirbelError, OSError) as exc:
            unread.append(Imported(f"input {number}", _code(exc)))
            continue
        name = path.relative_to(source).as_posix() if path != source else path.name
        book = book.with_study(identity, name)
        entry = book.entry_of(identity)
        if entry is not None and entry.stem not in found:
            found[entry.stem] = (path, identity, entry)
    orders = [
        ImportOrder(path, home, entry.pseudonym, entry.session, identity.sex, identity.age_years)
        for path, identity, entry in found.values()
    ]
    return book, orders, unread


@dataclass(frozen=True, slots=True)
class ImportWork:
    """`wirbel.workers.Work`: one study, whatever happens but an interruption."""

    make_segmenter: MakeSegmenter
    settings: ImportSettings

    def __call__(self, order: ImportOrder, /, *, threads: int | None) -> _Outcome:
        """What the key is told of the study."""
        try:
            import_one(order, _segmenter(self.make_segmenter, threads), self.settings)
        except Exception as exc:  # noqa: BLE001  # the edge where one bad study is set aside
            return _Outcome(Imported(order.stem, _code(exc)), f"{_code(exc)}: {exc}")
        return _Outcome(Imported(order.stem), "done")


def _worked(orders: Sequence[ImportOrder], work: ImportWork, spread: Spread) -> Iterator[_Outcome]:
    """Every order's outcome as it comes."""
    for done in spread(work, orders):
        answer = done.result
        if isinstance(answer, Lost):
            answer = _Outcome(Imported(orders[done.place].stem, answer.by.value), answer.sentence)
        yield answer


@lru_cache(maxsize=1)
def _segmenter(make: MakeSegmenter, threads: int | None) -> Segmenter:
    """One segmenter a process."""
    return make(threads)


def _code(exc: Exception) -> str:
    if isinstance(exc, InputRejected):
        return exc.code
    if isinstance(exc, DeliveryError | OSError):
        return "READING_OR_WRITING"
    return "OUT_OF_MEMORY" if isinstance(exc, MemoryError) else type(exc).__name__


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the cohort while it is imported into; the hold goes with the process."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(home, os.O_RDONLY)
    except OSError as exc:
        raise DeliveryError(f"{home.name!r} cannot be written: {exc.strerror}") from exc
    try:
        _hold(handle, home)
        yield
    finally:
        os.close(handle)


def _hold(handle: int, home: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise UsageError(f"another import is at work in {home.name!r}: wait for it") from exc
