"""A simulated cohort's crops on disk: drawn on all cores, taken up again where a run was ended.

The folder is what `wirbel.cohort.crops.read_crops` reads (`hu.npy`, `mask.npy`, `index.tsv`, `crops.json`) with
`marks.npy` (what was painted where), `truth.tsv` and `cohort.json` (settings and their fingerprint) beside it.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from wirbel.errors import DeliveryError, UsageError
from wirbel.phantom.cases import CaseCt, CaseSettings, crop_of, draw_patient, look_of
from wirbel.phantom.cohort.orders import PatientOrder, orders_of
from wirbel.phantom.cohort.rows import INDEX, TRUTH, index_row, truth_row
from wirbel.phantom.cohort.settings import CohortSettings, canonical, drawing_code, fingerprint
from wirbel.phantom.cohort.sites import SITES, phase_at, scanner_at
from wirbel.spine import Part

ARRAYS: dict[str, type[np.generic]] = {"hu.npy": np.int16, "mask.npy": np.uint8, "marks.npy": np.uint8}
PROGRESS, SETTINGS, DONE = "progress.jsonl", "cohort.json", "crops.json"
INDEX_FILE, TRUTH_FILE = "index.tsv", "truth.tsv"
NOTE = "simulated data of the wirbel phantom; research use only"


@dataclass(frozen=True, slots=True)
class Made:
    """What a run did: all crops of the cohort, and how many of its patients this run drew."""

    crops: int
    patients: int
    drawn_now: int
    settings_sha256: str


def cases_of(order: PatientOrder, settings: CohortSettings) -> Iterator[CaseCt]:
    """The crops of one patient, one for each vertebra of interest."""
    rng = np.random.default_rng(order.seed)
    site = SITES[order.site]
    patient = draw_patient(
        rng, order.causes, difficulty=settings.difficulty, severity=site.severity, age_shift=site.age_shift
    )
    scanner = scanner_at(rng, site)
    look = look_of(rng, patient, scanner, phase_at(rng, site))
    crop = CaseSettings(size_mm=settings.voxels * settings.spacing_mm, spacing_mm=settings.spacing_mm)
    for level in patient.index:
        yield crop_of(patient, level, look, scanner, order.seed, crop)


def make_crops(
    settings: CohortSettings,
    folder: Path,
    *,
    workers: int = 1,
    only: Sequence[str] = (),
    seen: Callable[[int, int], None] | None = None,
) -> Made:
    """Draw a cohort into a folder, or go on with one that was begun with the same settings and code.

    `only`: draw these arms alone for now. `seen(done, all)` is called after each patient. Raises `UsageError` where
    the folder holds something else.
    """
    orders = orders_of(settings)
    total = sum(len(o.causes) for o in orders)
    try:
        _open(settings, folder, total)
        done = _progress(folder)
        waiting = [o for o in orders if o.patient not in done and (not only or o.arm in only)]
        with (folder / PROGRESS).open("a", encoding="utf-8") as log:
            for n, (order, rows) in enumerate(_drawn(waiting, settings, folder, workers), start=1):
                done[order.patient] = rows
                log.write(json.dumps({"patient": order.patient, "rows": rows}) + "\n")
                log.flush()
                if seen is not None:
                    seen(n, len(waiting))
        if len(done) == len(orders):
            _finish(settings, folder, orders, done)
    except OSError as exc:
        raise DeliveryError(f"cannot write the cohort to {folder.name!r}: {exc.strerror or exc}") from exc
    return Made(total, len(orders), len(waiting), fingerprint(settings))


Rows = list[tuple[dict[str, str], dict[str, str]]]


def _drawn(
    orders: Sequence[PatientOrder], settings: CohortSettings, folder: Path, workers: int
) -> Iterator[tuple[PatientOrder, Rows]]:
    """Patients in the order in which they are finished."""
    if workers <= 1 or len(orders) <= 1:
        for order in orders:
            yield order, _draw_into(order, settings, folder)
        return
    with ProcessPoolExecutor(min(workers, len(orders)), mp_context=get_context("spawn")) as pool:
        # a few at a time: an interrupted run loses no more than these
        queue, running = iter(orders), {}
        for order in queue:
            running[pool.submit(_draw_into, order, settings, folder)] = order
            if len(running) < 3 * workers:
                continue
            finished = next(as_completed(running))
            yield running.pop(finished), finished.result()
        for finished in as_completed(list(running)):
            yield running[finished], finished.result()


def _draw_into(order: PatientOrder, settings: CohortSettings, folder: Path) -> Rows:
    """Draw one patient and put the crops where they belong in the arrays."""
    into = {name: np.load(folder / name, mmap_mode="r+") for name in ARRAYS}
    out: Rows = []
    for i, case in enumerate(cases_of(order, settings)):
        row = order.row + i
        own = case.labels.instances == case.instance
        other = ((case.labels.instances > 0) & ~own) | (case.labels.parts == Part.SACRUM)
        into["hu.npy"][row] = case.ct.hu
        into["mask.npy"][row] = own * np.uint8(1) + other * np.uint8(2)
        into["marks.npy"][row] = case.marks
        out.append((index_row(order, case, row), truth_row(order, case, row)))
    for array in into.values():
        array.flush()
    return out


def _open(settings: CohortSettings, folder: Path, total: int) -> None:
    """A new folder with empty arrays, or one begun with the same settings and code."""
    said = folder / SETTINGS
    if said.is_file():
        check_same(said, ("settings_sha256", "code_sha256"), settings)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder.name!r} is not empty and holds no simulated cohort: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    n = settings.voxels
    for name, kind in ARRAYS.items():
        open_memmap(folder / name, mode="w+", dtype=kind, shape=(total, n, n, n)).flush()
    plain = {
        "simulated": True,
        "note": NOTE,
        "settings_sha256": fingerprint(settings),
        "code_sha256": drawing_code(),
        "crops": total,
        **json.loads(canonical(settings)),
    }
    _write(said, json.dumps(plain, indent=1) + "\n")


def check_same(said: Path, keys: tuple[str, str], settings: CohortSettings) -> None:
    """Raise `UsageError` unless a cohort's own file names these settings and this drawing code."""
    try:
        plain = json.loads(said.read_text("utf-8"))
        hashes = plain[keys[0]], plain[keys[1]]
    except (ValueError, KeyError, TypeError) as exc:
        raise UsageError(f"{said.name} is damaged: name a new folder for the cohort") from exc
    if hashes != (fingerprint(settings), drawing_code()):
        what = "settings" if hashes[0] != fingerprint(settings) else "drawing code"
        raise UsageError(f"{said.parent.name!r} was begun with other {what}: name a new folder")


def _progress(folder: Path) -> dict[str, Rows]:
    """Patients that are done; a line that was cut short by the end of a run does not count."""
    path = folder / PROGRESS
    done: dict[str, Rows] = {}
    if not path.is_file():
        return done
    whole = [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
    for line in whole:
        plain = json.loads(line)
        done[plain["patient"]] = [(index, truth) for index, truth in plain["rows"]]
    _write(path, "".join(whole))
    return done


def _finish(
    settings: CohortSettings, folder: Path, orders: Sequence[PatientOrder], done: dict[str, Rows]
) -> None:
    """The tables, in the arrays' order, and last the file that says that the crops are whole."""
    rows = [row for order in orders for row in done[order.patient]]
    _table(folder / INDEX_FILE, INDEX, [index for index, _ in rows])
    _table(folder / TRUTH_FILE, TRUTH, [truth for _, truth in rows])
    n = settings.voxels
    plain = {
        "size": [n, n, n],
        "spacing_mm": settings.spacing_mm,
        "simulated": True,
        "note": NOTE,
        "settings_sha256": fingerprint(settings),
    }
    _write(folder / DONE, json.dumps(plain) + "\n")


def _table(path: Path, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
