"""From scores to the whole report: each line a section."""

from collections.abc import Sequence

import numpy as np

from wirbel import __version__
from wirbel.cohort.appraisal.cases import AppraisedCohort
from wirbel.cohort.appraisal.charts import calibration_picture, risk_picture, roc_picture
from wirbel.cohort.appraisal.comparisons import comparison_section
from wirbel.cohort.appraisal.consequences import consequence_section
from wirbel.cohort.appraisal.gallery import gallery_section
from wirbel.cohort.appraisal.model import Model
from wirbel.cohort.appraisal.primary import Primary, targets_section
from wirbel.cohort.appraisal.probability_tables import probability_section, risk_coverage_area
from wirbel.cohort.appraisal.scores import patient_codes
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Document, Section, Sheet
from wirbel.cohort.appraisal.sign_section import sign_areas, sign_calls, sign_section
from wirbel.cohort.appraisal.sign_table import SignTable
from wirbel.cohort.appraisal.study_tables import PRINTED_HEADER, calls_section, cohort_section, printed_row
from wirbel.cohort.appraisal.subgroups import subgroup_section
from wirbel.cohort.appraisal.three_tiers import best_rows, tiers_section
from wirbel.cohort.appraisal.without_fracture import unfractured_section
from wirbel.cohort.crops import CropFolder
from wirbel.etiology import calibration_sha256
from wirbel.evaluation.foreman import ROWS

#: What the foot says of the folder, where the folder says it.
FACTS = ("preset", "difficulty", "seed", "voxels", "spacing_mm", "settings_sha256", "code_sha256")


def appraise(
    crops: CropFolder,
    cohort: AppraisedCohort,
    models: Sequence[Model],
    primary: Primary,
    signs: SignTable | None,
    settings: AppraisalSettings,
) -> Document:
    """The report of a cohort's models."""
    areas = () if signs is None else sign_areas(signs, cohort, settings)
    chosen = [m for m in (primary.model, primary.against) if m is not None]
    simulated = cohort.simulated
    targets = (targets_section(primary, cohort, models, areas, settings),) if simulated else ()
    sections = (
        *targets,
        cohort_section(cohort),
        calls_section(cohort, models, settings),
        tiers_section(cohort, models, settings),
        _readers_section(cohort, primary.model, signs, settings),
        _curves_section(cohort, models, [m.name for m in chosen], settings),
        probability_section(cohort, models, settings),
        comparison_section(cohort, models, settings),
        subgroup_section(cohort, chosen, settings),
        consequence_section(cohort, primary.model, settings),
        unfractured_section(cohort, models, settings),
        Section("Signs", ("No table of signs was given.",)) if signs is None
        else sign_section(signs, cohort, settings),
        gallery_section(crops, primary.arm, primary.model, settings, simulated=simulated),
    )  # fmt: skip
    return Document(
        "Osteoporotic or malignant: evaluation of a cohort", simulated, _lead(cohort, primary, settings), sections,
        _foot(cohort, models, settings),
    )  # fmt: skip


def _lead(cohort: AppraisedCohort, primary: Primary, settings: AppraisalSettings) -> tuple[str, ...]:
    told = (
        "All vertebrae of this report are SIMULATED: drawn CTs with known truth, no patient. What is shown here is "
        "how the method behaves on drawings; it is no evidence of accuracy in patients."
        if cohort.simulated else "The cases are those of the cohort's test splits."
    )
    names = ", ".join(f"{a.name} ({len(a.cases)})" for a in cohort.fracture_arms)
    left_out = f" {cohort.left_out} crops are unclear or not drawn yet and left out." if cohort.left_out else ""
    whole = {a.name: len(a.cases) for a in cohort.arms}
    left_out += "".join(f" {a} is not whole: {whole[a]} of {n} crops." for a, n in cohort.unfinished.items())
    large = ", ".join(a.name for a in cohort.conclusion_arms)
    return (
        *primary.sentences(settings, simulated=cohort.simulated),
        told,
        f"Arms with fractures: {names}. Conclusions rest on {large}; the smaller ones repeat the study's size and "
        f"structure.{left_out}",
    )


