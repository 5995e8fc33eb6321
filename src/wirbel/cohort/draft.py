"""A table to begin with: every vertebra of the masks, class unclear, for a reader to fill."""

from collections.abc import Sequence

from wirbel.cohort.facts import facts_of_all
from wirbel.cohort.layout import SubjectImage
from wirbel.cohort.problem import Problem
from wirbel.cohort.table import COLUMNS, table_text
from wirbel.spine import Level


def draft_table(images: Sequence[SubjectImage], *, workers: int = 1) -> tuple[str, tuple[Problem, ...]]:
    """The table's text, and what is wrong with CTs whose vertebrae are therefore missing from it.

    Cervical and cut vertebrae are left out: the study does not use them.
    """
    several = {i.patient for i in images if sum(j.patient == i.patient for j in images) > 1}
    rows: list[tuple[str, ...]] = []
    problems: list[Problem] = []
    for facts in facts_of_all(images, workers=workers):
        problems += [] if facts.levels else facts.problems
        for level in sorted(facts.levels - facts.cut, key=lambda level: level.rank):
            if level.region != "C" and level is not Level.S1:
                row = dict.fromkeys(COLUMNS, "")
                row |= {"patient": facts.image.patient, "vertebra": level.name, "class": "unclear"}
                row["image"] = facts.image.stem if facts.image.patient in several else ""
                rows.append(tuple(row.values()))
    return table_text(COLUMNS, rows), tuple(problems)
