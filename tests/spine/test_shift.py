"""A reader renames the whole column."""

import numpy as np
import pytest

from wirbel.errors import UsageError
from wirbel.spine import Level, Numbering, NumberingStatus, Spine, Variant, Vertebra
from wirbel.spine.shift import shift_levels
from wirbel.volume import Grid, LabelMap

L = Level


def column(*levels: Level | None) -> Spine:
    grid = Grid.axis_aligned((len(levels), 1, 1), (25.0, 1.0, 1.0))
    labels = LabelMap(grid, np.arange(len(levels), 0, -1, dtype=np.uint8)[:, None, None])
    vertebrae = tuple(
        Vertebra(i, level, 0.9, np.array([0.0, 0.0, -25.0 * i]), False) for i, level in enumerate(levels, start=1)
    )
    status = NumberingStatus.NAMED if levels[0] else NumberingStatus.RELATIVE
    return Spine(vertebrae, labels, labels, Numbering(status, 0.9, None, None), "test")


def names(spine: Spine) -> list[str]:
    return [vertebra.name for vertebra in spine.vertebrae]


def test_no_shift_leaves_the_column_as_it_is():
    spine = column(L.T12, L.L1)
    assert shift_levels(spine, 0) is spine


def test_a_shift_moves_every_name_and_drops_the_decoders_probability():
    shifted = shift_levels(column(L.T11, L.T12, L.L1, L.L2), -1)
    assert names(shifted) == ["T10", "T11", "T12", "L1"]
    assert shifted.numbering.status is NumberingStatus.SHIFTED
    assert shifted.numbering.probability is None
    assert all(v.probability is None for v in shifted.vertebrae)


def test_a_thirteenth_thoracic_vertebra_that_was_the_first_lumbar_disappears():
    assert names(shift_levels(column(L.T11, L.T12, L.T13, L.L1, L.L2), -1)) == ["T10", "T11", "T12", "L1", "L2"]
    assert names(shift_levels(column(L.T12, L.T13, L.L1), 1)) == ["L1", "L2", "L3"]


def test_a_column_that_begins_with_t13_can_be_shifted():
    assert names(shift_levels(column(L.T13, L.L1), -1)) == ["T12", "L1"]


def test_gaps_in_the_names_stay_gaps():
    assert names(shift_levels(column(L.T8, L.T10, L.T11), 1)) == ["T9", "T11", "T12"]


def test_a_sixth_lumbar_vertebra_is_said():
    assert Variant.L6 in shift_levels(column(L.L3, L.L4, L.L5), 1).numbering.variants


def test_a_column_with_relative_labels_has_nothing_to_shift():
    with pytest.raises(UsageError, match="relative labels"):
        shift_levels(column(None, None), 1)


@pytest.mark.parametrize("by", [2, -21])
def test_a_shift_out_of_the_spine_is_refused(by):
    with pytest.raises(UsageError, match="leaves the spine"):
        shift_levels(column(L.L4, L.L5), by) if by > 0 else shift_levels(column(L.C5, L.C6), by)
