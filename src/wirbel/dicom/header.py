"""The header of an image as far as reading CT needs it: facts as given, None where missing, nothing guessed."""

import struct
import zlib
from dataclasses import dataclass, replace
from io import BufferedIOBase, BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from wirbel.dicom.elements import PARSE_ERRORS, first_text, number, numbers, sequence, text, texts, whole
from wirbel.dicom.source import ByteSource, unreadable

#: An inflated dataset larger than this is no slice of a CT.
MAX_INFLATED_BYTES = 2 * 1024**3

_TAGS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "FrameOfReferenceUID", "Modality", "ImageType", "PatientID", "PatientName", "PatientBirthDate", "StudyDate",
    "AccessionNumber", "SeriesNumber", "SeriesDescription", "InstanceNumber", "AcquisitionNumber",
    "AcquisitionTime", "AcquisitionDateTime", "TemporalPositionIdentifier", "Manufacturer",
    "ManufacturerModelName", "ConvolutionKernel", "KVP", "ContrastBolusAgent", "GantryDetectorTilt",
    "SliceThickness", "SpacingBetweenSlices", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "PhotometricInterpretation", "NumberOfFrames", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "LossyImageCompression", "PerFrameFunctionalGroupsSequence",
    "SharedFunctionalGroupsSequence",
)  # fmt: skip
_TAG_NAMES = list(_TAGS)
_TAG_LIST: list[BaseTag | int] = [Tag(name) for name in _TAGS]
_DEFLATED = DeflatedExplicitVRLittleEndian.encode("ascii")


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How stored values lie in the file. `offset` is where the PixelData element starts (None: no pixels)."""

    syntax: str
    offset: int | None
    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    is_signed: bool
    photometric: str | None
    frame: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class ImageHeader:
    """One slice: an image file, or one frame of a multi-frame file. `repr` hides patient data."""

    source: ByteSource
    layout: PixelLayout
    sop_class: str
    sop_uid: str | None
    study_uid: str | None
    series_uid: str | None
    frame_of_reference_uid: str | None
    modality: str
    image_type: tuple[str, ...]
    patient_id: str | None
    patient_name: str | None
    birth_date: str | None
    study_date: str | None
    accession: str | None
    series_number: str | None
    series_description: str | None
    instance_number: int | None
    acquisition_number: str | None
    acquisition_time: str | None
    temporal_position: str | None
    manufacturer: str | None
    model: str | None
    kernel: str | None
    kvp: float | None
    contrast_agent: str | None
    tilt_deg: float | None
    thickness_mm: float | None
    pixel_spacing_mm: tuple[float, ...] | None
    position_lps_mm: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    rescale_slope: float | None
    rescale_intercept: float | None
    rescale_type: str | None
    padding: tuple[int, int] | None
    is_lossy: bool

    def __repr__(self) -> str:
        return f"ImageHeader({self.modality}, {self.layout.rows} x {self.layout.columns})"


def read_headers(source: ByteSource) -> tuple[ImageHeader, ...]:
    """The headers of a file's frames; empty for what is not DICOM, or has no SOP class.

    Objects without pixels (RTSTRUCT, SR, DICOMDIR, ...) give one header whose `layout.offset` is None.
    """
    with source.open() as stream:
        try:
            dataset, offset, syntax = parse(stream)
        except PARSE_ERRORS:
            return ()
        except OSError as exc:
            raise unreadable(source.name, exc) from exc
    if text(dataset, "SOPClassUID") is None:
        return ()
    return _frames(source, dataset, offset, syntax)


def parse(stream: BufferedIOBase) -> tuple[Dataset, int | None, str]:
    """The dataset up to the pixels, where the pixels begin, and the transfer syntax; raises `PARSE_ERRORS`."""
    start = stream.read(144)
    stream.seek(0)
    if start[128:132] != b"DICM" and not _looks_bare(start):
        raise InvalidDicomError("neither a preamble nor a dataset")
    if _DEFLATED in stream.read(2048):
        stream = inflated(stream)
        dataset = read_dataset(stream, False, True, stop_when=_at_pixels, specific_tags=_TAG_LIST)
        return Dataset(dataset), _pixels_here(stream), DeflatedExplicitVRLittleEndian
    stream.seek(0)
    read = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=_TAG_NAMES)
    syntax = str(read.file_meta.get("TransferSyntaxUID", ""))
    if not syntax:
        implicit, little = read.original_encoding
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    return read, _pixels_here(stream), syntax


def inflated(stream: BufferedIOBase) -> BytesIO:
    """The dataset of a deflated file, explicit little-endian, in memory; ValueError beyond the size limit."""
    stream.seek(0)
    data = stream.read()
    (meta_bytes,) = struct.unpack_from("<L", data, 140)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflate.decompress(data[144 + meta_bytes :], MAX_INFLATED_BYTES)
    if inflate.unconsumed_tail:
        raise ValueError("the deflated dataset is larger than any slice")
    return BytesIO(body)


def _at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag in {0x7FE00008, 0x7FE00009, 0x7FE00010}


def _pixels_here(stream: BufferedIOBase) -> int | None:
    offset = stream.tell()
    return offset if stream.read(4) in (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10") else None


def _looks_bare(start: bytes) -> bool:
    """A dataset without the 128-byte preamble begins with group 0002 or 0008."""
    return start[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08") and len(start) >= 16


def _frames(source: ByteSource, ds: Dataset, offset: int | None, syntax: str) -> tuple[ImageHeader, ...]:
    groups = sequence(ds, "PerFrameFunctionalGroupsSequence")
    shared = next(iter(sequence(ds, "SharedFunctionalGroupsSequence")), Dataset())
    first = _header(source, ds, offset, syntax)
    if not groups:
        return (first,)
    return tuple(_frame_header(first, index, frame, shared) for index, frame in enumerate(groups))


def _frame_header(first: ImageHeader, index: int, frame: Dataset, shared: Dataset) -> ImageHeader:
    """What a frame's functional groups say, over what the file says."""

    def group(name: str) -> Dataset:
        return next(iter(sequence(frame, name) or sequence(shared, name)), Dataset())

    values, pixel = group("PixelValueTransformationSequence"), group("PixelMeasuresSequence")
    content, kind = group("FrameContentSequence"), group("CTImageFrameTypeSequence")
    exposure, kernel = group("CTXRayDetailsSequence"), group("CTReconstructionSequence")
    return replace(
        first,
        layout=replace(first.layout, frame=index),
        image_type=texts(kind, "FrameType") or first.image_type,
        instance_number=index + 1,
        acquisition_number=text(content, "FrameAcquisitionNumber") or first.acquisition_number,
        acquisition_time=text(content, "FrameAcquisitionDateTime") or first.acquisition_time,
        temporal_position=text(content, "TemporalPositionIndex") or first.temporal_position,
        kernel=first_text(kernel, "ConvolutionKernel") or first.kernel,
        kvp=number(exposure, "KVP") or first.kvp,
        tilt_deg=number(group("CTAcquisitionDetailsSequence"), "GantryDetectorTilt"),
        thickness_mm=number(pixel, "SliceThickness"),
        pixel_spacing_mm=numbers(pixel, "PixelSpacing"),
        position_lps_mm=numbers(group("PlanePositionSequence"), "ImagePositionPatient"),
        orientation=numbers(group("PlaneOrientationSequence"), "ImageOrientationPatient"),
        rescale_slope=number(values, "RescaleSlope"),
        rescale_intercept=number(values, "RescaleIntercept"),
        rescale_type=text(values, "RescaleType"),
    )


