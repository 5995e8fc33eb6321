"""Signs measured in drawn cases against their truth: correlation, bias, and how well each one tells the causes
apart.

    python benchmarks/signs_on_phantoms.py --count 240 --rows signs.csv
    python benchmarks/signs_on_phantoms.py --rows signs.csv --count 0      # the tables again, nothing drawn
    python benchmarks/signs_on_phantoms.py --crops runs/night              # a cohort's crops and their signs.tsv

Every figure is simulated. Masks are the drawn ones (`--grow 1` or `-1`: wrong by a millimetre). Seeds start at
900,000, which no training uses. Rows are appended one by one, so that a stopped run goes on where it was.
"""

import argparse
import csv
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage, stats

from wirbel.cohort.signs import read_signs
from wirbel.finding.signs import Sign, Signs, SignSettings, signs_of_all
from wirbel.phantom.cases import DrawnCause
from wirbel.phantom.cases.case import CaseCt, CaseSettings, draw_case
from wirbel.spine import Numbering, NumberingStatus, Part, Spine, Vertebra
from wirbel.vertebra import NotMeasured, VertebraSettings, measure_all
from wirbel.volume import Acquisition, Kernel, LabelMap, Plane, freeze

FIRST_SEED = 900_000
CAUSES = (DrawnCause.OSTEOPOROTIC_FRACTURE, DrawnCause.MALIGNANT_FRACTURE, DrawnCause.NORMAL)
#: Cases are drawn on thin slices; thick ones are answered by NotMeasured.
SCANNERS = ("siemens-b30f-1", "siemens-br40-1", "philips-iqon-1", "ge-bone-1.25", "canon-fc08-1")
#: Truth that belongs to a sign, and whether more of it speaks for malignant.
PAIRS: tuple[tuple[Sign, str, bool], ...] = (
    (Sign.CORTEX, "cortex_destroyed", True),
    (Sign.PEDICLE_LEFT, "pedicle_left", True),
    (Sign.PEDICLE_RIGHT, "pedicle_right", True),
    (Sign.CONVEXITY, "posterior_convexity_mm", True),
    (Sign.RETROPULSION, "retropulsion_mm", False),
    (Sign.VACUUM, "vacuum_mm3", False),
    (Sign.EPIDURAL, "epidural_mm3", True),
    (Sign.PARAVERTEBRAL, "paravertebral_mm3", True),
    (Sign.PARAVERTEBRAL_THICKNESS, "thickening_mm", False),
    (Sign.LINE_AREA, "lines", False),
    (Sign.LINE_SHARPNESS, "line_sharpness", False),
    (Sign.LYTIC, "lytic", True),
    (Sign.SCLEROTIC, "sclerotic", True),
    (Sign.DENSITY, "density_mg_cm3", True),
)
#: Truth above this is a sign that is there.
PRESENT = 1e-3


def drawn(seed: int, cause: DrawnCause, grow: int) -> tuple[CaseCt, Spine, Acquisition]:
    """A case, its column as masks show it, and the header."""
    rng = np.random.default_rng(seed)
    scanner = SCANNERS[int(rng.integers(len(SCANNERS)))]
    case = draw_case(rng, CaseSettings(cause=cause, scanner=scanner, size_mm=124.0))
    instances, parts = np.array(case.labels.instances), np.array(case.labels.parts)
    if grow:
        instances, parts = wrong(instances, parts, grow)
    grid = case.labels.grid
    vertebrae = []
    for v in case.patient.anatomy.truth.vertebrae:
        at = grid.to_voxel(np.asarray(v.centre_lps_mm, dtype=np.float64)[None])[0]
        body = (instances == v.instance) & (parts == Part.BODY)
        cut = bool(body[0].any() or body[-1].any())
        if body.any() and np.all((at > 0) & (at < np.asarray(grid.shape))):
            vertebrae.append(Vertebra(v.instance, v.level, None, np.array(v.centre_lps_mm, np.float64), cut))
    spine = Spine(
        tuple(vertebrae),
        LabelMap(grid, freeze(instances)),
        LabelMap(grid, freeze(parts)),
        Numbering(NumberingStatus.GIVEN, None, None, None),
        "phantom truth",
    )
    along = max(case.scanner.slice_mm, grid.spacing_mm[0])
    acquisition = Acquisition(Plane.AXIAL, along, along, kernel=Kernel.SOFT, kvp=case.scanner.kvp)
    return case, spine, acquisition


