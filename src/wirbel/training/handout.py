"""Training cases from real CTs: the annotated ones and those with masks. Partial truth stays partial."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from wirbel.network.spine_heads import CLASSES
from wirbel.spine import Level, Part
from wirbel.spine.level import from_totalsegmentator
from wirbel.spine.split import split_body_and_posterior
from wirbel.training.centres import paint_from_centres
from wirbel.training.sample import ANY_CLASS, Sample
from wirbel.volume import Grid, LabelMap, Volume
from wirbel.volume.resample import resample_labels, resample_volume

ReadCt = Callable[[Path], Volume]
ReadLabels = Callable[[Path], LabelMap]
SplitBodies = Callable[[LabelMap], LabelMap]

_BODY, _POSTERIOR, _DISC, _SACRUM = (1 << CLASSES.index(c) for c in ("body", "posterior", "disc", "sacrum"))
_NOT_VERTEBRA = ANY_CLASS & ~(_BODY | _POSTERIOR)
#: How far from a given mask "no vertebra here" is believed.
_SURE_MM = 15.0
#: Discs are seen in slices up to this.
_THIN_MM = 2.6
#: A sphere of this radius around a point in the middle of the sacrum is sacrum.
_SACRUM_RADIUS_MM = 7.0
#: Samples finer than this are cropped to their masks.
_CROP_BELOW_MM = 2.0


@dataclass(frozen=True, slots=True)
class RealCase:
    """One real CT of the hand-out. `patient` groups what must be left out together."""

    name: str
    patient: str
    image: str
    masks: str | None = None
    bodies: str | None = None
    annotation: str | None = None
    numbering: str = "verse"
    sacrum_from_last_mm: tuple[tuple[float, float, float], ...] = ()
    """Points inside the sacrum, LPS, from the centre of the last annotated body; placed by eye."""


#: Every real CT that trains: name, patient, files relative to the hand-out.
CASES: tuple[RealCase, ...] = (
    RealCase(
        "totalseg-example-ct",
        "totalseg-example-ct",
        "ct/totalseg-example-ct/ct.nii.gz",
        masks="ct/totalseg-example-ct/vertebrae.nii.gz",
        bodies="ct/totalseg-example-ct/bodies.nii.gz",
        annotation="annotations/totalseg-example-ct.json",
        numbering="totalsegmentator",
    ),
    *(
        RealCase(
            name, patient, f"ct/{name}/dicom", annotation=f"annotations/{name}.json", sacrum_from_last_mm=sacrum
        )
        for name, patient, sacrum in (
            ("lidc-idri-0314", "lidc-idri-0314", ()),
            ("lidc-idri-0001", "lidc-idri-0001", ()),
            ("crlm-ct-1004", "crlm-ct-1004", ()),
            ("acrin-flt-001-upper", "acrin-flt-001", ()),
            ("acrin-flt-001-lower", "acrin-flt-001", ((0.0, 14.7, -27.4), (0.0, 33.0, -44.0), (0.0, 50.0, -54.0))),
            ("tcga-bc-a3kf-chest", "tcga-bc-a3kf", ()),
            ("tcga-bc-a3kf-abdomen", "tcga-bc-a3kf", ()),
        )
    ),
    *(
        RealCase(name, name, f"ct/{name}/ct.nii.gz", masks=f"ct/{name}/vertebrae.nii.gz")
        for name in ("verse005", "verse006", "verse008")
    ),
    RealCase(
        "tptbox-l3",
        "tptbox-l3",
        "ct/tptbox-l3/sub-ct_label-22_ct.nii.gz",
        masks="ct/tptbox-l3/sub-ct_seg-vert_label-22_msk.nii.gz",
    ),
)


def real_samples(
    data_dir: Path,
    spacing_mm: float,
    read_ct: ReadCt,
    read_labels: ReadLabels,
    split_bodies: SplitBodies,
    *,
    cases: Sequence[RealCase] = CASES,
) -> Iterator[tuple[RealCase, Sample]]:
    """Every case of the hand-out at one isotropic spacing.

    `split_bodies` gives the bodies of whole-vertebra masks (same numbers, 0 elsewhere).
    """
    for case in cases:
        ct = read_ct(data_dir / case.image)
        grid = ct.grid.respaced((spacing_mm, spacing_mm, spacing_mm))
        hu = resample_volume(ct, grid).hu.round().astype(np.int16)
        allowed = np.full(grid.shape, ANY_CLASS, np.uint8)
        instances = np.zeros(grid.shape, np.uint8)
        bodies = _annotated(data_dir / case.annotation) if case.annotation else {}
        levels = {level: centre for level, (centre, _) in bodies.items()}
        if case.masks:
            whole = verse_numbers(read_labels(data_dir / case.masks), case.numbering)
            body = read_labels(data_dir / case.bodies) if case.bodies else split_bodies(whole)
            levels = _with_mask_centres(levels, body)
            _paint(allowed, instances, list(levels), whole, body, grid)
        else:
            paint_from_centres(
                allowed,
                instances,
                hu,
                grid.to_voxel(np.array(list(levels.values()))),
                spacing_mm,
                body_bits=_BODY,
                not_body_bits=_NOT_VERTEBRA,
                thin_slices=max(ct.grid.spacing_mm) <= _THIN_MM,
            )
            _paint_sacrum(allowed, grid, list(levels.values())[-1] + np.reshape(case.sacrum_from_last_mm, (-1, 3)))
        sample = _sample(case, levels, hu, allowed, instances, grid)
        yield case, _cropped(sample) if spacing_mm < _CROP_BELOW_MM else sample


def _paint_sacrum(allowed: np.ndarray, grid: Grid, points_lps_mm: np.ndarray) -> None:
    """Spheres of sacrum around points in it; in place, the array is the caller's own."""
    radius = np.ceil(_SACRUM_RADIUS_MM / np.asarray(grid.spacing_mm)).astype(int)
    for point in grid.to_voxel(points_lps_mm):
        low = np.maximum(np.round(point).astype(int) - radius, 0)
        high = np.minimum(np.round(point).astype(int) + radius + 1, grid.shape)
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        away = [(axis - p) * mm for axis, p, mm in zip(np.ogrid[box], point, grid.spacing_mm, strict=True)]
        allowed[box][sum(a**2 for a in away) <= _SACRUM_RADIUS_MM**2] = _SACRUM


