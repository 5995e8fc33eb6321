"""The whole chain on drawn CTs of seeds that no training uses: found, named, outlined, measured.

    python benchmarks/spine_on_phantoms.py --count 100 [--bundle DIR] [--variants] [--any-slice] [--fractures 4]

Every figure is simulated. Seeds start at 800,000. Slices are 1 mm apart and, unless `--any-slice` asks for a
scanner at random, come from the named protocols with slices of 0.6 to 1.25 mm (a smooth to a lung kernel).
`--variants`: people with T13, L6, sacralised L5 or missing ribs only, the field of view holding T1, or ribs and
sacrum, where the variant can be told from it. Verdicts are those of the whole chain, through the networks.
`--fractures`: so many a person from T5 to L4, no two of them neighbours, grades 1 to 3 and shapes by lot, T3 to L5
in view; for the kappas of Genant's grades.
`--columns FILE` keeps what the naming decoder was given, a line a person, for `naming_on_kept_columns.py`.
"""

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np

from wirbel.finding import FindingSettings, Grade, Shape, Verdict, find_all
from wirbel.network import load_bundle, load_spine_segmenter
from wirbel.phantom import AnatomySettings, draw_anatomy, random_scanner, whole_grid
from wirbel.phantom.anatomy import Anatomy
from wirbel.phantom.scanners import SCANNERS
from wirbel.phantom.simulate import SimulatedCt, simulate
from wirbel.spine import Level, NumberingStatus, Part, Spine, SpineEvidence, Variant
from wirbel.spine.naming import column_seen, name_levels
from wirbel.spine.settings import SpineSettings
from wirbel.vertebra import BodyHeights, VertebraSettings, measure_all
from wirbel.volume import Acquisition, Grid, Plane
from wirbel.volume.resample import resample_labels

FIRST_SEED = 800_000
#: A body found so near to a true one is that one.
SAME_MM = 10.0
#: Levels that Genant's grades are for.
GRADED = tuple(level for level in Level if Level.T4.rank <= level.rank <= Level.L4.rank)
#: Where fractures are drawn when they are asked for.
BROKEN = tuple(level for level in GRADED if level.rank >= Level.T5.rank)
#: Variants that show from above, and those that show from below.
RIBS, LUMBAR = (Variant.T11_ONLY, Variant.T13), (Variant.L4_ONLY, Variant.L6)
THIN = tuple(scanner for scanner in SCANNERS.values() if scanner.slice_mm <= 1.25)


def field_of_view(
    anatomy: Anatomy, spacing_mm: float, rng: np.random.Generator, odd: Variant | None = None
) -> Grid:
    """A chest with T1, an abdomen with ribs and sacrum, or both, as wide as the trunk.

    Where a variant can be told: eleven or thirteen ribs with T1, four or six lumbar vertebrae with ribs and sacrum.
    An abdomen with thirteen ribs shows five lumbar vertebrae below the last rib, as every abdomen does.
    """
    whole = whole_grid(anatomy, (spacing_mm, spacing_mm, spacing_mm))
    z = {v.level: float(v.centre_lps_mm[2]) for v in anatomy.truth.vertebrae}
    top = z[Level.C6] + rng.uniform(0, 40)
    bottom = float(anatomy.truth.sacrum_lps_mm[2]) - rng.uniform(20, 60)
    blind = 1 if odd in RIBS else 0 if odd in LUMBAR else None
    kind = rng.integers(3) if blind is None else rng.choice([k for k in range(3) if k != blind])
    if kind == 0:
        bottom = z[Level.L1] - rng.uniform(-10, 40)
    if kind == 1:
        top = z[Level.T9] + rng.uniform(0, 50)
    low, high = (whole.to_voxel(np.array([[0.0, 0.0, v]]))[0, 0] for v in (bottom, top))
    return whole.cropped(
        (int(max(0, low)), 0, 0), (int(min(whole.shape[0], high)), whole.shape[1], whole.shape[2])
    )


def broken_at(rng: np.random.Generator, count: int) -> tuple[tuple[Level, Shape, Grade], ...]:
    """Fractures by lot, no two of them neighbours."""
    free, out = list(BROKEN), []
    for _ in range(count):
        level = free[int(rng.integers(len(free)))]
        free = [other for other in free if abs(other.rank - level.rank) > 1]
        shape = (Shape.WEDGE, Shape.BICONCAVE, Shape.CRUSH)[int(rng.integers(3))]
        out.append((level, shape, Grade(int(rng.integers(1, 4)))))
    return tuple(out)


