"""One-shot U-statistic variance of reader-averaged figures for any pattern of readings.

Gallas, Acad Radiol 2006;13:353 ("one-shot"), for arbitrary designs Gallas & Brown, Neural Netw 2008;21:387.
The variance is a sum of coefficients times moments, one for each way in which two comparisons can share
reader, diseased case and other case; each moment is the mean over all such pairs in the data, so the estimate
has no bias whatever the design.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.mrmc.covariance import win_matrices
from wirbel.evaluation.mrmc.figures import AreaUnderCurve, Figure, Sensitivity, UserFigure
from wirbel.evaluation.mrmc.readings import Readings
from wirbel.evaluation.mrmc.results import Difference, TreatmentMean, bounded_mean, difference, hillis_df

Floats = npt.NDArray[np.float64]
Shared = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OneShot:
    """Reader-averaged figures, their covariance over readers and cases (treatments square), and tests."""

    figure: str
    treatments: tuple[str, ...]
    values: Floats
    covariance: Floats
    means: tuple[TreatmentMean, ...]
    differences: tuple[Difference, ...]


def one_shot(readings: Readings, figure: Figure | None = None, *, level: float = 0.95) -> OneShot:
    """Variance of each treatment's mean over readers and of their differences, readers and cases both random.

    Takes any pattern of readings (missing readings, split-plot, readers of some treatments only). The degrees
    of freedom follow Hillis: only the variance between readers is taken as uncertain. Raises ValueError where
    a variance is not estimable (one reader) or the unbiased estimate is not positive.
    """
    figure = figure if figure is not None else AreaUnderCurve()
    by_reader, covariance = _by_reader_and_covariance(readings, figure)
    values = np.nanmean(by_reader, axis=1)
    n_treatments = len(readings.treatments)
    return OneShot(
        figure=figure.name,
        treatments=readings.treatments,
        values=values,
        covariance=covariance,
        means=tuple(_mean(readings, figure, by_reader, covariance, i, level) for i in range(n_treatments)),
        differences=tuple(
            _difference(readings, figure, by_reader, covariance, i, j, level)
            for i, j in combinations(range(n_treatments), 2)
        ),
    )


def one_shot_covariance(readings: Readings, figure: Figure) -> Floats:
    """Unbiased covariance matrix of the treatments' means; a variance may come out negative in a small study."""
    return _by_reader_and_covariance(readings, figure)[1]


def _by_reader_and_covariance(readings: Readings, figure: Figure) -> tuple[Floats, Floats]:
    if readings.clustered:
        raise ValueError("the U-statistics take one case per patient; use the Obuchowski-Rockette analysis")
    kernel, mask = _kernel(readings, figure)
    per_reader = mask.reshape(*mask.shape[:2], -1).sum(axis=2)
    if (per_reader > 0).sum(axis=1).min() < 2:
        raise ValueError("random readers need at least two readers under every treatment")
    sums = (kernel * mask).reshape(*mask.shape[:2], -1).sum(axis=2)
    by_reader = np.divide(sums, per_reader, out=np.full(sums.shape, np.nan), where=per_reader > 0)
    scale = 1.0 / (np.maximum(per_reader, 1) * (per_reader > 0).sum(axis=1)[:, None])
    weights = mask * scale.reshape(*scale.shape, *(1,) * (mask.ndim - 2))
    n = len(readings.treatments)
    parts = [(_marginals(kernel[i] * mask[i]), _marginals(mask[i]), _marginals(weights[i])) for i in range(n)]
    covariance = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            products, counts, coefficients = (
                _by_sharing(x, y, kernel[i].ndim) for x, y in zip(parts[i], parts[j], strict=True)
            )
            covariance[i, j] = covariance[j, i] = _covariance(products, counts, coefficients)
    return by_reader, covariance


