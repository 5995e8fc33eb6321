"""The pages: what they must say, in every language, and what they must never say."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import jsonschema
import pytest

from wirbel.finding import Finding, Verdict
from wirbel.report import LANGUAGES, ReportPages, render, schema
from wirbel.report.language import language
from wirbel.study import StudyResult
from wirbel.volume import Volume

STUDIES = ("clear_study", "relative_study", "gaps_study", "empty_study")
Study = tuple[StudyResult, Volume]


@pytest.fixture(scope="session")
def rendered(request: pytest.FixtureRequest) -> Callable[[str, str], ReportPages]:
    """Each study in each language, set once."""
    made: dict[tuple[str, str], ReportPages] = {}

    def pages(study: str, code: str) -> ReportPages:
        if (study, code) not in made:
            made[study, code] = render(*request.getfixturevalue(study), lang=code)
        return made[study, code]

    return pages


class _Words(HTMLParser):
    """The visible text and everything that would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.fetched: list[str] = []
        self.tags: set[str] = set()
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._hidden = tag == "style"
        links = (v for k, v in attrs if k in ("src", "href", "xlink:href") and v)
        self.fetched += [link for link in links if not link.startswith("data:")]

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.words.append(data.strip())


def words_of(html: str) -> _Words:
    parser = _Words()
    parser.feed(html)
    return parser


def column_of(pages: ReportPages) -> str:
    """The words in the picture of the column, which is also the one in PDF and PNG."""
    found = re.search(r'<figure class="column">(.*?)</figure>', pages.html, re.DOTALL)
    assert found
    return " ".join(re.findall(r"<text[^>]*>([^<]*)<", found.group(1)))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("study", STUDIES)
def test_every_picture_of_the_column_has_sides_scale_series_slices_and_notice(
    rendered: Callable, study: str, code: str
) -> None:
    words = column_of(rendered(study, code))
    for mark in "APRLHF":
        assert re.search(rf"\b{mark}\b", words), mark
    assert "cm" in words
    assert language(code).say("study.series") in words
    assert re.search(r"\d+–\d+ \w+ \d+", words)
    assert language(code).say("notice.research") in words


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_picture_names_every_vertebra_in_both_views_with_heights(rendered: Callable, code: str) -> None:
    words = column_of(rendered("relative_study", code))
    for i in range(1, 6):
        assert len(re.findall(rf"\bV{i}\b", words)) == 3  # two views and the list between them
    assert language(code).number(16.8) in words
    assert language(code).say("language.relative") in words


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("study", STUDIES)
def test_every_page_says_research_use_only(rendered: Callable, study: str, code: str) -> None:
    pages, notice = rendered(study, code), language(code).say("notice.research")
    assert notice in pages.html
    assert notice in pages.text
    assert json.loads(pages.json)["research_use_only"] is True
    assert pages.pdf.startswith(b"%PDF-")
    assert pages.overview_png.startswith(b"\x89PNG")
    assert all("research use only" in line for line in pages.csv.splitlines()[1:])


@pytest.mark.parametrize("study", STUDIES)
def test_the_html_fetches_nothing_and_runs_nothing(rendered: Callable, study: str) -> None:
    parsed = words_of(rendered(study, "en").html)
    assert parsed.fetched == []
    assert "script" not in parsed.tags


