"""Our values for the published numbers on reader studies and agreement, under the names of the hand-out's list.

`reproduced(folder)` returns {(dataset, method or None, quantity): value}. Two entries of the list need a
remark:
- 'K needed for power 0.80 RRRC effect 0.05 J=6' (251): its source calls the function without an effect, so
with the observed one, -0.0438; with 0.05 the answer is 170. We compute what the source computes.
- 'irr' drops unused categories; our tables are built from the categories that occur.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from wirbel.evaluation.agreement import bowker, stuart_maxwell
from wirbel.evaluation.alpha import Scale, krippendorff_alpha
from wirbel.evaluation.auc import auc
from wirbel.evaluation.icc import intraclass_correlations
from wirbel.evaluation.kappa import Kappa, category_counts, cohen_kappa, fleiss_kappa
from wirbel.evaluation.mrmc.covariance import Covariance
from wirbel.evaluation.mrmc.figures import Sensitivity
from wirbel.evaluation.mrmc.obuchowski_rockette import Analysis, obuchowski_rockette
from wirbel.evaluation.mrmc.power import cases_needed, power
from wirbel.evaluation.mrmc.pseudovalues import PseudovalueAnalysis, dorfman_berbaum_metz
from wirbel.evaluation.mrmc.readings import Readings, readings_from_long
from wirbel.evaluation.mrmc.results import Inference
from wirbel.evaluation.roc import Axis, partial_area, roc_curve

Key = tuple[str, str | None, str]
Values = dict[str, float]


def reproduced(folder: Path) -> dict[Key, float]:
    """Every published number that this half computes, by (dataset, method, quantity)."""
    out: dict[Key, float] = {}
    for (dataset, method), values in _by_source(folder).items():
        for quantity, value in values.items():
            out[dataset, method, quantity] = float(value)
    return out


def _by_source(folder: Path) -> dict[tuple[str, str | None], Values]:
    readings = van_dyke(folder)
    fixed, cases = Inference.FIXED_READERS, Inference.FIXED_CASES
    rrrc = obuchowski_rockette(readings)
    frrc, rrfc = obuchowski_rockette(readings, inference=fixed), obuchowski_rockette(readings, inference=cases)
    delong = obuchowski_rockette(readings, covariance=Covariance.DELONG)
    unbiased = obuchowski_rockette(readings, covariance=Covariance.UNBIASED)
    binary = obuchowski_rockette(readings, Sensitivity(3.0))
    vandyke = {
        "binary_sens rating>=3, jackknife, random readers+cases": _mrmcaov("binary_sens_ge3", binary),
        "empirical AUC, DeLong covariance, random readers+cases": _mrmcaov("delong", delong),
        "empirical AUC, unbiased (Gallas U-statistic) covariance, random readers+cases": _mrmcaov(
            "unbiased", unbiased
        ),
        "empirical AUC, jackknife, FIXED readers": _mrmcaov("fixed_readers", frrc) | _mrmcaov_single(frrc),
        "empirical AUC, FIXED cases": _mrmcaov("fixed_cases", rrfc),
        "cases nested within readers (case2)": _mrmcaov(
            "nested_in_reader", obuchowski_rockette(van_dyke(folder, "case2"))
        ),
        "cases nested within treatments (case3)": _mrmcaov(
            "nested_in_treatment", obuchowski_rockette(van_dyke(folder, "case3"))
        ),
        None: _iowa(rrrc, frrc, rrfc, dorfman_berbaum_metz(readings))
        | _dbm(readings)
        | _delong(delong)
        | _power(rrrc) | _pooled(readings),
    }
    return {("vandyke", method): values for method, values in vandyke.items()} | _agreement(folder)


def van_dyke(folder: Path, case: str = "case") -> Readings:
    """The Van Dyke readings with the named column as case: factorial, or nested in reader or treatment."""
    with (folder / "vandyke.csv").open() as file:
        rows = list(csv.DictReader(file))
    column = {name: [row[name] for row in rows] for name in ("reader", "treatment", case, "truth", "rating")}
    return readings_from_long(
        column["reader"], column["treatment"], column[case],
        [int(x) for x in column["truth"]], [float(x) for x in column["rating"]],
    )


def _mrmcaov(name: str, a: Analysis) -> Values:
    """The tables of an MRMCaov summary."""
    c, test, diff = a.components, a.test, a.differences[0]
    out = {
        "varcomp[reader] Estimate": c.reader,
        "varcomp[treatment:reader] Estimate": c.treatment_reader,
        "varcomp[Error] Estimate": c.error,
        "global[1] MS(T)": a.squares.treatment,
        "global[1] MS(T:R)": a.squares.error,
        "global[1] Denominator": test.denominator,
        "global[1] F": test.statistic,
        "global[1] X2": test.statistic,
        "global[1] df": test.df1,
        "global[1] df1": test.df1,
        "global[1] df2": test.df2,
        "global[1] p-value": test.p,
        "diff[1] t": diff.statistic,
        "diff[1] z": diff.statistic,
        "diff[1] p-value": diff.p,
        "diff[1] df": diff.df,
        "diff[1] StdErr": diff.stderr,
    } | _interval("diff[1]", diff)
    for k, cov, rho in zip((1, 2, 3), (c.cov1, c.cov2, c.cov3), c.correlations, strict=True):
        out |= {f"varcomp[Cov{k}] Estimate": cov, f"varcomp[Cov{k}] Correlation": rho, f"global[1] Cov{k}": cov}
    for i, mean in enumerate(a.means):
        out |= _interval(f"treatment[{i + 1}]", mean) | {
            f"treatment[{i + 1}] MS(R)": a.squares.readers_in_treatment[i],
            f"treatment[{i + 1}] Cov2": a.covariances.cov2_by_treatment[i],
            f"treatment[{i + 1}] Var(Error)": a.covariances.error_by_treatment[i],
            f"treatment[{i + 1}] StdErr": mean.stderr,
            f"treatment[{i + 1}] df": mean.df,
        }
    return {f"MRMCaov {name}: {key}": value for key, value in out.items()}


def _mrmcaov_single(a: Analysis) -> Values:
    out: Values = {}
    for i, diff in enumerate(a.by_reader):
        out |= _interval(f"reader_diff[{i + 1}]", diff) | {
            f"reader_diff[{i + 1}] StdErr": diff.stderr,
            f"reader_diff[{i + 1}] z": diff.statistic,
            f"reader_diff[{i + 1}] p-value": diff.p,
        }
    for i, row in enumerate(a.single_readings):
        for j, estimate in enumerate(row):
            cell = i * len(a.readers) + j
            name = f"single_reader treatment={i + 1} reader={j + 1}"
            out |= {
                f"{name} empirical_auc": estimate.value, f"{name} StdErr": np.sqrt(a.sigma[cell, cell]),
                f"{name} CI.Lower": estimate.low, f"{name} CI.Upper": estimate.high,
            }
    return {f"MRMCaov fixed_readers: {key}": value for key, value in out.items()}


def _interval(name: str, thing: object) -> Values:
    e = thing.estimate
    return {f"{name} Estimate": e.value, f"{name} CI.Lower": e.low, f"{name} CI.Upper": e.high}


def _iowa(rrrc: Analysis, frrc: Analysis, rrfc: Analysis, dbm: PseudovalueAnalysis) -> Values:
    """The OR-DBM MRMC 2.51 printout."""
    c, s, p = rrrc.components, rrrc.squares, dbm.components
    out = {
        "mean_auc_difference[1-2]": rrrc.differences[0].estimate.value,
        "OR_anova SS[T]": s.treatment * s.df_treatment,
        "OR_anova DF[T]": s.df_treatment,
        "OR_anova MS[T]": s.treatment,
        "OR_anova SS[R]": s.reader * s.df_reader,
        "OR_anova DF[R]": s.df_reader,
        "OR_anova MS[R]": s.reader,
        "OR_anova SS[T*R]": s.treatment_reader * s.df_treatment_reader,
        "OR_anova DF[T*R]": s.df_treatment_reader,
        "OR_anova MS[T*R]": s.treatment_reader,
        "OR Var(R)": c.reader,
        "OR Var(T*R)": c.treatment_reader,
        "OR Var(Error)": c.error,
        "DBM Var(R)": p.reader,
        "DBM Var(C)": p.case,
        "DBM Var(T*R)": p.treatment_reader,
        "DBM Var(T*C)": p.treatment_case,
        "DBM Var(R*C)": p.reader_case,
        "DBM Var(T*R*C) + Var(Error)": p.error,
        "FRRC chi2": frrc.test.statistic,
        "FRRC df": frrc.test.df1,
        "FRRC p": frrc.test.p,
    }
    for k, cov, rho in zip((1, 2, 3), (c.cov1, c.cov2, c.cov3), c.correlations, strict=True):
        out |= {f"OR COV{k}": cov, f"OR correlation COV{k}": rho}
    for name, a in (("RRRC", rrrc), ("RRFC", rrfc)):
        out |= {
            f"{name} num_df": a.test.df1, f"{name} den_df": a.test.df2, f"{name} MS(T)": a.squares.treatment,
            f"{name} F": a.test.statistic, f"{name} p": a.test.p, f"{name} MS(denominator)": a.test.denominator,
        }
    for name, a in (("RRRC", rrrc), ("FRRC", frrc), ("RRFC", rrfc)):
        out |= _iowa_difference(f"{name} diff[1-2]", a.differences[0])
        for i, mean in enumerate(a.means):
            prefix = f"{name} single_treatment={i + 1}"
            out |= {
                f"{prefix} auc": mean.estimate.value, f"{prefix} stderr": mean.stderr, f"{prefix} df": mean.df,
                f"{prefix} ci_low": mean.estimate.low, f"{prefix} ci_high": mean.estimate.high,
                f"{prefix} cov2": a.covariances.cov2_by_treatment[i],
                f"{prefix} MS(R)": a.squares.readers_in_treatment[i],
            }
    for i, row in enumerate(rrrc.values):
        out |= {f"auc[treatment={i + 1},reader={j + 1}]": x for j, x in enumerate(row)}
        out |= {
            f"mean_auc[treatment={i + 1}]": row.mean(),
            f"MS(R)[treatment={i + 1}]": s.readers_in_treatment[i],
            f"treatment={i + 1} Var(Error)": rrrc.covariances.error_by_treatment[i],
            f"treatment={i + 1} Cov2": rrrc.covariances.cov2_by_treatment[i],
        }
    for j, diff in enumerate(frrc.by_reader):
        out |= _iowa_difference(f"FRRC reader={j + 1} diff[1-2]", diff) | {
            f"reader={j + 1} Var(Error)": frrc.covariances.error_by_reader[j],
            f"reader={j + 1} Cov1": frrc.covariances.cov1_by_reader[j],
        }
    return out


def _iowa_difference(name: str, diff: object) -> Values:
    return {
        f"{name} estimate": diff.estimate.value, f"{name} stderr": diff.stderr, f"{name} df": diff.df,
        f"{name} t": diff.statistic, f"{name} z": diff.statistic, f"{name} p": diff.p,
        f"{name} ci_low": diff.estimate.low, f"{name} ci_high": diff.estimate.high,
    }


def _dbm(readings: Readings) -> Values:
    """RJafroc's stored pseudovalue analysis."""
    a = dorfman_berbaum_metz(readings)
    s, c = a.squares, a.components
    out: Values = {
        "FOMs.trtMeanDiffs[trt0-trt1].Estimate": a.differences[0].estimate.value,
        "ANOVA.VarCom[VarR].Estimates": c.reader, "ANOVA.VarCom[VarC].Estimates": c.case,
        "ANOVA.VarCom[VarTR].Estimates": c.treatment_reader, "ANOVA.VarCom[VarTC].Estimates": c.treatment_case,
        "ANOVA.VarCom[VarRC].Estimates": c.reader_case, "ANOVA.VarCom[VarErr].Estimates": c.error,
        "ANOVA.TRCanova[Total].SS": sum(s.sum_of_squares(e) for e in s.degrees),
        "ANOVA.TRCanova[Total].DF": sum(s.degrees.values()),
    }
    squares: Values = {f"pseudovalue mean squares.ms{e.upper()}": getattr(s, e) for e in s.degrees}
    for effect, df in s.degrees.items():
        name = f"ANOVA.TRCanova[{effect.upper()}]"
        out |= {f"{name}.SS": s.sum_of_squares(effect), f"{name}.DF": df, f"{name}.MS": getattr(s, effect)}
    for name, table, df in (
        ("msR", a.reader_by_treatment, s.df_r), ("msC", a.case_by_treatment, s.df_c),
        ("msRC", a.reader_case_by_treatment, s.df_r * s.df_c),
    ):
        out |= {f"ANOVA.IndividualTrt[{name}].trt{i}": x for i, x in enumerate(table)}
        out[f"ANOVA.IndividualTrt[{name}].DF"] = df
    for name, table, df in (
        ("msT", a.treatment_by_reader, s.df_t), ("msC", a.case_by_reader, s.df_c),
        ("msTC", a.treatment_case_by_reader, s.df_t * s.df_c),
    ):
        out |= {f"ANOVA.IndividualRdr[{name}].rdr{j}": x for j, x in enumerate(table)}
        out[f"ANOVA.IndividualRdr[{name}].DF"] = df
    squares |= {f"pseudovalue mean squares.msCSingleT[{i}]": x for i, x in enumerate(a.case_by_treatment)}
    squares |= {f"pseudovalue mean squares.msCSingleR[{j}]": x for j, x in enumerate(a.case_by_reader)}
    for i, row in enumerate(a.values):
        out[f"FOMs.trtMeans[trt{i}].Estimate"] = row.mean()
        out |= {f"FOMs.foms[trt{i},rdr{j}]": x for j, x in enumerate(row)}
    for name, inference in (
        ("RRRC", Inference.RANDOM_READERS_RANDOM_CASES), ("FRRC", Inference.FIXED_READERS),
        ("RRFC", Inference.FIXED_CASES),
    ):
        out |= _dbm_tests(name, dorfman_berbaum_metz(readings, inference=inference))
    return {f"RJafroc DBM.{key}": x for key, x in out.items()} | {
        f"RJafroc {key}": x for key, x in squares.items()
    }


