"""Osteoporotic, malignant or uncertain: scorers' Protocol, calibration, tiers, refusal."""

from wirbel.etiology.calibration import Calibration, Cohort, Population, calibrate, promised
from wirbel.etiology.calibration_file import calibration_sha256, read_calibration, written_calibration
from wirbel.etiology.classify import authors_tier, classify, must_fit, no_classifier, tier_of
from wirbel.etiology.clinical import Clinical, Sex
from wirbel.etiology.clinical_table import ClinicalTable, read_clinical
from wirbel.etiology.etiology import Cause, Etiology
from wirbel.etiology.heat import HeatMap, HeatMethod
from wirbel.etiology.labelled_scores import LabelledScores
from wirbel.etiology.refusal import SENTENCES, Refusal
from wirbel.etiology.scorer import Calibrations, EtiologyScorer, RawScore, Recalibrated, ScorerIdentity
from wirbel.etiology.settings import AuthorsThresholds, EtiologySettings, RefusalSettings
from wirbel.etiology.support import supported
from wirbel.etiology.third_cause import without_discitis
from wirbel.etiology.thresholds import Confidence, Promise, TierThresholds, patients_needed
from wirbel.etiology.vocabulary import Interval, Suspicion, Tier, TierRule

__all__ = [
    "SENTENCES",
    "AuthorsThresholds",
    "Calibration",
    "Calibrations",
    "Cause",
    "Clinical",
    "ClinicalTable",
    "Cohort",
    "Confidence",
    "Etiology",
    "EtiologyScorer",
    "EtiologySettings",
    "HeatMap",
    "HeatMethod",
    "Interval",
    "LabelledScores",
    "Population",
    "Promise",
    "RawScore",
    "Recalibrated",
    "Refusal",
    "RefusalSettings",
    "ScorerIdentity",
    "Sex",
    "Suspicion",
    "Tier",
    "TierRule",
    "TierThresholds",
    "authors_tier",
    "calibrate",
    "calibration_sha256",
    "classify",
    "must_fit",
    "no_classifier",
    "patients_needed",
    "promised",
    "read_calibration",
    "read_clinical",
    "supported",
    "tier_of",
    "without_discitis",
    "written_calibration",
]
