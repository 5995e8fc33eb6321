"""A simulated cohort that is still being drawn, or whose drawing was ended: what is there can be used already."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.cohort.begun import COHORT_FILE, BegunCohort, is_begun, planned, read_begun
from wirbel.cohort.crops import HU_FILE, MASK_FILE, SETTINGS_FILE, TRUTH_FILE, CropFolder, read_crops
from wirbel.cohort.labelled import Diagnosis
from wirbel.errors import InputRejected, UsageError

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


def arms_of(folder: Path, crops: CropFolder) -> dict[str, bool]:
    """The arms of a folder opened here, and whether all crops of each are there.

    Of a cohort that is being drawn also those that are not begun.
    """
    have = Counter(row.get("arm") or row.get("split") or "" for row in crops.rows)
    if NOT_DRAWN not in have:
        return dict.fromkeys(have, True)
    return {arm: have[arm] >= n for arm, n in planned(folder).items()}


def rows_of(folder: Path, crops: CropFolder, arms: Sequence[str] = ()) -> list[int]:
    """The rows of these arms, or of all that are whole.

    `UsageError` for an arm that is none, one of which crops are still to be drawn, and where no arm is whole.
    """
    there = arms_of(folder, crops)
    for arm in arms:
        if arm not in there:
            raise UsageError(f"there is no arm {arm!r}; there are {', '.join(sorted(there))}")
        if not there[arm]:
            raise UsageError(f"{folder.name!r} is still being drawn, and {arm!r} is not whole: wait for it")
    wanted = set(arms) or {arm for arm, whole in there.items() if whole}
    if not wanted:
        raise UsageError(f"{folder.name!r} is still being drawn and no arm is whole: wait for the first")
    return [k for k, row in enumerate(crops.rows) if (row.get("arm") or row.get("split") or "") in wanted]


def settings_of(folder: Path, crops: CropFolder) -> dict[str, Any]:
    """What the folder says of its crops: their size, spacing, whether they are simulated, by which settings."""
    if (folder / SETTINGS_FILE).is_file():
        said: dict[str, Any] = json.loads((folder / SETTINGS_FILE).read_text("utf-8"))
        return said
    cohort = cohort_of(folder)
    kept: dict[str, Any] = {k: cohort[k] for k in ("simulated", "note", "settings_sha256") if k in cohort}
    return {"size": list(crops.settings.size), "spacing_mm": crops.settings.spacing_mm, **kept}


def cohort_of(folder: Path) -> dict[str, Any]:
    """By what a simulated cohort was drawn; empty for crops of patients."""
    path = folder / COHORT_FILE
    if not path.is_file():
        return {}
    try:
        before = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise InputRejected(f"{folder.name!r}: {COHORT_FILE} cannot be read: draw the cohort again") from exc
    return {k: v for k, v in before.items() if k in ("settings_sha256", "code_sha256", "simulated", "note")}


def truths_of(folder: Path, count: int) -> dict[int, dict[str, str]]:
    """What was painted, by row; empty for crops of patients. `InputRejected` where a crop has no line."""
    if not (folder / SETTINGS_FILE).is_file() and is_begun(folder):
        return dict(read_begun(folder).truth)
    if not (folder / TRUTH_FILE).is_file():
        return {}
    try:
        with (folder / TRUTH_FILE).open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file, delimiter="\t"))
    except (OSError, ValueError) as exc:
        raise InputRejected(f"{folder.name!r}: {TRUTH_FILE} cannot be read: make the crops again") from exc
    if len(lines) != count:
        raise InputRejected(f"{folder.name!r}: {TRUTH_FILE} has {len(lines)} lines for {count} crops")
    return dict(enumerate(lines))


def _row(begun: BegunCohort, row: int) -> dict[str, str]:
    """The index's columns of one crop of the whole cohort."""
    if row in begun.index:
        return begun.index[row]
    waiting = {"patient": f"{NOT_DRAWN} {row}", "vertebra": "", "split": "", "arm": NOT_DRAWN}
    return {**waiting, "class": Diagnosis.UNCLEAR.value}
