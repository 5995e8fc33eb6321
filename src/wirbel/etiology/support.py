"""A suspicion is told where a measured sign of a lesion supports it.

The calibration bounds false alarms by the vertebra it looked at, one a patient; a column has many. On drawings a
sign takes most false alarms of sound vertebrae away and few lesions (`docs/method-tiers.md`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from wirbel.etiology.etiology import Cause, Etiology
from wirbel.etiology.refusal import Refusal
from wirbel.finding.signs import Sign, Signs, stands_out
from wirbel.vertebra import NotMeasured

#: Signs that a lesion without fracture can have.
OF_A_LESION: Final = (
    Sign.CORTEX,
    Sign.POSTERIOR_CORTEX,
    Sign.PEDICLE_LEFT,
    Sign.PEDICLE_RIGHT,
    Sign.CONVEXITY,
    Sign.EPIDURAL,
    Sign.PARAVERTEBRAL,
    Sign.LYTIC,
    Sign.SCLEROTIC,
    Sign.ENDPLATES,
)


def supported(etiology: Etiology, signs: Sequence[Signs | None]) -> Etiology:
    """The answers without suspicions that no sign supports, and `Refusal.NO_SIGN` in their place.

    `signs` in the order of the vertebrae. Where none could be measured a suspicion stays: not measured is not
    absent.
    """
    return Etiology(tuple(_kept(c, s) for c, s in zip(etiology.vertebrae, signs, strict=True)))


def _kept(cause: Cause, signs: Signs | None) -> Cause:
    if cause.suspicion is None or signs is None:
        return cause
    measured = [s for s in OF_A_LESION if not isinstance(signs.values.of(s), NotMeasured)]
    if not measured or any(stands_out(signs, s) for s in measured):
        return cause
    return replace(cause, suspicion=None, rule=None, heat=None, reasons=(*cause.reasons, Refusal.NO_SIGN))
