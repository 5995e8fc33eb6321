"""Areas under the ROC curve: against scikit-learn and brute force, at the edges, and with clusters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_curve

from wirbel.evaluation.auc import AucInterval, auc, average_precision_estimate, bootstrap_auc, partial_auc
from wirbel.evaluation.clustered_auc import (
    bootstrap_clustered_auc,
    clustered_auc,
    compare_clustered_auc,
    wald_clustered_auc,
)
from wirbel.evaluation.compare_auc import compare_paired_auc, compare_unpaired_auc, contrast_auc
from wirbel.evaluation.placements import placements
from wirbel.evaluation.roc import average_precision, partial_area, roc_curve

graded = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=4, max_size=40).filter(
    lambda rows: 0 < sum(t for t, _ in rows) < len(rows)
)


def sample(seed=0, n=80, shift=1.2):
    rng = np.random.default_rng(seed)
    truth = np.arange(n) < n // 3
    return truth, np.round(rng.normal(truth * shift, 1.0), 1)


@given(graded)
@settings(max_examples=60, deadline=None)
def test_area_curve_and_precision_are_those_of_scikit_learn_ties_included(rows):
    truth, scores = np.array([t for t, _ in rows]), np.array([float(s) for _, s in rows])
    assert auc(truth, scores).value == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert average_precision(truth, scores) == pytest.approx(average_precision_score(truth, scores), abs=1e-12)
    fpr, tpr, thresholds = sklearn_curve(truth, scores, drop_intermediate=False)
    ours = roc_curve(truth, scores)
    np.testing.assert_allclose(ours.false_positive_rate, fpr)
    np.testing.assert_allclose(ours.sensitivity, tpr)
    np.testing.assert_allclose(ours.thresholds[1:], thresholds[1:])


@given(graded)
@settings(max_examples=60, deadline=None)
def test_no_interval_leaves_zero_to_one_or_misses_its_value(rows):
    truth, scores = np.array([t for t, _ in rows]), np.array([float(s) for _, s in rows])
    for method in AucInterval:
        try:
            found = auc(truth, scores, method=method)
        except ValueError as refusal:
            assert "score interval" in str(refusal)
            assert method in (AucInterval.DELONG, AucInterval.LOGIT_DELONG)
            continue
        assert 0.0 <= found.low <= found.value + 1e-12 <= found.high + 2e-12 <= 1.0 + 2e-12


@given(graded)
@settings(max_examples=40, deadline=None)
def test_placements_are_the_brute_force_shares_whichever_way_they_are_computed(rows):
    x = np.array([float(s) for t, s in rows if t])
    y = np.array([float(s) for t, s in rows if not t])
    wins = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    for found in (placements(x, y), placements(x[None], y[None])):
        np.testing.assert_allclose(found.diseased.ravel(), wins.mean(axis=1), atol=1e-12)
        np.testing.assert_allclose(found.healthy.ravel(), wins.mean(axis=0), atol=1e-12)


def test_perfect_separation_has_an_interval_with_width_or_a_refusal():
    truth, scores = np.array([1] * 5 + [0] * 8), np.arange(13.0)[::-1].copy()
    found = auc(truth, scores)
    assert found.value == 1.0
    assert 0.5 < found.low < 0.95
    assert found.high == 1.0
    with pytest.raises(ValueError, match="use a score interval"):
        auc(truth, scores, method=AucInterval.DELONG)
    with pytest.raises(ValueError, match="use a score interval"):
        bootstrap_auc(truth, scores, rng=np.random.default_rng(0))


def test_one_diseased_case_is_enough_for_the_score_interval_only():
    truth, scores = [0, 0, 0, 0, 1], [0.1, 0.3, 0.2, 0.6, 0.5]
    assert auc(truth, scores).low < 0.75 < auc(truth, scores).high
    with pytest.raises(ValueError, match="two cases of each class"):
        auc(truth, scores, method=AucInterval.DELONG)


def test_newcombes_interval_solves_its_own_equation():
    truth, scores = sample()
    found = auc(truth, scores, method=AucInterval.NEWCOMBE)
    m, n = int(truth.sum()), int((~truth).sum())
    for theta in (found.low, found.high):
        star = (m + n) / 2 - 1
        spread = 1 + star * (1 - theta) / (2 - theta) + star * theta / (1 + theta)
        variance = theta * (1 - theta) * spread / (m * n)
        assert (found.value - theta) ** 2 == pytest.approx(1.959964**2 * variance, rel=1e-4)


def test_the_bootstrap_agrees_with_delong_in_a_large_sample_on_both_ways_of_computing():
    rng = np.random.default_rng(1)
    truth = np.arange(3000) < 1200
    scores = rng.normal(truth * 1.0, 1.0)
    exact = auc(truth, scores, method=AucInterval.DELONG)
    for t, s in ((truth, scores), (truth[::4], scores[::4])):
        drawn = bootstrap_auc(t, s, rng=rng, replicates=600)
        wanted = exact if t is truth else auc(t, s, method=AucInterval.DELONG)
        assert drawn.low == pytest.approx(wanted.low, abs=0.006)
        assert drawn.high == pytest.approx(wanted.high, abs=0.006)


def test_the_parts_of_the_curve_add_up_to_the_area():
    truth, scores = sample()
    parts = [partial_area(truth, scores, low=a, high=a + 0.25) for a in (0.0, 0.25, 0.5, 0.75)]
    assert sum(parts) == pytest.approx(roc_auc_score(truth, scores))
    found = partial_auc(truth, scores, low=0.75, high=1.0, rng=np.random.default_rng(0), replicates=200)
    assert found.low < parts[3] < found.high
    precision = average_precision_estimate(truth, scores, rng=np.random.default_rng(0), replicates=200)
    assert precision.low < average_precision_score(truth, scores) < precision.high


def test_readings_that_place_every_case_alike_do_not_differ():
    truth, scores = sample()
    same = compare_paired_auc(truth, scores, scores * 2 + 1)
    assert (same.difference.value, same.difference.low, same.test.p) == (0.0, 0.0, 1.0)
    assert contrast_auc(truth, scores, scores).p == 1.0


def test_a_contrast_of_two_readings_is_the_paired_test_squared():
    truth, first = sample()
    second = first + np.random.default_rng(5).normal(0, 1, first.size)
    z = compare_paired_auc(truth, first, second).test
    chi = contrast_auc(truth, first, second)
    assert chi.statistic == pytest.approx(z.statistic**2)
    assert chi.p == pytest.approx(z.p)
    assert chi.df == 1.0
    assert compare_unpaired_auc((truth, first), (truth, second)).test.df < 160


def test_clusters_of_one_unit_give_the_variance_of_delong():
    truth, first = sample()
    second = first + np.random.default_rng(5).normal(0, 1, first.size)
    alone = np.arange(truth.size)
    # each class has its own number of clusters, and no cluster has units of both
    plain, clustered = compare_paired_auc(truth, first, second), compare_clustered_auc(truth, first, second, alone)
    assert clustered.test.statistic == pytest.approx(plain.test.statistic, rel=1e-9)
    assert wald_clustered_auc(truth, first, alone).low == pytest.approx(
        auc(truth, first, method=AucInterval.DELONG).low, rel=1e-9
    )


def test_units_that_repeat_within_patients_widen_the_interval_and_patients_alone_count():
    truth, scores = sample(n=60)
    thrice = [np.repeat(x, 3) for x in (truth, scores, np.arange(60))]
    found, naive = clustered_auc(*thrice), auc(thrice[0], thrice[1])
    assert found.value == pytest.approx(naive.value)
    assert found.n == 60
    assert found.high - found.low > 1.5 * (naive.high - naive.low)
    plain = auc(truth, scores, method=AucInterval.DELONG)
    assert wald_clustered_auc(*thrice).low == pytest.approx(plain.low, abs=1e-9)


def test_the_cluster_bootstrap_is_that_of_a_plain_loop():
    truth, scores = sample(n=60)
    clusters = np.arange(60) // 3
    fast = bootstrap_clustered_auc(truth, scores, clusters, rng=np.random.default_rng(0), replicates=2000)
    rng, slow = np.random.default_rng(1), []
    members = [np.flatnonzero(clusters == c) for c in range(20)]
    while len(slow) < 2000:
        index = np.concatenate([members[c] for c in rng.integers(0, 20, 20)])
        if 0 < truth[index].sum() < index.size:
            slow.append(roc_auc_score(truth[index], scores[index]))
    assert (fast.low, fast.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.02)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: auc([1, 1, 1], [1.0, 2.0, 3.0]), "at least 1 healthy"),
        (lambda: auc([0, 1, 1], [1.0, np.nan, 3.0]), "scores must be finite, got nan at position 2"),
        (lambda: auc([0, 1, 2], [1.0, 2.0, 3.0]), "truth must hold 0 and 1, got 2 at position 3"),
        (lambda: auc([0, 1], [1.0, 2.0, 3.0]), "of one length, got truth 2, scores 3"),
        (lambda: auc(["a", "b"], [1.0, 2.0]), "code the diseased cases as 1"),
        (lambda: auc([0, 1], ["x", "y"]), "must be numbers"),
        (lambda: auc([0, 1], [1.0, 2.0], level=95.0), "did you mean 0.95"),
        (lambda: compare_paired_auc([0, 0, 1], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), "at least 2 diseased"),
        (lambda: clustered_auc([0, 1, 1], [1.0, 2.0, 3.0], [1, 1]), "one cluster .patient. per unit"),
        (lambda: clustered_auc([0, 1, 1], [1.0, 2.0, 3.0], [1, 1, 1]), "at least 2 clusters"),
        (lambda: partial_area([0, 1], [1.0, 2.0], low=0.9, high=0.8), "low < high"),
        (lambda: contrast_auc([0, 0, 1, 1], [1.0, 2.0, 3.0, 2.5]), "two readings or more"),
    ],
)
def test_bad_input_is_refused_with_what_and_where(call, says):
    with pytest.raises(ValueError, match=says):
        call()
