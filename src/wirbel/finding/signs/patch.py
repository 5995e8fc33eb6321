"""One vertebra with its surroundings, resampled along its own axes: where every sign is looked for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage

from wirbel.spine import Part, Spine
from wirbel.vertebra import Frame
from wirbel.vertebra.local import Cutout
from wirbel.volume import Grid, LabelMap, Volume, freeze

#: Value outside the CT: lower than any tissue.
NO_CT_HU = -3000.0
#: Nothing imaged is below this.
IMAGED_HU = -2000.0
STEP_MM = 1.0


@dataclass(frozen=True, slots=True)
class Room:
    """Room around the body: above and below, to the sides and in front, behind its posterior wall, mm."""

    up_mm: float = 6.0
    side_mm: float = 19.0
    back_mm: float = 38.0


#: For a vertebra that is read, and for one that only serves as reference: no picture is made of it.
WIDE, CLOSE = Room(), Room(up_mm=3.0, side_mm=14.0, back_mm=32.0)


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """CT and masks on 1 mm voxels along (superior, posterior, left) of the vertebra's own frame.

    `field`: the smoothed body, its surface at 0.5. `depth_mm`: distance of the body's voxels from its surface, 0
    outside it. `others`: other vertebrae, ribs and the sacrum. `imaged`: inside the CT's field of view. `up_mm`,
    `posterior_mm`, `left_mm` are the voxels' places in the frame.
    """

    label: int
    rank: float
    frame: Frame
    cutout: Cutout
    grid: Grid
    hu: Float32[np.ndarray, "s p l"]
    field: Float32[np.ndarray, "s p l"]
    body: Bool[np.ndarray, "s p l"]
    depth_mm: Float32[np.ndarray, "s p l"]
    arch: Bool[np.ndarray, "s p l"]
    others: Bool[np.ndarray, "s p l"]
    imaged: Bool[np.ndarray, "s p l"]
    up_mm: Float64[np.ndarray, "s"]
    posterior_mm: Float64[np.ndarray, "p"]
    left_mm: Float64[np.ndarray, "l"]

    def marked(self, where: Bool[np.ndarray, "s p l"]) -> LabelMap | None:
        """The voxels as evidence, cropped to their box; None where there are none."""
        window = box_of(where)
        part = where[window].astype(np.uint8)
        if part.size == 0:
            return None
        low, high = ([getattr(s, end) for s in window] for end in ("start", "stop"))
        a, b = (low[0], low[1], low[2]), (high[0], high[1], high[2])
        return LabelMap(self.grid.cropped(a, b), freeze(part))


def patch_of(ct: Volume, spine: Spine, cutout: Cutout, frame: Frame, rank: float, room: Room = WIDE) -> Patch:
    """The patch around one vertebra."""
    at = _in_frame(cutout.surface_lps_mm, frame)
    low, high = at.min(axis=0), at.max(axis=0)
    up = np.arange(np.floor(low[0] - room.up_mm), high[0] + room.up_mm + STEP_MM, STEP_MM)
    posterior = np.arange(np.floor(low[1] - room.side_mm), high[1] + room.back_mm + STEP_MM, STEP_MM)
    left = np.arange(np.floor(low[2] - room.side_mm), high[2] + room.side_mm + STEP_MM, STEP_MM)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = frame.superior, -frame.anterior, frame.left
    affine[:3, 3] = frame.origin_lps_mm + affine[:3, :3] @ np.array([up[0], posterior[0], left[0]])
    grid = Grid((len(up), len(posterior), len(left)), affine)
    hu = _resampled(ct.hu, ct.grid, grid, outside=NO_CT_HU)
    instances, parts = _labels(spine, grid)
    own = instances == cutout.label
    field = _field(cutout, grid, [up, posterior, left], low, high)
    body = field >= 0.5
    return Patch(
        cutout.label,
        rank,
        frame,
        cutout,
        grid,
        hu,
        field,
        body,
        _depth_mm(body),
        own & (parts != Part.BODY) & ~body,
        ((instances != 0) & ~own) | np.isin(parts, (Part.SACRUM, Part.RIB)),
        hu > IMAGED_HU,
        up,
        posterior,
        left,
    )


def _in_frame(points_lps_mm: Float64[np.ndarray, "n 3"], frame: Frame) -> Float64[np.ndarray, "n 3"]:
    """(superior, posterior, left) of points."""
    arm = points_lps_mm - frame.origin_lps_mm
    return np.stack([arm @ frame.superior, -(arm @ frame.anterior), arm @ frame.left], axis=1)


def box_of(where: Bool[np.ndarray, "s p l"], room: int = 0) -> tuple[slice, slice, slice]:
    """The window that holds all of it, with room around where the array has any; empty where there is nothing."""
    plane = np.any(where, axis=0)
    bounds = []
    each = (np.any(where.reshape(len(where), -1), axis=1), np.any(plane, axis=1), np.any(plane, axis=0))
    for seen in (np.asarray(one) for one in each):
        at = np.flatnonzero(seen)
        low, high = (int(at[0]) - room, int(at[-1]) + 1 + room) if len(at) else (0, 0)
        bounds.append(slice(max(0, low), min(len(seen), high)))
    return bounds[0], bounds[1], bounds[2]


def _labels(spine: Spine, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Instances and parts of the nearest voxels; 0 outside."""
    instances, between, offset = _part_of(spine.instances.labels, spine.grid, grid)
    parts, _, _ = _part_of(spine.parts.labels, spine.grid, grid)
    # both in one array: they are looked up together
    found = np.zeros(grid.shape, dtype=np.uint16)
    if instances.size:
        pair = instances.astype(np.uint16) * 256 + parts
        ndimage.affine_transform(pair, between, offset, output=found, order=0, mode="grid-constant")
    return (found >> 8).astype(np.uint8), (found & 255).astype(np.uint8)


