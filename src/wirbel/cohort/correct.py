"""A reader corrects a cohort: masks out, corrected masks in, all names of a CT moved; nothing falls apart."""

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np

from wirbel.cohort.centroids import write_centroids
from wirbel.cohort.check import Cohort
from wirbel.cohort.images import BESIDES, centroids_of, read_ct, read_labels, stored_grid
from wirbel.cohort.layout import CENTROIDS, MASK, PREDICTIONS, SubjectImage
from wirbel.cohort.nifti_files import write_mask
from wirbel.cohort.one_import import QUALITY, RELATIVE_MASK, boxes_of
from wirbel.cohort.predictions import FilePredictions, Prediction, predictions_text, read_predictions
from wirbel.cohort.table import CohortTable, table_text, with_cells
from wirbel.cohort.whole_files import PARTIAL, replace_together, told
from wirbel.errors import InputRejected, UsageError
from wirbel.ingest import read_named_masks
from wirbel.spine import Level, evidence_from_masks, name_levels
from wirbel.spine.column_model import levels_of_column
from wirbel.spine.settings import SpineSettings
from wirbel.spine.shift import NamedVertebra
from wirbel.volume import LabelMap, freeze


@dataclass(frozen=True, slots=True)
class Correction:
    """What was changed: files by name, rows by line, and what a reader should know."""

    stem: str
    files: tuple[str, ...]
    lines: tuple[int, ...]
    notes: tuple[str, ...] = ()


def image_named(cohort: Cohort, name: str) -> SubjectImage:
    """The CT that a patient's or an image's name means; `UsageError` where none or several fit."""
    wanted = name.removeprefix("sub-")
    fitting = [i for i in cohort.images if wanted in (i.patient, i.stem.removeprefix("sub-"))]
    if len(fitting) != 1:
        several = ", ".join(i.stem for i in fitting)
        raise UsageError(
            f"{name!r} has {len(fitting)} CTs ({several}): name one of them" if fitting else
            f"no CT is called {name!r}: write a patient as sub-X, or the file's name up to _ct"
        )  # fmt: skip
    return fitting[0]


def export_masks(image: SubjectImage, out: Path) -> tuple[Path, ...]:
    """CT, mask and a label file for ITK-SNAP in a folder, to be corrected there; never overwrites."""
    mask = image.mask or relative_mask(image)
    if mask is None:
        raise InputRejected(f"{image.stem}: no mask to export", code="NO_MASK")
    if image.is_dicom:
        raise UsageError(f"{image.stem} is a DICOM folder: open it beside the mask in your viewer")
    places = {image.image: out / image.image.name, mask: out / mask.name}
    there = [place.name for place in places.values() if place.exists()]
    if there:
        raise UsageError(f"{', '.join(there)} is in {out.name!r} already: choose another folder, or remove it")
    with told(out):
        out.mkdir(parents=True, exist_ok=True)
        for path, place in places.items():
            shutil.copyfile(path, place)
        (out / "labels_itksnap.txt").write_text(_snap_labels(), encoding="utf-8")
    return (*places.values(), out / "labels_itksnap.txt")


def take_mask(cohort: Cohort, image: SubjectImage, corrected: Path) -> Correction:
    """Put a corrected mask into the cohort, with new centroids and boxes.

    Refused: another grid than the CT's, foreign numbers, an empty mask, names that contradict their order. Rows
    that name a vertebra that is gone are told, not changed.
    """
    ct = read_ct(image)
    told_as = SubjectImage(image.patient, corrected.name, image.image, corrected, None)
    labels = read_labels(told_as, ct.grid)
    spine = name_levels(evidence_from_masks(labels, numbering="verse", ct_grid=ct.grid), SpineSettings())
    if any(v.level is None for v in spine.vertebrae):
        why = ", ".join(spine.numbering.anchors) or "names are missing"
        raise InputRejected(f"{corrected.name}: {why}: correct the mask's numbers", code="NAMES")
    centres = {v.level: v.centre_lps_mm for v in spine.vertebrae if v.level is not None}
    present = set(np.unique(labels.labels).tolist())
    rows = _rows_of(cohort, image)
    gone = [line for line, level in rows.items() if int(level) not in present]
    notes = tuple(f"{cohort.table.name}, line {line}: {rows[line].name} is not in the new mask" for line in gone)
    changed = _Changed(labels, centres, {v.name: int(v.level) for v in spine.vertebrae if v.level is not None})
    files = _replace(cohort, image, changed, None, "corrected by a reader")
    return Correction(image.stem, files, (), notes)


