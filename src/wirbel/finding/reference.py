"""What a vertebra's heights would be if it were whole: from its own posterior wall, its neighbours and its
level."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wirbel.finding.norms import Norm
from wirbel.finding.settings import GradeSettings
from wirbel.vertebra import Heights

#: A neighbour this many places away weighs half as much as the next one.
HALF_AT = 2.0
#: Fractures only ever lower heights: the course of the column is read above its middle.
QUANTILE = 0.55
FARTHEST = 5.0
LEAST_SOUND = 2
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A vertebra that has heights and a norm; `rank` is its place along the column."""

    label: int
    rank: float
    heights: Heights
    norm: Norm


@dataclass(frozen=True, slots=True)
class Expected:
    """Expected heights and the relative losses against them; `neighbours` counts what the course rests on."""

    heights: Heights
    anterior_loss: float
    middle_loss: float
    posterior_loss: float
    neighbours: int

    @property
    def largest(self) -> float:
        """The largest of the three losses."""
        return max(self.anterior_loss, self.middle_loss, self.posterior_loss)


def expected_of_all(rows: Sequence[Row], settings: GradeSettings) -> dict[int, Expected]:
    """Expected heights by label; in further rounds vertebrae that look broken are no reference for others."""
    broken: frozenset[int] = frozenset()
    expected: dict[int, Expected] = {}
    for _ in range(ROUNDS):
        expected = {row.label: expected_heights(rows, i, broken, settings) for i, row in enumerate(rows)}
        new = frozenset(label for label, e in expected.items() if e.largest >= settings.suspect)
        if new == broken:
            break
        broken = new
    return expected


def expected_heights(
    rows: Sequence[Row], index: int, broken: frozenset[int], settings: GradeSettings
) -> Expected:
    """Expected heights of `rows[index]`; labels in `broken` are no reference while two others are in reach.

    Posterior: its own wall while that agrees with the course of the neighbours, the course where it is lower.
    Anterior: the mean of the level's ratio (shifted by the patient's own shape) and the neighbours' course. Middle:
    the level's ratio to the mean of the two.
    """
    own = rows[index]
    others = [r for i, r in enumerate(rows) if i != index and abs(r.rank - own.rank) <= FARTHEST]
    sound = [r for r in others if r.label not in broken]
    others = sound if len(sound) >= LEAST_SOUND else others
    distance = np.array([abs(r.rank - own.rank) for r in others])
    weight = 1.0 / (1.0 + distance / HALF_AT) if others else np.zeros(0)
    heights, norm = own.heights, own.norm
    posterior = heights.posterior_mm
    slant, fulness = 1.0, 1.0
    anterior_course: float | None = None
    if others:
        lengths = [r.heights.posterior_mm / r.norm.posterior_mm for r in others]
        course = norm.posterior_mm * _typical(lengths, weight)
        trust = float(
            np.clip(
                (1.0 - posterior / course - settings.wall_intact) / (settings.wall_broken - settings.wall_intact),
                0.0,
                1.0,
            )
        )
        posterior = max(posterior, (1.0 - trust) * posterior + trust * course)
        steady = len(others) / (len(others) + 2.0)
        slants = [r.heights.anterior_mm / r.heights.posterior_mm / r.norm.anterior for r in others]
        slant = 1.0 + steady * (_typical(slants, weight) - 1.0)
        fulnesses = [
            2.0 * r.heights.middle_mm / (r.heights.anterior_mm + r.heights.posterior_mm) / r.norm.middle
            for r in others
        ]
        fulness = 1.0 + steady * (_typical(fulnesses, weight) - 1.0)
        lengths = [r.heights.anterior_mm / (r.norm.posterior_mm * r.norm.anterior) for r in others]
        anterior_course = norm.posterior_mm * norm.anterior * _typical(lengths, weight)
    anterior = posterior * norm.anterior * slant
    if anterior_course is not None:
        anterior = float(np.sqrt(anterior * anterior_course))
    middle = norm.middle * fulness * 0.5 * (anterior + posterior)
    return Expected(
        Heights(anterior, middle, posterior),
        1.0 - heights.anterior_mm / anterior,
        1.0 - heights.middle_mm / middle,
        1.0 - heights.posterior_mm / posterior,
        len(others),
    )


def _typical(values: Sequence[float], weight: np.ndarray) -> float:
    """Weighted quantile of positive ratios, interpolated."""
    order = np.argsort(values)
    ordered = np.asarray(values, dtype=np.float64)[order]
    share = weight[order] / weight.sum()
    place = np.cumsum(share) - 0.5 * share
    return float(np.interp(QUANTILE, place, ordered))
