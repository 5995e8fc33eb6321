"""Numbers of the naming decoder, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from wirbel.spine.level import Level

#: How often a column has so many thoracic and lumbar vertebrae. Tins & Balain 2016 (Insights Imaging 7:199, whole
#: spine MR of 418): 4.3 % one more, 3.3 % one fewer mobile vertebra, and 1.9 % sacralised L5, 1.0 % lumbarised S1
#: beside; Yan et al. 2018 (J Orthop Surg Res 13:124, 293 adults): 11 thoracic 5.8 % (1.7 % with six lumbar), six
#: lumbar 5.5 %; Yun et al. 2018 (Korean J Radiol 19:1140, spine CT of 1,446): 6.9 % any variant. The split of the
#: rare ones among themselves is ours.
COLUMN_PRIOR: Mapping[tuple[int, int], float] = MappingProxyType(
    {
        (12, 5): 0.874,
        (11, 5): 0.030,
        (13, 5): 0.022,
        (12, 6): 0.030,
        (12, 4): 0.022,
        (11, 6): 0.012,
        (13, 4): 0.008,
        (13, 6): 0.001,
        (11, 4): 0.001,
    }
)
#: How often a vertebra carries a rib that a CT shows. C7: cervical ribs in 0.94 % (1,165 CTs of Oman, Surg Radiol
#: Anat 2022, doi:10.1007/s00276-022-03028-0). T12: rudimentary or absent 12th ribs in some per cent (Nakajima et
#: al. 2014, Clin Anat 27:1005); L1: lumbar ribs about 1 %.
RIB_PRIOR: Mapping[Level, float] = MappingProxyType(
    {Level.C7: 0.01, Level.T1: 0.99, Level.T11: 0.99, Level.T12: 0.95, Level.T13: 0.92, Level.L1: 0.015}
)


@dataclass(frozen=True, slots=True)
class SpineSettings:
    """Settings of `name_levels`.

    Figures without a source were chosen on simulated evidence (`benchmarks/naming_on_simulated_evidence.py`).
    """

    columns: Mapping[tuple[int, int], float] = field(default_factory=lambda: COLUMN_PRIOR)
    ribs: Mapping[Level, float] = field(default_factory=lambda: RIB_PRIOR)
    rib_gain: float = 2.0
    """Readings of ribs are averaged over a neighbourhood and so too timid: their logit is multiplied by this."""
    rib_trust: float = 0.975
    """... but a reading is never believed beyond this: one vertebra speaks with at most 39 to 1."""
    border_trust: float = 0.97
    """Likewise the sacrum below and the skull above."""
    given_trust: float = 0.98
    """Likewise a name given for a single vertebra."""
    offset_sd_levels: tuple[float, float] = (0.45, 1.3)
    """An appearance reading may be off for the whole column at once: two normal spreads of that common error."""
    offset_wide_share: float = 0.3
    """The share of columns with the wider one."""
    offset_drift_levels: float = 0.2
    """The common error changes by so much (SD) from one vertebra to the next. In the readings of four CTs of the
    hand-out by networks trained on them successive errors differ by 0.14 to 0.36, each vertebra's own included."""
    position_sd_levels: float = 0.4
    """Least spread of one vertebra's own reading, beside the common error."""
    opinion_floor: float = 0.03
    """Probability left to every level by any opinion."""
    opinion_weight: float = 1.0
    """What an opinion counts; what neighbours err in together is left to the common error and its drift."""
    spacing_sd: float = 0.05
    """Relative spread of a distance between neighbours, the patient's size and its drift allowed for (on the eight
    annotated CTs successive distances differ by 0.01 to 0.07 from what the levels' means say, the error of the
    marks included)."""
    spacing_error_mm: float = 2.0
    """Error of a distance from the placing of two centres."""
    spacing_weight: float = 1.0
    """What a distance counts; that proportions deviate along whole stretches is left to `scale_drift`."""
    size_sd: float = 0.08
    """Relative spread of a body's linear size for its level and patient."""
    size_weight: float = 0.6
    """Like `spacing_weight`, for body sizes: masks that are all too large or too small err together."""
    scale_sd: float = 0.09
    """Spread of body size between adults (body height 4 %, sex 5 %, and spacing of degenerate discs)."""
    scale_drift: float = 0.02
    """The patient's proportions change by so much (SD, relative) from one vertebra to the next. On the eight
    annotated CTs the course of the distances leaves 0.01 to 0.03 a step."""
    outlier: float = 0.02
    """Share of distances and sizes that say nothing (crushed, fused, merged)."""
    missed: float = 0.01
    """Chance that a vertebra inside the column was not found."""
    named_from: float = 0.85
    """A column is named when its labelling has at least this probability; else it stays relative."""
    named_from_sacrum: float = 0.87
    """... and with at least this one when it is counted from the sacrum without T1 in view: eleven or thirteen ribs
    then show in distances, sizes and readings alone, and less than this means that those speak for them."""
    named_against: float = 0.90
    """... and with at least this one when a clear reading (rib, sacrum) contradicts it."""
    fewest: int = 2
    """Fewer vertebrae are not numbered."""
    sure: float = 0.75
    """A reading (rib, sacrum, skull) from which, or below 1 minus which, it counts as clear."""
    rib_contrast: float = 0.5
    """The first or last rib is an anchor when readings on both sides of the junction differ by this on average."""