def shift_levels(cohort: Cohort, image: SubjectImage, by: int) -> Correction:
    """Move every name of a CT `by` levels down (1: L1 becomes L2): mask, centroids, predictions, records, table.

    Names move along the column's own order (T13 stays a station where there is one); the sacrum stays. Raises
    `UsageError` where a name would leave C1 to L6.
    """
    ct = read_ct(image)
    labels = read_labels(image, ct.grid)
    present = [Level(n) for n in np.unique(labels.labels).tolist() if n not in BESIDES and n != Level.S1]
    moves = moved(sorted(present, key=lambda level: level.rank), by)
    numbers = np.arange(256, dtype=np.uint8)
    for old, new in moves.items():
        numbers[int(old)] = int(new)
    centres = {
        moves.get(level, level): centre
        for level, centre in centroids_of(image, labels).items()
        if level in moves or level is Level.S1
    }
    names = {new.name: int(new) for new in moves.values()}
    new_names = {old.name: new.name for old, new in moves.items()}
    changed = _Changed(LabelMap(labels.grid, freeze(numbers[labels.labels])), centres, names, new_names)
    rows = {line: level for line, level in _rows_of(cohort, image).items() if level is not Level.S1}
    order = _order(list(moves), by)
    cells = {line: _moved_one(level, by, order).name for line, level in rows.items()}
    table = with_cells(cohort.table, "vertebra", cells)
    told_as = f"names shifted by {by:+d} by a reader"
    files = _replace(cohort, image, changed, table, told_as, moves)
    return Correction(image.stem, files, tuple(sorted(cells)))


def name_column(cohort: Cohort, image: SubjectImage, named: NamedVertebra) -> Correction:
    """Names for a CT whose column was left unnamed, counted from one vertebra that a reader named (`V3=T12`)."""
    path = relative_mask(image)
    if path is None:
        raise UsageError(f"{image.stem} has names already: move them with --by")
    ct = read_ct(image)
    labels = read_named_masks(path).labels
    if not labels.grid.same_as(ct.grid, tolerance_mm=0.1 * min(ct.grid.spacing_mm)):
        raise InputRejected(f"{path.name}: lies on another grid than its CT: import it again", code="GRID_DIFFERS")
    found = [n for n in np.unique(labels.labels).tolist() if n > 0]
    order = levels_of_column(13 if named.level is Level.T13 else 12, 6)
    first = order.index(named.level) - (named.label - 1)
    if named.label not in found or first < 0 or first + max(found) > len(order):
        raise UsageError(f"V{named.label}={named.level.name} does not fit {len(found)} vertebrae: check the name")
    numbers = np.zeros(256, dtype=np.uint8)
    for n in found:
        numbers[n] = int(order[first + n - 1])
    whole = LabelMap(ct.grid, freeze(numbers[labels.labels]))
    spine = name_levels(evidence_from_masks(whole, numbering="verse", ct_grid=ct.grid), SpineSettings())
    centres = {v.level: v.centre_lps_mm for v in spine.vertebrae if v.level is not None}
    new_names = {f"V{n}": order[first + n - 1].name for n in found}
    names = {name: int(Level[name]) for name in new_names.values()}
    told_as = f"counted from V{named.label}={named.level.name}, named by a reader"
    files = _replace(cohort, image, _Changed(whole, centres, names, new_names), None, told_as)
    path.unlink()
    return Correction(image.stem, files, ())


def moved(levels: Sequence[Level], by: int) -> dict[Level, Level]:
    """The new name of each level of a column, from above."""
    order = _order(levels, by)
    return {level: _moved_one(level, by, order) for level in levels}


def relative_mask(image: SubjectImage) -> Path | None:
    """The mask of a column without names."""
    path = image.derived / f"{image.stem}{RELATIVE_MASK}"
    return path if path.is_file() else None


@dataclass(frozen=True, slots=True, eq=False)
class _Changed:
    """Masks, centroids and the names of the mask's numbers as they will be; `new_names` of old ones that moved."""

    labels: LabelMap
    centroids: Mapping[Level, np.ndarray]
    numbers: dict[str, int]
    new_names: Mapping[str, str] = field(default_factory=dict)


