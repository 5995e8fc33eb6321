"""The signs of every crop of a folder as one table, made crop by crop: a stopped run goes on where it was.

`signs.tsv` has the crop's `row` and one column a sign; empty: not measured. They are measured from the crop alone
(`wirbel.finding.signs.crop`): only the neighbours in it serve as references.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from wirbel.cohort.begun import is_begun, read_begun
from wirbel.cohort.crops import HU_FILE, INDEX_FILE, MASK_FILE, SETTINGS_FILE
from wirbel.cohort.table import table_text
from wirbel.cohort.whole_files import told, write_whole
from wirbel.errors import InputRejected, WirbelError
from wirbel.finding.signs import Sign, SignSettings, SignValues
from wirbel.finding.signs.crop import signs_in_crop
from wirbel.vertebra import NotMeasured, VertebraSettings

#: The table's name where it lies beside its crops.
SIGNS_FILE = "signs.tsv"
COLUMNS = ("row", *(sign.value for sign in Sign))
#: Columns of tables made before endplates were measured: they are read, and an empty column is added.
BEFORE_ENDPLATES = tuple(name for name in COLUMNS if name != Sign.ENDPLATES.value)
#: So many crops are given to a process at a time.
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class CropSigns:
    """One crop's signs, or why it has none."""

    row: int
    values: SignValues | str

    @property
    def cells(self) -> tuple[str, ...]:
        """A line of the table."""
        if isinstance(self.values, str):
            return (str(self.row), *("" for _ in Sign))
        found = (self.values.of(sign) for sign in Sign)
        return (str(self.row), *("" if isinstance(v, NotMeasured) else f"{float(v):.5g}" for v in found))


@dataclass(frozen=True, slots=True)
class SignsMade:
    """What `write_signs` did: crops in the table, measured now, and what could not be read."""

    crops: int
    new: int
    bad: tuple[str, ...]
    blanks: Mapping[str, int]


def write_signs(
    folder: Path, out: Path, *, workers: int = 1, seen: Callable[[CropSigns], None] | None = None
) -> SignsMade:
    """Measure the crops that are not in the table yet; it is sorted by row when all are done.

    `InputRejected` for what is no folder of crops, or a table with other columns. A crop that cannot be read is
    told, stands in the table without signs, and does not stop the others.
    """
    done = lines_of(out)
    wanted = [row for row in index_of(folder) if row not in done]
    bad: list[str] = []
    blanks: Counter[str] = Counter()
    with told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        _begin(out, done)
        with out.open("a", encoding="utf-8", newline="") as file:
            for found in _measured(folder, wanted, workers):
                file.write("\t".join(found.cells) + "\n")
                file.flush()
                if seen is not None:
                    seen(found)
                if isinstance(found.values, str):
                    bad.append(f"crop {found.row}: {found.values}")
                else:
                    blanks.update(_blank(found.values))
        lines = lines_of(out)
        write_whole(out, table_text(COLUMNS, [lines[row] for row in sorted(lines)]))
    return SignsMade(len(lines), len(wanted), tuple(bad), dict(blanks))


def read_signs(path: Path) -> dict[int, dict[Sign, float]]:
    """The table by row; a sign that was not measured is not in it."""
    if not path.is_file():
        raise InputRejected(f"{path.name!r} is not there: make it with wirbel cohort signs")
    out: dict[int, dict[Sign, float]] = {}
    for row, cells in lines_of(path).items():
        pairs = zip(Sign, cells[1:], strict=True)
        try:
            out[row] = {sign: float(cell) for sign, cell in pairs if cell}
        except ValueError as exc:
            raise InputRejected(f"{path.name}: crop {row} holds what is no number") from exc
    return out


def index_of(folder: Path) -> dict[int, dict[str, str]]:
    """The index's columns by row: of all crops, or of those noted as done while a folder is still being made."""
    index = folder / INDEX_FILE
    if not index.is_file() and is_begun(folder):
        return dict(read_begun(folder).index)
    try:
        with index.open(encoding="utf-8", newline="") as file:
            return dict(enumerate(csv.DictReader(file, delimiter="\t")))
    except FileNotFoundError as exc:
        raise InputRejected(f"{folder.name!r} holds no crops: make them with wirbel cohort crops") from exc
    except (OSError, ValueError) as exc:
        raise InputRejected(f"{folder.name!r}: the list of its crops cannot be read: make them again") from exc


