"""The cause of a fracture: what must be said of it, and what must never be."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import jsonschema
import pytest
from tests.report.causes import cause_study, heat_at, only_suspicious
from tests.report.conftest import Study
from tests.report.test_pages import words_of

from wirbel.etiology import Cause, Clinical, Etiology, Interval, Refusal, Tier, TierRule
from wirbel.report import LANGUAGES, ReportPages, schema
from wirbel.report.answer import answer_of
from wirbel.report.cause_sentences import cause_gaps, cause_sentences
from wirbel.report.cause_words import cause_words, probability
from wirbel.report.classifier_box import classifier_box
from wirbel.report.clinical_words import clinical_sentence
from wirbel.report.html_page import html_of
from wirbel.report.language import language
from wirbel.report.page import page_of
from wirbel.report.plain import result_json
from wirbel.report.rows import rows_of
from wirbel.report.spreadsheet import vertebrae_csv
from wirbel.report.wording import Wording
from wirbel.vertebra import NotMeasured, Reason


def without_paper(study: Study, code: str) -> ReportPages:
    """All pages but those that Typst sets, which take longest."""
    result, ct = study
    wording = Wording(language(code), result)
    page = page_of(wording, ct)
    table = vertebrae_csv(wording, rows_of(wording, ct.grid))
    return ReportPages(html_of(page), b"", page.text, b"", result_json(wording), table)


@cache
def pages_of(code: str) -> ReportPages:
    return without_paper(cause_study(), code)


@cache
def pages_of_suspicion(code: str) -> ReportPages:
    return without_paper(only_suspicious(), code)


def visible(pages: ReportPages) -> str:
    return " ".join(words_of(pages.html).words)


@pytest.mark.parametrize("code", LANGUAGES)
def test_tier_probability_named_interval_and_prevalence_stand_in_page_and_text(code: str) -> None:
    pages, say, unit = pages_of(code), language(code).say, language(code).unit
    told = say(
        "cause.probability", p=unit("percent", 0.87, 0), low=unit("percent", 0.71, 0), high=">99 %",
        interval=say("interval.venn_abers"), prevalence=unit("percent", 0.5, 0),
    )  # fmt: skip
    for page in (visible(pages), pages.text):
        assert told in page
        assert say("refusal.unlike_training") in page
        for tier in Tier:
            assert say(f"cause.{tier.value}") in page
    assert say("rule.certified_simulated") in visible(pages)


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.0, "<1 %"), (0.004, "<1 %"), (0.012, "1 %"), (0.987, "99 %"), (0.9991, ">99 %"), (1.0, ">99 %")],
)
def test_a_probability_is_never_printed_as_certainty(p: float, words: str) -> None:
    assert probability(language("en"), p) == words


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_box_stands_on_every_report_with_a_cause_and_on_no_other(code: str, clear_study: Study) -> None:
    say = language(code).say
    for pages in (pages_of(code), pages_of_suspicion(code)):
        for page in (visible(pages), pages.text):
            assert say("classifier.box_title") in page
            assert say("classifier.box") in page
        assert say("classifier.simulated") in visible(pages)
        assert say("classifier.mark") in pages.html
    assert classifier_box(Wording(language(code), clear_study[0])) is None


def test_a_classifier_of_real_images_is_not_called_simulated_but_its_calibration_is() -> None:
    result, _ = cause_study()
    made = replace(result.provenance, classifier_simulated=False)
    box = classifier_box(Wording(language("en"), replace(result, provenance=made)))
    assert box is not None
    assert "trained on" not in box.title
    assert "calibrated on simulated data" in box.text
    assert "not for diagnosis" in box.text


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_unfractured_vertebra_is_suspicious_and_never_malignant(code: str) -> None:
    pages, say = pages_of_suspicion(code), language(code).say
    suspicious = say("suspicion.suspicious_unfractured")
    headline = f"{say('summary.headline_clear')}; {suspicious}: "
    assert any(word.startswith(headline) for word in words_of(pages.html).words)
    for page in (visible(pages), pages.text):
        assert suspicious in page
        assert "malign" not in page.lower()
    cause = json.loads(pages.json)["vertebrae"][3]["cause"]
    assert cause["suspicion"] == "suspicious_unfractured"
    assert cause["answer"] == {"not_measured": "not_fractured", "detail": ""}
    assert cause["p_malignant"] is None
    line = list(csv.DictReader(io.StringIO(pages.csv)))[3]
    assert (line["cause"], line["p_malignant"]) == ("suspicious, unfractured", "")


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_suspicious_vertebra_is_told_beside_the_fractures(code: str) -> None:
    result, ct = cause_study()
    wording = Wording(language(code), result)
    headline = answer_of(wording, rows_of(wording, ct.grid)).headline
    assert language(code).say("suspicion.suspicious_unfractured") in headline
    name = language(code).level(result.spine.vertebrae[3].level)
    assert language(code).say("cause.suspicious_one", name=name) in pages_of(code).text


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_vertebra_without_fracture_reads_not_fractured_and_a_borderline_one_not_certain(code: str) -> None:
    result, ct = cause_study()
    wording = Wording(language(code), result)
    rows = rows_of(wording, ct.grid)
    assert rows[0].cause == language(code).say("cause.not_fractured")
    assert rows[5].cause == language(code).say("cause.borderline")
    assert language(code).say("reason.no_classifier") not in visible(pages_of(code))
    gaps = " ".join(cause_gaps(wording, rows))
    assert language(code).say("cause.searched") in gaps
    assert language(code).say("cause.unlike", names=language(code).level(result.spine.vertebrae[5].level)) in gaps


def test_where_no_scorer_knows_normal_vertebrae_it_says_that_none_were_searched() -> None:
    result, ct = cause_study()
    unsearched = Cause(1, NotMeasured(Reason.NOT_FRACTURED), reasons=(Refusal.NOT_FRACTURED, Refusal.NO_CLASSIFIER))
    etiology = Etiology((unsearched, *result.etiology.vertebrae[1:]))
    wording = Wording(language("en"), replace(result, etiology=etiology))
    rows = rows_of(wording, ct.grid)
    assert rows[0].cause == "not fractured"
    assert "Vertebrae without fracture were not searched for lesions." in cause_gaps(wording, rows)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("refusal", [r for r in Refusal if r is not Refusal.NOT_FRACTURED])
def test_every_reason_of_a_fracture_without_answer_is_told(code: str, refusal: Refusal) -> None:
    result, _ = cause_study()
    cause = Cause(2, NotMeasured(Reason.NO_CLASSIFIER), reasons=(refusal, Refusal.TOO_COARSE))
    words = cause_words(Wording(language(code), result), cause, result.findings.vertebrae[1])
    assert language(code).say(f"refusal_short.{refusal.value}") in words.word
    assert words.reasons[0] == language(code).say(f"refusal.{refusal.value}")
    assert not words.figure


def test_the_authors_thresholds_promise_nothing_and_without_calibration_there_is_no_probability() -> None:
    result, _ = cause_study()
    cause = Cause(2, Tier.MALIGNANT, rule=TierRule.AUTHORS, reasons=(Refusal.NOT_CALIBRATED,))
    words = cause_words(Wording(language("en"), result), cause, result.findings.vertebrae[1])
    assert words.word == "malignant"
    assert "no error rate is promised" in words.rule
    assert not words.probability
    assert words.reasons == (language("en").say("refusal.not_calibrated"),)


def test_the_interval_of_an_ensemble_has_its_own_name() -> None:
    result, _ = cause_study()
    cause = Cause(2, Tier.MALIGNANT, 0.9, 0.8, 0.95, Interval.ENSEMBLE_SPREAD, 0.3, TierRule.CERTIFIED)
    words = cause_words(Wording(language("en"), result), cause, result.findings.vertebrae[1])
    assert words.probability == (
        "Probability of malignancy 90 % (spread of the networks 80 % to 95 %), assuming that 30 % of such "
        "fractures are malignant."
    )


@pytest.mark.parametrize("code", LANGUAGES)
def test_clinical_facts_stand_as_given_or_unknown(code: str) -> None:
    result, _ = cause_study()
    say = language(code).say
    words = clinical_sentence(Wording(language(code), result))
    assert words in visible(pages_of(code))
    assert words in pages_of(code).text
    assert "71" in words
    assert say("sex.F") in words
    assert words.count(say("clinical.unknown")) == 1
    nothing = clinical_sentence(Wording(language(code), replace(result, clinical=Clinical())))
    assert nothing.count(say("clinical.unknown")) == 3


def test_nothing_clinical_is_said_where_nobody_gave_or_asked_for_it(clear_study: Study) -> None:
    assert clinical_sentence(Wording(language("en"), clear_study[0])) == ""


@pytest.mark.parametrize("make", [cause_study, only_suspicious])
def test_the_json_with_causes_keeps_to_its_schema(make: Callable[[], Study]) -> None:
    pages = pages_of("en") if make is cause_study else pages_of_suspicion("en")
    said = json.loads(pages.json)
    jsonschema.Draft202012Validator(schema()).validate(said)
    assert "SIMULATED" in said["classifier_notice"]
    assert said["clinical"] == {"age_years": 71.4, "sex": "F", "known_cancer": None}
    assert said["provenance"]["classifier_simulated"] is True


def test_the_json_holds_interval_prevalence_rule_signs_and_how_the_heat_map_was_made() -> None:
    vertebra = json.loads(pages_of("en").json)["vertebrae"][1]
    cause = vertebra["cause"]
    assert (cause["interval"], cause["prevalence"], cause["rule"]) == ("venn_abers", 0.5, "certified")
    assert cause["heat"] == {"method": "grad_cam", "made_by": ["b2_0"]}
    signs = vertebra["signs"]["signs"]
    assert signs["epidural_mass_mm3"] == {"value": 1240.0, "unit": "mm3"}
    assert signs["retropulsion_angle_deg"] == {"not_measured": "not_present", "detail": "no retropulsion"}
    assert vertebra["signs"]["references"] == [1, 6]


def test_the_spreadsheet_has_cause_probability_signs_and_what_was_unknown() -> None:
    lines = list(csv.DictReader(io.StringIO(pages_of("de").csv)))
    assert [line["cause"] for line in lines] == [
        "not fractured", "malignant", "osteoporotic", "suspicious, unfractured", "uncertain",
        "not assessed: fracture not certain",
    ]  # fmt: skip
    one = lines[1]
    assert (one["p_malignant"], one["p_malignant_low"], one["p_malignant_high"]) == ("0.874", "0.710", "0.996")
    assert (one["interval"], one["prevalence_assumed"], one["tier_rule"]) == ("venn_abers", "0.500", "certified")
    assert one["classifier_trained_on"] == "simulated"
    assert (one["age_years"], one["sex"], one["known_cancer"]) == ("71.4", "F", "unknown")
    assert one["cortex_destroyed_fraction"] == "0.3100"
    assert "retropulsion_angle_deg:not_present" in one["not_measured"]
    assert lines[4]["cause_reasons"] == "unlike_training"
    assert lines[0]["cortex_destroyed_fraction"] == ""


def test_a_score_that_failed_is_not_called_a_missing_classifier_in_the_spreadsheet() -> None:
    result, ct = cause_study()
    failed = Cause(2, NotMeasured(Reason.NO_CLASSIFIER), reasons=(Refusal.NO_SCORE,))
    causes = (result.etiology.vertebrae[0], failed, *result.etiology.vertebrae[2:])
    pages = without_paper((replace(result, etiology=Etiology(causes)), ct), "en")
    assert list(csv.DictReader(io.StringIO(pages.csv)))[1]["cause"] == "not assessed: no score"
    assert "not assessed: the classifier gave no score" in visible(pages)


def test_an_empty_heat_map_is_said_and_not_drawn() -> None:
    result, ct = cause_study()
    causes = list(result.etiology.vertebrae)
    causes[1] = replace(causes[1], heat=heat_at(result.spine.vertebrae[1].centre_lps_mm, top=0.0))
    causes[3] = replace(causes[3], heat=None)
    pages = without_paper((replace(result, etiology=Etiology(tuple(causes))), ct), "en")
    assert language("en").say("heat.nothing") in visible(pages)
    assert language("en").say("heat.title") not in visible(pages)


@pytest.mark.parametrize("code", LANGUAGES)
def test_causes_of_an_unnumbered_column_say_so_in_every_sentence(code: str, relative_study: Study) -> None:
    result, ct = relative_study
    malignant = Cause(2, Tier.MALIGNANT, 0.9, 0.8, 0.95, Interval.VENN_ABERS, 0.5, TierRule.CERTIFIED)
    unsaid = Cause(3, NotMeasured(Reason.CEMENT), reasons=(Refusal.CEMENT,))
    causes = (result.etiology.vertebrae[0], malignant, unsaid, *result.etiology.vertebrae[3:])
    wording = Wording(language(code), replace(result, etiology=Etiology(causes)))
    rows = rows_of(wording, ct.grid)
    mark = language(code).say("language.relative")
    told = [s for row in rows for s in cause_sentences(wording, row, None)] + list(cause_gaps(wording, rows))
    named = [sentence for sentence in told if re.search(r"\bV\d", sentence)]
    assert len(named) >= 3
    assert all(mark in sentence for sentence in named)


def test_the_strip_beside_the_column_tells_the_cause() -> None:
    found = re.search(r'<figure class="column">(.*?)</figure>', pages_of("de").html, re.DOTALL)
    assert found
    words = re.findall(r"<text[^>]*>([^<]*)<", found.group(1))
    for tone in ("malignant", "osteoporotic", "uncertain", "suspicious"):
        assert language("de").say(f"cause_short.{tone}") in words
    assert language("de").say("classifier.mark") in " ".join(words)
