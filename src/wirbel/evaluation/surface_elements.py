"""The surface of a mask as small elements: one for each 2 x 2 (x 2) neighbourhood that is neither full nor empty.

The elements are those of marching cubes on a binary mask, every crossing in the middle of its edge, as in
DeepMind's surface-distance (Nikolov et al., J Med Internet Res 2021;23:e26151). The areas are not read from a
table but derived: on each face of the cell the crossings are joined, the segments close to loops, the loops are
cut into triangles.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """Centres (n, axes) in mm, on the grid of cell corners, and sizes: areas in mm^2, or lengths in mm in 2D."""

    points_mm: Floats
    sizes: Floats


def surface_elements(
    mask: Mask, spacing_mm: tuple[float, ...], *, origin: tuple[int, ...] | None = None
) -> Elements:
    """Elements of a 2D or 3D mask; `origin` is the index of its first voxel where the mask is a crop."""
    axes = mask.ndim
    start = np.zeros(axes) if origin is None else np.asarray(origin, dtype=np.float64)
    code = neighbourhood_codes(mask)
    where = np.nonzero((code != 0) & (code != 2 ** (2**axes) - 1))
    sizes = _areas(spacing_mm) if axes == 3 else _lengths(spacing_mm)
    points = (np.stack(where, axis=1) - 0.5 + start) * np.asarray(spacing_mm)
    return Elements(points, sizes[code[where]])


def neighbourhood_codes(mask: Mask) -> npt.NDArray[np.uint8]:
    """For every corner between voxels (one more than voxels along each axis) which of its neighbours are inside:
    bit number = 4 i + 2 j + k (2 i + j in 2D)."""
    padded = np.pad(mask, 1).astype(np.uint8)
    shape = tuple(n + 1 for n in mask.shape)
    code = np.zeros(shape, dtype=np.uint8)
    for bit, offset in enumerate(product((0, 1), repeat=mask.ndim)):
        part = padded[tuple(slice(o, o + n) for o, n in zip(offset, shape, strict=True))]
        code |= part << np.uint8(bit)
    return code


@cache
def _lengths(spacing_mm: tuple[float, ...]) -> Floats:
    """Contour length in a cell of four pixels, by code."""
    first, second = spacing_mm
    diagonal = 0.5 * float(np.hypot(first, second))
    out = np.zeros(16)
    for code in range(1, 15):
        inside = [(code >> (2 * i + j)) & 1 for i, j in product((0, 1), repeat=2)]
        if sum(inside) in (1, 3):
            out[code] = diagonal
        elif inside[0] == inside[3]:
            out[code] = 2 * diagonal
        else:
            out[code] = second if inside[0] == inside[1] else first
    return out


@cache
def _areas(spacing_mm: tuple[float, ...]) -> Floats:
    """Surface area in a cell of eight voxels, by code."""
    a, b, c = spacing_mm
    scale = np.array([b * c, a * c, a * b])
    out = np.zeros(256)
    for code in range(1, 255):
        out[code] = sum(float(np.linalg.norm(normal * scale)) for normal in _triangle_normals(code))
    return out


def _triangle_normals(code: int) -> list[Floats]:
    """Area vectors (unit spacing) of the triangles in a cell; a cell more than half full has its complement's."""
    if bin(code).count("1") > 4:
        code = 255 - code
    return [normal for loop in _loops(code) for normal in _widest_fan([np.array(p) for p in loop])]


def _widest_fan(points: list[Floats]) -> list[Floats]:
    """Triangles from one corner of a loop to all others: from the corner that gives the largest area, as in the
    published table (a loop of more than four corners is not flat)."""
    fans = []
    for start in range(len(points)):
        ring = points[start:] + points[:start]
        spokes = [p - ring[0] for p in ring[1:]]
        fans.append([np.cross(p, q) / 2 for p, q in pairwise(spokes)])
    return max(fans, key=lambda fan: round(sum(float(np.linalg.norm(n)) for n in fan), 9))


def _loops(code: int) -> list[list[Point]]:
    """Closed loops of edge midpoints around the inside corners."""
    following: dict[Point, list[Point]] = {}
    for axis, side in product(range(3), (0, 1)):
        for start, end in _face_segments(code, axis, side):
            following.setdefault(start, []).append(end)
    loops = []
    while following:
        first = min(following)
        loop, here = [first], following.pop(first).pop()
        while here != first:
            loop.append(here)
            here = following.pop(here).pop()
        loops.append(loop)
    return loops


def _face_segments(code: int, axis: int, side: int) -> list[tuple[Point, Point]]:
    """Directed segments on one face, the inside corners on their left seen from outside; where two inside corners
    lie diagonally, each is cut off alone."""
    u, v = [k for k in range(3) if k != axis]
    ring = [(0, 0), (1, 0), (1, 1), (0, 1)]
    # (axis, u, v) is right-handed for axes 0 and 2; the ring must run counter-clockwise seen from outside
    if (axis == 1) == (side == 1):
        ring.reverse()
    corners = []
    for p, q in ring:
        corner = [0, 0, 0]
        corner[axis], corner[u], corner[v] = side, p, q
        corners.append(tuple(corner))
    inside = [bool((code >> (4 * c[0] + 2 * c[1] + c[2])) & 1) for c in corners]
    segments = []
    for i in range(4):
        if inside[i] and not inside[i - 1]:
            # enter at edge (i-1, i), leave at the first edge after i that goes out
            j = i
            while inside[(j + 1) % 4]:
                j += 1
            enter = _middle(corners[i - 1], corners[i])
            leave = _middle(corners[j % 4], corners[(j + 1) % 4])
            segments.append((leave, enter))
    return segments


def _middle(a: tuple[int, ...], b: tuple[int, ...]) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2
