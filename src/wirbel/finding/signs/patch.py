"""One vertebra with its surroundings, resampled along its own axes: where every sign is looked for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from wirbel.spine import Part, Spine, Vertebra
from wirbel.vertebra import Frame
from wirbel.vertebra.local import Cutout, sample
from wirbel.volume import Grid, LabelMap, Volume, freeze

#: Value outside the CT: lower than any tissue.
NO_CT_HU = -3000.0
#: Nothing imaged is below this.
IMAGED_HU = -2000.0
STEP_MM = 1.0
#: Room around the body: above and below, to the sides and in front, behind the posterior wall (canal and arch), mm.
ROOM_UP_MM, ROOM_SIDE_MM, ROOM_BACK_MM = 6.0, 19.0, 38.0


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """CT and masks on 1 mm voxels along (superior, posterior, left) of the vertebra's own frame.

    `others`: other vertebrae, ribs and the sacrum. `imaged`: inside the CT's field of view. `up_mm`,
    `posterior_mm`, `left_mm` are the voxels' places in the frame.
    """

    label: int
    rank: float
    frame: Frame
    cutout: Cutout
    grid: Grid
    hu: Float32[np.ndarray, "s p l"]
    body: Bool[np.ndarray, "s p l"]
    arch: Bool[np.ndarray, "s p l"]
    others: Bool[np.ndarray, "s p l"]
    imaged: Bool[np.ndarray, "s p l"]
    up_mm: Float64[np.ndarray, "s"]
    posterior_mm: Float64[np.ndarray, "p"]
    left_mm: Float64[np.ndarray, "l"]

    def marked(self, where: Bool[np.ndarray, "s p l"]) -> LabelMap | None:
        """The voxels as evidence, cropped to their box; None where there are none."""
        index = np.argwhere(where)
        if len(index) == 0:
            return None
        low, high = index.min(axis=0), index.max(axis=0) + 1
        a, b = (int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2]))
        part = where[a[0] : b[0], a[1] : b[1], a[2] : b[2]].astype(np.uint8)
        return LabelMap(self.grid.cropped(a, b), freeze(part))


def patch_of(ct: Volume, spine: Spine, vertebra: Vertebra, cutout: Cutout, frame: Frame, rank: float) -> Patch:
    """The patch around one vertebra."""
    at = _in_frame(cutout.surface_lps_mm, frame)
    low, high = at.min(axis=0), at.max(axis=0)
    up = np.arange(np.floor(low[0] - ROOM_UP_MM), high[0] + ROOM_UP_MM + STEP_MM, STEP_MM)
    posterior = np.arange(np.floor(low[1] - ROOM_SIDE_MM), high[1] + ROOM_BACK_MM + STEP_MM, STEP_MM)
    left = np.arange(np.floor(low[2] - ROOM_SIDE_MM), high[2] + ROOM_SIDE_MM + STEP_MM, STEP_MM)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = frame.superior, -frame.anterior, frame.left
    affine[:3, 3] = frame.origin_lps_mm + affine[:3, :3] @ np.array([up[0], posterior[0], left[0]])
    grid = Grid((len(up), len(posterior), len(left)), affine)
    index = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float64) for n in grid.shape), indexing="ij"), axis=-1)
    points = grid.to_lps_mm(index.reshape(-1, 3))
    hu = sample(ct.hu, ct.grid, points, outside=NO_CT_HU).reshape(grid.shape).astype(np.float32)
    instances, parts = (_nearest(labels, points, grid.shape) for labels in (spine.instances, spine.parts))
    own = instances == vertebra.label
    body = sample(cutout.field, cutout.grid, points, outside=0.0).reshape(grid.shape) >= 0.5
    return Patch(
        vertebra.label,
        rank,
        frame,
        cutout,
        grid,
        hu,
        body,
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


def _nearest(labels: LabelMap, points_lps_mm: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Labels of the nearest voxels; 0 outside."""
    at = np.rint(labels.grid.to_voxel(points_lps_mm)).astype(np.intp)
    inside = np.all((at >= 0) & (at < np.asarray(labels.grid.shape)), axis=1)
    out = np.zeros(len(at), dtype=np.uint8)
    out[inside] = labels.labels[tuple(at[inside].T)]
    return out.reshape(shape)
