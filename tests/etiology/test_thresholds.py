"""Thresholds hold what they promise, say how many patients that takes, and never cross."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wirbel.errors import UsageError
from wirbel.etiology import Confidence, LabelledScores, Promise, Tier, patients_needed, tier_of
from wirbel.etiology.thresholds import apart, certify, errors_allowed, extremes, safe_below, safe_from

REPEATS = 4000


@pytest.mark.parametrize(
    ("alpha", "delta", "patients"),
    [(0.10, 0.10, 22), (0.05, 0.05, 59), (0.10, 0.05, 29), (0.05, 0.10, 45), (0.01, 0.05, 299), (0.5, 0.5, 1)],
)
def test_so_many_patients_without_an_error_are_needed(alpha, delta, patients):
    assert patients_needed(alpha, delta) == patients
    assert errors_allowed(patients, alpha, delta) == 0
    assert errors_allowed(patients - 1, alpha, delta) == -1


@given(errors=st.integers(0, 20), alpha=st.floats(0.02, 0.4), delta=st.floats(0.01, 0.4))
def test_so_many_patients_allow_so_many_errors_and_one_patient_less_does_not(errors, alpha, delta):
    n = patients_needed(alpha, delta, errors=errors)
    assert errors_allowed(n, alpha, delta) >= errors > errors_allowed(n - 1, alpha, delta)


@given(n=st.integers(1, 400), alpha=st.floats(0.02, 0.4), delta=st.floats(0.01, 0.4))
def test_one_error_more_than_allowed_would_break_the_p_value(n, alpha, delta):
    allowed = errors_allowed(n, alpha, delta)
    assert allowed < 0 or stats.binom.cdf(allowed, n, alpha) <= delta
    assert stats.binom.cdf(allowed + 1, n, alpha) > delta


@pytest.mark.parametrize("n", [22, 59, 200])
def test_the_bound_breaks_as_often_as_the_beta_law_says_and_never_more_than_delta(n):
    """The error at the (k+1)-th of n uniform scores is Beta(k + 1, n - k) (Wilks 1941)."""
    alpha, delta = 0.10, 0.10
    scores = np.random.default_rng(n).random((REPEATS, n))
    broken = float((safe_below(scores, alpha=alpha, delta=delta) > alpha).mean())
    k = errors_allowed(n, alpha, delta)
    exact = float(stats.beta.sf(alpha, k + 1, n - k))
    error = np.sqrt(exact * (1 - exact) / REPEATS)
    assert exact <= delta
    assert abs(broken - exact) < 4 * error
    mirrored = 1.0 - safe_from(scores, alpha=alpha, delta=delta)
    assert abs(float((mirrored > alpha).mean()) - exact) < 4 * error


def test_ties_only_make_the_bound_safer():
    scores = np.random.default_rng(3).integers(0, 20, (REPEATS, 60)).astype(float)
    true_error = safe_below(scores, alpha=0.1, delta=0.1) / 20.0
    assert (true_error > 0.1).mean() <= 0.1


def test_a_patient_errs_by_its_worst_vertebra():
    scores = LabelledScores(
        ("a", "a", "b", "b", "b", "c"), ("1", "2", "1", "2", "3", "1"),
        np.array([True, True, True, False, False, False]),
        np.array([[2.0], [1.0], [3.0], [-1.0], [0.5], [-2.0]]), np.zeros((6, 0)),
    )  # fmt: skip
    lowest, highest = extremes(scores)
    assert sorted(lowest) == [1.0, 3.0]
    assert sorted(highest) == [-2.0, 0.5]


def test_a_certified_cohort_gets_tiers_with_their_bounds(simulated_scores):
    scores = simulated_scores(np.random.default_rng(1), malignant=120, osteoporotic=100)
    tiers = certify(scores, Promise())
    assert tiers.osteoporotic_below <= tiers.malignant_from
    assert (tiers.missed.patients, tiers.false_alarm.patients) == (120, 100)
    lowest, highest = extremes(scores)
    assert tiers.missed.errors == (lowest < tiers.osteoporotic_below).sum()
    assert tiers.false_alarm.errors == (highest >= tiers.malignant_from).sum()
    assert max(tiers.missed.upper, tiers.false_alarm.upper) <= 0.10
    assert tier_of(tiers.malignant_from, tiers) is Tier.MALIGNANT
    assert tier_of(np.nextafter(tiers.osteoporotic_below, -np.inf), tiers) is Tier.OSTEOPOROTIC


def test_promising_both_at_once_costs_patients_and_coverage(simulated_scores):
    scores = simulated_scores(np.random.default_rng(4), malignant=25, osteoporotic=25)
    each, both = certify(scores, Promise()), certify(scores, Promise(confidence=Confidence.BOTH))
    assert each.missed.certified and each.false_alarm.certified
    assert not both.missed.certified and both.missed.needed == 29


def test_too_few_of_one_class_take_only_that_tier_away(simulated_scores):
    tiers = certify(simulated_scores(np.random.default_rng(2), malignant=21, osteoporotic=22), Promise())
    assert not tiers.missed.certified and tiers.missed.needed == 22
    assert tiers.osteoporotic_below == -np.inf
    assert tier_of(-50.0, tiers) is Tier.UNCERTAIN
    assert tiers.false_alarm.certified and np.isfinite(tiers.malignant_from)


def test_tiers_of_well_separated_classes_meet_and_do_not_cross(simulated_scores):
    scores = simulated_scores(np.random.default_rng(5), malignant=200, osteoporotic=200, apart=12.0)
    lowest, highest = extremes(scores)
    assert safe_below(lowest, alpha=0.1, delta=0.1) > safe_from(highest, alpha=0.1, delta=0.1)
    tiers = certify(scores, Promise())
    assert tiers.osteoporotic_below == tiers.malignant_from
    assert (tiers.missed.errors, tiers.false_alarm.errors) == (0, 0)


@given(seed=st.integers(0, 10_000))
def test_a_common_cut_never_raises_an_error_above_its_own_threshold(seed):
    rng = np.random.default_rng(seed)
    lowest, highest = rng.normal(1.0, 1.0, 30), rng.normal(-1.0, 1.0, 30)
    below, start = float(rng.normal(0.5)), float(rng.normal(-0.5))
    new_below, new_start = apart(below, start, lowest, highest)
    assert new_below <= new_start
    assert new_below <= below and new_start >= start


@pytest.mark.parametrize(
    "wrong", [{"alpha_missed": 0.0}, {"alpha_false_alarm": 1.0}, {"delta": 0.7}, {"delta": 10.0}]
)
def test_a_promise_of_nonsense_is_refused(wrong):
    with pytest.raises(UsageError, match="must"):
        Promise(**wrong)
