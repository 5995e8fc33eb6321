"""Where no published value exists, simulation with known truth: variances without bias, and tests that keep their
level.

The studies are simulated (Roe & Metz model, no difference between treatments), so the variance of the difference
over many studies is known from the studies themselves.
"""

import numpy as np
import pytest
from scipy import stats

from wirbel.evaluation.mrmc import AreaUnderCurve, Covariance, Inference, obuchowski_rockette
from wirbel.evaluation.mrmc.obuchowski_rockette import figure_values
from wirbel.evaluation.mrmc.one_shot import one_shot_covariance

from .simulated_studies import factorial, lesions, missing, split_plot, unpaired_cases, unpaired_readers

STUDIES = [split_plot, missing, unpaired_readers, unpaired_cases, lesions, factorial]


def simulate(study, repetitions, *, seed=0, **options):
    """Differences, squared standard errors and p of many simulated studies."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(repetitions):
        d = obuchowski_rockette(study(rng), covariance=Covariance.DELONG, **options).differences[0]
        rows.append((d.estimate.value, d.stderr**2, d.p, d.estimate.low <= 0 <= d.estimate.high))
    return np.array(rows).T


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_the_variance_of_the_difference_is_right_in_every_design(study):
    difference, variance, p, covered = simulate(study, 300)
    ratio = variance.mean() / difference.var(ddof=1)
    spread = 4 * np.sqrt(2 / 299)
    assert 1 - spread < ratio < 1.12 + spread, "covariance estimates that are cut at zero may only widen intervals"
    assert np.array_equal(covered.astype(bool), p >= 0.05)
    assert np.mean(p < 0.05) < 0.11


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_the_test_keeps_its_level_in_every_design(study):
    _, _, p, _ = simulate(study, 3000, seed=1)
    assert 0.03 < np.mean(p < 0.05) < 0.07


@pytest.mark.slow
@pytest.mark.parametrize("study", [split_plot, missing, unpaired_readers, unpaired_cases, factorial])
def test_the_one_shot_variance_has_no_bias_in_any_design(study):
    rng = np.random.default_rng(4)
    values, variances = [], []
    for _ in range(1500):
        readings = study(rng)
        c = one_shot_covariance(readings, AreaUnderCurve())
        means = np.nanmean(figure_values(readings, AreaUnderCurve()), axis=1)
        values.append(means[0] - means[1])
        variances.append(c[0, 0] + c[1, 1] - 2 * c[0, 1])
    assert np.mean(variances) / np.var(values, ddof=1) == pytest.approx(1.0, abs=0.13)


def test_ignoring_that_lesions_share_a_patient_gives_too_many_false_alarms_for_fixed_readers():
    def as_if_alone(rng):
        readings = lesions(rng)
        return type(readings)(
            readings.ratings, readings.read, readings.truth, readings.treatments, readings.readers, readings.cases,
            np.arange(len(readings.cases)),
        )

    honest = simulate(lesions, 8, inference=Inference.FIXED_READERS)
    naive = simulate(as_if_alone, 8, inference=Inference.FIXED_READERS)
    assert honest[1].mean() > naive[1].mean()


def test_a_split_plot_uses_the_variance_inside_the_groups():
    study = obuchowski_rockette(split_plot(np.random.default_rng(2)))
    assert study.squares.df_error == 4 and study.squares.df_treatment_reader == 5
    d, t = study.differences[0], study.test
    assert d.stderr**2 == pytest.approx(2 / 6 * t.denominator)
    expected = study.squares.error + 3 * study.components.shared_cases
    assert t.denominator == pytest.approx(expected)


def test_unpaired_readers_pool_the_variance_between_readers():
    study = obuchowski_rockette(unpaired_readers(np.random.default_rng(3)))
    first, second = study.values[0][:4], study.values[1][4:]
    pooled = (3 * first.var(ddof=1) + 4 * second.var(ddof=1)) / 7
    shared = study.components.shared_cases
    expected = pooled * (1 / 4 + 1 / 5) + 2 * shared
    assert study.differences[0].stderr**2 == pytest.approx(expected)
    assert study.by_reader == ()


def test_two_treatments_need_two_readers_unless_they_are_fixed():
    readings = factorial(np.random.default_rng(0), readers=1)
    with pytest.raises(ValueError, match="random readers need at least two readers"):
        obuchowski_rockette(readings)
    d = obuchowski_rockette(readings, inference=Inference.FIXED_READERS).differences[0]
    assert d.p == pytest.approx(2 * stats.norm.sf(abs(d.statistic)))


def test_perfect_separation_by_every_reader_is_refused():
    readings = factorial(np.random.default_rng(0))
    perfect = np.where(readings.truth, 5.0, 1.0) + np.zeros(readings.ratings.shape)
    same = type(readings)(
        perfect, readings.read, readings.truth, readings.treatments, readings.readers, readings.cases,
        readings.patients,
    )
    with pytest.raises(ValueError, match="no variation between readers or cases"):
        obuchowski_rockette(same)
