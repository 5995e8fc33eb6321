"""The masks of a column: vertebrae by VerSe number (or relative ones), and their parts, with a legend."""

import json
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from wirbel.delivery.nifti import write_labels
from wirbel.spine import Level, NumberingStatus, Part, Spine
from wirbel.volume import Grid, LabelMap

MASKS, PARTS, LEGEND = "segmentation.nii.gz", "segmentation_parts.nii.gz", "segmentation.json"


def write_segmentation(folder: Path, spine: Spine, grid: Grid) -> None:
    """Write both label maps on the CT's grid, and what their numbers mean."""
    relative = is_relative(spine)
    kind = "relative numbers, 1 = uppermost" if relative else "VerSe numbers"
    note = f"wirbel: {kind}; research use only"
    write_labels(folder / MASKS, _with_sacrum(spine, relative), grid, numbers=file_numbers(spine), note=note)
    write_labels(
        folder / PARTS,
        spine.parts,
        grid,
        numbers=np.arange(256, dtype=np.uint8),
        note="wirbel: 1 body 2 posterior 3 disc 4 sacrum 5 rib; research use only",
    )
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
    if not relative:
        numbers[_SACRUM] = Level.S1.value
    return numbers


#: Label that the sacrum gets before numbers are given, above any vertebra's.
_SACRUM = 255


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


def _with_sacrum(spine: Spine, relative: bool) -> LabelMap:
    """The instances, with the sacrum as a label of its own where levels are known."""
    sacrum = spine.parts.labels == Part.SACRUM
    if relative or not sacrum.any():
        return spine.instances
    labels = spine.instances.labels.copy()
    labels[sacrum & (labels == 0)] = _SACRUM
    return LabelMap(spine.grid, labels)
