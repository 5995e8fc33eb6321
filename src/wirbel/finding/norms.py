"""Normal proportions of vertebral bodies by level: what a healthy one looks like at the six points.

Blended from Kunkel 2011 (J Anat 219:375, table 2: T1-T12, corners, brought to the six-point stations), Masharawi's
wedge angles by sex (Eur Spine J 2010, doi:10.1007/s00586-009-1256-6: T9-L5), Cook and Baker 2021 (Int J Spine Surg
15:1072: L5), and our own measures with this definition on four near-full spines of VerSe 2020 (CC BY-SA 4.0).
Only proportions are used, so the absolute size of the sources does not matter.
"""

from dataclasses import dataclass
from typing import Final

from wirbel.spine import Level


@dataclass(frozen=True, slots=True)
class Norm:
    """`posterior_mm`: typical posterior height (its course along the column is what counts).

    `anterior`: anterior / posterior. `middle`: middle / mean of anterior and posterior. `upper_sunk_mm`,
    `lower_sunk_mm`: usual depth of the endplates below their chord.
    """

    posterior_mm: float
    anterior: float
    middle: float
    upper_sunk_mm: float
    lower_sunk_mm: float


#: Spread of the two ratios between healthy people at one level (SD).
ANTERIOR_SD: Final = 0.045
MIDDLE_SD: Final = 0.030
#: Spread of a posterior height around the course of its neighbours, relative (SD).
COURSE_SD: Final = 0.045

NORMS: Final[dict[Level, Norm]] = {
    Level.C3: Norm(14.0, 0.98, 1.00, 0.3, 0.3),
    Level.C4: Norm(13.8, 0.98, 1.00, 0.3, 0.3),
    Level.C5: Norm(13.6, 0.97, 1.00, 0.3, 0.3),
    Level.C6: Norm(13.8, 0.97, 1.00, 0.3, 0.3),
    Level.C7: Norm(15.3, 0.96, 1.00, 0.3, 0.3),
    Level.T1: Norm(17.3, 0.955, 0.97, 0.4, 0.5),
    Level.T2: Norm(18.5, 0.945, 0.93, 0.8, 0.8),
    Level.T3: Norm(19.1, 0.935, 0.93, 0.9, 0.7),
    Level.T4: Norm(19.7, 0.925, 0.92, 0.9, 0.7),
    Level.T5: Norm(20.4, 0.935, 0.92, 0.9, 0.8),
    Level.T6: Norm(21.0, 0.925, 0.92, 1.0, 0.8),
    Level.T7: Norm(21.6, 0.910, 0.92, 1.0, 0.8),
    Level.T8: Norm(22.2, 0.920, 0.92, 1.3, 1.0),
    Level.T9: Norm(22.9, 0.945, 0.92, 1.3, 1.3),
    Level.T10: Norm(24.0, 0.955, 0.92, 1.2, 1.4),
    Level.T11: Norm(25.4, 0.935, 0.925, 1.4, 1.4),
    Level.T12: Norm(27.0, 0.945, 0.935, 1.1, 1.2),
    Level.T13: Norm(28.0, 0.955, 0.935, 1.1, 1.3),
    Level.L1: Norm(28.7, 0.965, 0.930, 1.4, 1.2),
    Level.L2: Norm(29.4, 0.985, 0.915, 1.6, 1.7),
    Level.L3: Norm(29.5, 1.005, 0.910, 1.5, 1.9),
    Level.L4: Norm(29.0, 1.040, 0.910, 1.4, 1.9),
    Level.L5: Norm(27.0, 1.115, 0.920, 1.0, 1.8),
    Level.L6: Norm(27.0, 1.110, 0.920, 1.0, 1.8),
}


def norm_of(level: Level | None) -> Norm | None:
    """The level's norm; none for levels without one (C1, C2, sacrum) and without a name."""
    return NORMS.get(level) if level is not None else None
