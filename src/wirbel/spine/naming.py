"""Names for the whole column at once: given names if they agree with themselves, else one decoding."""

from wirbel.spine.evidence import SpineEvidence
from wirbel.spine.level import Level
from wirbel.spine.own_names import contradiction_in, variants_of
from wirbel.spine.settings import SpineSettings
from wirbel.spine.spine import Numbering, NumberingReason, NumberingStatus, Spine, Vertebra


def name_levels(evidence: SpineEvidence, settings: SpineSettings) -> Spine:
    """The column with names, or with relative labels and the reason.

    Names that came with the input are kept unless they contradict themselves (order, duplicates, no room for what
    they skip): then the column is relative with reason ANCHORS_DISAGREE.
    """
    if not evidence.vertebrae:
        return _spine(evidence, None, _relative(NumberingReason.TOO_FEW))
    given = [vertebra.given for vertebra in evidence.vertebrae]
    if all(level is not None for level in given):
        return _with_given_names(evidence, [level for level in given if level is not None])
    return _spine(evidence, None, _relative(NumberingReason.NO_ANCHOR))


def _with_given_names(evidence: SpineEvidence, levels: list[Level]) -> Spine:
    wrong = contradiction_in(levels, [vertebra.centre_lps_mm for vertebra in evidence.vertebrae])
    if wrong is not None:
        return _spine(evidence, None, _relative(NumberingReason.ANCHORS_DISAGREE, (wrong,)))
    numbering = Numbering(
        status=NumberingStatus.GIVEN,
        probability=None,
        runner_up=None,
        runner_up_probability=None,
        variants=variants_of(levels, sacrum_below=(evidence.sacrum_below or 0.0) > 0.5),
        anchors=("given names",),
    )
    return _spine(evidence, levels, numbering)


def _relative(reason: NumberingReason, anchors: tuple[str, ...] = ()) -> Numbering:
    return Numbering(NumberingStatus.RELATIVE, None, None, None, reason=reason, anchors=anchors)


def _spine(evidence: SpineEvidence, levels: list[Level] | None, numbering: Numbering) -> Spine:
    vertebrae = tuple(
        Vertebra(
            label=seen.label,
            level=levels[i] if levels is not None else None,
            probability=None,
            centre_lps_mm=seen.centre_lps_mm,
            cut_by_border=seen.cut_by_border,
            score=seen.score,
        )
        for i, seen in enumerate(evidence.vertebrae)
    )
    return Spine(vertebrae, evidence.instances, evidence.parts, numbering, evidence.source)
