"""A stand-alone algorithm against the mean of human readers of the same cases.

The algorithm is one fixed reader, the humans are a sample: their differences to it take the place of the figures
in a one-treatment Obuchowski-Rockette analysis (Hillis, Obuchowski & Berbaum 2011; Chakraborty 2017, chapter 22).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.estimate import Estimate
from wirbel.evaluation.mrmc.covariance import Covariance, case_covariance
from wirbel.evaluation.mrmc.figures import AreaUnderCurve, Figure
from wirbel.evaluation.mrmc.no_variance import NO_STDERR, ScoreLimits
from wirbel.evaluation.mrmc.obuchowski_rockette import figure_values
from wirbel.evaluation.mrmc.readings import Readings
from wirbel.evaluation.mrmc.results import (
    Difference,
    Inference,
    TreatmentMean,
    bounded_mean,
    difference,
    hillis_df,
    t_interval,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StandAlone:
    """The algorithm's own figure, the readers' mean, and algorithm minus readers."""

    figure: str
    alone: Estimate
    readers: TreatmentMean
    difference: Difference


def stand_alone(
    readings: Readings,
    figure: Figure | None = None,
    *,
    alone: str,
    treatment: str | None = None,
    inference: Inference = Inference.RANDOM_READERS_RANDOM_CASES,
    covariance: Covariance = Covariance.JACKKNIFE,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> StandAlone:
    """Compare the reader named `alone` (the algorithm) with the mean of all others under `treatment`.

    `treatment` may be left out where the humans read under one treatment. Raises ValueError for an unknown name,
    or fewer than two human readers where readers are random.
    """
    figure = figure if figure is not None else AreaUnderCurve()
    cell, humans, name = _cells(readings, alone, treatment)
    if len(humans) < 2 and inference is not Inference.FIXED_READERS:
        raise ValueError(f"random readers need at least 2 human readers, got {len(humans)}; use fixed readers")
    values = figure_values(readings, figure).ravel()
    sigma = case_covariance(readings, figure, covariance, rng=rng)
    own = sigma[np.ix_(humans, humans)]
    with_alone = sigma[humans, cell]
    apart = own - with_alone[:, None] - with_alone + sigma[cell, cell]
    low, high = t_interval(float(values[cell]), float(np.sqrt(sigma[cell, cell])), np.inf, level)
    n = readings.n_patients
    method = f"stand-alone, {covariance.value}, {inference.value}"
    stderr, df = _error(values[humans], own, inference)
    gap_stderr, gap_df = _error(values[cell] - values[humans], apart, inference)
    mean = float(values[humans].mean())
    bounds = figure.bounds
    own_figure = Estimate(
        float(values[cell]), max(low, bounds[0]), min(high, bounds[1]), level, n, "normal over cases"
    )
    if sigma[cell, cell] <= NO_STDERR**2:
        limits = ScoreLimits(readings, figure, values.reshape(readings.cells.shape), level)
        own_figure = limits.reading(own_figure, *divmod(cell, len(readings.readers)))
    return StandAlone(
        figure=figure.name,
        alone=own_figure,
        readers=bounded_mean(name, mean, stderr=stderr, df=df, level=level, n=n, method=method, bounds=bounds),
        difference=difference(
            alone,
            name,
            None,
            float(values[cell]) - mean,
            stderr=gap_stderr,
            df=gap_df,
            level=level,
            n=n,
            method=method,
        ),
    )


def _cells(readings: Readings, alone: str, treatment: str | None) -> tuple[int, list[int], str]:
    """The algorithm's cell, the human readers' cells, and a name for them."""
    if alone not in readings.readers:
        raise ValueError(f"unknown reader {alone!r}: the table has {', '.join(map(repr, readings.readers))}")
    if treatment is not None and treatment not in readings.treatments:
        raise ValueError(
            f"unknown treatment {treatment!r}: the table has {', '.join(map(repr, readings.treatments))}"
        )
    a, n_readers = readings.readers.index(alone), len(readings.readers)
    human = readings.cells.copy()
    human[:, a] = False
    of_humans = [i for i in range(len(readings.treatments)) if human[i].any()]
    if treatment is not None:
        of_humans = [readings.treatments.index(treatment)]
    if len(of_humans) != 1 or not human[of_humans[0]].any():
        names = [readings.treatments[i] for i in of_humans]
        raise ValueError(f"the human readers read under {names}: name the one treatment to compare with")
    t = of_humans[0]
    of_alone = np.flatnonzero(readings.cells[:, a])
    if of_alone.size > 1 and t not in of_alone:
        raise ValueError(
            f"reader {alone!r} has readings under several treatments, none of them {readings.treatments[t]!r}"
        )
    own = t if t in of_alone else int(of_alone[0])
    cells = [t * n_readers + int(r) for r in np.flatnonzero(human[t])]
    return own * n_readers + a, cells, f"mean of {len(cells)} readers"


def _error(values: Floats, sigma: Floats, inference: Inference) -> tuple[float, float]:
    """Standard error and degrees of freedom of a mean over readers whose case covariance is `sigma`."""
    n = values.size
    if inference is Inference.FIXED_READERS:
        if not sigma.mean() > 0:
            raise ValueError("the cases do not vary for these readers: no comparison is possible")
        return float(np.sqrt(sigma.mean())), np.inf
    mean_square = float(values.var(ddof=1))
    cov2 = float((sigma.sum() - np.trace(sigma)) / (n * (n - 1)))
    total = mean_square + (n * max(cov2, 0.0) if inference is Inference.RANDOM_READERS_RANDOM_CASES else 0.0)
    if not total > 0:
        raise ValueError("the readers do not vary, nor do the cases: no comparison is possible")
    return float(np.sqrt(total / n)), hillis_df(total, mean_square, n - 1)
