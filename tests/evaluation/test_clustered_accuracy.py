"""All figures of calls on several vertebrae of one patient."""

import numpy as np
import pytest
from scipy import stats

from wirbel.evaluation.accuracy import FIGURES, accuracy_table, confusion, npv_at, ppv_at
from wirbel.evaluation.clustered_accuracy import (
    bootstrap_clustered_accuracy_table,
    clustered_accuracy_table,
    clustered_npv_at,
    clustered_ppv_at,
)
from wirbel.evaluation.estimate import Estimate, NotEstimable

SENSITIVITY, SPECIFICITY = 0.85, 0.8
TRUE = {
    "sensitivity": SENSITIVITY, "specificity": SPECIFICITY, "balanced_accuracy": (SENSITIVITY + SPECIFICITY) / 2,
    "positive_likelihood_ratio": SENSITIVITY / (1 - SPECIFICITY),
    "negative_likelihood_ratio": (1 - SENSITIVITY) / SPECIFICITY,
}


def simulated(rng, patients, *, mixed, icc=0.4):
    """Three vertebrae a patient with a shared effect; patients of one kind, or with vertebrae of both kinds."""
    codes = np.repeat(np.arange(patients), 3)
    truth = np.resize([1, 0, 0, 1, 0], codes.size) == 1 if mixed else codes < 0.4 * patients
    z = np.sqrt(icc) * rng.normal(size=patients)[codes] + np.sqrt(1 - icc) * rng.normal(size=codes.size)
    cut = np.where(truth, stats.norm.ppf(1 - SENSITIVITY), stats.norm.ppf(SPECIFICITY))
    return truth, z > cut, codes


def test_variances_and_drawn_patients_give_the_same_intervals_in_a_large_simulated_sample():
    sample = simulated(np.random.default_rng(1), 2000, mixed=True)
    by_variance = clustered_accuracy_table(*sample)
    drawn = bootstrap_clustered_accuracy_table(*sample, rng=np.random.default_rng(2), replicates=1500)
    for name in FIGURES:
        a, b = getattr(by_variance, name), getattr(drawn, name)
        assert a.value == pytest.approx(b.value)
        assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=0.12 * (a.high - a.low)), name


def test_clusters_of_one_unit_have_about_the_plain_intervals():
    truth, called, _ = simulated(np.random.default_rng(3), 300, mixed=True, icc=0.0)
    alone = np.arange(truth.size)
    table, plain = clustered_accuracy_table(truth, called, alone), accuracy_table(confusion(truth, called))
    for name in FIGURES:
        a, b = getattr(table, name), getattr(plain, name)
        assert a.value == pytest.approx(b.value)
        assert a.high - a.low == pytest.approx(b.high - b.low, rel=0.12), name
    c = confusion(truth, called)
    for ours, theirs in ((clustered_ppv_at, ppv_at), (clustered_npv_at, npv_at)):
        a, b = ours(truth, called, alone, 0.1), theirs(c, 0.1)
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=0.02)


def test_units_repeated_within_patients_add_nothing():
    truth, called, _ = simulated(np.random.default_rng(4), 100, mixed=True, icc=0.0)
    once = clustered_accuracy_table(truth, called, np.arange(300))
    thrice = clustered_accuracy_table(*(np.repeat(x, 3) for x in (truth, called, np.arange(300))))
    for name in FIGURES:
        a, b = getattr(once, name), getattr(thrice, name)
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.1), name


def test_perfect_and_empty_calls_stay_inside_their_range_or_are_blank_with_a_reason():
    truth, codes = np.array([1, 1, 0, 0, 1, 0, 0, 1]) == 1, np.arange(8) // 2
    perfect = clustered_accuracy_table(truth, truth, codes)
    assert perfect.sensitivity.low < perfect.sensitivity.high == 1.0
    assert perfect.positive_likelihood_ratio.high == np.inf
    assert 0 < perfect.positive_likelihood_ratio.low < np.inf
    assert (perfect.negative_likelihood_ratio.value, perfect.negative_likelihood_ratio.low) == (0.0, 0.0)
    nobody = clustered_accuracy_table(truth, np.zeros(8), codes)
    assert isinstance(nobody.positive_predictive_value, NotEstimable)
    assert "no unit called diseased" in str(nobody.positive_predictive_value)
    drawn = bootstrap_clustered_accuracy_table(truth, truth, codes, rng=np.random.default_rng(0), replicates=200)
    for name in FIGURES:
        assert isinstance(getattr(drawn, name), NotEstimable), name
        for table in (perfect, nobody):
            figure = getattr(table, name)
            if isinstance(figure, Estimate):
                assert 0.0 <= figure.low <= figure.value <= figure.high
                assert "ratio" in name or figure.high <= 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([1, 1], [1, 0], [0, 1]), "at least 1 healthy"),
        (([1, 0], [1, 0], [0, 0]), "at least 2 clusters"),
        (([1, 0], [1, 2], [0, 1]), "calls must hold 0 and 1, got 2 at position 2"),
        (([1, 0], [1, 0, 1], [0, 1]), "of one length"),
    ],
)
def test_bad_input_is_refused_with_what_and_where(arguments, says):
    with pytest.raises(ValueError, match=says):
        clustered_accuracy_table(*arguments)


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("patients", [30, 86])
def test_the_intervals_cover_in_simulated_samples(patients, mixed):
    rng, held = np.random.default_rng(patients), dict.fromkeys(TRUE, 0)
    for _ in range(1000):
        table = clustered_accuracy_table(*simulated(rng, patients, mixed=mixed))
        for name, true in TRUE.items():
            figure = getattr(table, name)
            held[name] += isinstance(figure, NotEstimable) or figure.low <= true <= figure.high
    for name, count in held.items():
        assert 0.93 < count / 1000 < 0.995, (name, count)
