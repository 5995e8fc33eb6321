"""How a classifier's networks stand disturbances: AUC, coverage, errors and refusals by strength, on drawn crops.

    python benchmarks/fracture_robustness.py --bundle FOLDER [--crops runs/night] [--count 200] [--attacked 60]
        [--table docs/fracture-robustness.tsv] [--page docs/fracture-robustness.md]
        [--image docs/images/fracture/robustness.png] [--pages-alone]

Every figure is simulated. One disturbance at a time (`wirbel.training.fracture.perturb`, `.attack`) of a fixed,
balanced subset of an arm, scored through the bundle's own files with its own calibration, refusal and certified
tiers. The table is written after every step, and the same command goes on where it was stopped; `--pages-alone`
remakes page and image from it. Adversarial steps take their gradients from the bundle's own weights, rebuilt in
torch and compared with ONNX Runtime first. The bundle is one of networks alone: where signs are joined, the
calibration is that of the sum, and signs are not measured anew here.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from fracture_robustness_page import (
    ATTACKED,
    CLEAN,
    CLEAN_SUBSET,
    PHASES,
    SIGNS,
    Row,
    curves,
    page,
    read_table,
    write_table,
)

from wirbel.cohort.appraisal import open_crops as open_index
from wirbel.cohort.appraisal import read_cases
from wirbel.etiology import Calibration
from wirbel.etiology.network_input import central
from wirbel.etiology.sign_join import JOIN
from wirbel.evaluation import Estimate, Tier, auc, compare_paired_auc, proportion, tiers_of
from wirbel.network.fracture import FractureNetworks
from wirbel.network.fracture_scorer import open_scorer
from wirbel.training.fracture.attack import TorchMember, attacked, channels_of, torch_members
from wirbel.training.fracture.crop_rows import CropData, CropRow, open_crops
from wirbel.training.fracture.perturb import (
    enhanced,
    grown,
    joined,
    moved,
    noise_added_hu,
    noisy,
    sharpened,
    sliced,
    sliced_mask,
    smoothed,
    streaked,
)

#: HU by which an attacker may change any voxel, and how many gradient steps are taken.
BOUNDS_HU, STEPS = (2, 5, 10), 4
#: Correlated noise has this Gaussian in the axial plane.
GRAIN_MM = 0.8
ARM = "large_test"
#: How far torch may lie from ONNX Runtime in log-odds.
SAME = 0.02
#: Fewer cases of a class say nothing of a contrast phase.
LEAST_OF_A_PHASE = 10


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A stored crop as float32 HU, its mask's bits, and the noise that the drawing put in (HU)."""

    hu: np.ndarray
    mask: np.ndarray
    noise_hu: float


