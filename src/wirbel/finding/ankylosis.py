"""Bone that bridges discs: where vertebrae are fused, heights are no safeguard.

A bridge stands in front of the body or beside it: bone from vertebra to vertebra beyond the body's own outline,
where no blur of two near endplates reaches. At the rim itself, thin discs look like bone (slices of 1 mm, a soft
kernel and a gap of 2 mm leave 300 HU between the plates).
"""

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise

import numpy as np
from jaxtyping import Float64
from scipy import ndimage

from wirbel.finding.settings import AnkylosisSettings
from wirbel.vertebra import BodyHeights, Frame, NotMeasured, VertebraMeasures
from wirbel.vertebra.local import sample
from wirbel.volume import Volume

#: Directions around the disc, degrees from straight ahead; behind them lie facets and canal.
AROUND_DEG = np.arange(-100.0, 101.0, 10.0)
#: Radii as share of the body's outline: at the outline and beyond it, where flowing ossification lies. Two
#: neighbours of either are the least cross-section of a bridge, about 2.5 mm by 1.2 mm.
BEYOND = np.array([1.0, 1.08, 1.16, 1.24])
#: Radii inside the disc: all of it bone is a fused disc.
WITHIN = np.array([0.25, 0.5, 0.75])
#: How far into each body the path starts, mm.
INTO_MM = 3.0
POINTS = 21
OUTSIDE_HU = -1024.0
#: What the middle of a disc can have; endplates that stand near raise the reading, gas lowers it.
DISC_HU = (50.0, 150.0)
#: Width of a body as share of its depth, about the mean of T4-L4 (Panjabi 1991-1992).
WIDTH_TO_DEPTH = 1.25


class Bridge(IntEnum):
    """How far bone crosses a disc."""

    NONE = 0
    PARTIAL = 1
    """From both sides, with a gap left."""
    WHOLE = 2


def bridges(
    ct: Volume, measures: Sequence[VertebraMeasures], settings: AnkylosisSettings
) -> tuple[Bridge | None, ...]:
    """For each pair of neighbours in the column's order how far bone bridges their disc; None: not measured."""
    return tuple(_between(ct, upper, lower, settings) for upper, lower in pairwise(measures))


def is_ankylosed(pairs: Sequence[Bridge | None], settings: AnkylosisSettings) -> bool:
    """At least `least_bridges` whole bridges among discs in a row that are all bridged at least in part."""
    whole = most = 0
    for bridge in pairs:
        if bridge is None or bridge is Bridge.NONE:
            whole = 0
        whole += bridge is Bridge.WHOLE
        most = max(most, whole)
    return most >= settings.least_bridges


def _between(
    ct: Volume, upper: VertebraMeasures, lower: VertebraMeasures, settings: AnkylosisSettings
) -> Bridge | None:
    beyond = _paths(ct, upper, lower, BEYOND)
    within = _paths(ct, upper, lower, WITHIN)
    if beyond is None or within is None:
        return None
    disc = sample(ct.hu, ct.grid, _middle_of_disc(upper, lower), outside=OUTSIDE_HU)
    disc_hu = float(np.clip(np.median(disc), *DISC_HU))
    limit = max(settings.bridge_hu, disc_hu + settings.over_disc_hu)
    share = (beyond >= limit).mean(axis=0)
    share = np.minimum(share[:-1], share[1:])
    most = float(np.minimum(share[:, :-1], share[:, 1:]).max())
    between = within[POINTS // 3 : POINTS - POINTS // 3].min(axis=0)
    is_seen = _gap_mm(upper, lower) >= settings.resolved_mm
    fused = is_seen and float((between >= limit).mean()) >= settings.fused_share
    if most == 1.0 or fused:
        return Bridge.WHOLE
    return Bridge.PARTIAL if most >= settings.partial_share else Bridge.NONE


def _paths(
    ct: Volume, upper: VertebraMeasures, lower: VertebraMeasures, radii: Float64[np.ndarray, "r"]
) -> Float64[np.ndarray, "points directions r"] | None:
    """HU on straight paths from body to body, three points averaged; None where one has no heights."""
    above, below = _ring(upper, radii, top=False), _ring(lower, radii, top=True)
    if above is None or below is None:
        return None
    along = np.linspace(0.0, 1.0, POINTS)[:, None, None, None]
    hu = sample(ct.hu, ct.grid, (1.0 - along) * above[None] + along * below[None], outside=OUTSIDE_HU)
    smooth: np.ndarray = ndimage.uniform_filter1d(hu, 3, axis=0, mode="nearest")
    return smooth


def _ring(
    measures: VertebraMeasures, radii: Float64[np.ndarray, "r"], *, top: bool
) -> Float64[np.ndarray, "directions r 3"] | None:
    """Points `INTO_MM` inside a body's height, LPS mm."""
    frame, heights = measures.frame, measures.heights
    if isinstance(frame, NotMeasured) or not isinstance(heights, BodyHeights):
        return None
    angle = np.radians(AROUND_DEG)[:, None]
    half_depth = 0.5 * heights.depth_mm
    front = half_depth * np.cos(angle) * radii[None, :]
    left = WIDTH_TO_DEPTH * half_depth * np.sin(angle) * radii[None, :]
    height_mm = np.mean([heights.median.anterior_mm, heights.median.posterior_mm])
    up = (0.5 * height_mm - INTO_MM) * (1.0 if top else -1.0)
    return np.asarray(
        frame.origin_lps_mm + front[..., None] * frame.anterior + left[..., None] * frame.left + up * frame.superior
    )


def _gap_mm(upper: VertebraMeasures, lower: VertebraMeasures) -> float:
    """Height of the disc at its middle; 0 where it is not known."""
    if not isinstance(upper.frame, Frame) or not isinstance(lower.frame, Frame):
        return 0.0
    apart = float(np.linalg.norm(upper.frame.origin_lps_mm - lower.frame.origin_lps_mm))
    return apart - _half(upper) - _half(lower)


def _middle_of_disc(upper: VertebraMeasures, lower: VertebraMeasures) -> Float64[np.ndarray, "n 3"]:
    """Points around the middle between two bodies, LPS mm."""
    first, second = upper.frame, lower.frame
    if not isinstance(first, Frame) or not isinstance(second, Frame):
        return np.zeros((0, 3))
    high = first.origin_lps_mm - _half(upper) * first.superior
    low = second.origin_lps_mm + _half(lower) * second.superior
    middle = 0.5 * (high + low)
    steps = np.array([(a, b) for a in (-4.0, 0.0, 4.0) for b in (-4.0, 0.0, 4.0)])
    return np.asarray(middle + steps[:, :1] * first.anterior + steps[:, 1:] * first.left)


def _half(measures: VertebraMeasures) -> float:
    heights = measures.heights
    return 0.5 * heights.median.middle_mm if isinstance(heights, BodyHeights) else 0.0
