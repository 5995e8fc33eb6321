"""The table, the curves and the page of `fracture_robustness.py`; the word simulated at every figure."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt

CLEAN, ATTACKED, SIGNS, PHASES = "undisturbed", "adversarial", "random signs", "contrast phase"
CLEAN_SUBSET = "attacked subset"
SCALE = ("auc", "change", "coverage", "missed", "false_alarm", "refused")
LABELS = {
    "auc": "AUC", "coverage": "coverage of certified answers", "refused": "refused as unlike the training data",
    "missed": "malignant called osteoporotic", "false_alarm": "osteoporotic called malignant (line: 0.10)",
}  # fmt: skip
#: A kind of disturbance: name, unit, and its steps with whether each is the undisturbed crop.
Kind = tuple[str, str, Mapping[str, bool]]


@dataclass(frozen=True, slots=True)
class Row:
    """One step's figures, each with its 95 % interval; None where there is none. `plain_*`: as if nobody were
    refused; `shift`: mean change of the log-odds."""

    group: str
    step: str
    n: int
    malignant: int
    auc: float
    auc_low: float
    auc_high: float
    change: float | None
    change_low: float | None
    change_high: float | None
    coverage: float
    coverage_low: float
    coverage_high: float
    missed: float
    missed_low: float
    missed_high: float
    false_alarm: float
    false_alarm_low: float
    false_alarm_high: float
    refused: float
    refused_low: float
    refused_high: float
    plain_coverage: float
    plain_missed: float
    plain_false_alarm: float
    shift: float

    def cell(self, name: str, *, sign: bool = False) -> str:
        """Value and interval as a table prints them."""
        value, low, high = (getattr(self, name + end) for end in ("", "_low", "_high"))
        if value is None:
            return "–"
        plus = "+" if sign else ""
        return f"{value:{plus}.2f} ({low:{plus}.2f} to {high:{plus}.2f})"


def write_table(path: Path, rows: Sequence[Row], about: Mapping[str, str]) -> None:
    """The table, and what it is about in lines that begin with #."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [f.name for f in fields(Row)]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {key}: {value}\n" for key, value in about.items())
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            cells = (getattr(row, n) for n in names)
            writer.writerow(["" if c is None else f"{c:.4f}" if isinstance(c, float) else c for c in cells])