def _field(
    cutout: Cutout, grid: Grid, axes: list[np.ndarray], low: np.ndarray, high: np.ndarray
) -> Float32[np.ndarray, "s p l"]:
    """The body's field, 0 beyond 3 mm from its box."""
    first = [int(np.searchsorted(axis, a - 3.0)) for axis, a in zip(axes, low, strict=True)]
    last = [int(np.searchsorted(axis, b + 3.0)) for axis, b in zip(axes, high, strict=True)]
    out = np.zeros(grid.shape, dtype=np.float32)
    window = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    inner = grid.cropped((first[0], first[1], first[2]), (last[0], last[1], last[2]))
    out[window] = _resampled(cutout.field, cutout.grid, inner, outside=0.0)
    return out


def _depth_mm(body: Bool[np.ndarray, "s p l"]) -> Float32[np.ndarray, "s p l"]:
    """Distance from the surface, counted in the body's own window."""
    out = np.zeros(body.shape, dtype=np.float32)
    if body.any():
        window = box_of(body, 1)
        out[window] = ndimage.distance_transform_edt(body[window])
    return out


def _resampled(
    values: np.ndarray, source: Grid, target: Grid, *, outside: float
) -> Float32[np.ndarray, "s p l"]:
    """Trilinear values on another grid."""
    part, between, offset = _part_of(values, source, target)
    if part.size == 0:
        return np.full(target.shape, outside, dtype=np.float32)
    out: Float32[np.ndarray, "s p l"] = np.empty(target.shape, dtype=np.float32)
    ndimage.affine_transform(part, between, offset, output=out, order=1, mode="constant", cval=outside)
    return out


def _part_of(values: np.ndarray, source: Grid, target: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of an array that a grid touches, and the way from the grid's voxels to the part's."""
    between = source.lps_mm_to_voxel @ target.voxel_to_lps_mm
    low, high = _reach(between, target.shape, values.shape)
    window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return values[window], between[:3, :3], between[:3, 3] - low


def _reach(
    between: Float64[np.ndarray, "4 4"], shape: tuple[int, ...], size: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The part of an array that a grid touches; where that ends inside the array nothing else is asked for."""
    corners = np.stack(np.meshgrid(*[(0.0, n - 1.0) for n in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    at = corners @ between[:3, :3].T + between[:3, 3]
    low = np.clip(np.floor(at.min(axis=0)).astype(int) - 1, 0, size)
    high = np.clip(np.ceil(at.max(axis=0)).astype(int) + 2, 0, size)
    return low, np.maximum(high, low)
