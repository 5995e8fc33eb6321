"""Bodies that would lie in each other: proof that a mask is wrong, whatever it says."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wirbel.vertebra.measures import BodyHeights, Frame, NotMeasured, Reason, VertebraMeasures

#: Half of two neighbours' heights may exceed the distance of their centres by this much (measurement error), mm.
OVERLAP_MM = 2.5


def without_overlaps(measures: Sequence[VertebraMeasures]) -> tuple[VertebraMeasures, ...]:
    """The same measures; neighbours whose heights together exceed the distance of their centres lose them."""
    answer = list(measures)
    for i in range(len(measures) - 1):
        over_mm = _overlap_mm(measures[i], measures[i + 1])
        if over_mm > OVERLAP_MM:
            why = NotMeasured(Reason.MASK_POOR, f"overlaps its neighbour by {over_mm:.1f} mm")
            for k in (i, i + 1):
                answer[k] = replace(measures[k], heights=why, wedge_deg=why, endplates=why)
    return tuple(answer)


def _overlap_mm(upper: VertebraMeasures, lower: VertebraMeasures) -> float:
    if not (isinstance(upper.frame, Frame) and isinstance(lower.frame, Frame)):
        return 0.0
    if not (isinstance(upper.heights, BodyHeights) and isinstance(lower.heights, BodyHeights)):
        return 0.0
    apart_mm = float(np.linalg.norm(upper.frame.origin_lps_mm - lower.frame.origin_lps_mm))
    return 0.5 * (_mean_mm(upper.heights) + _mean_mm(lower.heights)) - apart_mm


def _mean_mm(heights: BodyHeights) -> float:
    h = heights.median
    return (h.anterior_mm + h.middle_mm + h.posterior_mm) / 3.0
