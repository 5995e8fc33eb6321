"""The tables of a simulated cohort: one row a vertebra, and its truth beside it."""

from collections.abc import Mapping
from dataclasses import fields

from wirbel.phantom.cases import CaseCt, DrawnCause, SignTruth
from wirbel.phantom.cohort.orders import PatientOrder

#: The columns that a cohort's crops have, and two of ours: what the row is for, and what was drawn.
INDEX = (
    "patient", "vertebra", "class", "split", "fold", "age", "sex", "scanner", "contrast", "site", "image", "line",
    "inside", "arm", "cause",
)  # fmt: skip
_TRUTH = tuple(f.name for f in fields(SignTruth) if f.name not in ("level", "cause"))
#: Every sign that was painted, the patient's history, and the scanner as it was drawn.
TRUTH = ("row", "patient", "vertebra", "cause", *_TRUTH, "known_cancer", "further_lesions", "noise_hu", "slice_mm")
_CLASS: dict[DrawnCause, str] = {
    DrawnCause.OSTEOPOROTIC_FRACTURE: "osteoporotic_fracture",
    DrawnCause.MALIGNANT_FRACTURE: "malignant_fracture",
    DrawnCause.MALIGNANT_LESION: "malignant_lesion",
    DrawnCause.NORMAL: "normal",
}


def class_of(cause: DrawnCause) -> str:
    """The class in a cohort's table: everything that only resembles the others is a mimic."""
    return _CLASS.get(cause, "mimic")


def index_row(order: PatientOrder, case: CaseCt, row: int) -> dict[str, str]:
    """One row of `index.tsv`."""
    phase = case.look.phase
    return {
        "patient": order.patient,
        "vertebra": case.truth.level.name,
        "class": class_of(case.truth.cause),
        "split": order.split,
        "fold": "" if order.fold is None else str(order.fold),
        "age": f"{case.patient.age_years:.1f}",
        "sex": case.patient.sex,
        "scanner": f"{case.scanner.manufacturer} {case.scanner.model} {case.scanner.kernel}",
        "contrast": "none" if phase == "native" else phase,
        "site": order.site,
        "image": f"sub-{order.patient}",
        "line": str(row + 2),
        "inside": "1.000",
        "arm": order.arm,
        "cause": case.truth.cause.value,
    }


def truth_row(order: PatientOrder, case: CaseCt, row: int) -> dict[str, str]:
    """One row of `truth.tsv`; empty where a number has no meaning (no fragment, no line)."""
    plain: Mapping[str, object] = {
        "row": row,
        "patient": order.patient,
        "vertebra": case.truth.level.name,
        "cause": case.truth.cause.value,
        **{name: getattr(case.truth, name) for name in _TRUTH},
        "known_cancer": case.patient.known_cancer,
        "further_lesions": case.patient.further_lesions,
        "noise_hu": case.scanner.noise_hu,
        "slice_mm": case.scanner.slice_mm,
    }
    return {name: _cell(value) for name, value in plain.items()}


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.5g}" if isinstance(value, float) else str(value)
