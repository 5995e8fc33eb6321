"""The cause's classifier on outlines of the main job's networks beside the drawing's own: AUC, answers, errors.

    python benchmarks/fracture_on_predicted_masks.py [--crops runs/night] [--arm large_test] [--count 500]
        [--masks runs/predicted.npz] [--bundle FOLDER] [--json FILE]

Every figure is simulated. Each stored crop (80 mm) goes through the spine's networks as a CT of its own. That the
column runs through its middle is told, because 80 mm are too little to find a column in, and so is the name; bodies
are placed and outlined by the networks, and the one nearest to the middle is the vertebra, its neighbours are the
other vertebrae. Image and mask are then moved by whole voxels so that the body that was found lies in the middle,
as the main job cuts, and the signs are measured anew. A vertebra that is not found gets no answer.

Neighbours that the crop cuts are outlined worse than in a whole CT, or not at all: "predicted" is a lower bound.
Beside it "own outline" has the vertebra's outline by the networks and its neighbours as drawn, as `wirbel cohort
outline` makes whole folders. `--masks` keeps the outlines; a run that was stopped goes on.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wirbel.cohort.outline import moved
from wirbel.etiology import Calibration
from wirbel.etiology.sign_join import LEVEL_RANK
from wirbel.evaluation import Tier, auc, compare_paired_auc, proportion, tiers_of
from wirbel.finding.signs import Sign, SignSettings
from wirbel.finding.signs.crop import signs_in_crop
from wirbel.network.bundle import SHIPPED
from wirbel.network.crop_outline import load_crop_outliner
from wirbel.network.fracture_scorer import FractureScorer, open_scorer
from wirbel.spine import Level
from wirbel.training.fracture.crop_rows import CropData, CropRow, open_crops
from wirbel.vertebra import NotMeasured, VertebraSettings

#: Bits of a stored mask.
OWN, OTHER, OUTSIDE = 1, 2, 4
AIR_HU = -1024


#: By row: mask bits, and how many voxels the body's middle lies off the crop's; None: not found.
Outlines = dict[int, tuple[np.ndarray, np.ndarray] | None]


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """A crop as the main job would cut it, and how its mask overlaps the drawing's (Dice)."""

    hu: np.ndarray
    bits: np.ndarray
    dice: float


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What the shipped scorer says: the joined log-odds and whether it is unlike the training data."""

    log_odds: np.ndarray
    unlike: np.ndarray


def cut_like_the_main_job(hu: np.ndarray, drawn: np.ndarray, bits: np.ndarray, by: np.ndarray) -> Outlined:
    """Image and outlines around the body that was found."""
    own, true = bits == OWN, (drawn & OWN) > 0
    dice = 2 * np.count_nonzero(own & true) / (np.count_nonzero(own) + np.count_nonzero(true))
    return Outlined(moved(hu, by, AIR_HU), moved(bits, by, OUTSIDE), float(dice))


def said_of(scorer: FractureScorer, hu: np.ndarray, bits: np.ndarray, level: str) -> tuple[float, np.ndarray]:
    """The score of a fracture as `analyze` makes it, and the features."""
    scores = scorer.networks().score(hu[None], (bits & 7)[None])
    members = tuple(scores.log_odds[0].tolist())
    if scorer.join is not None:
        settings = (SignSettings(), VertebraSettings())
        values = signs_in_crop(hu, (bits & OWN) > 0, (bits & OTHER) > 0, *settings).values
        found = {sign.value: values.of(sign) for sign in Sign}
        measured = {k: float(v) for k, v in found.items() if not isinstance(v, NotMeasured)}
        members = scorer.join.joined(members, measured | {LEVEL_RANK: float(Level[level].rank)})
    return float(np.mean(members)), scores.features[0]


def figures(truth: np.ndarray, said: Said, found: np.ndarray, fitted: Calibration) -> dict[str, object]:
    """AUC among the found; answers and errors among all."""
    cut = fitted.tiers
    tier = tiers_of(said.log_odds, benign_below=cut.osteoporotic_below, malignant_from=cut.malignant_from)
    told = np.where(said.unlike | ~found, int(Tier.UNCERTAIN), tier)
    area = auc(truth[found], said.log_odds[found])
    shares = {
        "coverage": (told != Tier.UNCERTAIN, np.ones(len(truth), bool)),
        "called osteoporotic of malignant": (told == Tier.BENIGN, truth),
        "called malignant of osteoporotic": (told == Tier.MALIGNANT, ~truth),
    }
    out: dict[str, object] = {"auc": [round(v, 4) for v in (area.value, area.low, area.high)]}
    for name, (what, among) in shares.items():
        share = proportion(int((what & among).sum()), int(among.sum()))
        out[name] = [int((what & among).sum()), int(among.sum()), *(round(v, 3) for v in (share.low, share.high))]
    return out | {"unlike": int(said.unlike.sum())}


def chosen(rows: Sequence[CropRow], count: int, seed: int) -> list[CropRow]:
    """Fractures of the arm by lot, in the folder's order."""
    broken = [r for r in rows if r.diagnosis.is_fracture]
    order = np.random.default_rng(seed).permutation(len(broken))[:count]
    return [broken[i] for i in sorted(order)]


