"""Yes-or-no readings: shares, ratios, pairs, clusters, tiers, abstention, permutation, Holm."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wirbel.evaluation import abstention, accuracy, tiers
from wirbel.evaluation.abstention import Undecided
from wirbel.evaluation.accuracy import Confusion, accuracy_table, confusion
from wirbel.evaluation.clustered_shares import (
    bootstrap_clustered_proportion,
    clustered_proportion,
    compare_clustered_proportions,
)
from wirbel.evaluation.estimate import NotEstimable
from wirbel.evaluation.paired_calls import McNemar, compare_paired_calls, compare_unpaired_calls, mcnemar
from wirbel.evaluation.permutation import holm, permutation_test_auc, permutation_test_paired_auc
from wirbel.evaluation.proportions import ProportionInterval, proportion
from wirbel.evaluation.ratios import proportion_ratio
from wirbel.evaluation.resampling import bootstrap, cluster_bootstrap


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None, max_examples=40)
def test_every_interval_of_a_share_stays_between_zero_and_one(counts):
    k, n = counts
    for method in ProportionInterval:
        if method in (ProportionInterval.WALD, ProportionInterval.BOOTSTRAP) and k in (0, n):
            with pytest.raises(ValueError, match="use Wilson or Clopper-Pearson"):
                proportion(k, n, method=method)
            continue
        found = proportion(k, n, method=method)
        assert 0.0 <= found.low < found.high <= 1.0
        if method in (ProportionInterval.WILSON, ProportionInterval.CLOPPER_PEARSON, ProportionInterval.MID_P):
            assert found.low <= k / n <= found.high


@pytest.mark.parametrize("n", [5, 20, 60])
@pytest.mark.parametrize("p", [0.05, 0.3, 0.5, 0.9, 0.98])
def test_the_exact_interval_never_covers_less_than_it_says(n, p):
    covered = sum(
        stats.binom.pmf(k, n, p)
        for k in range(n + 1)
        if proportion(k, n, method=ProportionInterval.CLOPPER_PEARSON).low <= p
        <= proportion(k, n, method=ProportionInterval.CLOPPER_PEARSON).high
    )
    assert covered >= 0.95 - 1e-12


def test_koopmans_published_example():
    found = proportion_ratio(36, 40, 16, 80)
    assert (found.value, found.low, found.high) == pytest.approx((4.5, 2.94, 7.15), abs=0.01)


def test_a_ratio_without_events_reaches_zero_or_infinity_and_two_zeros_are_refused():
    assert proportion_ratio(0, 20, 5, 20).low == 0.0
    assert math.isinf(proportion_ratio(5, 20, 0, 20).high)
    assert 1.0 < proportion_ratio(15, 20, 0, 20).low < math.inf
    with pytest.raises(ValueError, match="has no value"):
        proportion_ratio(0, 20, 0, 20)


def test_predictive_values_at_the_samples_own_prevalence_are_the_plain_ones():
    c = Confusion(30, 5, 8, 57)
    own = c.diseased / c.total
    assert accuracy.ppv_at(c, own).value == pytest.approx(accuracy.positive_predictive_value(c).value)
    assert accuracy.npv_at(c, own).value == pytest.approx(accuracy.negative_predictive_value(c).value)
    rare = accuracy.ppv_at(c, 0.01)
    assert rare.low < rare.value < rare.high < 0.2


def test_the_table_blanks_what_counts_cannot_say():
    table = accuracy_table(Confusion(0, 4, 0, 9))
    assert isinstance(table.positive_predictive_value, NotEstimable)
    assert isinstance(table.positive_likelihood_ratio, NotEstimable)
    assert table.sensitivity.value == 0.0
    assert table.to_json()["positive_predictive_value"] == {
        "not_estimable": "no case called diseased in the sample: the share has no value"
    }
    assert confusion([1, 1, 0, 0, 0], [1, 0, 1, 0, 0]) == Confusion(1, 1, 1, 2)


def test_f1_and_balanced_accuracy_agree_with_a_bootstrap():
    c = Confusion(60, 15, 20, 105)
    rng = np.random.default_rng(0)

    def f1(x):
        return 2 * x.true_positive / (2 * x.true_positive + x.false_positive + x.false_negative)

    def balanced(x):
        return (x.true_positive / x.diseased + x.true_negative / x.healthy) / 2

    for ours, figure in ((accuracy.f1(c), f1), (accuracy.balanced_accuracy(c), balanced)):
        drawn = accuracy.bootstrap_confusion(figure, c, rng=rng)
        assert ours.value == pytest.approx(figure(c))
        assert (ours.low, ours.high) == pytest.approx((drawn.low, drawn.high), abs=0.025)


def test_mcnemar_is_the_binomial_test():
    assert mcnemar(3, 12).p == pytest.approx(stats.binomtest(3, 15).pvalue)
    assert mcnemar(0, 0).p == 1.0
    assert mcnemar(3, 12, method=McNemar.MID_P).p < mcnemar(3, 12).p
    with pytest.raises(ValueError, match="must not be negative"):
        mcnemar(-1, 2)


def test_newcombes_paired_interval_is_the_published_one():
    # Newcombe 1998, Stat Med 17:2635, table III: 36, 12, 2, 0 (method 10): 0.0569 to 0.3404
    first = np.repeat([1, 1, 0, 0], [36, 12, 2, 0])
    second = np.repeat([1, 0, 1, 0], [36, 12, 2, 0])
    found = compare_paired_calls(first, second).difference
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0569, 0.3404), abs=6e-5)


def test_newcombes_unpaired_interval_is_the_published_one():
    # Newcombe 1998, Stat Med 17:873, table II: 56/70 - 48/80, method 10: 0.0524 to 0.3339
    found = compare_unpaired_calls(56, 70, 48, 80).difference
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=6e-5)


def test_repeated_units_of_a_patient_add_nothing():
    rng = np.random.default_rng(0)
    once = rng.random(60) < 0.7
    thrice, patient = np.repeat(once, 3), np.repeat(np.arange(60), 3)
    alone, clustered = proportion(int(once.sum()), 60), clustered_proportion(thrice, patient)
    # the t quantile and I/(I-1) widen a little, the prior of the design effect (sqrt 3 < 3) narrows a little
    assert clustered.high - clustered.low == pytest.approx(alone.high - alone.low, rel=0.15)
    drawn = bootstrap_clustered_proportion(thrice, patient, rng=rng)
    assert (drawn.low, drawn.high) == pytest.approx((clustered.low, clustered.high), abs=0.03)
    assert clustered_proportion(np.ones(9, bool), np.repeat([1, 2, 3], 3)).low < 0.9
    pair = compare_clustered_proportions(thrice, np.repeat(rng.random(60) < 0.7, 3), patient)
    assert pair.test.df == 59.0


def test_any_figure_has_a_bootstrap_over_units_and_over_clusters():
    values = np.random.default_rng(3).normal(size=90)
    clusters = np.repeat(np.arange(30), 3)
    rng = np.random.default_rng(0)
    plain = bootstrap(lambda i: float(values[i].mean()), 90, rng=rng, replicates=500)
    assert plain.low < values.mean() < plain.high
    wide = cluster_bootstrap(lambda i: float(values.reshape(30, 3)[:, 0].repeat(3)[i].mean()), clusters, rng=rng)
    assert wide.n == 30
    with pytest.raises(ValueError, match="bootstrap samples had a value"):
        bootstrap(lambda i: math.nan if 0 not in i else 1.0, 90, rng=rng, replicates=100)


def test_permutation_p_values_follow_the_signal_and_are_never_zero():
    rng = np.random.default_rng(0)
    truth = np.arange(40) < 15
    noise, signal = rng.normal(size=40), truth * 2.0 + rng.normal(size=40)
    assert permutation_test_auc(truth, signal, rng=rng, permutations=999).p == 0.001
    assert permutation_test_auc(truth, noise, rng=rng, permutations=999).p > 0.05
    assert permutation_test_paired_auc(truth, signal, noise, rng=rng, permutations=999).p < 0.05
    assert permutation_test_paired_auc(truth, noise, noise, rng=rng, permutations=99).p == 1.0
    patients = np.arange(40) // 5
    assert 0 < permutation_test_auc(truth, signal, rng=rng, clusters=patients, permutations=999).p < 0.2
    with pytest.raises(ValueError, match="diseased and healthy units"):
        permutation_test_auc(truth, signal, rng=rng, clusters=np.zeros(40))


def test_holm_steps_down():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    with pytest.raises(ValueError, match="p values"):
        holm([0.1, 1.2])


TRUTH = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
CALLED = np.array([1, 1, 0, 0, 0, 0, 0, 1, 1, 0])
DECIDED = np.array([1, 1, 1, 0, 1, 1, 1, 1, 0, 0])


def test_abstention_is_counted_as_said():
    found = abstention.selective(TRUTH, CALLED, DECIDED)
    assert (found.coverage.value, found.risk.value, found.miss_rate.value) == pytest.approx((0.7, 2 / 7, 1 / 3))
    assert abstention.counted(TRUTH, CALLED, DECIDED, undecided=Undecided.LEFT_OUT) == Confusion(2, 1, 1, 3)
    assert abstention.counted(TRUTH, CALLED, DECIDED, undecided=Undecided.WRONG) == Confusion(2, 2, 3, 3)
    assert abstention.counted(TRUTH, CALLED, DECIDED, undecided=Undecided.CALLED) == Confusion(3, 1, 3, 3)
    nothing = abstention.selective(TRUTH, CALLED, np.zeros(10))
    assert isinstance(nothing.risk, NotEstimable)


def test_a_reader_is_met_on_the_same_cases():
    left = abstention.against_reader(TRUTH, CALLED, DECIDED, TRUTH, undecided=Undecided.LEFT_OUT)
    assert left.cases == 7
    assert left.sensitivity.difference.value == pytest.approx(-1 / 3)
    every = abstention.against_reader(TRUTH, CALLED, DECIDED, TRUTH)
    assert (every.cases, every.sensitivity.difference.value) == (10, pytest.approx(-0.5))


def test_the_risk_coverage_curve_by_hand():
    wrong, confidence = [0, 1, 0, 1], [0.9, 0.8, 0.8, 0.1]
    curve = abstention.risk_coverage(wrong, confidence)
    np.testing.assert_allclose(curve.coverage, [0.25, 0.75, 1.0])
    np.testing.assert_allclose(curve.risk, [0.0, 1 / 3, 0.5])
    # the tied pair in either order: risks 0, (1/2 or 0), 1/3, 1/2
    assert abstention.area_under_risk_coverage(wrong, confidence) == pytest.approx((0 + 0.25 + 1 / 3 + 0.5) / 4)
    drawn = abstention.bootstrap_area_under_risk_coverage(
        wrong * 10, confidence * 10, rng=np.random.default_rng(0), replicates=200
    )
    assert drawn.low < drawn.value < drawn.high


def test_tiers_say_what_saving_scans_costs():
    truth = np.repeat([1, 0], [50, 50])
    answer = np.r_[np.repeat([0, 1, 2], [2, 10, 38]), np.repeat([0, 1, 2], [30, 15, 5])]
    rows = tiers.tier_table(truth, answer)
    assert [r.malignant.value for r in rows] == pytest.approx([2 / 32, 10 / 25, 38 / 43])
    policy = tiers.mri_policy(truth, answer, prevalences=[0.1, 0.5])
    assert policy[0].saved.value == pytest.approx(1000 * (0.1 * 0.04 + 0.9 * 0.6))
    assert policy[0].missed.value == pytest.approx(4.0)
    assert policy[0].saved_per_miss == pytest.approx(136.0)
    assert policy[1].missed_per_saved.value == pytest.approx(2 / 32)
    assert tiers.malignant_share_at(truth, answer, tiers.Tier.BENIGN, 0.1).high < 0.05
    assert tiers.largest_safe_miss_rate(truth, answer).high == pytest.approx(0.137, abs=0.001)
    np.testing.assert_array_equal(tiers.tiers_of([0.1, 0.3, 0.8], benign_below=0.3, malignant_from=0.8), [0, 1, 2])
    with pytest.raises(ValueError, match="got 3 at position 2"):
        tiers.tier_table([0, 1], [0, 3])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: proportion(3, 0), "a proportion of nothing"),
        (lambda: proportion(4, 3), "between 0 and the total"),
        (lambda: Confusion(0, 0, 0, 0), "without a case"),
        (lambda: accuracy.sensitivity(Confusion(0, 0, 1, 1)), "no diseased in the sample"),
        (lambda: accuracy.ppv_at(Confusion(1, 1, 1, 1), 1.5), "prevalence must lie between 0 and 1"),
        (lambda: abstention.risk_coverage([0, 1], [0.5]), "of one length"),
        (lambda: tiers.tiers_of([0.5], benign_below=0.6, malignant_from=0.3), "must not cross"),
    ],
)
def test_bad_input_is_refused_with_what_and_where(call, says):
    with pytest.raises(ValueError, match=says):
        call()
