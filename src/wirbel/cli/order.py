"""What a call of `wirbel analyze` asks for, checked before any work is done."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from wirbel.errors import DeliveryError, ModelError, UsageError
from wirbel.etiology import (
    Calibrations,
    ClinicalTable,
    EtiologySettings,
    Population,
    TierRule,
    read_clinical,
)
from wirbel.etiology import read_calibration as read_site_calibration
from wirbel.ingest import IngestSettings, read_table
from wirbel.network.bundle import SCORER, Bundle, load_bundle
from wirbel.network.session import Backend
from wirbel.spine.shift import named_vertebra
from wirbel.study import Settings

EngineName = Literal["network", "totalsegmentator"]
NumberingName = Literal["verse", "totalsegmentator"]


@dataclass(frozen=True, slots=True)
class Order:
    """How to analyse, the same for every study of a call.

    `spine`, `classifier`: networks of one's own; None: those that ship. `cause`: whether the classifier is asked.
    `site`: what its scores mean here, as `wirbel recalibrate` found.
    `authors_form`: folder for predictions in the form of the study's authors.
    """

    settings: Settings = field(default_factory=Settings)
    ingest: IngestSettings = field(default_factory=IngestSettings)
    masks: Path | None = None
    numbering: NumberingName | None = None
    engine: EngineName = "network"
    backend: Backend = "onnxruntime"
    lang: str = "en"
    overwrite: bool = False
    spine: Bundle | None = None
    classifier: Bundle | None = None
    cause: bool = True
    site: Calibrations = field(default_factory=Calibrations)
    clinical: ClinicalTable | None = None
    authors_form: Path | None = None


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
    calibration: Sequence[Path],
    series_table: Path | None,
    overwrite: bool,
    bundles: Sequence[Path] = (),
    cause: bool = True,
    tiers: str = TierRule.CERTIFIED.value,
    prevalence: float | None = None,
    simulated_answers: bool = False,
    clinical: Path | None = None,
    authors_form: Path | None = None,
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
    spine, classifier = _own_networks(bundles)
    if spine is not None and (masks is not None or engine != "network"):
        raise UsageError(f"{spine.folder.name} finds vertebrae, and so does --masks or --engine: give one of them")
    if classifier is not None and not cause:
        raise UsageError(f"--no-cause asks no classifier, so {classifier.folder.name} has no use: give one of them")
    settings = Settings(
        etiology=EtiologySettings(
            rule=TierRule(tiers), prevalence=prevalence, simulated_answers=simulated_answers
        ),
        shift_levels=shift_levels,
        named=named_vertebra(name) if name else None,
    )
    of_scores, of_density = _sorted(calibration)
    if of_scores and not cause:
        raise UsageError(f"--no-cause asks no classifier, so {of_scores[0].name} has no use: give one of them")
    if of_density is not None:
        settings = _calibrated(settings, read_calibration(of_density))
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
        spine,
        classifier,
        cause,
        _site(of_scores),
        None if clinical is None else read_clinical(_text(clinical, "clinical file")),
        authors_form,
    )


def read_calibration(path: Path) -> Calibration:
    """A TOML file with `mg_cm3_per_hu` and `mg_cm3_at_0_hu`; raises `UsageError` for anything else."""
    try:
        given = tomllib.loads(_text(path, "calibration"))
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(f"{path.name}: the calibration is no TOML text ({exc})") from exc
    slope, offset = _number(given.get("mg_cm3_per_hu")), _number(given.get("mg_cm3_at_0_hu", 0.0))
    if slope is None or offset is None or not 0.2 <= slope <= 3.0 or not abs(offset) <= 300.0:
        raise UsageError(
            f"{path.name}: the calibration needs mg_cm3_per_hu (0.2 to 3) and mg_cm3_at_0_hu (-300 to 300), "
            f"got {given.get('mg_cm3_per_hu')!r} and {given.get('mg_cm3_at_0_hu')!r}"
        )
    return Calibration(slope, offset)


def _own_networks(folders: Sequence[Path]) -> tuple[Bundle | None, Bundle | None]:
    """The bundle that finds vertebrae and the one that tells causes, each checked by its hashes."""
    found: dict[str, Bundle] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder.name}: no such folder")
        bundle = load_bundle(folder)
        kind = "find vertebrae" if bundle.has("find") else "tell causes" if SCORER in bundle.files else None
        if kind is None:
            what = ", ".join(sorted(bundle.files))
            raise ModelError(f"{folder.name} neither finds vertebrae nor tells causes: it holds {what}")
        if kind in found:
            raise UsageError(f"two bundles that {kind} are given: give one")
        found[kind] = bundle
    return found.get("find vertebrae"), found.get("tell causes")


def _sorted(files: Sequence[Path]) -> tuple[list[Path], Path | None]:
    """Calibrations of scores (JSON, by `wirbel recalibrate`), and the one of density (TOML)."""
    of_scores = [path for path in files if _text(path, "calibration").lstrip().startswith("{")]
    of_density = [path for path in files if path not in of_scores]
    if len(of_density) > 1:
        raise UsageError(f"{len(of_density)} calibrations of density are given: a CT has one scanner, give one")
    return of_scores, of_density[0] if of_density else None


def _site(files: Sequence[Path]) -> Calibrations:
    """The site's calibrations, one a population at most."""
    found = {}
    for path in files:
        try:
            fitted = read_site_calibration(_text(path, "calibration"))
        except ModelError as exc:
            raise ModelError(f"{path.name}: {exc}") from None
        if fitted.population in found:
            raise UsageError(f"two calibrations for {fitted.population.value} vertebrae are given: give one")
        found[fitted.population] = fitted
    return Calibrations(found.get(Population.FRACTURED), found.get(Population.UNFRACTURED))


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise UsageError(f"{path.name}: no such file") from exc
    except OSError as exc:
        raise DeliveryError(f"{path.name}: the {what} cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{path.name}: the {what} is no UTF-8 text") from exc


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _calibrated(settings: Settings, calibration: Calibration) -> Settings:
    density = replace(
        settings.vertebra.density,
        mg_cm3_per_hu=calibration.mg_cm3_per_hu,
        mg_cm3_at_0_hu=calibration.mg_cm3_at_0_hu,
    )
    return replace(settings, vertebra=replace(settings.vertebra, density=density))
