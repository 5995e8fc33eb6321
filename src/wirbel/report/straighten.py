"""Curved reformats through the body centres: one sagittal, one coronal view that follows the column.

Rows run from head to feet, columns toward posterior (sagittal) or toward the patient's left (coronal). Only the
other horizontal direction follows the column, so that lordosis and kyphosis stay as they are in the sagittal
view, scoliosis in the coronal one, and millimetres in the picture are millimetres in the patient.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from wirbel.spine import Part, Spine
from wirbel.volume import Grid, Volume

View = Literal["sagittal", "coronal"]

#: Mean over so many millimetres across the picture, against noise.
THICKNESS_MM = 3.0
#: Room around the outermost body centres: above and below; in front; behind; to either side.
ROOM_END_MM, ROOM_FRONT_MM, ROOM_BACK_MM, ROOM_SIDE_MM = 32.0, 62.0, 62.0, 55.0
#: As much of it as is shown even where the scan ends before: room for the names.
LEAST_FRONT_MM, LEAST_BACK_MM, LEAST_SIDE_MM = 46.0, 20.0, 32.0
#: About so many rows are sampled.
ROWS = 800
OUTSIDE_HU = -1024.0


@dataclass(frozen=True, slots=True, eq=False)
class Reformat:
    """A curved picture with the masks in it.

    `hu`, `labels` (vertebra numbers) and `body` share one shape (rows, columns) of square pixels of `pixel_mm`.
    `top_mm` is the LPS z of the uppermost row, `start_mm` the LPS y (sagittal) or x (coronal) of the first
    column. `path_lps_mm` is the column's path, one point a row. `first_slice` and `last_slice` are 0-based indices
    of the CT's slices that the picture runs through, of `slices` along array axis `slice_axis`.
    """

    view: View
    hu: Float32[np.ndarray, "rows columns"]
    labels: UInt8[np.ndarray, "rows columns"]
    body: Bool[np.ndarray, "rows columns"]
    pixel_mm: float
    top_mm: float
    start_mm: float
    path_lps_mm: Float64[np.ndarray, "rows 3"]
    slice_axis: int
    slices: int
    first_slice: int
    last_slice: int

    def place_mm(self, point_lps_mm: Float64[np.ndarray, "3"]) -> tuple[float, float]:
        """Where a point of the patient lies in the picture: millimetres from the left and from the top edge."""
        across = point_lps_mm[1] if self.view == "sagittal" else point_lps_mm[0]
        return float(across) - self.start_mm, self.top_mm - float(point_lps_mm[2])

    @property
    def width_mm(self) -> float:
        """Width of the picture."""
        return float(self.hu.shape[1] * self.pixel_mm)

    @property
    def height_mm(self) -> float:
        """Height of the picture."""
        return float(self.hu.shape[0] * self.pixel_mm)


def reformat(ct: Volume, spine: Spine, view: View, *, slice_axis: int) -> Reformat:
    """Sample CT and masks on the surface that follows the column; without vertebrae on the middle plane."""
    low, high = extent_lps_mm(ct.grid)
    centres = np.array([v.centre_lps_mm for v in spine.vertebrae], dtype=np.float64).reshape(-1, 3)
    pixel_mm = _pixel_mm(low, high, centres)
    rows_mm, columns_mm = _field(low, high, centres, view, pixel_mm)
    path = _path(centres, rows_mm, (low + high) / 2)
    across = 0 if view == "sagittal" else 1
    surface = np.empty((rows_mm.size, columns_mm.size, 3))
    surface[..., across] = path[:, across, None]
    surface[..., 1 - across] = columns_mm[None, :]
    surface[..., 2] = rows_mm[:, None]
    normal = np.zeros(3)
    normal[across] = 1.0
    in_masks = _nearest(spine.grid, surface)
    at_column = np.rint(ct.grid.to_voxel(path)[:, slice_axis])
    last = ct.grid.shape[slice_axis] - 1
    return Reformat(
        view=view,
        hu=slab(ct, surface, normal),
        labels=in_masks.of(spine.instances.labels),
        body=in_masks.of(spine.parts.labels) == Part.BODY,
        pixel_mm=pixel_mm,
        top_mm=float(rows_mm[0]) + pixel_mm / 2,
        start_mm=float(columns_mm[0]) - pixel_mm / 2,
        path_lps_mm=path,
        slice_axis=slice_axis,
        slices=last + 1,
        first_slice=int(np.clip(at_column.min(), 0, last)),
        last_slice=int(np.clip(at_column.max(), 0, last)),
    )


def slab(
    ct: Volume, surface_lps_mm: Float64[np.ndarray, "rows columns 3"], normal: Float64[np.ndarray, "3"]
) -> Float32[np.ndarray, "rows columns"]:
    """CT values on a surface, mean over `THICKNESS_MM` along the normal; air outside the scan."""
    total = np.zeros(surface_lps_mm.shape[:2], dtype=np.float32)
    steps_mm = (-THICKNESS_MM / 2, 0.0, THICKNESS_MM / 2)
    middle = np.ascontiguousarray(ct.grid.to_voxel(surface_lps_mm.reshape(-1, 3)).T)
    step = ct.grid.lps_mm_to_voxel[:3, :3] @ normal
    for step_mm in steps_mm:
        index = middle + step_mm * step[:, None]
        total += ndimage.map_coordinates(
            ct.hu, index, output=np.float32, order=1, mode="constant", cval=OUTSIDE_HU
        ).reshape(total.shape)
    return total / np.float32(len(steps_mm))


def labels_on(
    spine: Spine, surface_lps_mm: Float64[np.ndarray, "rows columns 3"]
) -> tuple[UInt8[np.ndarray, "rows columns"], Bool[np.ndarray, "rows columns"]]:
    """Vertebra numbers and where the bodies are, on a surface."""
    in_masks = _nearest(spine.grid, surface_lps_mm)
    return in_masks.of(spine.instances.labels), in_masks.of(spine.parts.labels) == Part.BODY


def extent_lps_mm(grid: Grid) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """The box around a grid's voxel centres."""
    corners = np.array(np.meshgrid(*[(0.0, n - 1.0) for n in grid.shape])).reshape(3, -1).T
    world = grid.to_lps_mm(corners)
    return world.min(axis=0), world.max(axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class _Nearest:
    """Nearest voxels of a surface and which of its points lie inside the grid."""

    index: np.ndarray
    inside: np.ndarray

    def of(self, values: np.ndarray) -> np.ndarray:
        """Values at the nearest voxels, 0 outside."""
        found = values[self.index[..., 0], self.index[..., 1], self.index[..., 2]]
        return np.where(self.inside, found, 0).astype(values.dtype)


def _nearest(grid: Grid, surface_lps_mm: np.ndarray) -> _Nearest:
    index = np.rint(grid.to_voxel(surface_lps_mm.reshape(-1, 3))).astype(np.intp).reshape(surface_lps_mm.shape)
    limit = np.asarray(grid.shape) - 1
    inside = np.all((index >= 0) & (index <= limit), axis=-1)
    return _Nearest(np.clip(index, 0, limit), inside)


def _pixel_mm(low: np.ndarray, high: np.ndarray, centres: np.ndarray) -> float:
    """Fine enough for the sheet: a short column gets smaller pixels than a long one."""
    tall_mm = float(np.ptp(centres[:, 2])) + 2 * ROOM_END_MM if centres.size else float(high[2] - low[2])
    return float(np.clip(tall_mm / ROWS, 0.4, 0.8))


def _field(
    low: np.ndarray, high: np.ndarray, centres: np.ndarray, view: View, pixel_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Row positions (z, from above) and column positions (y or x) in LPS mm."""
    along = 1 if view == "sagittal" else 0
    before, behind = (ROOM_FRONT_MM, ROOM_BACK_MM) if view == "sagittal" else (ROOM_SIDE_MM, ROOM_SIDE_MM)
    least = (LEAST_FRONT_MM, LEAST_BACK_MM) if view == "sagittal" else (LEAST_SIDE_MM, LEAST_SIDE_MM)
    points = centres if centres.size else ((low + high) / 2)[None]
    room_end = ROOM_END_MM if centres.size else float(high[2] - low[2])
    top = min(high[2], points[:, 2].max() + room_end)
    bottom = max(low[2], points[:, 2].min() - room_end)
    first, last = points[:, along].min(), points[:, along].max()
    start = min(max(low[along], first - before), first - least[0])
    stop = max(min(high[along], last + behind), last + least[1])
    rows = np.arange(top, bottom - pixel_mm / 2, -pixel_mm)
    columns = np.arange(start, stop + pixel_mm / 2, pixel_mm)
    return (rows if rows.size else np.array([top])), (columns if columns.size else np.array([start]))


def _path(centres: np.ndarray, rows_mm: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """The column's x and y at every row: smooth through the centres, straight on beyond the outermost ones."""
    path = np.empty((rows_mm.size, 3))
    path[:, 2] = rows_mm
    if not len(centres):
        path[:, :2] = middle[:2]
        return path
    order = np.argsort(centres[:, 2])
    z, keep = np.unique(np.round(centres[order, 2], 3), return_index=True)
    xy = centres[order][keep, :2]
    if z.size == 1:
        path[:, :2] = xy[0]
        return path
    path[:, :2] = PchipInterpolator(z, xy, axis=0)(np.clip(rows_mm, z[0], z[-1]))
    return path
