"""Label maps that users bring: NIfTI, or DICOM SEG."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from wirbel.dicom.segmentation import is_segmentation, read_segmentation
from wirbel.dicom.source import ByteSource
from wirbel.errors import InputRejected
from wirbel.ingest.files import sources_of
from wirbel.ingest.nifti import is_nifti, label_numbers, read_values
from wirbel.ingest.nifti_ct import checked_header
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.settings import IngestSettings
from wirbel.spine import Level
from wirbel.volume import LabelMap, freeze


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """A label map, what its numbers are called where the file says so, and the hash of the file.

    `is_verse`: segments were named as vertebrae, and the numbers are VerSe's for sure.
    """

    labels: LabelMap
    sha256: str
    names: Mapping[int, str] = field(default_factory=dict)
    is_verse: bool = False


def read_masks(path: Path, settings: IngestSettings | None = None) -> LabelMap:
    """The label map in a NIfTI file or DICOM SEG: canonical axes, uint8, numbers as given."""
    return read_named_masks(path, settings).labels


def read_named_masks(path: Path, settings: IngestSettings | None = None) -> Masks:
    """Like `read_masks`, with the names of the numbers where there are any; raises `InputRejected`."""
    settings = settings or IngestSettings()
    sources = sources_of(path, settings.archive)
    if len(sources) != 1:
        raise InputRejected(
            f"{path.name}: holds {len(sources)} files: name the one with the masks", code=Refusal.SEVERAL_IMAGES
        )
    if is_nifti(sources[0]):
        return _nifti_masks(sources[0], settings)
    if is_segmentation(sources[0]):
        return _seg_masks(sources[0])
    raise InputRejected(f"{path.name}: neither NIfTI nor DICOM SEG: no masks", code=Refusal.NOT_AN_IMAGE)


def _seg_masks(source: ByteSource) -> Masks:
    """Segments named as vertebrae get their VerSe numbers, the others go; no such names: numbers as given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = read_segmentation(source)
    digest = sha256(source.read()).hexdigest()
    told = {number: level_named(text) or level_named(read.meanings[number]) for number, text in read.names.items()}
    levels = {number: level for number, level in told.items() if level is not None}
    if not levels:
        return Masks(read.labels, digest, dict(read.names))
    numbers = np.zeros(256, dtype=np.uint8)
    for number, level in levels.items():
        numbers[number] = level.value
    named = {level.value: level.name for level in levels.values()}
    return Masks(LabelMap(read.labels.grid, freeze(numbers[read.labels.labels])), digest, named, is_verse=True)


def level_named(text: str) -> Level | None:
    """The level that a segment's label names ("vertebrae_L1", "T12 vertebra", "Sacrum"), or none."""
    if re.search(r"\bsacrum\b", text.replace("_", " "), re.IGNORECASE):
        return Level.S1
    found = re.search(r"(?<![a-z0-9])(?:th|[ctls])\d{1,2}(?![0-9a-z])", text.replace("_", " ").lower())
    name = found.group().upper().replace("TH", "T") if found else ""
    return Level.__members__.get(name)


def _nifti_masks(source: ByteSource, settings: IngestSettings) -> Masks:
    header = checked_header(source, settings)
    if label_numbers(header) is None:
        raise InputRejected(
            f"{source.name}: values are not whole numbers of 0 to 255: no label mask", code=Refusal.NOT_AN_IMAGE
        )
    read = read_values(header, np.uint8)
    return Masks(LabelMap(read.grid, freeze(read.values)), read.sha256)
