"""The table by which series are chosen; a hospital can bring its own."""

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from wirbel.errors import DeliveryError, UsageError
from wirbel.volume import Kernel


@dataclass(frozen=True, slots=True)
class KernelRow:
    """Kernel names of one class, for makers whose name matches (empty: all)."""

    kernel: Kernel
    manufacturer: re.Pattern[str]
    names: tuple[re.Pattern[str], ...]

    def matches(self, name: str, manufacturer: str) -> bool:
        """Whether this row knows the kernel."""
        return bool(self.manufacturer.search(manufacturer)) and any(p.search(name) for p in self.names)


@dataclass(frozen=True, slots=True)
class FindingRule:
    """The series for finding, naming and masks."""

    cover_share: float
    thickness_classes_mm: tuple[float, ...]
    kernels: tuple[Kernel, ...]


@dataclass(frozen=True, slots=True)
class HeightsRule:
    """When another series measures heights better."""

    good_enough_mm: float
    cover_share: float
    gain: float


@dataclass(frozen=True, slots=True)
class DensityRule:
    """The series for trabecular density."""

    kernels: tuple[Kernel, ...]
    cover_share: float


@dataclass(frozen=True, slots=True)
class CortexRule:
    """The series for fine cortex."""

    kernels: tuple[Kernel, ...]
    max_slice_mm: float
    cover_share: float


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """All rules of the choice; see `series_table.toml` for what each means."""

    modalities: frozenset[str]
    sop_classes: frozenset[str]
    max_slice_mm: float
    min_field_of_view_mm: float
    small_field_of_view_mm: float
    localizer_words: frozenset[str]
    derived_words: frozenset[str]
    refused_descriptions: tuple[re.Pattern[str], ...]
    rescale_types: frozenset[str]
    spectral_words: frozenset[str]
    spectral_descriptions: tuple[re.Pattern[str], ...]
    no_contrast: frozenset[str]
    kernels: tuple[KernelRow, ...]
    finding: FindingRule
    heights: HeightsRule
    density: DensityRule
    cortex: CortexRule

    def kernel_of(self, name: str | None, manufacturer: str | None) -> Kernel:
        """The class of a kernel's name, UNKNOWN where no row knows it."""
        if not name:
            return Kernel.UNKNOWN
        return next((r.kernel for r in self.kernels if r.matches(name, manufacturer or "")), Kernel.UNKNOWN)


def default_table() -> SeriesTable:
    """The table in the package."""
    return table_from(files("wirbel.ingest").joinpath("series_table.toml").read_text("utf-8"))


def read_table(path: Path) -> SeriesTable:
    """A hospital's own table; raises `UsageError` naming what is wrong in it."""
    try:
        text = path.read_text("utf-8")
    except OSError as exc:
        raise DeliveryError(f"{path.name}: the series table cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{path.name}: the series table is no UTF-8 text") from exc
    try:
        return table_from(text)
    except KeyError as exc:
        raise UsageError(f"{path.name}: the series table lacks {exc}: copy the default and change it") from exc
    except (ValueError, TypeError, AttributeError, re.error) as exc:
        raise UsageError(f"{path.name}: the series table is not valid ({exc})") from exc


def table_from(text: str) -> SeriesTable:
    """A table from TOML; raises KeyError for a missing entry, ValueError for a wrong one."""
    t = tomllib.loads(text)
    accept, refuse, finding, heights = t["accept"], t["refuse"], t["finding"], t["heights"]
    density, cortex = t["density"], t["cortex"]
    return SeriesTable(
        modalities=frozenset(accept["modalities"]),
        sop_classes=frozenset(accept["sop_classes"]),
        max_slice_mm=float(accept["max_slice_mm"]),
        min_field_of_view_mm=float(accept["min_field_of_view_mm"]),
        small_field_of_view_mm=float(accept["small_field_of_view_mm"]),
        localizer_words=frozenset(refuse["localizer"]),
        derived_words=frozenset(refuse["derived"]),
        refused_descriptions=_patterns(refuse["descriptions"]),
        rescale_types=frozenset(refuse["rescale_types"]),
        spectral_words=frozenset(t["spectral"]["image_type"]),
        spectral_descriptions=_patterns(t["spectral"]["descriptions"]),
        no_contrast=frozenset(t["contrast"]["none"]),
        kernels=tuple(
            KernelRow(Kernel(row["class"]), re.compile(row["manufacturer"], re.I), _patterns(row["names"]))
            for row in t["kernel"]
        ),
        finding=FindingRule(
            float(finding["cover_share"]),
            tuple(float(v) for v in finding["thickness_classes_mm"]),
            _kernels(finding["kernels"]),
        ),
        heights=HeightsRule(
            float(heights["good_enough_mm"]), float(heights["cover_share"]), float(heights["gain"])
        ),
        density=DensityRule(_kernels(density["kernels"]), float(density["cover_share"])),
        cortex=CortexRule(_kernels(cortex["kernels"]), float(cortex["max_slice_mm"]), float(cortex["cover_share"])),
    )


def _patterns(texts: list[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text, re.IGNORECASE) for text in texts)


def _kernels(names: list[str]) -> tuple[Kernel, ...]:
    return tuple(Kernel(name) for name in names)
