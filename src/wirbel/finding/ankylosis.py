"""Bone that bridges discs: where vertebrae are fused, heights are no safeguard."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import ndimage

from wirbel.finding.settings import AnkylosisSettings
from wirbel.vertebra import BodyHeights, Frame, NotMeasured, VertebraMeasures
from wirbel.vertebra.local import sample
from wirbel.volume import Volume

#: Directions around the disc, degrees from straight ahead; behind them lie facets and canal.
AROUND_DEG = np.arange(-100.0, 101.0, 10.0)
#: Radii as share of the body's outline: the rim and a little beyond, where flowing ossification lies.
RADII = np.array([0.92, 1.0, 1.08, 1.16])
#: How far into each body the path starts, mm.
INTO_MM = 3.0
POINTS = 21
OUTSIDE_HU = -1024.0
#: Width of a body as share of its depth, about the mean of T4-L4 (Panjabi 1991-1992).
WIDTH_TO_DEPTH = 1.25


def bridges(ct: Volume, measures: Sequence[VertebraMeasures], settings: AnkylosisSettings) -> tuple[bool | None,
...]:
    """For each pair of neighbours in the column's order: whether bone bridges their disc; None where not
    measured."""
    return tuple(
        _bridged(ct, upper, lower, settings) for upper, lower in pairwise(measures)
    )


def is_ankylosed(pairs: Sequence[bool | None], settings: AnkylosisSettings) -> bool:
    """At least `least_bridges` bridged discs in a row, that is four vertebrae."""
    run = longest = 0
    for bridged in pairs:
        run = run + 1 if bridged else 0
        longest = max(longest, run)
    return longest >= settings.least_bridges


def _bridged(
    ct: Volume, upper: VertebraMeasures, lower: VertebraMeasures, settings: AnkylosisSettings
) -> bool | None:
    """Bone without a gap along two neighbouring directions, far denser than the disc's middle."""
    above, below = _rim(upper, top=False), _rim(lower, top=True)
    if above is None or below is None:
        return None
    along = np.linspace(0.0, 1.0, POINTS)[:, None, None, None]
    path = (1.0 - along) * above[None] + along * below[None]
    hu = sample(ct.hu, ct.grid, path, outside=OUTSIDE_HU)
    weakest = ndimage.uniform_filter1d(hu, 3, axis=0, mode="nearest").min(axis=0)
    disc = sample(ct.hu, ct.grid, _middle_of_disc(upper, lower), outside=OUTSIDE_HU)
    limit = max(settings.bridge_hu, float(np.median(disc)) + settings.over_disc_hu)
    bone = (weakest >= limit).any(axis=1)
    return bool(np.any(bone[:-1] & bone[1:]))


def _rim(measures: VertebraMeasures, *, top: bool) -> np.ndarray | None:
    """Points just inside a body's rim, LPS mm: (direction, radius, 3)."""
    frame, heights = measures.frame, measures.heights
    if isinstance(frame, NotMeasured) or not isinstance(heights, BodyHeights):
        return None
    angle = np.radians(AROUND_DEG)[:, None]
    half_depth = 0.5 * heights.depth_mm
    front = half_depth * np.cos(angle) * RADII[None, :]
    left = WIDTH_TO_DEPTH * half_depth * np.sin(angle) * RADII[None, :]
    height_mm = np.mean([heights.median.anterior_mm, heights.median.posterior_mm])
    up = (0.5 * height_mm - INTO_MM) * (1.0 if top else -1.0)
    return np.asarray(
        frame.origin_lps_mm + front[..., None] * frame.anterior + left[..., None] * frame.left + up * frame.superior
    )


def _middle_of_disc(upper: VertebraMeasures, lower: VertebraMeasures) -> np.ndarray:
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
