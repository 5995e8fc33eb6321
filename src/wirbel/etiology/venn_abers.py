"""The inductive Venn-Abers predictor: two probabilities of which one is calibrated."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import optimize


@dataclass(frozen=True, slots=True)
class VennAbers:
    """The calibration cohort as distinct scores with their counts; no patient can be told from it.

    Vovk & Petej 2014 (UAI): isotonic regression with the new score once as benign (p0) and once as malignant (p1);
    if cases are exchangeable, the one with the true label is calibrated.
    """

    log_odds: tuple[float, ...]
    counts: tuple[int, ...]
    malignant: tuple[int, ...]

    def __call__(self, log_odds: float) -> tuple[float, float]:
        """p0 and p1 of one score; p0 < p1."""
        scores, counts, hits = (np.array(each, dtype=np.float64) for each in (
            self.log_odds, self.counts, self.malignant
        ))  # fmt: skip
        place = int(np.searchsorted(scores, log_odds))
        if place == scores.size or scores[place] != log_odds:
            counts, hits = np.insert(counts, place, 0.0), np.insert(hits, place, 0.0)
        one = np.zeros(counts.size)
        one[place] = 1.0
        weights = counts + one

        def share(sums: Float64[np.ndarray, "m"]) -> float:
            return float(optimize.isotonic_regression(sums / weights, weights=weights).x[place])

        return share(hits), share(hits + one)


def venn_abers(log_odds: Float64[np.ndarray, "n"], malignant: Bool[np.ndarray, "n"]) -> VennAbers:
    """The predictor of a calibration cohort."""
    scores, place, count = np.unique(log_odds, return_inverse=True, return_counts=True)
    hits = np.bincount(place, weights=malignant).astype(int)
    return VennAbers(tuple(scores.tolist()), tuple(count.tolist()), tuple(hits.tolist()))
