"""When no cause is told, and the sentence that says why."""

from collections.abc import Mapping
from enum import StrEnum

from wirbel.etiology.settings import RefusalSettings
from wirbel.finding import Finding, Verdict
from wirbel.spine import Vertebra
from wirbel.vertebra import NotMeasured, Reason, VertebraMeasures


class Refusal(StrEnum):
    """Reasons of an uncertain or missing answer."""

    NO_CLASSIFIER = "no_classifier"
    NOT_ASSESSED = "not_assessed"
    NOT_FRACTURED = "not_fractured"
    CERVICAL = "cervical"
    SACRAL = "sacral"
    CUT = "cut"
    MASK_POOR = "mask_poor"
    TOO_COARSE = "too_coarse"
    METAL = "metal"
    CEMENT = "cement"
    NO_SCORE = "no_score"
    NOT_CALIBRATED = "not_calibrated"
    SIMULATED_ONLY = "simulated_only"
    UNLIKE_TRAINING = "unlike_training"
    TWO_ENDPLATES = "two_endplates"
    NO_SIGN = "no_sign"
    NOTHING_CERTIFIED = "nothing_certified"
    BETWEEN_THRESHOLDS = "between_thresholds"


#: One sentence a reason, in English; the report has its own in each language.
SENTENCES: Mapping[Refusal, str] = {
    Refusal.NO_CLASSIFIER: "No classifier is installed that was made for such a vertebra.",
    Refusal.NOT_ASSESSED: "Whether the vertebra is fractured was not assessed, so no cause is told.",
    Refusal.NOT_FRACTURED: "The vertebra is not fractured, so there is no cause to tell.",
    Refusal.CERVICAL: "The classifier was made for thoracic and lumbar vertebrae; this one is cervical.",
    Refusal.SACRAL: "The classifier was made for thoracic and lumbar vertebrae; this one is sacral.",
    Refusal.CUT: "The vertebra is cut by the edge of the scan.",
    Refusal.MASK_POOR: "The outline of the vertebra is not reliable.",
    Refusal.TOO_COARSE: "The slices are too coarse.",
    Refusal.METAL: "There is metal in the vertebra.",
    Refusal.CEMENT: "There is cement, or something as dense, in the body.",
    Refusal.NO_SCORE: "The classifier could not score this vertebra.",
    Refusal.NOT_CALIBRATED: "The classifier's scores were not calibrated, so they are no probabilities.",
    Refusal.SIMULATED_ONLY: "The classifier was calibrated on drawings alone: for a real CT MRI or biopsy decides.",
    Refusal.UNLIKE_TRAINING: "The vertebra looks unlike those the classifier knows: MRI or biopsy decides.",
    Refusal.TWO_ENDPLATES: "Both endplates of a disc are eroded, as in discitis: MRI and laboratory decide.",
    Refusal.NO_SIGN: "The classifier is suspicious, but no measured sign of a lesion supports it.",
    Refusal.NOTHING_CERTIFIED: "No threshold holds its promised error with so few calibration cases.",
    Refusal.BETWEEN_THRESHOLDS: "The score lies between the thresholds: MRI decides.",
}

#: How today's report words a missing answer.
AS_REASON: Mapping[Refusal, Reason] = {
    Refusal.NO_CLASSIFIER: Reason.NO_CLASSIFIER,
    Refusal.NOT_ASSESSED: Reason.MASK_POOR,
    Refusal.NOT_FRACTURED: Reason.NOT_FRACTURED,
    Refusal.CERVICAL: Reason.LEVEL_NOT_GRADED,
    Refusal.SACRAL: Reason.LEVEL_NOT_GRADED,
    Refusal.CUT: Reason.TOUCHES_EDGE,
    Refusal.MASK_POOR: Reason.MASK_POOR,
    Refusal.TOO_COARSE: Reason.TOO_COARSE,
    Refusal.METAL: Reason.METAL,
    Refusal.CEMENT: Reason.CEMENT,
    Refusal.NO_SCORE: Reason.MASK_POOR,
    Refusal.NOT_CALIBRATED: Reason.NO_CALIBRATION,
}

_FROM_HEIGHTS: Mapping[Reason, Refusal] = {
    Reason.TOUCHES_EDGE: Refusal.CUT,
    Reason.MASK_POOR: Refusal.MASK_POOR,
    Reason.NO_BODY: Refusal.MASK_POOR,
    Reason.TOO_COARSE: Refusal.TOO_COARSE,
}
_FROM_DENSITY: Mapping[Reason, Refusal] = {Reason.METAL: Refusal.METAL, Reason.CEMENT: Refusal.CEMENT}
_REGIONS: Mapping[str, Refusal] = {"C": Refusal.CERVICAL, "S": Refusal.SACRAL}


def refusals_of(
    vertebra: Vertebra, measures: VertebraMeasures, finding: Finding, settings: RefusalSettings
) -> tuple[Refusal, ...]:
    """Every reason not to ask a classifier about this vertebra, the weightiest first; empty where it may be asked.

    A vertebra without a level name (relative numbering) is not refused for its level; whether it looks like those
    of the calibration cohort is asked later. A density that could not be read for want of bone is no reason: a
    crushed or destroyed body has none.
    """
    found: list[Refusal] = []
    if vertebra.level is not None and vertebra.level.region in _REGIONS:
        found.append(_REGIONS[vertebra.level.region])
    if vertebra.cut_by_border:
        found.append(Refusal.CUT)
    if vertebra.score < settings.least_detector_score:
        found.append(Refusal.MASK_POOR)
    for value, reasons in ((measures.heights, _FROM_HEIGHTS), (measures.density, _FROM_DENSITY)):
        if isinstance(value, NotMeasured) and value.reason in reasons:
            found.append(reasons[value.reason])
    if finding.verdict is Verdict.NOT_ASSESSED:
        found.append(Refusal.NOT_ASSESSED)
    return tuple(dict.fromkeys(found))
