"""Simulated readings with known truth: the model of Roe & Metz (Acad Radiol 1997;4:298, Table 1).

A decision variable is a sum of independent normal effects of reader, case, reader x case and their
interactions with treatment. Without a treatment effect the treatments have equal expected AUC, so the share
of significant studies is the test's type I error. Everything made here is simulated and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.mrmc.readings import Readings


@dataclass(frozen=True, slots=True)
class RoeMetz:
    """Variances of the effects; those with `treatment_` are drawn anew for each treatment.

    `separation` is the mean of the diseased cases; reader effects are drawn separately for diseased and other
    cases.
    """

    separation: float
    reader: float
    treatment_reader: float
    case: float
    treatment_case: float
    reader_case: float
    error: float

    @property
    def expected_auc(self) -> float:
        """AUC expected over readers and cases."""
        total = sum(
            (self.reader, self.treatment_reader, self.case, self.treatment_case, self.reader_case, self.error)
        )
        return float(stats.norm.cdf(self.separation / np.sqrt(2 * total)))


def _structure(separation: float, reader: float, *, high_correlation: bool) -> RoeMetz:
    case, error = (0.3, 0.2) if high_correlation else (0.1, 0.6)
    return RoeMetz(separation, reader, reader, case, case, 0.2, error)


ROE_METZ_1997: dict[str, RoeMetz] = {
    f"{correlation}{spread} {separation:.2f}": _structure(
        separation, reader, high_correlation=correlation == "H"
    )
    for separation, wide in ((0.75, 0.011), (1.5, 0.03), (2.5, 0.056))
    for correlation in "HL"
    for spread, reader in (("H", wide), ("L", 0.0055))
}
"""The twelve structures: case correlation high or low, reader variance high or low, and the separation."""


def simulate_readings(
    structure: RoeMetz,
    *,
    readers: int,
    diseased: int,
    healthy: int,
    rng: np.random.Generator,
    shifts: tuple[float, ...] = (0.0, 0.0),
) -> Readings:
    """A simulated factorial study; `shifts` is added to the diseased cases' mean of each treatment."""
    n = diseased + healthy
    truth = np.arange(n) < diseased
    t = len(shifts)

    def effect(variance: float, *shape: int) -> npt.NDArray[np.float64]:
        return rng.normal(0.0, np.sqrt(variance), shape)

    by_class = effect(structure.reader, 1, readers, 2) + effect(structure.treatment_reader, t, readers, 2)
    ratings = by_class[:, :, np.where(truth, 1, 0)]
    ratings = ratings + effect(structure.case, 1, 1, n) + effect(structure.treatment_case, t, 1, n)
    ratings = ratings + effect(structure.reader_case, 1, readers, n) + effect(structure.error, t, readers, n)
    ratings = ratings + np.where(truth, structure.separation + np.asarray(shifts)[:, None, None], 0.0)
    return Readings(
        ratings=ratings,
        read=np.ones(ratings.shape, dtype=bool),
        truth=truth,
        treatments=tuple(f"treatment {i + 1}" for i in range(t)),
        readers=tuple(f"reader {i + 1}" for i in range(readers)),
        cases=tuple(f"simulated {i + 1}" for i in range(n)),
        patients=np.arange(n),
    )
