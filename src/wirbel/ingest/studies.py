"""A folder of studies: which inputs it holds."""

from pathlib import Path

from wirbel.dicom.header import read_headers
from wirbel.dicom.source import FileSource
from wirbel.errors import DeliveryError, UsageError
from wirbel.ingest.files import is_zip
from wirbel.ingest.nifti import is_nifti


def find_studies(path: Path) -> list[Path]:
    """The inputs to read one by one: the path itself, or what a folder of studies holds, sorted.

    A folder with DICOM files in it, or whose sub-folders all belong to one study, is one input; else each
    sub-folder, archive and NIfTI file is looked at in turn. Where nothing is found the folder itself is
    given back, so that reading it says why.
    """
    if not path.exists():
        raise UsageError(f"{path.name}: no such file or folder")
    if path.is_file():
        return [path]
    return _in_folder(path) or [path]


def _in_folder(folder: Path) -> list[Path]:
    files, folders = _listed(folder)
    has_images = any(_study_of(f) is not None for f in files)
    if has_images or (folders and len(_studies_below(folder)) == 1 and not _volumes(files)):
        return [folder]
    found = _volumes(files)
    for child in folders:
        found += _in_folder(child)
    return sorted(found)


def _listed(folder: Path) -> tuple[list[Path], list[Path]]:
    try:
        children = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as exc:
        raise DeliveryError(f"{folder.name}: cannot be read ({exc.strerror})") from exc
    return [p for p in children if p.is_file()], [p for p in children if p.is_dir() and not p.is_symlink()]


def _volumes(files: list[Path]) -> list[Path]:
    """Archives and NIfTI files."""
    return [f for f in files if is_zip(f) or (_named_nifti(f) and is_nifti(FileSource(f.name, f)))]


def _named_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _studies_below(folder: Path) -> set[str]:
    """Study identifiers of the first image in each folder below."""
    files, folders = _listed(folder)
    first = next((study for f in files if (study := _study_of(f)) is not None), None)
    found = set() if first is None else {first}
    return found.union(*(_studies_below(child) for child in folders))


def _study_of(path: Path) -> str | None:
    """The study a DICOM file belongs to, "" where it does not say; None for other files."""
    headers = read_headers(FileSource(path.name, path))
    return (headers[0].study_uid or "") if headers else None