@pytest.mark.parametrize("study", STUDIES)
def test_the_json_keeps_to_its_published_schema(rendered: Callable, study: str) -> None:
    jsonschema.Draft202012Validator(schema()).validate(json.loads(rendered(study, "en").json))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_sentence_that_names_a_level_of_an_unnumbered_column_says_so(rendered: Callable, code: str) -> None:
    pages, mark = rendered("relative_study", code), language(code).say("language.relative")
    for line in pages.text.splitlines():
        for sentence in re.split(r"(?<=[a-z)%])\. ", line):
            if re.search(r"\bV\d", sentence):
                assert mark in sentence, sentence
    for sentence in re.findall(r"<(?:p|li|h1|dd)>([^<]*\bV\d[^<]*)<", pages.html):
        assert mark in sentence


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_numbered_column_never_speaks_of_relative_numbering(rendered: Callable, code: str) -> None:
    assert language(code).say("language.relative") not in rendered("clear_study", code).text


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("study", ["gaps_study", "empty_study"])
def test_not_assessed_never_reads_as_no_fracture(rendered: Callable, study: str, code: str) -> None:
    pages = rendered(study, code)
    for phrase in ("summary.headline_clear", "verdict.normal"):
        assert language(code).say(phrase).lower() not in pages.text.lower()
        assert language(code).say(phrase).lower() not in " ".join(words_of(pages.html).words).lower()
    assert language(code).say("summary.verdict_none") in pages.text


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_vertebra_is_named_with_its_reason_where_nothing_could_be_said(rendered: Callable, code: str) -> None:
    text = rendered("gaps_study", code).text
    for reason in ("touches_edge", "metal", "too_coarse"):
        assert language(code).say(f"reason.{reason}") in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_simulated_images_are_called_simulated_everywhere(rendered: Callable, code: str) -> None:
    pages = rendered("relative_study", code)
    assert language(code).say("notice.simulated") in pages.html
    assert language(code).say("notice.simulated_long") in pages.text
    assert language(code).say("notice.simulated") in column_of(pages)
    assert json.loads(pages.json)["simulated"] is True
    assert ",yes," in pages.csv.splitlines()[1]
    assert language(code).say("notice.simulated_long") not in rendered("clear_study", code).text


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_cause_says_that_no_classifier_is_installed(rendered: Callable, code: str) -> None:
    for study in ("clear_study", "relative_study"):
        pages = rendered(study, code)
        assert language(code).say("reason.no_classifier") in pages.html
        assert language(code).say("reason.no_classifier") in pages.text


@pytest.mark.parametrize("code", LANGUAGES)
def test_header_facts_that_are_missing_read_as_not_given(rendered: Callable, code: str) -> None:
    words = words_of(rendered("relative_study", code).html).words
    accession = words.index(language(code).say("study.accession"))
    assert words[accession + 1] == language(code).say("study.not_given")
    assert "A-20240131-7" in words_of(rendered("clear_study", code).html).words


def test_provenance_names_input_bundles_and_settings(rendered: Callable) -> None:
    html = rendered("clear_study", "en").html
    for fact in ("9f2c" * 16, "ab" * 32, "finding.mild_loss", "wirbel 0.1.0"):
        assert fact in html


def test_fractures_come_first_with_grade_shape_loss_and_heights(rendered: Callable) -> None:
    pages = rendered("relative_study", "en")
    assert "2 fractures: V2 and V3 (relative numbering)" in pages.html
    assert (
        "V2 (relative numbering): fracture, Genant grade 2 (moderate), wedge, height loss 30 %. "
        "Heights anterior 16.8, middle 19.7, posterior 24.0 mm. "
        "Endplate depressed (upper 4.2 mm, lower 0.6 mm below its rim)."
    ) in pages.text


def test_words_from_the_header_cannot_become_markup(clear_study: Study) -> None:
    result, ct = clear_study
    nasty = replace(result.series, patient_id="<script>alert(1)</script>", accession="#pagebreak() $x$ *b*")
    pages = render(replace(result, series=nasty), ct)
    assert "<script>" not in pages.html
    assert "&lt;script&gt;" in pages.html


def test_a_header_formula_stays_text_in_the_spreadsheet(clear_study: Study) -> None:
    result, ct = clear_study
    pages = render(replace(result, series=replace(result.series, patient_id="=HYPERLINK(1)")), ct)
    assert "'=HYPERLINK(1)" in pages.csv


def test_the_same_result_gives_the_same_bytes(clear_study: Study) -> None:
    assert render(*clear_study) == render(*clear_study)


def test_a_verdict_without_a_stated_reason_still_reads_as_not_assessed(
    clear_study: Study, one_of: Callable[[StudyResult, Finding], StudyResult]
) -> None:
    result, ct = clear_study
    silent = Finding(3, Verdict.NOT_ASSESSED, result.findings.vertebrae[2].grade, None, 0.0, (), {})
    pages = render(one_of(result, silent), ct)
    assert "Not assessed: L2" in pages.text
    assert "No fracture found in what could be assessed" in pages.html
