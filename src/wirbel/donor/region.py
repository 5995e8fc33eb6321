"""A donor's vertebra with its surroundings, ready to be edited: picture, masks, own frame and endplates."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from scipy import ndimage

from wirbel.donor.grain import Grain, grain_of
from wirbel.donor.plates import Outline, Plate, plates_of
from wirbel.donor.sources import DonorCt
from wirbel.phantom.implicit import Frame, unchecked
from wirbel.phantom.morphometry import NORMS
from wirbel.spine import Level, Part
from wirbel.spine.canal import canal_seen_along
from wirbel.spine.frame import POSTERIOR_LPS, frame_at
from wirbel.volume import Grid, Volume, freeze
from wirbel.volume.resample import resample_labels, resample_volume

#: Half of the region's edge: the crop's half and what the warp moves in.
REACH_MM = 45.0
#: In the slice's plane the region has this spacing, which is the crops'.
PLANE_MM = 1.0
#: Coarse axes are cut into steps of about this.
_FINE_MM = 1.2


@unchecked
@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One vertebra's surroundings.

    `base`: the donor's CT as 1 mm in the slices, its own slices kept. `parts_of_step` cuts the base's axes into
    the working grid's. `smooth`: the base without noise on the working grid; `labels`, `parts` lie there too.
    `canal_x_mm`, `canal_width_mm`: in own coordinates.
    """

    donor: DonorCt
    level: Level
    base: Volume
    grain: Grain
    parts_of_step: tuple[int, int, int]
    grid: Grid
    smooth: Float32[np.ndarray, "z y x"]
    labels: UInt8[np.ndarray, "z y x"]
    parts: UInt8[np.ndarray, "z y x"]
    frame: Frame
    upper: Plate
    lower: Plate
    outline: Outline
    canal_width_mm: float
    disc_mm: float

    @property
    def size_ratio(self) -> float:
        """This body over the average of its level, linear."""
        norm = NORMS[self.level]
        return float(np.clip(np.sqrt(self.outline.depth_mm * self.outline.width_mm
                                     / (norm.depth_mm * norm.width_middle_mm)), 0.7, 1.4))  # fmt: skip

    @unchecked
    def coordinates(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Own coordinates (left, posterior, superior) of the working grid's voxels, float32."""
        linear = self.frame.axes.T @ self.grid.voxel_to_lps_mm[:3, :3]
        offset = self.frame.axes.T @ (self.grid.voxel_to_lps_mm[:3, 3] - self.frame.origin_lps_mm)
        k, j, i = (np.arange(n, dtype=np.float32) for n in self.grid.shape)
        x, y, z = (
            (np.float32(linear[row, 0]) * k + np.float32(offset[row]))[:, None, None]
            + (np.float32(linear[row, 1]) * j)[None, :, None]
            + (np.float32(linear[row, 2]) * i)[None, None, :]
            for row in range(3)
        )
        return x, y, z

    @unchecked
    def averaged(self, fine: np.ndarray) -> np.ndarray:
        """The working grid's values averaged over the base's voxels: its slice profile."""
        a, b, c = self.parts_of_step
        n, m, p = self.base.grid.shape
        return fine.reshape(n, a, m, b, p, c).mean(axis=(1, 3, 5))

    @unchecked
    def spread(self, coarse: np.ndarray) -> np.ndarray:
        """The base's values repeated on the working grid."""
        for axis, times in enumerate(self.parts_of_step):
            coarse = np.repeat(coarse, times, axis) if times > 1 else coarse
        return coarse


@unchecked
def region_of(source: DonorCt, level: Level) -> Region:
    """Cut a vertebra's surroundings out of a donor."""
    centre = source.centres_lps_mm[level]
    frame, canal_width = _own_frame(source, level)
    base = _base(source.ct, centre)
    cuts = tuple(max(1, round(s / _FINE_MM)) for s in base.grid.spacing_mm)
    fine_mm = tuple(s / k for s, k in zip(base.grid.spacing_mm, cuts, strict=True))
    grid = base.grid.respaced((fine_mm[0], fine_mm[1], fine_mm[2]))
    grain = grain_of(base.hu, base.grid.spacing_mm)
    labels = resample_labels(source.labels, grid).labels
    parts = resample_labels(source.parts, grid).labels
    own = source.labels.labels == int(level)
    body = own & (source.parts.labels == Part.BODY)
    points = source.labels.grid.to_lps_mm(np.argwhere(_largest(body)).astype(np.float64))
    step = float(np.mean(source.labels.grid.spacing_mm))
    upper, lower, outline = plates_of(frame.to_own(points), step)
    middle = np.array([0.5 * (outline.right_mm + outline.left_mm), 0.5 * (outline.front_mm + outline.back_mm), 0.0])
    middle[2] = 0.5 * float((upper.height(*_at(middle)) + lower.height(*_at(middle)))[0])
    frame = Frame(frame.to_lps(middle[None])[0], frame.axes)
    upper, lower, outline = plates_of(frame.to_own(points), step)
    return Region(
        source, level, base, grain, (cuts[0], cuts[1], cuts[2]), grid, _upsampled(grain.smooth, cuts),
        labels, parts, frame, upper, lower, outline, canal_width, _disc_mm(source, level),
    )  # fmt: skip


def _at(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array([point[0]], np.float32), np.array([point[1]], np.float32)


@unchecked
def _largest(mask: np.ndarray) -> np.ndarray:
    pieces, count = ndimage.label(mask)
    if count < 2:
        return mask
    return pieces == 1 + int(np.argmax(ndimage.sum_labels(mask, pieces, range(1, count + 1))))


@unchecked
def _own_frame(source: DonorCt, level: Level) -> tuple[Frame, float]:
    """The frame along the column, posterior toward the canal; and the canal's width."""
    centres = source.centres_lps_mm
    order = sorted(centres, key=lambda lv: lv.rank)
    at = order.index(level)
    above, below = order[max(at - 1, 0)], order[min(at + 1, len(order) - 1)]
    up = centres[above] - centres[below] if above is not below else np.array([0.0, 0.0, 1.0])
    seen = frame_at(centres[level], up, POSTERIOR_LPS)
    points = source.labels.grid.to_lps_mm(np.argwhere(source.labels.labels == int(level)).astype(np.float64))
    canal = canal_seen_along(seen.local_mm(points))
    width = NORMS[level].canal_width_mm
    if canal is not None:
        width = float(np.clip(2 * canal.half_width_mm, 0.7 * width, 1.4 * width))
        hole = seen.lps_mm(np.array([[0.0, canal.posterior_mm, canal.left_mm]]))[0] - centres[level]
        if abs(canal.left_mm) < 0.3 * canal.posterior_mm:
            seen = frame_at(centres[level], up, hole)
    axes = np.stack([seen.axes[2], seen.axes[1], seen.axes[0]], axis=1)
    return Frame(centres[level], axes), width


def _base(ct: Volume, centre_lps_mm: Float64[np.ndarray, "3"]) -> Volume:
    """The CT around a point: fine axes brought to 1 mm, coarse ones kept, no further than the CT goes."""
    low = np.floor(ct.grid.to_voxel((centre_lps_mm - REACH_MM)[None])[0]).astype(int)
    high = np.ceil(ct.grid.to_voxel((centre_lps_mm + REACH_MM)[None])[0]).astype(int) + 1
    low, high = np.maximum(low, 0), np.minimum(high, ct.grid.shape)
    part = ct.grid.cropped((int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))
    spacing = [max(s, PLANE_MM) if s < 0.97 * PLANE_MM else s for s in part.spacing_mm]
    grid = part.respaced((spacing[0], spacing[1], spacing[2]))
    return Volume(grid, freeze(resample_volume(ct, grid).hu.astype(np.float32)))


@unchecked
def _upsampled(values: np.ndarray, cuts: tuple[int, ...]) -> np.ndarray:
    """Cubic values on the working grid."""
    if max(cuts) == 1:
        return values
    shape = tuple(n * k for n, k in zip(values.shape, cuts, strict=True))
    matrix = np.array([1.0 / k for k in cuts])
    return ndimage.affine_transform(
        values, matrix, 0.5 * matrix - 0.5, output_shape=shape, output=np.float32, order=3, mode="nearest"
    )


def _disc_mm(source: DonorCt, level: Level) -> float:
    """About the height of the discs beside a level."""
    ratio = 1.0 if level not in NORMS else NORMS[level].disc_mm
    return float(np.clip(ratio, 3.5, 11.0))
