"""The tables of an imported cohort: cohort.tsv from the hospital's labels, the others from the records."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wirbel import __version__
from wirbel.cohort.cells import BadCell, level_of
from wirbel.cohort.key_book import KeyBook, read_key_book
from wirbel.cohort.layout import DERIVED, DESCRIPTION
from wirbel.cohort.one_import import QUALITY
from wirbel.cohort.table import COLUMNS, REQUIRED, TABLE_NAMES, read_table, table_text
from wirbel.cohort.whole_files import write_whole
from wirbel.errors import DeliveryError, InputRejected

#: A column of the hospital's labels that names the study (UID or accession number); it goes.
STUDY = "study"
QUALITY_TABLE, BOXES_TABLE = "quality.tsv", "boxes.tsv"
_QUALITY_COLUMNS = (
    "patient", "image", "numbering", "numbering_reason", "numbering_probability", "levels", "cut", "slice_mm",
    "in_plane_mm", "plane", "kernel", "kvp", "contrast", "scanner", "sex", "age", "segmenter", "remarks",
)  # fmt: skip
_BOX_COLUMNS = ("patient", "image", "vertebra", "z0", "y0", "x0", "z1", "y1", "x1", "cm3", "cut")
#: What the header tells and a label may leave open.
_FROM_HEADER = ("age", "sex", "scanner", "contrast")

Record = Mapping[str, Any]


def complete_tables(home: Path, key: Path, labels: Path | None) -> tuple[int, list[int]]:
    """All tables of a cohort after an import; rows added, and lines of labels that name nobody imported."""
    records = read_records(home)
    write_description(home)
    write_overviews(home)
    if labels is None:
        return add_rows(home, draft_rows(_without_rows(home, records))), []
    rows, strangers = label_rows(labels, read_key_book(key), records)
    return add_rows(home, rows), strangers


def read_records(home: Path) -> list[Record]:
    """The quality records of all imported studies, sorted by image."""
    try:
        found = [json.loads(p.read_text("utf-8")) for p in sorted((home / DERIVED).glob(f"sub-*/*{QUALITY}"))]
    except (ValueError, OSError) as exc:
        raise InputRejected(f"{home.name!r}: a quality record cannot be read: import the study again") from exc
    return [record for record in found if isinstance(record, dict)]


def write_overviews(home: Path) -> None:
    """quality.tsv (one row a CT) and boxes.tsv (one row a vertebra), made anew from the records."""
    records = read_records(home)
    quality = [_quality_row(record) for record in records]
    write_whole(home / QUALITY_TABLE, table_text(_QUALITY_COLUMNS, quality))
    boxes = [
        (
            record["patient"], record["image"], v["vertebra"], *map(str, v["start"]), *map(str, v["stop"]),
            f"{v['cm3']:g}", "yes" if v["vertebra"] in record["cut"] else "no",
        )
        for record in records
        for v in record["vertebrae"]
    ]  # fmt: skip
    write_whole(home / BOXES_TABLE, table_text(_BOX_COLUMNS, boxes))


def write_description(home: Path) -> None:
    """What BIDS wants to know of a data set, where there is nothing yet."""
    if (home / DESCRIPTION).exists():
        return
    plain = {
        "Name": "CT cohort of labelled vertebrae",
        "BIDSVersion": "1.9.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "wirbel", "Version": __version__}],
        "DeidentificationMethod": (
            "DICOM PS3.15 basic profile: no header element is carried over but sex, age in years (90 for older), "
            "maker and model of the scanner, tube voltage, kernel class, slices and whether contrast was given"
        ),
        "Notice": "research use only",
    }
    write_whole(home / DESCRIPTION, json.dumps(plain, indent=1) + "\n")


def label_rows(labels: Path, book: KeyBook, records: Sequence[Record]) -> tuple[list[tuple[str, ...]], list[int]]:
    """The hospital's labels with pseudonyms, and the lines of rows that name nobody who was imported.

    `patient` holds the hospital's number, `study` (optional) a StudyInstanceUID or accession number. Columns that
    a cohort does not have go: they may hold names. Empty cells are filled from the headers.
    """
    columns, rows = _raw_labels(labels)
    by_image = {str(record["image"]): record for record in records}
    out, strangers = [], []
    for line, row in rows:
        cell = dict(zip(columns, row, strict=True))
        entries = [e for e in book.entries if cell["patient"] in (e.patient, e.patient.split("@")[0])]
        if cell.get(STUDY):
            entries = [e for e in entries if cell[STUDY] in (e.study, e.accession)]
        if not entries:
            strangers.append(line)
            continue
        several = len({e.session for e in entries}) > 1
        image = "" if several else entries[0].stem
        kept = {name: cell.get(name, "") for name in COLUMNS} | {"patient": entries[0].pseudonym, "image": image}
        out.append(_filled(kept, by_image.get(image)))
    return out, strangers


def draft_rows(records: Sequence[Record]) -> list[tuple[str, ...]]:
    """A row for each named vertebra, class unclear: for the reader to fill."""
    out = []
    for record in records:
        if record["numbering"] == "relative":
            continue
        for v in record["vertebrae"]:
            row = {"patient": record["patient"], "vertebra": v["vertebra"], "class": "unclear"}
            out.append(_filled(dict.fromkeys(COLUMNS, "") | row | {"image": record["image"]}, record))
    return out


def add_rows(home: Path, rows: Sequence[tuple[str, ...]]) -> int:
    """Append rows of vertebrae that the cohort's table does not have; edited rows stay. How many were added."""
    path = home / TABLE_NAMES[0]
    if not path.exists():
        if rows:
            write_whole(path, table_text(COLUMNS, rows))
        return len(rows)
    table = read_table(path)
    place = {name: COLUMNS.index(name) for name in COLUMNS}
    known = {(v.patient, v.image or "", v.level.name) for v in table.vertebrae}
    new = [row for row in rows if _whose(dict(zip(COLUMNS, row, strict=True))) not in known]
    columns = (*table.columns, *(name for name in COLUMNS if name not in table.columns))
    old = [[*row, *[""] * (len(columns) - len(row))] if row else [] for row in table.rows]
    added = [[row[place[name]] if name in place else "" for name in columns] for row in new]
    if new:
        write_whole(path, table_text(columns, [*old, *added], table.delimiter))
    return len(new)


