"""Label maps as NIfTI on the CT's own grid, written slice by slice: never the whole volume at once."""

import gzip
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from wirbel.volume import Grid, LabelMap

#: Slices resampled and written at a time.
CHUNK = 32
DESCRIPTION_BYTES = 80


def write_labels(path: Path, slices: Iterable[UInt8[np.ndarray, "z y x"]], grid: Grid, *, note: str) -> None:
    """Write labels that come some slices at a time, in the grid's order; `note` goes into the header.

    The file has NIfTI's axes (the array's last axis first, RAS affine); the same labels give the same bytes.
    """
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=4, mtime=0) as packed,
    ):
        packed.write(header(grid, note))
        for some in slices:
            packed.write(np.ascontiguousarray(some).tobytes())


def on_grid(labels: LabelMap, grid: Grid) -> Iterator[UInt8[np.ndarray, "z y x"]]:
    """The labels at the voxel centres of a grid, some slices at a time; 0 outside."""
    between = labels.grid.lps_mm_to_voxel @ grid.voxel_to_lps_mm
    parallel = np.allclose(between[:3, :3], np.diag(np.diag(between[:3, :3])), atol=1e-5)
    pick = _parallel if parallel else _oblique
    for first in range(0, grid.shape[0], CHUNK):
        yield pick(labels, grid, between, first, min(first + CHUNK, grid.shape[0]))


def header(grid: Grid, note: str, *, slope: float = 1.0) -> bytes:
    """A NIfTI-1 header (352 bytes) for unsigned bytes on a grid, in scanner coordinates; values are bytes times
    `slope`."""
    affine = ras_affine(grid)
    spacing = grid.spacing_mm
    depth, height, width = grid.shape
    packed = bytearray(352)
    struct.pack_into("<i", packed, 0, 348)
    struct.pack_into("<8h", packed, 40, 3, width, height, depth, 1, 1, 1, 1)
    struct.pack_into("<h", packed, 70, 2)  # unsigned bytes
    struct.pack_into("<h", packed, 72, 8)
    struct.pack_into("<8f", packed, 76, 1.0, spacing[2], spacing[1], spacing[0], 0.0, 0.0, 0.0, 0.0)
    struct.pack_into("<f", packed, 108, 352.0)
    struct.pack_into("<f", packed, 112, slope)
    packed[123] = 2  # millimetres
    text = note.encode("ascii", "replace")[: DESCRIPTION_BYTES - 1]
    packed[148 : 148 + len(text)] = text
    struct.pack_into("<2h", packed, 252, 0, 1)  # no qform; sform in scanner coordinates
    struct.pack_into("<12f", packed, 280, *affine[:3].ravel())
    packed[344:348] = b"n+1\0"
    return bytes(packed)


def ras_affine(grid: Grid) -> Float64[np.ndarray, "4 4"]:
    """Index (ix, iy, iz) to RAS mm: NIfTI's frame."""
    affine = np.array(grid.voxel_to_lps_mm)[:, [2, 1, 0, 3]]
    affine[:2] *= -1.0
    return affine


def _parallel(
    labels: LabelMap, grid: Grid, between: np.ndarray, first: int, last: int
) -> UInt8[np.ndarray, "z y x"]:
    """Grids with common axes: one list of indices an axis."""
    picked, inside = [], []
    for axis, (start, stop) in enumerate(((first, last), (0, grid.shape[1]), (0, grid.shape[2]))):
        index = np.rint(np.arange(start, stop) * between[axis, axis] + between[axis, 3]).astype(np.intp)
        inside.append((index >= 0) & (index < labels.grid.shape[axis]))
        picked.append(np.clip(index, 0, labels.grid.shape[axis] - 1))
    out = labels.labels[np.ix_(*picked)]
    for axis, keep in enumerate(inside):
        if not keep.all():
            out[tuple(slice(None) if a != axis else ~keep for a in range(3))] = 0
    return out


def _oblique(
    labels: LabelMap, grid: Grid, between: np.ndarray, first: int, last: int
) -> UInt8[np.ndarray, "z y x"]:
    """Grids turned against each other: each voxel's own index."""
    out = np.zeros((last - first, *grid.shape[1:]), dtype=np.uint8)
    y, x = np.indices(grid.shape[1:], dtype=np.float64)
    limit = np.asarray(labels.grid.shape)[:, None, None]
    for i, z in enumerate(range(first, last)):
        index = [between[a, 0] * z + between[a, 1] * y + between[a, 2] * x + between[a, 3] for a in range(3)]
        nearest = np.rint(np.stack(index)).astype(np.intp)
        inside = np.all((nearest >= 0) & (nearest < limit), axis=0)
        found = nearest[:, inside]
        out[i][inside] = labels.labels[found[0], found[1], found[2]]
    return out