def wrong(instances: np.ndarray, parts: np.ndarray, grow: int) -> tuple[np.ndarray, np.ndarray]:
    """Masks one voxel too large or too small."""
    cross = ndimage.generate_binary_structure(3, 1)
    if grow > 0:
        wide = ndimage.grey_dilation(instances, footprint=cross)
        kind = ndimage.grey_dilation(np.where(instances > 0, parts, 0), footprint=cross)
        new = (wide > 0) & (instances == 0)
        instances[new], parts[new] = wide[new], kind[new]
    else:
        own = instances > 0
        rim = own & (ndimage.grey_erosion(instances, footprint=cross) != instances)
        instances[rim], parts[rim] = 0, 0
    return instances, parts


def row(seed: int, cause: DrawnCause, grow: int) -> dict[str, object]:
    """Truth and measured signs of one case."""
    start = time.process_time()
    case, spine, acquisition = drawn(seed, cause, grow)
    at = time.process_time()
    measures = measure_all(case.ct, spine, VertebraSettings(), acquisition)
    suspects = [v.label for v in spine.vertebrae if v.level in case.patient.plans]
    signs: Signs = signs_of_all(
        case.ct, spine, measures, SignSettings(), acquisition, labels=[case.instance], suspects=suspects
    )[0]
    truth = case.truth
    out: dict[str, object] = {"seed": seed, "cause": cause.value, "level": truth.level.name}
    out["scanner"] = case.scanner.name
    out["seconds_drawn"], out["seconds_signs"] = round(at - start, 2), round(time.process_time() - at, 2)
    for name in {name for _, name, _ in PAIRS} - {"lytic", "sclerotic"}:
        value = getattr(truth, name)
        out[f"true_{name}"] = "" if value is None else float(value)
    out["true_lytic"] = truth.lytic_mm3 / max(truth.spongiosa_mm3, 1.0)
    out["true_sclerotic"] = truth.sclerotic_mm3 / max(truth.spongiosa_mm3, 1.0)
    for sign in Sign:
        value = signs.values.of(sign)
        out[sign.value] = value.reason.value if isinstance(value, NotMeasured) else round(float(value), 4)
    return out


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive exceeds a negative, ties half."""
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    n = len(positive)
    return float((ranks[:n].sum() - 0.5 * n * (n + 1)) / (n * len(negative)))


def number(text: str) -> float:
    """A cell as a number; NaN for a reason."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def tables(rows: Sequence[dict[str, str]]) -> None:
    """All tables, as Markdown."""
    cause = np.array([r["cause"] for r in rows])
    counts = ", ".join(f"{c.value} {int((cause == c.value).sum())}" for c in CAUSES)
    print(f"simulated: {len(rows)} drawn cases ({counts})\n")
    columns = "sign | n | not measured | Spearman | bias (measured - true) | MAE | AUC there | normals median, 95th"
    print(f"| {columns} |")
    print("|---|---|---|---|---|---|---|---|")
    for sign, name, _ in PAIRS:
        _against_truth(rows, cause, sign, name)
    print("\n| sign | n osteoporotic / malignant | AUC measured | AUC truth |")
    print("|---|---|---|---|")
    fractured = np.isin(cause, [CAUSES[0].value, CAUSES[1].value])
    malignant = cause == CAUSES[1].value
    for sign, name, up in PAIRS:
        direction = 1.0 if up else -1.0
        cells = []
        ns = (0, 0)
        for key in (sign.value, f"true_{name}"):
            values = direction * np.array([number(r[key]) for r in rows])
            # an absent line has no sharpness: it counts as none
            absent = np.array([r[key] in ("", "not_present") for r in rows])
            values = np.where(absent, 0.0, values)
            a, b = (values[fractured & who & np.isfinite(values)] for who in (malignant, ~malignant))
            ns = (len(b), len(a)) if key == sign.value else ns
            cells.append(f"{auc(a, b):.2f}" if len(a) > 4 and len(b) > 4 else "too few")
        print(f"| {sign.value} | {ns[0]} / {ns[1]} | {cells[0]} | {cells[1]} |")


