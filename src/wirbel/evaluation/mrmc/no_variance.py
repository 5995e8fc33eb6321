"""Intervals where readings show no variance at all, such as readers who separate the classes perfectly.

The usual errors are 0 there, and an interval without width would claim certainty. A reading then gets the score
interval of its figure, counted over patients; a mean the mean of its readings' limits (as if the readers erred on
the same cases: the widest that can be); a difference the hybrid of two such intervals (Newcombe, Stat Med
1998;17:873, method 10). A user's figure has no score interval: its bounds are all that can be said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.auc_intervals import newcombe_variance, score_limits
from wirbel.evaluation.estimate import Estimate
from wirbel.evaluation.mrmc.figures import AreaUnderCurve, Figure, Sensitivity, Specificity
from wirbel.evaluation.mrmc.readings import Readings
from wirbel.evaluation.mrmc.results import Difference, TreatmentMean
from wirbel.evaluation.proportions import wilson_limits

Floats = npt.NDArray[np.float64]
NO_STDERR = 1e-10
METHOD = "no variance: score limits over patients"


@dataclass(frozen=True, slots=True, eq=False)
class ScoreLimits:
    """Limits of each (treatment, reader) cell of a study on its own, computed where they are asked for."""

    readings: Readings
    figure: Figure
    values: Floats
    level: float

    def of(self, treatment: int, reader: int) -> tuple[float, float]:
        """Lower and upper limit of one cell from its figure and its numbers of diseased and other patients."""
        value, read = self.values[[treatment], [reader]], self.readings.read[treatment, reader]
        z = float(stats.norm.isf((1 - self.level) / 2))
        m, n = (
            np.unique(self.readings.patients[read & c]).size for c in (self.readings.truth, ~self.readings.truth)
        )
        if isinstance(self.figure, AreaUnderCurve):
            low, high = score_limits(value, partial(newcombe_variance, diseased=m, healthy=n), z)
        elif isinstance(self.figure, Sensitivity | Specificity):
            size = np.array([float(m if isinstance(self.figure, Sensitivity) else n)])
            low, high = wilson_limits(value * size, size, z)
        else:
            return self.figure.bounds
        return float(low[0]), float(high[0])

    def reading(self, estimate: Estimate, treatment: int, reader: int) -> Estimate:
        """The reading's estimate with these limits."""
        low, high = self.of(treatment, reader)
        return replace(estimate, low=low, high=high, method=METHOD)

    def mean(self, mean: TreatmentMean, treatment: int) -> TreatmentMean:
        """The treatment's mean; with a standard error it stays as it is."""
        if mean.stderr > NO_STDERR:
            return mean
        ends = [self.of(treatment, int(r)) for r in np.flatnonzero(self.readings.cells[treatment])]
        low, high = (float(x) for x in np.mean(ends, axis=0))
        return replace(mean, estimate=replace(mean.estimate, low=low, high=high, method=METHOD))

    def difference(self, found: Difference, first: int, second: int, reader: int) -> Difference:
        """One reader's difference of two treatments; with a standard error it stays as it is."""
        if found.stderr > NO_STDERR:
            return found
        one, two = (float(self.values[t, reader]) for t in (first, second))
        (low_one, high_one), (low_two, high_two) = self.of(first, reader), self.of(second, reader)
        below, above = math.hypot(one - low_one, high_two - two), math.hypot(high_one - one, two - low_two)
        e = found.estimate
        return replace(
            found, estimate=replace(e, low=e.value - below, high=e.value + above, method=f"{METHOD}, hybrid")
        )
