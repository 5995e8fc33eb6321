"""What ages and resembles a fracture: worn discs, spurs, bridges, odd endplates, lesions; none of it a fracture."""

from dataclasses import dataclass, field, replace

import numpy as np

from wirbel.phantom.body import Body
from wirbel.phantom.morphometry import Morphometry
from wirbel.phantom.person import Person
from wirbel.phantom.settings import AnatomySettings, Mimic
from wirbel.spine import Level


@dataclass(frozen=True, slots=True)
class Lesion:
    """A ball in a body's own frame: extra HU over its bone; `striped` like a haemangioma."""

    centre: tuple[float, float, float]
    radius_mm: float
    extra_hu: float
    striped: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What is odd about one vertebra, and the disc below it.

    `spurs`: osteophytes front upper, front lower, side upper, side lower (mm); `sclerosis` of both endplates
    (0..1); `bridge_below`: bone in front of the disc below (0..1); `fused_below`: syndesmophytes all around it.
    """

    mimics: tuple[Mimic, ...] = ()
    spurs: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    sclerosis: tuple[float, float] = (0.0, 0.0)
    bridge_below: float = 0.0
    fused_below: bool = False
    disc_share: float = 1.0
    gas_below: bool = False
    lesions: tuple[Lesion, ...] = ()
    corner: bool = False


@dataclass(slots=True)
class _Draft:
    """Changes of a column being drawn, by place."""

    levels: tuple[Level, ...]
    changes: list[Change] = field(default_factory=list)

    def add(self, i: int, mimic: Mimic | None = None, **values: object) -> None:
        old = self.changes[i]
        named = old.mimics if mimic is None or mimic in old.mimics else (*old.mimics, mimic)
        self.changes[i] = replace(old, mimics=named, **values)  # type: ignore[arg-type]  # fields of Change

    def run(self, rng: np.random.Generator, first: Level, last: Level, length: int) -> list[int]:
        """Neighbouring places within a range of levels."""
        there = [i for i, lv in enumerate(self.levels) if first.rank <= lv.rank <= last.rank]
        length = min(length, len(there))
        start = int(rng.integers(0, len(there) - length + 1))
        return there[start : start + length]


def draw_changes(
    rng: np.random.Generator, settings: AnatomySettings, levels: tuple[Level, ...], person: Person
) -> list[Change]:
    """Wear by age, and the mimics that were asked for or happen."""
    draft = _Draft(levels, [Change() for _ in levels])
    _wear(rng, draft, person)
    for mimic in Mimic:
        if mimic in settings.mimics or (mimic not in settings.exclude and rng.uniform() < settings.mimic_chance):
            _MAKERS[mimic](rng, draft)
    return draft.changes


def resized(rng: np.random.Generator, size: Morphometry, change: Change) -> Morphometry:
    """The size as Scheuermann's disease or a constitutional wedge leaves it: lower in front."""
    if Mimic.SCHEUERMANN in change.mimics:
        share = float(rng.uniform(0.76, 0.90))
    elif Mimic.WEDGING in change.mimics:
        share = float(rng.uniform(0.80, 0.93))
    else:
        return size
    anterior = min(size.anterior_mm, size.posterior_mm) * share
    middle = 0.5 * (anterior + size.posterior_mm) * float(rng.uniform(0.93, 0.97))
    return replace(size, anterior_mm=anterior, middle_mm=middle)


def reshaped(rng: np.random.Generator, body: Body, change: Change) -> Body:
    """Endplates as the mimics leave them."""
    upper, lower = body.upper, body.lower
    half, deep = 0.25 * (body.width_superior_mm + body.width_inferior_mm), 0.5 * body.depth_mm
    if Mimic.SCHMORL in change.mimics or Mimic.SCHEUERMANN in change.mimics:
        for _ in range(int(rng.integers(1, 3))):
            pit = (
                float(rng.uniform(-0.4, 0.4) * half),
                float(rng.uniform(-0.35, 0.45) * deep),
                float(rng.uniform(3.5, 6.5)),
                float(rng.uniform(2.0, 5.0)),
            )
            if rng.uniform() < 0.5:
                upper = replace(upper, pits=(*upper.pits, pit))
            else:
                lower = replace(lower, pits=(*lower.pits, pit))
    if Mimic.SCHEUERMANN in change.mimics:
        wave, phase = float(rng.uniform(0.5, 1.5)), float(rng.uniform(0, 6))
        upper, lower = replace(upper, erosion=wave, phase=phase), replace(lower, erosion=wave, phase=phase + 2)
    if Mimic.CUPID in change.mimics:
        lower = replace(lower, cupid=float(rng.uniform(1.5, 3.5)))
    if Mimic.LIMBUS in change.mimics:
        upper = replace(upper, step=float(rng.uniform(2.5, 5.0)))
    if Mimic.EROSION in change.mimics:
        upper = replace(upper, erosion=float(rng.uniform(1.2, 3.0)), phase=float(rng.uniform(0, 6)))
        lower = replace(lower, erosion=float(rng.uniform(0.3, 2.5)), phase=float(rng.uniform(0, 6)))
    return replace(body, upper=upper, lower=lower)


