"""The two hospitals of a simulated cohort: scanners, noise, contrast, and how advanced disease is there."""

from dataclasses import dataclass, replace

import numpy as np

from wirbel.phantom.scanner import Scanner
from wirbel.phantom.scanners import SCANNERS


@dataclass(frozen=True, slots=True)
class Site:
    """A hospital; `noise` multiplies its protocols' noise, `severity` shifts malignant disease (SD)."""

    scanners: tuple[str, ...]
    noise: tuple[float, float]
    blur: tuple[float, float]
    phases: tuple[float, float, float]
    """Shares of native, arterial, portal venous."""
    severity: float = 0.0
    age_shift: float = 0.0


PHASES = ("native", "arterial", "portal_venous")
#: The study: 12 scanners of Philips and Siemens, 120 kVp, 0.9 to 1 mm; elsewhere other makers, thicker slices.
SITES: dict[str, Site] = {
    "internal": Site(
        scanners=("siemens-b30f-1", "siemens-br40-1", "philips-iqon-1", "siemens-b60f-06"),
        noise=(0.7, 1.4),
        blur=(0.9, 1.15),
        phases=(0.35, 0.2, 0.45),
    ),
    "external": Site(
        scanners=("ge-standard-1.25", "canon-fc08-1", "philips-b-2", "ge-bone-1.25", "siemens-br40-3"),
        noise=(1.0, 2.0),
        blur=(0.95, 1.3),
        phases=(0.55, 0.1, 0.35),
        severity=-0.4,
        age_shift=1.0,
    ),
}


def scanner_at(rng: np.random.Generator, site: Site) -> Scanner:
    """One of the site's protocols, with its everyday scatter of dose and sharpness."""
    scanner = SCANNERS[site.scanners[int(rng.integers(len(site.scanners)))]]
    return replace(
        scanner,
        noise_hu=float(scanner.noise_hu * rng.uniform(*site.noise)),
        blur_mm=float(scanner.blur_mm * rng.uniform(*site.blur)),
    )


def phase_at(rng: np.random.Generator, site: Site) -> str:
    """A contrast phase."""
    return PHASES[int(rng.choice(3, p=site.phases))]
