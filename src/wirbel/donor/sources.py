"""The real CTs that lend their vertebrae: files, licences, and where their masks come from."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from wirbel.errors import InputRejected
from wirbel.ingest import read_masks, read_study
from wirbel.spine import Level, Part
from wirbel.spine.border import share_at_border
from wirbel.spine.level import from_totalsegmentator
from wirbel.spine.refine import isotropic
from wirbel.spine.split import split_body_and_posterior
from wirbel.volume import Acquisition, LabelMap, Volume, freeze

#: Levels that lend: the study's.
LENDING: tuple[Level, ...] = tuple(Level(n) for n in range(8, 25))
#: A body that meets the CT's border with this share of its section is cut.
CUT_SHARE = 0.10
#: A predicted mask is the annotated body's when its centre lies this near to it.
SAME_BODY_MM = 12.0
SEGMENTATION = "segmentation.nii.gz"


@dataclass(frozen=True, slots=True)
class Donor:
    """One CT of the hand-out, by files relative to it. `patient` groups what must never be split.

    `masks` None: the shipped networks' are used, and `annotation` says which bodies are whole and what they are
    called. `without`: levels that are fractured or look so, of no use as a sound start; `only_broken`: levels that
    may be broken further but are no normal ones.
    """

    name: str
    patient: str
    image: str
    licence: str
    masks: str | None = None
    annotation: str | None = None
    totalsegmentator: bool = False
    without: tuple[Level, ...] = ()
    only_broken: tuple[Level, ...] = ()
    contrast: str = "none"


@dataclass(frozen=True, slots=True, eq=False)
class DonorCt:
    """A donor in memory: canonical CT, labels by level (VerSe numbers), parts, and the bodies that may be used.

    `labels` and `parts` lie on a grid of about 1 mm. `predicted`: the masks are the shipped networks'. `slice_mm`:
    resolution across the slices. `image_sha256` is that of the series' files.
    """

    donor: Donor
    ct: Volume
    acquisition: Acquisition
    labels: LabelMap
    parts: LabelMap
    centres_lps_mm: dict[Level, Float64[np.ndarray, "3"]]
    predicted: bool
    scanner: str
    image_sha256: str
    masks_sha256: str


#: Every CT of the hand-out that shows whole vertebrae T1-L5 and whose licence lets results be shown.
DONORS: tuple[Donor, ...] = (
    Donor("totalseg-example-ct", "totalseg-example-ct", "ct/totalseg-example-ct/ct.nii.gz", "Apache-2.0",
          masks="ct/totalseg-example-ct/vertebrae.nii.gz", totalsegmentator=True),
    Donor("lidc-idri-0314", "lidc-idri-0314", "ct/lidc-idri-0314/dicom", "CC BY 3.0",
          annotation="annotations/lidc-idri-0314.json"),
    Donor("lidc-idri-0001", "lidc-idri-0001", "ct/lidc-idri-0001/dicom", "CC BY 3.0",
          annotation="annotations/lidc-idri-0001.json", contrast="portal_venous"),
    Donor("crlm-ct-1004", "crlm-ct-1004", "ct/crlm-ct-1004/dicom", "CC BY 4.0",
          annotation="annotations/crlm-ct-1004.json", contrast="portal_venous"),
    Donor("acrin-flt-001-upper", "acrin-flt-001", "ct/acrin-flt-001-upper/dicom", "CC BY 3.0",
          annotation="annotations/acrin-flt-001-upper.json"),
    Donor("acrin-flt-001-lower", "acrin-flt-001", "ct/acrin-flt-001-lower/dicom", "CC BY 3.0",
          annotation="annotations/acrin-flt-001-lower.json"),
    Donor("tcga-bc-a3kf-chest", "tcga-bc-a3kf", "ct/tcga-bc-a3kf-chest/dicom", "CC BY 3.0",
          annotation="annotations/tcga-bc-a3kf-chest.json", contrast="arterial"),
    Donor("tcga-bc-a3kf-abdomen", "tcga-bc-a3kf", "ct/tcga-bc-a3kf-abdomen/dicom", "CC BY 3.0",
          annotation="annotations/tcga-bc-a3kf-abdomen.json", contrast="arterial"),
    Donor("verse005", "verse005", "ct/verse005/ct.nii.gz", "CC BY-SA 4.0", masks="ct/verse005/vertebrae.nii.gz",
          only_broken=(Level.L1, Level.L2, Level.L3, Level.L4)),
    Donor("verse006", "verse006", "ct/verse006/ct.nii.gz", "CC BY-SA 4.0", masks="ct/verse006/vertebrae.nii.gz"),
    Donor("verse008", "verse008", "ct/verse008/ct.nii.gz", "CC BY-SA 4.0", masks="ct/verse008/vertebrae.nii.gz",
          without=(Level.L2,)),
)  # fmt: skip


def read_donor(donor: Donor, data: Path, segmentations: Path | None) -> DonorCt | None:
    """A donor's CT and masks; None where it needs predicted masks and there are none.

    `segmentations`: a folder with `<name>/segmentation.nii.gz` as `wirbel analyze` writes it.
    """
    where = data / donor.masks if donor.masks else _predicted(donor, segmentations)
    if where is None:
        return None
    main = read_study(data / donor.image).main
    ct = main.volume
    given = read_masks(where)
    numbers = _verse_numbers(given.labels) if donor.totalsegmentator else given.labels
    fine = isotropic(LabelMap(given.grid, freeze(np.where(numbers <= int(Level.L6), numbers, 0).astype(np.uint8))))
    split = split_body_and_posterior(fine)
    centres = {Level(n): c for n, c in split.centres_lps_mm.items()}
    labels = fine
    if donor.annotation is not None:
        names = _annotated(data / donor.annotation, centres)
        table = np.zeros(256, np.uint8)
        # numbers that no annotated body claims stay as neighbours where their number is free
        for level in centres:
            free = level not in names.values()
            table[int(level)] = names.get(level, int(level) if free else int(level) + 64)
        labels = LabelMap(fine.grid, freeze(table[fine.labels]))
        centres = {name: centres[level] for level, name in names.items()}
    usable = {
        level: centre
        for level, centre in centres.items()
        if level in LENDING and level not in donor.without and not _is_cut(labels, split.parts, ct, level)
    }
    scanner = " ".join(part for part in (main.ref.manufacturer, main.ref.model) if part)
    return DonorCt(
        donor, ct, main.ref.acquisition, labels, split.parts, usable, donor.masks is None, scanner,
        main.ref.sha256, sha256(where.read_bytes()).hexdigest(),
    )  # fmt: skip


def _predicted(donor: Donor, segmentations: Path | None) -> Path | None:
    path = segmentations / donor.name / SEGMENTATION if segmentations is not None else None
    return path if path is not None and path.is_file() else None


def _verse_numbers(labels: UInt8[np.ndarray, "z y x"]) -> UInt8[np.ndarray, "z y x"]:
    table = np.zeros(256, np.uint8)
    for number in range(256):
        level = from_totalsegmentator(number)
        table[number] = 0 if level is None else int(level)
    return np.asarray(table[labels], dtype=np.uint8)


def _annotated(path: Path, centres: dict[Level, Float64[np.ndarray, "3"]]) -> dict[Level, Level]:
    """Which predicted level is which annotated complete body."""
    try:
        bodies = json.loads(path.read_text("utf-8"))["bodies"]
    except (OSError, ValueError, KeyError) as exc:
        raise InputRejected(f"{path.name} is no annotation of bodies") from exc
    out: dict[Level, Level] = {}
    for body in bodies:
        at = np.array([body["x"], body["y"], body["z"]], dtype=np.float64)
        if not body["complete"] or not centres:
            continue
        near = min(centres, key=lambda level: float(np.linalg.norm(centres[level] - at)))
        if float(np.linalg.norm(centres[near] - at)) <= SAME_BODY_MM and near not in out:
            out[near] = Level[body["level"]]
    return out


def _is_cut(labels: LabelMap, parts: LabelMap, ct: Volume, level: Level) -> bool:
    body = np.argwhere((labels.labels == int(level)) & (parts.labels == Part.BODY)).astype(np.float64)
    a, b, c = (max(1.0, step) for step in ct.grid.spacing_mm)
    share = share_at_border(labels.grid.to_lps_mm(body), labels.grid.voxel_mm3, ct.grid, (a, b, c))
    return share >= CUT_SHARE
