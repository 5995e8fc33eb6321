"""Calibration: against R's published example in the oracles, scikit-learn, hand counts and simulated truth."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from wirbel.evaluation.calibration import (
    bootstrap_calibration_error,
    brier_decomposition,
    brier_score,
    debiased_calibration_error,
    debiased_squared_calibration_error,
    expected_calibration_error,
    reliability_curve,
)
from wirbel.evaluation.calibration_tests import calibration_line, hosmer_lemeshow, spiegelhalter
from wirbel.evaluation.decision_curve import decision_curve


def drawn(n=400, seed=0, slope=1.0):
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.5, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-logit * slope))
    return truth, 1 / (1 + np.exp(-logit))


def test_the_brier_score_is_scikit_learns_and_its_parts_add_up():
    truth, p = drawn()
    rounded = np.round(p, 1)
    found = brier_decomposition(truth, rounded)
    assert found.score.value == pytest.approx(brier_score_loss(truth, rounded))
    assert found.within == pytest.approx(0.0, abs=1e-12)
    assert found.score.value == pytest.approx(found.reliability - found.resolution + found.uncertainty)
    assert abs(brier_decomposition(truth, p, bins=10).within) < 0.01
    assert brier_score(truth, p).low < brier_score(truth, p).value


def test_slope_and_intercept_are_those_of_an_unpenalised_logistic_regression():
    truth, p = drawn(slope=0.5)
    found = calibration_line(truth, p)
    x = np.log(p / (1 - p))[:, None]
    peer = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(x, truth)
    assert found.slope.value == pytest.approx(float(peer.coef_[0, 0]), abs=1e-4)
    assert found.intercept.value == pytest.approx(float(peer.intercept_[0]), abs=1e-4)
    assert found.slope.high < 1.0
    assert found.test.p < 0.001


def test_true_probabilities_pass_every_test_and_overconfident_ones_fail():
    good = [drawn(seed=s) for s in range(60)]
    p_values = np.array([
        (spiegelhalter(t, p).p, hosmer_lemeshow(t, p, fitted_here=False).test.p, calibration_line(t, p).test.p)
        for t, p in good
    ])
    assert ((p_values < 0.05).mean(axis=0) < 0.15).all()
    truth, p = drawn(slope=0.4)
    assert spiegelhalter(truth, p).p < 0.001
    assert hosmer_lemeshow(truth, p, fitted_here=False).test.p < 0.001


def test_the_calibration_error_by_hand_and_without_its_bias():
    truth, p = [0, 1, 1, 1], [0.2, 0.2, 0.8, 0.8]
    assert expected_calibration_error(truth, p, bins=2) == pytest.approx(0.25)
    samples = [drawn(n=150, seed=s) for s in range(80)]
    plug_in = np.mean([expected_calibration_error(t, q) for t, q in samples])
    squared = np.mean([debiased_squared_calibration_error(t, q) for t, q in samples])
    debiased = np.mean([debiased_calibration_error(t, q) for t, q in samples])
    assert plug_in > 0.05
    assert debiased < 0.35 * plug_in
    assert abs(squared) < 0.003  # four standard errors of 80 samples
    found = bootstrap_calibration_error(*drawn(slope=0.4), rng=np.random.default_rng(0), replicates=300)
    assert 0.03 < found.low < found.high < 0.3


def test_the_reliability_curve_holds_every_case_once():
    truth, p = drawn()
    curve = reliability_curve(truth, p)
    assert sum(b.observed.n for b in curve) == 400
    assert all(a.predicted < b.predicted for a, b in pairwise(curve))
    assert len(reliability_curve([0, 1, 1], [0.5, 0.5, 0.5])) == 1


def test_net_benefit_by_hand():
    truth, p = [1, 1, 0, 0, 0], [0.9, 0.4, 0.6, 0.2, 0.1]
    (found,) = decision_curve(truth, p, [0.5])
    assert found.prediction.value == pytest.approx(1 / 5 - 1 / 5)
    assert found.everybody == pytest.approx(0.4 - 0.6)
    (rare,) = decision_curve(truth, p, [0.2], prevalence=0.1)
    assert rare.prediction.value == pytest.approx(0.1 * 1.0 - 0.9 * 0.25 * 2 / 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: brier_score([0, 1], [0.5, 1.2]), "must lie in .0, 1., got 1.2 at position 2"),
        (lambda: calibration_line([0, 1, 1], [0.0, 0.5, 0.7]), "prediction 1 is 0, which has no logit"),
        (lambda: calibration_line([0, 0, 1], [0.1, 0.5, 0.7]), "separate the classes"),
        (lambda: hosmer_lemeshow([0, 1], [0.5, 0.5]), "degrees of freedom"),
        (lambda: spiegelhalter([0, 1], [0.0, 1.0]), "no variance"),
        (lambda: decision_curve([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], [1.0]), "threshold must lie between"),
    ],
)
def test_bad_input_is_refused_with_what_and_where(call, says):
    with pytest.raises(ValueError, match=says):
        call()
