"""The other analyses of reader studies: pseudovalues, U-statistics, stand-alone algorithms, power, simulation."""

from itertools import product

import numpy as np
import pytest

from wirbel.evaluation.mrmc import (
    ROE_METZ_1997,
    AreaUnderCurve,
    Covariance,
    Sensitivity,
    UserFigure,
    cases_needed,
    dorfman_berbaum_metz,
    obuchowski_rockette,
    one_shot,
    power,
    simulate_readings,
    stand_alone,
)
from wirbel.evaluation.mrmc.obuchowski_rockette import figure_values
from wirbel.evaluation.mrmc.one_shot import one_shot_covariance

from .simulated_studies import factorial, lesions, missing, split_plot, unpaired_readers


def test_pseudovalues_and_obuchowski_rockette_agree_with_random_readers_and_cases():
    readings = factorial(np.random.default_rng(1))
    a, b = obuchowski_rockette(readings), dorfman_berbaum_metz(readings)
    assert a.test.statistic == pytest.approx(b.test.statistic)
    assert a.test.df2 == pytest.approx(b.test.df2)
    assert a.differences[0].stderr == pytest.approx(b.differences[0].stderr)


def test_the_pseudovalue_sums_of_squares_add_up():
    squares = (a := dorfman_berbaum_metz(factorial(np.random.default_rng(1)))).squares
    total = ((a.pseudovalues - a.pseudovalues.mean()) ** 2).sum()
    assert sum(squares.sum_of_squares(e) for e in squares.degrees) == pytest.approx(total)


def test_pseudovalues_refuse_an_incomplete_study_and_say_what_to_use():
    with pytest.raises(ValueError, match="single readings are missing: use the Obuchowski-Rockette"):
        dorfman_berbaum_metz(missing(np.random.default_rng(1)))


def test_any_user_figure_can_be_compared():
    def youden(truth, ratings):
        return float(np.mean(ratings[truth] > 0.5) - np.mean(ratings[~truth] > 0.5))

    readings = factorial(np.random.default_rng(1))
    by_hand = obuchowski_rockette(readings, UserFigure("Youden index", youden))
    sensitivity = obuchowski_rockette(readings, Sensitivity(0.5))
    assert by_hand.figure == "Youden index"
    assert np.abs(by_hand.values - sensitivity.values).max() < 1.0
    assert 0 < by_hand.differences[0].p <= 1


def test_one_shot_equals_obuchowski_rockette_with_unbiased_covariances_when_fully_crossed():
    readings = factorial(np.random.default_rng(6))
    shot = one_shot(readings).differences[0]
    rockette = obuchowski_rockette(readings, covariance=Covariance.UNBIASED).differences[0]
    assert shot.stderr == pytest.approx(rockette.stderr)
    assert shot.df == pytest.approx(rockette.df)


