"""A grid of voxels placed in the patient: shape and affine, DICOM LPS, millimetres."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wirbel.errors import GeometryError


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where voxels lie.

    `shape` is (z, y, x) in array order. `voxel_to_lps_mm` is 4 x 4 and maps an array index
    `(iz, iy, ix, 1)` to `(x, y, z, 1)` in DICOM LPS mm at the voxel's centre. After ingest the array
    axes run toward superior, posterior, left (`is_canonical`), up to an oblique remainder.
    Raises `GeometryError` for an affine that is not finite or not invertible, or an empty shape.
    """

    shape: tuple[int, int, int]
    voxel_to_lps_mm: Float64[np.ndarray, "4 4"]

    def __post_init__(self) -> None:
        affine = np.array(self.voxel_to_lps_mm, dtype=np.float64)
        if affine.shape != (4, 4) or not np.all(np.isfinite(affine)):
            raise GeometryError(f"affine must be 4 x 4 and finite, got {affine.tolist()}")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise GeometryError(f"affine must be invertible, got {affine.tolist()}")
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise GeometryError(f"grid shape must be three positive numbers, got {self.shape}")
        affine.setflags(write=False)
        object.__setattr__(self, "voxel_to_lps_mm", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @classmethod
    def axis_aligned(
        cls,
        shape: tuple[int, int, int],
        spacing_mm: tuple[float, float, float],
        origin_lps_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> "Grid":
        """A canonical grid: axes (z, y, x) toward superior, posterior, left; spacing in that order."""
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2] = spacing_mm
        affine[:3, 3] = origin_lps_mm
        affine[3, 3] = 1.0
        return cls(shape, affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbours along (z, y, x) in mm."""
        steps = np.linalg.norm(self.voxel_to_lps_mm[:3, :3], axis=0)
        return float(steps[0]), float(steps[1]), float(steps[2])

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.voxel_to_lps_mm[:3, :3])))

    @property
    def lps_mm_to_voxel(self) -> Float64[np.ndarray, "4 4"]:
        """The inverse affine: LPS mm to fractional array index."""
        return np.linalg.inv(self.voxel_to_lps_mm)

    @property
    def is_canonical(self) -> bool:
        """Whether array axes run mainly toward superior, posterior, left."""
        directions = self.voxel_to_lps_mm[:3, :3] / np.asarray(self.spacing_mm)
        main = np.argmax(np.abs(directions), axis=0)
        return tuple(main) == (2, 1, 0) and bool(np.all(directions[[2, 1, 0], [0, 1, 2]] > 0))

    def to_lps_mm(self, index_voxel: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        """Array indices (iz, iy, ix), fractional allowed, to LPS mm."""
        return index_voxel @ self.voxel_to_lps_mm[:3, :3].T + self.voxel_to_lps_mm[:3, 3]

    def to_voxel(self, points_lps_mm: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        """LPS mm to fractional array indices (iz, iy, ix)."""
        inverse = self.lps_mm_to_voxel
        return points_lps_mm @ inverse[:3, :3].T + inverse[:3, 3]

    def same_as(self, other: "Grid", *, tolerance_mm: float = 1e-3) -> bool:
        """Same shape and the same place: no corner of the two differs by more than the tolerance."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0.0, n - 1.0) for n in self.shape])).reshape(3, -1).T
        gap = self.to_lps_mm(corners) - other.to_lps_mm(corners)
        return bool(np.max(np.abs(gap)) <= tolerance_mm)

    def cropped(self, start: tuple[int, int, int], stop: tuple[int, int, int]) -> "Grid":
        """The grid of `array[start:stop]`; bounds may lie outside, then the grid is padded."""
        affine = np.array(self.voxel_to_lps_mm)
        affine[:3, 3] = self.to_lps_mm(np.array([start], dtype=np.float64))[0]
        return Grid((stop[0] - start[0], stop[1] - start[1], stop[2] - start[2]), affine)

    def respaced(self, spacing_mm: tuple[float, float, float]) -> "Grid":
        """The same field of view with another spacing, same directions, same outer faces."""
        old = np.asarray(self.spacing_mm)
        new = np.asarray(spacing_mm, dtype=np.float64)
        shape = np.maximum(1, np.round(np.asarray(self.shape) * old / new)).astype(int)
        affine = np.array(self.voxel_to_lps_mm)
        affine[:3, :3] = affine[:3, :3] / old * new
        shift_voxel = 0.5 * (new / old - 1.0)
        affine[:3, 3] = self.to_lps_mm(shift_voxel[None])[0]
        return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)
