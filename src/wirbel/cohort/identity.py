"""Whose study an input is: read for the key and for nothing else, never shown."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from wirbel.cohort.labelled import Sex
from wirbel.dicom.elements import PARSE_ERRORS, text
from wirbel.dicom.header import read_headers
from wirbel.dicom.source import ByteSource
from wirbel.ingest.files import sources_of
from wirbel.ingest.settings import ArchiveSettings

#: Ages from here on are written as this (an old age alone can tell who somebody is).
OLDEST_TOLD = 90
_TAGS: list[Any] = ["PatientSex", "PatientAge", "PatientBirthDate", "StudyDate", "IssuerOfPatientID"]


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """`patient` and `study` tell patients and studies apart; both are secrets. `repr` hides everything."""

    patient: str
    study: str
    sex: Sex | None
    age_years: int | None
    accession: str | None = None

    def __repr__(self) -> str:
        return "Identity(hidden)"


def identity_of(path: Path, root: Path) -> Identity:
    """Who an input below `root` belongs to: by its DICOM headers, else by its name.

    Without a PatientID name and date of birth together count; without those the study stands for itself.
    """
    sources = sources_of(path, ArchiveSettings())
    for source in sources:
        headers = read_headers(source)
        if headers and headers[0].layout.offset is not None:
            head, more = headers[0], _more(source)
            issuer = text(more, "IssuerOfPatientID") or ""
            person = "|".join(part for part in (head.patient_name, head.birth_date) if part)
            study = head.study_uid or _name(path, root)
            patient = "@".join(part for part in (head.patient_id, issuer) if part) if head.patient_id else person
            return Identity(patient or study, study, _sex(more), _age(more), head.accession)
    name = _name(path, root)
    subject = re.match(r"^sub-([A-Za-z0-9-]+)", path.name)
    return Identity(subject.group(1) if subject else name, name, None, None)


def _more(source: ByteSource) -> Dataset:
    with source.open() as stream:
        try:
            return dcmread(stream, stop_before_pixels=True, force=True, specific_tags=_TAGS)
        except PARSE_ERRORS:
            return Dataset()


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path != root else path.resolve().name


def _sex(dataset: Dataset) -> Sex | None:
    told = (text(dataset, "PatientSex") or "").upper()
    return Sex(told) if told in {sex.value for sex in Sex} else None


def _age(dataset: Dataset) -> int | None:
    """Whole years from PatientAge, else from the dates; 90 for 90 and more."""
    told = re.fullmatch(r"(\d{3})([DWMY])", text(dataset, "PatientAge") or "")
    if told:
        years = int(told.group(1)) / {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}[told.group(2)]
        return min(int(years), OLDEST_TOLD)
    dates = [text(dataset, name) or "" for name in ("PatientBirthDate", "StudyDate")]
    if not all(re.fullmatch(r"\d{8}", date) for date in dates):
        return None
    born, made = (int(date) for date in dates)
    years_apart = (made - born) // 10_000
    return min(years_apart, OLDEST_TOLD) if 0 <= years_apart <= 120 else None
