"""From heights to a verdict with its reasons: Genant's grade where height is lost and an endplate is sunk."""

from dataclasses import dataclass

import numpy as np

from wirbel.finding.finding import Finding, Grade, Shape, Verdict, Why
from wirbel.finding.norms import ANTERIOR_SD, MIDDLE_SD, Norm
from wirbel.finding.pits import broad_mm, deepest_mm, pit_at_middle_mm
from wirbel.finding.reference import Expected
from wirbel.finding.settings import GradeSettings
from wirbel.spine import Level
from wirbel.vertebra import Endplates, Heights, NotMeasured, Reason

#: Levels that Genant graded.
GRADED = (Level.T4.rank, Level.L4.rank)
LORDOTIC_FROM = Level.L2.rank
#: By how much the middle's loss exceeds the front's in a vertebra that may only have a pit.
PIT_LEAD = 0.05
PHYSIOLOGICAL_WEDGE = (Level.T11, Level.T12, Level.T13, Level.L1)


@dataclass(frozen=True, slots=True)
class Case:
    """All that one verdict rests on.

    `wedged_run`: how many vertebrae in a row, this one included, are wedged as in Scheuermann's disease.
    """

    label: int
    level: Level | None
    heights: Heights
    expected: Expected
    norm: Norm
    endplates: Endplates
    depth_mm: float
    wedge_deg: float
    wedged_run: int


def verdict_of(case: Case, settings: GradeSettings) -> Finding:
    """The verdict on a vertebra whose heights are known."""
    loss = _loss(case)
    signs = _signs(case, settings)
    alike = case.wedged_run >= settings.scheuermann_run and loss < settings.scheuermann_below
    if _is_fracture(case, loss, signs, settings) and not alike:
        verdict = Verdict.FRACTURE
        reasons = list(signs) or [Why.SHORT_AGAINST_NEIGHBOURS]
    elif loss >= settings.losses[0] or (alike and loss >= settings.found):
        verdict = Verdict.HEIGHT_LOSS
        reasons = [Why.SCHEUERMANN_LIKE] if alike else [Why.NO_ENDPLATE_DEPRESSION]
    elif (loss >= settings.borderline and signs) or _oddly_low(case, settings):
        verdict = Verdict.BORDERLINE
        reasons = [Why.NEAR_THRESHOLD, *signs]
    else:
        verdict = Verdict.NORMAL
        flat = _own_loss(case) >= settings.losses[0]
        reasons = [Why.LOSS_BELOW_THRESHOLD if flat else Why.HEIGHTS_WITHIN_NORMAL]
    reasons += [why for why in _context(case, verdict) if why not in reasons]
    return _finding(case, verdict, loss, reasons, _numbers(case), settings)


def _loss(case: Case) -> float:
    """The largest loss; a low posterior wall behind a higher front is lordosis, not loss."""
    e = case.expected
    middle_loss = _middle_loss(case)
    if _is_lordotic(case):
        return max(0.0, e.anterior_loss, middle_loss)
    return max(0.0, e.anterior_loss, middle_loss, e.posterior_loss)


def _middle_loss(case: Case) -> float:
    """Loss of the middle height with focal pits (Schmorl nodes) filled."""
    if not _middle_leads(case):
        return case.expected.middle_loss
    upper = pit_at_middle_mm(case.endplates.upper.sunk_mm, case.norm.upper_sunk_mm)
    lower = pit_at_middle_mm(case.endplates.lower.sunk_mm, case.norm.lower_sunk_mm)
    return 1.0 - (case.heights.middle_mm + upper + lower) / case.expected.heights.middle_mm


def _middle_leads(case: Case) -> bool:
    """The middle has lost clearly more than the front: only then can a pit be all there is."""
    return case.expected.middle_loss >= case.expected.anterior_loss + PIT_LEAD


def _is_lordotic(case: Case) -> bool:
    """Higher in front, at a level where that is the rule."""
    in_lordosis = case.level is None or case.level.rank >= LORDOTIC_FROM
    return in_lordosis and case.heights.anterior_mm > case.heights.posterior_mm


def _is_fracture(case: Case, loss: float, signs: tuple[Why, ...], settings: GradeSettings) -> bool:
    """A certain loss; a loss with a sign; or front and middle lower together where the flat rule is met too."""
    if not is_graded(case.level):
        return loss >= settings.certain and Why.ENDPLATE_DEPRESSED in signs
    both = min(case.expected.anterior_loss, _middle_loss(case)) >= settings.both
    flat = _own_loss(case) >= settings.losses[0]
    return loss >= settings.certain or (bool(signs) and (loss >= settings.found or (both and flat)))


