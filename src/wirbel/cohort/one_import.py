"""One study from a PACS export into a cohort: 1 mm, segmented, named, without a word about the patient."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from shutil import rmtree

import numpy as np
from scipy import ndimage

from wirbel import __version__
from wirbel.cohort.centroids import write_centroids
from wirbel.cohort.labelled import Sex
from wirbel.cohort.nifti_files import file_axes, write_ct, write_mask
from wirbel.cohort.whole_files import told
from wirbel.delivery.leftovers import TEMPORARY, clear_leftovers, held
from wirbel.delivery.segmentation import is_relative, numbered
from wirbel.errors import InputRejected
from wirbel.ingest import IngestSettings, read_study, read_table
from wirbel.spine import Segmenter, Spine, SpineSettings, name_levels
from wirbel.study import SeriesRef
from wirbel.volume import Grid, LabelMap, Volume, freeze
from wirbel.volume.resample import resample_volume

#: Masks of a column without level names: 1 is the uppermost vertebra.
RELATIVE_MASK = "_seg-rel_msk.nii.gz"
QUALITY = "_quality.json"
#: Coarser slices than this hide endplates and cortex.
COARSE_MM = 3.0
#: Levels whose presence may show a face.
FACE = frozenset({"C1", "C2", "C3"})


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """`margin_mm` of CT is kept around the column (None: everything); voxels of `spacing_mm`.

    `series_table` is a hospital's own table for the choice of series. Small, because it goes to other processes.
    """

    spacing_mm: float = 1.0
    margin_mm: float | None = 60.0
    series_table: Path | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ImportOrder:
    """One study to be imported as `sub-<pseudonym>_ses-<session>`; `repr` hides where it comes from."""

    source: Path
    home: Path
    pseudonym: str
    session: int
    sex: Sex | None
    age_years: int | None

    def __repr__(self) -> str:
        return f"ImportOrder({self.stem})"

    @property
    def inputs(self) -> tuple[Path, ...]:
        """What is read."""
        return (self.source,)

    @property
    def subject(self) -> str:
        """The patient's folder."""
        return f"sub-{self.pseudonym}"

    @property
    def stem(self) -> str:
        """The study's name."""
        return f"{self.subject}_ses-{self.session:02d}"

    @property
    def image(self) -> Path:
        """The CT's place; it is put there last, so a study with a CT is whole."""
        return self.home / "rawdata" / self.subject / f"{self.stem}_ct.nii.gz"

    @property
    def derived(self) -> Path:
        """The folder of what is made from the CT."""
        return self.home / "derivatives" / self.subject


def import_one(order: ImportOrder, segment: Segmenter, settings: ImportSettings) -> dict[str, object]:
    """Read, segment, name, resample and write one study; gives its quality record.

    Raises what went wrong (`InputRejected` with code NO_SPINE where no vertebra is found); nothing is then left.
    """
    own = settings.series_table
    study = read_study(order.source, IngestSettings(table=read_table(own)) if own else IngestSettings())
    ct = study.main.volume
    spine = name_levels(segment(ct), SpineSettings())
    if not spine.vertebrae:
        raise InputRejected("no vertebra is found in the CT: check that the spine is in view", code="NO_SPINE")
    grid = column_grid(ct.grid, spine, settings)
    fine = resample_volume(ct, grid)
    labels = LabelMap(grid, freeze(np.concatenate(list(numbered(spine, grid)))))
    record = quality_record(order, study.main.ref, spine, labels)
    _write(order, fine, labels, spine, record)
    return record


