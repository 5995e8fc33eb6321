"""A vertebra cut out of its column: cropped masks, and sampling in its own axes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage

from wirbel.spine import Part, Spine
from wirbel.vertebra.measures import Frame
from wirbel.volume import Grid

#: Room kept around a vertebra's box, mm: the neighbours' endplates lie in it.
MARGIN_MM = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """Body and posterior elements of one vertebra on the masks' grid, cropped to its box.

    `others`: other vertebrae and the sacrum. `field` is the body smoothed; its 0.5 level is the surface.
    """

    label: int
    grid: Grid
    body: Bool[np.ndarray, "z y x"]
    posterior: Bool[np.ndarray, "z y x"]
    others: Bool[np.ndarray, "z y x"]
    field: Float32[np.ndarray, "z y x"]

    @property
    def surface_lps_mm(self) -> Float64[np.ndarray, "n 3"]:
        """Centres of the body's outermost voxels."""
        rim = self.body & ~ndimage.binary_erosion(self.body)
        return self.grid.to_lps_mm(np.argwhere(rim).astype(np.float64))

    @property
    def centre_lps_mm(self) -> Float64[np.ndarray, "3"]:
        """Centroid of the body."""
        return self._centroid(self.body)

    @property
    def posterior_centre_lps_mm(self) -> Float64[np.ndarray, "3"]:
        """Centroid of the posterior elements."""
        return self._centroid(self.posterior)

    def _centroid(self, mask: Bool[np.ndarray, "z y x"]) -> Float64[np.ndarray, "3"]:
        middle = np.argwhere(mask).mean(axis=0, dtype=np.float64)
        return self.grid.to_lps_mm(middle[None])[0]


def cutouts(spine: Spine) -> dict[int, Cutout]:
    """One cutout per label that has a body; labels without one are missing. One pass over the volume."""
    boxes = ndimage.find_objects(spine.instances.labels)
    room = [int(np.ceil(MARGIN_MM / step)) for step in spine.grid.spacing_mm]
    found: dict[int, Cutout] = {}
    for vertebra in spine.vertebrae:
        box = boxes[vertebra.label - 1] if vertebra.label <= len(boxes) else None
        if box is None:
            continue
        start = tuple(int(s.start) - r for s, r in zip(box, room, strict=True))
        stop = tuple(int(s.stop) + r for s, r in zip(box, room, strict=True))
        low = tuple(max(0, a) for a in start)
        high = tuple(min(n, b) for n, b in zip(spine.grid.shape, stop, strict=True))
        window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        labels = spine.instances.labels[window]
        own = labels == vertebra.label
        body = _largest_part(own & (spine.parts.labels[window] == Part.BODY))
        if not body.any():
            continue
        found[vertebra.label] = Cutout(
            vertebra.label,
            spine.grid.cropped((low[0], low[1], low[2]), (high[0], high[1], high[2])),
            body,
            own & (spine.parts.labels[window] == Part.POSTERIOR),
            ((labels != 0) & ~own) | (spine.parts.labels[window] == Part.SACRUM),
            _smooth(body, spine.grid),
        )
    return found


def _largest_part(mask: Bool[np.ndarray, "z y x"]) -> Bool[np.ndarray, "z y x"]:
    """The largest connected part: specks that a segmenter left elsewhere are no body."""
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    return parts == 1 + int(np.argmax(ndimage.sum_labels(mask, parts, range(1, count + 1))))


def _smooth(body: Bool[np.ndarray, "z y x"], grid: Grid) -> Float32[np.ndarray, "z y x"]:
    """The body as a smooth field whose 0.5 level is its surface, below voxel size."""
    sigma = [0.7 * min(1.0, 1.5 / step) for step in grid.spacing_mm]
    field: np.ndarray = ndimage.gaussian_filter(body.astype(np.float32), sigma, mode="nearest")
    return field


def sample(
    values: np.ndarray, grid: Grid, points_lps_mm: Float64[np.ndarray, "*n 3"], *, outside: float
) -> Float64[np.ndarray, "*n"]:
    """Trilinear values at points; `outside` beyond the outermost voxel centres."""
    index = grid.to_voxel(points_lps_mm.reshape(-1, 3)).T
    low = np.maximum(np.floor(index.min(axis=1)).astype(int), 0)
    high = np.minimum(np.ceil(index.max(axis=1)).astype(int) + 1, grid.shape)
    if np.any(high <= low):
        return np.full(points_lps_mm.shape[:-1], outside)
    part = np.asarray(values[low[0] : high[0], low[1] : high[1], low[2] : high[2]], dtype=np.float64)
    flat = ndimage.map_coordinates(part, index - low[:, None], order=1, mode="constant", cval=outside)
    return flat.reshape(points_lps_mm.shape[:-1])


def in_frame(
    frame: Frame,
    left_mm: Float64[np.ndarray, "*n"],
    anterior_mm: Float64[np.ndarray, "*n"],
    superior_mm: Float64[np.ndarray, "*n"],
) -> Float64[np.ndarray, "*n 3"]:
    """Points of a vertebra's own frame in LPS mm."""
    return (
        frame.origin_lps_mm
        + left_mm[..., None] * frame.left
        + anterior_mm[..., None] * frame.anterior
        + superior_mm[..., None] * frame.superior
    )


def frame_of(
    origin_lps_mm: Float64[np.ndarray, "3"],
    superior: Float64[np.ndarray, "3"],
    anterior: Float64[np.ndarray, "3"],
) -> Frame:
    """A right-handed frame: superior is kept, anterior made perpendicular to it."""
    up = superior / np.linalg.norm(superior)
    front = anterior - (anterior @ up) * up
    front = front / np.linalg.norm(front)
    return Frame(origin_lps_mm, up, front, np.cross(up, front))
