"""What a call of `wirbel analyze` asks for, checked before any work is done."""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from wirbel.errors import DeliveryError, UsageError
from wirbel.ingest import IngestSettings, read_table
from wirbel.network.session import Backend
from wirbel.spine.shift import named_vertebra
from wirbel.study import Settings

EngineName = Literal["network", "totalsegmentator"]
NumberingName = Literal["verse", "totalsegmentator"]


@dataclass(frozen=True, slots=True)
class Order:
    """How to analyse, the same for every study of a call."""

    settings: Settings = field(default_factory=Settings)
    ingest: IngestSettings = field(default_factory=IngestSettings)
    masks: Path | None = None
    numbering: NumberingName | None = None
    engine: EngineName = "network"
    backend: Backend = "onnxruntime"
    lang: str = "en"
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Calibration:
    """The line from HU to mg/cm3 of a scanner and protocol, as its owner measured it with a phantom."""

    mg_cm3_per_hu: float
    mg_cm3_at_0_hu: float


def order_of(  # noqa: PLR0913  # one for each option
    *,
    masks: Path | None,
    numbering: str | None,
    engine: str,
    backend: str,
    lang: str,
    shift_levels: int,
    name: str | None,
    calibration: Path | None,
    series_table: Path | None,
    overwrite: bool,
) -> Order:
    """The order behind the options; raises `UsageError` where they do not go together."""
    if numbering is not None and masks is None:
        raise UsageError("--numbering says how the numbers in --masks are meant: give --masks as well")
    if masks is not None and engine != "network":
        raise UsageError("--masks and --engine exclude each other: masks replace the engine")
    if masks is not None and not masks.exists():
        raise UsageError(f"{masks.name}: no such file")
    if name is not None and shift_levels:
        raise UsageError("--name and --shift-levels both rename the column: give one")
    settings = Settings(shift_levels=shift_levels, named=named_vertebra(name) if name else None)
    if calibration is not None:
        settings = _calibrated(settings, read_calibration(calibration))
    ingest = IngestSettings() if series_table is None else IngestSettings(table=read_table(series_table))
    return Order(
        settings,
        ingest,
        masks,
        numbering,  # type: ignore[arg-type]  # the command line offers no other words
        engine,  # type: ignore[arg-type]  # likewise
        backend,  # type: ignore[arg-type]  # likewise
        lang,
        overwrite,
    )


def read_calibration(path: Path) -> Calibration:
    """A TOML file with `mg_cm3_per_hu` and `mg_cm3_at_0_hu`; raises `UsageError` for anything else."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise UsageError(f"{path.name}: no such file") from exc
    except OSError as exc:
        raise DeliveryError(f"{path.name}: the calibration cannot be read ({exc.strerror})") from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise UsageError(f"{path.name}: the calibration is no TOML text ({exc})") from exc
    slope, offset = _number(given.get("mg_cm3_per_hu")), _number(given.get("mg_cm3_at_0_hu", 0.0))
    if slope is None or offset is None or not 0.2 <= slope <= 3.0 or not abs(offset) <= 300.0:
        raise UsageError(
            f"{path.name}: the calibration needs mg_cm3_per_hu (0.2 to 3) and mg_cm3_at_0_hu (-300 to 300), "
            f"got {given.get('mg_cm3_per_hu')!r} and {given.get('mg_cm3_at_0_hu')!r}"
        )
    return Calibration(slope, offset)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _calibrated(settings: Settings, calibration: Calibration) -> Settings:
    density = replace(
        settings.vertebra.density,
        mg_cm3_per_hu=calibration.mg_cm3_per_hu,
        mg_cm3_at_0_hu=calibration.mg_cm3_at_0_hu,
    )
    return replace(settings, vertebra=replace(settings.vertebra, density=density))