def column_grid(full: Grid, spine: Spine, settings: ImportSettings) -> Grid:
    """Isotropic voxels on the CT's axes, cut to the column and a margin, never beyond the CT."""
    fine = full.respaced((settings.spacing_mm,) * 3)
    if settings.margin_mm is None:
        return fine
    found = np.argwhere(spine.instances.labels > 0)[::7].astype(np.float64)
    index = fine.to_voxel(spine.grid.to_lps_mm(found))
    margin = settings.margin_mm / settings.spacing_mm
    low = np.maximum(np.floor(index.min(0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(index.max(0) + margin) + 1, fine.shape).astype(int)
    return fine.cropped((int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))


def quality_record(order: ImportOrder, ref: SeriesRef, spine: Spine, labels: LabelMap) -> dict[str, object]:
    """What is known of image and masks, and nothing of the patient but sex and age."""
    acquisition, numbering = ref.acquisition, spine.numbering
    names = [v.name for v in spine.vertebrae]
    return {
        "notice": "research use only",
        "patient": order.pseudonym,
        "image": order.stem,
        "sex": order.sex.value if order.sex else None,
        "age": order.age_years,
        "scanner": " ".join(part for part in (ref.manufacturer, ref.model) if part) or None,
        "contrast": "yes" if acquisition.contrast_agent else None,
        "slice_mm": acquisition.slice_mm,
        "in_plane_mm": ref.in_plane_mm,
        "plane": acquisition.plane.value,
        "kernel": acquisition.kernel.value,
        "kvp": acquisition.kvp,
        "numbering": numbering.status.value,
        "numbering_reason": numbering.reason.value if numbering.reason else None,
        "numbering_probability": numbering.probability,
        "segmenter": spine.source,
        "wirbel": __version__,
        "remarks": list(_remarks(ref, spine, names)),
        "vertebrae": boxes_of(labels, {v.name: _number(spine, i) for i, v in enumerate(spine.vertebrae)}),
        "cut": [v.name for v in spine.vertebrae if v.cut_by_border],
    }


def boxes_of(labels: LabelMap, numbers: dict[str, int]) -> list[dict[str, object]]:
    """Each vertebra's volume and box in voxels of the mask [z, y, x], stop excluded."""
    boxes = ndimage.find_objects(labels.labels)
    voxels = np.bincount(labels.labels.ravel(), minlength=256)
    out: list[dict[str, object]] = []
    for name, number in numbers.items():
        box = boxes[number - 1] if number <= len(boxes) else None
        if box is not None:
            cm3 = round(float(voxels[number]) * labels.grid.voxel_mm3 / 1000.0, 2)
            start, stop = [int(s.start) for s in box], [int(s.stop) for s in box]
            out.append({"vertebra": name, "start": start, "stop": stop, "cm3": cm3})
    return out


def _number(spine: Spine, place: int) -> int:
    """What the mask's file holds for the vertebra at this place from above."""
    level = spine.vertebrae[place].level
    return place + 1 if is_relative(spine) or level is None else int(level)


def _remarks(ref: SeriesRef, spine: Spine, names: Sequence[str]) -> list[str]:
    out = []
    if is_relative(spine):
        out.append("levels are not named: name one vertebra with wirbel cohort shift --name")
    elif spine.numbering.probability is not None and spine.numbering.probability < 0.95:
        out.append("levels are not certain: look at them")
    if ref.acquisition.craniocaudal_mm > COARSE_MM:
        out.append(f"{ref.acquisition.craniocaudal_mm:g} mm along the column: endplates are not seen sharply")
    if len(names) < 3:
        out.append("fewer than three vertebrae in view")
    if FACE & set(names):
        out.append("upper neck in view: a face may be recognisable, look before giving it away")
    if ref.acquisition.spectral:
        out.append("a derived spectral image: values are no usual HU")
    return out


def _write(order: ImportOrder, ct: Volume, labels: LabelMap, spine: Spine, record: dict[str, object]) -> None:
    """All files into a hidden folder, then each to its place, the CT last."""
    work = order.home / f"{TEMPORARY}{order.stem}-{token_hex(4)}"
    stored = file_axes(labels.grid)
    with told(order.image), ExitStack() as stack:
        clear_leftovers(order.home / order.stem)
        try:
            work.mkdir(parents=True)
            stack.enter_context(held(work))
            if is_relative(spine):
                note = "wirbel cohort: 1 = uppermost; research use only"
                write_mask(work / f"{order.stem}{RELATIVE_MASK}", labels, stored, note)
            else:
                write_mask(work / f"{order.stem}_seg-vert_msk.nii.gz", labels, stored)
                centres = {v.level: v.centre_lps_mm for v in spine.vertebrae if v.level is not None}
                write_centroids(work / f"{order.stem}_seg-subreg_ctd.json", centres, stored)
            (work / f"{order.stem}{QUALITY}").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            order.derived.mkdir(parents=True, exist_ok=True)
            order.image.parent.mkdir(parents=True, exist_ok=True)
            write_ct(work / order.image.name, ct)
            for path in sorted(work.iterdir()):
                if path.name != order.image.name:
                    path.replace(order.derived / path.name)
            (work / order.image.name).replace(order.image)
        finally:
            rmtree(work, ignore_errors=True)