def bodies_of(whole: LabelMap) -> LabelMap:
    """The bodies of whole-vertebra masks, at 1 mm."""
    grid = whole.grid.respaced((1.0, 1.0, 1.0))
    fine = resample_labels(whole, grid)
    split = split_body_and_posterior(fine)
    return LabelMap(grid, np.where(split.parts.labels == Part.BODY, fine.labels, 0).astype(np.uint8))


def _cropped(sample: Sample) -> Sample:
    """Only the box around what the masks say, with a margin of 48 voxels: fine grids are large."""
    known = np.argwhere(sample.instances > 0)
    low = np.maximum(known.min(0) - 48, 0)
    high = np.minimum(known.max(0) + 49, sample.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return replace(
        sample,
        hu=None if sample.hu is None else np.ascontiguousarray(sample.hu[box]),
        allowed=np.ascontiguousarray(sample.allowed[box]),
        instances=np.ascontiguousarray(sample.instances[box]),
        centres_voxel=(sample.centres_voxel - low).astype(np.float32),
    )


def _annotated(path: Path) -> dict[Level, tuple[np.ndarray, bool]]:
    """Level to centre (LPS mm) and completeness."""
    stored = json.loads(path.read_text())
    return {
        Level[b["level"]]: (np.array([b["x"], b["y"], b["z"]], dtype=np.float64), bool(b["complete"]))
        for b in stored["bodies"]
    }


def verse_numbers(masks: LabelMap, numbering: str) -> LabelMap:
    """Vertebra masks under VerSe numbers; what is no vertebra becomes 0, S1 stays (26)."""
    if numbering == "verse":
        return masks
    table = np.zeros(256, np.uint8)
    for number in np.unique(masks.labels):
        level = from_totalsegmentator(int(number))
        table[number] = int(level) if level is not None else 0
    return LabelMap(masks.grid, table[masks.labels])


def _with_mask_centres(levels: dict[Level, np.ndarray], body: LabelMap) -> dict[Level, np.ndarray]:
    """Centres from body masks where no annotation names the level."""
    found = dict(levels)
    for number in np.unique(body.labels):
        if number in (0, Level.S1) or Level(int(number)) in found:
            continue
        mine = np.argwhere(body.labels == number)
        found[Level(int(number))] = body.grid.to_lps_mm(mine.mean(0, keepdims=True))[0]
    return dict(sorted(found.items(), key=lambda item: item[0].rank))


def _paint(
    allowed: np.ndarray, instances: np.ndarray, order: list[Level], whole: LabelMap, body: LabelMap, grid: Grid
) -> None:
    """Set what the masks say; in place, the arrays are the caller's own."""
    whole_here = resample_labels(whole, grid).labels
    body_here = resample_labels(body, grid).labels
    bone = (whole_here > 0) | (body_here > 0)
    near = ndimage.distance_transform_edt(~bone, sampling=grid.spacing_mm) <= _SURE_MM
    rows = np.nonzero(bone.any((1, 2)))[0]
    margin = round(12.0 / grid.spacing_mm[0])
    between = np.zeros(grid.shape, bool)
    between[rows[0] + margin : rows[-1] - margin] = True
    allowed[near & between] = _NOT_VERTEBRA
    for number in np.unique(whole_here[whole_here > 0]):
        allowed[whole_here == number] = _BODY | _POSTERIOR
    for level in order:
        mine, core = whole_here == level, body_here == level
        if not core.any():
            continue
        allowed[mine] = _POSTERIOR
        allowed[core] = _BODY
        instances[mine | core] = order.index(level) + 1
    allowed[whole_here == Level.S1] = _SACRUM


def _sample(
    case: RealCase,
    levels: dict[Level, np.ndarray],
    hu: np.ndarray,
    allowed: np.ndarray,
    instances: np.ndarray,
    grid: Grid,
) -> Sample:
    centres = grid.to_voxel(np.array(list(levels.values())))
    return Sample(
        spacing_mm=grid.spacing_mm[0],
        hu=hu,
        drawing=None,
        allowed=allowed,
        instances=instances,
        centres_voxel=centres.astype(np.float32),
        levels=np.array([int(level) for level in levels], np.uint8),
        ribs=np.array([int(level.region == "T") for level in levels], np.int8),
        centres_complete=case.annotation is not None,
    )
