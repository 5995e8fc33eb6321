"""The wall of a body as a lattice over its circumference and height: where cortex and shell are read."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage
from scipy.spatial import ConvexHull

from wirbel.finding.signs.patch import Patch
from wirbel.vertebra.local import sample

ANGLES = 72
#: Fractions of the wall's own height at which it is read; nearer to the endplates lies the rim.
HEIGHTS = np.linspace(0.14, 0.86, 13)
FARTHEST_MM = 48.0
RADIUS_STEP_MM = 0.5
#: The column that tells a wall's height stands this far inside it, mm.
INSIDE_MM = 3.5
LEAST_HEIGHT_MM = 5.0
#: Beyond this angle the wall is the posterior one, concave by nature and more so between the pedicles' roots, mm.
BEHIND_DEG, CONCAVE_MM = 120.0, 3.5
#: Around an attached arch no wall is free, mm.
ARCH_ROOM_MM = 2


@dataclass(frozen=True, slots=True, eq=False)
class Walls:
    """Places on the body's wall: (height from below, angle).

    `angle_rad`: 0 anterior, positive to the left. `free`: a wall of its own, no arch attached to it. `dented`: the
    mask falls short there and its convex outline stands in. `area_mm2` of each place. `points_lps_mm` on the
    surface, `outward` unit vectors by angle.
    """

    angle_rad: Float64[np.ndarray, "t"]
    up_mm: Float64[np.ndarray, "f t"]
    radius_mm: Float64[np.ndarray, "f t"]
    height_mm: Float64[np.ndarray, "t"]
    free: Bool[np.ndarray, "f t"]
    dented: Bool[np.ndarray, "f t"]
    area_mm2: Float64[np.ndarray, "f t"]
    points_lps_mm: Float64[np.ndarray, "f t 3"]
    outward: Float64[np.ndarray, "t 3"]

    @property
    def posterior(self) -> Bool[np.ndarray, "t"]:
        """Angles that look at the canal."""
        return np.abs(self.angle_rad) > np.radians(140.0)


def walls_of(patch: Patch, dent_mm: float) -> Walls:
    """The wall of the mask's body, to a fraction of a voxel."""
    frame = patch.frame
    angle = (np.arange(ANGLES) - ANGLES // 2) * 2.0 * np.pi / ANGLES
    outward = np.cos(angle)[:, None] * frame.anterior + np.sin(angle)[:, None] * frame.left
    radius = np.arange(0.0, FARTHEST_MM, RADIUS_STEP_MM)
    up = patch.up_mm
    along = up[:, None, None, None] * frame.superior + radius[:, None] * outward[None, :, None, :]
    field = sample(patch.cutout.field, patch.cutout.grid, frame.origin_lps_mm + along, outside=0.0)
    outer = _outermost(field, radius)
    bottom, top = _ends(field, outer, radius, up)
    height = top - bottom
    at_up = bottom[None, :] + HEIGHTS[:, None] * height[None, :]
    place = np.stack([(at_up - up[0]) / (up[1] - up[0]), np.broadcast_to(np.arange(ANGLES), at_up.shape)])
    own = ndimage.map_coordinates(outer, place, order=1, mode="nearest")
    hull = _hull_radius(own, angle)
    behind = np.abs(angle) > np.radians(BEHIND_DEG)
    dented = hull - own > np.where(behind, CONCAVE_MM + dent_mm, dent_mm)[None, :]
    wall = np.where(dented, hull, own)
    points = (
        frame.origin_lps_mm + at_up[..., None] * frame.superior + wall[..., None] * outward[None, :, :]
    )
    free = np.broadcast_to(height >= LEAST_HEIGHT_MM, wall.shape) & ~_at_arch(patch, points, outward)
    step = float(HEIGHTS[1] - HEIGHTS[0])
    area = wall * (2.0 * np.pi / ANGLES) * height[None, :] * step
    return Walls(angle, at_up, wall, height, free & (wall > 4.0), dented, area, points, outward)


def _outermost(field: Float64[np.ndarray, "s t r"], radius: Float64[np.ndarray, "r"]) -> Float64[np.ndarray, "s t"]:
    """Largest radius at which the field crosses 0.5; 0 where there is no body."""
    bone = field >= 0.5
    last = field.shape[2] - 1 - np.argmax(bone[..., ::-1], axis=2)
    inside = np.take_along_axis(field, last[..., None], axis=2)[..., 0]
    beyond = np.take_along_axis(field, np.minimum(last + 1, field.shape[2] - 1)[..., None], axis=2)[..., 0]
    fall = np.where(inside > beyond, inside - beyond, 1.0)
    part = np.clip((inside - 0.5) / fall, 0.0, 1.0)
    return np.where(bone.any(axis=2), radius[last] + part * RADIUS_STEP_MM, 0.0)


def _ends(
    field: Float64[np.ndarray, "s t r"],
    outer: Float64[np.ndarray, "s t"],
    radius: Float64[np.ndarray, "r"],
    up: Float64[np.ndarray, "s"],
) -> tuple[Float64[np.ndarray, "t"], Float64[np.ndarray, "t"]]:
    """Lower and upper end of the column of bone just inside the wall, by angle; equal where there is none."""
    middle = np.abs(up) <= 4.0
    typical = np.array([np.median(row[row > 0]) if (row > 0).any() else 0.0 for row in outer[middle].T])
    near = np.clip(np.rint((typical - INSIDE_MM) / RADIUS_STEP_MM).astype(int), 0, len(radius) - 1)
    bottom, top = np.zeros(ANGLES), np.zeros(ANGLES)
    for t in range(ANGLES):
        bone = field[:, t, near[t]] >= 0.5
        runs, count = ndimage.label(bone)
        if count == 0:
            continue
        longest = 1 + int(np.argmax(np.bincount(runs)[1:]))
        at = np.flatnonzero(runs == longest)
        bottom[t], top[t] = up[at[0]], up[at[-1]]
    return bottom, top


def _hull_radius(
    radius: Float64[np.ndarray, "f t"], angle: Float64[np.ndarray, "t"]
) -> Float64[np.ndarray, "f t"]:
    """Distance to the convex outline along each direction, level by level; levels are first made steady."""
    steady = ndimage.median_filter(radius, size=(3, 3), mode="nearest")
    rays = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    out = steady.copy()
    for f, row in enumerate(steady):
        if (row > 2.0).sum() < 12:
            continue
        hull = ConvexHull(rays * row[:, None])
        toward = rays @ hull.equations[:, :2].T
        reach = np.where(toward > 1e-6, -hull.equations[:, 2] / np.where(toward > 1e-6, toward, 1.0), np.inf)
        out[f] = reach.min(axis=1)
    return out


def _at_arch(
    patch: Patch, points: Float64[np.ndarray, "f t 3"], outward: Float64[np.ndarray, "t 3"]
) -> Bool[np.ndarray, "f t"]:
    """Whether the arch is attached within a few millimetres outside the wall."""
    wide = ndimage.binary_dilation(patch.arch, iterations=ARCH_ROOM_MM)
    found = np.zeros(points.shape[:2], dtype=bool)
    for out_mm in (0.0, 1.5, 3.0):
        at = np.rint(patch.grid.to_voxel((points + out_mm * outward[None]).reshape(-1, 3))).astype(int)
        at = np.clip(at, 0, np.asarray(patch.grid.shape) - 1)
        found |= wide[tuple(at.T)].reshape(found.shape)
    return found
