"""Edited vertebrae of real CTs as a folder of crops, in the format of the drawn cohorts.

`hu.npy`, `mask.npy`, `marks.npy`, `index.tsv`, `truth.tsv`, `crops.json` as there; beside them `edited.npy` (bits:
1 the lesion's region, a sham's too; 2 voxels whose value changed) and `original.npy` (the donor as it was, on the
same grid).
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np

from wirbel.donor.edit import DonorCase, edit
from wirbel.donor.region import region_of
from wirbel.donor.shares import Order, Vertebra, spread
from wirbel.donor.sources import DONORS, Donor, DonorCt, read_donor
from wirbel.errors import DeliveryError, InputRejected, UsageError
from wirbel.etiology.crop import CropSettings, packed, vertebra_crop
from wirbel.phantom.cases.truth import SignTruth
from wirbel.phantom.cohort.rows import INDEX, TRUTH, class_of
from wirbel.phantom.cohort.settings import drawing_code
from wirbel.volume import LabelMap, freeze
from wirbel.volume.resample import resample_labels

ARM, SPLIT, SITE = "donors", "external", "hand-out"
NOTE = (
    "simulated lesions and fractures in real CTs; research use only; each donor's own licence holds for what was "
    "made of it"
)
ARRAYS = ("hu", "mask", "marks", "edited", "original")


@dataclass(frozen=True, slots=True)
class DonorCohortSettings:
    """How many cases, from what seed, in crops of which edge (voxels of 1 mm)."""

    cases: int = 114
    seed: int = 1
    voxels: int = 80


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One case as stored: arrays by name, the rows of index and truth."""

    arrays: dict[str, np.ndarray]
    index: dict[str, str]
    truth: dict[str, str]


@dataclass(frozen=True, slots=True)
class DonorsMade:
    """What was made, and which donors had no masks."""

    crops: int
    patients: int
    left_out: tuple[str, ...]


def make_donor_cohort(
    settings: DonorCohortSettings,
    data: Path,
    segmentations: Path | None,
    out: Path,
    *,
    workers: int = 1,
    donors: Sequence[Donor] = DONORS,
    seen: Callable[[int, int], None] | None = None,
) -> DonorsMade:
    """Edit the hand-out's vertebrae and store them, whole or not at all.

    Raises `UsageError` where `out` is there already, `InputRejected` where no donor can be read.
    """
    if out.exists():
        raise UsageError(f"{out.name!r} is there already: name a new folder for the crops")
    lending, left_out = _lending(data, segmentations, donors, workers)
    if not lending:
        raise InputRejected("no donor has masks: give --data, and --segmentations made by wirbel analyze")
    vertebrae = [v for found, _ in lending.values() for v in found]
    orders = spread(vertebrae, settings.cases, seed=settings.seed)
    by_donor = {d: [o for o in orders if o.vertebra.donor == d.name] for d in donors if d.name in lending}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(prefix=".wirbel-partial-", dir=out.parent))
        try:
            _store(settings, work, _made(by_donor, data, segmentations, settings, workers), len(orders), seen)
            facts = [facts for _, facts in lending.values()]
            (work / "crops.json").write_text(_said(settings, facts) + "\n", encoding="utf-8")
            work.chmod(0o755)
            work.rename(out)
        finally:
            rmtree(work, ignore_errors=True)
    except OSError as exc:
        raise DeliveryError(f"cannot write the crops to {out.name!r}: {exc.strerror or exc}") from exc
    return DonorsMade(len(orders), len({o.vertebra.patient for o in orders}), left_out)


Lent = tuple[list[Vertebra], dict[str, object]]


def _lending(
    data: Path, segmentations: Path | None, donors: Sequence[Donor], workers: int
) -> tuple[dict[str, Lent], tuple[str, ...]]:
    """The vertebrae that each donor lends, and the donors' facts; donors without masks by name."""
    n = len(donors)
    if workers <= 1:
        found = [_look(d, data, segmentations) for d in donors]
    else:
        with ProcessPoolExecutor(min(workers, n), mp_context=get_context("spawn")) as pool:
            found = list(pool.map(_look, donors, [data] * n, [segmentations] * n))
    lending = {d.name: lent for d, lent in zip(donors, found, strict=True) if lent is not None}
    return lending, tuple(d.name for d in donors if d.name not in lending)


def _look(donor: Donor, data: Path, segmentations: Path | None) -> Lent | None:
    source = read_donor(donor, data, segmentations)
    if source is None:
        return None
    vertebrae = [
        Vertebra(donor.name, donor.patient, level, level in donor.only_broken)
        for level in sorted(source.centres_lps_mm, key=lambda level: level.rank)
    ]
    return vertebrae, _facts(source)