def trunk_view(anatomy: Anatomy, spacing_mm: float) -> Grid:
    """Everything from T3 to L5, as wide as the trunk."""
    whole = whole_grid(anatomy, (spacing_mm, spacing_mm, spacing_mm))
    z = {v.level: float(v.centre_lps_mm[2]) for v in anatomy.truth.vertebrae}
    ends = z[Level.L5] - 30.0, z[Level.T3] + 15.0
    low, high = (int(whole.to_voxel(np.array([[0.0, 0.0, v]]))[0, 0]) for v in ends)
    return whole.cropped((max(0, low), 0, 0), (min(high, whole.shape[0]), whole.shape[1], whole.shape[2]))


def kappas(verdicts: list[list[int]], *, with_normal: bool) -> dict[str, float]:
    """Cohen's kappa, quadratic and unweighted, every true grade counting alike; ungraded ones are left out."""
    table = np.zeros((4, 4))
    for true, _, given in verdicts:
        if given >= 0 and (with_normal or true > 0):
            table[true, given] += 1
    rows = table.sum(axis=1, keepdims=True)
    table = np.divide(table, rows, out=np.zeros_like(table), where=rows > 0)
    chance = table.sum(axis=1)[:, None] * table.sum(axis=0)[None, :] / table.sum()
    off = np.subtract.outer(np.arange(4), np.arange(4))
    weights = {"quadratic": off**2.0, "unweighted": (off != 0).astype(float)}
    return {k: round(float(1 - (w * table).sum() / (w * chance).sum()), 3) for k, w in weights.items()}


def whole_in_view(made: SimulatedCt, instance: int) -> bool:
    """Whether the body lies inside the field of view."""
    body = np.nonzero((made.labels.instances == instance) & (made.labels.parts == Part.BODY))[0]
    return len(body) > 0 and body.min() > 1 and body.max() < made.ct.grid.shape[0] - 2


def figures(anatomy: Anatomy, made: SimulatedCt, spine: Spine, spacing_mm: float) -> dict[str, object]:
    """One person's figures: lists over complete vertebrae."""
    truth = [v for v in anatomy.truth.vertebrae if whole_in_view(made, v.instance)]
    mine = resample_labels(spine.instances, made.ct.grid).labels
    centres = np.array([v.centre_lps_mm for v in spine.vertebrae]).reshape(-1, 3)
    acquisition = Acquisition(Plane.AXIAL, spacing_mm, spacing_mm)
    measured = measure_all(made.ct, spine, VertebraSettings(), acquisition)
    measures = {m.label: m for m in measured}
    judged = find_all(made.ct, spine, measured, FindingSettings(), acquisition).vertebrae
    findings = {finding.label: finding for finding in judged}
    found, named, dice, error, verdicts = [], [], [], [], []
    for v in truth:
        apart = np.linalg.norm(centres - v.centre_lps_mm, axis=1) if len(centres) else np.array([np.inf])
        k = int(np.argmin(apart))
        found.append(bool(apart[k] <= 20))
        named.append(bool(found[-1] and spine.vertebrae[k].level is v.level))
        whole = made.labels.instances == v.instance
        label = spine.vertebrae[k].label if found[-1] else 0
        both = int((mine[whole] == label).sum()) if label else 0
        dice.append(2 * both / (int(whole.sum()) + int((mine == label).sum())) if label else 0.0)
        heights = measures[label].heights if label else None
        if isinstance(heights, BodyHeights):
            pairs = zip(dataclasses.astuple(heights.median), dataclasses.astuple(v.shape.heights), strict=True)
            error.extend(abs(a - b) for a, b in pairs)
        if label and v.level in GRADED:
            mine_is = findings[label]
            grade = int(mine_is.grade) if isinstance(mine_is.grade, Grade) else -1
            verdicts.append([int(v.grade), mine_is.verdict.value, grade])
    return {"found": found, "named": named, "dice": dice, "height_error_mm": error} | {
        "column": column_of(anatomy, spine),
        "verdicts": verdicts,
    }


def kept_column(seed: int, odd: Variant | None, anatomy: Anatomy, evidence: SpineEvidence) -> dict[str, object]:
    """What the decoder is given, and the name of the true body that lies nearest to each (None: none near)."""
    centres = np.array([v.centre_lps_mm for v in anatomy.truth.vertebrae])
    column = column_seen(evidence)
    vertebrae = []
    for v in column.vertebrae:
        apart = np.linalg.norm(centres - v.centre_lps_mm, axis=1)
        true = anatomy.truth.vertebrae[int(np.argmin(apart))].level.name if apart.min() <= SAME_MM else None
        plain = {f.name: getattr(v, f.name) for f in dataclasses.fields(v)}
        plain["centre_lps_mm"] = [round(float(x), 2) for x in v.centre_lps_mm]
        plain["level_log_probability"] = {k.name: round(p, 4) for k, p in v.level_log_probability.items()}
        vertebrae.append({**plain, "true": true})
    rest = {"sacrum_below": column.sacrum_below, "skull_above": column.skull_above}
    return {
        "seed": seed, "variant": odd.value if odd else None, "vertebrae": vertebrae,
        "distances_mm": column.distances_mm, "sizes_mm": column.sizes_mm, **rest,
    }  # fmt: skip


