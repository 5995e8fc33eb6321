"""Cohorts on disk: labelled vertebrae with their CTs, checked, split, cut out, imported, corrected."""

from wirbel.cohort.check import CheckSettings, Cohort, CohortReport, check_cohort, open_cohort
from wirbel.cohort.images import CohortStudy, read_cohort_study
from wirbel.cohort.labelled import Contrast, Diagnosis, LabelledVertebra, Sex, Source, Split
from wirbel.cohort.layout import SubjectImage, find_images
from wirbel.cohort.predictions import FilePredictions, Prediction, read_predictions, write_predictions
from wirbel.cohort.split import SplitSettings, split_patients, with_splits
from wirbel.cohort.table import CohortTable, read_table

__all__ = [
    "CheckSettings",
    "Cohort",
    "CohortReport",
    "CohortStudy",
    "CohortTable",
    "Contrast",
    "Diagnosis",
    "FilePredictions",
    "LabelledVertebra",
    "Prediction",
    "Sex",
    "Source",
    "Split",
    "SplitSettings",
    "SubjectImage",
    "check_cohort",
    "find_images",
    "open_cohort",
    "read_cohort_study",
    "read_predictions",
    "read_table",
    "split_patients",
    "with_splits",
    "write_predictions",
]
