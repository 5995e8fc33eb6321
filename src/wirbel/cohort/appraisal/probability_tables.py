"""Do the probabilities come true? Calibration error, debiased, and slope, before and after calibration."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

from wirbel.cohort.appraisal.cases import AppraisedCohort
from wirbel.cohort.appraisal.figures import Units, or_blank
from wirbel.cohort.appraisal.model import Model, units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Sheet
from wirbel.etiology.log_odds import at_prevalence
from wirbel.evaluation import (
    Estimate,
    NotEstimable,
    area_under_risk_coverage,
    bootstrap_area_under_risk_coverage,
    bootstrap_calibration_error,
    brier_score,
    calibration_line,
    cluster_bootstrap,
    debiased_calibration_error,
    expected_calibration_error,
)

#: Probabilities nearer to 0 or 1 are taken as this for the slope: 0 and 1 have no logit.
LOGIT_EDGE = 1e-6


def probability_section(
    cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings
) -> Section:
    """Calibration of every model on every arm with fractures."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.fracture_arms:
        units = units_of(arm, settings)
        for model in models:
            if not model.scores.has(arm):
                continue
            for name, p in _versions(model, arm.malignant.mean(), model.raw(arm), model.probability(arm)):
                rows.append((arm.name, model.name, name, *_figures(units, p, settings)))
    sheet = Sheet(
        "calibration", "Calibration of the probabilities",
        ("arm", "model", "probability", "cases", "ECE, plug-in", "ECE, debiased", "slope", "in the large",
         "Brier score"),
        tuple(rows), keys=3,
        note=f"ECE over {settings.bins} bins of equal counts. The plug-in ECE is too large in small samples (a "
        "perfect model of 86 cases shows about 0.1): there only the debiased one, with its bootstrap interval, "
        "says anything. Slope 1 and 0 in the large are perfect. 'At this arm's share' exchanges the prevalence of "
        "the calibration cohort for the arm's own, as a site that knows its share would.",
    )  # fmt: skip
    return Section("Calibration", sheets=(sheet,))


def calibration_figures(
    units: Units, p: Float64[np.ndarray, "n"], settings: AppraisalSettings
) -> tuple[Estimate | NotEstimable, Estimate | NotEstimable]:
    """The debiased ECE and the slope, with their intervals."""
    truth, patients = units.malignant, units.patients
    inside = np.clip(p, LOGIT_EDGE, 1 - LOGIT_EDGE)
    rng = np.random.default_rng(settings.seed)
    if patients is None:
        return (
            or_blank(lambda: bootstrap_calibration_error(
                truth, p, rng=rng, bins=settings.bins, replicates=settings.replicates, level=settings.level
            )),
            or_blank(lambda: calibration_line(truth, inside, level=settings.level).slope),
        )  # fmt: skip

    def error(index: Int64[np.ndarray, "m"]) -> float:
        return debiased_calibration_error(truth[index], p[index], bins=settings.bins)

    def slope(index: Int64[np.ndarray, "m"]) -> float:
        return calibration_line(truth[index], inside[index]).slope.value

    fewer = max(200, settings.replicates // 10)  # each draw fits a model
    return (
        or_blank(lambda: cluster_bootstrap(error, patients, rng=rng, replicates=fewer, level=settings.level)),
        or_blank(lambda: cluster_bootstrap(slope, patients, rng=rng, replicates=fewer, level=settings.level)),
    )


def risk_coverage_area(
    wrong: Bool[np.ndarray, "n"], sure: Float64[np.ndarray, "n"], patients: Int64[np.ndarray, "n"] | None,
    settings: AppraisalSettings,
) -> Estimate | NotEstimable:  # fmt: skip
    """Area under the risk-coverage curve, patients drawn."""
    rng = np.random.default_rng(settings.seed)
    if patients is None:
        return or_blank(lambda: bootstrap_area_under_risk_coverage(
            wrong, sure, rng=rng, replicates=settings.replicates, level=settings.level
        ))  # fmt: skip

    def area(index: Int64[np.ndarray, "m"]) -> float:
        return area_under_risk_coverage(wrong[index], sure[index])

    return or_blank(lambda: cluster_bootstrap(
        area, patients, rng=rng, replicates=settings.replicates, level=settings.level
    ))  # fmt: skip


def _figures(units: Units, p: Float64[np.ndarray, "n"], settings: AppraisalSettings) -> tuple[Cell, ...]:
    truth = units.malignant
    error, slope = calibration_figures(units, p, settings)
    inside = np.clip(p, LOGIT_EDGE, 1 - LOGIT_EDGE)
    large = or_blank(lambda: calibration_line(truth, inside, level=settings.level).in_the_large)
    return (
        truth.size, expected_calibration_error(truth, p, bins=settings.bins), error, slope, large,
        or_blank(lambda: _brier(units, p, settings)),
    )  # fmt: skip


def _brier(units: Units, p: Float64[np.ndarray, "n"], settings: AppraisalSettings) -> Estimate:
    if units.patients is None:
        return brier_score(units.malignant, p, level=settings.level)
    losses = (p - units.malignant) ** 2
    return cluster_bootstrap(
        lambda index: float(losses[index].mean()), units.patients, rng=np.random.default_rng(settings.seed),
        replicates=settings.replicates, level=settings.level,
    )  # fmt: skip


def _versions(
    model: Model, share: float, raw: Float64[np.ndarray, "n"], calibrated: Float64[np.ndarray, "n"] | None
) -> list[tuple[str, Float64[np.ndarray, "n"]]]:
    out = [("raw softmax", raw)]
    if calibrated is not None and model.fractured is not None:
        fitted_at = model.fractured.cohort.prevalence
        out.append((f"calibrated ({fitted_at:.2f} malignant)", calibrated))
        exchanged = at_prevalence(calibrated, fitted_at=fitted_at, assumed=float(share))
        out.append((f"calibrated, at this arm's share ({share:.2f})", exchanged))
    return out
