"""Neither osteoporotic nor malignant: where both endplates of a disc are eroded, no fracture's cause is told.

The classifiers know two causes and would name one of them. Spondylodiscitis is the third (`docs/method-tiers.md`);
MRI and laboratory decide.
"""

from collections.abc import Sequence
from dataclasses import replace

from wirbel.etiology.etiology import Cause, Etiology
from wirbel.etiology.refusal import Refusal
from wirbel.etiology.vocabulary import Tier
from wirbel.finding.signs import Sign, Signs, stands_out
from wirbel.vertebra import NotMeasured


def without_discitis(etiology: Etiology, signs: Sequence[Signs | None]) -> Etiology:
    """The answers, uncertain and without probability where the endplates facing each other over a disc are eroded.

    `signs` in the order of the vertebrae. A suspicion stays, with the pattern as a reason more. What was refused
    before stays as it is, and so does everything where the sign could not be measured: not measured is not absent.
    """
    return Etiology(tuple(_told(c, s) for c, s in zip(etiology.vertebrae, signs, strict=True)))


def _told(cause: Cause, signs: Signs | None) -> Cause:
    if signs is None or not stands_out(signs, Sign.ENDPLATES):
        return cause
    if cause.suspicion is not None:
        return replace(cause, reasons=(*cause.reasons, Refusal.TWO_ENDPLATES))
    if isinstance(cause.answer, NotMeasured):
        return cause
    return Cause(
        cause.label,
        Tier.UNCERTAIN,
        rule=cause.rule,
        reasons=(Refusal.TWO_ENDPLATES, *(r for r in cause.reasons if r is not Refusal.BETWEEN_THRESHOLDS)),
        members=cause.members,
    )
