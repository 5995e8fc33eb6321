"""The wall of a body as a lattice over its circumference and height: where cortex and shell are read."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage
from scipy.spatial import ConvexHull

from wirbel.finding.signs.patch import Patch, box_of

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
    radius = np.arange(0.0, _farthest_mm(patch), RADIUS_STEP_MM)
    up = patch.up_mm
    field = _polar(patch, angle, radius)
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


def _polar(
    patch: Patch, angle: Float64[np.ndarray, "t"], radius: Float64[np.ndarray, "r"]
) -> Float32[np.ndarray, "s t r"]:
    """The body's field by (height, angle, radius): bilinear, at the same places of every height."""
    p = -radius[None, :] * np.cos(angle)[:, None] - patch.posterior_mm[0]
    left = radius[None, :] * np.sin(angle)[:, None] - patch.left_mm[0]
    depth, width = patch.field.shape[1:]
    out = np.zeros((patch.field.shape[0], p.size), dtype=np.float32)
    flat = patch.field.reshape(patch.field.shape[0], -1)
    p0, l0 = np.floor(p).astype(int).ravel(), np.floor(left).astype(int).ravel()
    dp, dl = (p.ravel() - p0).astype(np.float32), (left.ravel() - l0).astype(np.float32)
    inside = (p0 >= 0) & (p0 < depth - 1) & (l0 >= 0) & (l0 < width - 1)
    at = np.where(inside, p0 * width + l0, 0)
    for step, weight in (
        (0, (1 - dp) * (1 - dl)),
        (1, (1 - dp) * dl),
        (width, dp * (1 - dl)),
        (width + 1, dp * dl),
    ):
        out += np.take(flat, np.minimum(at + step, flat.shape[1] - 1), axis=1) * np.where(inside, weight, 0)
    return out.reshape(patch.field.shape[0], *p.shape)


def _farthest_mm(patch: Patch) -> float:
    """So far from the axis the body's surface may lie, and a little more."""
    p, left = np.nonzero(patch.body.any(axis=0))
    if len(p) == 0:
        return FARTHEST_MM
    reach = float(np.hypot(patch.posterior_mm[p], patch.left_mm[left]).max())
    return min(FARTHEST_MM, reach + 4.0)


def _outermost(field: Float32[np.ndarray, "s t r"], radius: Float64[np.ndarray, "r"]) -> Float64[np.ndarray, "s t"]:
    """Largest radius at which the field crosses 0.5; 0 where there is no body."""
    bone = field >= 0.5
    last = field.shape[2] - 1 - np.argmax(bone[..., ::-1], axis=2)
    inside = np.take_along_axis(field, last[..., None], axis=2)[..., 0]
    beyond = np.take_along_axis(field, np.minimum(last + 1, field.shape[2] - 1)[..., None], axis=2)[..., 0]
    fall = np.where(inside > beyond, inside - beyond, 1.0)
    part = np.clip((inside - 0.5) / fall, 0.0, 1.0)
    return np.where(bone.any(axis=2), radius[last] + part * RADIUS_STEP_MM, 0.0).astype(np.float64)


def _ends(
    field: Float32[np.ndarray, "s t r"],
    outer: Float64[np.ndarray, "s t"],
    radius: Float64[np.ndarray, "r"],
    up: Float64[np.ndarray, "s"],
) -> tuple[Float64[np.ndarray, "t"], Float64[np.ndarray, "t"]]:
    """Lower and upper end of the column of bone just inside the wall, by angle; equal where there is none."""
    middle = np.abs(up) <= 4.0
    typical = np.array([np.median(row[row > 0]) if (row > 0).any() else 0.0 for row in outer[middle].T])
    near = np.clip(np.rint((typical - INSIDE_MM) / RADIUS_STEP_MM).astype(int), 0, len(radius) - 1)
    bone = np.take_along_axis(field, near[None, :, None], axis=2)[..., 0] >= 0.5
    runs, _ = ndimage.label(bone, structure=np.array([[0, 1, 0]] * 3))
    length = np.bincount(runs.ravel())
    length[0] = 0
    longest = length[runs] == length[runs].max(axis=0)[None, :]
    # the lowest one where two are as long
    first = np.argmax(longest & bone, axis=0)
    columns = np.arange(ANGLES)
    last = first + np.maximum(length[runs[first, columns]] - 1, 0)
    found = bone.any(axis=0)
    return np.where(found, up[first], 0.0), np.where(found, up[np.minimum(last, len(up) - 1)], 0.0)


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
    wide = patch.arch.copy()
    window = box_of(patch.arch, ARCH_ROOM_MM)
    wide[window] = ndimage.binary_dilation(patch.arch[window], iterations=ARCH_ROOM_MM)
    found = np.zeros(points.shape[:2], dtype=bool)
    for out_mm in (0.0, 1.5, 3.0):
        at = np.rint(patch.grid.to_voxel((points + out_mm * outward[None]).reshape(-1, 3))).astype(int)
        at = np.clip(at, 0, np.asarray(patch.grid.shape) - 1)
        found |= wide[tuple(at.T)].reshape(found.shape)
    return found