def test_the_one_shot_variance_is_the_sum_over_all_pairs_written_out():
    readings = missing(np.random.default_rng(8)).only(readers=["reader 1", "reader 2", "reader 3"])
    pos, neg = np.flatnonzero(readings.truth)[:5], np.flatnonzero(~readings.truth)[:4]
    small = type(readings)(
        readings.ratings[..., (keep := np.r_[pos, neg])], readings.read[..., keep], readings.truth[keep],
        readings.treatments, readings.readers, tuple(readings.cases[i] for i in keep), np.arange(9),
    )
    x, d = small.ratings[0], small.read[0]
    triples = [
        (r, i, j, float(x[r, i] > x[r, j]))
        for r in range(3)
        for i in range(5)
        for j in range(5, 9)
        if d[r, i] and d[r, j]
    ]
    n = np.array([sum(t[0] == r for t in triples) for r in range(3)])
    moments, weights = {}, {}
    for a, b in product(triples, triples):
        shared = tuple(a[k] == b[k] for k in range(3))
        moments.setdefault(shared, []).append(a[3] * b[3])
        weights[shared] = weights.get(shared, 0.0) + 1 / (3 * n[a[0]]) / (3 * n[b[0]])
    nothing = np.mean(moments[False, False, False])
    expected = sum(w * (np.mean(moments[s]) - nothing) for s, w in weights.items())
    assert one_shot_covariance(small, AreaUnderCurve())[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("study", [split_plot, missing, unpaired_readers])
def test_one_shot_takes_any_pattern_and_one_operating_point(study):
    for figure in (AreaUnderCurve(), Sensitivity(0.5)):
        shot = one_shot(study(np.random.default_rng(1)), figure)
        assert all(0 <= m.estimate.low <= m.estimate.value <= m.estimate.high <= 1 for m in shot.means)


def test_one_shot_refuses_several_lesions_of_one_patient():
    with pytest.raises(ValueError, match="one case per patient"):
        one_shot(lesions(np.random.default_rng(1)))


def test_an_algorithm_equal_to_a_perfect_reader_stands_above_the_mean_of_readers():
    readings = factorial(np.random.default_rng(1), readers=6).only(treatments=["treatment 1"])
    ratings = np.array(readings.ratings)
    ratings[0, 0] = np.where(readings.truth, 10.0, -10.0) + np.random.default_rng(2).normal(
        0, 9, readings.truth.size
    )
    study = type(readings)(
        ratings,
        readings.read,
        readings.truth,
        readings.treatments,
        readings.readers,
        readings.cases,
        readings.patients,
    )
    result = stand_alone(study, alone="reader 1")
    humans = obuchowski_rockette(study.only(readers=study.readers[1:]))
    assert result.readers.estimate == pytest.approx(result.readers.estimate)
    assert result.readers.stderr == pytest.approx(humans.means[0].stderr)
    assert result.readers.df == pytest.approx(humans.means[0].df)
    assert result.difference.estimate.value == pytest.approx(result.alone.value - humans.means[0].estimate.value)
    assert result.difference.stderr > 0


@pytest.mark.slow
def test_stand_alone_keeps_its_level_in_simulation():
    rng, rejected = np.random.default_rng(3), 0
    structure = ROE_METZ_1997["HL 0.75"]
    for _ in range(200):
        study = simulate_readings(structure, readers=6, diseased=30, healthy=30, rng=rng, shifts=(0.0,))
        rejected += stand_alone(study, alone="reader 1", covariance=Covariance.DELONG).difference.p < 0.05
    assert 0.01 < rejected / 200 < 0.14, "the one algorithm is a draw of the readers here, so somewhat above 5 %"


def test_stand_alone_names_what_is_unknown_or_too_few():
    study = factorial(np.random.default_rng(1), readers=2)
    with pytest.raises(ValueError, match="unknown reader 'AI'"):
        stand_alone(study, alone="AI")
    with pytest.raises(ValueError, match="name the one treatment"):
        stand_alone(study, alone="reader 1")
    with pytest.raises(ValueError, match="at least 2 human readers, got 1"):
        stand_alone(study, alone="reader 1", treatment="treatment 1")


def test_power_grows_with_readers_cases_and_effect_and_the_needed_cases_are_the_fewest():
    pilot = obuchowski_rockette(factorial(np.random.default_rng(12))).components
    base = power(pilot, effect=0.05, readers=5, cases=100, pilot_cases=44)
    assert power(pilot, effect=0.05, readers=10, cases=100, pilot_cases=44).power > base.power
    assert power(pilot, effect=0.05, readers=5, cases=200, pilot_cases=44).power > base.power
    assert power(pilot, effect=0.08, readers=5, cases=100, pilot_cases=44).power > base.power
    needed = cases_needed(pilot, target=0.8, effect=0.1, readers=10, pilot_cases=44)
    fewer = power(pilot, effect=0.1, readers=10, cases=needed.cases - 1, pilot_cases=44)
    assert needed.power >= 0.8 > fewer.power


@pytest.mark.slow
def test_power_agrees_with_simulation():
    structure, rng = ROE_METZ_1997["HL 0.75"], np.random.default_rng(5)

    def study(shift):
        return simulate_readings(structure, readers=6, diseased=60, healthy=60, rng=rng, shifts=(0.0, shift))

    found = [obuchowski_rockette(study(0.6), covariance=Covariance.DELONG) for _ in range(150)]
    effect = -float(np.mean([a.differences[0].estimate.value for a in found]))
    parts = [a.components for a in found]
    mean = type(parts[0])(*(float(np.mean([getattr(p, f) for p in parts])) for f in (
        "reader", "treatment_reader", "error", "cov1", "cov2", "cov3")))
    predicted = power(mean, effect=effect, readers=6, cases=120, pilot_cases=120).power
    assert predicted == pytest.approx(np.mean([a.test.p < 0.05 for a in found]), abs=0.12)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"effect": 0.0}, "other than 0"),
        ({"readers": 1}, "at least 2 readers"),
        ({"cases": 1}, "at least 2 cases"),
        ({"alpha": 1.0}, "alpha must lie between 0 and 1"),
    ],
)
def test_an_impossible_design_is_refused(change, sentence):
    pilot = obuchowski_rockette(factorial(np.random.default_rng(0))).components
    with pytest.raises(ValueError, match=sentence):
        power(pilot, **({"effect": 0.05, "readers": 5, "cases": 100, "pilot_cases": 44} | change))


def test_a_power_out_of_reach_asks_for_more_readers():
    pilot = obuchowski_rockette(factorial(np.random.default_rng(0))).components
    with pytest.raises(ValueError, match="more readers are needed"):
        cases_needed(pilot, target=0.9999, effect=0.01, readers=2, pilot_cases=44)


@pytest.mark.parametrize("name", ROE_METZ_1997)
def test_simulated_readings_have_the_expected_auc(name):
    rng, structure = np.random.default_rng(1), ROE_METZ_1997[name]
    means = [
        figure_values(
            simulate_readings(structure, readers=4, diseased=80, healthy=80, rng=rng), AreaUnderCurve()
        ).mean()
        for _ in range(20)
    ]
    assert np.mean(means) == pytest.approx(structure.expected_auc, abs=4 * np.std(means) / 20**0.5)
