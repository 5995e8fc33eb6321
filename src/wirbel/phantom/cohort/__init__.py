"""A simulated cohort: the study's numbers and more, from frozen settings, as crops or as whole CTs."""

from wirbel.phantom.cohort.arms import PRESETS, Arm
from wirbel.phantom.cohort.full import make_full
from wirbel.phantom.cohort.make import Made, make_crops
from wirbel.phantom.cohort.orders import PatientOrder, orders_of
from wirbel.phantom.cohort.settings import CohortSettings, canonical, fingerprint, settings_for

__all__ = [
    "PRESETS",
    "Arm",
    "CohortSettings",
    "Made",
    "PatientOrder",
    "canonical",
    "fingerprint",
    "make_crops",
    "make_full",
    "orders_of",
    "settings_for",
]