def _dbm_tests(name: str, a: PseudovalueAnalysis) -> Values:
    out = {
        f"{name}.FTests[Treatment].DF": a.test.df1, f"{name}.FTests[Treatment].MS": a.squares.t,
        f"{name}.FTests[Treatment].FStat": a.test.statistic, f"{name}.FTests[Treatment].p": a.test.p,
        f"{name}.FTests[Error].DF": a.test.df2, f"{name}.FTests[Error].MS": a.test.denominator,
    } | _rjafroc_difference(f"{name}.ciDiffTrt[trt0-trt1]", a.differences[0])
    for i, mean in enumerate(a.means):
        prefix = f"{name}.ciAvgRdrEachTrt[trt{i}]"
        out |= {
            f"{prefix}.Estimate": mean.estimate.value, f"{prefix}.StdErr": mean.stderr, f"{prefix}.DF": mean.df,
            f"{prefix}.CILower": mean.estimate.low, f"{prefix}.CIUpper": mean.estimate.high,
        }
    for j, diff in enumerate(a.by_reader):
        out |= _rjafroc_difference(f"{name}.ciDiffTrtEachRdr[rdr{j}::trt0-trt1]", diff)
    return out


def _rjafroc_difference(name: str, diff: object) -> Values:
    return {
        f"{name}.Estimate": diff.estimate.value, f"{name}.StdErr": diff.stderr, f"{name}.DF": diff.df,
        f"{name}.t": diff.statistic, f"{name}.PrGTt": diff.p,
        f"{name}.CILower": diff.estimate.low, f"{name}.CIUpper": diff.estimate.high,
    }