def _order(levels: Sequence[Level], by: int) -> tuple[Level, ...]:
    if not levels:
        raise UsageError(f"--by {by:+d}: no vertebra is named, so there is nothing to move")
    if Level.T13 in levels:
        return levels_of_column(13, 6)
    eleven = Level.T11 in levels and Level.L1 in levels and Level.T12 not in levels
    return levels_of_column(11 if eleven else 12, 6)


def _moved_one(level: Level, by: int, order: Sequence[Level]) -> Level:
    place = order.index(level) + by if level in order else -1
    if not 0 <= place < len(order):
        raise UsageError(f"--by {by:+d} would move {level.name} beyond {order[0].name}-{order[-1].name}")
    return order[place]


def _rows_of(cohort: Cohort, image: SubjectImage) -> dict[int, Level]:
    """The table's lines about a CT, and their levels."""
    lines = {line for line, matched in cohort.match.images.items() if matched == image}
    return {v.line: v.level for v in cohort.table.vertebrae if v.line in lines}


def _replace(
    cohort: Cohort,
    image: SubjectImage,
    changed: _Changed,
    table: CohortTable | None,
    why: str,
    moves: Mapping[Level, Level] | None = None,
) -> tuple[str, ...]:
    """Write everything new beside the old, then exchange all of it together."""
    work = cohort.folder / f"{PARTIAL}{secrets.token_hex(4)}"
    stored, derived = stored_grid(image, changed.labels.grid), image.derived
    ready: dict[Path, Path] = {}

    def new(place: Path) -> Path:
        path = work / f"{len(ready)}-{place.name}"
        ready[path] = place
        return path

    with told(derived):
        work.mkdir()
        try:
            mask = image.mask or derived / f"{image.stem}{MASK}.nii.gz"
            if not mask.name.endswith((".nii", ".nii.gz")):
                raise UsageError(f"{mask.name} is a DICOM SEG: convert the mask to NIfTI first")
            write_mask(new(mask), changed.labels, stored)
            write_centroids(new(image.centroids or derived / f"{image.stem}{CENTROIDS}"), changed.centroids, stored)
            record = derived / f"{image.stem}{QUALITY}"
            if record.is_file():
                new(record).write_text(_record_text(record, changed, why), encoding="utf-8")
            answers = derived / f"{image.stem}{PREDICTIONS}"
            if moves is not None and answers.is_file():
                new(answers).write_text(predictions_text(_moved_answers(answers, moves)), encoding="utf-8")
            if table is not None:
                text = table_text(table.columns, table.rows, table.delimiter)
                new(cohort.table_path).write_text(text, encoding="utf-8")
        except BaseException:
            rmtree(work, ignore_errors=True)
            raise
        replace_together(cohort.folder, ready)
        rmtree(work, ignore_errors=True)
    return tuple(place.name for place in ready.values())


def _record_text(path: Path, changed: _Changed, why: str) -> str:
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    record["vertebrae"] = boxes_of(changed.labels, changed.numbers)
    cut = [changed.new_names.get(name, name) for name in record["cut"]]
    record["cut"] = [name for name in cut if name in changed.numbers]
    record |= {"numbering": "shifted", "numbering_probability": None, "numbering_reason": None}
    record["remarks"] = [*(r for r in record["remarks"] if not r.startswith("levels are")), why]
    return json.dumps(record, indent=1) + "\n"


def _moved_answers(path: Path, moves: Mapping[Level, Level]) -> FilePredictions:
    old = read_predictions(path)
    moved_answers = [
        Prediction(moves.get(p.level, p.level), p.is_malignant, p.is_uncertain) for p in old.vertebrae
    ]
    return FilePredictions(old.file_id, tuple(moved_answers))


def _snap_labels() -> str:
    """ITK-SNAP's label description: number, colour, opacity, visible, mesh, name."""
    lines = ['0 0 0 0 0 0 0 "clear"']
    for level in Level:
        hue = (int(level) * 97) % 256, (int(level) * 57 + 80) % 256, (int(level) * 31 + 160) % 256
        lines.append(f'{int(level)} {hue[0]} {hue[1]} {hue[2]} 1 1 1 "{level.name}"')
    return "\n".join(lines) + "\n"
