"""Solids as functions of depth below their surface, evaluated only in the box of voxels they touch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from wirbel.volume import Grid

#: Coordinates (left, posterior, superior) in a solid's own frame, broadcastable, to depth in mm (> 0 inside).
Depth = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

#: The two radii of an elliptic section, mm.
Radii = tuple[float | int, float | int]


_T = TypeVar("_T")


def unchecked(thing: _T) -> _T:
    """Leave a function or class that runs thousands of times a person out of the tests' run-time type checks."""
    setattr(thing, "__no_type_check__", True)  # noqa: B010  # mypy knows no such attribute
    return thing


@unchecked
@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Axes of a solid: columns of `axes` are its x (left), y (posterior), z (superior) in LPS."""

    origin_lps_mm: np.ndarray
    axes: np.ndarray

    @unchecked
    def to_lps(self, points: np.ndarray) -> np.ndarray:
        """Own coordinates to LPS mm."""
        return np.asarray(points) @ self.axes.T + self.origin_lps_mm

    @unchecked
    def to_own(self, points_lps_mm: np.ndarray) -> np.ndarray:
        """LPS mm to own coordinates."""
        return (np.asarray(points_lps_mm) - self.origin_lps_mm) @ self.axes


WORLD = Frame(np.zeros(3), np.eye(3))


@unchecked
@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A depth function within the box [low, high] of a frame."""

    frame: Frame
    low: np.ndarray
    high: np.ndarray
    depth: Depth


Box = tuple[slice, slice, slice]


@unchecked
def box_of(grid: Grid, frame: Frame, low: np.ndarray, high: np.ndarray, *, margin_mm: float = 0.0) -> Box | None:
    """The voxels of the grid that the box can touch, or None."""
    middle = grid.to_voxel(frame.to_lps(0.5 * (low + high)[None]))[0]
    linear = np.abs(grid.lps_mm_to_voxel[:3, :3] @ frame.axes)
    reach = linear @ (0.5 * (high - low) + margin_mm)
    start = np.maximum(np.floor(middle - reach).astype(int), 0)
    stop = np.minimum(np.ceil(middle + reach).astype(int) + 1, grid.shape)
    if np.any(start >= stop):
        return None
    return slice(start[0], stop[0]), slice(start[1], stop[1]), slice(start[2], stop[2])


@unchecked
def coordinates(grid: Grid, box: Box, frame: Frame = WORLD) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Own coordinates of the box's voxels as float32, of the smallest shapes that broadcast together."""
    linear = frame.axes.T @ grid.voxel_to_lps_mm[:3, :3]
    offset = frame.axes.T @ (grid.voxel_to_lps_mm[:3, 3] - frame.origin_lps_mm)
    steps = [np.arange(s.start, s.stop, dtype=np.float64) for s in box]
    shapes = [(-1, 1, 1), (1, -1, 1), (1, 1, -1)]
    out = []
    for row in range(3):
        total = np.full((1, 1, 1), offset[row])
        for axis in range(3):
            if abs(linear[row, axis]) > 1e-9:
                total = total + (linear[row, axis] * steps[axis]).reshape(shapes[axis])
        out.append(total.astype(np.float32))
    return out[0], out[1], out[2]


@unchecked
def bar(
    start: np.ndarray,
    end: np.ndarray,
    radii_start: Radii,
    radii_end: Radii,
    flat: np.ndarray | None = None,
) -> Solid:
    """A rod from start to end of elliptic section, capped round; `flat` is the direction of the first radius.

    Points and directions are in the frame the solid is to be placed in (see `placed`).
    """
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(end - start))
    z = (end - start) / max(length, 1e-6)
    hint = np.array([1.0, 0.0, 0.0]) if flat is None else np.asarray(flat, float)
    if abs(hint @ z) > 0.95 * np.linalg.norm(hint):
        hint = np.array([0.0, 1.0, 0.0]) if abs(z[1]) < 0.9 else np.array([0.0, 0.0, 1.0])
    x = hint - (hint @ z) * z
    x /= np.linalg.norm(x)
    frame = Frame(start, np.stack([x, np.cross(z, x), z], axis=1))
    (ax, ay), (bx, by) = radii_start, radii_end
    cap = min(max(min(ax, ay), min(bx, by)), length + 1e-3)

    sizes = np.array([ax, ay, bx - ax, by - ay, max(length, 1e-6), cap], np.float32)
    depth = partial(_bar_depth, sizes)
    wide = np.array([max(ax, bx), max(ay, by), cap])
    return Solid(frame, -wide, np.array([wide[0], wide[1], length + cap]), depth)


@unchecked
def ellipsoid(centre: np.ndarray, radii: Sequence[float | int], axes: np.ndarray | None = None) -> Solid:
    """An ellipsoid; depth is exact near the surface of a sphere, else approximate."""
    r = np.asarray(radii, float)

    depth = partial(_ellipsoid_depth, r.astype(np.float32))
    return Solid(Frame(np.asarray(centre, float), np.eye(3) if axes is None else axes), -r, r, depth)


@unchecked
def _bar_depth(sizes: np.ndarray, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
    ax, ay, dx, dy, length, cap = sizes
    t = np.clip(w / length, 0, 1)
    rx, ry = ax + dx * t, ay + dy * t
    beyond = (w - t * length) / cap
    q = np.sqrt((u / rx) ** 2 + (v / ry) ** 2 + beyond**2)
    return (1 - q) * np.minimum(rx, ry)


@unchecked
def _ellipsoid_depth(radii: np.ndarray, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
    q = np.sqrt((u / radii[0]) ** 2 + (v / radii[1]) ** 2 + (w / radii[2]) ** 2)
    return (1 - q) * radii.min()


@unchecked
def placed(solid: Solid, frame: Frame) -> Solid:
    """A solid given in `frame`'s coordinates, moved into the world."""
    own = solid.frame
    return Solid(Frame(frame.to_lps(own.origin_lps_mm), frame.axes @ own.axes), solid.low, solid.high, solid.depth)


def rod(points: np.ndarray, radii: Sequence[Radii], flats: np.ndarray | None = None) -> list[Solid]:
    """Bars along a polyline; `flats` gives the direction of the first radius at each segment."""
    return [
        bar(points[k], points[k + 1], radii[k], radii[k + 1], None if flats is None else flats[k])
        for k in range(len(points) - 1)
    ]