def _against_truth(rows: Sequence[dict[str, str]], cause: np.ndarray, sign: Sign, name: str) -> None:
    got = np.array([number(r[sign.value]) for r in rows])
    true = np.array([number(r[f"true_{name}"]) for r in rows])
    known = np.isfinite(got) & np.isfinite(true)
    normal = got[(cause == CAUSES[2].value) & np.isfinite(got)]
    there = known & (true > PRESENT)
    varied = known.sum() > 5 and np.ptp(true[known]) > 0 and np.ptp(got[known]) > 0
    rho = stats.spearmanr(true[known], got[known]).statistic if varied else float("nan")
    off = got[known] - true[known]
    shown = auc(got[there], got[known & ~there]) if 4 < there.sum() < known.sum() - 4 else float("nan")
    usual = f"{np.median(normal):.2f}, {np.percentile(normal, 95):.2f}" if len(normal) else "-"
    alike = name not in ("lines", "line_sharpness", "density_mg_cm3", "thickening_mm")
    bias = f"{off.mean():+.2f} | {np.abs(off).mean():.2f}" if alike and len(off) else "other unit | -"
    missing = int((~np.isfinite(got)).sum())
    print(f"| {sign.value} | {int(known.sum())} | {missing} | {rho:.2f} | {bias} | {shown:.2f} | {usual} |")


def rows_of_crops(folder: Path, signs: Path, arms: Sequence[str]) -> list[dict[str, str]]:
    """Signs measured from crops beside what was painted; a folder may still be growing."""
    measured = read_signs(signs)
    out = []
    for arm, truth in told(folder):
        row = int(truth["row"])
        if row not in measured or (arms and arm not in arms):
            continue
        found = {sign.value: f"{v:g}" for sign, v in measured[row].items()}
        plain = {sign.value: "not_measured" for sign in Sign} | found
        if Sign.LINE_SHARPNESS not in measured[row] and measured[row].get(Sign.LINE_AREA) == 0.0:
            plain[Sign.LINE_SHARPNESS.value] = "not_present"
        plain |= {f"true_{name}": truth.get(name, "") for _, name, _ in PAIRS}
        inside = max(float(truth["spongiosa_mm3"]), 1.0)
        plain |= {f"true_{name}": str(float(truth[f"{name}_mm3"]) / inside) for name in ("lytic", "sclerotic")}
        out.append(plain | {"cause": truth["cause"]})
    return out


def told(folder: Path) -> list[tuple[str, dict[str, str]]]:
    """Arm and truth of each crop."""
    if (folder / "truth.tsv").exists():
        tables_ = [folder / name for name in ("index.tsv", "truth.tsv")]
        index, truth = (list(csv.DictReader(t.open(encoding="utf-8"), delimiter="\t")) for t in tables_)
        return [(i["arm"], t) for i, t in zip(index, truth, strict=True)]
    lines = (folder / "progress.jsonl").read_text("utf-8").splitlines(keepends=True)
    return [(i["arm"], t) for line in lines if line.endswith("\n") for i, t in json.loads(line)["rows"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--grow", type=int, default=0, choices=(-1, 0, 1))
    parser.add_argument("--rows", type=Path, default=Path("signs_on_phantoms.csv"))
    parser.add_argument("--crops", type=Path, help="Nothing is drawn: simulated crops with their signs.tsv.")
    parser.add_argument("--signs", type=Path)
    parser.add_argument("--arm", action="append", default=[])
    options = parser.parse_args()
    if options.crops:
        tables(rows_of_crops(options.crops, options.signs or options.crops / "signs.tsv", options.arm))
        return
    done = read(options.rows)
    seen = {int(r["seed"]) for r in done}
    for seed in range(options.first, options.first + options.count):
        if seed in seen:
            continue
        new = row(seed, CAUSES[seed % len(CAUSES)], options.grow)
        fresh = not options.rows.exists()
        with options.rows.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=sorted(new))
            if fresh:
                writer.writeheader()
            writer.writerow(new)
    tables(read(options.rows))


def read(path: Path) -> list[dict[str, str]]:
    """Rows of an earlier run."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
