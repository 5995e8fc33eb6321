"""Does a vertebra look like those of the calibration cohort? A Gaussian density on the scorer's features."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wirbel.errors import InputRejected, ModelError
from wirbel.etiology.labelled_scores import LabelledScores

#: At most so many directions get a variance of their own; the rest share one.
MOST_DIRECTIONS = 16
#: So many cases a direction at least.
CASES_A_DIRECTION = 10
#: Features that hardly vary keep this share of the largest spread: a change in them is seen, not divided by 0.
LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """Squared Mahalanobis distance to the nearer class, and the limit from which a vertebra is unlike the cohort.

    Class means with one covariance (Lee 2018, NeurIPS) in the form of probabilistic PCA (Tipping & Bishop 1999,
    JRSS B 61:611): `directions` have the `variances`, all others `rest`. Features are divided by `spread` first.
    `false_refusals`: at most this share of patients like those of the cohort has a vertebra beyond the limit.
    """

    means: Float64[np.ndarray, "2 d"]
    spread: Float64[np.ndarray, "d"]
    directions: Float64[np.ndarray, "k d"]
    variances: Float64[np.ndarray, "k"]
    rest: float
    limit: float
    false_refusals: float

    def distance(self, features: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n"]:
        """Squared distance to the nearer class."""
        if features.shape[1] != self.spread.size:
            raise ModelError(
                f"{features.shape[1]} features were given, the calibration knows {self.spread.size}: they belong "
                "to different scorers"
            )
        each = [self._to(features, mean) for mean in self.means]
        return np.asarray(np.minimum(*each))

    def is_unlike(self, features: tuple[float, ...]) -> bool:
        """Whether one vertebra is beyond the limit."""
        return bool(self.distance(np.array([features], dtype=np.float64))[0] > self.limit)

    def _to(self, features: np.ndarray, mean: np.ndarray) -> np.ndarray:
        off = (features - mean) / self.spread
        along = off @ self.directions.T
        across = np.maximum((off**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        return np.asarray((along**2 / self.variances).sum(axis=1) + (across / self.rest if self.rest > 0 else 0.0))


def fit_novelty(scores: LabelledScores, *, false_refusals: float, rng: np.random.Generator) -> Novelty:
    """The density from half of the patients, the limit from the other half (split conformal: the ceil((m+1)(1 -
    false_refusals))-th of m patients' largest distances), so that it holds for patients to come."""
    codes = scores.patient_codes
    shuffled = rng.permutation(int(codes.max()) + 1)
    first = np.isin(codes, shuffled[: shuffled.size // 2])
    rank = int(np.ceil((shuffled.size - shuffled.size // 2 + 1) * (1 - false_refusals)))
    if rank > shuffled.size - shuffled.size // 2 or len(np.unique(scores.malignant[first])) < 2:
        raise InputRejected(
            f"{shuffled.size} patients are too few to refuse at most {false_refusals:g} of the usual ones: "
            f"{2 * int(np.ceil(1 / false_refusals))} are needed"
        )
    density = _density(scores.features[first], scores.malignant[first], false_refusals)
    far = density.distance(scores.features[~first])
    largest = np.full(shuffled.size, -np.inf)
    np.maximum.at(largest, codes[~first], far)
    limit = float(np.sort(largest[np.isfinite(largest)])[rank - 1])
    return Novelty(
        density.means, density.spread, density.directions, density.variances, density.rest, limit, false_refusals
    )


def _density(features: np.ndarray, malignant: np.ndarray, false_refusals: float) -> Novelty:
    means = np.stack([features[~malignant].mean(axis=0), features[malignant].mean(axis=0)])
    off = features - means[malignant.astype(int)]
    spread = off.std(axis=0)
    spread = np.maximum(spread, LEAST_SPREAD * max(float(spread.max()), 1.0))
    n, d = off.shape
    _, singular, axes = np.linalg.svd(off / spread, full_matrices=False)
    variances = singular**2 / max(n - 2, 1)
    k = max(1, min(d, MOST_DIRECTIONS, n // CASES_A_DIRECTION))
    left = d - k
    rest = float(variances[k:].sum() / left) if left else 0.0
    floor = LEAST_SPREAD**2
    return Novelty(
        means, spread, axes[:k], np.maximum(variances[:k], floor), max(rest, floor) if left else 0.0, np.inf,
        false_refusals,
    )  # fmt: skip
