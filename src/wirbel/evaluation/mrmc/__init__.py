"""Multi-reader multi-case studies: readers and cases both vary, and both are allowed for."""

from wirbel.evaluation.mrmc.covariance import Covariance, case_covariance
from wirbel.evaluation.mrmc.design import Design, layout_of
from wirbel.evaluation.mrmc.figures import AreaUnderCurve, Figure, Sensitivity, Specificity, UserFigure
from wirbel.evaluation.mrmc.obuchowski_rockette import Analysis, obuchowski_rockette
from wirbel.evaluation.mrmc.one_shot import OneShot, one_shot
from wirbel.evaluation.mrmc.power import Power, cases_needed, power
from wirbel.evaluation.mrmc.pseudovalues import PseudovalueAnalysis, dorfman_berbaum_metz
from wirbel.evaluation.mrmc.readings import Readings, readings_from_long
from wirbel.evaluation.mrmc.results import Difference, Inference, TreatmentMean
from wirbel.evaluation.mrmc.roe_metz import ROE_METZ_1997, RoeMetz, simulate_readings
from wirbel.evaluation.mrmc.stand_alone import StandAlone, stand_alone

__all__ = [
    "ROE_METZ_1997",
    "Analysis",
    "AreaUnderCurve",
    "Covariance",
    "Design",
    "Difference",
    "Figure",
    "Inference",
    "OneShot",
    "Power",
    "PseudovalueAnalysis",
    "Readings",
    "RoeMetz",
    "Sensitivity",
    "Specificity",
    "StandAlone",
    "TreatmentMean",
    "UserFigure",
    "case_covariance",
    "cases_needed",
    "dorfman_berbaum_metz",
    "layout_of",
    "obuchowski_rockette",
    "one_shot",
    "power",
    "readings_from_long",
    "simulate_readings",
    "stand_alone",
]
