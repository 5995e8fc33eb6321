"""What is there of a simulated cohort whose drawing goes on, or was ended before all of it was there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wirbel.errors import InputRejected
from wirbel.etiology.crop import CropSettings

PROGRESS_FILE, COHORT_FILE = "progress.jsonl", "cohort.json"
_COUNTS = ("osteoporotic", "malignant", "lesions", "normal", "mimics", "discitis")


@dataclass(frozen=True, slots=True)
class BegunCohort:
    """`crops` it will have in all; of those drawn, by row, the columns of the index and what was painted."""

    crops: int
    settings: CropSettings
    index: Mapping[int, dict[str, str]]
    truth: Mapping[int, dict[str, str]]


def is_begun(folder: Path) -> bool:
    """Whether a folder holds a cohort that notes what is drawn."""
    return (folder / PROGRESS_FILE).is_file()


def read_begun(folder: Path) -> BegunCohort:
    """What is drawn so far; a line that is half written does not count. `InputRejected` where it is damaged."""
    try:
        said = _said(folder)
        lines = (folder / PROGRESS_FILE).read_text("utf-8").splitlines(keepends=True)
        drawn = [pair for line in lines if line.endswith("\n") for pair in json.loads(line)["rows"]]
        index = {int(truth["row"]): _texts(row) for row, truth in drawn}
        truths = {int(truth["row"]): _texts(truth) for _, truth in drawn}
        edge = int(said["settings"]["voxels"])
        settings = CropSettings((edge, edge, edge), float(said["settings"]["spacing_mm"]))
        return BegunCohort(int(said["crops"]), settings, index, truths)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputRejected(f"{folder.name!r} is a cohort that was begun and is damaged: draw it again") from exc


def planned(folder: Path) -> dict[str, int]:
    """How many crops each arm of a simulated cohort is meant to have; empty where the folder says nothing of it."""
    try:
        return {str(arm["name"]): sum(int(arm[k]) for k in _COUNTS) for arm in _said(folder)["settings"]["arms"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _said(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((folder / COHORT_FILE).read_text("utf-8"))
    return said


def _texts(row: Mapping[str, object]) -> dict[str, str]:
    return {str(key): str(value) for key, value in row.items()}
