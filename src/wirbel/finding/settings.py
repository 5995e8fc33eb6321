"""The judging room's thresholds, each once, with its source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GradeSettings:
    """When a loss of height is a fracture, and which grade.

    `losses`: lower bounds of grades 1, 2, 3 (Genant 1993, J Bone Miner Res 8:1137), applied to the loss against the
    expected height of the same vertebra. `borderline`: a loss from here is said. `own_loss`: the flat 20 % rule
    on the
    vertebra's own heights; alone it calls a quarter of normal T5-T8, so it only makes a vertebra borderline, and
    only beyond `odd_sd` SDs of the level's norm (McCloskey 1993 asks for 3 SD; Eastell 1991 the same).
    `crush`: posterior loss from which a shape is crush. `depressed_mm`: an endplate sunk this much deeper than the
    level's norm is depressed. `certain`: a loss from here needs no further sign. `suspect`: a vertebra with this
    loss is no reference for its neighbours.
    """

    losses: tuple[float, float, float] = (0.20, 0.25, 0.40)
    borderline: float = 0.15
    own_loss: float = 0.20
    odd_sd: float = 2.0
    crush: float = 0.15
    depressed_mm: float = 1.0
    certain: float = 0.25
    suspect: float = 0.12
    wall_intact: float = 0.06
    wall_broken: float = 0.15


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """Opportunistic density screening at L1 (Pickhardt 2013, Ann Intern Med 158:588; 110 HU specific, 160 HU
    sensitive), for about 120 kVp, a soft kernel, no contrast, no spectral image."""

    osteoporosis_below_hu: float = 110.0
    normal_from_hu: float = 160.0
    kvp: float = 120.0
    kvp_tolerance: float = 5.0


@dataclass(frozen=True, slots=True)
class VesselSettings:
    """Contrast phase from the aorta's HU. Native blood has 30-60 HU; the portal venous phase about 110-180 HU,
    the arterial one above 200 HU (Bae 2010, Radiology 256:32)."""

    enhanced_from_hu: float = 90.0
    arterial_from_hu: float = 200.0


@dataclass(frozen=True, slots=True)
class AnkylosisSettings:
    """Flowing ossification over at least four contiguous vertebrae (Resnick and Niwayama 1976, Radiology
    119:559)."""

    bridge_hu: float = 180.0
    over_disc_hu: float = 80.0
    least_bridges: int = 3


@dataclass(frozen=True, slots=True)
class FindingSettings:
    """All of it."""

    grade: GradeSettings = GradeSettings()
    screen: ScreenSettings = ScreenSettings()
    vessels: VesselSettings = VesselSettings()
    ankylosis: AnkylosisSettings = AnkylosisSettings()
    coarsest_mm: float = 3.05
