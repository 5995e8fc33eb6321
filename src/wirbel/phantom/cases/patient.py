"""A simulated patient: anatomy with fractures in place, and for each affected vertebra a cause and a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wirbel.finding import Grade, Shape
from wirbel.phantom.anatomy import Anatomy
from wirbel.phantom.cases.cause import MALIGNANT, DrawnCause
from wirbel.phantom.cases.chances import FURTHER_FRACTURES, FURTHER_LESIONS, Chance, Difficulty
from wirbel.phantom.cases.draw_plan import draw_density, draw_plan
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.shaping import with_form
from wirbel.phantom.draw import draw_anatomy
from wirbel.phantom.settings import AnatomySettings, Mimic
from wirbel.spine import Level

#: HU of trabecular bone at 120 kVp over its density in mg/cm3: how densities are drawn.
HU_PER_MG_CM3 = 1.25
LEVELS: tuple[Level, ...] = tuple(Level(n) for n in (*range(8, 20), *range(20, 25)))
#: How often each level breaks or is hit, the same for every cause: most around T12 and L1.
_WEIGHT = np.array([1, 1, 1.5, 2, 2.5, 3, 3.5, 3.5, 3, 3, 4, 6, 7, 5, 5, 4.5, 3.5])
#: Causes that are a form of the column, by the mimic that makes it.
_BY_FORM: dict[DrawnCause, Mimic] = {
    DrawnCause.DEGENERATE: Mimic.OSTEOPHYTES,
    DrawnCause.SCHMORL: Mimic.SCHMORL,
    DrawnCause.EROSIVE_ENDPLATE: Mimic.EROSION,
    DrawnCause.SPONDYLODISCITIS: Mimic.EROSION,
}
#: Mean and SD of age, and share of women, by the patient's first cause (study: 69 +- 13 years, 49 % women).
_AGES: dict[DrawnCause, tuple[float, float, float]] = {
    DrawnCause.OSTEOPOROTIC_FRACTURE: (71.5, 12.0, 0.56),
    DrawnCause.MALIGNANT_FRACTURE: (66.5, 12.5, 0.44),
    DrawnCause.MALIGNANT_LESION: (66.5, 12.5, 0.44),
}


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """An anatomy and what is painted on it; `index` are the vertebrae that were asked for, in that order."""

    anatomy: Anatomy
    causes: Mapping[Level, DrawnCause]
    plans: Mapping[Level, Plan]
    index: tuple[Level, ...]
    sex: str
    age_years: float
    known_cancer: bool

    @property
    def further_lesions(self) -> int:
        """Malignant lesions beside the vertebrae asked for."""
        return sum(c in MALIGNANT for lv, c in self.causes.items() if lv not in self.index)


def draw_patient(
    rng: np.random.Generator,
    causes: Sequence[DrawnCause],
    *,
    difficulty: Difficulty = Difficulty.MIDDLE,
    severity: float = 0.0,
    age_shift: float = 0.0,
) -> Patient:
    """A patient in whom each of `causes` affects one vertebra, with further lesions and old fractures by chance."""
    first = causes[0]
    mean, sd, women = _AGES.get(first, (67.0, 13.0, 0.5))
    age = float(np.clip(rng.normal(mean + age_shift, sd), 18, 94))
    sex = "F" if rng.uniform() < women else "M"
    density = draw_density(rng, first, age, difficulty)
    wanted = _levels(rng, len(causes))
    plans: dict[Level, Plan] = {}
    named: dict[Level, DrawnCause] = {}
    for level, cause in zip(wanted, causes, strict=True):
        plans[level] = draw_plan(
            rng, cause, difficulty=difficulty, age_years=age, severity=severity, density_mg_cm3=density
        )
        named[level] = cause
    _further(rng, first, wanted, plans, named, difficulty, density)
    anatomy = _anatomy(rng, plans, named, sex, age, density)
    if first in _BY_FORM:
        anatomy, wanted, plans, named = _moved(rng, anatomy, plans[wanted[0]], first)
    _spread(rng, anatomy, plans, named, first, wanted[0])
    shapes = tuple(with_form(v, plans[v.level]) if v.level in plans else v for v in anatomy.vertebrae)
    told = tuple(replace(t, trabecular_hu=density * HU_PER_MG_CM3) for t in anatomy.truth.vertebrae)
    person = replace(anatomy.person, trabecular_hu=density * HU_PER_MG_CM3, cortex_mm=_cortex(rng, density))
    anatomy = replace(anatomy, vertebrae=shapes, person=person, truth=replace(anatomy.truth, vertebrae=told))
    cancer = 0.93 if any(c in MALIGNANT for c in causes) else 0.33
    return Patient(anatomy, named, plans, tuple(wanted), sex, age, bool(rng.uniform() < cancer))


def _levels(rng: np.random.Generator, n: int) -> list[Level]:
    chosen = rng.choice(len(LEVELS), size=min(n, len(LEVELS)), replace=False, p=_WEIGHT / _WEIGHT.sum())
    return [LEVELS[int(i)] for i in chosen]


def _anatomy(
    rng: np.random.Generator,
    plans: Mapping[Level, Plan],
    causes: Mapping[Level, DrawnCause],
    sex: str,
    age: float,
    density: float,
) -> Anatomy:
    broken: tuple[tuple[Level, Shape, Grade], ...] = tuple(
        (level, plan.shape, plan.grade) for level, plan in plans.items() if plan.shape is not None
    )
    forms = tuple({_BY_FORM[c] for c in causes.values() if c in _BY_FORM})
    settings = AnatomySettings(
        sex=sex,
        age_years=(age, age),
        variant_chance=0.0,
        fractures=broken,
        fracture_chance=0.0,
        mimics=forms,
        mimic_chance=0.04,
        metal_chance=0.0,
        cement_chance=0.0,
        exclude=frozenset({Mimic.HAEMANGIOMA, Mimic.BONE_ISLAND}),
    )
    return draw_anatomy(rng, settings)


def _cortex(rng: np.random.Generator, density: float) -> float:
    return float(np.clip(rng.normal(0.48, 0.1) * (0.75 + density * HU_PER_MG_CM3 / 500), 0.25, 0.95))


def _further(
    rng: np.random.Generator,
    first: DrawnCause,
    wanted: list[Level],
    plans: dict[Level, Plan],
    named: dict[Level, DrawnCause],
    difficulty: Difficulty,
    density: float,
) -> None:
    """Lesions and old fractures in other vertebrae, mostly near the first one asked for."""
    for chance, cause in (
        (FURTHER_LESIONS, DrawnCause.MALIGNANT_LESION),
        (FURTHER_FRACTURES, DrawnCause.OSTEOPOROTIC_FRACTURE),
    ):
        for _ in range(_count(rng, chance, first)):
            near = [lv for lv in LEVELS if abs(lv.rank - wanted[0].rank) <= 3 and lv not in plans]
            if not near:
                break
            level = near[int(rng.integers(len(near)))]
            plan = draw_plan(rng, cause, difficulty=difficulty, density_mg_cm3=density)
            if cause is DrawnCause.OSTEOPOROTIC_FRACTURE:
                plan = replace(plan, lines=0, line_sharpness=0.0, thickening_mm=0.0, paravertebral_mm3=0.0)
            plans[level], named[level] = plan, cause


def _count(rng: np.random.Generator, chance: Chance, first: DrawnCause) -> int:
    by_cause = {
        DrawnCause.OSTEOPOROTIC_FRACTURE: (chance.osteoporotic, chance.median_osteoporotic),
        DrawnCause.MALIGNANT_FRACTURE: (chance.malignant, chance.median_malignant),
        DrawnCause.MALIGNANT_LESION: (chance.unfractured, chance.median_malignant),
    }
    p, median = by_cause.get(first, (0.0, 0.0))
    if rng.uniform() >= p:
        return 0
    return int(np.clip(round(median * np.exp(rng.normal(0, chance.spread))), chance.low, chance.high))


def _moved(
    rng: np.random.Generator, anatomy: Anatomy, plan: Plan, cause: DrawnCause
) -> tuple[Anatomy, list[Level], dict[Level, Plan], dict[Level, DrawnCause]]:
    """The plan set where the anatomy happens to have the form: the upper one of an eroded pair, else any."""
    there = [t.level for t in anatomy.truth.vertebrae if _BY_FORM[cause] in t.mimics and t.level in LEVELS]
    level = there[0] if _BY_FORM[cause] is Mimic.EROSION else there[int(rng.integers(len(there)))]
    return anatomy, [level], {level: plan}, {level: cause}


def _spread(
    rng: np.random.Generator,
    anatomy: Anatomy,
    plans: dict[Level, Plan],
    named: dict[Level, DrawnCause],
    first: DrawnCause,
    level: Level,
) -> None:
    """Radiation reaches the neighbours, an inflamed disc both its vertebrae."""
    order = list(anatomy.truth.levels)
    at = order.index(level)
    if first is DrawnCause.RADIATION:
        for i in range(max(at - int(rng.integers(1, 3)), 0), min(at + int(rng.integers(2, 4)), len(order))):
            if order[i] not in plans:
                plans[order[i]] = Plan(fatty=plans[level].fatty, density_mg_cm3=plans[level].density_mg_cm3)
                named[order[i]] = first
    if first is DrawnCause.SPONDYLODISCITIS and at + 1 < len(order):
        plan = plans[level]
        below = replace(plan, lesion_height=1.0, epidural_mm3=0.5 * plan.epidural_mm3, thickening_mm=0.0)
        plans[order[at + 1]] = replace(below, lytic=plan.lytic * float(rng.uniform(0.5, 1.1)))
        named[order[at + 1]] = first
