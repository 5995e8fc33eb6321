"""A reader's correction of the numbering."""

import numpy as np
import pytest

from wirbel.errors import UsageError
from wirbel.spine import Level, Numbering, NumberingReason, NumberingStatus, Part, Spine, Variant, Vertebra
from wirbel.spine.shift import NamedVertebra, name_from, named_vertebra, shift_levels
from wirbel.volume import Grid, LabelMap

GRID = Grid.axis_aligned((3, 3, 3), (1.0, 1.0, 1.0))


def spine_of(*names: str | None, variants=(), sacrum=False) -> Spine:
    status = NumberingStatus.NAMED if names[0] else NumberingStatus.RELATIVE
    reason = None if names[0] else NumberingReason.NO_ANCHOR
    parts = np.zeros(GRID.shape, np.uint8)
    parts[0] = Part.SACRUM if sacrum else 0
    return Spine(
        tuple(
            Vertebra(i, Level[name] if name else None, 0.9 if name else None, np.zeros(3), False)
            for i, name in enumerate(names, start=1)
        ),
        LabelMap(GRID, np.zeros(GRID.shape, np.uint8)),
        LabelMap(GRID, parts),
        Numbering(status, 0.9 if names[0] else None, None, None, variants, reason),
        "drawn",
    )


def names(spine: Spine) -> list[str]:
    return [vertebra.name for vertebra in spine.vertebrae]


def test_shifting_down_by_one_turns_l1_into_l2_and_says_so() -> None:
    shifted = shift_levels(spine_of("T12", "L1", "L2"), 1)
    assert names(shifted) == ["L1", "L2", "L3"]
    assert shifted.numbering.status is NumberingStatus.SHIFTED
    assert shifted.numbering.probability is None
    assert {v.probability for v in shifted.vertebrae} == {None}


def test_shifting_there_and_back_gives_the_names_again() -> None:
    spine = spine_of("C6", "C7", "T1", "T3")
    assert names(shift_levels(shift_levels(spine, -2), 2)) == names(spine)


def test_a_shift_of_nothing_changes_nothing() -> None:
    spine = spine_of("T12", "L1")
    assert shift_levels(spine, 0) is spine
    relative = spine_of(None, None)
    assert shift_levels(relative, 0) is relative


def test_t13_stays_a_station_of_its_own_column() -> None:
    spine = spine_of("T12", "T13", "L1", variants=(Variant.T13,))
    assert names(shift_levels(spine, -1)) == ["T11", "T12", "T13"]
    assert names(shift_levels(spine, 1)) == ["T13", "L1", "L2"]


def test_a_column_with_11_thoracic_vertebrae_steps_from_t11_to_l1() -> None:
    shifted = shift_levels(spine_of("T10", "T11", "L1", variants=(Variant.T11_ONLY,)), -1)
    assert names(shifted) == ["T9", "T10", "T11"]
    assert shifted.numbering.variants == ()


def test_variants_follow_the_new_names() -> None:
    assert shift_levels(spine_of("L3", "L4", "L5"), 1).numbering.variants == (Variant.L6,)
    assert shift_levels(spine_of("L4", "L5", sacrum=True), -1).numbering.variants == (Variant.L4_ONLY,)


@pytest.mark.parametrize(("first", "last", "by"), [("C1", "C2", -1), ("L5", "L6", 1), ("T1", "T2", 40)])
def test_names_beyond_the_column_are_refused(first, last, by) -> None:
    with pytest.raises(UsageError, match="beyond"):
        shift_levels(spine_of(first, last), by)


def test_a_column_without_numbers_cannot_be_shifted_but_counted_from_a_named_vertebra() -> None:
    relative = spine_of(None, None, None)
    with pytest.raises(UsageError, match="V1=T12"):
        shift_levels(relative, 1)
    named = name_from(relative, NamedVertebra(2, Level.T12))
    assert names(named) == ["T11", "T12", "L1"]
    assert named.numbering.status is NumberingStatus.SHIFTED
    assert "V2=T12" in named.numbering.anchors[0]


@pytest.mark.parametrize(("label", "level"), [(4, Level.T12), (3, Level.C1), (1, Level.L6)])
def test_counting_beyond_the_column_is_refused(label, level) -> None:
    with pytest.raises(UsageError):
        name_from(spine_of(None, None, None), NamedVertebra(label, level))


def test_a_readers_words_are_read_or_refused() -> None:
    assert named_vertebra(" v3=t12 ") == NamedVertebra(3, Level.T12)
    for text in ("T12", "V3=S1", "V=T12", "V3=T14", "3=T12"):
        with pytest.raises(UsageError, match="V3=T12"):
            named_vertebra(text)