def read_table(path: Path) -> tuple[list[Row], dict[str, str]]:
    """What `write_table` wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    about = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    rows = []
    for told in csv.DictReader([line for line in lines if not line.startswith("# ")], delimiter="\t"):
        numbers = [float(v) if v else None for k, v in told.items() if k not in ("group", "step", "n", "malignant")]
        rows.append(Row(told["group"], told["step"], int(told["n"]), int(told["malignant"]), *numbers))  # type: ignore[arg-type]  # as they were written
    return rows, about


def curves(rows: Sequence[Row], kinds: Sequence[Kind], path: Path) -> None:
    """AUC and coverage over the strength of each disturbance, in small panels; steps not measured are left out."""
    mpl.rcParams["font.size"] = 7
    of = {(r.group, r.step): r for r in rows}
    clean, first = of[CLEAN, "all"], of[CLEAN, CLEAN_SUBSET]
    panels = [
        (name, says, [(s, clean if is_clean else of.get((name, s))) for s, is_clean in steps.items()])
        for name, says, steps in kinds
    ]
    for name, says in ((ATTACKED, "HU; thin: random signs"),):
        panels += [(name, says, [("0", first), *((r.step, r) for r in rows if r.group == name)])]
    figure, axes = plt.subplots(3, 4, figsize=(10, 7), sharey=True, layout="constrained")
    for axis, (name, says, steps) in zip(axes.ravel(), panels, strict=False):
        if sum(row is not None for _, row in steps) < 2:
            axis.set(title=f"{name}: not measured")
            continue
        own = [(step, row) for step, row in steps if row is not None]
        for what, colour, style in (
            ("auc", "#0072b2", "-"), ("coverage", "#d55e00", "-"), ("refused", "#777777", "--"),
            ("missed", "#009e73", ":"), ("false_alarm", "#cc79a7", ":"),
        ):  # fmt: skip
            at = np.arange(len(own))
            values = [getattr(r, what) for _, r in own]
            axis.plot(at, values, style, color=colour, marker=".", label=LABELS[what])
            if style == "-":
                low, high = ([getattr(r, what + end) for _, r in own] for end in ("_low", "_high"))
                axis.fill_between(at, low, high, color=colour, alpha=0.15, lw=0)
                if name == ATTACKED:
                    shaken = [r if r is first else of.get((SIGNS, step), r) for step, r in own]
                    axis.plot(at, [getattr(r, what) for r in shaken], style, color=colour, lw=0.6)
        axis.axhline(0.1, color="black", lw=0.4)
        axis.set(title=f"{name} (simulated)", xlabel=says, ylim=(0, 1))
        axis.set_xticks(at, [step for step, _ in own])
    figure.suptitle("SIMULATED crops, one disturbance at a time, 95 % intervals. Research use only.")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=95)
    plt.close(figure)


def table_of(says: str, lines: Sequence[tuple[str, Row]]) -> str:
    """A table: one step a line."""
    head = ("AUC", "change of AUC", "coverage", "malignant called osteoporotic", "osteoporotic called malignant",
            "refused as unlike")  # fmt: skip
    told = [f"| {says} (simulated) | {' | '.join(head)} |", "|---|" + "---|" * len(head)]
    for step, row in lines:
        cells = (row.cell(name, sign=name == "change") for name in SCALE)
        told.append(f"| {step} | {' | '.join(cells)} |")
    return "\n".join(told)


def named(rows: Sequence[Row], kinds: Sequence[Kind], what: Callable[[Row], str] = lambda r: "") -> str:
    """Steps in words, those of one kind together."""
    by: dict[str, list[Row]] = {}
    for r in rows:
        by.setdefault(r.group, []).append(r)
    size = {name: sum(not is_clean for is_clean in steps.values()) for name, _, steps in kinds}
    told = []
    for group, own in by.items():
        if len(own) == size.get(group) and len(own) > 1 and not what(own[0]):
            told.append(f"{group} (every step)")
        else:
            told.append(f"{group} {', '.join(r.step + what(r) for r in own)}")
    return "; ".join(told) or "nothing"


def sentences(rows: Sequence[Row], kinds: Sequence[Kind], alpha: tuple[float, float]) -> list[str]:
    """What it means, from the figures."""
    of = {(r.group, r.step): r for r in rows}
    clean, first = of[CLEAN, "all"], of[CLEAN, CLEAN_SUBSET]
    own = [r for r in rows if r.group not in (CLEAN, PHASES, ATTACKED, SIGNS)]
    little = [r for r in own if r.change is not None and abs(r.change) <= 0.02]
    lost = [r for r in own if r.change_high is not None and r.change_high < 0]
    silent = [r for r in own if r.coverage <= clean.coverage - 0.15]
    caught = [r for r in own if r.refused >= 0.5]
    errors = [r for r in own if r.missed > alpha[0] or r.false_alarm > alpha[1]]
    sure = [r for r in errors if r.missed_low > alpha[0] or r.false_alarm_low > alpha[1]]
    unwarned = [r for r in sure if r.refused < 0.25]
    bounds = [r for r in rows if r.group == ATTACKED]
    worst = ", ".join(f"{max(r.missed, r.false_alarm):.0%}" for r in bounds)

    def told(some: Sequence[Row], what: Callable[[Row], str] = lambda r: "") -> str:
        return named(some, kinds, what)

    def both(r: Row) -> str:
        return f" ({r.missed:.0%}, {r.false_alarm:.0%})"

    return [
        f"1. **These changes hardly matter to the score (simulated):** its AUC of {clean.auc:.2f} changes, "
        f"by the estimate, by at most 0.02 under {told(little)}.",
        f"2. **These make the score worse (simulated; the interval of the loss lies below 0):** "
        f"{told(lost, lambda r: f' ({r.change:+.2f})')}.",
        f"3. **Here it falls silent, which is the safe way to fail (simulated):** of {clean.coverage:.0%} answered "
        f"at least 15 points are lost under {told(silent, lambda r: f' ({r.coverage:.0%} left)')}; at least half "
        f"are refused as unlike the training data under {told(caught)}.",
        f"4. **Here it fails without saying so (simulated):** an error promised to be at most {alpha[0]:.0%} "
        f"(undisturbed: {clean.missed:.0%} missed, {clean.false_alarm:.0%} false alarms) is beyond chance above it "
        f"under {told(sure, both)}, of which fewer than one in four are refused under {told(unwarned)}; above it, "
        f"but within chance, under {told([r for r in errors if r not in sure], both)}; {clean.malignant} cases a "
        f"class cannot rule out errors below {3 / clean.malignant:.0%} (three in n) even where none was seen. The "
        "promise holds for images like those of the calibration alone: recalibrate with your own scanner's cases.",
        f"5. **There is no defence against an adversary (simulated):** changes of at most "
        f"{', '.join(r.step for r in bounds)} HU, which nobody sees, take the AUC from {first.auc:.2f} to "
        f"{', '.join(f'{r.auc:.2f}' for r in bounds)}, where random signs of the same size leave "
        f"{', '.join(f'{r.auc:.2f}' for r in rows if r.group == SIGNS)}; the larger certified error is then "
        f"{worst}, and {', '.join(f'{r.refused:.0%}' for r in bounds)} are refused: images must come from a "
        "trusted source.",
    ]


def page(rows: Sequence[Row], kinds: Sequence[Kind], about: Mapping[str, str], image: str) -> str:
    """The Markdown page; `image`: its path from there."""
    of = {(r.group, r.step): r for r in rows}
    clean, first = of[CLEAN, "all"], of[CLEAN, CLEAN_SUBSET]
    alpha = (float(about["alpha_missed"]), float(about["alpha_false_alarm"]))
    parts = [
        INTRODUCTION.format(**about, n=clean.n, each=clean.malignant, image=image), "## What it means for a user",
        "\n".join(sentences(rows, kinds, alpha)), "## The figures (simulated)",
    ]  # fmt: skip
    absent = [(name, s) for name, _, steps in kinds for s, is_clean in steps.items()
              if not is_clean and (name, s) not in of]  # fmt: skip
    if absent:
        parts.insert(1, f"**The run was stopped before {', '.join(f'{name} {s}' for name, s in absent)}: these are "
                     "not measured, and nothing below is about them.**")  # fmt: skip
    for name, says, steps in kinds:
        if all((name, s) in absent for s, is_clean in steps.items() if not is_clean):
            continue
        own = [(f"**{s}**, undisturbed" if is_clean else s, clean if is_clean else of[name, s])
               for s, is_clean in steps.items() if is_clean or (name, s) in of]  # fmt: skip
        parts += [f"### {name.capitalize()}", table_of(says, own)]
    under = [(f"{r.group}, {r.step}", r) for r in rows if r.group in (ATTACKED, SIGNS)]
    parts += ["### Adversarial, and random signs",
              table_of(f"HU; {first.n} of the crops", [("**0**, undisturbed", first), *under])]  # fmt: skip
    phases = [(f"{r.step}: {r.malignant} + {r.n - r.malignant}", r) for r in rows if r.group == PHASES]
    if phases:
        parts += ["### Contrast phase", table_of("phase: malignant + osteoporotic", phases), PHASE_NOTE]
    return "\n\n".join([*parts, CLOSING.format(**about)]) + "\n"


INTRODUCTION = """# How the classifier stands disturbances (simulated)

