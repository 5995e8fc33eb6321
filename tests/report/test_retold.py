"""What other rooms leave in English reaches no German or Dutch page in English, and loses no figure."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.report.prose import Line, anchors, details

from wirbel.report import LANGUAGES, render
from wirbel.report.language import Language, language
from wirbel.report.retold import ANCHORS, DETAILS, NAMINGS, anchor_of, detail_of, naming_of
from wirbel.report.sentences import numbering_sentence
from wirbel.report.wording import Wording
from wirbel.spine import Level, Numbering, NumberingReason, NumberingStatus, Spine
from wirbel.spine.own_names import contradiction_in
from wirbel.spine.shift import NamedVertebra, name_from, shift_levels
from wirbel.study import StudyResult
from wirbel.vertebra import NotMeasured, Reason
from wirbel.volume import Volume

Study = tuple[StudyResult, Volume]
#: Words that English has in common with the other language, as it is used here.
SHARED = {
    "de": {"mm", "HU", "CT", "in"},
    "nl": {"mm", "HU", "CT", "in", "is", "rib", "sacrum", "cortex", "contrast", "open", "ring"},
}


def told(speech: Language, line: Line) -> str:
    """The line as a page says it."""
    if line.reason is not None:
        return detail_of(speech, NotMeasured(line.reason, line.words))
    return naming_of(speech, line.words) or anchor_of(speech, line.words)


def figures(words: str, decimal: str) -> Counter[str]:
    """All figures with their sign, those of levels included, units left out."""
    found = re.findall(rf"[+−-]?(?<!mm)\d+(?:{re.escape(decimal)}\d+)?", words)
    return Counter(f.replace("-", "−").replace(decimal, ".") for f in found)


def plain_words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{2,}", re.sub(r"mm[23]", "", text)))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("line", [*details(), *anchors()], ids=lambda line: f"{line.where}: {line.words}")
def test_every_line_the_code_can_write_is_retold_with_all_its_figures(line: Line, code: str) -> None:
    speech = language(code)
    words = told(speech, line)
    if code != "en":
        assert words != speech.say("language.original", words=line.words), f"{line.where} has no words in {code}"
        strange = line.words.replace("kVp", "").replace("HU", "")
        alike = line.words in ("arterial", "unknown") or plain_words(strange) & plain_words(words) <= SHARED[code]
        assert alike, words
    lost = figures(line.words, ".") - figures(words, speech.say("language.decimal"))
    assert not lost, f"{words!r} lost {lost}"


def test_every_shape_is_one_that_the_code_still_writes() -> None:
    lines = [line.words for line in (*details(), *anchors())]
    for shape in (*DETAILS.values(), *ANCHORS.values(), *NAMINGS.values()):
        pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(shape))
        assert any(re.fullmatch(pattern, line) for line in lines), shape


@pytest.mark.parametrize(
    ("blank", "words"),
    [
        (NotMeasured(Reason.MASK_POOR, "2 of 5 planes read"), "2 von 5 Ebenen messbar"),
        (NotMeasured(Reason.MASK_POOR, "overlaps its neighbour by 3.1 mm"),
         "überlappt den Nachbarwirbel um 3,1 mm"),
        (NotMeasured(Reason.MASK_POOR, "endplates lean 41 deg from the column"),
         "Endplatten um 41° gegen die Wirbelsäule gekippt"),
        (NotMeasured(Reason.CEMENT, "14 % of the body above 700 HU"), "14 % des Wirbelkörpers über 700 HU"),
        (NotMeasured(Reason.NO_NEIGHBOURS, "1 measured vertebrae between T4 and T12"),
         "zwischen BWK 4 und BWK 12 benannt und vermessen: 1"),
        (NotMeasured(Reason.NOT_SEPARABLE, "references have -12 HU"), "Vergleichswirbel haben −12 HU"),
        (NotMeasured(Reason.CONTRAST, "portal_venous"), "nach Gefäßdichte: portalvenös"),
        (NotMeasured(Reason.TUBE_VOLTAGE, "unknown"), "hier: nicht bekannt"),
        (NotMeasured(Reason.METAL), ""),
    ],
)  # fmt: skip
def test_a_detail_reads_as_a_german_radiologist_would_write_it(blank: NotMeasured, words: str) -> None:
    assert detail_of(language("de"), blank) == words


@pytest.mark.parametrize("code", LANGUAGES)
def test_words_of_a_foreign_segmenter_are_quoted_whole(code: str) -> None:
    quoted = detail_of(language(code), NotMeasured(Reason.MASK_POOR, "score 0.31 of 5 votes"))
    assert "score 0.31 of 5 votes" in quoted
    assert "score 0.31 of 5 votes" in anchor_of(language(code), "score 0.31 of 5 votes")


def test_a_gap_on_the_german_page_says_what_was_wrong(gaps_study: Study) -> None:
    result, ct = gaps_study
    why = NotMeasured(Reason.MASK_POOR, "overlaps its neighbour by 3.1 mm")
    found = tuple(replace(f, grade=why, loss=why, not_assessed=why) for f in result.findings.vertebrae)
    kyphosis = NotMeasured(Reason.NO_NEIGHBOURS, "0 measured vertebrae between T4 and T12")
    findings = replace(result.findings, vertebrae=found, kyphosis=kyphosis)
    pages = render(replace(result, findings=findings), ct, lang="de")
    for page in (pages.html, pages.text):
        assert "Umriss nicht verlässlich (überlappt den Nachbarwirbel um 3,1 mm)" in page
        assert "zu wenige Wirbel (zwischen BWK 4 und BWK 12 benannt und vermessen: 0)" in page
        assert "overlaps" not in page


@pytest.fixture
def sentence(clear_study: Study) -> Callable[[Spine, str], str]:
    """The sentence on a column's numbering."""
    return lambda spine, code: numbering_sentence(Wording(language(code), replace(clear_study[0], spine=spine)))


