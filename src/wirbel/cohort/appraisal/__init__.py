"""What classifiers make of a cohort: the study's tables, with intervals, coverage and what was promised."""

from wirbel.cohort.appraisal.appraise import appraise
from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm, Case, read_cases
from wirbel.cohort.appraisal.model import Answers, Model, Rule, model_of
from wirbel.cohort.appraisal.primary import Primary, primary_of
from wirbel.cohort.appraisal.scores import ModelScores, read_scores, scored_by_all
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Document, Picture, Section, Share, Sheet
from wirbel.cohort.appraisal.sign_table import SignTable, read_signs
from wirbel.cohort.appraisal.write import must_be_free, write_report
from wirbel.cohort.unfinished import open_crops

__all__ = [
    "Answers",
    "AppraisalSettings",
    "AppraisedCohort",
    "Arm",
    "Case",
    "Document",
    "Model",
    "ModelScores",
    "Picture",
    "Primary",
    "Rule",
    "Section",
    "Share",
    "Sheet",
    "SignTable",
    "appraise",
    "model_of",
    "must_be_free",
    "open_crops",
    "primary_of",
    "read_cases",
    "read_scores",
    "read_signs",
    "scored_by_all",
    "write_report",
]
