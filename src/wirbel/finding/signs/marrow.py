"""Inside the body: gas, lytic and sclerotic shares, density against the references."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.finding.signs.patch import IMAGED_HU, Patch, box_of
from wirbel.finding.signs.settings import MarrowSettings
from wirbel.vertebra import NotMeasured, Reason

#: A core with fewer voxels says nothing, mm3.
LEAST_CORE_MM3 = 250.0
AIR_HU = -1000.0
#: Voxels this far around gas share it, mm.
PARTIAL_MM = 2
#: Limit between bone and soft tissue below which no voxel is pure gas's neighbour: the highest HU that can hold
#: gas.
PARTIAL_HU = -40.0


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """The body's inside, away from surface and vein: smoothed HU, their median and robust spread."""

    where: Bool[np.ndarray, "s p l"]
    smooth_hu: Float64[np.ndarray, "n"]
    median_hu: float
    spread_hu: float


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """A share of the core, and where."""

    fraction: float
    where: Bool[np.ndarray, "s p l"]


@dataclass(frozen=True, slots=True, eq=False)
class Gas:
    """Gas inside the body."""

    mm3: float
    where: Bool[np.ndarray, "s p l"]


def core_of(patch: Patch, settings: MarrowSettings) -> Core | NotMeasured:
    """The trabecular core; a crushed body is eroded less."""
    depth = patch.depth_mm
    erosion = min(settings.erosion_mm, 0.4 * float(depth.max(initial=0.0)))
    where = (depth > erosion) & patch.imaged & ~_vein(patch, settings)
    if where.sum() < LEAST_CORE_MM3:
        return NotMeasured(Reason.MASK_POOR, f"{int(where.sum())} mm3 inside the cortex")
    window = box_of(patch.body)
    hu, within = patch.hu[window], where[window]
    seen = patch.body[window] & (hu > IMAGED_HU)
    weight = ndimage.gaussian_filter(seen.astype(np.float32), settings.smooth_mm, mode="constant")
    total = ndimage.gaussian_filter(np.where(seen, hu, np.float32(0.0)), settings.smooth_mm, mode="constant")
    smooth = (total[within] / np.maximum(weight[within], 1e-3)).astype(np.float64)
    low, median, high = np.percentile(smooth, [25.0, 50.0, 75.0])
    return Core(where, smooth, float(median), max(float(high - low) / 1.349, 5.0))


def lytic_of(own: Core, references: Sequence[Core], settings: MarrowSettings) -> Share | NotMeasured:
    """Share of the core that is less dense than the references' marrow (gas left out), beyond their own share.

    Criterion: destruction of spongiosa (Foreman 2024 table 1). Smoothed HU below the references' median by 25 HU
    and by 1.5 of their SDs; the median share of the references' cores that lies there too is taken off.
    `NO_NEIGHBOURS` without references; `NOT_SEPARABLE` where that limit falls below 45 HU, because a lytic lesion
    is as dense as such marrow. With contrast a lesion enhances, and less of it is seen.
    """
    if not references:
        return NotMeasured(Reason.NO_NEIGHBOURS)
    median, spread = _typical(references)
    limit = median - max(settings.lytic_hu, settings.lytic_sd * spread)
    if limit < settings.separable_hu:
        return NotMeasured(Reason.NOT_SEPARABLE, f"references have {median:.0f} HU")
    seen = _share(own, (own.smooth_hu < limit) & (own.smooth_hu > settings.gas_hu))
    usual = float(np.median([np.mean(core.smooth_hu < limit) for core in references]))
    return Share(max(0.0, seen.fraction - usual), seen.where)


def sclerotic_of(own: Core, references: Sequence[Core], settings: MarrowSettings) -> Share | NotMeasured:
    """Share of the core that is far denser than the references' marrow.

    Criterion: destruction (replacement) of spongiosa by a sclerotic lesion (Foreman 2024 table 1). Smoothed HU
    above the references' median by 150 HU and by 3.5 of their SDs; the impacted band of a fracture can reach that
    too.
    """
    if not references:
        return NotMeasured(Reason.NO_NEIGHBOURS)
    median, spread = _typical(references)
    return _share(own, own.smooth_hu > median + max(settings.sclerotic_hu, settings.sclerotic_sd * spread))


def gas_of(patch: Patch, core: Core, settings: MarrowSettings) -> Gas:
    """Volume of gas inside the body, partial volume shared out.

    Criterion: intravertebral vacuum (Foreman 2024 table 1). Pieces of at least 4 mm3 below -200 HU that lie deeper
    than 1.5 mm under the mask's surface (a disc's gas and the lung stay outside) are followed to all voxels of the
    body within 2 mm; each counts with its share of gas between the core's median and -1000 HU.
    """
    sure = (patch.depth_mm > settings.gas_depth_mm) & patch.imaged & (patch.hu < settings.gas_hu)
    pieces, count = ndimage.label(sure, structure=np.ones((3, 3, 3)))
    if count == 0:
        return Gas(0.0, sure)
    keep = np.bincount(pieces.ravel()) >= settings.least_gas_mm3
    keep[0] = False
    seeds = keep[pieces]
    if not seeds.any():
        return Gas(0.0, seeds)
    grown = ndimage.binary_dilation(seeds, structure=np.ones((3, 3, 3), dtype=bool), iterations=PARTIAL_MM)
    around = grown & patch.body & (seeds | (patch.hu < PARTIAL_HU))
    marrow = max(core.median_hu, 0.0)
    share = np.clip((marrow - patch.hu) / (marrow - AIR_HU), 0.0, 1.0)
    return Gas(float(share[around].sum()), around & (share > 0.4))


def difference_hu(own_hu: float, references_hu: Sequence[float]) -> float | NotMeasured:
    """Own trabecular density less the references' median."""
    if not references_hu:
        return NotMeasured(Reason.NO_NEIGHBOURS)
    return own_hu - float(np.median(references_hu))


def _typical(references: Sequence[Core]) -> tuple[float, float]:
    """Medians of the references' medians and spreads."""
    return (
        float(np.median([core.median_hu for core in references])),
        float(np.median([core.spread_hu for core in references])),
    )


def _share(own: Core, chosen: Bool[np.ndarray, "n"]) -> Share:
    where = np.zeros_like(own.where)
    where[own.where] = chosen
    return Share(float(chosen.mean()), where)


def _vein(patch: Patch, settings: MarrowSettings) -> Bool[np.ndarray, "s p l"]:
    """The posterior middle, where the basivertebral vein runs."""
    waist = patch.body[np.abs(patch.up_mm) <= 3.0].any(axis=(0, 2))
    if not waist.any():
        return np.zeros_like(patch.body)
    back = patch.posterior_mm[waist]
    limit = back.max() - settings.vein_fraction * float(np.ptp(back))
    place = (patch.posterior_mm > limit)[:, None] & (np.abs(patch.left_mm) <= settings.vein_half_width_mm)[None, :]
    return np.broadcast_to(place[None], patch.body.shape)
