"""Paravertebral soft tissue: more of it in the shell around the body than the neighbours have at the same angle."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.finding.signs.patch import IMAGED_HU, NO_CT_HU, Patch
from wirbel.finding.signs.settings import MassSettings
from wirbel.finding.signs.walls import Walls
from wirbel.vertebra import NotMeasured, Reason
from wirbel.vertebra.local import in_frame, sample
from wirbel.volume import Volume

#: Bone in the shell (rib, transverse process, osteophyte): a ray that meets it says nothing beyond.
BONE_HU = 260.0
#: Excess that counts as thickened, mm.
THICK_MM = 2.0
LEAST_HU = -200.0


@dataclass(frozen=True, slots=True, eq=False)
class Shell:
    """Soft tissue along rays out of the wall: `soft_mm` by (height, angle), `seen`: ray free and imaged."""

    soft_mm: Float64[np.ndarray, "f t"]
    seen: Bool[np.ndarray, "f t"]
    unseen_share: float


@dataclass(frozen=True, slots=True, eq=False)
class Mass:
    """Excess soft tissue: volume, greatest thickness, share of the circumference, and where."""

    mm3: float
    thickness_mm: float
    spread_fraction: float
    where: Bool[np.ndarray, "s p l"]


def shell_of(ct: Volume, walls: Walls, settings: MassSettings) -> Shell:
    """How many mm of each ray's shell are soft tissue."""
    out = np.arange(settings.start_mm, settings.shell_mm + 0.01, 1.0)
    points = walls.points_lps_mm[:, :, None, :] + out[:, None] * walls.outward[None, :, None, :]
    hu = sample(ct.hu, ct.grid, points, outside=NO_CT_HU)
    imaged = (hu > IMAGED_HU).all(axis=2)
    calm = ndimage.uniform_filter(np.maximum(hu, -1100.0), size=(3, 3, 1), mode=("nearest", "wrap", "nearest"))
    soft = (calm > settings.soft_hu[0]) & (calm < settings.soft_hu[1])
    bone = (calm >= BONE_HU)[:, :, 2:].any(axis=2)
    ahead = np.abs(walls.angle_rad) <= np.radians(settings.widest_deg)
    free = walls.free & ahead[None, :]
    unseen = float((free & ~imaged).sum()) / max(1, int(free.sum()))
    return Shell(soft.sum(axis=2).astype(np.float64), free & imaged & ~bone, unseen)


def mass_of(
    ct: Volume, patch: Patch, walls: Walls, own: Shell, references: Sequence[Shell], settings: MassSettings
) -> Mass | NotMeasured:
    """Soft tissue within 15 mm of the body's wall beyond what the nearest references have.

    Criterion: focal paravertebral soft-tissue mass, against thin and diffuse paraspinal thickening (Foreman 2024
    table 1). Rays leave the free wall horizontally, up to 125 deg from straight ahead. A ray's soft tissue (-20 to
    220 HU, 1.5 to 15 mm from the wall) counts as far as it exceeds by 2 mm what the richer reference has within
    5 deg of the same angle (60th percentile over the height); connected excess of at least 400 mm3 counts.
    Thickness: the 95th percentile of the excess there; spread: the share of the seen angles that have it. Muscle
    that fills the whole shell (psoas at L3) hides a mass. `NO_NEIGHBOURS` without references, `TOUCHES_EDGE`
    where over a quarter of the shell is not imaged.
    """
    if own.unseen_share > settings.most_unseen:
        return NotMeasured(Reason.TOUCHES_EDGE, f"{100 * own.unseen_share:.0f} % of the shell not imaged")
    if not own.seen.any():
        return NotMeasured(Reason.MASK_POOR, "no free wall")
    usual = _richest([shell for shell in references if shell.unseen_share <= settings.most_unseen], settings)
    if usual is None:
        return NotMeasured(Reason.NO_NEIGHBOURS)
    known = own.seen & np.isfinite(usual)[None, :]
    excess = np.where(known, own.soft_mm - np.nan_to_num(usual)[None, :] - settings.tolerance_mm, 0.0)
    excess = np.maximum(excess, 0.0)
    outer = walls.area_mm2 * (1.0 + 0.5 * settings.shell_mm / np.maximum(walls.radius_mm, 4.0))
    volume = _kept(excess * outer, settings.least_mm3)
    places = volume > 0
    if not places.any():
        return Mass(0.0, 0.0, 0.0, np.zeros(patch.grid.shape, dtype=bool))
    thick = (places & (excess + settings.tolerance_mm >= THICK_MM)).any(axis=0)
    return Mass(
        float(volume.sum()),
        float(np.percentile(excess[places], 95.0)) + settings.tolerance_mm,
        float(thick.sum()) / float(known.any(axis=0).sum()),
        _voxels(ct, patch, walls, places, settings),
    )


def _richest(references: Sequence[Shell], settings: MassSettings) -> Float64[np.ndarray, "t"] | None:
    """The most soft tissue of any reference by angle, within a few degrees; NaN where none is seen."""
    if not references:
        return None
    rows = []
    for shell in references:
        seen = np.where(shell.seen, shell.soft_mm, np.nan)
        row = np.full(seen.shape[1], np.nan)
        some = shell.seen.any(axis=0)
        row[some] = np.nanpercentile(seen[:, some], settings.rich_percent, axis=0)
        rows.append(row)
    table = np.where(np.isfinite(rows), rows, -1.0)
    size = 2 * round(settings.around_deg * table.shape[1] / 360.0) + 1
    richest = ndimage.maximum_filter1d(table.max(axis=0), size, mode="wrap")
    return np.where(richest >= 0, richest, np.nan)


def _kept(volume: Float64[np.ndarray, "f t"], least_mm3: float) -> Float64[np.ndarray, "f t"]:
    """Volumes of connected places that together reach the least; the circumference is open at the back."""
    pieces, count = ndimage.label(volume > 0, structure=np.ones((3, 3)))
    out = np.zeros_like(volume)
    for number in range(1, count + 1):
        piece = pieces == number
        if float(volume[piece].sum()) >= least_mm3:
            out[piece] = volume[piece]
    return out


def _voxels(
    ct: Volume, patch: Patch, walls: Walls, places: Bool[np.ndarray, "f t"], settings: MassSettings
) -> Bool[np.ndarray, "s p l"]:
    """The shell's soft tissue over the places, for a picture."""
    out = np.arange(settings.start_mm, settings.shell_mm + 0.01, 0.7)
    where = np.zeros(patch.grid.shape, dtype=bool)
    f, t = np.nonzero(places)
    radius = walls.radius_mm[f, t][:, None] + out[None, :]
    angle = walls.angle_rad[t][:, None]
    points = in_frame(
        patch.frame,
        radius * np.sin(angle),
        radius * np.cos(angle),
        np.broadcast_to(walls.up_mm[f, t][:, None], radius.shape),
    )
    hu = sample(ct.hu, ct.grid, points, outside=NO_CT_HU)
    at = np.rint(patch.grid.to_voxel(points[(hu > settings.soft_hu[0]) & (hu < settings.soft_hu[1])])).astype(int)
    at = at[np.all((at >= 0) & (at < np.asarray(where.shape)), axis=1)]
    where[tuple(at.T)] = True
    return np.asarray(ndimage.binary_closing(where, iterations=1)) & ~patch.body & ~patch.arch
