"""Samples that show no variance: a wider interval or a refusal, never an interval without width."""

import numpy as np
import pytest

from wirbel.evaluation import abstention, agreement, alpha, icc, kappa
from wirbel.evaluation.auc import AucInterval, auc, average_precision_estimate, bootstrap_auc, partial_auc
from wirbel.evaluation.clustered_auc import (
    bootstrap_clustered_auc,
    clustered_auc,
    compare_clustered_auc,
    wald_clustered_auc,
)
from wirbel.evaluation.clustered_shares import bootstrap_clustered_proportion, compare_clustered_proportions
from wirbel.evaluation.compare_auc import compare_paired_auc, compare_unpaired_auc
from wirbel.evaluation.estimate import Estimate
from wirbel.evaluation.mrmc import (
    ROE_METZ_1997,
    Inference,
    Readings,
    Sensitivity,
    UserFigure,
    dorfman_berbaum_metz,
    obuchowski_rockette,
    simulate_readings,
    stand_alone,
)

TRUTH = np.array([1] * 5 + [0] * 8)
PERFECT = np.arange(13.0)[::-1].copy()
OTHER = np.where(TRUTH == 1, PERFECT**2, -PERFECT)
PATIENTS = np.arange(13) // 2
TIES = np.ones(13)


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: average_precision_estimate(TRUTH, PERFECT, rng=rng()), "every bootstrap sample has the value 1"),
        (lambda: partial_auc(TRUTH, PERFECT, low=0.5, high=1.0, rng=rng()), "every bootstrap sample"),
        (lambda: bootstrap_clustered_auc(TRUTH, PERFECT, PATIENTS, rng=rng()), "use an analytic one"),
        (lambda: bootstrap_clustered_proportion([1] * 6, [0, 0, 1, 1, 2, 2], rng=rng()), "use an analytic one"),
        (lambda: bootstrap_auc(TRUTH, TIES, rng=rng()), "every bootstrap sample has the value 0.5"),
        (lambda: auc(TRUTH, TIES, method=AucInterval.DELONG), "no variance"),
        (lambda: wald_clustered_auc(TRUTH, PERFECT, PATIENTS), "no variance"),
        (lambda: wald_clustered_auc([1, 1, 0, 0], [1.0, 2.0, 1.5, 0.0], [1, 1, 2, 3]), "all diseased units belong"),
        (lambda: compare_paired_auc(TRUTH, PERFECT, OTHER), "no variance .DeLong, paired.: use a permutation test"),
        (lambda: compare_unpaired_auc((TRUTH, PERFECT), (TRUTH, PERFECT)), "use a permutation test"),
        (lambda: compare_clustered_auc(TRUTH, PERFECT, OTHER, PATIENTS), "use a permutation test"),
        (lambda: compare_clustered_proportions([1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 1]), "use a permutation test"),
        (
            lambda: abstention.bootstrap_area_under_risk_coverage([0] * 9, np.arange(9.0), rng=rng()),
            "every bootstrap sample has the value 0",
        ),
        (lambda: kappa.fleiss_kappa([[3, 0], [3, 0], [2, 1]]), "without case 3 all raters"),
    ],
)
def test_a_method_that_sees_no_variance_refuses(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_the_default_of_an_area_answers_where_the_others_refuse():
    for scores in (PERFECT, TIES):
        for found in (auc(TRUTH, scores), clustered_auc(TRUTH, scores, PATIENTS)):
            assert 0.0 <= found.low < found.high <= 1.0
            assert found.low <= found.value <= found.high


def test_readings_of_one_order_do_not_differ_also_when_perfect():
    found = compare_paired_auc(TRUTH, PERFECT, 3 * PERFECT - 1)
    assert (found.difference.low, found.difference.high, found.test.p) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    "found",
    [
        kappa.cohen_kappa([[5, 0], [0, 5]]).estimate,
        kappa.cohen_kappa([[4, 0, 0], [0, 3, 0], [0, 0, 2]], weights="quadratic").estimate,
        kappa.fleiss_kappa([[3, 0], [0, 3], [3, 0], [3, 0]]).estimate,
        alpha.krippendorff_alpha([[1.0, 2.0, 3.0, 1.0, np.nan], [1.0, 2.0, 3.0, 1.0, 2.0]]),
    ],
)
def test_complete_agreement_of_few_cases_is_one_with_a_lower_limit_under_one(found):
    assert (found.value, found.high) == (1.0, 1.0)
    assert -1.0 <= found.low < 0.8
    assert found.method.endswith("agreement complete: Wilson")


