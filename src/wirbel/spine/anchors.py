"""What a numbering can be counted from: C2, the first rib, the last rib, the sacrum; and where anchors disagree."""

from collections.abc import Sequence
from dataclasses import dataclass

from wirbel.spine.column_model import levels_of_column
from wirbel.spine.decode import ColumnSeen
from wirbel.spine.level import Level
from wirbel.spine.likelihood import rib_prior
from wirbel.spine.settings import SpineSettings


@dataclass(frozen=True, slots=True)
class Anchors:
    """Anchors seen under a labelling, and clear readings that contradict it, both in words.

    `from_sacrum`: the sacrum is in view and the chest's upper end is not: the number of ribs is not counted.
    """

    seen: tuple[str, ...]
    against: tuple[str, ...]
    from_sacrum: bool


def anchors_of(column: ColumnSeen, levels: Sequence[Level], settings: SpineSettings) -> Anchors:
    """The anchors that a labelling rests on."""
    seen: list[str] = []
    from_sacrum = False
    if column.skull_above is not None and column.skull_above >= settings.sure and levels[0].rank <= Level.C2.rank:
        seen.append(f"skull above {levels[0].name}")
    thoracic = [i for i, level in enumerate(levels) if level.region == "T"]
    if thoracic and thoracic[0] > 0 and _contrast(column, thoracic[:2], below=False) >= settings.rib_contrast:
        seen.append(f"first rib at {levels[thoracic[0]].name}")
    beyond = len(levels) - 1 - thoracic[-1] if thoracic else 0
    if beyond > 0 and _contrast(column, thoracic[-2:], below=True) >= settings.rib_contrast:
        seen.append(f"last rib at {levels[thoracic[-1]].name}")
    if column.sacrum_below is not None and column.sacrum_below >= settings.sure and levels[-1].region == "L":
        from_sacrum = not seen or seen[0].startswith("last rib")
        seen.append(f"sacrum below {levels[-1].name}")
    given = [level.name for v, level in zip(column.vertebrae, levels, strict=True) if v.given is level]
    if given:
        seen.append("given: " + ", ".join(given))
    return Anchors(tuple(seen), _against(column, levels, settings), from_sacrum and not given)


def _contrast(column: ColumnSeen, thoracic: Sequence[int], *, below: bool) -> float:
    """Mean rib reading of the outermost thoracic vertebrae less that of up to two beyond them; 0 where unread."""
    beyond = (
        range(thoracic[-1] + 1, min(thoracic[-1] + 3, len(column.vertebrae)))
        if below
        else range(max(0, thoracic[0] - 2), thoracic[0])
    )
    with_rib = [column.vertebrae[i].rib_probability for i in thoracic]
    without = [column.vertebrae[i].rib_probability for i in beyond]
    here, there = ([p for p in side if p is not None] for side in (with_rib, without))
    return sum(here) / len(here) - sum(there) / len(there) if here and there else 0.0


def _against(column: ColumnSeen, levels: Sequence[Level], settings: SpineSettings) -> tuple[str, ...]:
    against = []
    for v, level in zip(column.vertebrae, levels, strict=True):
        expected = rib_prior(level, settings)
        if v.rib_probability is not None and abs(v.rib_probability - expected) > settings.sure:
            against.append(f"{'a rib' if expected < 0.5 else 'no rib'} at {level.name}")
    ends = {levels_of_column(*kind)[-1] for kind in settings.columns}
    if column.sacrum_below is not None and column.sacrum_below >= settings.sure and levels[-1] not in ends:
        against.append(f"the sacrum right below {levels[-1].name}")
    return tuple(against)
