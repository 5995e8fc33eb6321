"""A reader corrects the numbering: all names moved along the column, or counted from one named vertebra."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wirbel.errors import UsageError
from wirbel.spine.column_model import levels_of_column
from wirbel.spine.evidence import Part
from wirbel.spine.level import Level
from wirbel.spine.own_names import variants_of
from wirbel.spine.spine import Numbering, NumberingStatus, Spine, Variant


@dataclass(frozen=True, slots=True)
class NamedVertebra:
    """What a reader says: the vertebra with this label (1 = uppermost found) is that level."""

    label: int
    level: Level


def shift_levels(spine: Spine, by: int) -> Spine:
    """All names moved `by` levels downward (1: L1 becomes L2); 0 changes nothing.

    Names move along the column's own order (T13 stays a station where there is one, T12 is none in a column with
    11 thoracic vertebrae). Raises `UsageError` for a column that is not numbered and when a name would leave the
    range C1 to L6.
    """
    if by == 0:
        return spine
    levels = [vertebra.level for vertebra in spine.vertebrae if vertebra.level is not None]
    if not levels or len(levels) < len(spine.vertebrae):
        raise UsageError(
            f"--shift-levels {by:+d}: this column is not numbered, so there is nothing to shift: "
            "name one vertebra instead, for example V1=T12"
        )
    order = _own_order(levels, spine.numbering.variants)
    places = [order.index(level) + by for level in levels]
    if min(places) < 0 or max(places) >= len(order):
        raise UsageError(
            f"--shift-levels {by:+d} would move {levels[0].name}-{levels[-1].name} beyond "
            f"{order[0].name}-{order[-1].name}: use a smaller shift"
        )
    return _renamed(spine, [order[place] for place in places], f"names shifted by {by:+d} by a reader")


def name_from(spine: Spine, named: NamedVertebra) -> Spine:
    """All names counted from one vertebra that a reader named, as in a usual column; for unnumbered columns.

    Raises `UsageError` when there is no such vertebra or the count would leave the range C1 to L6.
    """
    labels = [vertebra.label for vertebra in spine.vertebrae]
    if named.label not in labels:
        raise UsageError(
            f"there is no V{named.label} in a column of {len(labels)}: use V1 to V{len(labels)}"
        )
    order = _own_order([named.level], ())
    first = order.index(named.level) - labels.index(named.label)
    if first < 0 or first + len(labels) > len(order):
        raise UsageError(
            f"V{named.label}={named.level.name} would count {len(labels)} vertebrae beyond "
            f"{order[0].name}-{order[-1].name}: check the name"
        )
    levels = order[first : first + len(labels)]
    return _renamed(spine, levels, f"counted from V{named.label}={named.level.name}, named by a reader")


def named_vertebra(text: str) -> NamedVertebra:
    """`V3=T12` as a record; raises `UsageError` for anything else."""
    match = re.fullmatch(r"V(\d+)=([CTL]\d+)", text.strip().upper())
    if match is None or match.group(2) not in Level.__members__:
        raise UsageError(f"cannot read {text!r}: write the vertebra and its level, for example V3=T12")
    return NamedVertebra(int(match.group(1)), Level[match.group(2)])


def _own_order(levels: Sequence[Level], variants: Sequence[Variant]) -> tuple[Level, ...]:
    """The names that a column of this kind has, down to L6."""
    if Level.T13 in levels:
        return levels_of_column(13, 6)
    return levels_of_column(11 if Variant.T11_ONLY in variants else 12, 6)


def _renamed(spine: Spine, levels: Sequence[Level], why: str) -> Spine:
    numbering = Numbering(
        status=NumberingStatus.SHIFTED,
        probability=None,
        runner_up=None,
        runner_up_probability=None,
        variants=variants_of(levels, sacrum_below=bool((spine.parts.labels == Part.SACRUM).any())),
        anchors=(why,),
    )
    vertebrae = tuple(
        replace(vertebra, level=level, probability=None)
        for vertebra, level in zip(spine.vertebrae, levels, strict=True)
    )
    return replace(spine, vertebrae=vertebrae, numbering=numbering)
