"""What the measures of a column say, in values; the words are the report's."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from wirbel.vertebra import NotMeasured


class Grade(IntEnum):
    """Genant's semiquantitative grade (Genant 1993)."""

    NONE = 0
    MILD = 1
    MODERATE = 2
    SEVERE = 3


class Shape(StrEnum):
    """Genant's shapes."""

    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    CRUSH = "crush"


class Verdict(StrEnum):
    """What a vertebra is called."""

    NORMAL = "normal"
    BORDERLINE = "borderline"
    HEIGHT_LOSS = "height_loss_not_fracture_like"
    FRACTURE = "fracture"
    NOT_ASSESSED = "not_assessed"


class Why(StrEnum):
    """Reasons a verdict names; the report has a sentence for each, filled from `Finding.numbers`."""

    HEIGHTS_WITHIN_NORMAL = "heights_within_normal"
    LOSS_BELOW_THRESHOLD = "loss_below_threshold"
    ENDPLATE_DEPRESSED = "endplate_depressed"
    NO_ENDPLATE_DEPRESSION = "no_endplate_depression"
    SHORT_AGAINST_NEIGHBOURS = "short_against_neighbours"
    LORDOTIC_SHAPE = "lordotic_shape"
    PHYSIOLOGICAL_WEDGING = "physiological_wedging"
    NEIGHBOURS_ALIKE = "neighbours_alike"
    SCHEUERMANN_LIKE = "scheuermann_like"
    NEAR_THRESHOLD = "near_threshold"
    LEVEL_NOT_GRADED = "level_not_graded"


@dataclass(frozen=True, slots=True)
class Finding:
    """One vertebra's verdict.

    `loss` is the largest relative loss of height in [0, 1] against the reference that the reasons name;
    `grade` and `shape` exist for T4-L4 only (`not_graded` says why otherwise). `reasons` are in order of weight;
    `numbers` holds the figures they cite (unit in the key).
    """

    label: int
    verdict: Verdict
    grade: Grade | NotMeasured
    shape: Shape | None
    loss: float | NotMeasured
    reasons: tuple[Why, ...]
    numbers: Mapping[str, float]
    not_assessed: NotMeasured | None = None


class Caution(StrEnum):
    """What a reader must know about the whole column."""

    ANKYLOSIS = "ankylosis"
    THICK_SLICES = "thick_slices"
    CONTRAST = "contrast"
    RELATIVE_NUMBERING = "relative_numbering"
    VARIANT = "variant"
    FRACTURE_AGE = "fracture_age_not_assessed"


class ContrastPhase(StrEnum):
    """Contrast phase as read from vessel HU."""

    NATIVE = "native"
    ARTERIAL = "arterial"
    PORTAL_VENOUS = "portal_venous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Kyphosis:
    """Cobb angle between the upper endplate of one vertebra and the lower endplate of another, degrees."""

    upper_label: int
    lower_label: int
    cobb_deg: float


class BoneScreen(StrEnum):
    """Opportunistic reading of one level's density (Pickhardt 2013), only where its conditions hold."""

    NORMAL = "normal"
    LOW = "low"
    OSTEOPOROSIS_LIKELY = "osteoporosis_likely"


@dataclass(frozen=True, slots=True)
class DensityReading:
    """The screening reading at one level, or why there is none."""

    label: int | None
    median_hu: float | None
    screen: BoneScreen | NotMeasured
    phase: ContrastPhase


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of a study, in the column's order."""

    vertebrae: tuple[Finding, ...]
    kyphosis: Kyphosis | NotMeasured
    density: DensityReading
    cautions: tuple[Caution, ...]
