"""A layer on the posterior wall: what is denser right behind it than right behind the references' walls.

Most epidural masses are thinner than the 2 mm next to bone that the canal's own reading leaves out. Here depth is
counted from the wall's edge as the CT shows it: the blur of bone is then the same in all vertebrae and drops out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.finding.signs.contour import FRACTIONS, PLANE_STEP_MM, PosteriorWall
from wirbel.finding.signs.patch import IMAGED_HU, NO_CT_HU, Patch
from wirbel.finding.signs.settings import CanalSettings

STEP_MM = 0.5
#: Depths behind the wall that are read, mm; a layer begins within `BEGINS_MM`.
DEPTH_MM = np.arange(1.0, 7.01, STEP_MM)
BEGINS_MM = 2.5
#: What lies between the wall and the first depth belongs to a layer, and half a step at its end.
BEFORE_MM = 0.75
LEAST_MM = 1.0
#: Heights of the wall that are read; beyond them discs bulge.
WITHIN = (FRACTIONS > 0.1) & (FRACTIONS < 0.9)
#: Averaged over three planes and five heights.
CALM = (3, 5, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Volume of the layer, and where."""

    mm3: float
    where: Bool[np.ndarray, "s p l"]


def behind_hu(patch: Patch, wall: PosteriorWall) -> Float64[np.ndarray, "k f d"]:
    """HU at depths behind the wall; NaN outside the CT."""
    shape = (*wall.up_mm.shape, len(DEPTH_MM))
    place = np.stack(
        [
            np.broadcast_to((wall.up_mm - patch.up_mm[0])[..., None], shape),
            (wall.back_mm - patch.posterior_mm[0])[..., None] + DEPTH_MM,
            np.broadcast_to((wall.left_mm - patch.left_mm[0])[:, None, None], shape),
        ]
    )
    hu = ndimage.map_coordinates(patch.hu, place, order=1, mode="constant", cval=NO_CT_HU)
    return np.where(hu > IMAGED_HU, hu, np.nan).astype(np.float64)


def layer_of(
    patch: Patch, wall: PosteriorWall, references: Sequence[tuple[Patch, PosteriorWall]], settings: CanalSettings
) -> Layer | None:
    """Soft tissue on the posterior wall that the references do not have at the same depth and side.

    Criterion: epidural mass (Foreman 2024 table 1). Usual is the densest reference's median over the height; what
    exceeds it by 18 HU from within 2.5 mm of the wall on, at least 1 mm thick, no bone, counts; connected places of
    at least 120 mm3. None where no reference is known there.
    """
    usual = _usual(wall, references)
    if usual is None:
        return None
    hu = behind_hu(patch, wall)
    known = np.isfinite(hu)
    calm = ndimage.uniform_filter(np.where(known, hu, 0.0), size=CALM, mode="nearest")
    over = known & (calm > usual[:, None, :] + settings.mass_hu) & (hu < settings.bone_hu)
    # from its first depth on without a gap
    begun = np.logical_or.accumulate(over & (DEPTH_MM <= BEGINS_MM), axis=2)
    first = np.logical_or.accumulate(over, axis=2)
    unbroken = np.logical_and.accumulate(~first | over, axis=2)
    thick_mm = STEP_MM * (over & begun & unbroken).sum(axis=2)
    thick_mm = np.where((thick_mm >= LEAST_MM) & WITHIN[None, :], thick_mm + BEFORE_MM, 0.0)
    volume = thick_mm * PLANE_STEP_MM * np.gradient(wall.up_mm, axis=1)
    pieces, count = ndimage.label(thick_mm > 0.0)
    kept = np.zeros_like(volume, dtype=bool)
    for number in range(1, count + 1):
        piece = pieces == number
        if float(volume[piece].sum()) >= settings.least_mm3:
            kept |= piece
    return Layer(float(volume[kept].sum()), _voxels(patch, wall, np.where(kept, thick_mm, 0.0)))


def _usual(
    wall: PosteriorWall, references: Sequence[tuple[Patch, PosteriorWall]]
) -> Float64[np.ndarray, "k d"] | None:
    """The densest reference's HU by side and depth, right and left alike."""
    rows = []
    for patch, other in references:
        hu = behind_hu(patch, other)[:, WITHIN]
        if not np.isfinite(hu).any(axis=1).all():
            continue
        median = np.nanmedian(hu, axis=1)
        median = 0.5 * (median + median[::-1])
        rows.append(np.stack([np.interp(wall.left_mm, other.left_mm, column) for column in median.T], axis=1))
    return np.max(rows, axis=0) if rows else None


def _voxels(
    patch: Patch, wall: PosteriorWall, thick_mm: Float64[np.ndarray, "k f"]
) -> Bool[np.ndarray, "s p l"]:
    """The layer in the patch."""
    where = np.zeros(patch.grid.shape, dtype=bool)
    left, height = np.nonzero(thick_mm)
    for deep in np.arange(0.5, DEPTH_MM[-1] + 1.0, STEP_MM):
        here = thick_mm[left, height] >= deep
        place = (
            wall.up_mm[left, height] - patch.up_mm[0],
            wall.back_mm[left, height] + deep - patch.posterior_mm[0],
            wall.left_mm[left] - patch.left_mm[0],
        )
        for side in (-0.5, 0.5):  # planes stand 1.5 mm apart
            at = np.rint(np.stack([place[0], place[1], place[2] + side])[:, here]).astype(int)
            at = np.clip(at, 0, np.asarray(where.shape)[:, None] - 1)
            where[tuple(at)] = True
    return where & ~patch.body & ~patch.arch
