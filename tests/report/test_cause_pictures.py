"""Signs side by side, their pictures, and where the network looked: in place, with marks, scale and source."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.report.causes import HOT_MM, cause_study, signs_at
from tests.report.conftest import Study, blank

from wirbel.finding.signs import Sign, Signs, SignValues
from wirbel.report import LANGUAGES
from wirbel.report.cause_card import CauseCard, cause_cards, cause_lines
from wirbel.report.heat_figure import LEAST, coloured, heat_figures
from wirbel.report.language import language
from wirbel.report.rows import rows_of
from wirbel.report.section import frame_of
from wirbel.report.sign_figure import MOST, in_turn
from wirbel.report.sign_words import MALIGNANT, NEITHER, OSTEOPOROTIC, sign_sides, value_of
from wirbel.report.wording import Wording
from wirbel.vertebra import NotMeasured, Reason


@pytest.fixture(scope="module")
def study() -> Study:
    return cause_study()


def cards_of(study: Study, code: str) -> tuple[CauseCard, ...]:
    wording = Wording(language(code), study[0])
    return cause_cards(wording, rows_of(wording, study[1].grid), study[1])


def letters(drawing: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)<", drawing)


def test_every_sign_speaks_for_exactly_one_side() -> None:
    assert sorted((*MALIGNANT, *OSTEOPOROTIC, *NEITHER)) == sorted(Sign)


@pytest.mark.parametrize("code", LANGUAGES)
def test_signs_stand_side_by_side_with_units_or_why_not(study: Study, code: str) -> None:
    card, speech = cards_of(study, code)[0], language(code)
    assert [side.title for side in card.sides] == [
        speech.say(f"signs.{kind}") for kind in ("malignant", "osteoporotic", "neither")
    ]
    lines = {line.name: line for side in card.sides for line in side.lines}
    assert len(lines) == len(Sign)
    assert lines[speech.say("sign.epidural_mass_mm3")].value == speech.unit("mm3", 1240, 0)
    assert lines[speech.say("sign.epidural_mass_mm3")].seen
    assert not lines[speech.say("sign.vacuum_mm3")].seen
    angle = lines[speech.say("sign.retropulsion_angle_deg")]
    assert angle.value == speech.say("signs.not_present", detail=speech.say("detail.no_retropulsion"))
    sharpness = lines[speech.say("sign.fracture_line_sharpness_hu_per_mm")]
    assert sharpness.value == speech.say(
        "not.measured",
        reason=f"{speech.say('reason.too_coarse')} "
        f"({speech.say('detail.slices_of', slice_mm=speech.unit('mm', 2.5))})",
    )
    assert angle.blank


def test_of_an_unfractured_vertebra_signs_of_a_lesion_are_told(study: Study) -> None:
    wording = Wording(language("en"), study[0])
    signs = study[0].signs[3]
    assert isinstance(signs, Signs)
    assert [s.title for s in sign_sides(wording, signs, fractured=False)] == [
        "Signs of a lesion", "Signs of a fracture", "Others",
    ]  # fmt: skip


def test_one_reason_for_a_whole_side_is_said_once(study: Study) -> None:
    wording = Wording(language("de"), study[0])
    why = NotMeasured(Reason.TOO_COARSE, "slices of 3.5 mm")
    for side in sign_sides(wording, Signs(2, SignValues.blank(why)), fractured=True):
        assert side.lines == ()
        assert side.blank == "nicht gemessen: Schichten zu dick (Schichten von 3,5 mm)"


@pytest.mark.parametrize(
    ("sign", "value", "words"),
    [
        (Sign.CORTEX, 0.314, "31 %"), (Sign.CANAL, 17.6, "18 %"), (Sign.CONVEXITY, -0.8, "−0.8 mm (concave)"),
        (Sign.DENSITY_DIFFERENCE, 21.4, "+21 HU"), (Sign.DENSITY_DIFFERENCE, -21.4, "−21 HU"),
        (Sign.LINE_SHARPNESS, 140.2, "140 HU/mm"), (Sign.RETROPULSION_ANGLE, 87.4, "87°"),
    ],
)  # fmt: skip
def test_a_sign_is_told_with_its_unit(study: Study, sign: Sign, value: float, words: str) -> None:
    assert value_of(Wording(language("en"), study[0]), sign, value) == words


def test_pictures_are_taken_from_both_sides_in_turn_and_of_what_stands_out_alone() -> None:
    signs = signs_at(
        2, np.zeros(3), cortex_destroyed_fraction=0.3, pedicle_left_involved_fraction=0.2, epidural_mass_mm3=900.0,
        vacuum_mm3=12.0, canal_narrowing_percent=30.0, retropulsion_mm=1.2,
    )  # fmt: skip
    assert in_turn(signs) == (Sign.CORTEX, Sign.VACUUM, Sign.EPIDURAL, Sign.CANAL)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_picture_has_sides_scale_series_slice_and_window(study: Study, code: str) -> None:
    cards = cards_of(study, code)
    figures = [figure for card in cards for figure in card.figures]
    assert len(figures) >= 8
    for figure in figures:
        words = letters(figure.drawing)
        assert {"A", "P", "H", "F"} <= set(words) or {"R", "L", "A", "P"} <= set(words)
        assert "2 cm" in words
        assert language(code).say("study.series") in figure.caption
        assert re.search(r"\d+ \w+ \d+", figure.caption)
        assert re.search(r"\d+ / \d+", figure.caption)
    assert all(len(card.figures) <= MOST + 2 for card in cards)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_heat_map_says_what_it_is_and_on_what_the_network_was_trained(study: Study, code: str) -> None:
    sagittal, axial = cards_of(study, code)[0].figures[:2]
    say = language(code).say
    for figure, plane in ((sagittal, "sagittal"), (axial, "axial")):
        assert figure.title == f"{say('heat.title')}: {say(f'plane.{plane}')}"
        assert say("classifier.simulated").lower() in figure.caption.lower()
        assert say("heat.grad_cam") in figure.caption
        assert say("heat.bar_high") in letters(figure.drawing)


def overlay(drawing: str) -> np.ndarray:
    """The transparent picture over the CT."""
    for data in re.findall(r"base64,([^\"]+)", drawing):
        pixels = np.array(Image.open(io.BytesIO(base64.b64decode(data))))
        if pixels.ndim == 3 and pixels.shape[0] > 20:
            return pixels
    raise AssertionError("no overlay")


def test_the_heat_map_lies_where_the_network_looked(study: Study) -> None:
    result, ct = study
    wording = Wording(language("en"), result)
    row = rows_of(wording, ct.grid)[1]
    heat = result.etiology.vertebrae[1].heat
    assert heat is not None
    sagittal, axial = heat_figures(wording, row, heat, ct)
    left_mm, posterior_mm, superior_mm = HOT_MM
    # the picture's middle lies 10 mm behind the body's; axial: left of the patient is on the right
    for figure, right_mm, down_mm in (
        (sagittal, posterior_mm - 10, -superior_mm), (axial, left_mm, posterior_mm - 10),
    ):  # fmt: skip
        cover = overlay(figure.drawing)[..., 3].astype(float)
        at = np.argwhere(cover >= 0.98 * cover.max()).mean(axis=0)
        middle = (np.array(cover.shape) - 1) / 2
        assert np.allclose((at - middle) * 0.5, [down_mm, right_mm], atol=1.6)


def test_colours_grow_lighter_and_more_opaque_with_the_map() -> None:
    shades = coloured(np.linspace(0, 1, 50, dtype=np.float32)[None])[0].astype(float)
    assert np.all(shades[: int(LEAST * 49)][:, 3] == 0)
    assert np.all(np.diff(shades[:, 3]) >= 0)
    assert shades[:, 3].max() < 0.7 * 255
    assert np.all(np.diff(shades[:, :3] @ [0.2126, 0.7152, 0.0722]) > 0)


def test_a_vertebra_without_axes_of_its_own_is_shown_along_the_scanner_s(study: Study) -> None:
    vertebra = study[0].spine.vertebrae[0]
    frame = frame_of(blank(vertebra), vertebra.centre_lps_mm)
    assert np.allclose(np.cross(frame.left, -frame.anterior), frame.superior)
    assert np.allclose(frame.superior, [0, 0, 1])


def test_the_bar_shows_probability_and_interval(study: Study) -> None:
    wording = Wording(language("en"), study[0])
    lines = cause_lines(wording, rows_of(wording, study[1].grid))
    assert [line.word for line in lines] == [
        "malignant", "osteoporotic", "suspicious, unfractured", "uncertain: MRI recommended",
    ]  # fmt: skip
    dots = [float(x) for x in re.findall(r'circle cx="([\d.]+)"', lines[0].bar)]
    assert dots == [pytest.approx(7 + 136 * 0.874, abs=0.1)]
    assert lines[2].bar == ""
    assert lines[3].bar == ""
    assert lines[3].why == "unlike the training data"


def test_signs_are_shown_without_a_classifier_too(study: Study, clear_study: Study) -> None:
    result, ct = study
    bare = replace(result, etiology=replace(result.etiology, vertebrae=clear_study[0].etiology.vertebrae))
    cards = cards_of((bare, ct), "en")
    assert [card.line.name for card in cards] == ["L1", "L2", "L4"]
    assert all(card.line.word == "not assessed: no classifier installed" for card in cards)
    assert cards[0].sides
