"""One case: a crop of a simulated CT around one vertebra, its labels and its truth."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from wirbel.errors import UsageError
from wirbel.phantom.anatomy import VertebraTruth
from wirbel.phantom.appearance import draw_appearance
from wirbel.phantom.cases.cause import DrawnCause
from wirbel.phantom.cases.chances import Difficulty
from wirbel.phantom.cases.paint import Painted, paint
from wirbel.phantom.cases.patient import Patient, draw_patient
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.scene import Mark, scene_of
from wirbel.phantom.cases.shaping import add_fragment, convexity_mm
from wirbel.phantom.cases.truth import SignTruth
from wirbel.phantom.look import Look, realistic_look
from wirbel.phantom.rasterise import PhantomLabels, rasterise
from wirbel.phantom.scanner import Scanner, scan
from wirbel.phantom.scanners import SCANNERS
from wirbel.spine import Level
from wirbel.volume import Grid, Volume, freeze

#: Trabecular HU at another tube voltage over those at 120 kVp.
KVP_GAIN: dict[float, float] = {80.0: 1.28, 100.0: 1.11, 120.0: 1.0, 140.0: 0.94}


@dataclass(frozen=True, slots=True)
class CaseSettings:
    """What to draw: None is drawn at random. `size_mm`: edge of the cube; it is centred on the body."""

    cause: DrawnCause | None = None
    difficulty: Difficulty = Difficulty.MIDDLE
    scanner: str | None = None
    phase: str | None = None
    size_mm: float = 96.0
    spacing_mm: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class CaseCt:
    """A crop and everything known about it; simulated.

    `ct`: int16 HU. `labels`: tissue, instances (the index vertebra is `instance`), parts. `marks`: what was painted
    where (`Mark`). `truth`: of the index vertebra.
    """

    ct: Volume
    labels: PhantomLabels
    marks: UInt8[np.ndarray, "z y x"]
    instance: int
    truth: SignTruth
    plan: Plan
    patient: Patient
    look: Look
    scanner: Scanner


def draw_case(rng: np.random.Generator, settings: CaseSettings | None = None) -> CaseCt:
    """One patient with one vertebra of interest, cropped around it; all from `rng`."""
    settings = settings or CaseSettings()
    cause = settings.cause or list(DrawnCause)[int(rng.integers(len(DrawnCause)))]
    patient = draw_patient(rng, (cause,), difficulty=settings.difficulty)
    name = settings.scanner or list(SCANNERS)[int(rng.integers(len(SCANNERS)))]
    if name not in SCANNERS:
        raise UsageError(f"scanner {name!r} is unknown: say one of {', '.join(SCANNERS)}")
    look = look_of(rng, patient, SCANNERS[name], settings.phase)
    seed = int(rng.integers(2**31))
    return crop_of(patient, patient.index[0], look, SCANNERS[name], seed, settings)


def look_of(rng: np.random.Generator, patient: Patient, scanner: Scanner, phase: str | None) -> Look:
    """The appearance of a patient on a scanner: one for all crops of a CT."""
    person = patient.anatomy.person
    look = realistic_look(rng, person.trabecular_hu, cortex_mm=person.cortex_mm, phase=phase)
    gain = KVP_GAIN[scanner.kvp]
    return replace(look, trabecular_hu=(look.trabecular_hu * np.float32(gain)).astype(np.float32))


def crop_of(
    patient: Patient, level: Level, look: Look, scanner: Scanner, seed: int, settings: CaseSettings
) -> CaseCt:
    """The crop around one vertebra; every planned vertebra in view is painted, each from its own seed."""
    told = {t.level: t for t in patient.anatomy.truth.vertebrae}
    shown = painted_ct(patient, look, scanner, seed, _cube(told[level], settings))
    return CaseCt(
        ct=shown.ct,
        labels=shown.labels,
        marks=shown.marks,
        instance=told[level].instance,
        truth=shown.truths[level],
        plan=patient.plans[level],
        patient=patient,
        look=look,
        scanner=scanner,
    )


@dataclass(frozen=True, slots=True, eq=False)
class PaintedCt:
    """A patient on any grid: HU, labels, marks, and the truth of every planned vertebra."""

    ct: Volume
    labels: PhantomLabels
    marks: UInt8[np.ndarray, "z y x"]
    truths: Mapping[Level, SignTruth]


def painted_ct(patient: Patient, look: Look, scanner: Scanner, seed: int, grid: Grid) -> PaintedCt:
    """Draw, paint and scan a patient; volumes in the truths count what lies on the grid."""
    told = {t.level: t for t in patient.anatomy.truth.vertebrae}
    shapes = {v.level: v for v in patient.anatomy.vertebrae}
    labels = rasterise(patient.anatomy, grid)
    marks = np.zeros(grid.shape, np.uint8)
    pushed = [add_fragment(labels, shapes[lv], plan) for lv, plan in patient.plans.items()]
    hu = draw_appearance(labels, np.random.default_rng([seed, 1]), look)
    unpainted = hu.copy()
    for voxels in pushed:
        marks[voxels] = Mark.FRAGMENT
    truths: dict[Level, SignTruth] = {}
    # the vertebrae asked for come last: theirs lies on top where two touch
    for level in sorted(patient.plans, key=lambda lv: (lv in patient.index, lv)):
        plan = patient.plans[level]
        scene = scene_of(labels, hu, marks, shapes[level], look, seed + 17 * int(level))
        painted = paint(scene, plan) if scene is not None else Painted()
        convex_mm = convexity_mm(shapes[level].body)
        truths[level] = _truth(told[level], patient.causes[level], plan, painted, convex_mm)
    shown = scan(hu, grid, scanner, np.random.default_rng([seed, 2]), absorbing=unpainted)
    return PaintedCt(Volume(grid, freeze(np.rint(shown).astype(np.int16))), labels, freeze(marks), truths)


def _cube(vertebra: VertebraTruth, settings: CaseSettings) -> Grid:
    n = round(settings.size_mm / settings.spacing_mm)
    low = vertebra.centre_lps_mm - 0.5 * (n - 1) * settings.spacing_mm
    step = settings.spacing_mm
    return Grid.axis_aligned((n, n, n), (step, step, step), (float(low[0]), float(low[1]), float(low[2])))


def _truth(
    vertebra: VertebraTruth, cause: DrawnCause, plan: Plan, painted: Painted, convex_mm: float
) -> SignTruth:
    return SignTruth(
        level=vertebra.level,
        cause=cause,
        cortex_destroyed=painted.cortex_destroyed,
        spongiosa_mm3=painted.spongiosa_mm3,
        lytic_mm3=painted.lytic_mm3,
        sclerotic_mm3=painted.sclerotic_mm3,
        pedicle_right=painted.pedicle_right,
        pedicle_left=painted.pedicle_left,
        posterior_convexity_mm=convex_mm,
        retropulsion_mm=plan.fragment_mm,
        retropulsion_deg=plan.fragment_deg if plan.fragment_mm > 0 else None,
        vacuum_mm3=painted.vacuum_mm3,
        epidural_mm3=painted.epidural_mm3,
        paravertebral_mm3=painted.paravertebral_mm3,
        thickening_mm=plan.thickening_mm,
        lines=plan.lines,
        line_sharpness=plan.line_sharpness if plan.lines else None,
        puzzle=plan.puzzle,
        density_mg_cm3=plan.density_mg_cm3,
        genant_grade=int(vertebra.grade),
        shape=vertebra.fracture.value if vertebra.fracture else None,
        height_loss=vertebra.loss,
    )
