"""The whole method on one page, and its result."""

from wirbel.study.chain import analyse
from wirbel.study.result import Provenance, SeriesRef, StudyResult
from wirbel.study.series import Series, StudySeries
from wirbel.study.settings import Settings, flat

__all__ = ["Provenance", "Series", "SeriesRef", "Settings", "StudyResult", "StudySeries", "analyse", "flat"]
