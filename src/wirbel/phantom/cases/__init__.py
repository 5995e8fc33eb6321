"""Vertebrae with a cause: osteoporotic, malignant, normal and what resembles them, drawn with known signs."""

from wirbel.phantom.cases.cause import DrawnCause
from wirbel.phantom.cases.chances import Difficulty
from wirbel.phantom.cases.draw_plan import draw_plan
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.sign_table import SIGN_NAMES, sign_row

__all__ = ["SIGN_NAMES", "Difficulty", "DrawnCause", "Plan", "draw_plan", "sign_row"]
