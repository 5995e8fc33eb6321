"""Stored pixel values of one slice or frame: native and JPEG-LS read directly, the rest through pydicom's decoders.

Values are as stored, sign-extended from BitsStored; no rescale is applied.
"""

import struct
from dataclasses import replace
from io import BufferedIOBase, BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from wirbel.dicom.elements import PARSE_ERRORS
from wirbel.dicom.header import PixelLayout, inflated
from wirbel.dicom.jpegls import decode_jpegls
from wirbel.errors import InputRejected

_NATIVE = {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian}
_DECODE_ERRORS = (*PARSE_ERRORS, RuntimeError, MemoryError)


def stored_values(stream: BufferedIOBase, layout: PixelLayout, name: str) -> np.ndarray:
    """The `[row, column]` stored values of the frame that `layout` names; integers of 8, 16 or 32 bits.

    Deflated files are `unpacked` before.
    Raises `InputRejected` with code PIXELS_TRUNCATED, PIXELS_UNREADABLE or NOT_MONOCHROME.
    """
    if layout.samples != 1 or layout.photometric not in {"MONOCHROME2", "MONOCHROME1", None}:
        raise InputRejected(f"{name}: colour pixels are no CT", code="NOT_MONOCHROME")
    if layout.offset is None or min(layout.rows, layout.columns) < 1:
        raise InputRejected(f"{name}: has no pixels", code="NO_PIXELS")
    try:
        if layout.syntax in _NATIVE:
            values = _native(stream, layout, name)
        else:
            values = _compressed(_codestream(stream, layout), layout)
    except _DECODE_ERRORS as exc:
        raise _unreadable(name, layout, type(exc).__name__) from exc
    if values.shape != (layout.rows, layout.columns):
        raise _unreadable(name, layout, f"holds {values.shape[-1]} x {values.shape[0]} pixels")
    return values


def unpacked(data: bytes, layout: PixelLayout, name: str) -> tuple[bytes, PixelLayout]:
    """A deflated file inflated once for all its frames; other files as they are."""
    if layout.syntax != DeflatedExplicitVRLittleEndian:
        return data, layout
    try:
        return inflated(BytesIO(data)).getvalue(), replace(layout, syntax=ExplicitVRLittleEndian)
    except PARSE_ERRORS as exc:
        raise _unreadable(name, layout, type(exc).__name__) from exc


def _native(stream: BufferedIOBase, layout: PixelLayout, name: str) -> np.ndarray:
    if layout.bits_allocated not in {8, 16, 32}:
        raise InputRejected(
            f"{name}: {layout.bits_allocated} bits a pixel are not supported", code="PIXELS_UNREADABLE"
        )
    start, length = _value_field(stream, layout)
    size = layout.rows * layout.columns * layout.bits_allocated // 8
    stream.seek(start + layout.frame * size)
    data = stream.read(size)
    if len(data) < size or (layout.frame + 1) * size > length:
        raise InputRejected(
            f"{name}: pixel data are truncated ({len(data)} of {size} bytes): send the file again",
            code="PIXELS_TRUNCATED",
        )
    order = ">" if layout.syntax == ExplicitVRBigEndian else "<"
    kind = "i" if layout.is_signed else "u"
    values = np.frombuffer(data, f"{order}{kind}{layout.bits_allocated // 8}")
    return _sign_extended(values.reshape(layout.rows, layout.columns), layout)


def _value_field(stream: BufferedIOBase, layout: PixelLayout) -> tuple[int, int]:
    """Where the value of PixelData starts, and its length (all that follows, when undefined)."""
    offset = layout.offset or 0
    stream.seek(offset)
    head = stream.read(12)
    order = ">" if layout.syntax == ExplicitVRBigEndian else "<"
    if layout.syntax == ImplicitVRLittleEndian or not head[4:6].isalpha():
        (length,) = struct.unpack_from(f"{order}L", head, 4)
        return offset + 8, length
    (length,) = struct.unpack_from(f"{order}L", head, 8)
    return offset + 12, length


def _codestream(stream: BufferedIOBase, layout: PixelLayout) -> bytes:
    """The compressed bytes of the layout's frame."""
    start, _ = _value_field(stream, layout)
    stream.seek(start)
    frame: bytes = get_frame(stream, layout.frame, number_of_frames=layout.frames)
    return frame


def _compressed(code: bytes, layout: PixelLayout) -> np.ndarray:
    if layout.syntax in {JPEGLSLossless, JPEGLSNearLossless}:
        return _sign_extended(_as_signed(decode_jpegls(code), layout), layout)
    ds = Dataset()
    ds.Rows, ds.Columns, ds.SamplesPerPixel = layout.rows, layout.columns, 1
    ds.PhotometricInterpretation = layout.photometric or "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = layout.bits_allocated, layout.bits_stored, layout.bits_stored - 1
    ds.PixelRepresentation = int(layout.is_signed)
    ds.PixelData = encapsulate([code])
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(layout.syntax)
    decoded: np.ndarray = ds.pixel_array
    return decoded


def _as_signed(values: np.ndarray, layout: PixelLayout) -> np.ndarray:
    if not layout.is_signed:
        return values
    return values.view(np.int8 if values.dtype.itemsize == 1 else np.int16)


def _sign_extended(values: np.ndarray, layout: PixelLayout) -> np.ndarray:
    """Bits above BitsStored (old overlays, missing sign) replaced by the sign, or by zero."""
    spare = values.dtype.itemsize * 8 - layout.bits_stored
    if spare <= 0 or layout.bits_stored < 1:
        return values
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    if native.size and native.max() >> layout.bits_stored - int(layout.is_signed) == 0 and (
        not layout.is_signed or native.min() >= 0
    ):
        return native
    return (native << spare) >> spare


def _unreadable(name: str, layout: PixelLayout, why: str) -> InputRejected:
    return InputRejected(
        f"{name}: pixels of transfer syntax {UID(layout.syntax).name} cannot be decoded ({why}): send it again",
        code="PIXELS_UNREADABLE",
    )
