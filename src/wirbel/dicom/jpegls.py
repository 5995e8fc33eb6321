"""JPEG-LS through CharLS's C interface, which pyjpegls carries: unlike its Python call, threads run in parallel."""

import ctypes
from dataclasses import dataclass
from functools import cache

import _CharLS  # type: ignore[import-not-found]  # pyjpegls's extension module, ships no types
import jpeg_ls  # type: ignore[import-untyped]  # ships no types
import numpy as np


class _FrameInfo(ctypes.Structure):
    """`charls_frame_info` of CharLS 2."""

    _fields_ = (
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("bits_per_sample", ctypes.c_int32),
        ("component_count", ctypes.c_int32),
    )


@dataclass(frozen=True, slots=True)
class _CharLs:
    library: ctypes.CDLL

    def decode(self, code: bytes) -> np.ndarray:
        call = self.library
        decoder = ctypes.c_void_p(call.charls_jpegls_decoder_create())
        try:
            _check(call.charls_jpegls_decoder_set_source_buffer(decoder, code, ctypes.c_size_t(len(code))))
            _check(call.charls_jpegls_decoder_read_header(decoder))
            info = _FrameInfo()
            _check(call.charls_jpegls_decoder_get_frame_info(decoder, ctypes.byref(info)))
            values = _empty(info.height, info.width, info.bits_per_sample, info.component_count)
            target = values.ctypes.data_as(ctypes.c_void_p)
            size = ctypes.c_size_t(values.nbytes)
            _check(call.charls_jpegls_decoder_decode_to_buffer(decoder, target, size, ctypes.c_uint32(0)))
        finally:
            call.charls_jpegls_decoder_destroy(decoder)
        return values


def decode_jpegls(code: bytes) -> np.ndarray:
    """The `[row, column]` values of a one-component codestream, uint8 or uint16; ValueError for a damaged one."""
    charls = _charls()
    if charls is not None:
        return charls.decode(code)
    try:
        data, info = jpeg_ls.decode_pixel_data(code)
    except RuntimeError as exc:
        raise ValueError(str(exc)) from exc
    values = _empty(info["height"], info["width"], info["bits_per_sample"], info["components"])
    return np.frombuffer(data, values.dtype).reshape(values.shape)


@cache
def _charls() -> _CharLs | None:
    """CharLS, where the extension module shows its C interface (not on every platform)."""
    try:
        library = ctypes.CDLL(_CharLS.__file__)
        library.charls_jpegls_decoder_create.restype = ctypes.c_void_p
        library.charls_jpegls_decoder_create.argtypes = ()
        library.charls_jpegls_decoder_destroy.restype = None
        _ = library.charls_jpegls_decoder_decode_to_buffer
    except (OSError, AttributeError):
        return None
    return _CharLs(library)


def _empty(height: int, width: int, bits: int, components: int) -> np.ndarray:
    if components != 1 or not 0 < height * width <= 1 << 28:
        raise ValueError(f"{components} components of {width} x {height}")
    return np.empty((height, width), np.uint8 if bits <= 8 else np.uint16)


def _check(code: int) -> None:
    if code:
        raise ValueError(f"CharLS error {code}")
