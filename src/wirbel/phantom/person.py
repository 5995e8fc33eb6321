"""The person around the column, in numbers."""

from dataclasses import dataclass

from wirbel.phantom.settings import ArmPose


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What is drawn besides the column."""

    sex: str
    age_years: float
    scale: float
    girth: float
    fat_mm: float
    arms: ArmPose
    trabecular_hu: float
    cortex_mm: float
    aortic_calcification: float
    organ_jitter: tuple[float, ...]
    bowel_seed: int
    stent: bool = False
    wires: bool = False
    table: bool = True
