"""`vertebrae.csv`: one line a vertebra, language-neutral, units in the column names."""

import csv
import io

from wirbel.etiology import Cause
from wirbel.finding import Verdict
from wirbel.finding.signs import Sign
from wirbel.report.cause_words import has_classifier
from wirbel.report.rows import Row
from wirbel.report.sentences import is_simulated
from wirbel.report.wording import Wording
from wirbel.vertebra import BodyHeights, Density, NotMeasured, Reason

COLUMNS = (
    "notice", "simulated", "accession", "patient_id", "study_date", "series_number",
    "label", "name", "level", "verse", "numbering", "slice", "centre_l_mm", "centre_p_mm", "centre_s_mm",
    "cut_by_border", "assessment", "genant_grade", "shape", "height_loss", "reasons",
    "anterior_mm", "middle_mm", "posterior_mm", "worst_anterior_mm", "worst_middle_mm", "worst_posterior_mm",
    "depth_mm", "wedge_deg", "density_hu", "density_mg_cm3", "body_volume_mm3", "cause", "suspicion", "p_malignant",
    "p_malignant_low", "p_malignant_high", "interval", "prevalence_assumed", "tier_rule", "cause_reasons",
    "classifier_trained_on", "age_years", "sex", "known_cancer",
    *(sign.value for sign in Sign),
    "not_measured",
)  # fmt: skip
NOTICE = "research use only"
UNKNOWN = "unknown"


