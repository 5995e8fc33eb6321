"""Endplates eroded on both sides of a disc: no cause is told, whatever the classifier says."""

from dataclasses import replace

import numpy as np
import pytest

from wirbel.etiology import (
    Cause,
    Etiology,
    HeatMap,
    HeatMethod,
    Interval,
    Refusal,
    Suspicion,
    Tier,
    TierRule,
    without_discitis,
)
from wirbel.finding.signs import Sign, Signs, SignValues
from wirbel.vertebra import NotMeasured, Reason
from wirbel.volume import Grid

GRID = Grid.axis_aligned((2, 2, 2), (1.0, 1.0, 1.0))
HEAT = HeatMap(GRID, np.zeros(GRID.shape, np.float32), HeatMethod.GRAD_CAM, ("m",))
TOLD = Cause(
    1, Tier.MALIGNANT, 0.8, 0.7, 0.9, Interval.VENN_ABERS, 0.5, TierRule.CERTIFIED, heat=HEAT, members=(1.2, 1.4)
)


def signs(share: float | None) -> Signs:
    blank = SignValues.blank(NotMeasured(Reason.NO_NEIGHBOURS))
    return Signs(1, blank if share is None else replace(blank, **{Sign.ENDPLATES.value: share}))


def told(cause: Cause, share: float | None) -> Cause:
    (answer,) = without_discitis(Etiology((cause,)), [signs(share)]).vertebrae
    return answer


@pytest.mark.parametrize("tier", [Tier.MALIGNANT, Tier.OSTEOPOROTIC])
def test_a_told_cause_becomes_uncertain_and_loses_its_probability_but_not_its_scores(tier: Tier) -> None:
    answer = told(replace(TOLD, answer=tier), 0.3)
    assert answer == Cause(
        1, Tier.UNCERTAIN, rule=TierRule.CERTIFIED, reasons=(Refusal.TWO_ENDPLATES,), members=(1.2, 1.4)
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Refusal.BETWEEN_THRESHOLDS, (Refusal.TWO_ENDPLATES,)),
        (Refusal.SIMULATED_ONLY, (Refusal.TWO_ENDPLATES, Refusal.SIMULATED_ONLY)),
        (Refusal.UNLIKE_TRAINING, (Refusal.TWO_ENDPLATES, Refusal.UNLIKE_TRAINING)),
    ],
)
def test_what_was_uncertain_before_names_the_pattern_first(before: Refusal, after: tuple[Refusal, ...]) -> None:
    assert told(replace(TOLD, answer=Tier.UNCERTAIN, reasons=(before,)), 0.3).reasons == after


@pytest.mark.parametrize("share", [0.0, 0.05, None])
def test_a_share_that_sound_vertebrae_have_and_one_not_measured_change_nothing(share: float | None) -> None:
    assert told(TOLD, share) == TOLD


def test_a_vertebra_without_signs_and_one_that_was_refused_stay_as_they_are() -> None:
    cut = Cause(1, NotMeasured(Reason.TOUCHES_EDGE), reasons=(Refusal.CUT,))
    assert without_discitis(Etiology((TOLD,)), [None]) == Etiology((TOLD,))
    assert told(cut, 0.3) == cut


def test_a_suspicion_stays_and_names_the_pattern() -> None:
    suspicious = Cause(
        1, NotMeasured(Reason.NOT_FRACTURED), reasons=(Refusal.NOT_FRACTURED,), suspicion=Suspicion.SUSPICIOUS,
        heat=HEAT,
    )  # fmt: skip
    answer = told(suspicious, 0.3)
    assert answer == replace(suspicious, reasons=(Refusal.NOT_FRACTURED, Refusal.TWO_ENDPLATES))
