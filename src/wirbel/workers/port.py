"""What spreads work over processes, and what comes back from one that did not live to answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Item(Protocol):
    """One thing to work on, small enough to be sent; its `repr` tells nothing of a patient."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """What is read: it must be in sight of whoever works on it."""
        ...


ItemT = TypeVar("ItemT", bound=Item)
ItemT_contra = TypeVar("ItemT_contra", bound=Item, contravariant=True)
ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)


@runtime_checkable
class Work(Protocol[ItemT_contra, ResultT_co]):
    """Works on one item and gives what came of it, failures too: it raises nothing.

    An item may be worked on twice, even at the same time: what it writes is whole or not there, whoever is last.
    """

    def __call__(self, item: ItemT_contra, /, *, threads: int | None) -> ResultT_co:
        """The result; `threads` for networks, None: as many as there are cores."""
        ...


class LostBy(StrEnum):
    """Why there is no answer to an item."""

    PROCESS_DIED = "PROCESS_DIED"
    NO_WORKER = "NO_WORKER"
    NO_SCHEDULER = "NO_SCHEDULER"
    NOT_IN_SIGHT = "NOT_IN_SIGHT"
    OTHER_VERSION = "OTHER_VERSION"
    DEFECT = "DEFECT"


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer to an item: why, and a sentence for people that names no patient."""

    by: LostBy
    sentence: str


@dataclass(frozen=True, slots=True)
class Done(Generic[ResultT]):
    """What came of the item at `place` of the items given."""

    place: int
    result: ResultT | Lost


@runtime_checkable
class Spread(Protocol):
    """Has work done on every item; each place is told once, as it comes."""

    def __call__(self, work: Work[ItemT, ResultT], items: Sequence[ItemT], /) -> Iterator[Done[ResultT]]:
        """What came of each item; work and items can be sent to other processes."""
        ...
