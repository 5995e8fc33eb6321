"""Elements of a dataset read defensively: None where missing, empty, or not what the type allows."""

import struct
import zlib
from collections.abc import Sequence
from functools import cache
from math import isfinite

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import Tag

#: What pydicom raises on bytes that are not, or no longer, DICOM.
PARSE_ERRORS = (
    InvalidDicomError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError,
    NotImplementedError, OverflowError, RecursionError, struct.error, zlib.error,
)  # fmt: skip
_TEXT_VR = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI"}
_NUMBER_VR = {"US": "H", "SS": "h"}
_tag = cache(Tag)


def value(ds: Dataset, keyword: str) -> object:
    """An element's value, or None where it is missing, empty or not what its type allows."""
    try:
        found: object = ds.get(keyword)
    except PARSE_ERRORS:
        return None
    return None if found is None or found == "" else found


def sequence(ds: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence; none where it is missing."""
    found = value(ds, keyword)
    return found if isinstance(found, DicomSequence) else ()


def texts(ds: Dataset, keyword: str) -> tuple[str, ...]:
    """All values of an element as text, stripped."""
    raw = ds.get_item(_tag(keyword))
    if isinstance(raw, RawDataElement) and (quick := _quick(raw)) is not None:
        return quick
    found = value(ds, keyword)
    values = found if isinstance(found, MultiValue) else [] if found is None else [found]
    return tuple(str(v).strip() for v in values)


def _quick(raw: RawDataElement) -> tuple[str, ...] | None:
    """Plain values without pydicom's conversion (a third of the time a header takes); None where it is needed."""
    vr, data = raw.VR or dictionary_VR(raw.tag), raw.value
    if data is None or (vr in _NUMBER_VR and len(data) != 2):
        return () if not data else None
    if vr in _NUMBER_VR:
        return (str(struct.unpack(("<" if raw.is_little_endian else ">") + _NUMBER_VR[vr], data)[0]),)
    if vr not in _TEXT_VR or not data.isascii() or b"\x1b" in data:
        return None
    plain = data.decode("ascii").rstrip("\0 ")
    return tuple(part.strip() for part in plain.split("\\")) if plain else ()


def text(ds: Dataset, keyword: str) -> str | None:
    """An element as text, several values joined as in the file; None when empty."""
    return "\\".join(texts(ds, keyword)) or None


def first_text(ds: Dataset, keyword: str) -> str | None:
    """The first value that is not empty."""
    return next((text for text in texts(ds, keyword) if text), None)


def numbers(ds: Dataset, keyword: str) -> tuple[float, ...] | None:
    """All values as finite numbers, or None."""
    try:
        values = tuple(float(v) for v in texts(ds, keyword))
    except ValueError:
        return None
    return values if values and all(isfinite(v) for v in values) else None


def number(ds: Dataset, keyword: str) -> float | None:
    """The first value as a number."""
    values = numbers(ds, keyword)
    return values[0] if values else None


def whole(ds: Dataset, keyword: str) -> int | None:
    """The first value as a whole number; None where it is not whole."""
    found = number(ds, keyword)
    return None if found is None or found != int(found) else int(found)
