"""Our values for the published numbers on one reading, areas, calibration, surfaces and names, under those of the
hand-out's list: `reproduced(folder)` returns {(dataset, method or None, quantity): value}.

Of Obuchowski 1997 only intermediates are printed, no data: its variances are computed here from its components by
the same class that computes ours.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from scipy import stats

from wirbel.evaluation.auc import AucInterval, auc
from wirbel.evaluation.auc_power import one_area, paired_areas, paired_areas_binormal
from wirbel.evaluation.calibration_tests import hosmer_lemeshow
from wirbel.evaluation.clustered_auc import ClusterComponents
from wirbel.evaluation.compare_auc import (
    Alternative,
    auc_matrix,
    compare_paired_auc,
    compare_unpaired_auc,
    normal_comparison,
)
from wirbel.evaluation.labelling import identification
from wirbel.evaluation.overlap import dice
from wirbel.evaluation.paired_calls import McNemar, mcnemar
from wirbel.evaluation.proportions import ProportionInterval, proportion_limits
from wirbel.evaluation.roc import Axis, corrected_partial_area, partial_area
from wirbel.evaluation.surface_distance import surface_distances

Key = tuple[str, str | None, str]
MARKERS = ("wfns", "ndka", "s100b")
OBUCHOWSKI = "mra_obuchowski1997 (data table NOT obtained)"


def reproduced(folder: Path) -> dict[Key, float]:
    """Every published number that this half computes."""
    found = {
        "asah": _asah(folder),
        "binomial 18/20": _binomial(18, 20),
        "binomial 4/20": _binomial(4, 20),
        "paired_tables.table0": _mcnemar(folder),
        "hsb2_hosmer_lemeshow": _hosmer_lemeshow(folder),
        "verse_idrate": _verse(folder),
        OBUCHOWSKI: _obuchowski(folder),
    }
    for case in json.loads((folder / "surface_distance_cases.json").read_text())["cases"]:
        found[f"surface_distance_cases.{case['id']}"] = _surface(case)
    return {(d, None, q): float(v) for d, values in found.items() for q, v in values.items()}


def asah(folder: Path) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Outcome (poor = diseased), the three markers, and who is female, of 113 patients."""
    rows = list(csv.DictReader((folder / "asah.csv").read_text().splitlines()))
    truth = np.array([row["outcome"] == "Poor" for row in rows])
    markers = {name: np.array([float(row[name]) for row in rows]) for name in MARKERS}
    return truth, markers, np.array([row["gender"] == "Female" for row in rows])


def _asah(folder: Path) -> dict[str, float]:
    truth, marker, female = asah(folder)
    matrix = auc_matrix(truth, *(marker[name] for name in MARKERS))
    out = {
        "AUC wfns (outcome Poor=case)": matrix.areas[0],
        "AUC ndka (outcome Poor=case)": matrix.areas[1],
        "AUC s100b (4 printed digits)": matrix.areas[2],
    }
    for i, name in enumerate(MARKERS):
        other = MARKERS[(i + 1) % 3]
        out[f"DeLong var AUC {name}"] = matrix.covariance[i, i]
        out[f"DeLong cov AUC {name},{other}"] = matrix.covariance[i, (i + 1) % 3]
    for suffix, who in (("", np.ones_like(female)), (", gender==Female,", female)):
        e = auc(truth[who], marker["ndka"][who], method=AucInterval.DELONG)
        for end, value in (("ci_low", e.low), ("auc", e.value), ("ci_high", e.high)):
            out[f"DeLong 95% CI ndka{suffix} {end}"] = value
    for a, b in (("wfns", "s100b"), ("wfns", "ndka"), ("ndka", "s100b")):
        paired = compare_paired_auc(truth, marker[a], marker[b])
        unpaired = compare_unpaired_auc((truth, marker[a]), (truth, marker[b]))
        out |= {
            f"DeLong paired {a}-{b} Z": paired.test.statistic,
            f"DeLong paired {a}-{b} p two-sided": paired.test.p,
            f"DeLong paired {a}-{b} diff ci_low": paired.difference.low,
            f"DeLong paired {a}-{b} diff ci_high": paired.difference.high,
            f"DeLong UNPAIRED {a}-{b} D": unpaired.test.statistic,
            f"DeLong UNPAIRED {a}-{b} p (t, Welch df)": unpaired.test.p,
        }
    for side in (Alternative.GREATER, Alternative.LESS):
        one_sided = compare_paired_auc(truth, marker["wfns"], marker["s100b"], alternative=side)
        out[f"DeLong paired wfns-s100b p {side.value}"] = one_sided.test.p
    for name in ("wfns", "ndka"):
        for text, low, high in (("1-0.9", 0.9, 1.0), ("0.9-0.8", 0.8, 0.9), ("0.5-0", 0.0, 0.5)):
            out[f"pAUC {name} spec {text}"] = partial_area(truth, marker[name], low=low, high=high)
        out[f"pAUC {name} sens 1-0.9"] = partial_area(
            truth, marker[name], low=0.9, high=1.0, axis=Axis.SENSITIVITY
        )
        out[f"pAUC {name} spec 1-0.9 McClish-corrected"] = corrected_partial_area(
            truth, marker[name], low=0.9, high=1.0
        )
    return out | _power(truth, marker, float(matrix.areas[2]))


