"""Verdicts from measures alone: thresholds, shapes, mimics, and what must never be called a fracture."""

import math
from dataclasses import replace

import numpy as np
import pytest

from wirbel.finding import FindingSettings, Grade, Shape, Verdict, Why
from wirbel.finding.find import judged
from wirbel.finding.norms import NORMS
from wirbel.spine import FROM_ABOVE, Level, Vertebra
from wirbel.vertebra import (
    BodyHeights,
    Endplate,
    Endplates,
    Frame,
    Heights,
    NotMeasured,
    Reason,
    SixPoints,
    VertebraMeasures,
)

SETTINGS = FindingSettings()
NOTHING = np.zeros(3)
FRAME = Frame(NOTHING, np.array([0.0, 0.0, 1.0]), np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
DEPTH_MM = 30.0
BOWL = (0.0, 0.56, 0.8, 0.95, 1.0, 0.95, 0.8, 0.56, 0.0)
PIT = (0.0, 0.0, 0.05, 0.7, 1.0, 0.7, 0.05, 0.0, 0.0)


def normal(level: Level, scale: float = 1.0) -> tuple[float, float, float]:
    """Anterior, middle, posterior height of an average vertebra."""
    norm = NORMS[level]
    posterior = norm.posterior_mm * scale
    anterior = posterior * norm.anterior
    return anterior, norm.middle * 0.5 * (anterior + posterior), posterior


def vertebra(
    level: Level | None,
    label: int,
    heights: tuple[float, float, float],
    sunk_mm: float = 1.0,
    *,
    pit: bool = False,
) -> tuple[Vertebra, VertebraMeasures]:
    wedge = math.degrees(math.atan((heights[2] - heights[0]) / (0.76 * DEPTH_MM)))
    form = PIT if pit else BOWL
    plate = Endplate(FRAME.superior, tuple(sunk_mm * x for x in form))
    endplates = Endplates(plate, Endplate(FRAME.superior, BOWL), wedge)
    three = Heights(*heights)
    body = BodyHeights(three, three, DEPTH_MM, 5, SixPoints(*[NOTHING] * 6))
    absent = NotMeasured(Reason.MASK_POOR)
    return (
        Vertebra(label, level, None, NOTHING, False),
        VertebraMeasures(label, FRAME, body, wedge, absent, 1.0, endplates),
    )


def column(first: Level, last: Level, changed: dict[Level, tuple[tuple[float, float, float], float]]):
    """Findings by level of an average column in which some vertebrae are changed (shares of height, depth of
    plate)."""
    levels = [x for x in FROM_ABOVE if first.rank <= x.rank <= last.rank and x not in (Level.T13, Level.L6)]
    pairs = []
    for label, level in enumerate(levels, start=1):
        shares, sunk_mm = changed.get(level, ((1.0, 1.0, 1.0), 1.0))
        heights = tuple(h * s for h, s in zip(normal(level), shares, strict=True))
        pairs.append(vertebra(level, label, heights, sunk_mm))
    found = judged([v for v, _ in pairs], [m for _, m in pairs], SETTINGS)
    return dict(zip(levels, found, strict=True))


def test_an_average_column_is_normal_everywhere() -> None:
    for level, finding in column(Level.T1, Level.L5, {}).items():
        assert finding.verdict is Verdict.NORMAL, level
        assert finding.reasons[0] is Why.HEIGHTS_WITHIN_NORMAL


@pytest.mark.parametrize(
    ("loss", "grade"), [(0.21, Grade.MILD), (0.24, Grade.MILD), (0.27, Grade.MODERATE), (0.38, Grade.MODERATE),
                        (0.43, Grade.SEVERE), (0.6, Grade.SEVERE)],
)  # fmt: skip
@pytest.mark.parametrize("level", [Level.T6, Level.T12, Level.L3])
def test_a_wedge_is_graded_by_its_loss(level: Level, loss: float, grade: Grade) -> None:
    shares = (1.0 - loss, 1.0 - 0.6 * loss, 1.0)
    finding = column(Level.T4, Level.L5, {level: (shares, 4.0)})[level]
    assert finding.verdict is Verdict.FRACTURE
    assert finding.grade is grade
    assert finding.shape is Shape.WEDGE
    assert finding.loss == pytest.approx(loss, abs=0.015)
    assert Why.ENDPLATE_DEPRESSED in finding.reasons


@pytest.mark.parametrize(
    ("shares", "shape"),
    [((0.98, 0.7, 1.0), Shape.BICONCAVE), ((0.68, 0.66, 0.7), Shape.CRUSH), ((0.66, 0.8, 0.99), Shape.WEDGE)],
)
def test_shapes_are_genant_s(shares: tuple[float, float, float], shape: Shape) -> None:
    finding = column(Level.T8, Level.L4, {Level.L1: (shares, 4.0)})[Level.L1]
    assert finding.verdict is Verdict.FRACTURE
    assert finding.shape is shape


def test_a_loss_without_a_sunk_endplate_is_height_loss_not_a_fracture() -> None:
    finding = column(Level.T6, Level.L4, {Level.T12: ((0.78, 0.8, 0.79), 1.0)})[Level.T12]
    assert finding.verdict is Verdict.HEIGHT_LOSS
    assert finding.grade is Grade.NONE
    assert Why.NO_ENDPLATE_DEPRESSION in finding.reasons


def test_a_sunk_endplate_without_loss_is_no_fracture() -> None:
    assert column(Level.T6, Level.L4, {Level.L2: ((1.0, 0.97, 1.0), 3.5)})[Level.L2].verdict is Verdict.NORMAL


@pytest.mark.parametrize("level", [Level.T11, Level.T12, Level.L1])
def test_wedging_as_many_healthy_people_have_it_at_the_junction_is_no_fracture(level: Level) -> None:
    finding = column(Level.T8, Level.L4, {level: ((0.89, 0.95, 1.0), 1.2)})[level]
    assert finding.verdict is Verdict.NORMAL
    assert Why.PHYSIOLOGICAL_WEDGING in finding.reasons


@pytest.mark.parametrize("lordosis", [0.75, 0.8, 0.9])
def test_lordotic_shape_alone_is_never_a_fracture(lordosis: float) -> None:
    changed = dict.fromkeys((Level.L4, Level.L5), ((1.03, 1.0, lordosis), 1.5))
    found = column(Level.T10, Level.L5, changed)
    assert found[Level.L5].verdict is not Verdict.FRACTURE
    assert Why.LORDOTIC_SHAPE in found[Level.L5].reasons


def test_a_collapsed_l5_is_found_without_a_grade() -> None:
    finding = column(Level.T12, Level.L5, {Level.L5: ((0.62, 0.5, 0.85), 5.0)})[Level.L5]
    assert finding.verdict is Verdict.FRACTURE
    assert finding.grade == NotMeasured(Reason.LEVEL_NOT_GRADED)


def test_broken_neighbours_do_not_hide_a_fracture() -> None:
    wedge = ((0.65, 0.75, 0.97), 4.0)
    found = column(Level.T9, Level.L4, dict.fromkeys((Level.T11, Level.T12, Level.L1), wedge))
    for level in (Level.T11, Level.T12, Level.L1):
        assert found[level].verdict is Verdict.FRACTURE, level
        assert found[level].grade is Grade.MODERATE


def test_a_schmorl_node_that_lowers_the_middle_is_no_fracture_and_a_sunk_plate_is() -> None:
    levels = [Level.T12, Level.L1, Level.L2, Level.L3]
    for pit in (True, False):
        pairs = []
        for label, level in enumerate(levels, start=1):
            a, m, p = normal(level)
            if level is Level.L1:
                pairs.append(vertebra(level, label, (a, 0.78 * m, p), 6.5, pit=pit))
            else:
                pairs.append(vertebra(level, label, (a, m, p)))
        found = judged([v for v, _ in pairs], [m for _, m in pairs], SETTINGS)
        assert (found[1].verdict is Verdict.FRACTURE) != pit


def test_three_wedged_in_a_row_are_told_from_one() -> None:
    mild = ((0.81, 0.92, 1.0), 2.0)
    alone = column(Level.T4, Level.L4, {Level.T8: mild})[Level.T8]
    row = column(Level.T4, Level.L4, dict.fromkeys((Level.T7, Level.T8, Level.T9), mild))
    assert alone.verdict is Verdict.FRACTURE
    assert row[Level.T8].verdict is Verdict.HEIGHT_LOSS
    assert row[Level.T8].reasons[0] is Why.SCHEUERMANN_LIKE


def test_the_published_grade_1_biconcave_vertebrae_are_at_least_borderline() -> None:
    # heights of verse005 (VerSe 2019; L1-L4 Genant 1, biconcave, L5 not) as measured on its CT, mm
    heights = {
        Level.L1: ((27.7, 22.5, 25.2), 1.8),
        Level.L2: ((29.5, 22.9, 27.1), 3.2),
        Level.L3: ((30.6, 23.1, 27.2), 2.9),
        Level.L4: ((31.7, 23.8, 27.2), 2.8),
        Level.L5: ((31.1, 25.4, 25.3), 1.7),
    }
    pairs = [vertebra(x, i, h, sunk) for i, (x, (h, sunk)) in enumerate(heights.items(), start=1)]
    found = judged([v for v, _ in pairs], [m for _, m in pairs], SETTINGS)
    assert [f.verdict for f in found[:4]] == [Verdict.BORDERLINE] * 4
    assert found[4].verdict is Verdict.NORMAL


def test_a_vertebra_without_heights_is_not_assessed_and_says_why() -> None:
    for reason in (Reason.TOUCHES_EDGE, Reason.TOO_COARSE, Reason.MASK_POOR):
        v, m = vertebra(Level.L1, 1, normal(Level.L1))
        blank = NotMeasured(reason)
        (finding,) = judged([v], [replace(m, heights=blank, wedge_deg=blank, endplates=blank)], SETTINGS)
        assert finding.verdict is Verdict.NOT_ASSESSED
        assert finding.not_assessed == blank
        assert finding.grade == blank


def test_the_neck_is_measured_but_not_assessed() -> None:
    v, m = vertebra(Level.C5, 1, normal(Level.C5))
    (finding,) = judged([v], [m], SETTINGS)
    assert finding.verdict is Verdict.NOT_ASSESSED
    assert finding.reasons == (Why.LEVEL_NOT_GRADED,)


def test_a_column_without_names_is_judged_by_its_neighbours() -> None:
    levels = [Level.T8, Level.T9, Level.T10, Level.T11, Level.T12, Level.L1, Level.L2, Level.L3]
    pairs = []
    for label, level in enumerate(levels, start=1):
        a, m, p = normal(level)
        pairs.append(vertebra(None, label, (0.65 * a, 0.78 * m, p), 4.0) if label == 4 else vertebra(None, label,
        (a, m, p)))
    found = judged([v for v, _ in pairs], [m for _, m in pairs], SETTINGS)
    assert found[3].verdict is Verdict.FRACTURE
    assert all(f.verdict is Verdict.NORMAL for f in (*found[:3], *found[4:]))


def test_a_single_vertebra_is_judged_by_its_own_wall() -> None:
    a, m, p = normal(Level.L1)
    (whole,) = judged(*[[x] for x in vertebra(Level.L1, 1, (a, m, p))], SETTINGS)
    (broken,) = judged(*[[x] for x in vertebra(Level.L1, 1, (0.6 * a, 0.75 * m, p), 4.0)], SETTINGS)
    assert whole.verdict is Verdict.NORMAL
    assert broken.verdict is Verdict.FRACTURE
    assert broken.numbers["neighbours"] == 0


def test_every_cited_number_is_finite() -> None:
    for finding in column(Level.T1, Level.L5, {Level.L1: ((0.4, 0.3, 0.5), 6.0)}).values():
        assert all(math.isfinite(x) for x in finding.numbers.values())
