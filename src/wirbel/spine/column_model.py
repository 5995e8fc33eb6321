"""What columns look like: their levels by variant, distances of neighbouring bodies, sizes, what appearance reads.

The distances and sizes are means over columns of the hand-out, so naming figures on the hand-out's cases (masks or
CTs) are contaminated by them. How much is not measured; the decoder takes from them only the course along the
column, scaled to the patient, and lets each one deviate (`spacing_sd`, `size_sd` in `wirbel.spine.settings`).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64

from wirbel.spine.level import Level

#: Distance from a body's centre to that of the next one below, in mm: means over the bodies of fourteen columns of
#: the hand-out, measured on masks (VerSe 2020, Liebl et al. 2021, J Med Imaging 8:054003, CC BY-SA 4.0;
#: TotalSegmentator, Wasserthal et al. 2023, CC BY 4.0) and smoothed along the column. They agree within 8 % with
#: body plus disc heights of Kunkel et al. 2011 (J Anat 219:375) from C7 to T12. C1 has no body, and C2's centre
#: moves with how much of the dens is counted: both are weak. T13 lies about half-way between T12 and L1, L6
#: continues L5: values of convenience, no series of either is at hand.
SPACING_MM: Mapping[Level, float] = MappingProxyType({
    Level.C1: 20.5, Level.C2: 20.5, Level.C3: 18.0, Level.C4: 17.4, Level.C5: 17.2, Level.C6: 18.2,
    Level.C7: 19.9, Level.T1: 21.0, Level.T2: 21.3, Level.T3: 21.3, Level.T4: 21.6, Level.T5: 21.9,
    Level.T6: 22.3, Level.T7: 22.9, Level.T8: 23.7, Level.T9: 24.8, Level.T10: 27.0, Level.T11: 30.0,
    Level.T12: 32.2, Level.T13: 33.4, Level.L1: 34.5, Level.L2: 35.8, Level.L3: 36.1, Level.L4: 34.9,
    Level.L5: 34.0, Level.L6: 33.5,
})  # fmt: skip
#: Cube root of a body's volume in mm, from the same masks (bodies split from their arches).
SIZE_MM: Mapping[Level, float] = MappingProxyType({
    Level.C1: 17.5, Level.C2: 23.0, Level.C3: 18.5, Level.C4: 18.2, Level.C5: 18.7, Level.C6: 19.7,
    Level.C7: 20.6, Level.T1: 21.9, Level.T2: 22.5, Level.T3: 22.4, Level.T4: 22.8, Level.T5: 23.5,
    Level.T6: 24.3, Level.T7: 25.5, Level.T8: 26.5, Level.T9: 27.4, Level.T10: 28.3, Level.T11: 29.7,
    Level.T12: 31.3, Level.T13: 32.3, Level.L1: 33.1, Level.L2: 34.2, Level.L3: 34.7, Level.L4: 35.2,
    Level.L5: 35.4, Level.L6: 35.2,
})  # fmt: skip
#: Levels whose centre is ill-defined; their distances get this extra relative spread.
VAGUE: Mapping[Level, float] = MappingProxyType({Level.C1: 0.25, Level.C2: 0.15})

_CERVICAL = (Level.C1, Level.C2, Level.C3, Level.C4, Level.C5, Level.C6, Level.C7)
_THORACIC = (
    Level.T1, Level.T2, Level.T3, Level.T4, Level.T5, Level.T6, Level.T7,
    Level.T8, Level.T9, Level.T10, Level.T11, Level.T12, Level.T13,
)  # fmt: skip
_LUMBAR = (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5, Level.L6)


def levels_of_column(thoracic: int, lumbar: int) -> tuple[Level, ...]:
    """The names from above of a column with so many thoracic (11-13) and lumbar (4-6) vertebrae."""
    return (*_CERVICAL, *_THORACIC[:thoracic], *_LUMBAR[:lumbar])


def reading_of_column(levels: Sequence[Level]) -> Float64[np.ndarray, " l"]:
    """What appearance reads at each level of a whole column, in `Level.rank` units of a usual one.

    An extra vertebra does not look like a level of its own: thirteen ribs spread over the chest that twelve fill
    otherwise, and the lowest of eleven looks like a twelfth. So chest and loin are read as evenly as in a usual
    column (C1-C7 at 1-7, the chest from 8 to 19, the loin from 20 to 24), whatever their number. The phantoms'
    ribs are drawn in the same way; how real networks read columns with T13 is not measured.
    """
    count = {region: sum(level.region == region for level in levels) for region in "CTL"}
    return np.concatenate([
        np.linspace(1.0, 7.0, count["C"]), np.linspace(8.0, 19.0, count["T"]), np.linspace(20.0, 24.0, count["L"])
    ])
