"""From a cohort to arrays: every included vertebra cut out, on disk, with an index; no torch.

A folder holds `hu.npy` (int16, n x z x y x), `mask.npy` (uint8 bits: 1 vertebra, 2 other vertebrae, 4 outside
the CT) and `index.tsv` (one row a crop: patient, vertebra, class, split, fold, ...). The arrays can be
memory-mapped.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np
from jaxtyping import Int16, UInt8
from numpy.lib.format import open_memmap

from wirbel.cohort.check import Cohort
from wirbel.cohort.images import read_cohort_study
from wirbel.cohort.labelled import LabelledVertebra
from wirbel.cohort.layout import SubjectImage
from wirbel.cohort.table import table_text
from wirbel.cohort.whole_files import told
from wirbel.errors import InputRejected, UsageError, WirbelError
from wirbel.etiology.crop import CropSettings, packed, vertebra_crop

INDEX = (
    "patient", "vertebra", "class", "split", "fold", "age", "sex", "scanner", "contrast", "site", "image", "line",
    "inside",
)  # fmt: skip
HU_FILE, MASK_FILE, INDEX_FILE, SETTINGS_FILE = "hu.npy", "mask.npy", "index.tsv", "crops.json"
#: What was painted where, and what of it as a table: beside the crops of drawings alone.
MARKS_FILE, TRUTH_FILE = "marks.npy", "truth.tsv"


@dataclass(frozen=True, slots=True, eq=False)
class CutVertebra:
    """One crop as stored; `inside_share` is how much of it the CT covers."""

    vertebra: LabelledVertebra
    hu: Int16[np.ndarray, "z y x"]
    mask: UInt8[np.ndarray, "z y x"]
    inside_share: float


@dataclass(frozen=True, slots=True)
class NoCrop:
    """A vertebra that could not be cut out, and why."""

    vertebra: LabelledVertebra
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class CropFolder:
    """Stored crops; `hu` and `mask` are memory-mapped, `rows` the index by column."""

    hu: Int16[np.ndarray, "n z y x"]
    mask: UInt8[np.ndarray, "n z y x"]
    rows: tuple[dict[str, str], ...]
    settings: CropSettings


@dataclass(frozen=True, slots=True)
class Made:
    """What `write_crops` did."""

    crops: int
    refused: tuple[NoCrop, ...] = field(default=())


def cut_vertebrae(
    image: SubjectImage, vertebrae: Sequence[LabelledVertebra], settings: CropSettings
) -> list[CutVertebra | NoCrop]:
    """The vertebrae of one CT cut out; what cannot be is told, the rest goes on."""
    try:
        study = read_cohort_study(image)
    except WirbelError as exc:
        return [NoCrop(v, str(exc)) for v in vertebrae]
    out: list[CutVertebra | NoCrop] = []
    for v in vertebrae:
        try:
            if v.level not in study.centroids:
                raise InputRejected("not in the mask: segment it, or correct the row", code="NOT_IN_MASK")
            crop = vertebra_crop(study.ct, study.labels, int(v.level), study.centroids[v.level], settings)
            hu = np.clip(np.rint(crop.hu), -1024, 32767).astype(np.int16)
            out.append(CutVertebra(v, hu, packed(crop), crop.inside_share))
        except InputRejected as exc:
            out.append(NoCrop(v, f"{v.name}: {exc}"))
    return out


def crops_of(
    cohort: Cohort, vertebrae: Sequence[LabelledVertebra], settings: CropSettings, *, workers: int = 1
) -> Iterator[CutVertebra | NoCrop]:
    """The crops of the given rows, each CT read once, on several cores; in the order of their images."""
    by_image: dict[SubjectImage, list[LabelledVertebra]] = {}
    for v in vertebrae:
        if v.line not in cohort.match.images:
            raise InputRejected(f"{cohort.table.name}, line {v.line}: {v.name} has no CT: check the cohort first")
        by_image.setdefault(cohort.match.images[v.line], []).append(v)
    if workers <= 1 or len(by_image) <= 1:
        for image, rows in by_image.items():
            yield from cut_vertebrae(image, rows, settings)
        return
    with ProcessPoolExecutor(min(workers, len(by_image)), mp_context=get_context("spawn")) as pool:
        several = [settings] * len(by_image)
        for done in pool.map(cut_vertebrae, by_image.keys(), by_image.values(), several):
            yield from done


def write_crops(
    cohort: Cohort,
    vertebrae: Sequence[LabelledVertebra],
    out: Path,
    settings: CropSettings | None = None,
    *,
    workers: int = 1,
    seen: Callable[[CutVertebra | NoCrop], None] | None = None,
) -> Made:
    """Cut out and store, whole or not at all; vertebrae that cannot be cut out are told and left out.

    Raises `UsageError` where `out` is there already, `InputRejected` where nothing can be cut out.
    """
    settings = settings or CropSettings()
    if out.exists():
        raise UsageError(f"{out.name!r} is there already: name a new folder for the crops")
    refused: list[NoCrop] = []
    with told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(prefix=".wirbel-partial-", dir=out.parent))
        try:
            rows = _fill(work, crops_of(cohort, vertebrae, settings, workers=workers), settings, refused, seen)
            if not rows:
                first = refused[0].sentence if refused else "no vertebra is included"
                raise InputRejected(f"no crop can be made: {first}")
            (work / INDEX_FILE).write_text(table_text(INDEX, rows), encoding="utf-8")
            plain = {"size": settings.size, "spacing_mm": settings.spacing_mm, "simulated": cohort.is_simulated}
            (work / SETTINGS_FILE).write_text(json.dumps(plain) + "\n", encoding="utf-8")
            work.chmod(0o755)
            work.rename(out)
        finally:
            rmtree(work, ignore_errors=True)
    return Made(len(rows), tuple(refused))


def read_crops(folder: Path) -> CropFolder:
    """Stored crops, arrays memory-mapped; raises `InputRejected` for what is no such folder."""
    try:
        plain = json.loads((folder / SETTINGS_FILE).read_text("utf-8"))
        settings = CropSettings(tuple(plain["size"]), float(plain["spacing_mm"]))
        hu, mask = (np.load(folder / name, mmap_mode="r") for name in (HU_FILE, MASK_FILE))
        with (folder / INDEX_FILE).open(encoding="utf-8", newline="") as file:
            rows = tuple(csv.DictReader(file, delimiter="\t"))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputRejected(f"{folder.name!r} holds no crops: make them with wirbel cohort crops") from exc
    if hu.shape != mask.shape or hu.shape != (len(rows), *settings.size):
        raise InputRejected(f"{folder.name!r}: arrays and index do not fit: make the crops again")
    return CropFolder(hu, mask, rows, settings)


def _fill(
    work: Path,
    cuts: Iterator[CutVertebra | NoCrop],
    settings: CropSettings,
    refused: list[NoCrop],
    seen: Callable[[CutVertebra | NoCrop], None] | None,
) -> list[tuple[str, ...]]:
    """Append crop by crop to raw files, then give them their headers: nothing is held in memory."""
    rows: list[tuple[str, ...]] = []
    raw = {name: work / f"{name}.raw" for name in (HU_FILE, MASK_FILE)}
    with raw[HU_FILE].open("wb") as hu_file, raw[MASK_FILE].open("wb") as mask_file:
        for cut in cuts:
            if seen is not None:
                seen(cut)
            if isinstance(cut, NoCrop):
                refused.append(cut)
                continue
            hu_file.write(np.ascontiguousarray(cut.hu).tobytes())
            mask_file.write(np.ascontiguousarray(cut.mask).tobytes())
            rows.append(_index_row(cut))
    if rows:
        shape = (len(rows), *settings.size)
        for name, dtype in ((HU_FILE, np.dtype(np.int16)), (MASK_FILE, np.dtype(np.uint8))):
            into = open_memmap(work / name, mode="w+", dtype=dtype, shape=shape)
            into[...] = np.memmap(raw[name], dtype=dtype, mode="r", shape=shape)
            into.flush()
    for path in raw.values():
        path.unlink()
    return rows


def _index_row(cut: CutVertebra) -> tuple[str, ...]:
    v = cut.vertebra
    values = (
        v.patient, v.level.name, v.diagnosis, v.split, v.fold, v.age_years, v.sex, v.scanner, v.contrast, v.site,
        v.image, v.line, f"{cut.inside_share:.3f}",
    )  # fmt: skip
    return tuple("" if x is None else f"{x:g}" if isinstance(x, float) else str(x) for x in values)
