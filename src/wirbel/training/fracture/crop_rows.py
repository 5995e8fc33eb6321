"""The crops of a cohort as rows with random access, also while a simulated cohort is still being drawn."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wirbel.cohort.begun import COHORT_FILE, is_begun, planned, read_begun
from wirbel.cohort.crops import HU_FILE, INDEX_FILE, MARKS_FILE, MASK_FILE, SETTINGS_FILE, read_crops
from wirbel.cohort.labelled import Diagnosis
from wirbel.cohort.unfinished import truths_of
from wirbel.errors import InputRejected, UsageError

#: Arms without which a simulated cohort cannot be learnt from.
TRAINING_ARMS = ("train", "train_sound")


@dataclass(frozen=True, slots=True)
class CropRow:
    """One crop: its place in the arrays, whose it is, its class, what it is for.

    `arm` is the split where the cohort has no arms. `truth` holds what was painted, by name; else it is empty.
    """

    row: int
    patient: str
    vertebra: str
    diagnosis: Diagnosis
    split: str
    fold: int | None
    arm: str
    truth: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CropData:
    """A crop folder: memory-mapped arrays and the rows that are there.

    `marks` says what was painted where (drawings only). `unfinished` names arms that are still being drawn: `rows`
    has what is there of them. `made_by` holds the digests of the drawings' settings and code.
    """

    hu: np.ndarray
    mask: np.ndarray
    marks: np.ndarray | None
    rows: tuple[CropRow, ...]
    simulated: bool
    made_by: tuple[tuple[str, str], ...]
    unfinished: tuple[str, ...]

    @property
    def training(self) -> tuple[CropRow, ...]:
        """The rows to train on."""
        return tuple(r for r in self.rows if r.split == "train")

    def arm(self, name: str) -> tuple[CropRow, ...]:
        """The rows of one arm."""
        return tuple(r for r in self.rows if r.arm == name)

    @property
    def other_arms(self) -> tuple[str, ...]:
        """Arms that are not trained on, in the order of their rows."""
        return tuple(dict.fromkeys(r.arm for r in self.rows if r.split != "train"))


def open_crops(folder: Path) -> CropData:
    """A finished folder of crops, or a simulated one that is being drawn.

    Raises `InputRejected` for what is no such folder, a class that the table does not know, a patient in two splits
    and a vertebra named twice.
    """
    if (folder / SETTINGS_FILE).is_file():
        crops = read_crops(folder)
        told = json.loads((folder / SETTINGS_FILE).read_text("utf-8"))
        truth = truths_of(folder, len(crops.rows))
        plain = [(i, row, truth[i] if truth else {}) for i, row in enumerate(crops.rows)]
        hu, mask = crops.hu, crops.mask
        unfinished: tuple[str, ...] = ()
        simulated = bool(told.get("simulated", False))
    elif is_begun(folder):
        hu, mask, plain, unfinished = _being_drawn(folder)
        simulated = True
    else:
        raise InputRejected(f"{folder.name!r} holds no crops: make them with wirbel cohort crops")
    rows = tuple(_row(i, index, truth) for i, index, truth in sorted(plain, key=lambda p: p[0]))
    _must_fit(rows)
    marks_file = folder / MARKS_FILE
    marks = np.load(marks_file, mmap_mode="r") if marks_file.is_file() else None
    return CropData(hu, mask, marks, rows, simulated, _made_by(folder), unfinished)


def must_be_sound(data: CropData, rows: Sequence[CropRow]) -> None:
    """Raise `InputRejected` for the first crop with values that are no numbers, or with nothing in its mask."""
    floats = data.hu.dtype.kind == "f"
    for r in rows:
        if floats and not np.isfinite(data.hu[r.row]).all():
            raise InputRejected(
                f"crop {r.row} ({r.patient} {r.vertebra}) holds values that are no numbers (NaN or infinite): make "
                "the crops again",
                code="NOT_A_NUMBER",
            )
        if not (data.mask[r.row] & 1).any():
            raise InputRejected(
                f"crop {r.row} ({r.patient} {r.vertebra}) has no mask of its vertebra: segment it and make the "
                "crops again",
                code="NOT_IN_MASK",
            )


def data_digest(data: CropData, rows: Sequence[CropRow]) -> str:
    """SHA-256 over rows and voxels that are trained on."""
    digest = hashlib.sha256()
    for r in rows:
        told = (r.row, r.patient, r.vertebra, r.diagnosis.value, r.fold)
        digest.update((";".join(map(str, told)) + "\n").encode())
        digest.update(np.ascontiguousarray(data.hu[r.row]).tobytes())
        digest.update(np.ascontiguousarray(data.mask[r.row]).tobytes())
    return digest.hexdigest()


_Plain = list[tuple[int, dict[str, str], dict[str, str]]]


def _being_drawn(folder: Path) -> tuple[np.ndarray, np.ndarray, _Plain, tuple[str, ...]]:
    """The rows that are there, and which arms lack some; a line that is being written does not count."""
    begun, wanted = read_begun(folder), planned(folder)
    try:
        hu, mask = (np.load(folder / name, mmap_mode="r") for name in (HU_FILE, MASK_FILE))
    except (OSError, ValueError) as exc:
        raise InputRejected(f"{folder.name!r} holds a damaged cohort ({type(exc).__name__}): draw it anew") from exc
    have = Counter(index["arm"] for index in begun.index.values())
    unfinished = tuple(name for name, n in wanted.items() if have[name] < n)
    if not set(wanted) - set(unfinished):
        raise UsageError(f"{folder.name!r} is still being drawn and no arm is complete: wait for the first")
    return hu, mask, [(row, index, begun.truth[row]) for row, index in begun.index.items()], unfinished


def _row(row: int, index: dict[str, str], truth: dict[str, str]) -> CropRow:
    try:
        diagnosis = Diagnosis(index["class"])
    except ValueError:
        raise InputRejected(
            f"{INDEX_FILE}, crop {row}: class {index['class']!r} is none of {', '.join(d.value for d in Diagnosis)}"
        ) from None
    except KeyError:
        raise InputRejected(f"{INDEX_FILE} has no column 'class': make the crops again") from None
    split = index.get("split") or "train"
    fold = int(index["fold"]) if index.get("fold") else None
    return CropRow(
        row, index["patient"], index["vertebra"], diagnosis, split, fold, index.get("arm") or split,
        tuple(truth.items()),
    )  # fmt: skip


def _must_fit(rows: Sequence[CropRow]) -> None:
    split: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for r in rows:
        if split.setdefault(r.patient, r.split) != r.split:
            raise InputRejected(
                f"patient {r.patient!r} stands in two splits ({split[r.patient]} and {r.split}): a patient "
                "belongs to one"
            )
        if (r.patient, r.vertebra) in seen:
            raise InputRejected(f"{r.patient!r} has two crops of {r.vertebra}: keep one a vertebra")
        seen.add((r.patient, r.vertebra))


def _made_by(folder: Path) -> tuple[tuple[str, str], ...]:
    path = folder / COHORT_FILE
    if not path.is_file():
        return ()
    told = json.loads(path.read_text("utf-8"))
    return tuple((k, str(told.get(k, ""))) for k in ("settings_sha256", "code_sha256"))
