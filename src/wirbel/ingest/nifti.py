"""NIfTI files: CT volumes and label maps, streamed slab by slab into a canonical array."""

import gzip
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedIOBase
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from wirbel.dicom.source import ByteSource, unreadable
from wirbel.errors import InputRejected
from wirbel.ingest.refusal import Refusal
from wirbel.volume import Grid
from wirbel.volume.resample import reorientation

#: The header classes by their length; nibabel leaves them untyped.
_KINDS: dict[int, Any] = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, struct.error, HeaderDataError, WrapStructError, ValueError)
#: Extensions of a header do not reach further.
_MAX_OFFSET = 64 * 1024**2
_SLAB_BYTES = 32 * 1024**2
#: qform and sform may place the corners this far apart and still say the same.
_AGREE_MM = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class NiftiHeader:
    """What the header says; `grid` has the file's axes (i, j, k) as array axes, in LPS."""

    source: ByteSource
    grid: Grid
    dtype: np.dtype[np.generic]
    offset: int
    slope: float
    intercept: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NiftiArray:
    """Canonical values, and the hash of the file as it lies on disk."""

    grid: Grid
    values: np.ndarray
    sha256: str


def is_nifti(source: ByteSource) -> bool:
    """Whether the bytes, unpacked where gzipped, begin as NIfTI or Analyze do."""
    try:
        with _unpacked(source) as stream:
            return _header_size(stream.read(348)) is not None
    except _DAMAGED:
        return False


def read_header(source: ByteSource) -> NiftiHeader:
    """The geometry of a scalar 3-D image; raises `InputRejected` with the reason against it."""
    name = source.name
    try:
        with _unpacked(source) as stream:
            start = stream.read(544)
            header = _parsed(name, start)
    except _DAMAGED as exc:
        raise InputRejected(
            f"{name}: damaged NIfTI header: export the file again", code=Refusal.PIXELS_UNREADABLE
        ) from exc
    shape = _shape3d(name, header)
    dtype = header.get_data_dtype()
    if dtype.fields is not None or dtype.kind not in "iuf":
        raise InputRejected(f"{name}: colour or complex values are no CT", code=Refusal.NOT_MONOCHROME)
    slope, intercept = header.get_slope_inter()
    offset = int(header["vox_offset"]) or len(header.binaryblock)
    if not 0 < offset <= _MAX_OFFSET:
        raise InputRejected(f"{name}: damaged NIfTI header: export the file again", code=Refusal.PIXELS_UNREADABLE)
    affine, notes = _affine(name, header, shape)
    return NiftiHeader(
        source,
        Grid(shape, affine),
        dtype,
        offset,
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        notes,
    )


def read_values(header: NiftiHeader, dtype: type[np.integer]) -> NiftiArray:
    """All values rounded into a canonical integer array, clipped to what it holds; refuses NaN and short files.

    Values below -1024 become -1024 in a signed array (padding).
    """
    turn = reorientation(header.grid)
    out = np.zeros(turn.grid.shape, dtype=dtype)
    as_stored = turn.undone(out)
    limits = np.iinfo(dtype)
    low = max(limits.min, -1024)
    for start, slab in _slabs(header):
        values = slab if header.slope == 1.0 and header.intercept == 0.0 else slab * header.slope + header.intercept
        if values.dtype.kind == "f":
            if not np.isfinite(values).all():
                raise InputRejected(
                    f"{header.source.name}: holds values that are not numbers (NaN or infinite): export it again",
                    code=Refusal.NOT_A_NUMBER,
                )
            values = np.rint(values)
        as_stored[:, :, start : start + slab.shape[2]] = np.clip(values, low, limits.max)
    return NiftiArray(turn.grid, out, _digest(header.source))


def label_numbers(header: NiftiHeader) -> frozenset[int] | None:
    """The numbers of a label map; None where any value is not a whole number (within 0.01) of 0..255."""
    numbers: set[int] = set()
    for _, slab in _slabs(header):
        values = slab if header.slope == 1.0 and header.intercept == 0.0 else slab * header.slope + header.intercept
        if values.dtype.kind == "f":
            if not np.isfinite(values).all() or np.abs(values - np.rint(values)).max() > 0.01:
                return None
            values = np.rint(values)
        if values.min() < 0 or values.max() > 255:
            return None
        numbers.update(np.unique(values).astype(int).tolist())
    return frozenset(numbers)


