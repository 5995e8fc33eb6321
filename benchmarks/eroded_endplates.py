"""Endplates eroded on both sides of a disc: drawn spondylodiscitis, what might look like it, and real vertebrae.

    python benchmarks/eroded_endplates.py CROPS [--scores scores.tsv --calibration calibration.json] [-o OUT]
    python benchmarks/eroded_endplates.py CROPS --networks [--most 15]
    python benchmarks/eroded_endplates.py --real [--masks FOLDER] [--data FOLDER]

CROPS is a folder of simulated crops; how many of each cause are sampled says `PLAN`. Half of the discitis (each
second one) and the training arms chose the threshold, the rest judges it. With scores and the calibration of the
classifier that gave them: what it answers for the same crops by the certified rule, and what is left of that where
the sign stands out. `--networks`: the vertebrae are outlined by the networks that ship, not by the drawing (17 s a
crop); one that they do not find is not measured. `--real`: every complete body of the annotated CTs, with masks of
the hand-out or earlier ones.
"""

import argparse
import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from forced_scores_on_real import DEFAULT_DATA, MASKED, ct_path, inputs, segmenter_of

from wirbel.cohort.crops import HU_FILE, MASK_FILE
from wirbel.cohort.signs import index_of
from wirbel.etiology import Calibration, Tier, read_calibration, tier_of
from wirbel.finding.signs import Sign, SignSettings, signs_of_all
from wirbel.finding.signs.crop import signs_in_crop
from wirbel.finding.signs.usual import USUAL_AT_MOST
from wirbel.ingest import read_study
from wirbel.network import load_spine_segmenter
from wirbel.network.fracture_scorer import complete
from wirbel.study import Settings, StudySeries, analyse
from wirbel.vertebra import NotMeasured, VertebraSettings

DISCITIS = "spondylodiscitis"
#: (arm, cause, most of them).
PLAN = (
    ("discitis", DISCITIS, 30), ("large_unfractured", "erosive_endplate", 12),
    ("train", "osteoporotic_fracture", 40), ("train", "malignant_fracture", 40), ("train_sound", "normal", 30),
    ("train_sound", "erosive_endplate", 15), ("train_sound", "schmorl", 15), ("train_sound", "degenerate", 15),
    ("large_test", "osteoporotic_fracture", 75), ("large_test", "malignant_fracture", 75),
    ("large_unfractured", "normal", 100), ("large_unfractured", "schmorl", 13),
    ("large_unfractured", "degenerate", 13),
    ("large_unfractured", "malignant_lesion", 40),
)  # fmt: skip
#: Bits of a stored mask.
OWN, OTHER = 1, 2
LIMIT = USUAL_AT_MOST[Sign.ENDPLATES]


@dataclass(frozen=True, slots=True)
class Read:
    """One crop; `share` is None where it was not measured."""

    row: int
    arm: str
    cause: str
    share: float | None


def chosen(crops: Path, seed: int, at_most: int) -> Iterator[tuple[int, str, str]]:
    """The crops of the plan."""
    index, rng = index_of(crops), np.random.default_rng(seed)
    for arm, cause, most in PLAN:
        rows = [row for row, line in index.items() if line["arm"] == arm and line["cause"] == cause]
        for row in sorted(rng.choice(rows, min(most, at_most, len(rows)), replace=False).tolist()) if rows else ():
            yield row, arm, cause


def measured(
    crops: Path, seed: int, kept: Path | None, at_most: int, outline: Callable[[np.ndarray], np.ndarray] | None
) -> list[Read]:
    """The sign of each; goes on where a table that was kept ends."""
    before = [] if kept is None or not kept.is_file() else kept.read_text("utf-8").splitlines()
    done = {int(line.split("\t")[0]): line.split("\t")[1] for line in before}
    hu, mask = (np.load(crops / name, mmap_mode="r") for name in (HU_FILE, MASK_FILE))
    out = []
    for row, arm, cause in chosen(crops, seed, at_most):
        if row not in done:
            image = np.array(hu[row])
            bits = np.array(mask[row]) if outline is None else outline(image)
            own, others = (bits & OWN) > 0, (bits & OTHER) > 0
            signs = signs_in_crop(image, own, others, SignSettings(), VertebraSettings())
            value = signs.values.of(Sign.ENDPLATES)
            done[row] = "" if isinstance(value, NotMeasured) else f"{value:.4f}"
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(f"{row}\t{done[row]}\n")
        out.append(Read(row, arm, cause, float(done[row]) if done[row] else None))
    return out


def by_networks() -> Callable[[np.ndarray], np.ndarray]:
    """Outlines of a crop by the networks; empty where they do not find its vertebra."""
    from fracture_on_predicted_masks import outlined  # noqa: PLC0415  # asked for by one option alone

    segment = load_spine_segmenter()

    def outline(hu: np.ndarray) -> np.ndarray:
        found = outlined(hu, segment)
        return np.zeros(hu.shape, np.uint8) if found is None else found[0]

    return outline


