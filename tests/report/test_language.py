"""Three languages say the same things, and every value has its sentence in each."""

from enum import Enum

import pytest

from wirbel.errors import UsageError
from wirbel.etiology import HeatMethod, Interval, Refusal, Sex, Suspicion, Tier, TierRule
from wirbel.finding import BoneScreen, Caution, ContrastPhase, Grade, Shape, Verdict, Why
from wirbel.finding.signs import Sign
from wirbel.report import LANGUAGES
from wirbel.report.language import fields_of, language
from wirbel.report.tone import CauseTone
from wirbel.report.wording import Wording
from wirbel.spine import Level, NumberingReason, NumberingStatus, Variant
from wirbel.study import StudyResult
from wirbel.vertebra import Reason
from wirbel.volume import Kernel, Plane, Volume

Study = tuple[StudyResult, Volume]

SECTIONS: dict[str, type[Enum]] = {
    "verdict": Verdict, "verdict_short": Verdict, "why": Why, "reason": Reason,
    "caution": Caution, "phase": ContrastPhase,
    "screen": BoneScreen, "shape": Shape, "grade": Grade, "numbering": NumberingStatus,
    "numbering_reason": NumberingReason, "variant": Variant, "cause": Tier, "kernel": Kernel, "plane": Plane,
    "refusal": Refusal, "refusal_short": Refusal, "interval": Interval, "rule": TierRule, "suspicion": Suspicion,
    "sign": Sign, "heat": HeatMethod, "sex": Sex,
}  # fmt: skip


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_value_has_its_words_in_every_language(code: str, section: str) -> None:
    for value in SECTIONS[section]:
        key = f"{section}.{str(value.value).replace(' ', '_')}"
        assert language(code).has(key), key


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_languages_hold_the_same_keys_with_the_same_figures(code: str) -> None:
    english, other = language("en").texts, language(code).texts
    assert english.keys() == other.keys()
    for key, wordings in english.items():
        assert [fields_of(w) for w in wordings] == [fields_of(w) for w in other[key]], key


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("section", ["why", "caution", "numbering"])
def test_a_sentence_with_figures_has_a_last_wording_without(code: str, section: str) -> None:
    for key, wordings in language(code).texts.items():
        if key.startswith(f"{section}.") and len(wordings) > 1:
            assert fields_of(wordings[-1]) == set(), key


@pytest.mark.parametrize(("code", "words"), [("en", "T12"), ("de", "BWK 12"), ("nl", "Th12")])
def test_levels_are_named_as_readers_of_the_language_name_them(code: str, words: str) -> None:
    assert language(code).level(Level.T12) == words


@pytest.mark.parametrize(("code", "words"), [("en", "−3.5"), ("de", "−3,5"), ("nl", "−3,5")])
def test_figures_carry_the_decimal_mark_of_the_language(code: str, words: str) -> None:
    assert language(code).number(-3.49) == words


def test_a_rounded_zero_has_no_sign() -> None:
    assert language("en").number(-0.04) == "0.0"


def test_the_wording_with_most_figures_that_can_be_filled_is_taken() -> None:
    english = language("en")
    assert english.say("why.near_threshold", loss="19 %", own_loss="21 %") == (
        "Close to the threshold (loss 19 % against the expected heights; own heights differ by 21 %)."
    )
    assert english.say("why.near_threshold", loss="19 %", own_loss=None) == "Close to the threshold (loss 19 %)."
    assert english.say("why.near_threshold") == "Close to the threshold."


@pytest.mark.parametrize("code", LANGUAGES)
def test_notes_of_ingest_are_told_in_the_language_of_the_report(code: str, clear_study: Study) -> None:
    wording = Wording(language(code), clear_study[0])
    told = wording.note("one of 3 scans under one series identifier, told apart by time")
    assert told == language(code).say("note.told_apart", count="3", tag="time")
    assert wording.note("a note of tomorrow") == "a note of tomorrow"


def test_a_sentence_without_its_figures_is_an_error_not_a_gap() -> None:
    with pytest.raises(KeyError, match=r"sentence\.fracture"):
        language("en").say("sentence.fracture", name="L1")


def test_an_unknown_language_is_a_usage_error_that_names_the_choices() -> None:
    with pytest.raises(UsageError, match="en, de, nl"):
        language("fr")


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_cause_has_its_short_word_for_the_picture(code: str) -> None:
    for tone in CauseTone:
        assert tone is CauseTone.UNSAID or language(code).has(f"cause_short.{tone.value}")