def _power(truth: np.ndarray, marker: dict[str, np.ndarray], area: float) -> dict[str, float]:
    pilot, planned = one_area(area, ratio=72 / 41), one_area(area, ratio=1.7)
    pair = paired_areas(truth, marker["ndka"], marker["wfns"])
    return {
        "power of s100b AUC test n=41/72 alpha .05": pilot.power(41.0),
        "power AUC=0.73 n=41/72 (Obuchowski)": one_area(0.73, ratio=72 / 41).power(41.0),
        "ncases for s100b AUC power .95 kappa 1.7": planned.diseased_needed(0.95),
        "ncontrols for s100b AUC power .95 kappa 1.7": planned.diseased_needed(0.95) * 1.7,
        "power paired ndka vs wfns (DeLong)": pair.power(41.0),
        "ncases paired ndka vs wfns DeLong power .9": pair.diseased_needed(0.9),
        "ncontrols paired ndka vs wfns DeLong power .9": pair.diseased_needed(0.9) * pair.ratio,
        "power paired ndka vs wfns (Obuchowski var)": paired_areas_binormal(
            truth, marker["ndka"], marker["wfns"]
        ).power(41.0),
    }


def _binomial(k: int, n: int) -> dict[str, float]:
    names = {
        "agresti-coull": ProportionInterval.AGRESTI_COULL,
        "asymptotic": ProportionInterval.WALD,
        "bayes(Jeffreys)": ProportionInterval.JEFFREYS,
        "exact(Clopper-Pearson)": ProportionInterval.CLOPPER_PEARSON,
        "wilson": ProportionInterval.WILSON,
    }
    out = {}
    for name, method in names.items():
        low, high = proportion_limits([k], [n], method=method)
        out |= {f"95% CI {name} low": low[0], f"95% CI {name} high": high[0]}
    return out


def _mcnemar(folder: Path) -> dict[str, float]:
    table = json.loads((folder / "paired_tables.json").read_text())["table0"]
    b, c = table[0][1], table[1][0]
    return {
        "McNemar exact p": mcnemar(b, c).p,
        "McNemar chi2 continuity-corrected p": mcnemar(b, c, method=McNemar.CORRECTED).p,
    }


def _hosmer_lemeshow(folder: Path) -> dict[str, float]:
    rows = list(csv.DictReader((folder / "hsb2_hosmer_lemeshow.csv").read_text().splitlines()))
    found = hosmer_lemeshow([int(r["honcomp"]) for r in rows], [float(r["p_fit"]) for r in rows])
    name = "HL chi2 (model honcomp ~ race + read + science, race categorical; 10 groups)"
    out = {name: found.test.statistic, "HL df": found.test.df, "HL p": found.test.p}
    for i, group in enumerate(found.groups, start=1):
        out |= {
            f"group {i} n": group.n,
            f"group {i} observed events": group.observed,
            f"group {i} expected events": group.expected,
        }
    return out


def _surface(case: dict[str, object]) -> dict[str, float]:
    truth, predicted = (_mask(str(case[name]), tuple(case["shape"])) for name in ("gt", "pred"))
    found = surface_distances(truth, predicted, tuple(float(s) for s in case["spacing"]))
    average, overlap = found.average_mm(), found.overlap(1.0)
    return {
        "asd_gt": average[0], "asd_pred": average[1], "hd100": found.hausdorff_mm(),
        "hd95": found.hausdorff_mm(95.0), "overlap_gt_1mm": overlap[0], "overlap_pred_1mm": overlap[1],
        "surface_dice_1mm": found.surface_dice(1.0), "dice": dice(truth, predicted),
    }


def _mask(text: str, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    if text.startswith("point["):
        mask[tuple(int(x) for x in text[6:-1].split(","))] = True
    elif text != "empty":
        raise ValueError(f"unknown shape {text!r} in the list of cases")
    return mask


def _verse(folder: Path) -> dict[str, float]:
    entries = json.loads((folder / "verse_idrate.json").read_text())["centroids"]
    centres = {e["label"]: (e["X"], e["Y"], e["Z"]) for e in entries if "label" in e}
    found = identification(centres, centres, worst_mm=1000.0)
    # the mask itself is not handed out: its Dice with itself is that of any mask with itself
    blocks = np.indices((12, 12, 12)).sum(axis=0) % 5 < 2
    return {
        "id_rate of sub-verse004 centroids against themselves (9 labels 16-24)": found.rate.value,
        "dice of the mask with itself": dice(blocks, blocks),
    }


def _obuchowski(folder: Path) -> dict[str, float]:
    printed = {
        e["quantity"]: float(e["value"])
        for e in json.loads((folder / "expected.json").read_text()) if e["dataset"] == OBUCHOWSKI
    }
    p = printed.__getitem__
    s10 = np.array([[p("reader 1 S10"), p("S10_12")], [p("S10_12"), p("reader 2 S10")]])
    s01 = np.array([[p("reader 1 S01"), p("S01_12")], [p("S01_12"), p("reader 2 S01")]])
    s11 = np.array([[p("reader 1 S11"), p("S11_12")], [p("S11_21"), p("reader 2 S11")]])
    covariance = ClusterComponents(s10, s01, s11, 29, 36).covariance()
    error = np.sqrt(np.diag(covariance))
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    compared = normal_comparison(p("AUC reader 2") - p("AUC reader 1"), variance, 36, "clustered")
    reach = float(stats.norm.isf(0.025)) * error[0]
    return {
        "SE reader 1": error[0],
        "SE reader 2": error[1],
        "SE difference": np.sqrt(variance),
        "difference": compared.difference.value,
        "diff CI low": compared.difference.low,
        "diff CI high": compared.difference.high,
        "p": compared.test.p,
        "reader1 AUC CI low": p("AUC reader 1") - reach,
        "reader1 AUC CI high (unclipped)": p("AUC reader 1") + reach,
    }