def _kernel(readings: Readings, figure: Figure) -> tuple[Floats, Floats]:
    """Success of each comparison and which were made: (treatments, readers, diseased[, other]) arrays."""
    shape = readings.read.shape[:2]
    pos, neg = readings.truth, ~readings.truth
    if isinstance(figure, AreaUnderCurve):
        wins, mask = win_matrices(readings)
        full = (*shape, int(pos.sum()), int(neg.sum()))
        return wins.reshape(full), mask.reshape(full)
    if isinstance(figure, UserFigure):
        raise ValueError(f"{figure.name}: the U-statistics know AUC, sensitivity and specificity")
    if isinstance(figure, Sensitivity):
        return (readings.ratings[..., pos] >= figure.threshold).astype(float), readings.read[..., pos].astype(
            float
        )
    return (readings.ratings[..., neg] < figure.threshold).astype(float), readings.read[..., neg].astype(float)


def _covariance(
    products: dict[Shared, float], counts: dict[Shared, float], coefficients: dict[Shared, float]
) -> float:
    """Sum over the ways of sharing of coefficient times (moment - squared mean)."""
    none: Shared = ()
    if counts[none] < 0.5:
        raise ValueError(
            "no two readings differ in reader and in both cases: at least two readers and two cases of each "
            "class are needed"
        )
    independent = products[none] / counts[none]
    total = 0.0
    for shared, count in counts.items():
        if shared and count > 0.5:
            total += coefficients[shared] * (products[shared] / count - independent)
    return total


def _subsets(n_axes: int) -> list[Shared]:
    return list(chain.from_iterable(combinations(range(n_axes), k) for k in range(n_axes + 1)))


def _marginals(x: Floats) -> dict[Shared, Floats]:
    """Sums over all axes but those of each subset."""
    return {
        kept: np.asarray(x.sum(axis=tuple(a for a in range(x.ndim) if a not in kept))) for kept in _subsets(x.ndim)
    }


def _by_sharing(x: dict[Shared, Floats], y: dict[Shared, Floats], n_axes: int) -> dict[Shared, float]:
    """Sum of x*y over all pairs of entries that share exactly the given axes (inclusion and exclusion)."""
    subsets = _subsets(n_axes)
    at_least = {kept: float(np.vdot(x[kept], y[kept])) for kept in subsets}
    return {
        kept: sum(
            (-1.0) ** (len(wider) - len(kept)) * at_least[wider] for wider in subsets if set(kept) <= set(wider)
        )
        for kept in subsets
    }


def _mean(
    readings: Readings, figure: Figure, by_reader: Floats, covariance: Floats, i: int, level: float
) -> TreatmentMean:
    read = by_reader[i][np.isfinite(by_reader[i])]
    variance = _positive(float(covariance[i, i]), figure, readings.treatments[i])
    between = float(read.var(ddof=1)) / read.size
    df = hillis_df(variance, between, read.size - 1)
    return bounded_mean(
        readings.treatments[i], float(read.mean()), stderr=float(np.sqrt(variance)), df=df, level=level,
        n=readings.n_patients, method=f"one-shot U-statistics, t({df:.2f})", bounds=figure.bounds,
    )


def _difference(
    readings: Readings, figure: Figure, by_reader: Floats, covariance: Floats, i: int, j: int, level: float
) -> Difference:
    names = readings.treatments
    value = float(np.nanmean(by_reader[i]) - np.nanmean(by_reader[j]))
    variance = _positive(
        float(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]), figure, f"{names[i]} - {names[j]}"
    )
    paired = by_reader[i] - by_reader[j]
    paired = paired[np.isfinite(paired)]
    if paired.size > 1:
        df = hillis_df(variance, float(paired.var(ddof=1)) / paired.size, paired.size - 1)
    else:
        parts = [row[np.isfinite(row)] for row in (by_reader[i], by_reader[j])]
        spread = sum((float(p.var(ddof=1)) / p.size) ** 2 / (p.size - 1) for p in parts)
        df = variance**2 / spread if spread > 0 else np.inf
    return difference(
        names[i], names[j], None, value, stderr=float(np.sqrt(variance)), df=df, level=level,
        n=readings.n_patients, method=f"one-shot U-statistics, t({df:.2f})",
    )


def _positive(variance: float, figure: Figure, what: str) -> float:
    if not variance > 0:
        raise ValueError(
            f"the unbiased variance of {figure.name} for {what} is {variance:.3g}, not positive: too little "
            "variation in the data; use the Obuchowski-Rockette analysis"
        )
    return variance
