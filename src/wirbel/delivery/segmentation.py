"""The masks of a column: vertebrae by VerSe number (or relative ones), and their parts, with a legend."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from wirbel.delivery.nifti import on_grid, write_labels
from wirbel.spine import Level, NumberingStatus, Part, Spine
from wirbel.volume import Grid

MASKS, PARTS, LEGEND = "segmentation.nii.gz", "segmentation_parts.nii.gz", "segmentation.json"


def write_segmentation(folder: Path, spine: Spine, grid: Grid) -> None:
    """Write both label maps on the CT's grid, and what their numbers mean."""
    relative = is_relative(spine)
    kind = "relative numbers, 1 = uppermost" if relative else "VerSe numbers"
    note = f"wirbel: {kind}; research use only"
    write_labels(folder / MASKS, numbered(spine, grid), grid, note=note)
    parts = "wirbel: 1 body 2 posterior 3 disc 4 sacrum 5 rib; research use only"
    write_labels(folder / PARTS, on_grid(spine.parts, grid), grid, note=parts)
    (folder / LEGEND).write_text(json.dumps(legend(spine), indent=1) + "\n", encoding="utf-8")


def is_relative(spine: Spine) -> bool:
    """Whether the column has no level names."""
    return spine.numbering.status is NumberingStatus.RELATIVE or any(v.level is None for v in spine.vertebrae)


def file_numbers(spine: Spine) -> UInt8[np.ndarray, "256"]:
    """What the file holds for each label in the masks; labels without a vertebra become 0."""
    numbers = np.zeros(256, dtype=np.uint8)
    relative = is_relative(spine)
    for place, vertebra in enumerate(spine.vertebrae, start=1):
        numbers[vertebra.label] = place if relative or vertebra.level is None else vertebra.level.value
    return numbers


def numbered(spine: Spine, grid: Grid) -> Iterator[UInt8[np.ndarray, "z y x"]]:
    """The vertebrae by number on a grid, some slices at a time; with the sacrum where levels are known."""
    numbers, relative = file_numbers(spine), is_relative(spine)
    for instances, parts in zip(on_grid(spine.instances, grid), on_grid(spine.parts, grid), strict=True):
        values = numbers[instances]
        if not relative:
            values[(parts == Part.SACRUM) & (instances == 0)] = Level.S1.value
        yield values


def legend(spine: Spine) -> dict[str, object]:
    """Numbers and their meaning."""
    numbers = file_numbers(spine)
    names = {str(numbers[v.label]): v.name for v in spine.vertebrae}
    relative = is_relative(spine)
    if not relative:
        names[str(Level.S1.value)] = "sacrum"
    return {
        "notice": "research use only",
        MASKS: {"numbering": "relative" if relative else "verse", "numbers": names},
        PARTS: {"numbers": {str(part.value): part.name.lower() for part in Part}},
    }
