"""A vertebra's signs drawn for a cause."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from wirbel.finding import Grade, Shape
from wirbel.phantom.cases.cause import FRACTURED, MALIGNANT, DrawnCause
from wirbel.phantom.cases.chances import (
    CHANCES,
    DENSITY_PER_YEAR,
    GAUSSES,
    NORMAL_DENSITY,
    SEPARATION,
    TOGETHER,
    Chance,
    Difficulty,
    apart,
    medians,
    probabilities,
    shifted,
)
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.implicit import unchecked


@unchecked
def draw_plan(
    rng: np.random.Generator,
    cause: DrawnCause,
    *,
    difficulty: Difficulty = Difficulty.MIDDLE,
    age_years: float = 69.0,
    severity: float = 0.0,
    density_mg_cm3: float | None = None,
) -> Plan:
    """The signs of one vertebra; `severity` shifts how advanced malignant ones are (SD).

    `density_mg_cm3`: the patient's, where it is known already (None: drawn by cause and age).
    """
    if density_mg_cm3 is None:
        density_mg_cm3 = draw_density(rng, cause, age_years, difficulty)
    if cause in FRACTURED or cause is DrawnCause.MALIGNANT_LESION:
        return _Draw(rng, cause, difficulty, severity).plan(density_mg_cm3)
    sound = Plan(density_mg_cm3=density_mg_cm3, bow_mm=float(rng.normal(GAUSSES["bow_mm"].osteoporotic, 0.6)))
    return _OTHERS[cause](rng, sound) if cause in _OTHERS else sound


@unchecked
def draw_density(rng: np.random.Generator, cause: DrawnCause, age_years: float, difficulty: Difficulty) -> float:
    """Trabecular density of a patient in mg/cm3."""
    gauss = GAUSSES["density_mg_cm3"]
    low, high = apart(gauss.osteoporotic, gauss.malignant, SEPARATION[difficulty])
    mean = {
        DrawnCause.OSTEOPOROTIC_FRACTURE: low,
        DrawnCause.MALIGNANT_FRACTURE: high,
        DrawnCause.MALIGNANT_LESION: gauss.unfractured,
    }.get(cause, NORMAL_DENSITY)
    return float(np.clip(mean + DENSITY_PER_YEAR * (age_years - 69.0) + rng.normal(0, gauss.sd), 8.0, 240.0))


@unchecked
def draw_fracture(rng: np.random.Generator) -> tuple[Shape, Grade]:
    """Shape and grade of a fracture: the same for both causes."""
    shape = (Shape.WEDGE, Shape.BICONCAVE, Shape.CRUSH)[int(rng.choice(3, p=[0.45, 0.3, 0.25]))]
    return shape, Grade(int(rng.choice([1, 2, 3], p=[0.2, 0.45, 0.35])))


@unchecked
@dataclass(frozen=True, slots=True)
class _Draw:
    """One vertebra being drawn."""

    rng: np.random.Generator
    cause: DrawnCause
    difficulty: Difficulty
    severity: float

    @unchecked
    def plan(self, density_mg_cm3: float) -> Plan:
        rng = self.rng
        advanced = self.severity + float(rng.normal())
        size = {name: self._size(CHANCES[name], advanced) for name in CHANCES}
        while self.cause is DrawnCause.MALIGNANT_LESION and not (size["lytic"] or size["sclerotic"]):
            size |= {name: self._size(CHANCES[name], advanced) for name in ("lytic", "sclerotic")}
        crowded = size["lytic"] + size["sclerotic"]
        shrink = min(1.0, 0.85 / crowded) if crowded else 1.0
        shape, grade = draw_fracture(rng) if self.cause in FRACTURED else (None, Grade.NONE)
        second = float(rng.uniform(0.3, 1.0)) * size["pedicle"] if rng.uniform() < 0.3 else 0.0
        pedicles = (size["pedicle"], second)
        return Plan(
            shape=shape,
            grade=grade,
            cortex_destroyed=size["cortex_destroyed"],
            lytic=size["lytic"] * shrink,
            sclerotic=size["sclerotic"] * shrink,
            lesion_azimuth_deg=float(rng.choice([-1, 1]) * rng.triangular(20, 140, 180)),
            lesion_height=float(rng.uniform(-0.6, 0.6)),
            lesion_edge_mm=float(rng.uniform(0.5, 2.2)),
            sclerosis_hu=float(rng.uniform(380, 850)),
            pedicles_destroyed=pedicles if rng.uniform() < 0.5 else pedicles[::-1],
            bow_mm=float(np.clip(self._gauss("bow_mm"), -2.0, 4.0)),
            fragment_mm=size["fragment_mm"],
            fragment_deg=float(np.clip(self._gauss("fragment_deg"), 12, 70)) if size["fragment_mm"] else 0.0,
            vacuum_mm3=size["vacuum_mm3"],
            epidural_mm3=size["epidural_mm3"],
            paravertebral_mm3=size["paravertebral_mm3"],
            mass_azimuth_deg=float(rng.choice([-1, 1]) * rng.uniform(50, 130)),
            thickening_mm=size["thickening_mm"],
            lines=round(size["lines"]),
            line_sharpness=float(np.clip(self._gauss("line_sharpness"), 0.05, 1.0)) if size["lines"] else 0.0,
            density_mg_cm3=density_mg_cm3,
        )

    @unchecked
    def _size(self, chance: Chance, advanced: float) -> float:
        o, m = probabilities(chance, SEPARATION[self.difficulty])
        median_o, median_m = medians(chance, SEPARATION[self.difficulty])
        p = o
        if self.cause in MALIGNANT:
            p = chance.unfractured if self.cause is DrawnCause.MALIGNANT_LESION else m
            against = -1.0 if chance.malignant < chance.osteoporotic else 1.0
            p = shifted(p, against * TOGETHER * advanced)
        if self.rng.uniform() >= p:
            return 0.0
        median = median_m if self.cause in MALIGNANT else median_o
        return float(np.clip(median * np.exp(self.rng.normal(0, chance.spread)), chance.low, chance.high))

    @unchecked
    def _gauss(self, name: str) -> float:
        gauss = GAUSSES[name]
        o, m = apart(gauss.osteoporotic, gauss.malignant, SEPARATION[self.difficulty])
        mean = o
        if self.cause in MALIGNANT:
            mean = gauss.unfractured if self.cause is DrawnCause.MALIGNANT_LESION else m
        return float(self.rng.normal(mean, gauss.sd))


def _haemangioma(rng: np.random.Generator, plan: Plan) -> Plan:
    return replace(_placed(rng, plan), haemangioma=float(rng.uniform(0.12, 0.85)))


def _island(rng: np.random.Generator, plan: Plan) -> Plan:
    return replace(_placed(rng, plan), island_mm=float(rng.uniform(2.5, 7.0)))


def _cement(rng: np.random.Generator, plan: Plan) -> Plan:
    shape, grade = draw_fracture(rng) if rng.uniform() < 0.7 else (None, Grade.NONE)
    return replace(plan, shape=shape, grade=grade, cement=float(rng.uniform(0.1, 0.35)))


def _radiation(rng: np.random.Generator, plan: Plan) -> Plan:
    return replace(plan, fatty=float(rng.uniform(0.5, 0.95)))


def _paget(rng: np.random.Generator, plan: Plan) -> Plan:
    return replace(plan, paget=float(rng.uniform(0.5, 1.0)))


def _erosive(rng: np.random.Generator, plan: Plan) -> Plan:
    """Sclerosis under the plate and small holes in it."""
    sclerotic, lytic = float(rng.uniform(0.02, 0.12)), float(rng.uniform(0.0, 0.04))
    return replace(_at_disc(rng, plan), sclerotic=sclerotic, lytic=lytic)


def _discitis(rng: np.random.Generator, plan: Plan) -> Plan:
    return replace(
        _at_disc(rng, plan),
        discitis=float(rng.uniform(0.4, 1.0)),
        lytic=float(rng.uniform(0.06, 0.3)),
        epidural_mm3=float(rng.uniform(150, 900)) if rng.uniform() < 0.55 else 0.0,
        paravertebral_mm3=float(rng.uniform(800, 6000)) if rng.uniform() < 0.6 else 0.0,
        thickening_mm=float(rng.uniform(4, 10)) if rng.uniform() < 0.8 else 0.0,
    )


def _placed(rng: np.random.Generator, plan: Plan) -> Plan:
    return replace(
        plan,
        lesion_azimuth_deg=float(rng.uniform(-180, 180)),
        lesion_height=float(rng.uniform(-0.5, 0.5)),
        lesion_edge_mm=float(rng.uniform(0.5, 1.2)),
    )


def _at_disc(rng: np.random.Generator, plan: Plan) -> Plan:
    """A place at the lower endplate, where the narrowed disc is."""
    return replace(
        plan,
        lesion_azimuth_deg=float(rng.uniform(-60, 60)),
        lesion_height=-1.0,
        lesion_edge_mm=float(rng.uniform(0.8, 1.8)),
    )


_OTHERS: dict[DrawnCause, Callable[[np.random.Generator, Plan], Plan]] = {
    DrawnCause.HAEMANGIOMA: _haemangioma,
    DrawnCause.BONE_ISLAND: _island,
    DrawnCause.CEMENT: _cement,
    DrawnCause.RADIATION: _radiation,
    DrawnCause.PAGET: _paget,
    DrawnCause.EROSIVE_ENDPLATE: _erosive,
    DrawnCause.SPONDYLODISCITIS: _discitis,
}
