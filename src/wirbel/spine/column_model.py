"""What the column looks like on average: distances of neighbouring bodies, level by level."""

from collections.abc import Mapping

from wirbel.spine.level import Level

#: Distance from a body's centre to that of the next one below, in mm: means over the bodies of fourteen columns of
#: the hand-out, measured on masks (VerSe 2020, Liebl et al. 2021, J Med Imaging 8:054003, CC BY-SA 4.0;
#: TotalSegmentator, Wasserthal et al. 2023, CC BY 4.0) and smoothed along the column. They agree within 8 % with
#: body plus disc heights of Kunkel et al. 2011 (J Anat 219:375) from C7 to T12. C1 has no body, and C2's centre
#: moves with how much of the dens is counted: both are weak.
SPACING_MM: Mapping[Level, float] = {
    Level.C1: 20.5, Level.C2: 20.5, Level.C3: 18.0, Level.C4: 17.4, Level.C5: 17.2, Level.C6: 18.2,
    Level.C7: 19.9, Level.T1: 21.0, Level.T2: 21.3, Level.T3: 21.3, Level.T4: 21.6, Level.T5: 21.9,
    Level.T6: 22.3, Level.T7: 22.9, Level.T8: 23.7, Level.T9: 24.8, Level.T10: 27.0, Level.T11: 30.0,
    Level.T12: 32.2, Level.T13: 33.4, Level.L1: 34.5, Level.L2: 35.8, Level.L3: 36.1, Level.L4: 34.9,
    Level.L5: 34.0, Level.L6: 33.5,
}  # fmt: skip
