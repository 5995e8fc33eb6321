"""What is known of the patient beside the image; what is not known stays unknown."""

from dataclasses import dataclass
from enum import StrEnum

from wirbel.errors import UsageError

#: Beyond it a given age is taken for a slip of the pen (the oldest age known is 122).
OLDEST_YEARS = 125.0


class Sex(StrEnum):
    """As DICOM codes it (Patient's Sex)."""

    FEMALE = "F"
    MALE = "M"
    OTHER = "O"


@dataclass(frozen=True, slots=True)
class Clinical:
    """Age, sex and whether a cancer is known; None is unknown, never a default.

    Raises `UsageError` for an age outside 0 to 125. `repr` hides patient data.
    """

    age_years: float | None = None
    sex: Sex | None = None
    known_cancer: bool | None = None

    def __post_init__(self) -> None:
        if self.age_years is not None and not 0.0 <= self.age_years <= OLDEST_YEARS:
            raise UsageError(f"an age must lie between 0 and {OLDEST_YEARS:g} years: leave it empty if unknown")

    def __repr__(self) -> str:
        return "Clinical(...)"
