"""One labelled vertebra: whose it is, which it is, what it has, and how that is known."""

from dataclasses import dataclass
from enum import StrEnum

from wirbel.spine import Level


class Diagnosis(StrEnum):
    """The class of a vertebra (the study's three, the two it lacked, and what is left out)."""

    OSTEOPOROTIC_FRACTURE = "osteoporotic_fracture"
    MALIGNANT_FRACTURE = "malignant_fracture"
    MALIGNANT_LESION = "malignant_lesion"
    """A malignant lesion in a vertebra that is not fractured."""
    NORMAL = "normal"
    MIMIC = "mimic"
    """Degenerate, haemangioma, bone island, Schmorl, cement ...: looks like something, is none of the above."""
    UNCLEAR = "unclear"
    """Not known: never used, always counted."""

    @property
    def is_malignant(self) -> bool:
        """Whether tumour is in it."""
        return self in (Diagnosis.MALIGNANT_FRACTURE, Diagnosis.MALIGNANT_LESION)

    @property
    def is_fracture(self) -> bool:
        """Whether it is fractured."""
        return self in (Diagnosis.OSTEOPOROTIC_FRACTURE, Diagnosis.MALIGNANT_FRACTURE)


class Source(StrEnum):
    """What the class rests on; several may be named."""

    HISTOLOGY = "histology"
    FOLLOW_UP = "follow_up"
    """Imaging follow-up; its length stands in `follow_up_months`."""
    PET_CT = "pet_ct"
    """Raised uptake; its date relative to the fracture stands in `pet_ct_days`."""
    SPECT = "spect"
    MR = "mr"
    EXPERT = "expert"
    SIMULATION = "simulation"
    """A drawn vertebra: known by construction."""


class Sex(StrEnum):
    """As DICOM has it."""

    FEMALE = "F"
    MALE = "M"
    OTHER = "O"


class Contrast(StrEnum):
    """What was given, and when the CT was made."""

    NONE = "none"
    ORAL = "oral"
    ARTERIAL = "arterial"
    PORTAL_VENOUS = "portal_venous"
    YES = "yes"
    """Given, phase not known."""


class Split(StrEnum):
    """What a patient is used for."""

    TRAIN = "train"
    CALIBRATION = "calibration"
    TEST = "test"
    """The internal test."""
    EXTERNAL = "external"
    """The external test: another hospital."""


@dataclass(frozen=True, slots=True)
class LabelledVertebra:
    """One row of the table; what is not known is None.

    `line` is the row's line in the table's file (the header is line 1). `pet_ct_days` counts from the fracture:
    negative is before it. `image` names one CT of the patient by (part of) its file name. `fold` is 1, 2, ...
    """

    line: int
    patient: str
    level: Level
    diagnosis: Diagnosis
    sources: tuple[Source, ...]
    follow_up_months: float | None = None
    pet_ct_days: float | None = None
    age_years: float | None = None
    sex: Sex | None = None
    scanner: str | None = None
    contrast: Contrast | None = None
    site: str | None = None
    split: Split | None = None
    fold: int | None = None
    image: str | None = None

    @property
    def name(self) -> str:
        """Patient and level, as people say it."""
        return f"sub-{self.patient} {self.level.name}"


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row without a readable patient, vertebra, class or source: counted and left out."""

    line: int
    patient: str