def _signs(case: Case, settings: GradeSettings) -> tuple[Why, ...]:
    """What speaks for a fracture besides the loss: a sunk endplate, or an angle far beyond the level's own."""
    depth = broad_mm if _middle_leads(case) else deepest_mm
    upper = depth(case.endplates.upper.sunk_mm, case.norm.upper_sunk_mm) - case.norm.upper_sunk_mm
    lower = depth(case.endplates.lower.sunk_mm, case.norm.lower_sunk_mm) - case.norm.lower_sunk_mm
    limit = settings.depressed_mm if _loss(case) >= settings.found else settings.sunk_mm
    if max(upper, lower) >= limit:
        return (Why.ENDPLATE_DEPRESSED,)
    usual_deg = np.degrees(np.arctan((1.0 - case.norm.anterior) * case.heights.posterior_mm / (0.76 *
    case.depth_mm)))
    if case.level not in PHYSIOLOGICAL_WEDGE and case.wedge_deg - usual_deg >= settings.angled_deg:
        return (Why.SHORT_AGAINST_NEIGHBOURS,)
    return ()


def _finding(
    case: Case,
    verdict: Verdict,
    loss: float,
    reasons: list[Why],
    numbers: dict[str, float],
    settings: GradeSettings,
) -> Finding:
    grade: Grade | NotMeasured
    shape: Shape | None = None
    if not is_graded(case.level):
        grade = NotMeasured(Reason.LEVEL_NOT_GRADED)
        reasons.append(Why.LEVEL_NOT_GRADED)
    elif verdict is Verdict.FRACTURE:
        grade = Grade(max(1, sum(loss >= bound for bound in settings.losses)))
        shape = shape_of(case.expected, settings)
    else:
        grade = Grade.NONE
    return Finding(case.label, verdict, grade, shape, loss, tuple(reasons), numbers)


def is_graded(level: Level | None) -> bool:
    """Whether Genant's grades are defined there; a vertebra without a name is graded with its column's caution."""
    return level is None or GRADED[0] <= level.rank <= GRADED[1]


def shape_of(expected: Expected, settings: GradeSettings) -> Shape:
    """Crush where the posterior wall is low, biconcave where the middle has lost most, else wedge."""
    if expected.posterior_loss >= settings.crush:
        return Shape.CRUSH
    return Shape.BICONCAVE if expected.middle_loss > expected.anterior_loss else Shape.WEDGE


def _own_loss(case: Case) -> float:
    """Smallest against largest of the vertebra's own heights: the flat rule."""
    three = (case.heights.anterior_mm, case.heights.middle_mm, case.heights.posterior_mm)
    return 1.0 - min(three) / max(three)


def _oddly_low(case: Case, settings: GradeSettings) -> bool:
    """A ratio beyond the norm's spread, whatever the patient's other vertebrae look like, and a loss one can
    see."""
    h = case.heights
    mean_mm = 0.5 * (h.anterior_mm + h.posterior_mm)
    middle_sd = (1.0 - h.middle_mm / mean_mm / case.norm.middle) / MIDDLE_SD
    anterior_sd = (1.0 - h.anterior_mm / h.posterior_mm / case.norm.anterior) / ANTERIOR_SD
    wedge_sd = settings.odd_wedge_sd if case.level in PHYSIOLOGICAL_WEDGE else settings.odd_sd
    return _own_loss(case) >= settings.seen and (middle_sd >= settings.odd_sd or anterior_sd >= wedge_sd)


def _context(case: Case, verdict: Verdict) -> list[Why]:
    """What else explains the shape."""
    reasons: list[Why] = []
    h = case.heights
    if _is_lordotic(case) and h.anterior_mm > 1.03 * h.posterior_mm and verdict is not Verdict.FRACTURE:
        reasons.append(Why.LORDOTIC_SHAPE)
    wedged = h.anterior_mm < 0.95 * h.posterior_mm
    if wedged and verdict is not Verdict.FRACTURE and case.level in PHYSIOLOGICAL_WEDGE:
        reasons.append(Why.PHYSIOLOGICAL_WEDGING)
    if verdict is Verdict.BORDERLINE and _loss(case) < 0.5 * _own_loss(case):
        reasons.append(Why.NEIGHBOURS_ALIKE)
    return reasons


def _numbers(case: Case) -> dict[str, float]:
    h, e = case.heights, case.expected
    numbers = {
        "anterior_mm": h.anterior_mm,
        "middle_mm": h.middle_mm,
        "posterior_mm": h.posterior_mm,
        "expected_anterior_mm": e.heights.anterior_mm,
        "expected_middle_mm": e.heights.middle_mm,
        "expected_posterior_mm": e.heights.posterior_mm,
        "anterior_loss": e.anterior_loss,
        "middle_loss": e.middle_loss,
        "posterior_loss": e.posterior_loss,
        "own_loss": _own_loss(case),
        "upper_endplate_sunk_mm": case.endplates.upper.deepest_mm,
        "lower_endplate_sunk_mm": case.endplates.lower.deepest_mm,
        "wedge_deg": case.wedge_deg,
        "neighbours": float(e.neighbours),
    }
    return {name: float(value) for name, value in numbers.items()}
