"""Folders of crops as one: several hospitals' or several drawings', to be learnt from or judged together."""

import json
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import numpy as np

from wirbel.cohort.begun import COHORT_FILE
from wirbel.cohort.crops import (
    HU_FILE,
    INDEX_FILE,
    MARKS_FILE,
    MASK_FILE,
    SETTINGS_FILE,
    TRUTH_FILE,
    CropFolder,
)
from wirbel.cohort.growing import GrowingArrays
from wirbel.cohort.signs import COLUMNS as SIGN_COLUMNS
from wirbel.cohort.signs import SIGNS_FILE, lines_of
from wirbel.cohort.table import table_text
from wirbel.cohort.unfinished import arms_of, cohort_of, open_crops, rows_of, settings_of, truths_of
from wirbel.cohort.whole_files import told
from wirbel.errors import InputRejected, UsageError

#: Columns added to the index: which folder a crop is from, counted from 1, and its row there.
FROM_FOLDER, FROM_ROW = "from_folder", "from_row"
_DIGESTS = ("settings_sha256", "code_sha256")


@dataclass(frozen=True, slots=True)
class Joined:
    """What `write_joined` did: crops of each folder, `folder: arm` of those left out, being drawn yet, and what not
    all folders have, or not all the same, and which was therefore left out of all (`paint`, `truth`)."""

    crops: tuple[int, ...]
    waiting: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One of the folders: `rows` are those wanted of it, `names` what its patients are called in the new one."""

    folder: Path
    crops: CropFolder
    rows: tuple[int, ...]
    said: dict[str, Any]
    names: dict[str, str]

    @property
    def simulated(self) -> bool:
        return bool(self.said.get("simulated", False))

    def array(self, name: str) -> np.ndarray:
        """One of the folder's arrays, memory-mapped; `InputRejected` where it does not fit the others."""
        try:
            array: np.ndarray = np.load(self.folder / name, mmap_mode="r")
        except (OSError, ValueError) as exc:
            raise InputRejected(f"{self.folder.name!r}: {name} cannot be read: make the crops again") from exc
        if array.shape != self.crops.hu.shape:
            raise InputRejected(f"{self.folder.name!r}: {name} does not fit the other arrays: make the crops again")
        return array


def write_joined(
    folders: Sequence[Path], out: Path, *, arms: Sequence[str] = (), apart: bool = False
) -> Joined:
    """Write the crops of some folders, one after the other, into a new one, whole or not at all.

    Voxels are copied; nothing is measured again. Paint and truth of drawings are kept where all folders have them,
    signs (`signs.tsv`) where a crop has them. `arms`: these alone, of each folder those that it has; else all, and
    of a cohort that is being drawn those that are whole. `apart`: patients of different folders are different
    people: those of the second are called `2-NAME`, of the third `3-NAME` (or by the next number that is free);
    otherwise a patient who is in two folders ends it.

    Raises `UsageError` for a folder without any of the arms or with one that is not whole, crops of other sizes,
    drawings beside patients, and where `out` is there; `InputRejected` for what is no folder of crops, and for
    patients in two folders.
    """
    if out.exists():
        raise UsageError(f"{out.name!r} is there already: name a new folder for the crops")
    parts: list[_Part] = []
    for folder in folders:
        taken = {name for part in parts for name in part.names.values()} if apart else set()
        parts.append(_part(folder, arms, taken))
    there = {arm for part in parts for arm in arms_of(part.folder, part.crops)}
    if unknown := sorted(set(arms) - there):
        raise UsageError(f"no folder has an arm {unknown[0]!r}; there are {', '.join(sorted(there))}")
    _must_fit(parts)
    with told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(prefix=".wirbel-partial-", dir=out.parent))
        try:
            left_out = _fill(work, parts)
            work.chmod(0o755)
            work.rename(out)
        finally:
            rmtree(work, ignore_errors=True)
    waiting = [
        f"{part.folder.name}: {arm}"
        for part in parts
        for arm, whole in arms_of(part.folder, part.crops).items()
        if not whole and not arms
    ]
    return Joined(tuple(len(part.rows) for part in parts), tuple(waiting), left_out)


def _part(folder: Path, arms: Sequence[str], taken: Set[str]) -> _Part:
    """A folder; its patients get a number before their names where others are `taken`."""
    crops = open_crops(folder)
    there = arms_of(folder, crops)
    mine = [arm for arm in arms if arm in there]
    if arms and not mine:
        raise UsageError(f"{folder.name!r} has none of these arms; it has {', '.join(sorted(there))}")
    rows = rows_of(folder, crops, mine)
    if "patient" not in crops.rows[rows[0]]:
        raise InputRejected(f"{folder.name!r}: {INDEX_FILE} has no column 'patient': make the crops again")
    patients = {crops.rows[row]["patient"] for row in rows}
    free = (f"{k}-" for k in count(2) if not any(name.startswith(f"{k}-") for name in taken))
    before = next(free) if taken else ""
    return _Part(folder, crops, tuple(rows), settings_of(folder, crops), {p: f"{before}{p}" for p in patients})


