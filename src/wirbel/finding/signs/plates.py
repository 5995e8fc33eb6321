"""Endplates eroded on both sides of one disc: what spondylodiscitis does, and a fracture does not.

A fracture presses in the endplates of one body; its neighbour's facing endplate stays whole. An infected disc eats
both. So each disc is read along rays that leave the own endplate, cross the disc and enter the neighbour's; the
lesser of the two plates' losses is what counts.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import ndimage

from wirbel.finding.signs.patch import IMAGED_HU, NO_CT_HU, Patch
from wirbel.finding.signs.patch import STEP_MM as PATCH_MM
from wirbel.finding.signs.settings import PlateSettings
from wirbel.spine import Part, Spine
from wirbel.vertebra import NotMeasured, Reason
from wirbel.vertebra.local import in_frame, sample
from wirbel.volume import Volume

STEP_MM = 0.5
#: Every so many columns of the patch carry a ray: rays lie 2 mm apart.
EVERY = 2
#: Averaged over so many rays in each direction, at the same distance from the plate.
CALM = 3
#: The rim is left out: spurs, limbus, rounded corners, mm.
RIM_MM = 3.0
#: So many rays tell of a plate (4 mm2 each).
LEAST_RAYS = 20
#: Half height of the body in which a column must be bone, mm.
WAIST_MM = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Disc:
    """The two plates of one disc along `n` rays.

    `own_hu`, `facing_hu`: each plate's crest, the highest HU within reach of its surface. `own_lps_mm`,
    `facing_lps_mm`: where the rays cross the surfaces. `at`: the rays' places on a raster of 2 mm.
    """

    own_hu: Float64[np.ndarray, "n"]
    facing_hu: Float64[np.ndarray, "n"]
    own_lps_mm: Float64[np.ndarray, "n 3"]
    facing_lps_mm: Float64[np.ndarray, "n 3"]
    at: Int64[np.ndarray, "n 2"]


@dataclass(frozen=True, slots=True, eq=False)
class Plates:
    """The discs above and below, or why one is not read. `best_hu`: the median crest of the best plate in view, the
    own ones without a neighbour included; 0 where there is none."""

    discs: tuple[Disc | NotMeasured, Disc | NotMeasured]
    best_hu: float


@dataclass(frozen=True, slots=True, eq=False)
class Eroded:
    """The lesser of the two plates' shares without a crest, at the worse disc; and where both plates lack it."""

    fraction: float
    where: Bool[np.ndarray, "s p l"]


def plates_of(ct: Volume, spine: Spine, patch: Patch, settings: PlateSettings) -> Plates:
    """The disc above and the one below.

    `NO_NEIGHBOURS` where no other vertebra faces most of the plate within reach, `TOUCHES_EDGE` where the CT ends
    before the other plate.
    """
    above, below = (_disc(ct, spine, patch, side, settings) for side in (1, -1))
    crests = [hu for disc in (above, below) if isinstance(disc, Disc) for hu in (disc.own_hu, disc.facing_hu)]
    for side, disc in ((1, above), (-1, below)):
        if isinstance(disc, NotMeasured):
            crests.append(_own_hu(ct, patch, side, settings))
    return Plates((above, below), max((float(np.median(hu)) for hu in crests if len(hu)), default=0.0))


