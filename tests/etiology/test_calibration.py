"""Probabilities mean what they say; intervals are what their names say; the file keeps everything."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from wirbel.errors import InputRejected, ModelError, UsageError
from wirbel.etiology import Interval, LabelledScores, Population, calibrate, read_calibration, written_calibration
from wirbel.etiology.calibration_file import _digest, calibration_sha256
from wirbel.etiology.log_odds import at_prevalence, log_odds_of
from wirbel.etiology.map_choice import choose_map
from wirbel.etiology.probability_map import BetaMap, MapKind, fit_map
from wirbel.etiology.venn_abers import venn_abers
from wirbel.evaluation import calibration_line, debiased_calibration_error


def fitted(scores, **options):
    given = {"scorer": "d" * 64, "name": "drawn", "simulated": True, "rng": np.random.default_rng(0), **options}
    return calibrate(scores, **given)


@pytest.fixture(scope="module")
def cohort(simulated_scores):
    return simulated_scores(np.random.default_rng(11), malignant=300, osteoporotic=300, slope=0.5, features=5)


@pytest.fixture(scope="module")
def calibration(cohort):
    return fitted(cohort)


def test_a_sound_vertebra_is_called_suspicious_half_as_often_as_a_fracture_malignant(cohort, calibration):
    unfractured = fitted(cohort, population=Population.UNFRACTURED)
    assert calibration.tiers.promise.alpha_false_alarm == 0.10
    assert unfractured.tiers.promise.alpha_false_alarm == 0.05
    assert unfractured.tiers.malignant_from > calibration.tiers.malignant_from
    other = ~cohort.malignant
    assert np.mean(cohort.log_odds[other] >= unfractured.tiers.malignant_from) <= 0.05


@pytest.mark.parametrize("kind", list(MapKind))
def test_each_map_calibrates_overconfident_scores_on_new_patients(kind, cohort, simulated_scores):
    fresh = simulated_scores(np.random.default_rng(12), malignant=1000, osteoporotic=1000, per_patient=1, slope=0.5)
    raw = special.expit(fresh.log_odds)
    p = fit_map(kind, cohort.log_odds, cohort.malignant)(fresh.log_odds)
    assert debiased_calibration_error(fresh.malignant, raw) > 0.03
    assert debiased_calibration_error(fresh.malignant, p) <= 0.03
    assert 0.8 <= calibration_line(fresh.malignant, p).slope.value <= 1.2
    assert (np.diff(p[np.argsort(fresh.log_odds)]) >= 0).all()


def test_platts_map_finds_the_slope_that_made_the_scores(cohort):
    found = fit_map(MapKind.PLATT, cohort.log_odds, cohort.malignant)
    assert isinstance(found, BetaMap)
    assert found.a == found.b == pytest.approx(0.5, abs=0.06)
    assert found.c == pytest.approx(0.0, abs=0.25)
    line = calibration_line(cohort.malignant, special.expit(cohort.log_odds))
    assert found.a == pytest.approx(line.slope.value, abs=0.02)
    assert found.c == pytest.approx(line.intercept.value, abs=0.02)


def test_the_simplest_map_that_is_as_good_is_chosen(cohort, simulated_scores):
    assert choose_map(cohort, rng=np.random.default_rng(1)).map.kind is MapKind.TEMPERATURE
    shifted = LabelledScores(
        cohort.patients, cohort.vertebrae, cohort.malignant, cohort.members + 3.0, cohort.features
    )
    choice = choose_map(shifted, rng=np.random.default_rng(1))
    assert choice.map.kind is MapKind.PLATT
    assert choice.log_loss[MapKind.TEMPERATURE] > choice.log_loss[MapKind.PLATT] + 0.05


def test_separated_classes_have_a_finite_map(simulated_scores):
    apart = simulated_scores(np.random.default_rng(3), malignant=25, osteoporotic=25, apart=30.0)
    for kind in MapKind:
        p = fit_map(kind, apart.log_odds, apart.malignant)(apart.log_odds)
        assert ((p > 0) & (p < 1)).all(), kind


def test_scores_that_fall_with_malignancy_are_refused(cohort):
    with pytest.raises(InputRejected, match="do not rise with malignancy"):
        fit_map(MapKind.PLATT, -cohort.log_odds, cohort.malignant)


@given(p=st.floats(0.001, 0.999), a=st.floats(0.05, 0.95), b=st.floats(0.05, 0.95))
def test_exchanging_the_prevalence_adds_the_difference_of_log_odds_and_comes_back(p, a, b):
    there = at_prevalence(np.array([p]), fitted_at=a, assumed=b)
    assert special.logit(there[0]) == pytest.approx(
        special.logit(p) + special.logit(b) - special.logit(a), abs=1e-6
    )
    assert at_prevalence(there, fitted_at=b, assumed=a)[0] == pytest.approx(p, abs=1e-9)


def test_a_cohort_of_another_prevalence_is_served_by_exchanging_it(calibration, simulated_scores):
    rare = simulated_scores(
        np.random.default_rng(13), malignant=400, osteoporotic=3600, per_patient=1, slope=0.5
    )
    as_fitted = calibration.map(rare.log_odds)
    exchanged = at_prevalence(as_fitted, fitted_at=calibration.cohort.prevalence, assumed=0.1)
    assert debiased_calibration_error(rare.malignant, as_fitted) > 0.05
    assert debiased_calibration_error(rare.malignant, exchanged) <= 0.02
    x = float(rare.log_odds[0])
    assert calibration.probability(x, prevalence=0.1) == pytest.approx(exchanged[0])


@given(p=st.floats(1e-12, 1e-2), a=st.floats(0.05, 0.95), b=st.floats(0.05, 0.95))
def test_near_certainty_no_rounding_leads_beyond_one(p, a, b):
    near = at_prevalence(np.array([1.0 - p, p, 0.0, 1.0]), fitted_at=a, assumed=b)
    assert ((near >= 0.0) & (near <= 1.0)).all() and near[2] == 0.0 and near[3] == 1.0


def test_certainty_keeps_its_log_odds_finite():
    assert np.isfinite(log_odds_of(np.array([0.0, 1.0]))).all()
    with pytest.raises(UsageError, match="between 0 and 1"):
        at_prevalence(np.array([0.5]), fitted_at=0.5, assumed=1.0)


def test_venn_abers_gives_the_two_isotonic_fits_and_they_close_as_the_cohort_grows(calibration, simulated_scores):
    small = fitted(simulated_scores(np.random.default_rng(14), malignant=30, osteoporotic=30, slope=0.5))
    for x in (-4.0, -1.0, 0.0, 1.0, 4.0):
        low, high = calibration.venn_abers(x)
        assert 0.0 <= low < high <= 1.0
        lows, highs = small.venn_abers(x)
        assert highs - lows > high - low


def test_venn_abers_by_hand():
    """Four scores, benign benign malignant malignant; a new one between: p0 = 0/1 pooled from 0, p1 = 1."""
    four = LabelledScores(
        ("a", "b", "c", "d"), ("1",) * 4, np.array([False, False, True, True]),
        np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.zeros((4, 0)),
    )  # fmt: skip
    predictor = venn_abers(four.log_odds, four.malignant)
    assert predictor(0.0) == (0.0, 1.0)
    # above all, as benign: pooled with the two malignant ones, 2 of 3
    assert predictor(3.0) == pytest.approx((2 / 3, 1.0))
    # at a known score, as malignant: one of two there, no pooling needed
    assert predictor(-1.0) == pytest.approx((0.0, 0.5))


def test_venn_abers_holds_the_share_of_malignant_in_every_group_of_scores(calibration, simulated_scores):
    fresh = simulated_scores(np.random.default_rng(15), malignant=1500, osteoporotic=1500, per_patient=1, slope=0.5)
    order = np.argsort(fresh.log_odds)
    for group in np.array_split(order, 8):
        bounds = np.array([calibration.venn_abers(float(x)) for x in fresh.log_odds[group[::20]]]).mean(axis=0)
        share = fresh.malignant[group].mean()
        assert bounds[0] - 0.06 <= share <= bounds[1] + 0.06


@pytest.mark.parametrize("kind", list(Interval))
@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_both_intervals_hold_the_printed_probability(kind, prevalence, calibration):
    members = (0.2, 1.4, -0.3)
    low, high = calibration.interval(kind, members, prevalence=prevalence)
    p = calibration.probability(sum(members) / 3, prevalence=prevalence)
    assert 0.0 <= low <= p <= high <= 1.0
    if kind is Interval.ENSEMBLE_SPREAD:
        assert low == pytest.approx(calibration.probability(-0.3, prevalence=prevalence))
        assert high == pytest.approx(calibration.probability(1.4, prevalence=prevalence))


def test_too_few_patients_are_refused_with_the_number_that_is_needed(simulated_scores):
    with pytest.raises(InputRejected, match=r"19 patients with malignant vertebrae are too few.*at least 20"):
        fitted(simulated_scores(np.random.default_rng(0), malignant=19))


def test_a_calibration_survives_its_file(calibration):
    text = written_calibration(calibration)
    again = read_calibration(text)
    assert written_calibration(again) == text
    assert again.cohort == calibration.cohort
    assert again.tiers == calibration.tiers
    assert again.probability(0.3) == calibration.probability(0.3)
    assert json.loads(text)["simulated"] is True
    assert json.loads(text)["sha256"] == calibration_sha256(calibration)


def test_tiers_that_are_never_given_survive_the_file(simulated_scores):
    scores = simulated_scores(np.random.default_rng(7), malignant=20, osteoporotic=20)
    calibration = fitted(scores, population=Population.UNFRACTURED)
    again = read_calibration(written_calibration(calibration))
    assert (again.tiers.osteoporotic_below, again.tiers.malignant_from) == (-np.inf, np.inf)
    assert again.population is Population.UNFRACTURED and again.novelty is None


def test_no_patient_is_named_in_the_file(calibration):
    assert "p0001" not in written_calibration(calibration)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t[:-40], "no JSON"),
        (lambda t: "[]", "no calibration"),
        (lambda t: t.replace('"format_version": 1', '"format_version": 9'), "has version 9, this program reads 1"),
        (lambda t: t.replace('"prevalence": 0.5', '"prevalence": 0.1'), "does not match its digest"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused(change, sentence, calibration):
    with pytest.raises(ModelError, match=sentence):
        read_calibration(change(written_calibration(calibration)))


def test_a_file_that_lacks_something_is_refused_even_with_a_fitting_digest(calibration):
    stored = json.loads(written_calibration(calibration))
    del stored["sha256"], stored["map"]
    with pytest.raises(ModelError, match="lacks something"):
        read_calibration(json.dumps({**stored, "sha256": _digest(stored)}))
