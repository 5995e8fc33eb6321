"""DICOM SEG read as one label map: binary, fractional (from one half) and label-map segmentations."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import SegmentationStorage

from wirbel.dicom.elements import PARSE_ERRORS, number, numbers, sequence, text, whole
from wirbel.dicom.source import ByteSource
from wirbel.errors import InputRejected
from wirbel.volume import Grid, LabelMap, freeze
from wirbel.volume.resample import reorientation

#: Label Map Segmentation Storage (2024), which pydicom 3.0 does not name yet.
LABEL_MAP_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7"


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """A canonical label map whose numbers are the segment numbers; the segments' labels and coded types."""

    labels: LabelMap
    names: Mapping[int, str]
    meanings: Mapping[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    segment: int | None
    position: tuple[float, ...]


def is_segmentation(source: ByteSource) -> bool:
    """Whether a file is a DICOM SEG."""
    with source.open() as stream:
        try:
            ds = dcmread(stream, specific_tags=["SOPClassUID"], stop_before_pixels=True)
        except PARSE_ERRORS:
            return False
    return text(ds, "SOPClassUID") in {SegmentationStorage, LABEL_MAP_STORAGE}


def read_segmentation(source: ByteSource) -> Segmentation:
    """All segments of a SEG in one label map; frames that are left out are empty.

    Refuses overlapping segments, more than 255 of them, and frames that are no stack.
    """
    name = source.name
    try:
        ds = dcmread(BytesIO(source.read()))
        frames = _frames(ds, name)
        grid, slices = _grid(ds, frames, name)
        values = _filled(ds, frames, slices, grid, name)
    except PARSE_ERRORS as exc:
        raise InputRejected(f"{name}: damaged DICOM SEG: send it again", code="PIXELS_UNREADABLE") from exc
    turn = reorientation(grid)
    labels = LabelMap(turn.grid, freeze(np.array(turn.of(values), order="C")))
    segments = {whole(s, "SegmentNumber") or 0: s for s in sequence(ds, "SegmentSequence")}
    names = {number: text(s, "SegmentLabel") or "" for number, s in segments.items()}
    return Segmentation(labels, names, {number: _meaning(s) for number, s in segments.items()})


def _meaning(segment: Dataset) -> str:
    kind = next(iter(sequence(segment, "SegmentedPropertyTypeCodeSequence")), Dataset())
    return text(kind, "CodeMeaning") or ""


def _frames(ds: Dataset, name: str) -> list[_Frame]:
    shared = next(iter(sequence(ds, "SharedFunctionalGroupsSequence")), Dataset())
    frames = []
    for group in sequence(ds, "PerFrameFunctionalGroupsSequence"):
        position = numbers(_item(group, shared, "PlanePositionSequence"), "ImagePositionPatient")
        if position is None or len(position) != 3:
            raise InputRejected(f"{name}: a frame has no position in space", code="NO_GEOMETRY")
        segment = whole(_item(group, shared, "SegmentIdentificationSequence"), "ReferencedSegmentNumber")
        frames.append(_Frame(segment, position))
    if not frames:
        raise InputRejected(f"{name}: holds no frames with a place in space", code="NO_GEOMETRY")
    return frames


def _item(group: Dataset, shared: Dataset, keyword: str) -> Dataset:
    return next(iter(sequence(group, keyword) or sequence(shared, keyword)), Dataset())


def _grid(ds: Dataset, frames: list[_Frame], name: str) -> tuple[Grid, list[int]]:
    """The grid over all frames' positions, and the slice each frame lies on."""
    shared = next(iter(sequence(ds, "SharedFunctionalGroupsSequence")), Dataset())
    first = sequence(ds, "PerFrameFunctionalGroupsSequence")[0]
    cosines = numbers(_item(first, shared, "PlaneOrientationSequence"), "ImageOrientationPatient")
    measures = _item(first, shared, "PixelMeasuresSequence")
    spacing = numbers(measures, "PixelSpacing")
    if cosines is None or len(cosines) != 6 or spacing is None or len(spacing) != 2:
        raise InputRejected(f"{name}: orientation or pixel spacing is missing", code="NO_GEOMETRY")
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    normal = np.cross(row, column)
    positions = np.array([f.position for f in frames])
    along = positions @ normal
    levels = np.unique(np.round(along, 3))
    gaps = np.diff(levels)
    step = float(gaps.min()) if len(gaps) else 0.0
    step = number(measures, "SpacingBetweenSlices") or step or number(measures, "SliceThickness") or 1.0
    index = (along - along.min()) / step
    lateral = positions - along[:, None] * normal
    off_stack = np.abs(lateral - lateral[0]).max() > 0.05 or np.abs(index - np.round(index)).max() > 0.1
    if off_stack:
        raise InputRejected(f"{name}: frames do not lie on an even stack: export it again", code="NOT_A_STACK")
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = normal * step, column * spacing[0], row * spacing[1]
    affine[:3, 3] = positions[int(np.argmin(along))]
    slices = np.round(index).astype(int)
    shape = (int(slices.max()) + 1, whole(ds, "Rows") or 0, whole(ds, "Columns") or 0)
    return Grid(shape, affine), slices.tolist()


def _filled(ds: Dataset, frames: list[_Frame], slices: list[int], grid: Grid, name: str) -> np.ndarray:
    values = np.zeros(grid.shape, dtype=np.uint8)
    half = (whole(ds, "MaximumFractionalValue") or 1) / 2 if text(ds, "SegmentationType") == "FRACTIONAL" else 0.5
    for frame, index, pixels in zip(frames, slices, iter_pixels(ds), strict=True):
        if frame.segment is None:
            if pixels.max() > 255:
                raise InputRejected(f"{name}: labels above 255 do not fit a label map", code="NOT_AN_IMAGE")
            values[index] = pixels
            continue
        if not 1 <= frame.segment <= 255:
            raise InputRejected(f"{name}: segment numbers above 255 do not fit a label map", code="NOT_AN_IMAGE")
        inside = pixels >= half if half > 0.5 else pixels > 0
        if np.any(values[index][inside]):
            raise InputRejected(
                f"{name}: segments overlap, one voxel cannot have two labels: export them without overlap",
                code="NOT_AN_IMAGE",
            )
        values[index][inside] = frame.segment
    return values
