"""No single sign tells osteoporotic from malignant; all of them together do. Truth only: no picture is drawn."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from wirbel.phantom.cases import SIGN_NAMES, Difficulty, DrawnCause, draw_plan, sign_row

N = 1500


def drawn(difficulty: Difficulty, cause: DrawnCause, mean_age: float) -> np.ndarray:
    rng = np.random.default_rng([7, list(DrawnCause).index(cause)])
    ages = np.clip(rng.normal(mean_age, 12, N), 18, 94)
    return np.array([sign_row(draw_plan(rng, cause, difficulty=difficulty, age_years=float(a))) for a in ages])


def auc(benign: np.ndarray, malignant: np.ndarray) -> float:
    """Either direction."""
    u = stats.mannwhitneyu(malignant, benign).statistic / (len(benign) * len(malignant))
    return float(max(u, 1 - u))


def tables(difficulty: Difficulty) -> tuple[np.ndarray, np.ndarray]:
    benign = drawn(difficulty, DrawnCause.OSTEOPOROTIC_FRACTURE, 72.0)
    return benign, drawn(difficulty, DrawnCause.MALIGNANT_FRACTURE, 67.0)


@pytest.fixture(scope="module")
def middle() -> tuple[np.ndarray, np.ndarray]:
    return tables(Difficulty.MIDDLE)


def oracle(benign: np.ndarray, malignant: np.ndarray) -> float:
    """AUC, on the odd rows, of a logistic model of all signs fitted to the even ones."""
    x = np.vstack([benign, malignant])
    x = np.hstack([x / x.std(axis=0), x > 0, np.log1p(np.abs(x))])
    y = np.repeat([0, 1], len(benign))
    model = LogisticRegression(max_iter=3000).fit(x[::2], y[::2])
    score = model.decision_function(x[1::2])
    return auc(score[y[1::2] == 0], score[y[1::2] == 1])


def test_no_single_sign_separates_the_two_causes(middle: tuple[np.ndarray, np.ndarray]) -> None:
    aucs = {name: auc(*(t[:, i] for t in middle)) for i, name in enumerate(SIGN_NAMES)}
    assert max(aucs.values()) < 0.80
    assert aucs["density_mg_cm3"] < 0.75
    # and each of them says something
    assert min(aucs.values()) > 0.53


def test_all_signs_together_separate_them_far_better(middle: tuple[np.ndarray, np.ndarray]) -> None:
    assert 0.96 < oracle(*middle) < 0.997


def test_hard_is_harder_and_easy_is_easier(middle: tuple[np.ndarray, np.ndarray]) -> None:
    at = SIGN_NAMES.index("cortex_destroyed")
    hard, easy = tables(Difficulty.HARD), tables(Difficulty.EASY)
    assert oracle(*hard) < oracle(*middle) - 0.02
    assert auc(hard[0][:, at], hard[1][:, at]) < auc(middle[0][:, at], middle[1][:, at])
    assert auc(easy[0][:, at], easy[1][:, at]) > auc(middle[0][:, at], middle[1][:, at])


def test_every_sign_occurs_in_both_causes(middle: tuple[np.ndarray, np.ndarray]) -> None:
    for i, name in enumerate(SIGN_NAMES):
        assert np.any(middle[0][:, i] > 0) and np.any(middle[1][:, i] > 0), name


def test_shape_and_grade_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    counts = np.zeros((2, 3))
    for row, cause in enumerate((DrawnCause.OSTEOPOROTIC_FRACTURE, DrawnCause.MALIGNANT_FRACTURE)):
        for _ in range(600):
            counts[row, draw_plan(rng, cause).grade - 1] += 1
    assert stats.chi2_contingency(counts).pvalue > 0.001


def test_an_unfractured_malignant_vertebra_has_a_lesion_and_no_fracture() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        plan = draw_plan(rng, DrawnCause.MALIGNANT_LESION)
        assert plan.lytic + plan.sclerotic > 0
        assert not plan.fractured and plan.lines == 0 and plan.fragment_mm == 0 and plan.vacuum_mm3 == 0


@pytest.mark.parametrize("cause", [DrawnCause.NORMAL, DrawnCause.DEGENERATE, DrawnCause.HAEMANGIOMA])
def test_what_is_neither_has_nothing_destroyed(cause: DrawnCause) -> None:
    plan = draw_plan(np.random.default_rng(2), cause)
    assert (plan.cortex_destroyed, plan.lytic, plan.epidural_mm3, plan.paravertebral_mm3) == (0, 0, 0, 0)