Disturb = Callable[[Crop, np.random.Generator], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Group:
    """Disturbances of one kind in the order of the figure; None stands for the undisturbed crop."""

    name: str
    says: str
    steps: Mapping[str, Disturb | None]


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Ensemble log-odds and features of n crops."""

    log_odds: np.ndarray
    features: np.ndarray


def image(how: Callable[[Crop, np.random.Generator], np.ndarray]) -> Disturb:
    """Only the values change."""
    return lambda crop, rng: (how(crop, rng), crop.mask)


def outline(how: Callable[[Crop, np.random.Generator], np.ndarray]) -> Disturb:
    """Only the mask changes."""
    return lambda crop, rng: (crop.hu, how(crop, rng))


def thick(mm: int) -> Disturb:
    """Image and mask on thick slices that begin anywhere."""

    def cut(crop: Crop, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        first = int(rng.integers(mm))
        return sliced(crop.hu, mm, first), sliced_mask(crop.mask, mm, first)

    return cut


def dose(share: float) -> Disturb:
    """A share of the dose: correlated noise beside what the drawing has."""
    return image(lambda c, r: noisy(c.hu, noise_added_hu(c.noise_hu, share), r, grain_mm=GRAIN_MM))


def groups() -> tuple[Group, ...]:
    """All disturbances of image and mask."""
    return (
        Group("kernel", "soft: sigma, mm; hard: unsharp share", {
            "soft 1.5": image(lambda c, r: smoothed(c.hu, 1.5)), "soft 1": image(lambda c, r: smoothed(c.hu, 1.0)),
            "soft 0.5": image(lambda c, r: smoothed(c.hu, 0.5)), "0": None,
            "hard 1": image(lambda c, r: sharpened(c.hu, 1.0)), "hard 2": image(lambda c, r: sharpened(c.hu, 2.0)),
        }),
        Group("white noise", "added, HU", {"0": None, **{
            f"{s}": image(lambda c, r, s=s: noisy(c.hu, s, r)) for s in (10, 20, 40)}}),
        Group("dose", "share; correlated noise", {
            "1": None, "1/2": dose(0.5), "1/4": dose(0.25), "1/10": dose(0.1)}),
        Group("slice thickness", "mm", {"1": None, **{f"{mm}": thick(mm) for mm in (2, 3, 4, 5)}}),
        Group("offset", "HU", {**{f"{o:+d}": None if o == 0 else image(lambda c, r, o=o: c.hu + np.float32(o))
                                  for o in (-40, -20, 0, 20, 40)}}),
        Group("gain", "factor", {**{f"{g:g}": None if g == 1 else image(lambda c, r, g=g: c.hu * np.float32(g))
                                    for g in (0.9, 1, 1.1)}}),
        Group("soft tissue brighter", "HU", {"0": None, **{
            f"{s}": image(lambda c, r, s=s: enhanced(c.hu, c.mask, s)) for s in (20, 40)}}),
        Group("metal streaks", "HU at the rods", {"0": None, **{
            f"{s}": image(lambda c, r, s=s: streaked(c.hu, s, r)) for s in (50, 100, 200)}}),
        Group("outline tight or wide", "voxels", {**{
            f"{v:+d}": None if v == 0 else outline(lambda c, r, v=v: grown(c.mask, v))
            for v in (-2, -1, 0, 1, 2)}}),
        Group("outline moved", "mm", {"0": None, **{
            f"{s}": outline(lambda c, r, s=s: moved(c.mask, s, r)) for s in (2, 4)}}),
        Group("neighbour taken in", "mm above the upper end", {"0": None, **{
            f"{s}": outline(lambda c, r, s=s: joined(c.mask, s)) for s in (10, 20)}}),
    )  # fmt: skip


def chosen(rows: Sequence[CropRow], a_class: int, rng: np.random.Generator) -> list[CropRow]:
    """As many malignant fractures as osteoporotic ones, in the folder's order."""
    some: list[CropRow] = []
    for malignant in (False, True):
        own = [r for r in rows if r.diagnosis.is_fracture and r.diagnosis.is_malignant is malignant]
        some += [own[i] for i in rng.permutation(len(own))[:a_class]]
    return sorted(some, key=lambda r: r.row)


def crops_of(data: CropData, rows: Sequence[CropRow]) -> Iterator[Crop]:
    """The crops one by one."""
    for r in rows:
        yield Crop(data.hu[r.row].astype(np.float32), np.array(data.mask[r.row]), noise_of(r))


def noise_of(row: CropRow) -> float:
    """What the drawing put in (HU); NaN where the cohort does not say."""
    return float(dict(row.truth).get("noise_hu") or "nan")


def disturbed(
    data: CropData, rows: Sequence[CropRow], how: Disturb | None, seed: int, size: tuple[int, int, int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What the networks are shown, as it would be stored: whole HU. A crop's random part depends on its row."""
    for r, crop in zip(rows, crops_of(data, rows), strict=True):
        hu, mask = (crop.hu, crop.mask) if how is None else how(crop, np.random.default_rng([seed, r.row]))
        yield central(np.clip(np.rint(hu), -1024, 32767).astype(np.int16), size), central(mask, size)


def said_of(networks: FractureNetworks, crops: Iterator[tuple[np.ndarray, np.ndarray]]) -> Said:
    """The ensemble's log-odds and features through the bundle's own files."""
    each = [networks.score(hu[None], mask[None]) for hu, mask in crops]
    return Said(
        np.concatenate([s.log_odds.mean(axis=1) for s in each]), np.concatenate([s.features for s in each])
    )


def judged(
    group: str, step: str, truth: np.ndarray, said: Said, before: Said | None, fitted: Calibration
) -> Row:
    """Everything of one step."""
    cut = fitted.tiers
    tier = tiers_of(said.log_odds, benign_below=cut.osteoporotic_below, malignant_from=cut.malignant_from)
    unlike = np.zeros(len(truth), dtype=bool)
    if fitted.novelty is not None:
        unlike = fitted.novelty.distance(said.features) > fitted.novelty.limit
    told = np.where(unlike, int(Tier.UNCERTAIN), tier)

    def shares(answers: np.ndarray) -> tuple[Estimate, Estimate, Estimate]:
        decided = answers != Tier.UNCERTAIN
        missed, alarm = truth & (answers == Tier.BENIGN), ~truth & (answers == Tier.MALIGNANT)
        return (
            proportion(int(decided.sum()), len(truth)), proportion(int(missed.sum()), int(truth.sum())),
            proportion(int(alarm.sum()), int((~truth).sum())),
        )  # fmt: skip

    area, plain = auc(truth, said.log_odds), shares(tier)
    figures = (area, changed(truth, said, before), *shares(told), proportion(int(unlike.sum()), len(truth)))
    flat = [None if f is None else getattr(f, part) for f in figures for part in ("value", "low", "high")]
    shift = 0.0 if before is None else float((said.log_odds - before.log_odds).mean())
    return Row(group, step, len(truth), int(truth.sum()), *flat, *(p.value for p in plain), shift)  # type: ignore[arg-type]  # floats in the order of the fields


def changed(truth: np.ndarray, said: Said, before: Said | None) -> Estimate | None:
    """The paired difference of the areas; None where there is nothing to compare with, or no interval."""
    if before is None:
        return None
    try:
        return compare_paired_auc(truth, said.log_odds, before.log_odds).difference
    except ValueError:  # both separate perfectly: no variance
        return None


def attack_rows(
    networks: FractureNetworks, data: CropData, rows: Sequence[CropRow], fitted: Calibration, seed: int
) -> Iterator[Row | str]:
    """Adversarial changes, and random signs of the same size; first a line on whose gradients they are."""
    shown = list(disturbed(data, rows, None, seed, networks.about.crop.size))
    hu, mask = np.stack([h for h, _ in shown]), np.stack([m for _, m in shown])
    truth = np.array([r.diagnosis.is_malignant for r in rows])
    members = torch_members(networks)
    off = torch_off(networks, members, hu[:16], mask[:16])
    if off > SAME:
        raise SystemExit(f"torch and ONNX Runtime differ by {off:.3g} in log-odds: not the same weights")
    yield f"{off:.1e}"
    before = said_of(networks, zip(hu, mask, strict=True))
    yield judged(CLEAN, CLEAN_SUBSET, truth, before, None, fitted)
    signs = np.random.default_rng(seed).choice(np.array([-1, 1], np.int16), hu.shape)
    for bound in BOUNDS_HU:
        worse = attacked(members, networks.about.kind, hu, mask, truth, bound_hu=bound, steps=STEPS)
        for name, changed_hu in ((ATTACKED, worse), (SIGNS, hu + np.int16(bound) * signs)):
            said = said_of(networks, zip(changed_hu, mask, strict=True))
            yield judged(name, f"{bound}", truth, said, before, fitted)


def torch_off(
    networks: FractureNetworks, members: Sequence[TorchMember], hu: np.ndarray, mask: np.ndarray
) -> float:
    """The largest difference of any member's log-odds between torch and ONNX Runtime."""
    with torch.no_grad():
        images = channels_of(torch.from_numpy(hu.astype(np.float32)), mask, networks.about.kind)
        ours = torch.stack([member(images) for member in members], dim=1).numpy()
    return float(np.abs(ours - networks.score(hu, mask).log_odds).max())


def phase_rows(
    crops: Path, data: CropData, networks: FractureNetworks, fitted: Calibration, given: argparse.Namespace
) -> Iterator[Row]:
    """Undisturbed crops of each contrast phase, as many of each class."""
    arm = read_cases(crops, open_index(crops)).arm(given.arm)
    phase = {} if arm is None else {c.row: c.contrast or "not known" for c in arm.cases}
    for name in sorted(set(phase.values())):
        own = [r for r in data.arm(given.arm) if phase.get(r.row) == name]
        rows = chosen(own, given.phases, np.random.default_rng(given.seed))
        truth = np.array([r.diagnosis.is_malignant for r in rows])
        if min(int(truth.sum()), int((~truth).sum())) < LEAST_OF_A_PHASE:
            continue
        said = said_of(networks, disturbed(data, rows, None, given.seed, networks.about.crop.size))
        yield judged(PHASES, name, truth, said, None, fitted)


def measure(given: argparse.Namespace) -> None:
    """Score everything; the table is written after every step."""
    began = time.process_time()
    torch.set_num_threads(1)
    scorer = open_scorer(given.bundle, threads=1)
    fitted, networks = scorer.calibrations.fractured, scorer.networks()
    if fitted is None:
        raise SystemExit("the bundle has no calibration for fractures: recalibrate it first")
    data = open_crops(given.crops)
    if not data.simulated:
        raise SystemExit("these crops are not simulated: this page says that all are")
    rows = chosen(data.arm(given.arm), given.count // 2, np.random.default_rng(given.seed))
    truth = np.array([r.diagnosis.is_malignant for r in rows])
    if truth.all() or not truth.any():
        raise SystemExit(f"arm {given.arm!r} has not both classes of fractures")
    promise = fitted.tiers.promise
    noise = np.median([noise_of(r) for r in rows])
    usual = given.bundle == Path("runs/fracture/b2/bundle")
    about = {
        "all figures": "simulated; research use only",
        "bundle": scorer.about.name,
        "sha256": scorer.bundle.sha256[:12], "arm": given.arm, "seed": f"{given.seed}",
        "alpha_missed": f"{promise.alpha_missed:.2f}", "alpha_false_alarm": f"{promise.alpha_false_alarm:.2f}",
        "noise": f"{noise:.0f}", "steps": f"{STEPS}", "n_attacked": f"{given.attacked // 2 * 2}",
        "command": f"python benchmarks/fracture_robustness.py --crops {given.crops} --count {given.count} "
        f"--attacked {given.attacked} --phases {given.phases} --seed {given.seed}"
        + ("" if usual else f" --bundle {given.bundle}")
        + ("" if given.arm == ARM else f" --arm {given.arm}"),
    }  # fmt: skip
    done, spent_min = begun(given.table, about)
    have = {(row.group, row.step) for row in done}
    for row in all_rows(networks, data, rows, fitted, given, about, have):
        if (row.group, row.step) not in have:
            done.append(row)
            about["cpu"] = f"{spent_min + (time.process_time() - began) / 60:.1f} minutes"
            write_table(given.table, done, about)
            print(f"{row.group} {row.step}: AUC {row.cell('auc')}, coverage {row.cell('coverage')}, refused "
                  f"{row.refused:.2f} (simulated); {about['cpu']}", flush=True)  # fmt: skip


def all_rows(
    networks: FractureNetworks, data: CropData, rows: Sequence[CropRow], fitted: Calibration,
    given: argparse.Namespace, about: dict[str, str], have: set[tuple[str, str]],
) -> Iterator[Row]:  # fmt: skip
    """Every step that is not there yet."""
    truth = np.array([r.diagnosis.is_malignant for r in rows])
    size = networks.about.crop.size
    before = said_of(networks, disturbed(data, rows, None, given.seed, size))
    yield judged(CLEAN, "all", truth, before, None, fitted)
    if (SIGNS, f"{BOUNDS_HU[-1]}") not in have:
        some = chosen(rows, given.attacked // 2, np.random.default_rng(given.seed))
        for told in attack_rows(networks, data, some, fitted, given.seed):
            if isinstance(told, Row):
                yield told
            else:
                about["torch"] = told
    known_noise = all(np.isfinite(noise_of(r)) for r in rows)
    for group in groups():
        for step, how in group.steps.items():
            if how is None or (group.name, step) in have or (group.name == "dose" and not known_noise):
                continue
            said = said_of(networks, disturbed(data, rows, how, given.seed, size))
            yield judged(group.name, step, truth, said, before, fitted)
    yield from phase_rows(given.crops, data, networks, fitted, given)


def begun(table: Path, about: dict[str, str]) -> tuple[list[Row], float]:
    """The rows of an earlier run of the same command on the same bundle, and the minutes it took."""
    if not table.is_file():
        return [], 0.0
    rows, before = read_table(table)
    if any(before.get(key) != about[key] for key in ("sha256", "arm", "command")):
        return [], 0.0
    about.update({key: before[key] for key in ("torch", "cpu") if key in before})
    return rows, float(before.get("cpu", "0").split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=Path, default=Path("runs/night"))
    parser.add_argument("--bundle", type=Path, default=Path("runs/fracture/b2/bundle"))
    parser.add_argument("--arm", default=ARM)
    parser.add_argument("--count", type=int, default=200, help="crops, half of them malignant")
    parser.add_argument("--attacked", type=int, default=60, help="of these under attack")
    parser.add_argument("--phases", type=int, default=50, help="crops a class and contrast phase")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--table", type=Path, default=Path("docs/fracture-robustness.tsv"))
    parser.add_argument("--page", type=Path, default=Path("docs/fracture-robustness.md"))
    parser.add_argument("--image", type=Path, default=Path("docs/images/fracture/robustness.png"))
    parser.add_argument("--pages-alone", action="store_true", help="from the table that is there")
    given = parser.parse_args()
    if not given.pages_alone:
        if (given.bundle / JOIN).exists():
            parser.error(f"{given.bundle} joins signs to its networks: name the bundle of the networks alone")
        measure(given)
    rows, about = read_table(given.table)
    kinds = [(g.name, g.says, {s: how is None for s, how in g.steps.items()}) for g in groups()]
    curves(rows, kinds, given.image)
    name = os.path.relpath(given.image, given.page.parent)
    given.page.write_text(page(rows, kinds, about, name), encoding="utf-8")


if __name__ == "__main__":
    main()
