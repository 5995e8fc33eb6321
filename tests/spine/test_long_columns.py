"""More vertebrae than a spine has: no numbering, and no defect."""

import numpy as np
import pytest

from wirbel.spine import (
    NumberingReason,
    NumberingStatus,
    SpineEvidence,
    SpineSettings,
    VertebraEvidence,
    name_levels,
)
from wirbel.volume import Grid, LabelMap

EMPTY = LabelMap(Grid.axis_aligned((2, 2, 2), (1.0, 1.0, 1.0)), np.zeros((2, 2, 2), np.uint8))


def evidence(count: int) -> SpineEvidence:
    vertebrae = tuple(
        VertebraEvidence(i + 1, np.array([0.0, 0.0, -25.0 * i]), False, rib_probability=0.95 * (7 <= i < 19))
        for i in range(count)
    )
    return SpineEvidence(EMPTY, EMPTY, vertebrae, 0.97, None, "drawn")


@pytest.mark.parametrize("count", [27, 40, 96])
def test_a_series_of_more_vertebrae_than_a_spine_has_stays_relative_and_says_so(count: int) -> None:
    numbering = name_levels(evidence(count), SpineSettings()).numbering
    assert numbering.status is NumberingStatus.RELATIVE
    assert numbering.reason is NumberingReason.ANCHORS_DISAGREE
    assert numbering.anchors == (f"{count} vertebrae, more than a spine has",)


@pytest.mark.parametrize("count", [24, 25, 26])
def test_columns_that_only_the_longer_kinds_can_hold_are_decoded(count: int) -> None:
    assert len(name_levels(evidence(count), SpineSettings()).vertebrae) == count