def _whose(cells: Mapping[str, str]) -> tuple[str, str, str]:
    """Patient, image and vertebra of a row, Th12 called T12."""
    try:
        level = level_of(cells["vertebra"]).name
    except BadCell:
        level = cells["vertebra"]
    return cells["patient"], cells["image"], level


def _filled(cells: dict[str, str], record: Record | None) -> tuple[str, ...]:
    if record is not None:
        for name in _FROM_HEADER:
            if not cells[name].strip() and record[name] is not None:
                cells[name] = str(record[name])
    return tuple(cells[name] for name in COLUMNS)


def _quality_row(record: Record) -> tuple[str, ...]:
    told = dict(record) | {
        "levels": " ".join(str(v["vertebra"]) for v in record["vertebrae"]),
        "cut": " ".join(record["cut"]),
        "remarks": "; ".join(record["remarks"]),
    }
    values = [told.get(name) for name in _QUALITY_COLUMNS]
    return tuple("n/a" if v in (None, "") else f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)


def _raw_labels(path: Path) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    """The labels as text with their lines; patients' numbers may be anything, so cells are not judged here."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise DeliveryError(f"{path.name}: the labels cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError as exc:
        raise InputRejected(f"{path.name}: no UTF-8 text: save it as CSV (UTF-8) or TSV") from exc
    first = text.split("\n", 1)[0]
    delimiter = next((mark for mark in "\t;" if mark in first), ",")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    columns = tuple(cell.strip().lower() for cell in lines[0]) if lines else ()
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise InputRejected(f"{path.name}, line 1: no column {', '.join(missing)}: rename or add it")
    stripped = [[cell.strip() for cell in row] for row in lines[1:]]
    rows = [(i, row) for i, row in enumerate(stripped, start=2) if any(row)]
    short = next((i for i, row in rows if len(row) != len(columns)), None)
    if short is not None:
        raise InputRejected(f"{path.name}, line {short}: not as many cells as the header: add or remove separators")
    return columns, rows


def _without_rows(home: Path, records: Sequence[Record]) -> list[Record]:
    """Records of CTs of which the table has no row: a row that a reader took out stays out."""
    path = home / TABLE_NAMES[0]
    known = {v.image for v in read_table(path).vertebrae} if path.exists() else set()
    return [record for record in records if record["image"] not in known]
