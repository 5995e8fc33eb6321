"""Kappas, alpha, intraclass correlation, Bland-Altman and changed categories: edges and identities."""

import numpy as np
import pytest

from wirbel.evaluation.agreement import bland_altman, bowker, inter_reader, intra_reader, stuart_maxwell
from wirbel.evaluation.alpha import Scale, krippendorff_alpha
from wirbel.evaluation.icc import FORMS, intraclass_correlations
from wirbel.evaluation.kappa import agreement_weights, category_counts, cohen_kappa, cross_table, fleiss_kappa

TABLE = [[20, 5], [10, 15]]


def test_cohens_kappa_of_a_textbook_table():
    kappa = cohen_kappa(TABLE)
    assert kappa.agreement == pytest.approx(0.7) and kappa.by_chance == pytest.approx(0.5)
    assert kappa.estimate.value == pytest.approx(0.4)
    assert kappa.estimate.low < 0.4 < kappa.estimate.high


def test_the_kappa_error_agrees_with_the_bootstrap():
    rng = np.random.default_rng(1)
    counts = np.array([[30, 6, 1], [4, 20, 7], [2, 5, 25]])
    draws = rng.multinomial(100, counts.ravel() / 100, 2000).reshape(-1, 3, 3)
    for weights in ("none", "linear", "quadratic"):
        boot = np.std([cohen_kappa(d, weights=weights).estimate.value for d in draws[:400]], ddof=1)
        assert cohen_kappa(counts, weights=weights).stderr == pytest.approx(boot, rel=0.15)


def test_a_matrix_of_weights_is_the_same_as_its_name():
    table = [[9, 3, 1], [2, 8, 3], [0, 2, 7]]
    by_name = cohen_kappa(table, weights="quadratic")
    by_matrix = cohen_kappa(table, weights=agreement_weights(3, "quadratic"))
    assert by_name.estimate.value == by_matrix.estimate.value


def test_perfect_agreement_is_one_and_never_above():
    kappa = cohen_kappa([[10, 0], [0, 12]])
    assert kappa.estimate.value == 1.0 and kappa.estimate.high == 1.0


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: cohen_kappa([[7, 0], [0, 0]]), "kappa is undefined: both raters"),
        (lambda: cohen_kappa([[1, 2, 3]]), "a square table"),
        (lambda: cohen_kappa([[1, -2], [3, 4]]), "not negative"),
        (lambda: cohen_kappa(TABLE, weights="cubic"), "got 'cubic'"),
        (lambda: cross_table([1, 2], [1, 2, 3]), "rate the same cases"),
        (lambda: cross_table([1.0, np.nan], [1.0, 2.0]), "rating 2 of the first rater is not finite"),
        (lambda: fleiss_kappa([[3, 0], [2, 0]]), "case 2 has 2 and the first 3"),
        (lambda: krippendorff_alpha([[1.0, 1.0], [1.0, 1.0]]), "all ratings are equal"),
        (lambda: krippendorff_alpha([[1.0, np.nan], [np.nan, 1.0]]), "at least 2 units"),
        (lambda: krippendorff_alpha([[-1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], scale=Scale.RATIO), "no negative ratings"),
        (lambda: intraclass_correlations([[1.0, np.nan], [2.0, 3.0]]), "subject 1 by judge 2 is missing"),
        (lambda: intraclass_correlations([[1.0, 2.0], [1.0, 2.0]]), "do not differ"),
        (lambda: bland_altman([1.0, 2.0, np.nan], [1.0, 2.0, 3.0]), "pair 3 is missing"),
        (lambda: bland_altman([1.0], [1.0]), "at least 3 paired"),
        (lambda: inter_reader([[1, 1], [2, 2]], ("a",)), "with 1 >= 2 readers|>= 2 readers is needed"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_a_reason(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_fleiss_and_krippendorff_agree_on_many_cases():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 400)
    ratings = np.where(rng.random((400, 4)) < 0.7, truth[:, None], rng.integers(0, 3, (400, 4)))
    fleiss = fleiss_kappa(category_counts(ratings)).estimate
    alpha = krippendorff_alpha(ratings.T.astype(float))
    assert alpha.value == pytest.approx(fleiss.value, abs=0.002)
    assert alpha.low == pytest.approx(fleiss.low, abs=0.005)


@pytest.mark.parametrize("scale", Scale)
def test_alpha_is_one_for_perfect_agreement_and_near_zero_for_noise(scale):
    rng = np.random.default_rng(4)
    values = rng.integers(1, 6, 300).astype(float)
    assert krippendorff_alpha([values, values], scale=scale).value == pytest.approx(1.0)
    noise = krippendorff_alpha(rng.integers(1, 6, (2, 300)).astype(float), scale=scale)
    assert noise.low < 0.1 and abs(noise.value) < 0.15


def test_the_six_forms_of_the_icc_recover_known_variances():
    rng = np.random.default_rng(5)
    subjects, judges = rng.normal(0, 2, 400), np.array([0.0, 1.0, -1.0])
    table = subjects[:, None] + judges + rng.normal(0, 1, (400, 3))
    forms = intraclass_correlations(table)
    assert tuple(forms) == FORMS
    assert forms["ICC(3,1)"].estimate.value == pytest.approx(4 / 5, abs=0.04)
    assert forms["ICC(2,1)"].estimate.value == pytest.approx(4 / 6, abs=0.05)
    assert all(f.estimate.low < f.estimate.value < f.estimate.high for f in forms.values())


def test_judges_who_agree_exactly_have_an_icc_of_one():
    table = np.repeat(np.arange(5.0)[:, None], 3, axis=1)
    assert intraclass_correlations(table)["ICC(3,1)"].estimate.value == 1.0


def test_bland_altman_finds_the_shift_and_the_limits():
    rng = np.random.default_rng(6)
    first = rng.normal(50, 10, 2000)
    limits = bland_altman(first, first + rng.normal(2, 3, 2000))
    assert limits.bias.value == pytest.approx(2, abs=0.25)
    assert limits.upper_limit.value == pytest.approx(2 + 1.96 * 3, abs=0.3)
    assert limits.lower_limit.low < limits.lower_limit.value < limits.lower_limit.high
    growing = bland_altman(first, 1.2 * first)
    assert growing.slope > 0.1 and growing.slope_p < 1e-6


def test_nothing_changed_is_no_evidence_of_change():
    for test in (stuart_maxwell, bowker):
        result = test([[5, 0], [0, 7]])
        assert (result.df, result.p) == (0, 1.0)


def test_a_category_nobody_changed_takes_no_degree_of_freedom():
    table = [[20, 10, 0], [3, 30, 0], [0, 0, 9]]
    assert stuart_maxwell(table).df == 1 and bowker(table).df == 1
    assert stuart_maxwell(table).statistic == pytest.approx((10 - 3) ** 2 / 13)


def test_readers_are_compared_with_each_other_and_with_themselves():
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, 20)
    noisy = [np.where(rng.random(20) < 0.85, truth, 1 - truth) for _ in range(4)]
    inter = inter_reader(np.stack(noisy[:3], axis=1), ("A", "B", "C"))
    assert set(inter.pairs) == {("A", "B"), ("A", "C"), ("B", "C")}
    assert -1 <= inter.overall.estimate.low <= inter.overall.estimate.value <= inter.overall.estimate.high <= 1
    intra = intra_reader(noisy[0], noisy[3], reader="A", days_apart=42.0)
    assert intra.agreed == int((noisy[0] == noisy[3]).sum())
    with pytest.raises(ValueError, match="after 12 days, less than 30"):
        intra_reader(noisy[0], noisy[3], reader="A", days_apart=12.0)
