"""Radiomic features of many crops as one table, made crop by crop: a stopped run goes on where it was."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from wirbel.cohort.table import table_text
from wirbel.cohort.whole_files import told, write_whole
from wirbel.errors import InputRejected
from wirbel.etiology.network_input import VERTEBRA
from wirbel.training.fracture.crop_rows import CropData, CropRow
from wirbel.training.radiomics.features import FEATURES, RadiomicsSettings, crop_features, radiomics_library

COLUMNS = ("row", *FEATURES)


@dataclass(frozen=True, slots=True)
class FeaturesMade:
    """What `write_features` did: crops measured now, and what could not be read (it has a line without numbers)."""

    new: int
    bad: tuple[str, ...]


def write_features(
    data: CropData,
    rows: Sequence[CropRow],
    out: Path,
    settings: RadiomicsSettings,
    *,
    spacing_mm: float,
    seen: Callable[[int], None] = lambda count: None,
) -> FeaturesMade:
    """Measure the crops that are not in the table yet, in the order of `rows`; `seen` is told how many.

    A crop that cannot be read is told, stands in the table without numbers, and does not stop the others. Raises
    `InputRejected` for a table with other columns and `MissingExtra` without flash-radiomics.
    """
    radiomics_library()
    done = read_lines(out)
    bad: list[str] = []
    new = 0
    with told(out):
        write_whole(out, table_text(COLUMNS, [done[row] for row in sorted(done)]))
        with out.open("a", encoding="utf-8", newline="") as file:
            for r in rows:
                if r.row in done:
                    continue
                try:
                    cells = _cells(data, r.row, settings, spacing_mm)
                except InputRejected as exc:
                    bad.append(f"crop {r.row}: {exc}")
                    cells = ("",) * len(FEATURES)
                file.write("\t".join((str(r.row), *cells)) + "\n")
                file.flush()
                new += 1
                seen(new)
    return FeaturesMade(new, tuple(bad))


def read_features(path: Path, rows: Iterable[int]) -> Float64[np.ndarray, "n f"]:
    """The features of the given rows; NaN where there is no number. `InputRejected` where a row is missing."""
    lines = read_lines(path)
    wanted = list(rows)
    missing = [row for row in wanted if row not in lines]
    if missing:
        raise InputRejected(f"{path.name!r} lacks {len(missing)} crops, first {missing[0]}: measure them first")
    try:
        each = [[float(cell) if cell else np.nan for cell in lines[row][1:]] for row in wanted]
    except ValueError as exc:
        raise InputRejected(f"{path.name!r} holds what is no number: delete it and measure again") from exc
    return np.array(each, dtype=np.float64).reshape(len(wanted), len(FEATURES))


def read_lines(out: Path) -> dict[int, tuple[str, ...]]:
    """Lines of the table by row; a last line that was half written is none."""
    if not out.is_file():
        return {}
    text = out.read_text("utf-8")
    lines = list(csv.reader(text[: text.rfind("\n") + 1].splitlines(), delimiter="\t"))
    if lines and tuple(lines[0]) != COLUMNS:
        raise InputRejected(f"{out.name!r} has other columns: delete it, or name another folder")
    try:
        return {int(cells[0]): tuple(cells) for cells in lines[1:] if len(cells) == len(COLUMNS)}
    except ValueError as exc:
        raise InputRejected(f"{out.name!r} is no table of features: delete it, or name another folder") from exc


def _cells(data: CropData, row: int, settings: RadiomicsSettings, spacing_mm: float) -> tuple[str, ...]:
    own = (np.asarray(data.mask[row]) & VERTEBRA) > 0
    found = crop_features(np.asarray(data.hu[row]), own, settings, spacing_mm=spacing_mm)
    return tuple(f"{v:.7g}" if np.isfinite(v) else "" for v in found)
