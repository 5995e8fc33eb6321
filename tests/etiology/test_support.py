"""Which suspicions are told: those that a measured sign of a lesion supports."""

from dataclasses import replace

import pytest

from wirbel.etiology import Cause, Etiology, Refusal, Suspicion, Tier, supported
from wirbel.finding.signs import Sign, Signs, SignValues
from wirbel.vertebra import NotMeasured, Reason

GAP = NotMeasured(Reason.NO_NEIGHBOURS)
SUSPICIOUS = Cause(
    1, NotMeasured(Reason.NOT_FRACTURED), reasons=(Refusal.NOT_FRACTURED,), suspicion=Suspicion.SUSPICIOUS
)


def signs(**values: float) -> Signs:
    return Signs(1, replace(SignValues.blank(GAP), **values))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({Sign.LYTIC: 0.2}, True),
        ({Sign.LYTIC: 0.01}, False),
        ({Sign.LYTIC: 0.01, Sign.EPIDURAL: 400.0}, True),
        ({Sign.LYTIC: 0.01, Sign.RETROPULSION: 6.0, Sign.VACUUM: 50.0}, False),  # a fracture's, not a lesion's
        ({}, True),  # nothing measured is not nothing there
    ],
)
def test_a_suspicion_is_told_where_a_sign_of_a_lesion_stands_out(values: dict[Sign, float], told: bool) -> None:
    measured = signs(**{sign.value: value for sign, value in values.items()})
    (cause,) = supported(Etiology((SUSPICIOUS,)), [measured]).vertebrae
    assert (cause.suspicion is not None) is told
    assert (Refusal.NO_SIGN in cause.reasons) is not told
    assert cause.reasons[0] is Refusal.NOT_FRACTURED


def test_answers_for_fractures_and_vertebrae_without_signs_are_left_alone() -> None:
    fracture = Cause(2, Tier.MALIGNANT, 0.8, 0.7, 0.9)
    before = Etiology((SUSPICIOUS, fracture))
    assert supported(before, [None, signs(**{Sign.LYTIC.value: 0.0})]) == before
