"""Where images, masks and centroids lie: BIDS as VerSe and the study's authors have it, or DICOM folders.

`rawdata/sub-X/..._ct.nii.gz` goes with `derivatives/sub-X/..._seg-vert_msk.nii.gz` and `..._seg-subreg_ctd.json`
(the path with `rawdata` and `_ct.nii.gz` replaced); where there is no `rawdata`, all three lie in one folder. A
`rawdata/sub-X` without such a file is taken for a DICOM folder.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import DeliveryError, InputRejected, UsageError

RAW, DERIVED = "rawdata", "derivatives"
CT_ENDINGS = ("_ct.nii.gz", "_ct.nii")
MASK, CENTROIDS, PREDICTIONS = "_seg-vert_msk", "_seg-subreg_ctd.json", "_pred.json"
MASK_ENDINGS = (".nii.gz", ".nii", ".dcm")
DESCRIPTION = "dataset_description.json"
_SUBJECT = re.compile(r"^sub-([A-Za-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class SubjectImage:
    """One CT of a patient with what belongs to it; `mask` and `centroids` are None where there is no such file.

    `stem` is the file name up to `_ct` (a DICOM folder's own name): `sub-X_ses-01`.
    """

    patient: str
    stem: str
    image: Path
    mask: Path | None
    centroids: Path | None

    @property
    def derived(self) -> Path:
        """The folder for what is made from the image."""
        if self.mask is not None:
            return self.mask.parent
        return self.centroids.parent if self.centroids is not None else derived_folder(self.image)

    @property
    def is_dicom(self) -> bool:
        """Whether the image is a folder of DICOM files."""
        return self.image.is_dir()


def find_images(folder: Path) -> tuple[SubjectImage, ...]:
    """Every CT below a folder, sorted; raises `UsageError` where there is no folder, or no CT in it."""
    if not folder.is_dir():
        raise UsageError(f"{folder.name!r} is no folder: name the folder that holds {RAW} and {DERIVED}")
    try:
        niftis = sorted(p for p in folder.rglob("sub-*") if p.name.endswith(CT_ENDINGS) and _is_open(p, folder))
        dicoms = [p for p in _subjects(folder) if not any(p in n.parents for n in niftis) and _has_files(p)]
    except OSError as exc:
        raise DeliveryError(f"{folder.name}: cannot be read ({exc.strerror})") from exc
    found = sorted([*niftis, *dicoms])
    if not found:
        raise UsageError(
            f"{folder.name!r} has no {RAW}/sub-*/*_ct.nii.gz and no DICOM folder {RAW}/sub-*: "
            "name a cohort's folder"
        )
    return tuple(_with_derived(path) for path in found)


def is_simulated(folder: Path) -> bool:
    """Whether the cohort's description says `"Simulated": true`."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return False
    try:
        plain = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as exc:
        raise InputRejected(f"{DESCRIPTION}: no JSON text that can be read: correct or remove it") from exc
    return isinstance(plain, dict) and plain.get("Simulated") is True


def derived_folder(image: Path) -> Path:
    """Where an image's derivatives go: the path with its last `rawdata` replaced, else the image's own folder."""
    home = image if image.is_dir() else image.parent
    parts = list(home.parts)
    if RAW not in parts:
        return home
    parts[len(parts) - 1 - parts[::-1].index(RAW)] = DERIVED
    return Path(*parts)


def stem_of(image: Path) -> str:
    """A CT's file name up to `_ct`."""
    for ending in CT_ENDINGS:
        if image.name.endswith(ending):
            return image.name.removesuffix(ending)
    return image.name


def _with_derived(image: Path) -> SubjectImage:
    stem, places = stem_of(image), [derived_folder(image), image.parent]
    found = _SUBJECT.match(stem)
    masks = [p / f"{stem}{MASK}{ending}" for p in places for ending in MASK_ENDINGS]
    centroids = [p / f"{stem}{CENTROIDS}" for p in places]
    return SubjectImage(
        patient=found.group(1) if found else stem,
        stem=stem,
        image=image,
        mask=next((p for p in masks if p.is_file()), None),
        centroids=next((p for p in centroids if p.is_file()), None),
    )


def _subjects(folder: Path) -> Iterator[Path]:
    """`rawdata/sub-*`, of the folder or of data sets one level below."""
    for raw in (folder / RAW, *sorted(folder.glob(f"*/{RAW}"))):
        if raw.is_dir() and _is_open(raw, folder):
            yield from sorted(p for p in raw.glob("sub-*") if p.is_dir())


def _has_files(folder: Path) -> bool:
    return any(p.is_file() and not p.name.startswith(".") for p in folder.rglob("*"))


def _is_open(path: Path, folder: Path) -> bool:
    """Not below a hidden folder (what is being written hides there)."""
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)
