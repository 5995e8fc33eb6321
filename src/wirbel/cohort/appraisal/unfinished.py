"""A simulated cohort that is still being drawn, or whose drawing was ended: what is there can be judged already."""

from pathlib import Path

import numpy as np

from wirbel.cohort.begun import BegunCohort, is_begun, read_begun
from wirbel.cohort.crops import HU_FILE, MASK_FILE, SETTINGS_FILE, CropFolder, read_crops
from wirbel.cohort.labelled import Diagnosis
from wirbel.errors import InputRejected

#: The arm of crops that are not there yet.
NOT_DRAWN = "not drawn"


def open_crops(folder: Path) -> CropFolder:
    """A finished crop folder, or one that is still being drawn: then crops that are not there yet are of the class
    `unclear`, which is never judged. `InputRejected` for anything else."""
    if (folder / SETTINGS_FILE).is_file() or not is_begun(folder):
        return read_crops(folder)
    begun = read_begun(folder)
    try:
        hu, mask = (np.load(folder / name, mmap_mode="r") for name in (HU_FILE, MASK_FILE))
    except (OSError, ValueError) as exc:
        raise InputRejected(f"{folder.name!r} is a cohort that was begun and is damaged: draw it again") from exc
    return CropFolder(hu, mask, tuple(_row(begun, row) for row in range(begun.crops)), begun.settings)


def _row(begun: BegunCohort, row: int) -> dict[str, str]:
    """The index's columns of one crop of the whole cohort."""
    if row in begun.index:
        return begun.index[row]
    waiting = {"patient": f"{NOT_DRAWN} {row}", "vertebra": "", "split": "", "arm": NOT_DRAWN}
    return {**waiting, "class": Diagnosis.UNCLEAR.value}
