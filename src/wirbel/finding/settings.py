"""The judging room's thresholds, each once, with its source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GradeSettings:
    """When a loss of height is a fracture, and which grade.

    `losses`: lower bounds of grades 1, 2, 3 (Genant 1993, J Bone Miner Res 8:1137), applied to the loss against the
    expected height of the same vertebra. That expectation is uncertain by 2-3 % of the height (drawn columns,
    `benchmarks/grades_on_phantoms.py`), so a loss from `found` with a sign counts, and from `both` where anterior
    and middle height have lost it together and the flat 20 % rule on the own heights is met too.
    The signs: an endplate sunk by `depressed_mm` more than the level's norm (`sunk_mm` while the loss is
    smaller), or
    an angle `angled_deg` beyond it. `certain`: a loss from here needs no sign. `borderline`: with a sign it is
    said.
    `odd_sd`: own proportions this many SDs off the level's norm are borderline, when the loss can be `seen`
    (McCloskey 1993 and Eastell 1991 ask for 3 SD before they call it a deformity); at T11-L1, wedged in many
    healthy people, `odd_wedge_sd`. `suspect`: a vertebra with this
    loss is no reference for its neighbours. `crush`: posterior loss that makes a crush. `wall_intact`,
    `wall_broken`: between these posterior losses trust goes from the own wall to the neighbours. `scheuermann`:
    at least so many vertebrae in a row wedged by so many degrees (Sorensen 1964), each with an
    anterior loss of `scheuermann_loss`; a loss from `scheuermann_below` is a fracture all the same.
    """

    losses: tuple[float, float, float] = (0.20, 0.25, 0.40)
    found: float = 0.165
    both: float = 0.14
    certain: float = 0.25
    borderline: float = 0.13
    seen: float = 0.15
    odd_sd: float = 2.4
    odd_wedge_sd: float = 3.0
    suspect: float = 0.12
    depressed_mm: float = 0.5
    sunk_mm: float = 1.0
    angled_deg: float = 5.0
    crush: float = 0.15
    wall_intact: float = 0.05
    wall_broken: float = 0.12
    scheuermann_run: int = 3
    scheuermann_deg: float = 5.0
    scheuermann_loss: float = 0.07
    scheuermann_below: float = 0.30


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
    119:559): three whole bridges.

    `bridge_hu`: bone, and `over_disc_hu` above the disc. `partial_share`: a disc bridged over this share of its
    height does not end the row (osteophytes that nearly meet); `fused_share`: of the disc's cross-section,
    where the disc is at least `resolved_mm` high (a thinner one is blurred into its endplates).
    """

    bridge_hu: float = 200.0
    over_disc_hu: float = 80.0
    partial_share: float = 0.75
    fused_share: float = 0.5
    resolved_mm: float = 3.0
    least_bridges: int = 3


@dataclass(frozen=True, slots=True)
class FindingSettings:
    """All of it."""

    grade: GradeSettings = GradeSettings()
    screen: ScreenSettings = ScreenSettings()
    vessels: VesselSettings = VesselSettings()
    ankylosis: AnkylosisSettings = AnkylosisSettings()
    coarsest_mm: float = 3.05