def _delong(a: Analysis) -> Values:
    c, averages = a.components, a.covariances
    out = {
        "VarCom[VarR].Estimates": c.reader,
        "VarCom[VarTR].Estimates": c.treatment_reader,
        "VarCom[Var].Estimates": c.error,
    }
    for k, cov, rho in zip((1, 2, 3), (c.cov1, c.cov2, c.cov3), c.correlations, strict=True):
        out |= {f"VarCom[Cov{k}].Estimates": cov, f"VarCom[Cov{k}].Rhos": rho}
    for i in range(len(a.treatments)):
        out |= {
            f"IndividualTrt[trt{i}].DF": a.squares.df_reader,
            f"IndividualTrt[trt{i}].msREachTrt": a.squares.readers_in_treatment[i],
            f"IndividualTrt[trt{i}].varEachTrt": averages.error_by_treatment[i],
            f"IndividualTrt[trt{i}].cov2EachTrt": averages.cov2_by_treatment[i],
        }
    for j in range(len(a.readers)):
        out |= {
            f"IndividualRdr[rdr{j}].DF": a.squares.df_treatment,
            f"IndividualRdr[rdr{j}].msTEachRdr": a.values[:, j].var(ddof=1),
            f"IndividualRdr[rdr{j}].varEachRdr": averages.error_by_reader[j],
            f"IndividualRdr[rdr{j}].cov1EachRdr": averages.cov1_by_reader[j],
        }
    return {f"RJafroc DeLong OR.{key}": value for key, value in out.items()}


