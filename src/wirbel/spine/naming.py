"""Names for the whole column at once: given names if they agree with themselves, else one decoding."""

from itertools import pairwise

import numpy as np

from wirbel.spine.anchors import Anchors, anchors_of
from wirbel.spine.decode import ColumnSeen, Decoding, decode
from wirbel.spine.evidence import Part, SpineEvidence
from wirbel.spine.level import Level
from wirbel.spine.own_names import contradiction_in, variants_of
from wirbel.spine.settings import SpineSettings
from wirbel.spine.spine import Numbering, NumberingReason, NumberingStatus, Spine, Vertebra


def name_levels(evidence: SpineEvidence, settings: SpineSettings) -> Spine:
    """The column with names, or with relative labels and the reason.

    Names that came with the input are kept unless they contradict themselves (order, duplicates, no room for what
    they skip): then the column is relative with reason ANCHORS_DISAGREE. Without names the column is decoded as a
    whole (`decode`), and named when an anchor was seen and the labelling has at least `settings.named_from`.
    """
    given = [vertebra.given for vertebra in evidence.vertebrae]
    if given and all(level is not None for level in given):
        return _with_given_names(evidence, [level for level in given if level is not None])
    if len(evidence.vertebrae) < settings.fewest:
        return _spine(evidence, None, None, _relative(NumberingReason.TOO_FEW))
    column = column_seen(evidence)
    decoding = decode(column, settings)
    if not decoding.labellings:
        too_many = f"{len(evidence.vertebrae)} vertebrae, more than a spine has"
        return _spine(evidence, None, None, _relative(NumberingReason.ANCHORS_DISAGREE, (too_many,)))
    levels, numbering = numbered(column, decoding, settings)
    return _spine(evidence, levels, decoding if levels is not None else None, numbering)


def column_seen(evidence: SpineEvidence) -> ColumnSeen:
    """Distances between centres and sizes of bodies (None for cut ones), as the decoder wants them."""
    centres = [vertebra.centre_lps_mm for vertebra in evidence.vertebrae]
    bodies = evidence.instances.labels[evidence.parts.labels == Part.BODY]
    volume_mm3 = np.bincount(bodies, minlength=256) * evidence.instances.grid.voxel_mm3
    return ColumnSeen(
        vertebrae=evidence.vertebrae,
        distances_mm=tuple(float(np.linalg.norm(a - b)) for a, b in pairwise(centres)),
        sizes_mm=tuple(
            None if v.cut_by_border or volume_mm3[v.label] <= 0 else float(np.cbrt(volume_mm3[v.label]))
            for v in evidence.vertebrae
        ),
        sacrum_below=evidence.sacrum_below,
        skull_above=evidence.skull_above,
    )


def numbered(
    column: ColumnSeen, decoding: Decoding, settings: SpineSettings
) -> tuple[tuple[Level, ...] | None, Numbering]:
    """The decision on a decoding: levels, or None where it is refused, and what to say about it."""
    best = decoding.labellings[0]
    second = decoding.labellings[1] if len(decoding.labellings) > 1 else None
    anchors = anchors_of(column, best.levels, settings)
    reason = None
    if not anchors.seen:
        reason = NumberingReason.NO_ANCHOR
    elif best.probability < _least(anchors, settings):
        reason = NumberingReason.ANCHORS_DISAGREE if anchors.against else NumberingReason.AMBIGUOUS
    said = anchors.seen + (anchors.against if reason is NumberingReason.ANCHORS_DISAGREE else ())
    end = (column.sacrum_below or 0.0) >= settings.sure
    numbering = Numbering(
        status=NumberingStatus.NAMED if reason is None else NumberingStatus.RELATIVE,
        probability=best.probability if reason is None else None,
        runner_up=second.levels if second is not None else None,
        runner_up_probability=second.probability if second is not None else None,
        variants=variants_of(best.levels, sacrum_below=end) if reason is None else (),
        reason=reason,
        anchors=said,
    )
    return (best.levels if reason is None else None), numbering


def _least(anchors: Anchors, settings: SpineSettings) -> float:
    """The probability that a labelling must have to be said."""
    if anchors.against:
        return settings.named_against
    return settings.named_from_sacrum if anchors.from_sacrum else settings.named_from


def _with_given_names(evidence: SpineEvidence, levels: list[Level]) -> Spine:
    wrong = contradiction_in(levels, [vertebra.centre_lps_mm for vertebra in evidence.vertebrae])
    if wrong is not None:
        return _spine(evidence, None, None, _relative(NumberingReason.ANCHORS_DISAGREE, (wrong,)))
    numbering = Numbering(
        status=NumberingStatus.GIVEN,
        probability=None,
        runner_up=None,
        runner_up_probability=None,
        variants=variants_of(levels, sacrum_below=(evidence.sacrum_below or 0.0) > 0.5),
        anchors=("given names",),
    )
    return _spine(evidence, tuple(levels), None, numbering)


def _relative(reason: NumberingReason, anchors: tuple[str, ...] = ()) -> Numbering:
    return Numbering(NumberingStatus.RELATIVE, None, None, None, reason=reason, anchors=anchors)


def _spine(
    evidence: SpineEvidence, levels: tuple[Level, ...] | None, decoding: Decoding | None, numbering: Numbering
) -> Spine:
    probabilities: list[float | None] = [None] * len(evidence.vertebrae)
    if decoding is not None and levels is not None:
        probabilities = [p[level] for p, level in zip(decoding.by_vertebra, levels, strict=True)]
    vertebrae = tuple(
        Vertebra(
            label=seen.label,
            level=levels[i] if levels is not None else None,
            probability=probabilities[i],
            centre_lps_mm=seen.centre_lps_mm,
            cut_by_border=seen.cut_by_border,
            score=seen.score,
        )
        for i, seen in enumerate(evidence.vertebrae)
    )
    return Spine(vertebrae, evidence.instances, evidence.parts, numbering, evidence.source)
