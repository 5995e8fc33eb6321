"""A folder of crops outlined anew by the spine's networks: what a classifier meets in the main job.

Drawn crops, and those cut by masks made by hand, have better outlines than `wirbel analyze` has. The new folder is
as the old one, but that the vertebra's mask is the networks', and image, masks and paint are moved by whole voxels
so that the body found lies in the middle, as the main job cuts. Neighbours stay as they were, because the crop cuts
them and networks need to see a vertebra whole; what the networks give to a neighbour of the old outline becomes a
neighbour's. A vertebra that is not found is left out, and told.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer, UInt8

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
from wirbel.cohort.table import table_text
from wirbel.cohort.unfinished import arms_of, cohort_of, open_crops, rows_of, settings_of, truths_of
from wirbel.cohort.whole_files import told, write_whole
from wirbel.errors import InputRejected, UsageError
from wirbel.etiology.network_input import OTHERS, OUTSIDE, VERTEBRA
from wirbel.network.bundle import SHIPPED, load_bundle
from wirbel.network.crop_outline import CropOutliner, OutlinedCrop, load_crop_outliner
from wirbel.volume.resample import OUTSIDE_HU

NOTES_FILE = "outlined.jsonl"
#: Columns added to the index: the crop's row in the old folder, and how the two outlines overlap (Dice).
FROM_ROW, OVERLAP = "from_row", "overlap"
#: Columns that would say something of the folder before.
_OF_BEFORE = (FROM_ROW, OVERLAP, "from_folder")


@dataclass(frozen=True, slots=True)
class Reoutlined:
    """What `write_outlined` did: crops in the folder, how many now, `row: patient vertebra` of those not found."""

    crops: int
    new: int
    not_found: tuple[str, ...]
    overlap: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Note:
    """A crop that was looked at; `off` None: not found."""

    row: int
    off: tuple[int, int, int] | None
    overlap: float

    @property
    def line(self) -> str:
        """As it is kept."""
        return json.dumps({"row": self.row, "off": self.off, "overlap": round(self.overlap, 4)}) + "\n"


def write_outlined(
    folder: Path,
    out: Path,
    *,
    arms: Sequence[str] = (),
    workers: int = 1,
    outline: CropOutliner | None = None,
    seen: Callable[[int, int], None] | None = None,
) -> Reoutlined:
    """Outline the crops (of these arms; default all) and store them; a stopped run goes on where it was.

    `outline`: by default the networks that ship, one thread in each of `workers` processes. The folder is one of
    crops when all are done. Raises `InputRejected` for what is no folder of crops of 1 mm, `UsageError` for an arm
    that is none, and where `out` holds something else.
    """
    crops = open_crops(folder)
    if crops.settings.spacing_mm != 1.0:
        raise InputRejected(f"{folder.name!r}: voxels of {crops.settings.spacing_mm:g} mm; the networks need 1 mm")
    waiting = [arm for arm, whole in arms_of(folder, crops).items() if not whole]
    if waiting and not arms:
        raise UsageError(f"{folder.name!r} is still being drawn ({', '.join(waiting)}): name arms that are whole")
    wanted = rows_of(folder, crops, arms)
    with told(out):
        out.mkdir(parents=True, exist_ok=True)
        if (out / SETTINGS_FILE).exists():
            raise UsageError(f"{out.name!r} holds crops already: name a new folder")
        notes = _begun(out, _of(crops, wanted, outline))
        rest = [row for row in wanted if row not in notes]
        found = sum(note.off is not None for note in notes.values())
        arrays = {HU_FILE: crops.hu, MASK_FILE: crops.mask}
        if (folder / MARKS_FILE).is_file():
            arrays[MARKS_FILE] = np.load(folder / MARKS_FILE, mmap_mode="r")
        with GrowingArrays(out, arrays, found) as growing, (out / NOTES_FILE).open("a", encoding="utf-8") as file:
            for k, (row, made) in enumerate(_each(folder, crops, rest, workers, outline), start=1):
                notes[row] = note = _noted(row, np.array(crops.mask[row]), made)
                if made is not None:
                    mask = merged(np.array(crops.mask[row]), made)
                    growing.add({n: _moved(np.array(a[row]), n, mask, made.off) for n, a in arrays.items()})
                file.write(note.line)
                file.flush()
                if seen is not None:
                    seen(k, len(rest))
        _finish(folder, out, crops, [notes[row] for row in notes])
    missing = [f"{n.row}: {_name(crops, n.row)}" for n in notes.values() if n.off is None]
    shares = tuple(n.overlap for n in notes.values() if n.off is not None)
    return Reoutlined(len(shares), len(rest), tuple(missing), shares)


def merged(mask: UInt8[np.ndarray, "z y x"], made: OutlinedCrop) -> UInt8[np.ndarray, "z y x"]:
    """Bits of the new outline: own by the networks, neighbours as they were and what is now given to them."""
    own = made.own
    was_own, was_other = (mask & VERTEBRA) > 0, (mask & OTHERS) > 0
    other = (was_other | (made.others & was_own)) & ~own
    return (own * VERTEBRA + other * OTHERS + (mask & OUTSIDE)).astype(np.uint8)


def moved(
    image: Integer[np.ndarray, "z y x"], by: Integer[np.ndarray, "3"], fill: int
) -> Integer[np.ndarray, "z y x"]:
    """The image with what lies `by` voxels off the middle moved to the middle."""
    out = np.full_like(image, fill)
    ends = [(int(b), int(n)) for b, n in zip(by, image.shape, strict=True)]
    source = tuple(slice(max(0, b), n + min(0, b)) for b, n in ends)
    out[tuple(slice(max(0, -b), n - max(0, b)) for b, n in ends)] = image[source]
    return out


def _noted(row: int, mask: UInt8[np.ndarray, "z y x"], made: OutlinedCrop | None) -> _Note:
    if made is None:
        return _Note(row, None, 0.0)
    was, now = (mask & VERTEBRA) > 0, made.own
    shared = 2 * np.count_nonzero(was & now) / (np.count_nonzero(was) + np.count_nonzero(now))
    z, y, x = (int(v) for v in made.off)
    return _Note(row, (z, y, x), float(shared))


def _moved(array: np.ndarray, name: str, bits: np.ndarray, by: np.ndarray) -> np.ndarray:
    if name == HU_FILE:
        return moved(array, by, int(OUTSIDE_HU))
    return moved(bits, by, OUTSIDE) if name == MASK_FILE else moved(array, by, 0)


def _name(crops: CropFolder, row: int) -> str:
    return f"{crops.rows[row].get('patient', '')} {crops.rows[row].get('vertebra', '')}"


def _of(crops: CropFolder, wanted: Sequence[int], outline: CropOutliner | None) -> str:
    """What a run is a run of."""
    digest = hashlib.sha256()
    for row in wanted:
        digest.update((json.dumps([row, crops.rows[row]], sort_keys=True) + "\n").encode())
    if outline is None:
        digest.update(load_bundle(SHIPPED / "spine").sha256.encode())
    return digest.hexdigest()


def _begun(out: Path, of: str) -> dict[int, _Note]:
    """What an earlier run did, by row; a line half written is none."""
    path = out / NOTES_FILE
    if not path.is_file():
        if any(out.iterdir()):
            raise UsageError(f"{out.name!r} is not empty: name a new folder")
        write_whole(path, json.dumps({"of": of}) + "\n")
        return {}
    text = path.read_text("utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    try:
        plain: list[dict[str, Any]] = [json.loads(line) for line in lines]
        if plain[0]["of"] != of:
            raise UsageError(f"{out.name!r} was begun with other crops, arms or networks: name a new folder")
        done = [_Note(int(p["row"]), _triple(p["off"]), float(p["overlap"])) for p in plain[1:]]
    except (ValueError, KeyError, IndexError, TypeError) as exc:
        raise InputRejected(f"{out.name!r} is damaged: delete it and begin again") from exc
    write_whole(path, "".join(line + "\n" for line in lines))
    return {note.row: note for note in done}


def _triple(plain: list[int] | None) -> tuple[int, int, int] | None:
    return None if plain is None else (int(plain[0]), int(plain[1]), int(plain[2]))


def _each(
    folder: Path, crops: CropFolder, rows: Sequence[int], workers: int, outline: CropOutliner | None
) -> Iterator[tuple[int, OutlinedCrop | None]]:
    if outline is not None or workers <= 1:
        each = outline or _networks()
        for row in rows:
            yield row, each(np.array(crops.hu[row]))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from zip(rows, pool.map(_one, [folder] * len(rows), rows, chunksize=4), strict=True)


@cache
def _networks() -> CropOutliner:
    return load_crop_outliner(threads=1)


def _one(folder: Path, row: int) -> OutlinedCrop | None:
    return _networks()(np.array(np.load(folder / HU_FILE, mmap_mode="r")[row]))


def _finish(folder: Path, out: Path, crops: CropFolder, notes: Sequence[_Note]) -> None:
    """Index and truth of what was found; the settings last, because they make it a folder of crops."""
    found = [note for note in notes if note.off is not None]
    if not found:
        raise InputRejected(f"in none of {len(notes)} crops a vertebra was found near its middle")
    columns = [name for name in crops.rows[found[0].row] if name not in _OF_BEFORE]
    rows = [
        (*(crops.rows[n.row].get(name) or "" for name in columns), str(n.row), f"{n.overlap:.3f}") for n in found
    ]
    write_whole(out / INDEX_FILE, table_text((*columns, FROM_ROW, OVERLAP), rows))
    if truth := truths_of(folder, len(crops.rows)):
        lines = [truth[note.row] | {"row": str(k)} for k, note in enumerate(found)]
        write_whole(out / TRUTH_FILE, table_text(tuple(lines[0]), [tuple(line.values()) for line in lines]))
    if drawn_by := cohort_of(folder):
        write_whole(out / COHORT_FILE, json.dumps(drawn_by) + "\n")
    bundle = load_bundle(SHIPPED / "spine")
    now = {"outlined_by": f"{bundle.name} {bundle.version}", "not_found": len(notes) - len(found)}
    write_whole(out / SETTINGS_FILE, json.dumps(settings_of(folder, crops) | now) + "\n")