def _power(a: Analysis) -> Values:
    c, observed = a.components, a.differences[0].estimate.value
    printed = -0.043800322
    frrc, rrfc = Inference.FIXED_READERS, Inference.FIXED_CASES
    first = power(c, effect=printed, readers=10, cases=165, pilot_cases=114)
    stored = "RJafroc SsPower RRRC (J=10,K=165)[1]"
    return {
        "power RRRC, OR, effect -0.043800322, J=10, K=165": first.power,
        "power FRRC, OR, effect -0.043800322, J=10, K=131": power(
            c, effect=printed, readers=10, cases=131, pilot_cases=114, inference=frrc
        ).power,
        "power RRFC, OR, effect -0.043800322, J=10, K=53": power(
            c, effect=printed, readers=10, cases=53, pilot_cases=114, inference=rrfc
        ).power,
        "power RRRC, observed effect, J=6, K=111": power(
            c, effect=observed, readers=6, cases=111, pilot_cases=114
        ).power,
        "K needed for power 0.80 RRRC effect 0.05 J=6": cases_needed(
            c, target=0.8, effect=observed, readers=6, pilot_cases=114
        ).cases,
        f"{stored}.powerRRRC": first.power,
        f"{stored}.ncpRRRC": first.noncentrality,
        f"{stored}.df2RRRC": first.df2,
        f"{stored}.fRRRC": first.critical,
    }