def separation(read: Sequence[Read]) -> list[str]:
    """How often the sign stands out, by arm and cause."""
    lines = [
        f"## Simulated crops: more than {LIMIT} of both plates of a disc eroded",
        "",
        "| arm | cause | crops | not measured | stands out | median | largest |",
        "|---|---|---|---|---|---|---|",
    ]
    discitis = [r for r in read if r.cause == DISCITIS]
    halves = (("discitis, half that chose", discitis[::2]), ("discitis, other half", discitis[1::2]))
    groups = [(name, DISCITIS, half) for name, half in halves]
    groups += [(a, c, [r for r in read if (r.arm, r.cause) == (a, c)]) for a, c, _ in PLAN if c != DISCITIS]
    for arm, cause, own in groups:
        values = np.array([r.share for r in own if r.share is not None])
        if len(values):
            stands = int((values > LIMIT).sum())
            lines.append(
                f"| {arm} | {cause} | {len(own)} | {len(own) - len(values)} | {stands} "
                f"| {np.median(values):.3f} | {values.max():.3f} |"
            )
    return lines


def answers(read: Sequence[Read], scores: Path, fitted: Calibration) -> list[str]:
    """What the classifier answers, and what is left where the sign stands out."""
    with scores.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    members = {
        int(line["row"]): [float(v) for k, v in line.items() if k.startswith("member_") and v]
        for line in lines
        if line["set"] != "out_of_fold"
    }
    out = [
        "", "## The same simulated crops, forced, by the certified rule", "",
        "| cause | crops | osteoporotic | malignant | uncertain | with it: osteoporotic | malignant | uncertain |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for cause in (DISCITIS, "osteoporotic_fracture", "malignant_fracture"):
        own = [r for r in read if r.cause == cause and r.row in members and r.arm in ("discitis", "large_test")]
        told = [tier_of(float(np.mean(members[r.row])), fitted.tiers) for r in own]
        kept = [Tier.UNCERTAIN if (r.share or 0.0) > LIMIT else t for r, t in zip(own, told, strict=True)]
        before, after = Counter(told), Counter(kept)
        tiers = (Tier.OSTEOPOROTIC, Tier.MALIGNANT, Tier.UNCERTAIN)
        cells = " | ".join(str(count[tier]) for count in (before, after) for tier in tiers)
        out.append(f"| {cause} | {len(own)} | {cells} |")
    return out


def real(data: Path, masks: Path | None) -> list[str]:
    """Every complete body of the real CTs whose masks are there."""
    lines = ["| CT | vertebra | verdict | share |", "|---|---|---|---|"]
    values, blanks = [], Counter[str]()
    for name, folder in inputs(data).items():
        earlier = masks is not None and (masks / name / "segmentation.nii.gz").is_file()
        if name not in MASKED and not earlier:
            continue
        study = read_study(ct_path(folder))
        result = analyse(
            StudySeries(study.main, study.heights, study.density),
            segment=segmenter_of(folder, masks), settings=Settings(),
        )  # fmt: skip
        whole = [v.label for v in complete(result.spine, result.measures)]
        names = {v.label: v.name for v in result.spine.vertebrae}
        verdicts = {f.label: f.verdict.value for f in result.findings.vertebrae}
        ct, acquisition = study.main.volume, study.main.ref.acquisition
        for signs in signs_of_all(
            ct, result.spine, result.measures, SignSettings(), acquisition, labels=whole
        ):
            value = signs.values.of(Sign.ENDPLATES)
            if isinstance(value, NotMeasured):
                blanks[value.reason.value] += 1
                continue
            values.append(value)
            lines.append(f"| {name} | {names[signs.label]} | {verdicts[signs.label]} | {value:.3f} |")
        study.main.release()
    above = sum(value > LIMIT for value in values)
    said = f"{above} of {len(values)} real bodies exceed {LIMIT}, largest {max(values, default=0.0):.3f}"
    return [f"{said}; not measured: {dict(blanks)}", "", *lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crops", type=Path, nargs="?")
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--calibration", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path, help="A table of what was measured, to go on from.")
    parser.add_argument("--networks", action="store_true")
    parser.add_argument("--most", type=int, default=1000, help="Crops of an arm and cause.")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--masks", type=Path)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    lines = ["# Endplates eroded on both sides of a disc", ""]
    if given.crops is not None:
        note = json.loads((given.crops / "crops.json").read_text("utf-8"))
        lines += [str(note.get("note", "")), ""]
        outline = by_networks() if given.networks else None
        read = measured(given.crops, given.seed, given.kept, given.most, outline)
        lines += separation(read)
        if given.scores is not None and given.calibration is not None:
            fitted = read_calibration(given.calibration.read_text("utf-8"))
            lines += answers(read, given.scores, fitted)
    if given.real:
        lines += ["", "## Real bodies", "", *real(given.data, given.masks)]
    text = "\n".join(lines) + "\n"
    print(text)
    if given.output is not None:
        given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
