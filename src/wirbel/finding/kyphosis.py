"""Regional kyphosis: the Cobb angle between two endplates."""

from collections.abc import Sequence

import numpy as np

from wirbel.finding.finding import Kyphosis
from wirbel.spine import Level, Vertebra
from wirbel.vertebra import Endplates, Frame, NotMeasured, Reason, VertebraMeasures

#: Usual ends of thoracic kyphosis; the nearest measured vertebrae within them are taken and named.
UPPER, LOWER = Level.T4, Level.T12
LEAST_SPAN = 3.0


def kyphosis_of(
    vertebrae: Sequence[Vertebra], measures: Sequence[VertebraMeasures]
) -> Kyphosis | NotMeasured:
    """Angle between the upper endplate of the upper end and the lower endplate of the lower end, positive:
    kyphotic.

    Taken in the sagittal plane common to both ends. `NO_NEIGHBOURS` when fewer than four named vertebrae between
    T4 and T12 are measured.
    """
    ends: list[tuple[float, int, Endplates, Frame]] = [
        (v.level.rank, v.label, m.endplates, m.frame)
        for v, m in zip(vertebrae, measures, strict=True)
        if v.level is not None
        and UPPER.rank <= v.level.rank <= LOWER.rank
        and isinstance(m.endplates, Endplates)
        and isinstance(m.frame, Frame)
    ]
    if len(ends) < 2 or ends[-1][0] - ends[0][0] < LEAST_SPAN:
        return NotMeasured(Reason.NO_NEIGHBOURS, f"{len(ends)} measured vertebrae between T4 and T12")
    (_, upper, top, first), (_, lower, bottom, last) = ends[0], ends[-1]
    left = first.left + last.left
    left = left / np.linalg.norm(left)
    a = top.upper.normal - (top.upper.normal @ left) * left
    b = bottom.lower.normal - (bottom.lower.normal @ left) * left
    front = np.cross(left, b)  # b points up: left x superior = anterior
    angle = np.degrees(np.arctan2(a @ front, a @ b))
    return Kyphosis(upper, lower, float(angle))
