"""A simulated cohort as whole CTs of the column, laid out as VerSe and the study's authors have theirs.

`rawdata/sub-X/sub-X_ct.nii.gz`; in `derivatives/sub-X/` the masks (`_seg-vert_msk`, VerSe numbers), centroids
(`_seg-subreg_ctd.json`, voxel indices), `_marks` (what was painted) and the truth; one `cohort.tsv`, and a
`dataset_description.json` that says "Simulated". Patients that are whole already are not drawn again.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from wirbel.errors import DeliveryError, UsageError
from wirbel.phantom.anatomy import Truth
from wirbel.phantom.cases import draw_patient, look_of, painted_ct
from wirbel.phantom.cases.truth import SignTruth
from wirbel.phantom.cohort.make import check_same
from wirbel.phantom.cohort.orders import PatientOrder, orders_of
from wirbel.phantom.cohort.rows import class_of
from wirbel.phantom.cohort.settings import CohortSettings, canonical, drawing_code, fingerprint
from wirbel.phantom.cohort.sites import SITES, phase_at, scanner_at
from wirbel.phantom.truth_files import named_labels
from wirbel.phantom.view import Region, view_of
from wirbel.phantom.write import write_nifti
from wirbel.volume import Grid

COLUMNS = (
    "patient", "vertebra", "class", "source", "age", "sex", "scanner", "contrast", "site", "split", "fold", "arm",
    "cause",
)  # fmt: skip
TABLE, DESCRIPTION, TRUTH = "cohort.tsv", "dataset_description.json", "truth.json"


def make_full(
    settings: CohortSettings,
    folder: Path,
    *,
    workers: int = 1,
    only: Sequence[str] = (),
    seen: Callable[[int, int], None] | None = None,
) -> int:
    """Draw whole CTs into a folder; how many patients there are. The table holds who is drawn."""
    orders = [o for o in orders_of(settings) if not only or o.arm in only]
    if not orders:
        raise UsageError(f"no arm of {settings.preset} is called {', '.join(only)}")
    try:
        _begin(settings, folder)
        for n, _ in enumerate(_each(orders, settings, folder, workers), start=1):
            if seen is not None:
                seen(n, len(orders))
        told = [json.loads(_truth_path(folder, order).read_text("utf-8")) for order in orders]
        rows = [row for truth in told for row in truth["rows"]]
        partial = folder / f".{TABLE}"
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        partial.replace(folder / TABLE)
    except OSError as exc:
        raise DeliveryError(f"cannot write the cohort to {folder.name!r}: {exc.strerror or exc}") from exc
    return len(orders)


def _begin(settings: CohortSettings, folder: Path) -> None:
    said = folder / DESCRIPTION
    if said.is_file():
        check_same(said, ("SettingsSha256", "CodeSha256"), settings)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder.name!r} is not empty and holds no simulated cohort: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    plain = {
        "Name": f"wirbel phantom cohort {settings.preset}, simulated",
        "BIDSVersion": "1.9.0",
        "Simulated": True,
        "Note": "simulated; research use only",
        "SettingsSha256": fingerprint(settings),
        "CodeSha256": drawing_code(),
        "Settings": json.loads(canonical(settings)),
    }
    said.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def _each(
    orders: Sequence[PatientOrder], settings: CohortSettings, folder: Path, workers: int
) -> Iterator[PatientOrder]:
    todo = [o for o in orders if not _truth_path(folder, o).is_file()]
    n = len(todo)
    if workers <= 1 or n <= 1:
        yield from (_draw(o, settings, folder) for o in todo)
        return
    with ProcessPoolExecutor(min(workers, n), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_draw, todo, [settings] * n, [folder] * n)


def _draw(order: PatientOrder, settings: CohortSettings, folder: Path) -> PatientOrder:
    """One patient's files; the truth comes last and says that the others are whole."""
    rng, site = np.random.default_rng(order.seed), SITES[order.site]
    patient = draw_patient(
        rng, order.causes, difficulty=settings.difficulty, severity=site.severity, age_shift=site.age_shift
    )
    scanner = scanner_at(rng, site)
    look = look_of(rng, patient, scanner, phase_at(rng, site))
    step = settings.spacing_mm
    view = view_of(patient.anatomy, Region.SPINE, (step, step, step))
    shown = painted_ct(patient, look, scanner, order.seed, view)
    raw, derived = (folder / kind / f"sub-{order.patient}" for kind in ("rawdata", "derivatives"))
    for place in (raw, derived):
        place.mkdir(parents=True, exist_ok=True)
    stem, grid = f"sub-{order.patient}", shown.ct.grid
    names = named_labels(shown.labels, patient.anatomy.truth)
    write_nifti(shown.ct.hu, grid, raw / f"{stem}_ct.nii.gz", description="simulated CT, HU")
    write_nifti(names, grid, derived / f"{stem}_seg-vert_msk.nii.gz", description="simulated, VerSe numbers")
    write_nifti(shown.marks, grid, derived / f"{stem}_marks.nii.gz", description="simulated, what was painted")
    centroids = json.dumps(_centroids(patient.anatomy.truth, grid))
    (derived / f"{stem}_seg-subreg_ctd.json").write_text(centroids + "\n", encoding="utf-8")
    rows = [
        {
            "patient": order.patient,
            "vertebra": level.name,
            "class": class_of(patient.causes[level]),
            "source": "simulation",
            "age": f"{patient.age_years:.1f}",
            "sex": patient.sex,
            "scanner": f"{scanner.manufacturer} {scanner.model} {scanner.kernel}",
            "contrast": "none" if look.phase == "native" else look.phase,
            "site": order.site,
            "split": order.split,
            "fold": "" if order.fold is None else str(order.fold),
            "arm": order.arm,
            "cause": patient.causes[level].value,
        }
        for level in patient.index
    ]
    truths = [_plain(truth) for truth in shown.truths.values()]
    said = {"simulated": True, "settings_sha256": fingerprint(settings), "rows": rows, "vertebrae": truths}
    partial = derived / f".{stem}_{TRUTH}"
    partial.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    partial.replace(_truth_path(folder, order))
    return order


def _truth_path(folder: Path, order: PatientOrder) -> Path:
    return folder / "derivatives" / f"sub-{order.patient}" / f"sub-{order.patient}_{TRUTH}"


def _plain(truth: SignTruth) -> dict[str, object]:
    return {f.name: getattr(truth, f.name) for f in fields(truth)} | {"level": truth.level.name}


def _centroids(truth: Truth, grid: Grid) -> list[dict[str, object]]:
    """Centroids as VerSe has them: voxel indices on the file's axes, which run left, posterior, superior."""
    out: list[dict[str, object]] = [{"direction": ["L", "P", "S"]}]
    for v in truth.vertebrae:
        z, y, x = grid.to_voxel(v.centre_lps_mm[None])[0]
        if 0 <= z < grid.shape[0] and 0 <= y < grid.shape[1] and 0 <= x < grid.shape[2]:
            at = {"X": round(float(x), 1), "Y": round(float(y), 1), "Z": round(float(z), 1)}
            out.append({"label": int(v.level), **at})
    return out
