"""The result in words and pictures, in three languages."""

from wirbel.report.language import LANGUAGES
from wirbel.report.pages import ReportPages, render
from wirbel.report.plain import schema

__all__ = ["LANGUAGES", "ReportPages", "render", "schema"]