def vertebrae_csv(wording: Wording, rows: tuple[Row, ...]) -> str:
    """The table; an empty field is explained in `not_measured`, an empty header field was not given."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**_study(wording), **_vertebra(wording, row)})
    return buffer.getvalue()


def _study(wording: Wording) -> dict[str, str]:
    series = wording.result.series
    return {
        "notice": NOTICE,
        "simulated": "yes" if is_simulated(wording) else "no",
        "accession": _safe(series.accession),
        "patient_id": _safe(series.patient_id),
        "study_date": _safe(series.study_date),
        "series_number": _safe(series.series_number),
        **_clinical(wording),
    }


def _clinical(wording: Wording) -> dict[str, str]:
    """As given, else unknown."""
    clinical = wording.result.clinical
    cancer = {True: "yes", False: "no", None: UNKNOWN}[clinical.known_cancer]
    return {
        "age_years": UNKNOWN if clinical.age_years is None else f"{clinical.age_years:g}",
        "sex": UNKNOWN if clinical.sex is None else clinical.sex.value,
        "known_cancer": cancer,
    }


def _vertebra(wording: Wording, row: Row) -> dict[str, str]:
    vertebra, finding, measures = row.vertebra, row.finding, row.measures
    blanks = {
        "heights": measures.heights,
        "wedge": measures.wedge_deg,
        "density": measures.density,
        "grade": finding.grade,
        "loss": finding.loss,
        "assessment": finding.not_assessed,
    }
    record = {
        "label": str(vertebra.label),
        "name": vertebra.name,
        "level": vertebra.level.name if vertebra.level is not None else "",
        "verse": str(vertebra.level.value) if vertebra.level is not None else "",
        "numbering": "relative" if wording.relative else wording.result.spine.numbering.status.value,
        "slice": row.slice,
        "cut_by_border": "yes" if vertebra.cut_by_border else "no",
        "assessment": finding.verdict.value,
        "genant_grade": "" if isinstance(finding.grade, NotMeasured) else str(finding.grade.value),
        "shape": finding.shape.value if finding.shape else "",
        "height_loss": _figure(finding.loss, 3),
        "reasons": " ".join(reason.value for reason in finding.reasons),
        "wedge_deg": _figure(measures.wedge_deg, 1),
        "body_volume_mm3": _figure(measures.body_volume_mm3, 0),
    }
    values = _sign_values(wording, row)
    blanks |= {name: value for name, value in values.items() if isinstance(value, NotMeasured)}
    record |= {name: _figure(value, 4) for name, value in values.items()}
    why = {name: blank.reason.value for name, blank in blanks.items() if isinstance(blank, NotMeasured)}
    record["not_measured"] = " ".join(f"{name}:{reason}" for name, reason in why.items())
    for axis, value in zip("lps", vertebra.centre_lps_mm, strict=True):
        record[f"centre_{axis}_mm"] = _figure(float(value), 1)
    return record | _heights(row) | _density(row) | _cause(wording, row)


def _heights(row: Row) -> dict[str, str]:
    heights = row.measures.heights
    if not isinstance(heights, BodyHeights):
        return {}
    median, worst = heights.median, heights.worst
    return {
        "anterior_mm": _figure(median.anterior_mm, 2),
        "middle_mm": _figure(median.middle_mm, 2),
        "posterior_mm": _figure(median.posterior_mm, 2),
        "worst_anterior_mm": _figure(worst.anterior_mm, 2),
        "worst_middle_mm": _figure(worst.middle_mm, 2),
        "worst_posterior_mm": _figure(worst.posterior_mm, 2),
        "depth_mm": _figure(heights.depth_mm, 1),
    }


def _density(row: Row) -> dict[str, str]:
    density = row.measures.density
    if not isinstance(density, Density):
        return {}
    return {"density_hu": _figure(density.median_hu, 1), "density_mg_cm3": _figure(density.mg_cm3, 1)}


def _sign_values(wording: Wording, row: Row) -> dict[str, float | NotMeasured]:
    """The signs by column; empty where nobody asked for them."""
    own = next((s for s in wording.result.signs if s is not None and s.label == row.vertebra.label), None)
    return {} if own is None else {sign.value: own.values.of(sign) for sign in Sign}


def _cause(wording: Wording, row: Row) -> dict[str, str]:
    """The answer or why there is none, English; a vertebra without fracture is suspicious at most."""
    result = wording.result
    cause = next(c for c in result.etiology.vertebrae if c.label == row.vertebra.label)
    trained_on = "simulated" if result.provenance.classifier_simulated else "other"
    record = {
        "suspicion": "" if cause.suspicion is None else cause.suspicion.value,
        "p_malignant": _figure(cause.p_malignant, 3),
        "p_malignant_low": _figure(cause.low, 3),
        "p_malignant_high": _figure(cause.high, 3),
        "interval": "" if cause.interval is None else cause.interval.value,
        "prevalence_assumed": _figure(cause.prevalence, 3),
        "tier_rule": "" if cause.rule is None else cause.rule.value,
        "cause_reasons": " ".join(reason.value for reason in cause.reasons),
        "classifier_trained_on": trained_on if has_classifier(result) else "",
    }
    if cause.suspicion is not None:
        return {**record, "cause": "suspicious, unfractured"}
    if not isinstance(cause.answer, NotMeasured):
        return {**record, "cause": cause.answer.value}
    return {**record, "cause": _unsaid(row, cause, cause.answer)}


def _unsaid(row: Row, cause: Cause, blank: NotMeasured) -> str:
    """`not fractured` of what is not, else why no cause is told."""
    if blank.reason is Reason.NOT_FRACTURED:
        borderline = row.finding.verdict is Verdict.BORDERLINE
        return "not assessed: fracture not certain" if borderline else "not fractured"
    reason = (cause.reasons[0] if cause.reasons else blank.reason).value.replace("_", " ")
    return "not assessed: no classifier installed" if reason == "no classifier" else f"not assessed: {reason}"


def _figure(value: float | NotMeasured | None, digits: int) -> str:
    return "" if value is None or isinstance(value, NotMeasured) else f"{value:.{digits}f}"


def _safe(words: str | None) -> str:
    """A header's words such that no spreadsheet takes them for a formula."""
    if not words:
        return ""
    return f"'{words}" if words[0] in "=+-@\t\r" else words
