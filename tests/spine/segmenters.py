"""Segmenters small enough for every test: a fake that copies what it was told, and users' masks."""

from dataclasses import dataclass

import numpy as np

from wirbel.spine import Part, SpineEvidence, VertebraEvidence, evidence_from_masks
from wirbel.volume import Grid, LabelMap, Volume

HEIGHT, WIDTH = 26, 36


def drawn_ct(*, spacing_mm: float = 1.0, cut: bool = False) -> tuple[Volume, LabelMap]:
    """A CT with four bony blocks (the lowest cut by the border if asked) and their VerSe masks L1-L4."""
    size = (150, 60, 60)
    hu = np.full(size, 40, np.int16)
    labels = np.zeros(size, np.uint8)
    for i in range(4):
        top = 140 - 34 * i
        box = (slice(top - HEIGHT, top), slice(12, 40), slice(12, 12 + WIDTH))
        labels[box], hu[box] = 20 + i, 300
    if cut:
        hu, labels = hu[20:], labels[20:]
    grid = Grid.axis_aligned(labels.shape, (spacing_mm,) * 3, (-30.0, 10.0, 500.0))
    return Volume(grid, hu), LabelMap(grid, labels)


@dataclass(frozen=True)
class FakeSegmenter:
    """Every connected block brighter than 200 HU is a body; nothing else is known."""

    def __call__(self, ct: Volume, /) -> SpineEvidence:
        bright = ct.hu > 200
        rows = np.flatnonzero(bright.any(axis=(1, 2)))
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
        instances = np.zeros(ct.hu.shape, np.uint8)
        vertebrae = []
        for label, run in enumerate(reversed(runs), start=1):
            block = bright & np.isin(np.arange(len(bright)), run)[:, None, None]
            instances[block] = label
            centre = ct.grid.to_lps_mm(np.argwhere(block).mean(axis=0)[None])[0]
            vertebrae.append(VertebraEvidence(label, centre, bool(run[0] == 0 or run[-1] == len(bright) - 1)))
        parts = np.where(instances > 0, np.uint8(Part.BODY), np.uint8(0))
        return SpineEvidence(
            LabelMap(ct.grid, instances), LabelMap(ct.grid, parts), tuple(vertebrae), None, None, "fake"
        )


@dataclass(frozen=True)
class MasksSegmenter:
    """Users' masks, whatever the CT shows."""

    masks: LabelMap

    def __call__(self, ct: Volume, /) -> SpineEvidence:
        return evidence_from_masks(self.masks, numbering=None, ct_grid=ct.grid)