def lines_of(out: Path) -> dict[int, tuple[str, ...]]:
    """The table's lines by row; a last line that was half written is none."""
    if not out.is_file():
        return {}
    try:
        text = out.read_text("utf-8")
    except (OSError, ValueError) as exc:
        raise InputRejected(f"{out.name!r} is no table of signs: delete it, or name another file") from exc
    lines = list(csv.reader(text[: text.rfind("\n") + 1].splitlines(), delimiter="\t"))
    if not lines:
        return {}
    head = tuple(lines[0])
    if head not in (COLUMNS, BEFORE_ENDPLATES):
        raise InputRejected(f"{out.name!r} has other columns: delete it, or name another file")
    try:
        whole = [dict(zip(head, cells, strict=True)) for cells in lines[1:] if len(cells) == len(head)]
        return {int(cells["row"]): tuple(cells.get(name, "") for name in COLUMNS) for cells in whole}
    except ValueError as exc:
        raise InputRejected(f"{out.name!r} is no table of signs: delete it, or name another file") from exc


def _begin(out: Path, done: Mapping[int, tuple[str, ...]]) -> None:
    """The table as far as it is whole."""
    write_whole(out, table_text(COLUMNS, list(done.values())))


def _blank(values: SignValues) -> Sequence[str]:
    """`sign: reason` of what was not measured."""
    found = ((sign, values.of(sign)) for sign in Sign)
    return [f"{sign.value}: {value.reason.value}" for sign, value in found if isinstance(value, NotMeasured)]


def _measured(folder: Path, rows: Sequence[int], workers: int) -> Iterator[CropSigns]:
    shares = [rows[k : k + AT_ONCE] for k in range(0, len(rows), AT_ONCE)]
    if workers <= 1 or len(shares) <= 1:
        for share in shares:
            yield from _each(folder, share)
        return
    with ProcessPoolExecutor(min(workers, len(shares)), mp_context=get_context("spawn")) as pool:
        for some in pool.map(_some, [folder] * len(shares), shares):
            yield from some


def _some(folder: Path, rows: Sequence[int]) -> list[CropSigns]:
    return list(_each(folder, rows))


def _each(folder: Path, rows: Sequence[int]) -> Iterator[CropSigns]:
    hu, mask, spacing_mm = _arrays(folder)
    for row in rows:
        yield _one(hu, mask, row, spacing_mm)


def _arrays(folder: Path) -> tuple[np.ndarray, np.ndarray, float]:
    try:
        hu, mask = (np.load(folder / name, mmap_mode="r") for name in (HU_FILE, MASK_FILE))
        settings = folder / SETTINGS_FILE
        spacing_mm = float(json.loads(settings.read_text("utf-8"))["spacing_mm"]) if settings.is_file() else 1.0
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputRejected(f"{folder.name!r} holds no crops: make them with wirbel cohort crops") from exc
    if hu.shape != mask.shape or hu.ndim != 4:
        raise InputRejected(f"{folder.name!r}: arrays do not fit each other: make the crops again")
    return hu, mask, spacing_mm


def _one(hu: np.ndarray, mask: np.ndarray, row: int, spacing_mm: float) -> CropSigns:
    if not 0 <= row < len(hu):
        return CropSigns(row, f"the arrays end at {len(hu) - 1}")
    values, bits = np.array(hu[row]), np.array(mask[row])
    own, others = (bits & 1) > 0, (bits & 2) > 0
    if not own.any():
        return CropSigns(row, "no vertebra in its mask")
    if not np.isfinite(values).all() or int(np.ptp(values)) == 0:
        return CropSigns(row, "no image in it")
    try:
        signs = signs_in_crop(values, own, others, SignSettings(), VertebraSettings(), spacing_mm=spacing_mm)
    except (WirbelError, np.linalg.LinAlgError) as exc:
        return CropSigns(row, str(exc))
    return CropSigns(row, signs.values)
