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
    """Lower and upper limits of each (treatment, reader) cell on its own, NaN where not read."""

    values: Floats
    low: Floats
    high: Floats
    level: float

    def reading(self, estimate: Estimate, treatment: int, reader: int) -> Estimate:
        """The reading's estimate with these limits."""
        low, high = float(self.low[treatment, reader]), float(self.high[treatment, reader])
        return replace(estimate, low=low, high=high, method=METHOD)

    def mean(self, mean: TreatmentMean, treatment: int) -> TreatmentMean:
        """The treatment's mean; with a standard error it stays as it is."""
        if mean.stderr > NO_STDERR:
            return mean
        low, high = (float(np.nanmean(side[treatment])) for side in (self.low, self.high))
        return replace(mean, estimate=replace(mean.estimate, low=low, high=high, method=METHOD))

    def difference(self, found: Difference, first: int, second: int, reader: int) -> Difference:
        """One reader's difference of two treatments; with a standard error it stays as it is."""
        if found.stderr > NO_STDERR:
            return found
        one, two = (first, reader), (second, reader)
        below = math.hypot(self.values[one] - self.low[one], self.high[two] - self.values[two])
        above = math.hypot(self.high[one] - self.values[one], self.values[two] - self.low[two])
        e = found.estimate
        return replace(
            found, estimate=replace(e, low=e.value - below, high=e.value + above, method=f"{METHOD}, hybrid")
        )


def score_limits_of(readings: Readings, figure: Figure, values: Floats, level: float) -> ScoreLimits:
    """Score limits of every cell from its figure and its numbers of diseased and other patients."""
    low, high = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    z = float(stats.norm.isf((1 - level) / 2))
    for t, r in np.argwhere(readings.cells):
        value, read = np.array([values[t, r]]), readings.read[t, r]
        m, n = (np.unique(readings.patients[read & c]).size for c in (readings.truth, ~readings.truth))
        if isinstance(figure, AreaUnderCurve):
            below, above = score_limits(value, partial(newcombe_variance, diseased=m, healthy=n), z)
        elif isinstance(figure, Sensitivity | Specificity):
            size = np.array([float(m if isinstance(figure, Sensitivity) else n)])
            below, above = wilson_limits(value * size, size, z)
        else:
            below, above = (np.array([bound]) for bound in figure.bounds)
        low[t, r], high[t, r] = below[0], above[0]
    return ScoreLimits(values, low, high, level)