def _made(
    by_donor: dict[Donor, list[Order]], data: Path, segmentations: Path | None, settings: DonorCohortSettings,
    workers: int,
) -> Iterator[list[Crop]]:
    """Each donor's cases; a donor is read once."""
    jobs = [(d, orders) for d, orders in by_donor.items() if orders]
    n = len(jobs)
    if workers <= 1 or n <= 1:
        yield from (_cases_of(d, orders, data, segmentations, settings.voxels) for d, orders in jobs)
        return
    with ProcessPoolExecutor(min(workers, n), mp_context=get_context("spawn")) as pool:
        several = ([d for d, _ in jobs], [o for _, o in jobs], [data] * n, [segmentations] * n)
        yield from pool.map(_cases_of, *several, [settings.voxels] * n)


def _cases_of(
    donor: Donor, orders: Sequence[Order], data: Path, segmentations: Path | None, voxels: int
) -> list[Crop]:
    source = read_donor(donor, data, segmentations)
    if source is None:
        raise InputRejected(f"{donor.name}: its masks are gone: make them again")
    out = []
    for level in sorted({o.vertebra.level for o in orders}):
        region = region_of(source, level)
        for order in orders:
            if order.vertebra.level is level:
                out.append(crop_of_case(edit(region, order.cause, order.seed), source, voxels))
    return out


def crop_of_case(case: DonorCase, source: DonorCt, voxels: int) -> Crop:
    """A case cut out as a cohort's crops are, with its rows."""
    region, level = case.region, case.truth.level
    cube = CropSettings((voxels, voxels, voxels), 1.0)
    crop = vertebra_crop(case.ct, case.labels, int(level), case.centre_lps_mm, cube)
    hu = np.rint(crop.hu).astype(np.int16)
    was = vertebra_crop(region.base, case.labels, int(level), case.centre_lps_mm, cube)
    before = np.rint(was.hu).astype(np.int16)
    marks, lesion = (
        resample_labels(LabelMap(case.labels.grid, freeze(np.array(a))), crop.grid).labels
        for a in (case.marks, case.lesion)
    )
    changed = (np.abs(hu.astype(np.int32) - before) > 1) & crop.inside
    edited = (lesion > 0) * np.uint8(1) + changed * np.uint8(2)
    arrays = {"hu": hu, "mask": packed(crop), "marks": marks, "edited": edited, "original": before}
    index = {
        "patient": f"donor-{source.donor.patient}",
        "vertebra": level.name,
        "class": class_of(case.truth.cause),
        "split": SPLIT,
        "fold": "",
        "age": "",
        "sex": "",
        "scanner": source.scanner,
        "contrast": source.donor.contrast,
        "site": SITE,
        "image": source.donor.name,
        "line": "",
        "inside": f"{crop.inside_share:.3f}",
        "arm": ARM,
        "cause": case.truth.cause.value,
    }
    return Crop(arrays, index, _truth_row(case, source))


def _truth_row(case: DonorCase, source: DonorCt) -> dict[str, str]:
    plain: dict[str, object] = {f.name: getattr(case.truth, f.name) for f in fields(SignTruth)}
    plain |= {
        "patient": f"donor-{source.donor.patient}",
        "vertebra": case.truth.level.name,
        "known_cancer": None,
        "further_lesions": 0,
        "noise_hu": case.region.grain.sd_hu,
        "slice_mm": source.acquisition.slice_mm,
    }
    return {name: _cell(plain.get(name)) for name in TRUTH}


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _store(
    settings: DonorCohortSettings,
    work: Path,
    made: Iterator[list[Crop]],
    total: int,
    seen: Callable[[int, int], None] | None,
) -> None:
    crops: list[Crop] = []
    for some in made:
        crops += some
        if seen is not None:
            seen(len(crops), total)
    patients = sorted({c.index["patient"] for c in crops})
    for row, crop in enumerate(crops):
        crop.index.update(fold=str(patients.index(crop.index["patient"])), line=str(row + 2))
        crop.truth.update(row=str(row))
    for name in ARRAYS:
        np.save(work / f"{name}.npy", np.stack([c.arrays[name] for c in crops]))
    tables = (("index.tsv", INDEX, [c.index for c in crops]), ("truth.tsv", TRUTH, [c.truth for c in crops]))
    for name, columns, rows in tables:
        with (work / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _facts(source: DonorCt) -> dict[str, object]:
    d = source.donor
    return {
        "name": d.name,
        "patient": d.patient,
        "licence": d.licence,
        "image": d.image,
        "image_sha256": source.image_sha256,
        "masks": "predicted by the shipped spine networks" if source.predicted else d.masks,
        "masks_sha256": source.masks_sha256,
        "predicted": source.predicted,
        "slice_mm": source.acquisition.slice_mm,
        "vertebrae": [level.name for level in sorted(source.centres_lps_mm, key=lambda lv: lv.rank)],
    }


def _said(settings: DonorCohortSettings, donors: list[dict[str, object]]) -> str:
    size = [settings.voxels] * 3
    code = sha256(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()
    plain = {
        "size": size,
        "spacing_mm": 1.0,
        "simulated": True,
        "note": NOTE,
        "settings": asdict(settings),
        "code_sha256": code,
        "drawing_code_sha256": drawing_code(),
        "donors": donors,
    }
    return json.dumps(plain, indent=1)
