"""The seed study's Tables 4 and 5 recomputed from their counts (preset foreman2024).

Foreman et al. 2024, CT-based classification of osteoporotic and malignant vertebral fractures by deep learning;
counts and intervals are retyped from Tables 4 and 5 of the thesis text that describes the study. Positive means
malignant ("pathologic") fracture. Approach 3 leaves "uncertain, please perform MRI" out of its counts; Table 5
repeats it as "best model". The method of the printed 95 % intervals is not stated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
ROUNDING = 0.0051
"""Half of the last printed digit, and a hair."""
WOBBLE = 0.0151
"""Half a digit and one more: what another draw of a bootstrap of some thousand samples may move an end."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed figure with its printed 95 % interval, as fractions."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One line of Table 4 or 5 at one site: counts of the decided cases and what is printed."""

    table: int
    who: str
    site: str
    true_positive: int
    positives: int
    true_negative: int
    negatives: int
    auc: Printed
    accuracy: Printed
    sensitivity: Printed
    specificity: Printed


def _row(table: int, who: str, site: str, counts: str, figures: str) -> StudyRow:
    """A line as printed: TP/positives TN/negatives, then value, low, high of each figure in percent."""
    tp, positives, tn, negatives = (int(k) for k in counts.replace("/", " ").split())
    percent = [int(k) / 100 for k in figures.split()]
    auc, accuracy, sensitivity, specificity = (Printed(*percent[i : i + 3]) for i in (0, 3, 6, 9))
    return StudyRow(
        table, who, site, tp, positives, tn, negatives, auc, accuracy, sensitivity, specificity
    )


ROWS: tuple[StudyRow, ...] = (
    _row(4, "approach 1", "internal", "38/49 32/37", "82 74 90  81 73 90  78 65 89  86 74 97"),
    _row(4, "approach 1", "external", "26/35 20/30", "70 59 81  71 60 82  74 59 88  67 59 83"),
    _row(4, "approach 2", "internal", "40/49 33/37", "85 77 92  85 77 92  82 70 92  89 78 98"),
    _row(4, "approach 2", "external", "28/35 21/30", "75 64 85  75 65 85  80 67 92  70 53 86"),
    _row(4, "approach 3", "internal", "34/36 26/30", "91 83 97  91 83 97  94 86 100  87 73 97"),
    _row(4, "approach 3", "external", "25/29 14/21", "76 64 88  78 66 88  86 72 97  67 45 86"),
    _row(5, "resident, 2 years", "internal", "33/49 26/37", "69 59 78  69 59 78  67 54 80  70 55 85"),
    _row(5, "resident, 2 years", "external", "22/35 23/30", "70 58 80  69 58 80  63 46 79  77 61 91"),
    _row(5, "resident, 4 years", "internal", "34/49 27/37", "71 61 80  71 60 80  69 56 82  73 58 87"),
    _row(5, "resident, 4 years", "external", "22/35 24/30", "71 60 82  71 60 82  63 47 78  80 65 93"),
    _row(5, "radiologist, 7 years", "internal", "46/49 29/37", "86 78 93  87 80 94  94 86 100  78 64 91"),
    _row(5, "radiologist, 7 years", "external", "30/35 17/30", "71 60 82  72 62 83  86 73 97  57 38 74"),
)
ALL_CASES = {"internal": (49, 37), "external": (35, 30)}
"""Malignant and osteoporotic fractures of each test set (Table 3)."""

MEASURES = ("auc", "accuracy", "sensitivity", "specificity")
METHODS = ("bootstrap of cases", "bootstrap in each class", "Wald", "Wilson", "Clopper-Pearson", "Jeffreys")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One printed interval beside ours; `ours` has (low, high) for each method."""

    row: StudyRow
    measure: str
    value: float
    printed: Printed
    ours: dict[str, tuple[float, float]]

    @property
    def distance(self) -> dict[str, float]:
        """Larger of the differences of the lower and of the upper end, by method."""
        return {
            name: max(abs(low - self.printed.low), abs(high - self.printed.high))
            for name, (low, high) in self.ours.items()
        }

    @property
    def explained(self) -> bool:
        """Whether some method comes within a bootstrap's wobble of both printed ends."""
        return min(self.distance.values()) <= WOBBLE


@dataclass(frozen=True, slots=True)
class Undecided:
    """What leaving out the undecided does to approach 3 at one site.

    Sensitivity and specificity among the decided; with the undecided counted as wrong; and with them counted as
    suspected malignancy (sent on to MRI), which is what the tier asks for.
    """

    site: str
    undecided_positive: int
    undecided_negative: int
    decided: tuple[float, float]
    as_wrong: tuple[float, float]
    as_suspected: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Recomputation:
    """All comparisons, and the answers drawn from them."""

    comparisons: tuple[Comparison, ...]
    undecided: tuple[Undecided, ...]

    @property
    def mean_distance(self) -> dict[str, float]:
        """Mean distance to the printed ends for each method, over all intervals it exists for."""
        return {
            m: float(np.mean([c.distance[m] for c in self.comparisons if m in c.ours])) for m in METHODS
        }

    @property
    def agreeing(self) -> dict[str, int]:
        """How many printed intervals each method reproduces to the printed digits."""
        return {m: sum(c.distance.get(m, 1.0) <= ROUNDING for c in self.comparisons) for m in METHODS}

    @property
    def closest(self) -> str:
        """The method with the smallest mean distance."""
        return min(self.mean_distance, key=lambda m: self.mean_distance[m])

    @property
    def unexplained(self) -> tuple[Comparison, ...]:
        """Printed intervals that no method comes near."""
        return tuple(c for c in self.comparisons if not c.explained)

    @property
    def auc_is_one_operating_point(self) -> dict[str, bool]:
        """Whether each printed AUC is (sensitivity + specificity) / 2 of its counts to two digits."""
        return {
            f"{c.row.who}, {c.row.site}": abs(round(c.value + 1e-9, 2) - c.printed.value) < 1e-9
            for c in self.comparisons if c.measure == "auc"
        }