def _pooled(readings: Readings) -> Values:
    """Readings of all readers and treatments pooled, and single empirical curves."""
    truth = np.broadcast_to(readings.truth, readings.ratings.shape).ravel()
    scores = readings.ratings.ravel()
    curve = roc_curve(truth, scores)
    fpr, tpr = curve.false_positive_rate, curve.sensitivity
    out = {
        "pooled (all reader-treatment rows) empirical AUC": auc(truth, scores).value,
        "pooled partial AUC specificity 0.7-1.0 (area, not normalised)": partial_area(
            truth, scores, low=0.7, high=1.0
        ),
        "pooled partial AUC sensitivity 0.7-1.0 (area right of curve)": partial_area(
            truth, scores, low=0.7, high=1.0, axis=Axis.SENSITIVITY
        ),
        "pooled empirical sensitivity at specificity 0.8 (interpolated)": np.interp(0.2, fpr, tpr),
        "pooled empirical specificity at sensitivity 0.8 (interpolated)": 1 - np.interp(0.8, tpr, fpr),
        "pooled sensitivity rating>=3": np.mean(scores[truth] >= 3),
        "pooled specificity rating>=3": np.mean(scores[~truth] < 3),
    }
    for t in range(2):
        for r in range(2):
            curve = roc_curve(readings.truth, readings.ratings[t, r])
            for at in (0.1, 0.3, 0.5):
                name = f"empirical ROC treatment={t + 1} reader={r + 1}: TPR at FPR={at}"
                out[name] = np.interp(at, curve.false_positive_rate, curve.sensitivity)
    return out