def _readers_section(
    cohort: AppraisedCohort, model: Model, signs: SignTable | None, settings: AppraisalSettings
) -> Section:
    """Table 5: the best model with three answers, where the study sets readers beside it."""
    rows: list[tuple[Cell, ...]] = []
    for arm in cohort.fracture_arms:
        if model.scores.has(arm):
            rows += best_rows(arm, model, settings)
        if signs is not None:
            rows += sign_calls(signs, arm, cohort, settings)
    sheet = Sheet(
        "table5", "Table 5: the best model, and readers",
        ("arm", "reader", "coverage", "(sensitivity + specificity) / 2", "accuracy", "sensitivity", "specificity"),
        tuple(rows),
        note="Nobody has read this folder's cases: in the readers' place stand the best single sign and all signs "
        "(where a table of signs was given).",
    )  # fmt: skip
    beside = Sheet(
        "table5_printed", "Table 5 as the study prints it (real patients): its readers",
        PRINTED_HEADER, tuple(printed_row(row) for row in ROWS if row.table == 5), keys=3, printed=True,
        note="They read other, real patients: this stands here for the structure, not for a comparison.",
    )  # fmt: skip
    return Section("The best model, and readers", sheets=(sheet, beside))


def _curves_section(
    cohort: AppraisedCohort, models: Sequence[Model], first: Sequence[str], settings: AppraisalSettings
) -> Section:
    """ROC on every arm; risk against coverage and calibration on the arms for conclusions."""
    pictures, rows = [], []
    large = {a.name for a in cohort.conclusion_arms}
    for arm in cohort.fracture_arms:
        scored = [m for m in models if m.scores.has(arm)]
        pictures.append(roc_picture(arm, scored, first, settings, simulated=cohort.simulated))
        if arm.name not in large:
            continue
        pictures.append(risk_picture(arm, scored, settings, simulated=cohort.simulated))
        shown = [m for m in scored if m.name in first]
        pictures.append(calibration_picture(arm, shown, settings, simulated=cohort.simulated))
        for m in scored:
            p = m.probability(arm)
            p = m.raw(arm) if p is None else p
            wrong, sure = (p >= 0.5) != arm.malignant, np.abs(p - 0.5)
            rows.append((arm.name, m.name, risk_coverage_area(wrong, sure, patient_codes(arm), settings)))
    sheet = Sheet("risk_coverage", "Area under the risk-coverage curve (0 is best)", ("arm", "model", "AURC"),
                  tuple(rows), note="Mean share of errors over all coverages; bootstrap of patients.")  # fmt: skip
    return Section("Curves", sheets=(sheet,), pictures=tuple(pictures))


def _foot(
    cohort: AppraisedCohort, models: Sequence[Model], settings: AppraisalSettings
) -> tuple[tuple[str, str], ...]:
    out = [("wirbel", __version__), ("crops", cohort.name)]
    out += [(f"crops: {key}", cohort.facts[key]) for key in FACTS if key in cohort.facts]
    for model in models:
        if model.scores.scorer is not None:
            out.append((f"{model.name}: networks sha256", model.scores.scorer))
        out.append((f"{model.name}: scores sha256", model.scores.sha256))
        for fitted in (model.fractured, model.unfractured):
            if fitted is not None:
                what = f"{model.name}: calibration, {fitted.population.value}"
                whose = "fitted here" if model.fitted_here else f"given, for scorer {fitted.scorer}"
                out.append((what, f"sha256 {calibration_sha256(fitted)} ({whose})"))
    out.append(("bootstrap", f"seed {settings.seed}, {settings.replicates} replicates"))
    return tuple(out)