def _header(source: ByteSource, ds: Dataset, offset: int | None, syntax: str) -> ImageHeader:
    is_signed = whole(ds, "PixelRepresentation") == 1
    layout = PixelLayout(
        syntax=syntax,
        offset=offset,
        rows=whole(ds, "Rows") or 0,
        columns=whole(ds, "Columns") or 0,
        frames=whole(ds, "NumberOfFrames") or 1,
        samples=whole(ds, "SamplesPerPixel") or 1,
        bits_allocated=whole(ds, "BitsAllocated") or 0,
        bits_stored=whole(ds, "BitsStored") or 0,
        is_signed=is_signed,
        photometric=text(ds, "PhotometricInterpretation"),
    )
    return ImageHeader(
        source=source,
        layout=layout,
        sop_class=text(ds, "SOPClassUID") or "",
        sop_uid=text(ds, "SOPInstanceUID"),
        study_uid=text(ds, "StudyInstanceUID"),
        series_uid=text(ds, "SeriesInstanceUID"),
        frame_of_reference_uid=text(ds, "FrameOfReferenceUID"),
        modality=text(ds, "Modality") or "",
        image_type=texts(ds, "ImageType"),
        patient_id=text(ds, "PatientID"),
        patient_name=text(ds, "PatientName"),
        birth_date=text(ds, "PatientBirthDate"),
        study_date=text(ds, "StudyDate"),
        accession=text(ds, "AccessionNumber"),
        series_number=text(ds, "SeriesNumber"),
        series_description=text(ds, "SeriesDescription"),
        instance_number=whole(ds, "InstanceNumber"),
        acquisition_number=text(ds, "AcquisitionNumber"),
        acquisition_time=text(ds, "AcquisitionDateTime") or text(ds, "AcquisitionTime"),
        temporal_position=text(ds, "TemporalPositionIdentifier"),
        manufacturer=text(ds, "Manufacturer"),
        model=text(ds, "ManufacturerModelName"),
        kernel=first_text(ds, "ConvolutionKernel"),
        kvp=number(ds, "KVP"),
        contrast_agent=text(ds, "ContrastBolusAgent"),
        tilt_deg=number(ds, "GantryDetectorTilt"),
        thickness_mm=number(ds, "SliceThickness"),
        pixel_spacing_mm=numbers(ds, "PixelSpacing"),
        position_lps_mm=numbers(ds, "ImagePositionPatient"),
        orientation=numbers(ds, "ImageOrientationPatient"),
        rescale_slope=number(ds, "RescaleSlope"),
        rescale_intercept=number(ds, "RescaleIntercept"),
        rescale_type=text(ds, "RescaleType"),
        padding=_padding(ds, is_signed=is_signed, bits=layout.bits_allocated),
        is_lossy=text(ds, "LossyImageCompression") == "01",
    )


def _padding(ds: Dataset, *, is_signed: bool, bits: int) -> tuple[int, int] | None:
    """The stored values that mean "no data", in the pixels' own signedness."""
    low = whole(ds, "PixelPaddingValue")
    if low is None:
        return None
    limit = whole(ds, "PixelPaddingRangeLimit")
    ends = [low, low if limit is None else limit]
    if bits in {8, 16}:
        ends = [n - (1 << bits) if is_signed and n >= 1 << (bits - 1) else n for n in ends]
        ends = [n + (1 << bits) if not is_signed and n < 0 else n for n in ends]
    return min(ends), max(ends)
