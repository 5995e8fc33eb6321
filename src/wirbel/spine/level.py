"""The levels of the spine and their numbers in the two numberings in use."""

from enum import IntEnum
from typing import Literal

Numbering = Literal["verse", "totalsegmentator"]


class Level(IntEnum):
    """A vertebra's name; the value is its VerSe number (Sekuboyina et al. 2021)."""

    C1, C2, C3, C4, C5, C6, C7 = 1, 2, 3, 4, 5, 6, 7
    T1, T2, T3, T4, T5, T6 = 8, 9, 10, 11, 12, 13
    T7, T8, T9, T10, T11, T12 = 14, 15, 16, 17, 18, 19
    L1, L2, L3, L4, L5, L6 = 20, 21, 22, 23, 24, 25
    S1 = 26
    T13 = 28

    @property
    def region(self) -> Literal["C", "T", "L", "S"]:
        """C, T, L or S."""
        return self.name[0]  # type: ignore[return-value]  # the first letter is one of the four

    @property
    def rank(self) -> float:
        """Position from the head downward: C1 = 1 ... T12 = 19, T13 = 19.5, L1 = 20 ... L6 = 25, S1 = 26."""
        return 19.5 if self is Level.T13 else float(self.value)

    @property
    def totalsegmentator(self) -> int | None:
        """TotalSegmentator v2's class number (26 = S1, 27 = L5 ... 50 = C1); none for T13 and L6."""
        if self in (Level.T13, Level.L6):
            return None
        return 26 if self is Level.S1 else 26 + (25 - self.value)


#: All levels from the head downward, T13 between T12 and L1, L6 between L5 and S1.
FROM_ABOVE: tuple[Level, ...] = tuple(sorted(Level, key=lambda level: level.rank))


def from_totalsegmentator(number: int) -> Level | None:
    """The level of a TotalSegmentator v2 class number, or none."""
    if number == 26:
        return Level.S1
    return Level(51 - number) if 27 <= number <= 50 else None
