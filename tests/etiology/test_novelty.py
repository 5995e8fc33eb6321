"""The usual is seldom refused, the unusual often; whatever the number of features."""

import numpy as np
import pytest

from wirbel.errors import InputRejected
from wirbel.etiology import LabelledScores
from wirbel.etiology.novelty import fit_novelty


def with_features(scores: LabelledScores, features: np.ndarray) -> LabelledScores:
    return LabelledScores(scores.patients, scores.vertebrae, scores.malignant, scores.members, features)


@pytest.mark.parametrize("dimensions", [2, 64])
def test_the_share_of_usual_patients_that_is_refused_is_the_promised_one(dimensions, simulated_scores):
    refused = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        options = {"per_patient": 1, "features": dimensions}
        novelty = fit_novelty(simulated_scores(rng, **options), false_refusals=0.05, rng=rng)
        fresh = simulated_scores(rng, malignant=250, osteoporotic=250, **options)
        refused.append((novelty.distance(fresh.features) > novelty.limit).mean())
    error = np.std(refused) / np.sqrt(len(refused))
    assert np.mean(refused) <= 0.05 + 3 * error
    assert np.mean(refused) >= 0.01


def test_a_shift_that_no_class_mean_explains_is_noticed(simulated_scores):
    rng = np.random.default_rng(1)
    novelty = fit_novelty(simulated_scores(rng, features=40), false_refusals=0.05, rng=rng)
    fresh = simulated_scores(rng, per_patient=1, features=40).features
    for moved in (fresh + 3.0 * rng.normal(size=40), fresh * 3.0, np.where(np.arange(40) == 7, 12.0, fresh)):
        assert (novelty.distance(moved) > novelty.limit).mean() > 0.8


def test_a_feature_that_never_varied_betrays_any_change(simulated_scores):
    rng = np.random.default_rng(2)
    scores = simulated_scores(rng, features=3)
    constant = scores.features.copy()
    constant[:, 1] = 4.0
    novelty = fit_novelty(with_features(scores, constant), false_refusals=0.05, rng=rng)
    assert not novelty.is_unlike((1.0, 4.0, 1.0))
    assert novelty.is_unlike((1.0, 4.1, 1.0))


def test_too_few_patients_for_the_promised_share_are_refused(simulated_scores):
    rng = np.random.default_rng(3)
    with pytest.raises(InputRejected, match=r"30 patients are too few.*40 are needed"):
        fit_novelty(
            simulated_scores(rng, malignant=15, osteoporotic=15, features=2), false_refusals=0.05, rng=rng
        )
