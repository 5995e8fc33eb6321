"""A first look at an input: images sorted into series, usable or refused; patients and studies counted."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from wirbel.dicom.header import ImageHeader, read_headers
from wirbel.dicom.source import ByteSource
from wirbel.errors import InputRejected
from wirbel.ingest.candidate import Candidate, candidate_of
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.separate import parts_of
from wirbel.ingest.settings import IngestSettings


@dataclass(frozen=True, slots=True, eq=False)
class Rejected:
    """A series that is not used: its slices, the code and the sentence."""

    slices: tuple[ImageHeader, ...]
    notes: tuple[str, ...]
    code: str
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """Usable and refused series, and how many files are no images."""

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]
    other_files: int


def survey(sources: Sequence[ByteSource], name: str, settings: IngestSettings) -> Survey:
    """Sort an input's files; raises `InputRejected` where they belong to several patients or CT studies."""
    headers: list[ImageHeader] = []
    others = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in sources:
            found = read_headers(source)
            headers += found
            others += not found
    if not headers:
        raise _nothing(len(sources), name)
    _check_one_patient(headers, name)
    _check_one_study([h for h in headers if _is_ct(h, settings)], name)
    candidates, rejected = [], []
    for part in parts_of(headers, settings.geometry):
        try:
            candidates.append(candidate_of(part, settings))
        except InputRejected as refused:
            rejected.append(Rejected(part.slices, part.notes, refused.code, str(refused)))
    return Survey(tuple(candidates), tuple(rejected), others)


def _is_ct(header: ImageHeader, settings: IngestSettings) -> bool:
    return header.modality in settings.table.modalities and header.sop_class in settings.table.sop_classes


def _nothing(count: int, name: str) -> InputRejected:
    if not count:
        return InputRejected(f"{name}: holds no files", code=Refusal.EMPTY)
    what = f"none of its {count} files is an image"
    if count == 1:
        what = "is no DICOM image, NIfTI file or zip archive"
    return InputRejected(f"{name}: {what}", code=Refusal.NOT_AN_IMAGE)


def _check_one_patient(headers: Sequence[ImageHeader], name: str) -> None:
    """Identifiers that differ are different patients; so are birth dates that differ under one identifier."""
    ids = {h.patient_id for h in headers if h.patient_id}
    births = {h.birth_date for h in headers if h.birth_date}
    nameless = {h.patient_name for h in headers if h.patient_name and not h.patient_id}
    count = max(len(ids), len(births), len(nameless))
    if count > 1:
        raise InputRejected(
            f"{name}: holds images of {count} patients: give each study its own folder",
            code=Refusal.SEVERAL_PATIENTS,
        )


def _check_one_study(headers: Sequence[ImageHeader], name: str) -> None:
    count = len({h.study_uid for h in headers})
    if count > 1:
        raise InputRejected(
            f"{name}: holds CT images of {count} studies: give each study its own folder",
            code=Refusal.SEVERAL_STUDIES,
        )
