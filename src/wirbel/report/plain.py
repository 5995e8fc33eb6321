"""The result as plain JSON values: `result.json`, whose schema lies beside this module."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib.resources import files

import numpy as np

from wirbel.etiology import Cause
from wirbel.finding.signs import Signs
from wirbel.finding.signs import to_json as plain_signs
from wirbel.report.cause_words import has_classifier
from wirbel.report.sentences import is_simulated
from wirbel.report.wording import Wording
from wirbel.spine import Level
from wirbel.study import SeriesRef
from wirbel.vertebra import NotMeasured

FORMAT, FORMAT_VERSION = "wirbel-result", 1
NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."
NOTICE_SIMULATED = (
    "The classifier was trained on SIMULATED data only: no real patient stands behind its answers and "
    "probabilities. Research use only; not for diagnosis."
)
NOTICE_CLASSIFIER = "The cause is the estimate of a classifier. Research use only; not for diagnosis."
#: A cause without its label (that of the vertebra) and its heat map (a file of its own).
CAUSE_FIELDS = tuple(field.name for field in fields(Cause) if field.name not in {"label", "heat"})


def result_json(wording: Wording) -> str:
    """The whole result; what is not given in the header is null, what is not measured says why."""
    return json.dumps(as_plain(wording), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def schema() -> dict[str, object]:
    """The published JSON Schema of `result.json`."""
    text = files("wirbel.report").joinpath("result.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, object] = json.loads(text)
    return loaded


def as_plain(wording: Wording) -> dict[str, object]:
    """The result's record in the order a reader would ask for it."""
    result = wording.result
    numbering = result.spine.numbering
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "research_use_only": True,
        "notice": NOTICE,
        "classifier_notice": _classifier_notice(wording),
        "simulated": is_simulated(wording),
        "study": {
            "accession": result.series.accession,
            "patient_id": result.series.patient_id,
            "study_date": result.series.study_date,
            "study_uid": result.series.study_uid,
        },
        "clinical": plain(result.clinical),
        "series": {
            "main": _series(result.series),
            "heights": _series(result.heights_series),
            "density": _series(result.density_series),
        },
        "numbering": {**_record(numbering), "relative": wording.relative},
        "vertebrae": _vertebrae(wording),
        "kyphosis": plain(result.findings.kyphosis),
        "density_reading": plain(result.findings.density),
        "cautions": plain(result.findings.cautions),
        "provenance": plain(result.provenance),
    }


def plain(value: object) -> object:
    """A value without types: records become objects, enumerations their names, blanks `not_measured`."""
    plain_value: object
    match value:
        case None | bool() | str():
            plain_value = value.value if isinstance(value, Enum) else value
        case NotMeasured():
            plain_value = {"not_measured": value.reason.value, "detail": value.detail}
        case Level():
            plain_value = value.name
        case Enum():
            plain_value = value.value
        case int():
            plain_value = value
        case float() | np.ndarray() | np.generic():
            plain_value = _rounded(np.asarray(value).tolist())
        case Mapping():
            plain_value = {str(plain(key)): plain(entry) for key, entry in value.items()}
        case tuple() | list() | set() | frozenset():
            plain_value = [plain(entry) for entry in value]
        case _:
            plain_value = _record(value) if is_dataclass(value) else str(value)
    return plain_value


def _record(value: object) -> dict[str, object]:
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"not a record: {type(value).__name__}")
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}


def _rounded(value: object) -> object:
    """Figures to a tenth of a micrometre: no digits that only the arithmetic made; NaN and infinity as null."""
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value


def _series(series: SeriesRef) -> dict[str, object]:
    """A series without what the study's head already says."""
    of_study = {"accession", "patient_id", "study_date", "study_uid"}
    return {key: entry for key, entry in _record(series).items() if key not in of_study}


def _vertebrae(wording: Wording) -> list[dict[str, object]]:
    result = wording.result
    signs = {each.label: each for each in result.signs if each is not None}
    return [
        {
            "label": vertebra.label,
            "name": vertebra.name,
            "level": vertebra.level.name if vertebra.level is not None else None,
            "verse": vertebra.level.value if vertebra.level is not None else None,
            "level_probability": plain(vertebra.probability),
            "score": plain(vertebra.score),
            "cut_by_border": vertebra.cut_by_border,
            "centre_lps_mm": plain(vertebra.centre_lps_mm),
            "measures": {k: v for k, v in _record(measures).items() if k != "label"},
            "finding": {k: v for k, v in _record(finding).items() if k != "label"},
            "cause": _cause(cause),
            "signs": _signs(signs.get(vertebra.label)),
        }
        for vertebra, measures, finding, cause in zip(
            result.spine.vertebrae,
            result.measures,
            result.findings.vertebrae,
            result.etiology.vertebrae,
            strict=True,
        )
    ]


def _cause(cause: Cause) -> dict[str, object]:
    """A cause; of its heat map how it was made, the map itself is a file of its own."""
    heat = cause.heat
    made = None if heat is None else {"method": heat.method.value, "made_by": list(heat.made_by)}
    return {**{name: plain(getattr(cause, name)) for name in CAUSE_FIELDS}, "heat": made}


def _signs(signs: Signs | None) -> dict[str, object] | None:
    """References and values of a vertebra's signs; null where nobody asked for them."""
    return None if signs is None else {k: v for k, v in plain_signs(signs).items() if k != "label"}


def _classifier_notice(wording: Wording) -> str | None:
    if not has_classifier(wording.result):
        return None
    return NOTICE_SIMULATED if wording.result.provenance.classifier_simulated else NOTICE_CLASSIFIER
