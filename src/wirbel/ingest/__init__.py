"""Inputs as hospitals have them, to volumes."""

from wirbel.ingest.masks import Masks, read_masks, read_named_masks
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.report import Inspection, SeriesReport
from wirbel.ingest.series import LoadedSeries
from wirbel.ingest.settings import IngestSettings
from wirbel.ingest.studies import find_studies
from wirbel.ingest.study import Study, inspect_input, read_study
from wirbel.ingest.table import SeriesTable, default_table, read_table

__all__ = [
    "IngestSettings",
    "Inspection",
    "LoadedSeries",
    "Masks",
    "Refusal",
    "SeriesReport",
    "SeriesTable",
    "Study",
    "default_table",
    "find_studies",
    "inspect_input",
    "read_masks",
    "read_named_masks",
    "read_study",
    "read_table",
]