def _agreement(folder: Path) -> dict[tuple[str, str | None], Values]:
    table10 = json.loads((folder / "cohen_table10.json").read_text())["table10 (rows rater A, cols rater B)"]
    out: dict[tuple[str, str | None], Values] = {
        ("shrout_fleiss", None): _icc(folder),
        ("cohen_table10", None): _kappa("Cohen kappa", cohen_kappa(table10))
        | _kappa("Cohen kappa, linear weights (0,1,2)", cohen_kappa(table10, weights="linear")),
    }
    with (folder / "fleiss_diagnoses.csv").open() as file:
        diagnoses = [row[1:] for row in csv.reader(file)][1:]
    fleiss = fleiss_kappa(category_counts(diagnoses))
    out["fleiss_diagnoses", None] = {"Fleiss kappa": fleiss.estimate.value, "Fleiss kappa z": fleiss.z}
    with (folder / "krippendorff_wikipedia.csv").open() as file:
        coders = [[float(x) if x else np.nan for x in row[1:]] for row in list(csv.reader(file))[1:]]
    ratings = np.array(coders).T
    out["krippendorff_wikipedia", None] = {
        f"alpha {scale.value}": krippendorff_alpha(ratings, scale=scale).value
        for scale in (Scale.NOMINAL, Scale.INTERVAL)
    }
    for name, table in json.loads((folder / "paired_tables.json").read_text()).items():
        margins, symmetry = stuart_maxwell(table), bowker(table)
        out[f"paired_tables.{name}", None] = {
            "Stuart-Maxwell/McNemar chi2 (no correction)": margins.statistic, "df": margins.df,
            "Bowker chi2": symmetry.statistic, "Bowker df": symmetry.df, "Bowker p": symmetry.p,
        }
    return out


def _icc(folder: Path) -> Values:
    table = np.loadtxt(folder / "shrout_fleiss.csv", delimiter=",", skiprows=1)[:, 1:]
    out: Values = {}
    for form, icc in intraclass_correlations(table).items():
        out |= {
            f"{form} ICC": icc.estimate.value,
            f"{form} ci_low": icc.estimate.low,
            f"{form} ci_high": icc.estimate.high,
            f"{form} F": icc.f,
            f"{form} df1": icc.df1,
            f"{form} df2": icc.df2,
            f"{form} p": icc.p,
        }
    return out


def _kappa(name: str, kappa: Kappa) -> Values:
    return {
        f"{name} kappa": kappa.estimate.value,
        f"{name} ASE": kappa.stderr,
        f"{name} ASE under H0": kappa.stderr_null,
        f"{name} ci_low": kappa.estimate.low,
        f"{name} ci_high": kappa.estimate.high,
        f"{name} Z": kappa.z,
        f"{name} p one-sided": kappa.p_one_sided,
        f"{name} p two-sided": kappa.p,
    }