def _disc(ct: Volume, spine: Spine, patch: Patch, side: int, settings: PlateSettings) -> Disc | NotMeasured:
    """One disc; `side` 1 is the one above, -1 the one below."""
    rays, height_mm = _plate(patch, side)
    if len(rays) < LEAST_RAYS:
        return NotMeasured(Reason.MASK_POOR, "no endplate")
    along = np.arange(-settings.inside_mm, settings.farthest_mm + settings.inside_mm + 0.01, STEP_MM)
    points = _points(patch, rays, height_mm[:, None] + side * along)
    others = _others(spine, points, patch.label)
    others[:, (along < -1.0) | (along > settings.farthest_mm)] = False
    faced = others.any(axis=1)
    if faced.sum() < max(LEAST_RAYS, settings.least_faced * len(rays)):
        return NotMeasured(Reason.NO_NEIGHBOURS, "no endplate faces this one")
    rays, points, first = rays[faced], points[faced], np.argmax(others[faced], axis=1)
    hu = sample(ct.hu, ct.grid, points, outside=NO_CT_HU)
    reach = np.arange(-round(settings.outside_mm / STEP_MM), round(settings.inside_mm / STEP_MM) + 1)
    half_gap = np.maximum(0.5 * along[first], STEP_MM)[:, None]
    start = np.full(len(rays), round(settings.inside_mm / STEP_MM))
    own = _crest(hu, start[:, None] - reach, reach * STEP_MM >= -half_gap, rays)
    facing = _crest(hu, first[:, None] + reach, reach * STEP_MM >= -half_gap, rays)
    seen = (own > IMAGED_HU) & (facing > IMAGED_HU)
    if seen.sum() < max(LEAST_RAYS, settings.least_faced * len(seen)):
        return NotMeasured(Reason.TOUCHES_EDGE, "the disc is not in view")
    rows = np.arange(len(rays))
    return Disc(own[seen], facing[seen], points[rows, start][seen], points[rows, first][seen], rays[seen])


def eroded_of(
    patch: Patch, plates: Plates, wall_hu: float, settings: PlateSettings
) -> Eroded | NotMeasured:
    """How much of both plates of one disc has no crest, at the disc where that is most.

    A place has none when its crest lies less than half of the way from soft tissue to the scan's usual crest: the
    best plate's median, or `wall_hu`, the crest of the references' walls, where that is lower (a sclerotic plate is
    no measure of a thin one). The share is the lesser of the two plates', so that a plate pressed in or destroyed
    on one side alone counts nothing. Where neither disc can be read the first one's reason; `NOT_SEPARABLE` where
    the scan shows no plates at all.
    """
    read = [disc for disc in plates.discs if isinstance(disc, Disc)]
    if not read:
        return next(disc for disc in plates.discs if isinstance(disc, NotMeasured))
    usual_hu = min(plates.best_hu, wall_hu)
    if usual_hu < settings.least_reference_hu:
        return NotMeasured(Reason.NOT_SEPARABLE, f"endplates of {usual_hu:.0f} HU")
    limit_hu = settings.soft_hu + settings.share * (usual_hu - settings.soft_hu)
    shares = [min(float((hu < limit_hu).mean()) for hu in (disc.own_hu, disc.facing_hu)) for disc in read]
    worst = int(np.argmax(shares))
    return Eroded(shares[worst], _marks(patch, read[worst], limit_hu))


def _own_hu(ct: Volume, patch: Patch, side: int, settings: PlateSettings) -> Float64[np.ndarray, "n"]:
    """The crest of an own plate that no other faces, where it is seen."""
    rays, height_mm = _plate(patch, side)
    if len(rays) < LEAST_RAYS:
        return np.empty(0)
    reach_mm = np.arange(-settings.outside_mm, settings.inside_mm + 0.01, STEP_MM)
    points = _points(patch, rays, height_mm[:, None] - side * reach_mm)
    hu = sample(ct.hu, ct.grid, points, outside=NO_CT_HU)
    steps = np.broadcast_to(np.arange(len(reach_mm)), hu.shape)
    crest = _crest(hu, steps, np.ones(hu.shape, dtype=bool), rays)
    return crest[crest > IMAGED_HU]