def test_the_lower_limit_of_complete_agreement_covers_in_small_simulated_samples():
    # two raters who differ at random with chance e: kappa is 1 - e / apart
    draw = np.random.default_rng(3)
    n, error, held = 20, 0.05, []
    for _ in range(600):
        first = draw.integers(0, 2, n)
        second = np.where(draw.random(n) < error, 1 - first, first)
        table, _ = kappa.cross_table(first, second)
        if table.shape == (2, 2) and min(table.sum(axis=0).min(), table.sum(axis=1).min()) > 0:
            complete = np.trace(table) == n
            held.append(not complete or kappa.cohen_kappa(table).estimate.low <= 1 - 2 * error)
    assert np.mean(held) > 0.95


def test_a_rater_with_one_category_says_nothing():
    found = kappa.cohen_kappa([[5, 0], [5, 0]])
    assert (found.estimate.value, found.estimate.low, found.estimate.high, found.p) == (0.0, -1.0, 1.0, 1.0)


def test_reliability_under_that_of_error_has_no_lower_bound_instead_of_a_crash():
    found = icc.intraclass_correlations([[1.0, 3.0], [2.0, 2.5], [3.0, 1.0]])
    assert found["ICC(2,k)"].estimate.low == -np.inf
    for form in found.values():
        assert form.estimate.low <= form.estimate.value <= form.estimate.high
    rows = np.random.default_rng(0).normal(size=(300, 4, 3))
    for table in rows:
        for form in icc.intraclass_correlations(table).values():
            assert form.estimate.low <= form.estimate.high <= 1.0


def test_changed_categories_without_a_change_have_p_one():
    assert agreement.bowker([[5, 0], [0, 5]]).p == agreement.stuart_maxwell([[5, 0], [0, 5]]).p == 1.0


def study(ratings_of):
    s = simulate_readings(ROE_METZ_1997["HH 1.50"], readers=4, diseased=12, healthy=15, rng=rng())
    ratings = ratings_of(s.ratings.copy(), np.where(s.truth, 5.0, 0.0))
    return Readings(ratings, s.read, s.truth, s.treatments, s.readers, s.cases, s.patients)


def reader_one_perfect(ratings, perfect):
    ratings[:, 0] = perfect
    return ratings


def second_treatment_perfect(ratings, perfect):
    ratings[1] = perfect
    return ratings


def width(e: Estimate) -> float:
    return e.high - e.low


@pytest.mark.parametrize("inference", list(Inference))
def test_a_perfect_reader_among_others_has_an_interval_with_width(inference):
    readings = study(reader_one_perfect)
    found = obuchowski_rockette(readings, inference=inference)
    one = found.single_readings[1][0]
    assert (one.value, one.high) == (1.0, 1.0) and 0.7 < one.low < 0.95
    same = found.by_reader[0]
    assert same.estimate.value == 0.0 and same.p == 1.0
    assert same.estimate.low < -0.1 and same.estimate.high > 0.1
    alone = stand_alone(readings, alone="reader 1", treatment="treatment 1", inference=inference)
    assert alone.alone.low == pytest.approx(one.low)


def test_a_perfect_treatment_has_a_mean_with_width_for_any_figure():
    readings = study(second_treatment_perfect)
    youden = UserFigure("Youden", lambda t, x: float((x[t] > 1).mean() - (x[~t] > 1).mean()), (-1.0, 1.0))
    for figure, least in ((None, 0.1), (Sensitivity(0.5), 0.1), (youden, 1.9)):
        for inference in Inference:
            mean = obuchowski_rockette(readings, figure, inference=inference).means[1].estimate
            assert mean.value == 1.0 and width(mean) > least
            assert mean.method.startswith("no variance")
    assert width(dorfman_berbaum_metz(readings).means[1].estimate) > 0.1
