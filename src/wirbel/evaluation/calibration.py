"""Do predicted probabilities come true? Reliability curve, calibration error, Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.estimate import Estimate, valid_level
from wirbel.evaluation.inputs import binary, probabilities, same_length
from wirbel.evaluation.proportions import proportion
from wirbel.evaluation.resampling import REPLICATES, draw_counts, percentile_estimate

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Cases of similar prediction: their mean prediction and the share that was diseased."""

    predicted: float
    observed: Estimate


@dataclass(frozen=True, slots=True)
class BrierDecomposition:
    """Brier = reliability - resolution + uncertainty, exact where each distinct prediction is its own bin (Murphy,
    J Appl Meteorol 1973;12:595); with fewer bins `within` is what the binning leaves over."""

    score: Estimate
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def predictions(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Bools, Floats]:
    """Checked truth and probabilities of one length."""
    labels, p = binary(truth), probabilities(predicted)
    same_length(truth=labels, probabilities=p)
    return labels, p


def equal_count_bins(p: Floats, bins: int) -> Ints:
    """The bin of each prediction: right-closed intervals between type-7 quantiles, equal edges merged (Hosmer &
    Lemeshow as R cuts them)."""
    if bins < 1:
        raise ValueError(f"at least one bin is needed, got {bins}")
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)))
    if edges.size == 1:
        return np.zeros(p.size, dtype=np.int64)
    # the lowest edge belongs to the first bin; a hair of rounding must not move a prediction over its own edge
    index = np.searchsorted(edges[1:-1] + 1e-15, p, side="left")
    return np.asarray(index, dtype=np.int64)


def reliability_curve(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, *, bins: int = BINS, level: float = 0.95
) -> tuple[ReliabilityBin, ...]:
    """Observed shares with Wilson intervals in bins of equal counts, from low predictions to high (Broecker &
    Smith, Weather Forecast 2007;22:651)."""
    labels, p = predictions(truth, predicted)
    index = equal_count_bins(p, bins)
    return tuple(
        ReliabilityBin(
            float(p[index == b].mean()),
            proportion(int(labels[index == b].sum()), int((index == b).sum()), level=level),
        )
        for b in np.unique(index)
    )


def expected_calibration_error(truth: npt.ArrayLike, predicted: npt.ArrayLike, *, bins: int = BINS) -> float:
    """Mean distance of observed share and mean prediction over bins of equal counts: the plug-in ECE, which is
    too large in small samples (Naeini et al., AAAI 2015; Broecker 2012); see `debiased_calibration_error`."""
    labels, p = predictions(truth, predicted)
    n, observed, mean = _per_bin(labels, p, equal_count_bins(p, bins))
    return float(np.sum(n * np.abs(observed - mean)) / labels.size)


def debiased_calibration_error(truth: npt.ArrayLike, predicted: npt.ArrayLike, *, bins: int = BINS) -> float:
    """ECE less what perfectly calibrated predictions in the same bins would show on average (its expectation when
    outcomes are drawn from the bin's mean prediction, exact by the binomial law), not under 0.

    The idea of Broecker (Clim Dyn 2012;39:655) and Kumar et al. (NeurIPS 2019, sec. 5), in the l1 norm.
    """
    labels, p = predictions(truth, predicted)
    n, observed, mean = _per_bin(labels, p, equal_count_bins(p, bins))
    plug_in = float(np.sum(n * np.abs(observed - mean)))
    by_chance = sum(_mean_absolute_deviation(int(k), float(q)) * k for k, q in zip(n, mean, strict=True))
    return max((plug_in - by_chance) / labels.size, 0.0)


