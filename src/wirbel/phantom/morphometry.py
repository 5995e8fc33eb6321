"""Sizes of the vertebrae by level, the column's curve, and where the figures come from.

Heights, depths and widths: means over four near-full spines measured in the hand-out
(`numbers/full_spines_measured_heights.csv`, from VerSe 2020, Liebl et al. 2021), smoothed along the column;
Ha/Hp of the thoracic levels drawn towards Kunkel et al. 2011 (J Anat 219:375, Table 2); L5 after Cook & Baker
2021 (Int J Spine Surg 15:1072, Table 6); cervical heights and discs after Yukawa et al. 2012; thoracic discs
after Kunkel 2011; lumbar discs after the CT series named in `numbers/body_and_disc_heights_C2_L5.csv`;
wedge by sex after PMC2899959 (doi:10.1007/s00586-009-1256-6, Table 1). Posterior elements: pedicle sizes,
canal and process lengths after Panjabi et al. 1991-1993 (Spine 16:861, 16:888, 17:299, 18:1298), rounded.
"""

from dataclasses import dataclass

from wirbel.spine import Level


@dataclass(frozen=True, slots=True)
class Morphometry:
    """Mean sizes of one level in mm; `tilt_deg` < 0 leans forward.

    `anterior`, `middle`, `posterior`: body heights; `depth` at mid-height; `width_*` of the body; `disc`: height
    of the disc below; `pedicle_*`: width and height; `canal_*`: depth and width; `transverse`: from the midline
    to the tip; `spinous`: from the canal's back to the tip; `spinous_deg`: its droop below the horizontal.
    """

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    depth_mm: float
    width_superior_mm: float
    width_middle_mm: float
    width_inferior_mm: float
    disc_mm: float
    tilt_deg: float
    pedicle_width_mm: float
    pedicle_height_mm: float
    canal_depth_mm: float
    canal_width_mm: float
    transverse_mm: float
    spinous_mm: float
    spinous_deg: float


