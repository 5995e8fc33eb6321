"""What kind of study the pattern of readings makes, and which readers form its groups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.mrmc.readings import Readings


class Design(Enum):
    """Which of readers, cases and treatments are crossed and which are nested."""

    FACTORIAL = "every reader read every case under every treatment"
    READERS_NESTED = "each reader read under one treatment only (unpaired readers)"
    CASES_NESTED_IN_TREATMENTS = "each treatment has its own cases (unpaired cases)"
    CASES_NESTED_IN_READERS = "each reader has cases of their own, under all treatments"
    SPLIT_PLOT = "groups of readers, each group with cases of its own, under all treatments"
    INCOMPLETE = "single readings are missing"


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The design, and for each reader the number of the group whose cases it shares."""

    design: Design
    groups: npt.NDArray[np.intp]

    @property
    def group_sizes(self) -> npt.NDArray[np.intp]:
        """Number of readers in each group."""
        return np.bincount(self.groups)

    @property
    def grouped(self) -> bool:
        """Whether variances are pooled within groups: a split-plot study with at least two readers in each
        group."""
        return self.design is Design.SPLIT_PLOT and bool((self.group_sizes > 1).all())

    @property
    def readers_per_case(self) -> float:
        """Mean over readers of how many readers share their cases: all of them, or those of the group."""
        return (
            float((self.group_sizes**2).sum() / self.groups.size) if self.grouped else float(self.groups.size)
        )


def layout_of(readings: Readings) -> Layout:
    """Find the design in the pattern of readings.

    Raises ValueError where some readers read under several treatments and others not under all of them: such
    a study has neither paired nor unpaired readers (`one_shot` takes it).
    """
    cells, read = readings.cells, readings.read
    n_readers = len(readings.readers)
    one_group = np.zeros(n_readers, dtype=np.intp)
    if not cells.all():
        per_reader = cells.sum(axis=0)
        if (per_reader == 1).all() and len(readings.treatments) > 1:
            return Layout(Design.READERS_NESTED, one_group)
        t, r = (int(i) for i in np.argwhere(~cells)[0])
        raise ValueError(
            f"reader {readings.readers[r]!r} has no reading under treatment {readings.treatments[t]!r} while other "
            "readers have: the design is unbalanced; leave such readers out, or use the U-statistics (one_shot)"
        )
    first = read[0, 0]
    if (read == first).all():
        return Layout(Design.FACTORIAL, one_group)
    if (read == read[:, :1]).all() and (read[:, 0].sum(axis=0) <= 1).all():
        return Layout(Design.CASES_NESTED_IN_TREATMENTS, one_group)
    by_reader = np.asarray(read.any(axis=0))
    groups = _connected(by_reader)
    if groups.max() == n_readers - 1 and n_readers > 1:
        return Layout(Design.CASES_NESTED_IN_READERS, groups)
    if groups.max() > 0:
        return Layout(Design.SPLIT_PLOT, groups)
    return Layout(Design.INCOMPLETE, one_group)


def _connected(by_reader: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Group readers that share cases, directly or through others."""
    linked = by_reader.astype(float) @ by_reader.T.astype(float) > 0
    while True:
        wider = linked.astype(float) @ linked.astype(float) > 0
        if (wider == linked).all():
            break
        linked = wider
    return np.unique(linked.argmax(axis=1), return_inverse=True)[1]