def test_a_reader_s_shift_is_told_with_its_amount(
    clear_study: Study, sentence: Callable[[Spine, str], str]
) -> None:
    shifted = shift_levels(clear_study[0].spine, -1)
    assert sentence(shifted, "de") == (
        "Nummerierung von einem Befunder festgelegt. "
        "Alle Bezeichnungen wurden um −1 verschoben (+1: aus LWK 1 wird LWK 2)."
    )
    assert "−1 verschoven" in sentence(shifted, "nl")


def test_a_column_counted_from_a_named_vertebra_says_so(
    relative_study: Study, sentence: Callable[[Spine, str], str]
) -> None:
    counted = name_from(relative_study[0].spine, NamedVertebra(2, Level.T12))
    assert sentence(counted, "de").endswith("Gezählt ab V2 (von kranial) = BWK 12, von einem Befunder benannt.")
    assert sentence(counted, "nl").endswith("Geteld vanaf V2 (van boven af) = Th12, benoemd door een lezer.")


@pytest.mark.parametrize("code", LANGUAGES)
def test_names_that_contradict_themselves_are_the_reason_and_no_other_is_given(
    relative_study: Study, sentence: Callable[[Spine, str], str], code: str
) -> None:
    spine = relative_study[0].spine
    levels = [Level.T12, Level.L2, Level.L1]
    wrong = contradiction_in(levels, [v.centre_lps_mm for v in spine.vertebrae[:3]])
    assert wrong is not None
    reason = NumberingReason.ANCHORS_DISAGREE
    numbering = Numbering(NumberingStatus.RELATIVE, None, None, None, reason=reason, anchors=(wrong,))
    words = sentence(replace(spine, numbering=numbering), code)
    speech = language(code)
    assert speech.say("naming.upside_down", upper=speech.level(Level.L2), lower=speech.level(Level.L1)) in words
    assert speech.say(f"numbering_reason.{reason.value}") not in words


def test_given_names_are_listed_where_only_some_came() -> None:
    assert anchor_of(language("de"), "given: T12, L1") == "mit den Masken gelieferte Namen: BWK 12 und LWK 1"


def test_a_note_of_ingest_has_plane_tag_and_decimals_of_the_language(clear_study: Study) -> None:
    note = Wording(language("de"), clear_study[0]).note
    assert note("labelled axial, coronal by its geometry") == "als axial bezeichnet, nach der Geometrie koronar"
    assert "unterschieden nach Akquisitionsnummer" in note(
        "one of 3 scans under one series identifier, told apart by acquisition number"
    )
    assert "Gantry-Neigung von 12,5 Grad" in note(
        "gantry tilt of 12.5 degrees in the affine: corrected by shear resampling"
    )