_L = Level
#: One row a level, C1 and C2 as their body-like part (C1: anterior arch, C2: body without the dens).
NORMS: dict[Level, Morphometry] = {
    _L.C1: Morphometry(11.0, 11.0, 11.0, 8.0, 18.0, 18.0, 18.0, 1.0, -12.0, 7.0, 9.0, 30.0, 29.0, 38.0, 6.0, 10.0),
    _L.C2: Morphometry(
        19.0, 17.5, 17.0, 15.5, 17.0, 16.0, 18.0, 5.2, -14.0, 8.0, 10.0, 20.0, 25.0, 27.0, 20.0, 20.0
    ),
    _L.C3: Morphometry(
        14.0, 13.2, 14.6, 16.0, 18.0, 16.5, 18.5, 5.4, -18.0, 5.6, 7.4, 16.0, 23.0, 27.0, 15.0, 22.0
    ),
    _L.C4: Morphometry(
        13.6, 12.6, 14.2, 16.2, 18.5, 17.0, 19.5, 5.4, -21.0, 5.4, 7.4, 16.0, 24.0, 27.0, 15.0, 22.0
    ),
    _L.C5: Morphometry(
        13.3, 12.2, 14.0, 16.4, 19.5, 18.0, 21.0, 5.4, -23.0, 5.6, 7.0, 16.0, 25.0, 27.5, 17.0, 24.0
    ),
    _L.C6: Morphometry(
        13.4, 12.6, 14.0, 16.8, 21.0, 20.0, 23.5, 5.4, -27.0, 6.0, 7.3, 16.0, 25.5, 28.5, 23.0, 26.0
    ),
    _L.C7: Morphometry(
        14.8, 13.9, 15.2, 17.0, 23.5, 23.5, 27.5, 5.0, -31.0, 6.6, 7.5, 15.5, 24.5, 33.0, 33.0, 28.0
    ),
    _L.T1: Morphometry(
        16.3, 15.7, 17.2, 17.4, 26.5, 25.5, 28.0, 4.4, -33.0, 8.5, 9.6, 15.5, 21.5, 37.0, 35.0, 34.0
    ),
    _L.T2: Morphometry(
        17.6, 16.6, 18.6, 18.8, 26.5, 24.5, 27.0, 3.9, -28.0, 8.2, 11.4, 15.5, 19.5, 35.0, 36.0, 40.0
    ),
    _L.T3: Morphometry(
        18.0, 16.8, 19.3, 20.3, 24.5, 23.0, 26.0, 3.6, -22.0, 7.0, 11.9, 16.0, 18.5, 33.0, 37.0, 46.0
    ),
    _L.T4: Morphometry(
        18.2, 17.0, 19.7, 22.0, 24.5, 22.5, 25.5, 3.5, -17.0, 5.5, 12.1, 16.2, 17.0, 31.5, 38.0, 52.0
    ),
    _L.T5: Morphometry(
        18.9, 17.6, 20.4, 23.9, 25.0, 23.0, 26.5, 3.7, -12.0, 6.1, 11.9, 16.2, 17.3, 32.0, 39.0, 58.0
    ),
    _L.T6: Morphometry(
        19.2, 18.2, 21.0, 25.6, 26.5, 24.0, 28.0, 3.9, -6.0, 6.0, 12.2, 16.5, 17.3, 32.5, 40.0, 61.0
    ),
    _L.T7: Morphometry(
        19.6, 18.6, 21.7, 26.8, 28.0, 25.5, 30.0, 4.2, -2.0, 6.0, 12.1, 16.3, 17.3, 32.5, 40.0, 62.0
    ),
    _L.T8: Morphometry(20.6, 19.4, 22.2, 27.6, 29.5, 27.0, 31.5, 4.6, 1.0, 6.7, 12.5, 16.3, 17.7, 31.5, 38.0, 58.0),
    _L.T9: Morphometry(21.8, 20.1, 23.0, 28.5, 31.5, 29.0, 33.0, 5.0, 4.0, 7.7, 13.9, 16.0, 17.9, 30.5, 35.0, 50.0),
    _L.T10: Morphometry(
        23.4, 21.5, 24.5, 29.3, 33.5, 31.0, 35.5, 5.6, 6.0, 9.0, 14.7, 15.5, 18.2, 28.5, 33.0, 40.0
    ),
    _L.T11: Morphometry(
        24.4, 22.4, 26.0, 29.3, 36.0, 33.0, 38.5, 6.0, 7.0, 9.8, 16.9, 16.0, 19.4, 25.0, 31.0, 28.0
    ),
    _L.T12: Morphometry(
        26.0, 23.9, 27.6, 29.6, 39.0, 36.0, 41.0, 6.4, 9.0, 8.7, 16.4, 18.0, 22.2, 23.5, 31.0, 18.0
    ),
    _L.T13: Morphometry(
        27.3, 25.0, 28.6, 29.8, 40.5, 37.0, 42.5, 6.8, 9.0, 8.4, 16.2, 18.5, 23.0, 26.0, 31.5, 12.0
    ),
    _L.L1: Morphometry(28.2, 25.6, 29.4, 29.8, 41.5, 38.0, 43.5, 7.4, 8.0, 8.5, 15.9, 18.8, 23.5, 36.0, 33.0, 8.0),
    _L.L2: Morphometry(29.4, 26.2, 29.8, 30.9, 43.0, 39.5, 45.5, 8.6, 6.0, 8.9, 15.0, 18.0, 23.8, 40.5, 34.0, 6.0),
    _L.L3: Morphometry(29.8, 26.6, 29.4, 31.8, 44.5, 41.5, 47.5, 9.8, 0.0, 10.3, 14.4, 17.5, 24.3, 45.0, 35.0, 4.0),
    _L.L4: Morphometry(
        29.9, 26.5, 28.6, 32.5, 47.0, 43.5, 49.5, 10.6, -8.0, 12.9, 15.5, 17.8, 25.4, 44.0, 32.0, 4.0
    ),
    _L.L5: Morphometry(
        30.2, 25.9, 26.4, 33.0, 49.0, 46.0, 49.5, 9.8, -20.0, 17.0, 19.6, 18.5, 27.1, 46.0, 26.0, 4.0
    ),
    _L.L6: Morphometry(
        29.5, 25.3, 25.8, 33.0, 49.5, 46.5, 49.5, 9.0, -27.0, 17.0, 19.6, 18.5, 27.1, 46.0, 24.0, 4.0
    ),
}
#: Tilt of the sacral endplate (sacral slope), mean; Vialle et al. 2005 (J Bone Joint Surg Am 87:260): 41 +- 8.
SACRAL_SLOPE_DEG = 40.0
#: Linear size of women over the mean of both sexes, and of men (width and depth; heights differ a little less).
SEX_SCALE: dict[str, float] = {"F": 0.945, "M": 1.05}
#: Added wedge of women and men (deg, + = lower in front), T9-L5, as deviation from their mean (PMC2899959).
SEX_WEDGE_DEG: dict[str, float] = {"F": -0.8, "M": 0.8}
