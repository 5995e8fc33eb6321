"""What a simulated cohort is made from, frozen, and its fingerprint, which every result carries."""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from wirbel.errors import UsageError
from wirbel.phantom.cases import Difficulty, chances
from wirbel.phantom.cohort.arms import CROP_VOXELS, PRESETS, Arm
from wirbel.phantom.cohort.sites import SITES


@dataclass(frozen=True, slots=True)
class CohortSettings:
    """A cohort to make: the same settings give the same voxels."""

    preset: str
    arms: tuple[Arm, ...]
    difficulty: Difficulty = Difficulty.MIDDLE
    seed: int = 1
    voxels: int = 96
    spacing_mm: float = 1.0

    def __post_init__(self) -> None:
        if self.seed < 0 or not 32 <= self.voxels <= 192 or not 0.5 <= self.spacing_mm <= 2.0:
            raise UsageError(
                f"seed {self.seed}, {self.voxels} voxels of {self.spacing_mm:g} mm: use a seed of 0 or more, "
                "32 to 192 voxels of 0.5 to 2 mm"
            )
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names):
            raise UsageError(f"arms {names} share a name: name each differently")


def settings_for(
    preset: str, *, difficulty: Difficulty = Difficulty.MIDDLE, seed: int = 1, voxels: int | None = None
) -> CohortSettings:
    """The settings of a preset; raises `UsageError` for an unknown one."""
    if preset not in PRESETS:
        raise UsageError(f"preset {preset!r} is unknown: say one of {', '.join(PRESETS)}")
    return CohortSettings(preset, PRESETS[preset], difficulty, seed, voxels or CROP_VOXELS[preset])


def canonical(settings: CohortSettings) -> str:
    """Everything that decides the cohort's signs, as JSON with sorted keys: settings, sites, chances."""
    plain = {
        "settings": asdict(settings),
        "sites": {name: asdict(site) for name, site in sorted(SITES.items())},
        "chances": {name: asdict(c) for name, c in sorted(chances.CHANCES.items())},
        "gausses": {name: asdict(g) for name, g in sorted(chances.GAUSSES.items())},
        "further": [asdict(chances.FURTHER_LESIONS), asdict(chances.FURTHER_FRACTURES)],
        "separation": {d.value: v for d, v in chances.SEPARATION.items()},
        "together": chances.TOGETHER,
        "density": [chances.DENSITY_PER_YEAR, chances.NORMAL_DENSITY],
    }
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def fingerprint(settings: CohortSettings) -> str:
    """SHA-256 of the canonical JSON: the generator's settings, frozen."""
    return sha256(canonical(settings).encode()).hexdigest()


@lru_cache(maxsize=1)
def drawing_code() -> str:
    """SHA-256 of the drawing code's own files: two cohorts with the same one have the same voxels."""
    root = Path(__file__).parents[1]
    out = sha256()
    for path in sorted(root.rglob("*.py")):
        out.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return out.hexdigest()