def _plate(patch: Patch, side: int) -> tuple[Int64[np.ndarray, "n 2"], Float64[np.ndarray, "n"]]:
    """The rays' places (posterior, left) in the patch, and the plate's height there, the rim left out."""
    waist = np.asarray(patch.body[np.abs(patch.up_mm) <= WAIST_MM].all(axis=0))
    inner = waist & (ndimage.distance_transform_edt(np.pad(waist, 1))[1:-1, 1:-1] > RIM_MM)
    rays = np.argwhere(inner)
    rays = rays[(rays % EVERY == 0).all(axis=1)]
    middle = int(np.argmin(np.abs(patch.up_mm)))
    columns = patch.field[middle:] if side > 0 else patch.field[middle::-1]
    columns = columns[:, rays[:, 0], rays[:, 1]]
    outside = columns < 0.5
    first = np.argmax(outside, axis=0)
    found = outside.any(axis=0) & (first > 0)
    rays, first, columns = rays[found], first[found], columns[:, found]
    at = np.arange(len(rays))
    before, after = columns[first - 1, at], columns[first, at]
    steps = first - 1 + (before - 0.5) / np.maximum(before - after, 1e-6)
    return rays, patch.up_mm[middle] + side * PATCH_MM * steps.astype(np.float64)


def _points(
    patch: Patch, rays: Int64[np.ndarray, "n 2"], up_mm: Float64[np.ndarray, "n t"]
) -> Float64[np.ndarray, "n t 3"]:
    """Points along rays in LPS mm."""
    anterior = np.broadcast_to(-patch.posterior_mm[rays[:, 0]][:, None], up_mm.shape)
    left = np.broadcast_to(patch.left_mm[rays[:, 1]][:, None], up_mm.shape)
    return in_frame(patch.frame, left, anterior, up_mm)


def _others(spine: Spine, points: Float64[np.ndarray, "n t 3"], label: int) -> Bool[np.ndarray, "n t"]:
    """Where another vertebra or the sacrum lies."""
    index = np.rint(spine.grid.to_voxel(points.reshape(-1, 3))).astype(int)
    inside = np.all((index >= 0) & (index < np.asarray(spine.grid.shape)), axis=1)
    at = tuple(index[inside].T)
    instances = spine.instances.labels[at]
    found = np.zeros(len(index), dtype=bool)
    found[inside] = ((instances != 0) & (instances != label)) | (spine.parts.labels[at] == Part.SACRUM)
    return found.reshape(points.shape[:-1])


def _crest(
    hu: Float64[np.ndarray, "n t"],
    steps: Int64[np.ndarray, "n k"],
    within: Bool[np.ndarray, "n k"],
    rays: Int64[np.ndarray, "n 2"],
) -> Float64[np.ndarray, "n"]:
    """The highest HU along each ray at `steps`, neighbouring rays averaged first; `NO_CT_HU` where not seen."""
    near = np.take_along_axis(hu, np.clip(steps, 0, hu.shape[1] - 1), axis=1)
    raster = np.zeros((*(rays.max(axis=0) // EVERY + 1), near.shape[1]))
    weight = np.zeros(raster.shape)
    at = tuple((rays // EVERY).T)
    seen = near > IMAGED_HU
    raster[at], weight[at] = np.where(seen, near, 0.0), seen
    size = (CALM, CALM, 1)
    total, count = (ndimage.uniform_filter(a, size=size, mode="constant")[at] for a in (raster, weight))
    calm = np.where(seen, total / np.maximum(count, 1e-6), NO_CT_HU)
    crest = np.where(within, calm, NO_CT_HU).max(axis=1)
    return np.where(seen.all(axis=1), crest, NO_CT_HU)


def _marks(patch: Patch, disc: Disc, limit_hu: float) -> Bool[np.ndarray, "s p l"]:
    """The places without a crest as voxels of both plates, as thick as a plate is drawn in a picture."""
    out = np.zeros(patch.grid.shape, dtype=bool)
    for points, hu in ((disc.own_lps_mm, disc.own_hu), (disc.facing_lps_mm, disc.facing_hu)):
        for up_mm in (-1.0, 0.0, 1.0):
            at = np.rint(patch.grid.to_voxel(points[hu < limit_hu] + up_mm * patch.frame.superior)).astype(int)
            at = at[np.all((at >= 0) & (at < np.asarray(out.shape)), axis=1)]
            out[tuple(at.T)] = True
    return np.asarray(ndimage.binary_closing(out, iterations=1)) | out