def _slabs(header: NiftiHeader) -> Iterator[tuple[int, np.ndarray]]:
    """Whole planes along the last axis, in file order (which is Fortran order)."""
    ni, nj, nk = header.grid.shape
    plane = ni * nj * header.dtype.itemsize
    step = max(1, _SLAB_BYTES // plane)
    try:
        with _unpacked(header.source) as stream:
            if len(stream.read(header.offset)) < header.offset:
                raise EOFError
            for start in range(0, nk, step):
                count = min(step, nk - start)
                data = stream.read(plane * count)
                if len(data) < plane * count:
                    raise EOFError
                yield start, np.frombuffer(data, header.dtype).reshape((ni, nj, count), order="F")
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise InputRejected(
            f"{header.source.name}: shorter than its header says: send the file again",
            code=Refusal.PIXELS_TRUNCATED,
        ) from exc


def _parsed(name: str, start: bytes) -> Any:
    size = _header_size(start)
    if size is None:
        raise InputRejected(f"{name}: no NIfTI file", code=Refusal.NOT_AN_IMAGE)
    if size == 348 and start[344:348] not in (b"n+1\0", b"ni1\0"):
        raise InputRejected(f"{name}: Analyze 7.5 has no orientation: export as NIfTI", code=Refusal.NO_ORIENTATION)
    header = _KINDS[size](start[:size])
    if header["magic"].item() in (b"ni1", b"ni2"):
        raise InputRejected(
            f"{name}: header of a NIfTI pair, its values are in another file: export as one .nii file",
            code=Refusal.NO_PIXELS,
        )
    return header


def _header_size(start: bytes) -> int | None:
    if len(start) < 348:
        return None
    sizes = {*struct.unpack_from("<i", start), *struct.unpack_from(">i", start)}
    return 348 if 348 in sizes else 540 if 540 in sizes and start[4:7] in (b"n+2", b"ni2") else None


def _shape3d(name: str, header: Any) -> tuple[int, int, int]:
    shape = [int(n) for n in header.get_data_shape()]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) != 3 or min(shape) < 1:
        raise InputRejected(
            f"{name}: {len(shape)}-dimensional image of {' x '.join(map(str, shape))}: give one 3-D volume",
            code=Refusal.NOT_3D,
        )
    return shape[0], shape[1], shape[2]


def _affine(name: str, header: Any, shape: tuple[int, int, int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Voxel to LPS mm; refuses a missing orientation and two that disagree."""
    sform, sform_code = header.get_sform(coded=True)
    qform, qform_code = header.get_qform(coded=True)
    if not sform_code and not qform_code:
        raise InputRejected(
            f"{name}: no orientation (sform and qform codes are 0), left and right cannot be told: "
            "export with orientation",
            code=Refusal.NO_ORIENTATION,
        )
    chosen = sform if sform_code else qform
    if sform_code and qform_code:
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
        gap = (sform[:3, :3] - qform[:3, :3]) @ corners + (sform[:3, 3] - qform[:3, 3])[:, None]
        if np.abs(gap).max() > _AGREE_MM:
            raise InputRejected(
                f"{name}: sform and qform place the image {np.abs(gap).max():.1f} mm apart: export it again",
                code=Refusal.ORIENTATION_CONTRADICTION,
            )
    units = header.get_xyzt_units()[0]
    if units not in {"mm", "unknown"}:
        raise InputRejected(f"{name}: spacing in {units}, not in mm: export it again", code=Refusal.NO_GEOMETRY)
    if not np.isfinite(chosen).all() or abs(np.linalg.det(chosen[:3, :3])) < 1e-9:
        raise InputRejected(f"{name}: its affine is no geometry: export it again", code=Refusal.NO_GEOMETRY)
    notes = () if units == "mm" else ("unit of the spacing not given: taken as mm",)
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ chosen, notes


@contextmanager
def _unpacked(source: ByteSource) -> Iterator[BufferedIOBase]:
    try:
        with source.open() as stream:
            is_gzip = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            if is_gzip:
                with gzip.GzipFile(fileobj=stream) as unpacked:
                    yield unpacked
            else:
                yield stream
    except gzip.BadGzipFile:
        raise
    except OSError as exc:
        raise unreadable(source.name, exc) from exc


def _digest(source: ByteSource) -> str:
    digest = sha256()
    with source.open() as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
