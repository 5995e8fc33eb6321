"""How often each sign comes with each cause, and how large it is then.

The directions are the literature's: Laredo 1995 (34 benign, 32 malignant collapses), Baur-Melnyk 2004, Schwaiger
2016, Mauch 2018; vacuum in malignant collapse 2.7 % (Skeletal Radiol 2016;45:1747). The rates are ours: closer
together than in those series of clear cases, so that no single sign separates the two (see
`tests/phantom/test_signs_overlap.py`). They are assumptions of a simulation, not findings.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from wirbel.phantom.implicit import unchecked


class Difficulty(StrEnum):
    """How far the two causes' signs lie apart."""

    EASY = "easy"
    MIDDLE = "middle"
    HARD = "hard"


#: Factor on the distance between the causes (log odds of presence, log medians, means), by difficulty.
SEPARATION: dict[Difficulty, float] = {Difficulty.EASY: 1.4, Difficulty.MIDDLE: 1.0, Difficulty.HARD: 0.65}
#: How strongly one malignant vertebra's signs go together (log odds per SD of how advanced it is).
TOGETHER = 0.6


@dataclass(frozen=True, slots=True)
class Chance:
    """One sign: probability of presence and median size when present, each osteoporotic / malignant.

    `unfractured`: probability in an unfractured vertebra with a malignant lesion. `spread`: SD of the log size.
    """

    osteoporotic: float
    malignant: float
    unfractured: float
    median_osteoporotic: float
    median_malignant: float
    spread: float
    low: float
    high: float


CHANCES: dict[str, Chance] = {
    "cortex_destroyed": Chance(0.15, 0.56, 0.35, 0.05, 0.16, 0.6, 0.02, 0.65),
    "lytic": Chance(0.22, 0.60, 0.62, 0.07, 0.22, 0.6, 0.02, 0.75),
    "sclerotic": Chance(0.28, 0.36, 0.45, 0.08, 0.22, 0.6, 0.02, 0.75),
    "pedicle": Chance(0.09, 0.44, 0.30, 0.30, 0.60, 0.5, 0.12, 1.0),
    "fragment_mm": Chance(0.34, 0.11, 0.0, 3.6, 2.8, 0.3, 1.5, 7.0),
    "vacuum_mm3": Chance(0.25, 0.03, 0.0, 260.0, 150.0, 0.6, 50.0, 1200.0),
    "epidural_mm3": Chance(0.08, 0.42, 0.20, 300.0, 750.0, 0.6, 100.0, 3000.0),
    "paravertebral_mm3": Chance(0.07, 0.40, 0.20, 1500.0, 5000.0, 0.7, 500.0, 25000.0),
    "thickening_mm": Chance(0.46, 0.24, 0.06, 4.0, 4.5, 0.3, 2.0, 9.0),
    "lines": Chance(0.64, 0.28, 0.0, 2.0, 1.4, 0.4, 1.0, 3.0),
}


@dataclass(frozen=True, slots=True)
class Gauss:
    """A sign that every vertebra has: means by cause, and the SD within."""

    osteoporotic: float
    malignant: float
    unfractured: float
    sd: float


GAUSSES: dict[str, Gauss] = {
    "bow_mm": Gauss(0.0, 0.85, 0.2, 0.95),
    "fragment_deg": Gauss(46.0, 28.0, 28.0, 11.0),
    "line_sharpness": Gauss(0.72, 0.48, 0.48, 0.2),
    # trabecular density at 69 years; 0.8 mg/cm3 a year are lost (Pickhardt 2013 has 2.4 HU)
    "density_mg_cm3": Gauss(68.0, 87.0, 98.0, 27.0),
}
DENSITY_PER_YEAR = -0.8
NORMAL_DENSITY = 106.0
#: Probability of at least one further lesion, and of a further fracture, in the patient's other vertebrae.
FURTHER_LESIONS = Chance(0.07, 0.46, 0.55, 1.0, 1.6, 0.5, 1.0, 4.0)
FURTHER_FRACTURES = Chance(0.45, 0.26, 0.12, 1.3, 1.1, 0.4, 1.0, 3.0)


@unchecked
def apart(osteoporotic: float, malignant: float, separation: float) -> tuple[float, float]:
    """Two numbers moved from their middle by a factor."""
    middle, half = 0.5 * (osteoporotic + malignant), 0.5 * separation * (malignant - osteoporotic)
    return middle - half, middle + half


@lru_cache(maxsize=64)
def probabilities(chance: Chance, separation: float) -> tuple[float, float]:
    """Probability of presence, osteoporotic and malignant, at a separation."""
    o, m = apart(_logit(chance.osteoporotic), _logit(chance.malignant), separation)
    return _expit(o), _expit(m)


@lru_cache(maxsize=64)
def medians(chance: Chance, separation: float) -> tuple[float, float]:
    """Median size when present, osteoporotic and malignant, at a separation."""
    o, m = apart(float(np.log(chance.median_osteoporotic)), float(np.log(chance.median_malignant)), separation)
    return float(np.exp(o)), float(np.exp(m))


@unchecked
def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


@unchecked
def _expit(v: float) -> float:
    return float(1 / (1 + np.exp(-v)))


@unchecked
def shifted(p: float, log_odds: float) -> float:
    """A probability moved by log odds."""
    return _expit(_logit(p) + log_odds) if p > 0 else 0.0
