"""The two endplates of a body as height fields over its own axes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.vertebra.local import Cutout, in_frame, sample
from wirbel.vertebra.measures import Frame

#: Left out all around when a plane is laid through an endplate: rims, and walls that lean (mm).
RIM_MM = 2.5
LEAST_COLUMNS = 12
#: Room around the body in the sampled box, mm.
ROOM_MM = 2.0


@dataclass(frozen=True, slots=True)
class Raster:
    """Spacing of the columns and of the points along them, mm."""

    lattice_mm: float
    step_mm: float


#: For turning the frame, and for the answer.
ROUGH = Raster(2.0, 1.0)
FINE = Raster(1.0, 0.5)
LATTICE_MM = FINE.lattice_mm


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """Upper and lower endplate in the frame, mm along `superior`, over a lattice (left, anterior).

    `inside` is the waist: columns that are bone at mid-height. Lips and osteophytes stand beyond it and are
    therefore left out. Outside it the heights are 0 and mean nothing.
    """

    frame: Frame
    left_mm: Float64[np.ndarray, "u"]
    anterior_mm: Float64[np.ndarray, "v"]
    upper_mm: Float64[np.ndarray, "u v"]
    lower_mm: Float64[np.ndarray, "u v"]
    inside: Bool[np.ndarray, "u v"]

    @property
    def lattice_mm(self) -> float:
        """Spacing of the columns."""
        return float(self.left_mm[1] - self.left_mm[0])


@dataclass(frozen=True, slots=True)
class Plane:
    """An endplate's plane: height = `left` * u + `anterior` * v + `at_mm`."""

    left: float
    anterior: float
    at_mm: float


def surfaces_of(cutout: Cutout, frame: Frame, raster: Raster = FINE) -> Surfaces:
    """Both endplates of the mask, to a fraction of a voxel (0.5 level of the smoothed mask)."""
    arm = cutout.surface_lps_mm - frame.origin_lps_mm
    left, anterior, superior = (
        _axis(arm @ axis, step)
        for axis, step in (
            (frame.left, raster.lattice_mm),
            (frame.anterior, raster.lattice_mm),
            (frame.superior, raster.step_mm),
        )
    )
    u, v, w = np.meshgrid(left, anterior, superior, indexing="ij")
    field = sample(cutout.field, cutout.grid, in_frame(frame, u, v, w), outside=0.0)
    middle = len(superior) // 2
    upper, top_found = _first_exit(field[..., middle:])
    lower, bottom_found = _first_exit(field[..., middle::-1])
    inside = top_found & bottom_found & (field[..., middle] >= 0.5)
    inside = _one_piece(inside)
    return Surfaces(
        frame,
        left,
        anterior,
        np.where(inside, superior[middle] + upper * raster.step_mm, 0.0),
        np.where(inside, superior[middle] - lower * raster.step_mm, 0.0),
        inside,
    )


def _axis(reach_mm: Float64[np.ndarray, "n"], step_mm: float) -> Float64[np.ndarray, "k"]:
    """Places at equal steps on both sides of 0, as far as the body reaches."""
    half = np.ceil((float(np.abs(reach_mm).max()) + ROOM_MM) / step_mm)
    return np.arange(-half, half + 1.0) * step_mm


def _first_exit(field: Float64[np.ndarray, "u v w"]) -> tuple[Float64[np.ndarray, "u v"], Bool[np.ndarray, "u v"]]:
    """How many steps until the field first falls below 0.5, and whether it does."""
    out = field < 0.5
    first = np.argmax(out, axis=-1)
    found = out.any(axis=-1) & (first > 0)
    before = np.take_along_axis(field, np.maximum(first - 1, 0)[..., None], axis=-1)[..., 0]
    after = np.take_along_axis(field, first[..., None], axis=-1)[..., 0]
    fall = np.where(found, before - after, 1.0)
    return np.where(found, first - 1 + (before - 0.5) / np.where(fall > 0, fall, 1.0), 0.0), found


def _one_piece(mask: Bool[np.ndarray, "u v"]) -> Bool[np.ndarray, "u v"]:
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    return parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))


def core(surfaces: Surfaces) -> Bool[np.ndarray, "u v"]:
    """The waist without its rim, or all of it where too little would be left to lay a plane through."""
    away = ndimage.distance_transform_edt(np.pad(surfaces.inside, 1))[1:-1, 1:-1] * surfaces.lattice_mm
    inner = surfaces.inside & (away > RIM_MM)
    return inner if inner.sum() >= LEAST_COLUMNS else surfaces.inside


def plane_of(surfaces: Surfaces, height_mm: Float64[np.ndarray, "u v"], where: Bool[np.ndarray, "u v"]) -> Plane:
    """Robust plane through an endplate (Tukey's biweight, ten rounds): pits and spurs have no weight."""
    u, v = np.meshgrid(surfaces.left_mm, surfaces.anterior_mm, indexing="ij")
    design = np.stack([u[where], v[where], np.ones(int(where.sum()))], axis=1)
    target = height_mm[where]
    weight = np.ones(len(target))
    answer = np.zeros(3)
    for _ in range(10):
        root = np.sqrt(weight)
        answer = np.linalg.lstsq(design * root[:, None], target * root, rcond=None)[0]
        off = np.abs(target - design @ answer)
        scale = max(1.4826 * float(np.median(off)), 0.3)
        weight = np.clip(1.0 - (off / (4.685 * scale)) ** 2, 0.0, 1.0) ** 2
    return Plane(float(answer[0]), float(answer[1]), float(answer[2]))
