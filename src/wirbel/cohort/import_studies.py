"""A PACS export into a cohort: every study once, on all cores; a bad one never stops the rest."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol, runtime_checkable

from wirbel.cohort.identity import Identity, identity_of
from wirbel.cohort.key_book import KeyBook, KeyEntry, check_apart, read_key_book, write_key_book
from wirbel.cohort.one_import import ImportOrder, ImportSettings, import_one
from wirbel.errors import DeliveryError, InputRejected, UsageError, WirbelError
from wirbel.ingest import find_studies
from wirbel.spine import Segmenter


@runtime_checkable
class MakeSegmenter(Protocol):
    """Makes a segmenter in the process that uses it; hashable, and it can be sent to other processes."""

    def __call__(self) -> Segmenter:
        """The segmenter."""
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
    workers: int = 1,
    seen: Callable[[Imported], None] | None = None,
) -> tuple[Imported, ...]:
    """Import every study below `source` that is not in the cohort yet; in the order of the key.

    The key is written before the first study is read, and after each one. Raises `UsageError` where another
    import is at work, or the key would lie in the cohort.
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
        for outcome in _worked([o for o in orders if not o.image.is_file()], make_segmenter, settings, workers):
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


def _worked(
    orders: Sequence[ImportOrder], make: MakeSegmenter, settings: ImportSettings, workers: int
) -> Iterator[_Outcome]:
    """Every order's outcome as it comes; those whose process died are tried once more, each alone."""
    if workers <= 1:
        yield from (_tried(order, make, settings) for order in orders)
        return
    again: list[ImportOrder] = []
    with ProcessPoolExecutor(max(1, min(workers, len(orders))), mp_context=get_context("spawn")) as pool:
        running: dict[Future[_Outcome], ImportOrder] = {}
        for order in orders:
            with suppress(BrokenProcessPool):
                running[pool.submit(_tried, order, make, settings)] = order
        again += [order for order in orders if order not in running.values()]
        for future in as_completed(running):
            try:
                yield future.result()
            except BrokenProcessPool:
                again.append(running[future])
    for order in again:
        yield _alone_in_a_process(order, make, settings)


def _alone_in_a_process(order: ImportOrder, make: MakeSegmenter, settings: ImportSettings) -> _Outcome:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_tried, order, make, settings).result()
        except BrokenProcessPool:
            return _Outcome(Imported(order.stem, "PROCESS_DIED"), "the process died: not enough memory?")


def _tried(order: ImportOrder, make: MakeSegmenter, settings: ImportSettings) -> _Outcome:
    """One study, whatever happens but an interruption."""
    try:
        import_one(order, _segmenter(make), settings)
    except Exception as exc:  # noqa: BLE001  # the edge where one bad study is set aside
        return _Outcome(Imported(order.stem, _code(exc)), f"{_code(exc)}: {exc}")
    return _Outcome(Imported(order.stem), "done")


@cache
def _segmenter(make: MakeSegmenter) -> Segmenter:
    """One segmenter a process."""
    return make()


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
