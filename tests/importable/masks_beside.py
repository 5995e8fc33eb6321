"""A segmenter for tests that other processes can import; it waits, so that its process can be killed in mid-run."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from chores import wait_for

from wirbel.cli.one_study import Engine
from wirbel.cli.order import Order
from wirbel.spine import Segmenter, SpineEvidence, evidence_from_masks
from wirbel.volume import LabelMap, Volume


@dataclass(frozen=True, slots=True)
class FromMasksBeside:
    """Answers with given masks on the CT's own grid, once `gate` is there; before, notes its process beside it."""

    masks: Path
    gate: Path

    def __call__(self, _threads: int | None, /) -> Segmenter:
        """For `import_studies`."""
        return self.segment

    def segment(self, ct: Volume, /) -> SpineEvidence:
        """The masks as evidence."""
        with self.gate.with_suffix(".pids").open("a") as file:
            file.write(f"{os.getpid()}\n")
        wait_for(self.gate)
        return evidence_from_masks(LabelMap(ct.grid, np.load(self.masks)), numbering="verse", ct_grid=ct.grid)

    def engine(self, _order: Order, _threads: int | None) -> Engine:
        """For `analyse_inputs`."""
        return Engine(self.segment, {})
