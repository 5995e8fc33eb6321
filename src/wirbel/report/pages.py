"""All pages of one result."""

from dataclasses import dataclass

from wirbel.report.html_page import html_of
from wirbel.report.language import language
from wirbel.report.page import page_of
from wirbel.report.pdf_page import overview_png_of, pdf_of
from wirbel.report.plain import result_json
from wirbel.report.rows import rows_of
from wirbel.report.spreadsheet import vertebrae_csv
from wirbel.report.wording import Wording
from wirbel.study import StudyResult
from wirbel.volume import Volume


@dataclass(frozen=True, slots=True)
class ReportPages:
    """The report in all its forms, ready to be written."""

    html: str
    pdf: bytes
    text: str
    overview_png: bytes
    json: str
    csv: str


def render(result: StudyResult, ct: Volume, *, lang: str = "en") -> ReportPages:
    """The report of a result; `ct` is the CT of `result.series`, canonical, for pictures and slice numbers.

    Raises `UsageError` for a language that is not there.
    """
    wording = Wording(language(lang), result)
    page = page_of(wording, ct)
    return ReportPages(
        html=html_of(page),
        pdf=pdf_of(page),
        text=page.text,
        overview_png=overview_png_of(page),
        json=result_json(wording),
        csv=vertebrae_csv(wording, rows_of(wording, ct.grid)),
    )