def recompute(*, rng: np.random.Generator, replicates: int = 20_000) -> Recomputation:
    """Recompute every interval of Tables 4 and 5 from its counts by each method."""
    comparisons: list[Comparison] = []
    for row in ROWS:
        draws = _draw(row, rng, replicates)
        comparisons.extend(_compare(row, measure, draws) for measure in MEASURES)
    undecided = tuple(_undecided(row) for row in ROWS if row.who == "approach 3")
    return Recomputation(tuple(comparisons), undecided)


def _draw(row: StudyRow, rng: np.random.Generator, replicates: int) -> dict[str, tuple[Floats, ...]]:
    """Bootstrap counts (TP, positives, TN, negatives), drawing from all cases or within each class."""
    tp, p, tn, n = row.true_positive, row.positives, row.true_negative, row.negatives
    cells = rng.multinomial(p + n, np.array([tp, p - tp, tn, n - tn]) / (p + n), size=replicates).astype(float)
    all_cases = (cells[:, 0], cells[:, 0] + cells[:, 1], cells[:, 2], cells[:, 2] + cells[:, 3])
    keep = (all_cases[1] > 0) & (all_cases[3] > 0)
    by_class = (
        rng.binomial(p, tp / p, replicates).astype(float), np.full(replicates, float(p)),
        rng.binomial(n, tn / n, replicates).astype(float), np.full(replicates, float(n)),
    )
    return {METHODS[0]: tuple(a[keep] for a in all_cases), METHODS[1]: by_class}


FORMULAS: dict[str, Callable[..., Floats | float]] = {
    "auc": lambda tp, p, tn, n: (tp / p + tn / n) / 2,
    "accuracy": lambda tp, p, tn, n: (tp + tn) / (p + n),
    "sensitivity": lambda tp, p, tn, n: tp / p,
    "specificity": lambda tp, p, tn, n: tn / n,
}


def _compare(row: StudyRow, measure: str, draws: dict[str, tuple[Floats, ...]]) -> Comparison:
    counts = (row.true_positive, row.positives, row.true_negative, row.negatives)
    formula = FORMULAS[measure]
    value = float(formula(*counts))
    ours = {}
    for method, drawn in draws.items():
        low, high = (float(q) for q in np.quantile(formula(*drawn), [0.025, 0.975]))
        ours[method] = (low, high)
    if measure == "auc":
        ours["Wald"] = _balanced_wald(row, value)
    else:
        k, n = {
            "accuracy": (row.true_positive + row.true_negative, row.positives + row.negatives),
            "sensitivity": (row.true_positive, row.positives),
            "specificity": (row.true_negative, row.negatives),
        }[measure]
        ours |= _proportion(k, n)
    return Comparison(row, measure, value, getattr(row, measure), ours)


def _proportion(k: int, n: int) -> dict[str, tuple[float, float]]:
    half = float(stats.norm.ppf(0.975)) * float(np.sqrt(k / n * (1 - k / n) / n))
    test = stats.binomtest(k, n)
    wilson, exact = test.proportion_ci(method="wilson"), test.proportion_ci(method="exact")
    return {
        "Wald": (max(k / n - half, 0.0), min(k / n + half, 1.0)),
        "Wilson": (float(wilson.low), float(wilson.high)),
        "Clopper-Pearson": (float(exact.low), float(exact.high)),
        "Jeffreys": (
            float(stats.beta.ppf(0.025, k + 0.5, n - k + 0.5)),
            float(stats.beta.ppf(0.975, k + 0.5, n - k + 0.5)),
        ),
    }


def _balanced_wald(row: StudyRow, value: float) -> tuple[float, float]:
    """DeLong's interval of a two-valued score: the normal interval of (sensitivity + specificity) / 2."""
    sens, spec = row.true_positive / row.positives, row.true_negative / row.negatives
    variance = sens * (1 - sens) / (row.positives - 1) + spec * (1 - spec) / (row.negatives - 1)
    half = float(stats.norm.ppf(0.975)) * float(np.sqrt(variance)) / 2
    return max(value - half, 0.0), min(value + half, 1.0)


def _undecided(row: StudyRow) -> Undecided:
    positives, negatives = ALL_CASES[row.site]
    missing_pos, missing_neg = positives - row.positives, negatives - row.negatives
    return Undecided(
        site=row.site,
        undecided_positive=missing_pos,
        undecided_negative=missing_neg,
        decided=(row.true_positive / row.positives, row.true_negative / row.negatives),
        as_wrong=(row.true_positive / positives, row.true_negative / negatives),
        as_suspected=((row.true_positive + missing_pos) / positives, row.true_negative / negatives),
    )
