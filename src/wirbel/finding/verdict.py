"""From heights to a verdict with its reasons: Genant's grade where height is lost and an endplate is sunk."""

from dataclasses import dataclass

from wirbel.finding.finding import Finding, Grade, Shape, Verdict, Why
from wirbel.finding.norms import ANTERIOR_SD, MIDDLE_SD, Norm
from wirbel.finding.reference import Expected
from wirbel.finding.settings import GradeSettings
from wirbel.spine import Level
from wirbel.vertebra import Endplates, Heights, NotMeasured, Reason

#: Levels that Genant graded.
GRADED = (Level.T4.rank, Level.L4.rank)
LORDOTIC_FROM = Level.L2.rank
PHYSIOLOGICAL_WEDGE = (Level.T11, Level.T12, Level.T13, Level.L1)


@dataclass(frozen=True, slots=True)
class Case:
    """All that one verdict rests on. `alike` counts direct neighbours with the same loss of shape."""

    label: int
    level: Level | None
    heights: Heights
    expected: Expected
    norm: Norm
    endplates: Endplates
    wedge_deg: float
    alike: int


def verdict_of(case: Case, settings: GradeSettings) -> Finding:
    """The verdict on a vertebra whose heights are known."""
    numbers = _numbers(case)
    loss = max(0.0, case.expected.largest)
    depressed = _depressed(case, settings)
    reasons: list[Why] = []
    if loss >= settings.losses[0] and (depressed or loss >= settings.certain):
        verdict = Verdict.FRACTURE
        reasons.append(Why.ENDPLATE_DEPRESSED if depressed else Why.SHORT_AGAINST_NEIGHBOURS)
    elif loss >= settings.losses[0]:
        verdict = Verdict.HEIGHT_LOSS
        reasons.append(Why.NO_ENDPLATE_DEPRESSION)
    elif loss >= settings.borderline and depressed:
        verdict = Verdict.BORDERLINE
        reasons += [Why.NEAR_THRESHOLD, Why.ENDPLATE_DEPRESSED]
    elif _oddly_low(case, settings):
        verdict = Verdict.BORDERLINE
        reasons += [Why.ENDPLATE_DEPRESSED, Why.NEAR_THRESHOLD]
    elif _own_loss(case) >= settings.own_loss:
        verdict = Verdict.NORMAL
        reasons.append(Why.LOSS_BELOW_THRESHOLD)
    else:
        verdict = Verdict.NORMAL
        reasons.append(Why.HEIGHTS_WITHIN_NORMAL)
    reasons += _context(case, verdict)
    return _finding(case, verdict, loss, reasons, numbers, settings)


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


def _depressed(case: Case, settings: GradeSettings) -> bool:
    """An endplate sunk deeper than the level's norm."""
    upper = case.endplates.upper.deepest_mm - case.norm.upper_sunk_mm
    lower = case.endplates.lower.deepest_mm - case.norm.lower_sunk_mm
    return max(upper, lower) >= settings.depressed_mm


def _own_loss(case: Case) -> float:
    """Smallest against largest of the vertebra's own heights: the flat rule."""
    three = (case.heights.anterior_mm, case.heights.middle_mm, case.heights.posterior_mm)
    return 1.0 - min(three) / max(three)


def _oddly_low(case: Case, settings: GradeSettings) -> bool:
    """The flat rule is met and the ratio in question lies beyond the norm's spread."""
    h = case.heights
    middle_sd = (1.0 - 2.0 * h.middle_mm / (h.anterior_mm + h.posterior_mm) / case.norm.middle) / MIDDLE_SD
    anterior_sd = (1.0 - h.anterior_mm / h.posterior_mm / case.norm.anterior) / ANTERIOR_SD
    flat_middle = 1.0 - h.middle_mm / max(h.anterior_mm, h.posterior_mm) >= settings.own_loss
    flat_anterior = 1.0 - h.anterior_mm / h.posterior_mm >= settings.own_loss
    return (flat_middle and middle_sd >= settings.odd_sd) or (flat_anterior and anterior_sd >= settings.odd_sd)


def _context(case: Case, verdict: Verdict) -> list[Why]:
    """What else explains the shape."""
    reasons: list[Why] = []
    h = case.heights
    lordotic = h.anterior_mm > 1.03 * h.posterior_mm and (case.level is None or case.level.rank >= LORDOTIC_FROM)
    if lordotic and verdict is not Verdict.FRACTURE:
        reasons.append(Why.LORDOTIC_SHAPE)
    wedged = h.anterior_mm < 0.95 * h.posterior_mm
    if wedged and verdict is not Verdict.FRACTURE and case.level in PHYSIOLOGICAL_WEDGE:
        reasons.append(Why.PHYSIOLOGICAL_WEDGING)
    if case.alike >= 2 and verdict in (Verdict.HEIGHT_LOSS, Verdict.BORDERLINE):
        reasons.append(Why.NEIGHBOURS_ALIKE)
    return reasons


def _numbers(case: Case) -> dict[str, float]:
    h, e = case.heights, case.expected
    return {
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
