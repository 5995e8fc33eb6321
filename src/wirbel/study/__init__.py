"""The whole method on one page, and its result."""

from wirbel.study.result import Provenance, SeriesRef, StudyResult

__all__ = ["Provenance", "SeriesRef", "StudyResult"]
