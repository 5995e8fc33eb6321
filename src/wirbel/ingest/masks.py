"""Label maps that users bring: NIfTI, or DICOM SEG."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wirbel.dicom.source import ByteSource
from wirbel.errors import InputRejected
from wirbel.ingest.files import sources_of
from wirbel.ingest.nifti import is_nifti, label_numbers, read_values
from wirbel.ingest.nifti_ct import checked_header
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.settings import IngestSettings
from wirbel.volume import LabelMap, freeze


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """A label map, what its numbers are called where the file says so, and the hash of the file."""

    labels: LabelMap
    sha256: str
    names: Mapping[int, str] = field(default_factory=dict)


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
    raise InputRejected(f"{path.name}: neither NIfTI nor DICOM SEG: no masks", code=Refusal.NOT_AN_IMAGE)


def _nifti_masks(source: ByteSource, settings: IngestSettings) -> Masks:
    header = checked_header(source, settings)
    if label_numbers(header) is None:
        raise InputRejected(
            f"{source.name}: values are not whole numbers of 0 to 255: no label mask", code=Refusal.NOT_AN_IMAGE
        )
    read = read_values(header, np.uint8)
    return Masks(LabelMap(read.grid, freeze(read.values)), read.sha256)
