"""What kind of person to draw."""

from dataclasses import dataclass, field
from enum import StrEnum

from wirbel.finding import Grade, Shape
from wirbel.spine import Level, Variant


class Mimic(StrEnum):
    """Findings that look like a fracture, or spoil its measurement, and are none."""

    HAEMANGIOMA = "haemangioma"
    BONE_ISLAND = "bone_island"
    SCHEUERMANN = "scheuermann"
    CUPID = "cupid_bow"
    LIMBUS = "limbus"
    DISH = "dish"
    ANKYLOSIS = "ankylosis"
    EROSION = "erosive_endplates"
    SCHMORL = "schmorl"
    OSTEOPHYTES = "osteophytes"
    WEDGING = "physiological_wedging"


class ArmPose(StrEnum):
    """Where the arms are."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class AnatomySettings:
    """Chances and ranges from which a person is drawn; None means: drawn at random.

    `fractures`: None for none forced (then each vertebra T4-L5 breaks with `fracture_chance`), or levels with
    shape and grade. `mimics`: forced mimics, else each with `mimic_chance` a person. `variant`: forced variant.
    """

    sex: str | None = None
    age_years: tuple[float, float] = (20.0, 90.0)
    variant: Variant | None = None
    variant_chance: float = 0.15
    rib_variant_chance: float = 0.06
    fractures: tuple[tuple[Level, Shape, Grade], ...] = ()
    fracture_chance: float = 0.05
    mimics: tuple[Mimic, ...] = ()
    mimic_chance: float = 0.12
    scoliosis_deg: tuple[float, float] = (0.0, 18.0)
    kyphosis_scale: tuple[float, float] = (0.6, 1.6)
    lordosis_scale: tuple[float, float] = (0.5, 1.4)
    arms: ArmPose | None = None
    metal_chance: float = 0.08
    cement_chance: float = 0.04
    exclude: frozenset[Mimic] = field(default_factory=frozenset)