def _must_fit(parts: Sequence[_Part]) -> None:
    first = parts[0]
    home: dict[str, str] = {}
    for part in parts:
        if part.crops.settings != first.crops.settings:
            both = (first.crops.settings, part.crops.settings)
            was, now = (f"{s.size} voxels of {s.spacing_mm:g} mm" for s in both)
            raise UsageError(
                f"{first.folder.name!r} has crops of {was}, {part.folder.name!r} of {now}: make them alike"
            )
        if (part.crops.hu.dtype, part.crops.mask.dtype) != (first.crops.hu.dtype, first.crops.mask.dtype):
            raise InputRejected(f"{part.folder.name!r} stores other kinds of numbers than {first.folder.name!r}")
        if part.simulated != first.simulated:
            raise UsageError(
                f"of {first.folder.name!r} and {part.folder.name!r} one is drawn and one is of patients: no figure "
                "could say which it is of; train on one and go on with the other (wirbel train fracture --from)"
            )
        twice = sorted(set(part.names.values()) & set(home))
        if twice:
            raise InputRejected(
                f"{len(twice)} patients are in {home[twice[0]]!r} and in {part.folder.name!r} under the same name: "
                "leave them out of one, or say --apart if they are different people"
            )
        home |= dict.fromkeys(part.names.values(), part.folder.name)


def _fill(work: Path, parts: Sequence[_Part]) -> tuple[str, ...]:
    """Write everything but the name; what was left out, because not all have it."""
    kept = [HU_FILE, MASK_FILE]
    painted = [(part.folder / MARKS_FILE).is_file() for part in parts]
    if all(painted):
        kept.append(MARKS_FILE)
    with GrowingArrays(work, {name: parts[0].array(name) for name in kept}, 0) as growing:
        for part in parts:
            arrays = {name: part.array(name) for name in kept}
            for row in part.rows:
                growing.add({name: array[row] for name, array in arrays.items()})
    _write_index(work, parts)
    has_truth = _write_truth(work, parts)
    _write_signs(work, parts)
    (work / SETTINGS_FILE).write_text(json.dumps(_said(parts)) + "\n", encoding="utf-8")
    if drawn_by := [cohort_of(part.folder) for part in parts if part.simulated]:
        plain = drawn_by[0] | {key: _all_of(drawn_by, key) for key in _DIGESTS}
        (work / COHORT_FILE).write_text(json.dumps(plain) + "\n", encoding="utf-8")
    lost = {"paint": any(painted) and not all(painted), "truth": has_truth is False}
    return tuple(name for name, is_lost in lost.items() if is_lost)


def _each(parts: Sequence[_Part]) -> Iterator[tuple[int, _Part, int]]:
    """Every crop: the number of its folder, the folder, its row there."""
    for number, part in enumerate(parts, start=1):
        for row in part.rows:
            yield number, part, row


def _write_index(work: Path, parts: Sequence[_Part]) -> None:
    every = dict.fromkeys(name for part in parts for name in part.crops.rows[part.rows[0]])
    columns = [name for name in every if name not in (FROM_FOLDER, FROM_ROW)]
    lines = []
    for number, part, row in _each(parts):
        cells = part.crops.rows[row]
        cells = cells | {"patient": part.names[cells["patient"]]}
        lines.append((*(cells.get(name) or "" for name in columns), str(number), str(row)))
    text = table_text((*columns, FROM_FOLDER, FROM_ROW), lines)
    (work / INDEX_FILE).write_text(text, encoding="utf-8")


def _write_truth(work: Path, parts: Sequence[_Part]) -> bool | None:
    """What was painted, where every folder tells the same of its crops; None where none tells anything."""
    truths = [truths_of(part.folder, len(part.crops.rows)) for part in parts]
    columns = {tuple(truth[row]) for part, truth in zip(parts, truths, strict=True) if truth for row in part.rows}
    if len(columns) != 1 or not all(truths):
        return False if any(truths) else None
    lines = []
    for k, (number, part, row) in enumerate(_each(parts)):
        cells = truths[number - 1][row] | {"row": str(k)}
        if "patient" in cells:
            cells["patient"] = part.names[cells["patient"]]
        lines.append(tuple(cells.values()))
    (work / TRUTH_FILE).write_text(table_text(columns.pop(), lines), encoding="utf-8")
    return True


def _write_signs(work: Path, parts: Sequence[_Part]) -> None:
    """Signs that were measured; `wirbel cohort signs` measures the rest."""
    tables = [lines_of(part.folder / SIGNS_FILE) for part in parts]
    lines = [
        (str(k), *tables[number - 1][row][1:])
        for k, (number, _, row) in enumerate(_each(parts))
        if row in tables[number - 1]
    ]
    if lines:
        (work / SIGNS_FILE).write_text(table_text(SIGN_COLUMNS, lines), encoding="utf-8")


def _said(parts: Sequence[_Part]) -> dict[str, Any]:
    first = parts[0].said
    plain = {key: first[key] for key in ("size", "spacing_mm", "simulated", "note") if key in first}
    return plain | {
        key: _all_of([part.said for part in parts], key)
        for key in ("settings_sha256", "outlined_by")
        if any(key in part.said for part in parts)
    }


def _all_of(plain: Sequence[dict[str, Any]], key: str) -> str:
    """What the folders say under a key: one word where they agree, else all of them."""
    return ", ".join(dict.fromkeys(str(each.get(key, "not told")) for each in plain))