*Research use only. Every figure on this page is simulated: drawn crops with known truth, no patient.*

One disturbance at a time, {n} fractures of arm `{arm}` ({each} malignant; one a patient), bundle `{bundle}`
(`{sha256}`) with its own calibration, refusal and certified tiers: networks alone, without the signs that the
shipped classifier joins to them. **Coverage** is the share that gets a certified answer (osteoporotic or malignant)
after refusal. Both errors are shares of *all* cases of their class, promised to be at most {alpha_missed} and
{alpha_false_alarm}. **Refused** means "unlike the training
data" alone. AUC is that of the log-odds, refused cases included; its change is paired (DeLong). 95 % intervals;
nothing is corrected for the number of rows. The classes are balanced here: with another mix coverage and
refusal differ.

![Simulated: AUC and coverage over the strength of each disturbance]({image})

*SIMULATED. Shaded: 95 % intervals.*"""

PHASE_NOTE = """*Simulated, undisturbed crops.* The phases are those the drawings were made with; the groups are of
different patients. A change of phase of the same patient was not drawn: "soft tissue brighter" above is a crude
stand-in, where all soft tissue outside the vertebrae rises alike, and marrow and vessels are not told apart."""

CLOSING = """## How each was made

- **Kernel.** In the axial plane: a Gaussian, or an unsharp mask of 1 mm (noise grows with it, as with a hard
  kernel).
- **White noise** in HU on voxels of 1 mm. **Dose**: quantum noise goes with 1 / sqrt(dose), so beside a
  drawing's own noise s (median {noise} HU) s sqrt(1 / share - 1) is added, correlated in the axial plane
  (Gaussian, 0.8 mm).
- **Slice thickness.** Means over so many mm without gap, the first slice anywhere, linear between their
  middles; the mask as outlined on such slices. The drawings themselves have slices of 0.6 or 1 mm. `wirbel
  analyze` measures no heights beyond 3.05 mm and then refuses the cause: the rows of 4 and 5 mm show what it is
  spared.
- **Offset and gain** of the HU scale (HU times the factor).
- **Metal streaks**: random rays from two rods 20 mm behind the crop's middle, 30 mm apart, and a dark band
  between them; no beam hardening, no metal drawn. Metal *in* a vertebra is refused before any network.
- **Outlines** grown, shrunk or moved (all labels together, in a random direction), or with the vertebra above
  taken in up to so many mm over the own upper end: 10 mm is about a quarter of its body, 20 mm more than half.
- **Adversarial.** {steps} projected gradient steps on whole HU within the bound, every voxel, toward the other
  class, through the ensemble's mean. The attacker knows weights, mask and truth, and does not try to evade the
  refusal. The weights are the bundle's own, rebuilt in torch: its members' log-odds are those of ONNX Runtime
  but for {torch}.
- Training itself bent gain by 8 %, offset by 30 HU, blurred up to 0.7 voxels or sharpened, added noise up to
  25 HU, and drew outlines from one voxel too tight to two too wide.

## What this is not

Crops were disturbed, not whole CTs: names, outlines, heights and the refusals that rest on them were not made
anew. Thick slices or streaks may do more harm upstream, and refusals before scoring may prevent some of it. One
seed, one training, one arm, {n_attacked} crops under attack. Real scanners differ in ways that no row here has.

## Made by

```sh
{command}
```

{cpu} of processor time on one thread; seed {seed}. All figures as a table (simulated):
[fracture-robustness.tsv](fracture-robustness.tsv); `plain_*` is as if nothing were refused, `shift` the mean
change of the log-odds. `--pages-alone` remakes page and image from it."""