def kept(path: Path | None) -> Outlines:
    """Outlines of an earlier run, by row."""
    if path is None or not path.is_file():
        return {}
    with np.load(path) as file:
        packed, by, rows = file["bits"], file["by"], file["rows"]
        n = int(file["side"])
    out: Outlines = {}
    for row, bits, off in zip(rows, packed, by, strict=True):
        own, other = (np.unpackbits(b)[: n**3].reshape(n, n, n) for b in bits)
        out[int(row)] = ((own * OWN + other * OTHER).astype(np.uint8), off) if own.any() else None
    return out


def keep(path: Path, made: Outlines, side: int) -> None:
    """Write the outlines; the file appears whole or not at all."""
    nothing = (np.zeros((side,) * 3, np.uint8), np.zeros(3, np.int64))
    each = [made[row] or nothing for row in sorted(made)]
    bits = np.stack([[np.packbits(m == OWN), np.packbits(m == OTHER)] for m, _ in each])
    partial = path.with_suffix(".part.npz")
    np.savez_compressed(partial, bits=bits, by=np.stack([b for _, b in each]), rows=sorted(made), side=side)
    partial.replace(path)


def all_outlined(rows: Sequence[CropRow], data: CropData, path: Path | None, threads: int) -> Outlines:
    """Outlines by row, those of an earlier run and new ones."""
    outline = load_crop_outliner(threads=threads)
    made = kept(path)
    for n, r in enumerate(rows, start=1):
        if r.row not in made:
            got = outline(np.array(data.hu[r.row]))
            made[r.row] = None if got is None else ((got.own * OWN + got.others * OTHER).astype(np.uint8), got.off)
        if path is not None and (n % 25 == 0 or n == len(rows)):
            keep(path, made, data.hu.shape[1])
            print(f"{n} of {len(rows)} outlined (simulated)", flush=True)
    return made


def compared(rows: Sequence[CropRow], data: CropData, made: Outlines, bundle: Path) -> dict[str, object]:
    """Both masks through the same scorer."""
    scorer = open_scorer(bundle, threads=1)
    fitted = scorer.calibrations.fractured
    if fitted is None:
        raise SystemExit("the bundle has no calibration for fractures: recalibrate it first")
    truth = np.array([r.diagnosis.is_malignant for r in rows])
    found = np.array([made[r.row] is not None for r in rows])
    dice = []
    told: dict[str, list[tuple[float, np.ndarray]]] = {"drawn": [], "own outline": [], "predicted": []}
    for r in rows:
        hu, drawn, own = np.array(data.hu[r.row]), np.array(data.mask[r.row]), made[r.row]
        told["drawn"].append(said_of(scorer, hu, drawn, r.vertebra))
        if own is None:
            told["own outline"].append((0.0, told["drawn"][-1][1]))
            told["predicted"].append((0.0, told["drawn"][-1][1]))
            continue
        crop = cut_like_the_main_job(hu, drawn, *own)
        mixed = np.where(own[0] == OWN, OWN, drawn & OTHER).astype(np.uint8)
        told["own outline"].append(said_of(scorer, crop.hu, moved(mixed, own[1], OUTSIDE), r.vertebra))
        dice.append(crop.dice)
        told["predicted"].append(said_of(scorer, crop.hu, crop.bits, r.vertebra))
    said = {}
    report: dict[str, object] = {"simulated": True, "crops": len(rows), "found": int(found.sum())}
    report["dice"] = [round(float(v), 3) for v in (np.mean(dice), *np.quantile(dice, (0.05, 0.5)))]
    for name, each in told.items():
        novelty, features = fitted.novelty, np.stack([f for _, f in each])
        unlike = np.zeros(len(rows), bool) if novelty is None else novelty.distance(features) > novelty.limit
        said[name] = Said(np.array([s for s, _ in each]), unlike)
        there = np.ones(len(rows), bool) if name == "drawn" else found
        report[name] = figures(truth, said[name], there, fitted)
    for name in ("own outline", "predicted"):
        pair = compare_paired_auc(truth[found], said[name].log_odds[found], said["drawn"].log_odds[found])
        apart = [round(getattr(pair.difference, k), 4) for k in ("value", "low", "high")]
        report[f"{name} less drawn, difference in AUC"] = apart
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=Path, default=Path("runs/night"))
    parser.add_argument("--arm", default="large_test")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--bundle", type=Path, default=SHIPPED / "fracture")
    parser.add_argument("--masks", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    data = open_crops(given.crops)
    if not data.simulated:
        raise SystemExit("these crops are not simulated: this page says that all are")
    rows = chosen(data.arm(given.arm), given.count, given.seed)
    report = compared(rows, data, all_outlined(rows, data, given.masks, given.threads), given.bundle)
    print(json.dumps(report, indent=1))
    if given.json is not None:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
