"""What the chain is given: the series of one study, each for its purpose."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from wirbel.study.result import SeriesRef
from wirbel.volume import Volume


@runtime_checkable
class Series(Protocol):
    """One CT series; its values may be read when first asked for, and read again after `release`."""

    @property
    def volume(self) -> Volume:
        """The CT on canonical axes."""
        ...

    @property
    def ref(self) -> SeriesRef:
        """The series as its header has it."""
        ...

    def release(self) -> None:
        """Give the memory of the values back."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StudySeries:
    """`main` serves finding, naming, masks and pictures; the others are the same object or serve one purpose
    better."""

    main: Series
    heights: Series
    density: Series
