"""How much paper a report takes."""

import re
from dataclasses import replace

import pytest
from tests.report.causes import cause_study
from tests.report.conftest import column, fracture, measured, normal, result_of

from wirbel.finding import Grade, Shape
from wirbel.report.language import language
from wirbel.report.page import Page, page_of
from wirbel.report.pdf_page import pdf_of
from wirbel.report.wording import Wording
from wirbel.spine import Level
from wirbel.study import Settings, StudyResult, flat
from wirbel.volume import Volume


def test_a_report_of_seventeen_vertebrae_without_classifier_takes_three_pages() -> None:
    ct, spine = column([*(Level(n) for n in range(8, 20)), *(Level(n) for n in range(20, 25))])
    broken = 13
    findings = [
        fracture(v.label, Grade.MODERATE, Shape.WEDGE, 0.3) if v.label == broken else normal(v.label)
        for v in spine.vertebrae
    ]
    measures = [measured(v, squeezed=0.3 if v.label == broken else 0.0) for v in spine.vertebrae]
    result = result_of(spine, measures, findings)
    made = replace(result.provenance, settings=flat(Settings()))
    assert pages_of_paper(page(replace(result, provenance=made), ct, "de")) == 3


@pytest.mark.parametrize("code", ["en", "de"])
def test_a_report_with_causes_signs_and_pictures_can_be_set(code: str) -> None:
    assert pages_of_paper(page(*cause_study(), code)) <= 6


def pages_of_paper(page: Page) -> int:
    return len(re.findall(rb"/Type ?/Page\b", pdf_of(page)))


def page(result: StudyResult, ct: Volume, code: str) -> Page:
    return page_of(Wording(language(code), result), ct)
