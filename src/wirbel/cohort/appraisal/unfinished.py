"""A simulated cohort that is still being drawn, or whose drawing was ended: what is there can be judged already."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.cohort.crops import HU_FILE, MASK_FILE, SETTINGS_FILE, CropFolder, read_crops
from wirbel.cohort.labelled import Diagnosis
from wirbel.errors import InputRejected
from wirbel.etiology.crop import CropSettings

PROGRESS_FILE, COHORT_FILE = "progress.jsonl", "cohort.json"
#: The arm of crops that are not there yet.
NOT_DRAWN = "not drawn"
_COUNTS = ("osteoporotic", "malignant", "lesions", "normal", "mimics", "discitis")


def open_crops(folder: Path) -> CropFolder:
    """A finished crop folder, or one that is still being drawn: then crops that are not there yet are of the class
    `unclear`, which is never judged. `InputRejected` for anything else."""
    if (folder / SETTINGS_FILE).is_file() or not (folder / PROGRESS_FILE).is_file():
        return read_crops(folder)
    try:
        cohort = json.loads((folder / COHORT_FILE).read_text("utf-8"))
        lines = (folder / PROGRESS_FILE).read_text("utf-8").splitlines(keepends=True)
        drawn = [pair for line in lines if line.endswith("\n") for pair in json.loads(line)["rows"]]
        rows = _rows(int(cohort["crops"]), {int(truth["row"]): index for index, truth in drawn})
        edge, spacing_mm = int(cohort["settings"]["voxels"]), float(cohort["settings"]["spacing_mm"])
        hu, mask = (np.load(folder / name, mmap_mode="r") for name in (HU_FILE, MASK_FILE))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputRejected(f"{folder.name!r} is a cohort that was begun and is damaged: draw it again") from exc
    return CropFolder(hu, mask, rows, CropSettings((edge, edge, edge), spacing_mm))


def planned(folder: Path) -> dict[str, int]:
    """How many crops each arm of a simulated cohort is meant to have; empty where the folder says nothing of it."""
    try:
        arms = json.loads((folder / COHORT_FILE).read_text("utf-8"))["settings"]["arms"]
        return {str(arm["name"]): sum(int(arm[k]) for k in _COUNTS) for arm in arms}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _rows(total: int, drawn: Mapping[int, dict[str, Any]]) -> tuple[dict[str, str], ...]:
    """One index row a crop of the whole cohort."""
    rows = []
    for row in range(total):
        index = drawn.get(row)
        if index is not None:
            rows.append({key: str(value) for key, value in index.items()})
        else:
            waiting = {"patient": f"{NOT_DRAWN} {row}", "vertebra": "", "split": "", "arm": NOT_DRAWN}
            rows.append({**waiting, "class": Diagnosis.UNCLEAR.value})
    return tuple(rows)
