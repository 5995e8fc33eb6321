"""Do the voxels outside the lesion tell that a real CT was edited? Simulated lesions in real CTs.

    python benchmarks/donor_sham.py CROPS [OUT.md]

CROPS is a folder of `wirbel phantom donors`. Each case is told by its noise, its gradients and its histograms in
two shells around the vertebra, lesion left out; a logistic model and boosted trees, each patient left out in turn,
are asked: edited or sham, malignant or osteoporotic, edited at all or the donor as it was. AUC over pairs within a
patient (patients differ in scanner and noise), interval by resampling patients. The same features of the lesion
itself are the control: there the answer must be seen.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

#: Shells by distance from the crop's middle, mm; nearer voxels are left out whatever was done to them.
SHELLS_MM = ((22.0, 32.0), (32.0, 60.0))
LESION, OUTSIDE_CT = 1, 4
RESAMPLES = 1000


def _stats(values: np.ndarray) -> list[float]:
    if values.size < 50:
        return [np.nan] * 4
    return [float(values.mean()), float(values.std()), *(float(v) for v in np.percentile(values, (10, 90)))]


def features(hu: np.ndarray, mask: np.ndarray, edited: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the shells outside the lesion, and of the lesion itself (the control)."""
    n = hu.shape[0]
    at = (np.arange(n) - 0.5 * (n - 1)).astype(np.float32)
    far = np.sqrt(at[:, None, None] ** 2 + at[None, :, None] ** 2 + at[None, None, :] ** 2)
    # the CT's own border is no flat tissue
    seen = ndimage.binary_erosion((mask & OUTSIDE_CT) == 0, iterations=2, border_value=1)
    free = seen & ((edited & LESION) == 0)
    hu = np.where((mask & OUTSIDE_CT) == 0, hu, 0).astype(np.float32)
    wheres = [free & (far > low) & (far <= high) for low, high in SHELLS_MM]
    told = described(hu, [*wheres, seen & ((edited & LESION) > 0)])
    return np.concatenate(told[:-1]), told[-1]


def described(hu: np.ndarray, wheres: list[np.ndarray]) -> list[np.ndarray]:
    """Noise, its spectrum, gradients and histogram in each of some regions."""
    smooth = ndimage.gaussian_filter(hu, 1.0)
    noise = hu - smooth
    steps, slow = (np.sqrt(sum(g * g for g in np.gradient(a))) for a in (hu, smooth))
    soft, bone = (smooth > -160) & (smooth < 160), smooth > 200
    flat = soft & (slow < 12)
    regions = [kind & where for where in wheres for kind in (flat, bone)]
    out: list[list[float]] = [_stats(np.abs(noise[r])) for r in regions]
    for axis in range(3):
        for lag in (1, 2, 3):
            low = tuple(slice(None, -lag) if a == axis else slice(None) for a in range(3))
            high = tuple(slice(lag, None) if a == axis else slice(None) for a in range(3))
            product = noise[low] * noise[high]
            for told, region in zip(out, regions, strict=True):
                pair = product[region[low] & region[high]]
                told.append(float(pair.mean() / max(told[0] ** 2, 1e-3)) if pair.size > 50 else np.nan)
    joined = []
    for k, where in enumerate(wheres):
        values, bony = hu[where & soft], where & bone
        bins = np.histogram(values, np.linspace(-200, 200, 9))[0] / max(values.size, 1)
        parts = [*out[2 * k], *out[2 * k + 1], *_stats(steps[where & soft]), *_stats(steps[bony]), *bins]
        joined.append(np.array([*parts, *_stats(hu[bony])], dtype=float))
    return joined


