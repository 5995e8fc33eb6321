import numpy as np
import pytest

from wirbel.evaluation.mrmc import AreaUnderCurve, Covariance, Sensitivity, Specificity, UserFigure, case_covariance
from wirbel.evaluation.mrmc.covariance import (
    bootstrap_covariance,
    delong_covariance,
    jackknife_covariance,
    unbiased_covariance,
)
from wirbel.evaluation.mrmc.figures import leave_one_out

from .simulated_studies import factorial, lesions, missing, split_plot


def auc(truth, ratings):
    wins = ratings[truth][:, None] - ratings[~truth][None, :]
    return float(np.mean((wins > 0) + 0.5 * (wins == 0)))


FIGURES = [
    (AreaUnderCurve(), auc),
    (Sensitivity(0.5), lambda truth, ratings: float(np.mean(ratings[truth] >= 0.5))),
    (Specificity(0.5), lambda truth, ratings: float(np.mean(ratings[~truth] < 0.5))),
]


@pytest.mark.parametrize("study", [factorial, missing, split_plot, lesions])
@pytest.mark.parametrize(("figure", "plain"), FIGURES)
def test_leaving_out_each_patient_agrees_with_computing_it_anew(study, figure, plain):
    readings = study(np.random.default_rng(3))
    quick = leave_one_out(readings, figure)
    slow = leave_one_out(readings, UserFigure("plain", plain))
    np.testing.assert_allclose(quick.values, slow.values, atol=1e-12)
    relevant = {
        "sensitivity": np.unique(readings.patients[readings.truth]),
        "specificity": np.unique(readings.patients[~readings.truth]),
    }.get(figure.name, np.arange(readings.n_patients))
    np.testing.assert_allclose(quick.without, slow.without[..., relevant], atol=1e-12)


def test_ties_count_half():
    readings = factorial(np.random.default_rng(1))
    coarse = type(readings)(
        np.round(readings.ratings), readings.read, readings.truth, readings.treatments, readings.readers,
        readings.cases, readings.patients,
    )
    quick, slow = (leave_one_out(coarse, f).values for f in (AreaUnderCurve(), UserFigure("AUC", auc)))
    np.testing.assert_allclose(quick, slow, atol=1e-12)


def test_the_unbiased_covariance_is_the_u_statistic_written_out():
    readings = missing(np.random.default_rng(5)).only(readers=["reader 1", "reader 2"])
    pos, neg = readings.truth, ~readings.truth
    x = readings.ratings.reshape(4, -1)
    d = readings.read.reshape(4, -1)
    psi = (x[:, pos][:, :, None] > x[:, neg][:, None, :]).astype(float) * (
        d[:, pos][:, :, None] & d[:, neg][:, None, :]
    )
    mask = (d[:, pos][:, :, None] & d[:, neg][:, None, :]).astype(float)
    expected = np.empty((4, 4))
    for a in range(4):
        for b in range(4):
            i, j = np.arange(psi.shape[1]), np.arange(psi.shape[2])
            apart = (i[:, None] != i)[:, None, :, None] & (j[:, None] != j)[None, :, None, :]
            top = (psi[a][:, :, None, None] * psi[b][None, None] * apart).sum()
            count = (mask[a][:, :, None, None] * mask[b][None, None] * apart).sum()
            expected[a, b] = psi[a].sum() / mask[a].sum() * psi[b].sum() / mask[b].sum() - top / count
    np.testing.assert_allclose(unbiased_covariance(readings, AreaUnderCurve()), expected, atol=1e-12)


def test_all_covariances_agree_on_a_large_study():
    readings = factorial(np.random.default_rng(2), readers=3, diseased=150, healthy=150)
    jackknife = jackknife_covariance(readings, AreaUnderCurve())
    for other in (
        delong_covariance(readings, AreaUnderCurve()),
        unbiased_covariance(readings, AreaUnderCurve()),
        bootstrap_covariance(readings, AreaUnderCurve(), rng=np.random.default_rng(1), replicates=4000),
    ):
        np.testing.assert_allclose(np.diag(other), np.diag(jackknife), rtol=0.06)
        np.testing.assert_allclose(other, jackknife, atol=0.1 * jackknife.max())


@pytest.mark.parametrize("figure", [AreaUnderCurve(), Sensitivity(0.5)])
def test_clustered_covariances_agree_and_exceed_those_that_ignore_patients(figure):
    readings = lesions(np.random.default_rng(7), patients=150)
    alone = type(readings)(
        readings.ratings, readings.read, readings.truth, readings.treatments, readings.readers, readings.cases,
        np.arange(len(readings.cases)),
    )
    jackknife, delong = (case_covariance(readings, figure, m) for m in (Covariance.JACKKNIFE, Covariance.DELONG))
    boot = bootstrap_covariance(readings, figure, rng=np.random.default_rng(1), replicates=3000)
    np.testing.assert_allclose(np.trace(delong), np.trace(jackknife), rtol=0.05)
    np.testing.assert_allclose(np.trace(boot), np.trace(jackknife), rtol=0.15)
    if figure.name == "sensitivity":
        assert np.trace(jackknife) > 1.1 * np.trace(case_covariance(alone, figure))


def test_readings_that_share_no_case_have_covariance_exactly_zero():
    sigma = jackknife_covariance(split_plot(np.random.default_rng(0)), AreaUnderCurve())
    assert sigma[0, 1] == 0.0 and sigma[0, 2] != 0.0


def test_a_user_figure_under_delong_and_a_bootstrap_without_rng_are_refused():
    readings = factorial(np.random.default_rng(0))
    with pytest.raises(ValueError, match="no known contribution"):
        case_covariance(readings, UserFigure("mine", auc), Covariance.DELONG)
    with pytest.raises(ValueError, match="pass rng"):
        case_covariance(readings, AreaUnderCurve(), Covariance.BOOTSTRAP)
    with pytest.raises(ValueError, match="one case per patient"):
        case_covariance(lesions(np.random.default_rng(0)), AreaUnderCurve(), Covariance.UNBIASED)
    with pytest.raises(ValueError, match="not a finite number"):
        case_covariance(readings, UserFigure("broken", lambda *_: float("nan")))