def _wear(rng: np.random.Generator, draft: _Draft, person: Person) -> None:
    """Narrow discs, spurs and sclerosis, more of them with age, in the lower neck, mid chest and loin."""
    age = float(np.clip((person.age_years - 25) / 55, 0, 1))
    for i, level in enumerate(draft.levels):
        if level.rank < 3:
            continue
        worn = float(np.clip(rng.normal(0.45 * age, 0.3), 0, 1))
        size = 5.0 * worn * person.scale * (0.6 if level.region == "C" else 1.0)
        own = rng.uniform(0.2, 1.0, 4) * size * (rng.uniform(size=4) < 0.3 + 0.6 * worn)
        below = rng.uniform(0, 1) * max(worn - 0.35, 0)
        spurs = (float(own[0]), float(own[1]), float(0.7 * own[2]), float(0.7 * own[3]))
        sclerosis = (float(rng.uniform(0, 1) * max(worn - 0.35, 0)), float(below))
        gas = bool(worn > 0.7 and rng.uniform() < 0.4)
        draft.add(i, None, spurs=spurs, sclerosis=sclerosis, disc_share=1.0 - 0.6 * worn, gas_below=gas)


def _osteophytes(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.T6, Level.L5, int(rng.integers(3, 9))):
        s = rng.uniform(2.0, 7.0, 4)
        spurs = (float(s[0]), float(s[1]), float(0.7 * s[2]), float(0.7 * s[3]))
        draft.add(i, Mimic.OSTEOPHYTES, spurs=spurs)


def _dish(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.T5, Level.L3, int(rng.integers(5, 10))):
        draft.add(i, Mimic.DISH, bridge_below=float(rng.uniform(0.6, 1.2)))


def _ankylosis(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.T6, Level.L5, int(rng.integers(6, 14))):
        draft.add(i, Mimic.ANKYLOSIS, fused_below=True)


def _scheuermann(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.T5, Level.T11, int(rng.integers(3, 6))):
        draft.add(i, Mimic.SCHEUERMANN)


def _wedging(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.T10, Level.L2, int(rng.integers(1, 4))):
        draft.add(i, Mimic.WEDGING)


def _cupid(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.L2, Level.L5, int(rng.integers(1, 4))):
        draft.add(i, Mimic.CUPID)


def _limbus(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.T10, Level.L5, 1):
        draft.add(i, Mimic.LIMBUS, corner=True)


def _erosion(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.T8, Level.L5, 2):
        draft.add(i, Mimic.EROSION, sclerosis=(0.8, 0.8), disc_share=0.4)


def _schmorl(rng: np.random.Generator, draft: _Draft) -> None:
    for i in draft.run(rng, Level.T7, Level.L4, int(rng.integers(1, 5))):
        draft.add(i, Mimic.SCHMORL)


def _ball(rng: np.random.Generator, draft: _Draft, mimic: Mimic, radius: float, extra: float) -> None:
    for i in draft.run(rng, Level.T4, Level.L5, 1):
        centre = (float(rng.uniform(-9, 9)), float(rng.uniform(-8, 6)), float(rng.uniform(-5, 5)))
        lesion = Lesion(centre, radius, extra, mimic is Mimic.HAEMANGIOMA)
        draft.add(i, mimic, lesions=(*draft.changes[i].lesions, lesion))


def _haemangioma(rng: np.random.Generator, draft: _Draft) -> None:
    _ball(rng, draft, Mimic.HAEMANGIOMA, float(rng.uniform(5, 13)), float(rng.uniform(-160, -60)))


def _bone_island(rng: np.random.Generator, draft: _Draft) -> None:
    _ball(rng, draft, Mimic.BONE_ISLAND, float(rng.uniform(2.5, 6)), float(rng.uniform(450, 900)))


_MAKERS = {
    Mimic.HAEMANGIOMA: _haemangioma,
    Mimic.BONE_ISLAND: _bone_island,
    Mimic.SCHEUERMANN: _scheuermann,
    Mimic.CUPID: _cupid,
    Mimic.LIMBUS: _limbus,
    Mimic.DISH: _dish,
    Mimic.ANKYLOSIS: _ankylosis,
    Mimic.EROSION: _erosion,
    Mimic.SCHMORL: _schmorl,
    Mimic.OSTEOPHYTES: _osteophytes,
    Mimic.WEDGING: _wedging,
}