def debiased_squared_calibration_error(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, *, bins: int = BINS
) -> float:
    """Squared calibration error of the bins, each less the variance of its observed share o(1-o)/(n-1): unbiased,
    so it may be negative (Kumar et al., NeurIPS 2019, Def. 5.1). Bins of one case carry no information and are left
    out."""
    labels, p = predictions(truth, predicted)
    n, observed, mean = _per_bin(labels, p, equal_count_bins(p, bins))
    enough = n > 1
    if not enough.any():
        raise ValueError("no bin has two cases: take fewer bins")
    n, observed, mean = n[enough], observed[enough], mean[enough]
    return float(np.sum(n * ((observed - mean) ** 2 - observed * (1 - observed) / (n - 1))) / n.sum())


def bootstrap_calibration_error(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    bins: int = BINS,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> Estimate:
    """Debiased ECE with a percentile interval; the bins stay those of the sample."""
    labels, p = predictions(truth, predicted)
    index = equal_count_bins(p, bins)
    one = np.zeros((labels.size, int(index.max()) + 1))
    one[np.arange(labels.size), index] = 1.0
    weights = draw_counts(labels.size, replicates, rng)
    n, hits, mass = weights @ one, weights @ (one * labels[:, None]), weights @ (one * p[:, None])
    mean = np.where(n > 0, mass / np.maximum(n, 1), 0.0)
    expected = np.sqrt(2 / np.pi) * np.sqrt(np.maximum(n * mean * (1 - mean), 0))
    draws = np.maximum((np.abs(hits - mass) - expected).sum(axis=1), 0.0) / labels.size
    return percentile_estimate(
        debiased_calibration_error(labels, p, bins=bins), draws, n=labels.size,
        method="debiased ECE, bootstrap percentile", level=level,
    )


def brier_score(truth: npt.ArrayLike, predicted: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Mean squared distance of prediction and outcome (Brier 1950), t interval over cases, cut at 0 and 1."""
    labels, p = predictions(truth, predicted)
    if labels.size < 2:
        raise ValueError("a Brier score with interval needs two cases")
    losses = (p - labels) ** 2
    half = float(stats.t.isf((1 - valid_level(level)) / 2, labels.size - 1)) * losses.std(ddof=1)
    half /= np.sqrt(labels.size)
    value = float(losses.mean())
    return Estimate(
        value, max(value - half, 0.0), min(value + half, 1.0), level, labels.size, "Brier score, t over cases"
    )


def brier_decomposition(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, *, bins: int | None = None, level: float = 0.95
) -> BrierDecomposition:
    """Murphy's three parts, over the distinct predictions, or over bins of equal counts."""
    labels, p = predictions(truth, predicted)
    index = (
        np.unique(p, return_inverse=True)[1] if bins is None else equal_count_bins(p, bins)
    )
    n, observed, mean = _per_bin(labels, p, np.asarray(index, dtype=np.int64))
    base = float(labels.mean())
    score = brier_score(labels, p, level=level)
    reliability = float(np.sum(n * (mean - observed) ** 2) / labels.size)
    resolution = float(np.sum(n * (observed - base) ** 2) / labels.size)
    uncertainty = base * (1 - base)
    return BrierDecomposition(
        score, reliability, resolution, uncertainty, score.value - (reliability - resolution + uncertainty)
    )


def _per_bin(labels: Bools, p: Floats, index: Ints) -> tuple[Floats, Floats, Floats]:
    """Count, observed share and mean prediction of the bins that have cases."""
    count = np.bincount(index).astype(np.float64)
    used = count > 0
    n = count[used]
    return n, np.bincount(index, weights=labels)[used] / n, np.bincount(index, weights=p)[used] / n


def _mean_absolute_deviation(n: int, p: float) -> float:
    """E|X/n - p| of a binomial X (de Moivre): 2 C(n-1, v-1) p^v (1-p)^(n-v+1), v = floor(np) + 1."""
    if p <= 0.0 or p >= 1.0:
        return 0.0
    v = int(np.floor(n * p)) + 1
    return float(2 * v * (1 - p) * stats.binom.pmf(v, n, p) / n) if v <= n else 0.0