def within(table: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Features as deviations from the patient's mean, in units of the spread within patients; gaps are 0."""
    out = np.full_like(table, np.nan)
    for patient in np.unique(patients):
        rows = patients == patient
        out[rows] = table[rows] - np.nanmedian(table[rows], axis=0)
    spread = np.nanstd(out, axis=0)
    return np.nan_to_num(np.clip(out / np.where(spread > 0, spread, 1), -6, 6))


def scores(table: np.ndarray, truth: np.ndarray, patients: np.ndarray, model: str) -> np.ndarray:
    """Log odds of each case by a model that has not seen its patient."""
    out = np.zeros(len(truth))
    for patient in np.unique(patients):
        test = patients == patient
        if model == "logistic":
            fit = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, class_weight="balanced", max_iter=999))
        else:
            fit = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=5, min_samples_leaf=8, random_state=0)
        fit.fit(table[~test], truth[~test])
        out[test] = fit.decision_function(table[test])
    return out


def auc_within(score: np.ndarray, truth: np.ndarray, patients: np.ndarray) -> tuple[float, float, float]:
    """Share of right pairs among pairs of one patient, and its 95 % interval over patients."""
    wins, pairs = [], []
    for patient in np.unique(patients):
        yes, no = (score[(patients == patient) & (truth == t)] for t in (1, 0))
        gap = yes[:, None] - no[None, :]
        wins.append(float((gap > 0).sum() + 0.5 * (gap == 0).sum()))
        pairs.append(float(gap.size))
    w, p = np.array(wins), np.array(pairs)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(w), size=(RESAMPLES, len(w)))
    again = w[drawn].sum(axis=1) / np.maximum(p[drawn].sum(axis=1), 1)
    low, high = np.percentile(again[p[drawn].sum(axis=1) > 0], (2.5, 97.5))
    return float(w.sum() / p.sum()), float(low), float(high)


def main(folder: Path, out: Path | None) -> None:
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("hu", "mask", "edited", "original")}
    with (folder / "index.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    patients = np.array([r["patient"] for r in rows])
    causes = np.array([r["class"] for r in rows])
    told = [features(*(arrays[n][i] for n in ("hu", "mask", "edited"))) for i in range(len(rows))]
    plain = [features(*(arrays[n][i] for n in ("original", "mask", "edited"))) for i in range(len(rows))]
    outside, lesion = (np.stack([t[k] for t in told]) for k in (0, 1))
    before = np.stack([t[0] for t in plain])
    sham = causes == "normal"
    broken = np.isin(causes, ["osteoporotic_fracture", "malignant_fracture"])
    twice = np.concatenate([patients, patients])
    both = np.concatenate([outside, before])
    questions = [
        ("edited or sham, outside the lesion", outside, (~sham).astype(int), patients),
        ("malignant or osteoporotic fracture, outside", outside[broken],
         (causes[broken] == "malignant_fracture").astype(int), patients[broken]),
        ("unfractured lesion or sham, outside", outside[~broken], (~sham).astype(int)[~broken], patients[~broken]),
        ("edited or sham, inside (control)", lesion, (~sham).astype(int), patients),
        ("malignant or osteoporotic fracture, inside (control)", lesion[broken],
         (causes[broken] == "malignant_fracture").astype(int), patients[broken]),
        ("any edit or the donor as it was, outside", both,
         np.repeat([1, 0], len(rows)), twice),
    ]  # fmt: skip
    lines = [
        "| question (simulated lesions in real CTs) | n | logistic: AUC (95 %) | boosted trees: AUC (95 %) |",
        "|---|---|---|---|",
    ]
    for name, table, truth, who in questions:
        centred = within(table, who)
        cells = []
        for model in ("logistic", "boosted"):
            auc, low, high = auc_within(scores(centred, truth, who, model), truth, who)
            cells.append(f"{auc:.2f} ({low:.2f}-{high:.2f})")
        lines.append(f"| {name} | {int(truth.sum())} / {int((1 - truth).sum())} | {cells[0]} | {cells[1]} |")
    text = "\n".join([*lines, "", f"{len(set(patients))} patients, each left out in turn. Research use only."])
    print(text)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None)
