"""Work in this process, or in several of this machine."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context

from wirbel.workers.port import Done, ItemT, Lost, LostBy, ResultT, Work

DIED = Lost(LostBy.PROCESS_DIED, "the process died: not enough memory?")


@dataclass(frozen=True, slots=True)
class Here:
    """One item after the other in this process, with all cores."""

    def __call__(self, work: Work[ItemT, ResultT], items: Sequence[ItemT], /) -> Iterator[Done[ResultT]]:
        """In the order given."""
        for place, item in enumerate(items):
            yield Done(place, work(item, threads=None))


@dataclass(frozen=True, slots=True)
class Processes:
    """Several processes of one thread each; items whose process died are tried once more, each alone."""

    number: int

    def __call__(self, work: Work[ItemT, ResultT], items: Sequence[ItemT], /) -> Iterator[Done[ResultT]]:
        """As they come."""
        again: list[int] = []
        with _pool(max(1, min(self.number, len(items)))) as pool:
            running: dict[Future[ResultT], int] = {}
            for place, item in enumerate(items):
                with suppress(BrokenProcessPool):
                    running[pool.submit(work, item, threads=1)] = place
            again += sorted(set(range(len(items))) - set(running.values()))
            for future in as_completed(running):
                try:
                    yield Done(running[future], future.result())
                except BrokenProcessPool:
                    again.append(running[future])
        for place in again:
            yield Done(place, _alone(work, items[place]))


def _alone(work: Work[ItemT, ResultT], item: ItemT) -> ResultT | Lost:
    with _pool(1) as pool:
        try:
            return pool.submit(work, item, threads=1).result()
        except BrokenProcessPool:
            return DIED


def _pool(number: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(number, mp_context=get_context("spawn"))
