"""The two endplates of a real body in its own frame, as a plane and what departs from it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import ndimage

from wirbel.errors import InputRejected
from wirbel.phantom.implicit import unchecked

#: A column of the body's mask counts when it has this share of the median column's height.
_WHOLE_COLUMN = 0.55
_SMOOTH_MM = 1.5
_LEAST_COLUMNS = 60


@unchecked
@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """Height over (x left, y posterior) in mm: `at` + `slope_x` x + `slope_y` y + `rest`.

    `rest` lies on a lattice of 1 mm whose first node is at `corner_mm`; it fades to 0 outside the body's outline.
    """

    at: float
    slope_x: float
    slope_y: float
    rest: Float32[np.ndarray, "y x"]
    corner_mm: tuple[float, float]

    @unchecked
    def height(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The plate's height at points."""
        index = np.stack([y - np.float32(self.corner_mm[0]), x - np.float32(self.corner_mm[1])])
        rest = ndimage.map_coordinates(self.rest, index, order=1, mode="nearest")
        return (np.float32(self.at) + np.float32(self.slope_x) * x + np.float32(self.slope_y) * y + rest).astype(
            np.float32
        )


@unchecked
@dataclass(frozen=True, slots=True)
class Outline:
    """A body seen along its axis: walls in the midline (y) and at mid-depth (x), mm."""

    front_mm: float
    back_mm: float
    right_mm: float
    left_mm: float

    @property
    def depth_mm(self) -> float:
        """Front to back."""
        return self.back_mm - self.front_mm

    @property
    def width_mm(self) -> float:
        """Side to side."""
        return self.left_mm - self.right_mm


@unchecked
def plates_of(own_mm: Float64[np.ndarray, "n 3"], step_mm: float) -> tuple[Plate, Plate, Outline]:
    """Upper and lower plate and the outline of a body given by its voxels (x, y, z) in own coordinates."""
    corner = np.floor(own_mm[:, :2].min(axis=0)) - 6.0
    # ties go one way: columns half-way between two nodes must not fall to the even ones
    cells = np.floor(own_mm[:, :2] - corner + 0.5 + 1e-6).astype(int)
    shape = cells.max(axis=0) + 7
    flat = cells[:, 0] * shape[1] + cells[:, 1]
    top, bottom = np.full(shape.prod(), -np.inf), np.full(shape.prod(), np.inf)
    np.maximum.at(top, flat, own_mm[:, 2] + 0.5 * step_mm)
    np.minimum.at(bottom, flat, own_mm[:, 2] - 0.5 * step_mm)
    top, bottom = top.reshape(shape).T, bottom.reshape(shape).T
    tall = np.where(np.isfinite(top), top - bottom, 0.0)
    whole = tall > _WHOLE_COLUMN * np.median(tall[tall > 0])
    whole = ndimage.binary_opening(whole, iterations=1)
    if whole.sum() < _LEAST_COLUMNS:
        raise InputRejected(f"{int(whole.sum())} whole columns between the endplates: the mask holds no body")
    y, x = np.nonzero(whole)
    x_mm, y_mm = x + corner[0], y + corner[1]
    at = (float(corner[1]), float(corner[0]))
    plates = tuple(_plate(np.where(whole, surface, 0.0), whole, x_mm, y_mm, at) for surface in (top, bottom))
    middle_x, middle_y = float(np.median(x_mm)), float(np.median(y_mm))
    line, across = np.abs(x_mm - middle_x) < 3, np.abs(y_mm - middle_y) < 3
    outline = Outline(
        float(y_mm[line].min()) - 0.5,
        float(y_mm[line].max()) + 0.5,
        float(x_mm[across].min()) - 0.5,
        float(x_mm[across].max()) + 0.5,
    )
    return plates[0], plates[1], outline


@unchecked
def _plate(
    surface: np.ndarray, whole: np.ndarray, x_mm: np.ndarray, y_mm: np.ndarray, corner: tuple[float, float]
) -> Plate:
    """A plane through the plate, twice without what lies far from it, and the smoothed rest."""
    z = surface[whole]
    matrix = np.stack([np.ones_like(x_mm), x_mm, y_mm], axis=1)
    keep = np.ones(len(z), bool)
    for _ in range(3):
        plane, *_ = np.linalg.lstsq(matrix[keep], z[keep], rcond=None)
        away = np.abs(z - matrix @ plane)
        keep = away < max(2.5, 2.0 * float(np.median(away)))
    rest = np.zeros_like(surface)
    rest[whole] = np.clip(z - matrix @ plane, -6, 6)
    weight = ndimage.gaussian_filter(whole.astype(float), _SMOOTH_MM)
    rest = ndimage.gaussian_filter(rest, _SMOOTH_MM) / np.maximum(weight, 0.25)
    return Plate(float(plane[0]), float(plane[1]), float(plane[2]), rest.astype(np.float32), corner)
