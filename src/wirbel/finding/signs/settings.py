"""The signs' numbers, each once, with what it rests on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CortexSettings:
    """Where a wall counts as destroyed.

    A place is destroyed when its crest lies below `soft_hu` plus `share` of what the reference's crest has above
    `soft_hu`: a lytic lesion's soft tissue has 30-80 HU, the thinnest osteoporotic wall at 1 mm still about 200.
    `search_mm`: the crest is looked for this far from the mask's surface on both sides, so that a mask may be wrong
    by 1 mm and more. `least_area_mm2`: smaller holes are foramina of vessels, steps of a fracture, or noise.
    `dent_mm`: the mask's own outline is bridged where it falls this far short of its convex outline, because a
    segmenter may leave a destroyed wall out. `least_reference_hu`: below it the scan shows no cortex to miss.
    """

    soft_hu: float = 60.0
    share: float = 0.40
    least_above_soft_hu: float = 40.0
    search_mm: float = 2.5
    least_area_mm2: float = 25.0
    dent_mm: float = 3.0
    least_reference_hu: float = 150.0
    vein_half_width_mm: float = 6.0


@dataclass(frozen=True, slots=True)
class ContourSettings:
    """The posterior wall's outline: `corners` are fractions of its height that carry the chord, `within` those
    between which the wall is compared with it; `planes` is the half-width of the band of sagittal planes as share
    of the body's half-width. An angle is read only for a `retropulsion_mm` that is seen with `arm_mm` of outline
    on both sides of the apex; `share_percent`, `convex_percent`: percentiles over the planes, so that a spur in
    one plane is none."""

    corners: tuple[float, float] = (0.08, 0.92)
    within: tuple[float, float] = (0.18, 0.82)
    planes: float = 0.40
    retropulsion_mm: float = 2.0
    share_percent: float = 75.0
    convex_percent: float = 80.0
    arm_mm: float = 5.0


@dataclass(frozen=True, slots=True)
class CanalSettings:
    """`tilts_deg`: directions along which the canal is looked through; the widest view counts. `mass_hu`: soft
    tissue is foreign when that much denser than the neighbours' canal at the same place and `mass_sd` times their
    own spread. `bone_hu`: a fragment. `least_mm3`: less is noise."""

    tilts_deg: tuple[float, ...] = (-16.0, -12.0, -8.0, -4.0, 0.0, 4.0, 8.0, 12.0, 16.0)
    mass_hu: float = 18.0
    mass_sd: float = 3.0
    bone_hu: float = 180.0
    least_mm3: float = 120.0


@dataclass(frozen=True, slots=True)
class PedicleSettings:
    """Bone of a pedicle is what exceeds `bone_hu`; a slab of it is lost when less than `1 - lost` of the
    reference is left, and dense when more than `1 + dense` of it is there. `reach`: where the slabs begin and
    end, in front of the lamina, in half-widths of the canal."""

    slabs: int = 4
    bone_hu: float = 110.0
    most_hu: float = 900.0
    lost: float = 0.45
    dense: float = 1.2
    outward_mm: float = 12.0
    reach: tuple[float, float] = (1.5, 0.7)


@dataclass(frozen=True, slots=True)
class MarrowSettings:
    """`erosion_mm`: distance from the surface. Lytic: lower than the reference's median by `lytic_hu` and by
    `lytic_sd` of its spread; sclerotic: higher by `sclerotic_hu` and by `sclerotic_sd`. `separable_hu`: a lytic
    lesion has about 45 HU, so that nothing lytic can be told where the limit falls below this. Gas: `gas_hu`."""

    erosion_mm: float = 3.0
    smooth_mm: float = 1.2
    lytic_hu: float = 25.0
    lytic_sd: float = 1.5
    separable_hu: float = 45.0
    sclerotic_hu: float = 150.0
    sclerotic_sd: float = 3.5
    gas_hu: float = -200.0
    gas_depth_mm: float = 1.5
    least_gas_mm3: float = 4.0
    vein_fraction: float = 0.35
    vein_half_width_mm: float = 5.0


@dataclass(frozen=True, slots=True)
class LineSettings:
    """A fracture line is a sheet of `least_area_mm2` in the body's inside, dark or bright, whose second
    derivative at `scale_mm` exceeds `over` times the reference's extreme and `least_hu`."""

    scale_mm: float = 1.0
    depth_mm: float = 4.5
    over: float = 1.3
    least_hu: float = 22.0
    flat: float = 0.5
    least_area_mm2: float = 50.0
    half_length_mm: float = 5.0


@dataclass(frozen=True, slots=True)
class MassSettings:
    """The perivertebral shell reaches `shell_mm` from the wall of the body. Soft tissue lies between `soft_hu`. A
    ray has excess when it holds `tolerance_mm` more soft tissue than a `rich_percent` ray of the richer neighbour
    within `around_deg`. `least_mm3`: less is a vessel, a muscle's origin, a lymph node."""

    shell_mm: float = 15.0
    start_mm: float = 1.5
    soft_hu: tuple[float, float] = (-20.0, 220.0)
    around_deg: float = 5.0
    rich_percent: float = 60.0
    tolerance_mm: float = 2.0
    least_mm3: float = 400.0
    widest_deg: float = 125.0
    most_unseen: float = 0.25


@dataclass(frozen=True, slots=True)
class PlateSettings:
    """An endplate's crest is looked for `inside_mm` deep and `outside_mm` out, no further than half the disc. A
    place without one lies below `soft_hu` plus `share` of what the scan's usual crest has above it. `share`: the
    highest at which no simulated training vertebra without discitis reads over 0.02 (`docs/method-signs.md`).
    `farthest_mm`: no disc is higher; `least_faced`: that much of the plate must have the other one before it."""

    soft_hu: float = 60.0
    share: float = 0.50
    inside_mm: float = 2.5
    outside_mm: float = 2.0
    farthest_mm: float = 20.0
    least_faced: float = 0.5
    least_reference_hu: float = 150.0


@dataclass(frozen=True, slots=True)
class SignSettings:
    """All of it.

    `coarsest_mm`: slices (in any direction) above which only density is read; grading asks for 3 mm as well.
    `coarsest_fine_mm`: above it nothing small is: posterior contour, canal, pedicles, fracture lines. `metal_hu`,
    `cement_hu`: foreign material, counted when it fills `most_metal_mm3` around the vertebra or `most_cement` of
    the body. `farthest`: so many levels away a vertebra may lie that serves as reference; `references`: how many
    are taken. `odd_hu`: a vertebra whose marrow differs from the column's median by more than that, and by more
    than half of it, is no reference.
    """

    cortex: CortexSettings = CortexSettings()
    contour: ContourSettings = ContourSettings()
    canal: CanalSettings = CanalSettings()
    pedicle: PedicleSettings = PedicleSettings()
    marrow: MarrowSettings = MarrowSettings()
    line: LineSettings = LineSettings()
    mass: MassSettings = MassSettings()
    plate: PlateSettings = PlateSettings()
    coarsest_mm: float = 3.05
    coarsest_fine_mm: float = 2.05
    metal_hu: float = 2000.0
    cement_hu: float = 1150.0
    most_metal_mm3: float = 30.0
    most_cement: float = 0.03
    farthest: float = 4.0
    references: int = 4
    odd_hu: float = 60.0
