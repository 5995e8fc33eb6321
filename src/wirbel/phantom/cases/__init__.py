"""Vertebrae with a cause: osteoporotic, malignant, normal and what resembles them, drawn with known signs."""

from wirbel.phantom.cases.case import CaseCt, CaseSettings, PaintedCt, crop_of, draw_case, look_of, painted_ct
from wirbel.phantom.cases.cause import DrawnCause
from wirbel.phantom.cases.chances import Difficulty
from wirbel.phantom.cases.draw_plan import draw_plan
from wirbel.phantom.cases.patient import Patient, draw_patient
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.scene import Mark
from wirbel.phantom.cases.sign_table import SIGN_NAMES, sign_row
from wirbel.phantom.cases.truth import SignTruth

__all__ = [
    "SIGN_NAMES",
    "CaseCt",
    "CaseSettings",
    "Difficulty",
    "DrawnCause",
    "Mark",
    "PaintedCt",
    "Patient",
    "Plan",
    "SignTruth",
    "crop_of",
    "draw_case",
    "draw_patient",
    "draw_plan",
    "look_of",
    "painted_ct",
    "sign_row",
]
