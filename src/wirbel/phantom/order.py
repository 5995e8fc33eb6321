"""What a call of `wirbel phantom` asks for, checked, and done."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import numpy as np

from wirbel.errors import UsageError
from wirbel.finding import Grade, Shape
from wirbel.phantom.anatomy import Truth
from wirbel.phantom.draw import draw_anatomy
from wirbel.phantom.presets import PRESETS, Preset
from wirbel.phantom.scanners import SCANNERS
from wirbel.phantom.settings import AnatomySettings, Mimic
from wirbel.phantom.shapes import simulate_around_shapes
from wirbel.phantom.simulate import simulate
from wirbel.phantom.view import view_of
from wirbel.phantom.write import Format, check_free, write_study
from wirbel.spine import Level, Variant

PHASES = ("native", "arterial", "portal_venous")
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class PhantomOrder:
    """One study to draw; None leaves the preset's value."""

    seed: int = 1
    preset: str = "demo"
    spacing_mm: tuple[float, float] | None = None
    scanner: str | None = None
    phase: str | None = None
    fractures: tuple[tuple[Level, Shape, Grade], ...] | None = None
    mimics: tuple[str, ...] | None = None
    variant: str | None = None
    shapes: Path | None = None


def make_phantom(order: PhantomOrder, out: Path, kind: Format) -> Truth:
    """Draw, scan and write the study; the truth that was written. Raises `UsageError` for unknown names."""
    preset = _known(PRESETS, order.preset, "preset")
    scanner = _known(SCANNERS, order.scanner or preset.scanner, "scanner")
    phase = order.phase or preset.phase
    if phase is not None and phase not in PHASES:
        raise UsageError(f"phase {phase!r} is unknown: say one of {', '.join(PHASES)}")
    if order.seed < 0:
        raise UsageError(f"seed {order.seed} is negative: say 0 or more")
    check_free(out)
    rng = np.random.default_rng(order.seed)
    step, pixel = order.spacing_mm or preset.spacing_mm
    spacing = (step, pixel, pixel)
    if order.shapes is not None:
        study, truth = simulate_around_shapes(order.shapes, rng, preset.region, spacing, scanner, phase)
    else:
        anatomy = draw_anatomy(rng, settings_of(order, preset))
        truth = anatomy.truth
        grid = view_of(anatomy, preset.region, spacing)
        study = simulate(anatomy, grid, scanner, rng, phase=phase, circle_mm=preset.circle_mm)
    write_study(study, truth, out, seed=order.seed, kind=kind)
    return truth


def settings_of(order: PhantomOrder, preset: Preset) -> AnatomySettings:
    """The preset's chances with what the order says put over them."""
    settings = preset.anatomy
    if order.fractures is not None:
        settings = replace(settings, fractures=order.fractures, fracture_chance=0.0)
    if order.mimics is not None:
        asked = tuple(_choice(Mimic, name, "mimic") for name in order.mimics)
        settings = replace(settings, mimics=asked, mimic_chance=0.0)
    if order.variant is not None:
        settings = replace(settings, variant=_choice(Variant, order.variant, "variant"))
    return settings


def _choice(kind: type[_Choice], name: str, what: str) -> _Choice:
    try:
        return kind(name)
    except ValueError as exc:
        raise UsageError(f"{what} {name!r} is unknown: say one of {', '.join(kind)}") from exc


_Thing = TypeVar("_Thing")


def _known(table: dict[str, _Thing], name: str, what: str) -> _Thing:
    if name not in table:
        raise UsageError(f"{what} {name!r} is unknown: say one of {', '.join(table)}")
    return table[name]
