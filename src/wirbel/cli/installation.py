"""What is installed here: versions, networks, hardware. Reads this machine only, calls nowhere."""

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wirbel import __version__
from wirbel.errors import ModelError
from wirbel.network.bundle import SHIPPED, load_bundle

#: Packages whose version changes a number, and the extras.
PACKAGES = (
    "numpy", "scipy", "scikit-image", "pydicom", "pyjpegls", "pylibjpeg-openjpeg", "python-gdcm", "nibabel",
    "onnxruntime", "openvino", "torch", "TotalSegmentator", "highdicom", "typst", "jinja2",
    "distributed",
)  # fmt: skip


#: A bundle's model card.
CARD = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class InstalledBundle:
    """One network bundle; `sha256` None and `problem` set where it is damaged. `card` is its card's title."""

    name: str
    version: str | None
    sha256: str | None
    files: dict[str, str]
    problem: str | None = None
    card: str | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """All of it; a package that is not installed has version None."""

    wirbel: str
    python: str
    system: str
    processors: int
    memory_gib: float | None
    packages: dict[str, str | None]
    bundles: tuple[InstalledBundle, ...]
    notice: str = "research use only; not a medical device"

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)

    def as_text(self) -> str:
        """For people."""
        memory = "unknown memory" if self.memory_gib is None else f"{self.memory_gib:.1f} GiB memory"
        lines = [
            f"wirbel {self.wirbel} ({self.notice})",
            f"Python {self.python} on {self.system}",
            f"{self.processors} processors, {memory}",
            "",
            "Networks",
            *([f"  {line}" for bundle in self.bundles for line in _bundle_lines(bundle)] or ["  none installed"]),
            "",
            "Packages",
            *[f"  {name:<20} {found or 'not installed'}" for name, found in self.packages.items()],
        ]
        return "\n".join(lines)


def installation() -> Installation:
    """Look at this machine."""
    return Installation(
        wirbel=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        processors=_processors(),
        memory_gib=_memory_gib(),
        packages={name: _version(name) for name in PACKAGES},
        bundles=_bundles(),
    )


def _bundle_lines(bundle: InstalledBundle) -> list[str]:
    if bundle.problem is not None:
        return [f"{bundle.name}: {bundle.problem}"]
    files = [f"  {name}  sha256 {digest}" for name, digest in sorted(bundle.files.items())]
    card = [f"  {bundle.card} ({CARD})"] if bundle.card else []
    return [f"{bundle.name} {bundle.version}  sha256 {bundle.sha256}", *card, *files]


def _bundles() -> tuple[InstalledBundle, ...]:
    if not SHIPPED.is_dir():
        return ()
    return tuple(_bundle(path.parent.name) for path in sorted(SHIPPED.glob("*/bundle.json")))


def _bundle(name: str) -> InstalledBundle:
    try:
        bundle = load_bundle(SHIPPED / name)
    except ModelError as exc:
        return InstalledBundle(name, None, None, {}, str(exc))
    return InstalledBundle(
        bundle.name, bundle.version, bundle.sha256, dict(bundle.files), card=_card(SHIPPED / name / CARD)
    )


def _card(path: Path) -> str | None:
    """The title of a model card."""
    if not path.is_file():
        return None
    first = next((line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()), "")
    return first.lstrip("# ").strip() or None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gib() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    except (ValueError, OSError):
        return None