def column_of(anatomy: Anatomy, spine: Spine) -> str:
    """Right when every body that lies on a true one has its name: the rule of `wirbel evaluate spine`."""
    if spine.numbering.status is NumberingStatus.RELATIVE:
        return "refused"
    centres = np.array([v.centre_lps_mm for v in anatomy.truth.vertebrae])
    apart = [np.linalg.norm(centres - v.centre_lps_mm, axis=1) for v in spine.vertebrae]
    pairs = [(v, int(np.argmin(a))) for v, a in zip(spine.vertebrae, apart, strict=True) if a.min() <= SAME_MM]
    return "right" if all(v.level is anatomy.truth.vertebrae[k].level for v, k in pairs) else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--spacing", type=float, default=1.0)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--variants", action="store_true")
    parser.add_argument("--any-slice", action="store_true")
    parser.add_argument("--fractures", type=int, default=0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--columns", type=Path)
    options = parser.parse_args()
    bundle = load_bundle(options.bundle) if options.bundle else None
    segment = load_spine_segmenter(bundle=bundle, threads=options.threads)
    rows: list[dict[str, object]] = []
    for seed in range(options.first, options.first + options.count):
        rng = np.random.default_rng(seed)
        odd = Variant(rng.choice([v.value for v in Variant])) if options.variants else None
        settings = AnatomySettings(
            variant=odd,
            variant_chance=0.0,
            rib_variant_chance=0.25 if options.variants else 0.0,
            fractures=broken_at(rng, options.fractures) if options.fractures else (),
        )
        anatomy = draw_anatomy(rng, settings)
        start = time.perf_counter()
        some = (anatomy, options.spacing)
        view = trunk_view(*some) if options.fractures else field_of_view(*some, rng, odd)
        scanner = random_scanner(rng) if options.any_slice else THIN[int(rng.integers(len(THIN)))]
        made = simulate(anatomy, view, scanner, rng)
        drawn = time.perf_counter()
        evidence = segment(made.ct)
        spine = name_levels(evidence, SpineSettings())
        if options.columns:
            with options.columns.open("a", encoding="utf-8") as file:
                file.write(json.dumps(kept_column(seed, odd, anatomy, evidence)) + "\n")
        row = figures(anatomy, made, spine, options.spacing)
        rows.append(row)
        print(
            f"{seed}: {scanner.name}, column {row['column']}, found {np.mean(row['found']):.2f}, "
            f"named {np.mean(row['named']):.2f}, "
            f"Dice {np.mean(row['dice']):.3f}, drawn in {drawn - start:.0f} s, "
            f"analysed in {time.perf_counter() - drawn:.0f} s",
            flush=True,
        )
        if options.json:  # after each person: a run that is stopped has its figures
            options.json.write_text(json.dumps({"simulated": True, "summary": summary(rows), "rows": rows}))
    print(json.dumps(summary(rows)))


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    """Means over all complete vertebrae, and how columns were numbered."""

    def pooled(key: str) -> np.ndarray:
        return np.concatenate([np.asarray(row[key], dtype=float) for row in rows])

    numbered = [row for row in rows if row["column"] != "refused"]
    judged = [v for row in rows for v in row["verdicts"]]  # type: ignore[attr-defined]
    sound = [verdict == Verdict.FRACTURE for true, verdict, _ in judged if not true]
    broken = [verdict == Verdict.FRACTURE for true, verdict, _ in judged if true >= 2]
    return {
        "simulated": True,
        "people": len(rows),
        "vertebrae": len(pooled("found")),
        "detection": round(float(pooled("found").mean()), 4),
        "dice_vertebra": round(float(pooled("dice").mean()), 4),
        "height_mae_mm": round(float(pooled("height_error_mm").mean()), 3),
        "false_fractures_of_normal": f"{sum(sound)}/{len(sound)}",
        "grades_2_3_found": f"{sum(broken)}/{len(broken)}",
        "fractures": sum(true > 0 for true, _, _ in judged),
        "kappa": kappas(judged, with_normal=True) if broken else None,
        "kappa_fractured_only": kappas(judged, with_normal=False) if broken else None,
        "columns": {k: sum(row["column"] == k for row in rows) for k in ("right", "refused", "wrong")},
        "identification_among_numbered": round(float(np.mean([n for r in numbered for n in r["named"]])), 4)  # type: ignore[attr-defined]
        if numbered
        else None,
    }


if __name__ == "__main__":
    main()
