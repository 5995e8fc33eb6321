"""Vertebra masks that a user brings, as evidence: names, instances, body and posterior elements, sacrum."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64
from scipy import ndimage
from scipy.spatial import KDTree

from wirbel.errors import InputRejected
from wirbel.spine.border import share_at_border
from wirbel.spine.evidence import Part, SpineEvidence, VertebraEvidence
from wirbel.spine.level import Level, Numbering
from wirbel.spine.numbering_scheme import SACRUM, level_of, numbering_of
from wirbel.spine.refine import isotropic
from wirbel.spine.split import split_body_and_posterior
from wirbel.volume import Grid, LabelMap, freeze
from wirbel.volume.resample import canonical_labels

#: A separate piece of at least this share of a number's largest piece is a second vertebra under the same number,
#: when it lies above or below rather than behind.
SECOND_SHARE = 0.4
#: Pieces smaller than this are specks, in mm3 (one voxel at 3 mm has 27); fragments of a fracture are larger.
SPECK_MM3 = 30.0
#: The sacrum follows directly when its nearest voxel is at most this far from the last body's centre, in mm.
SACRUM_WITHIN_MM = 45.0
#: The masks belong to the CT when at least this share of them lies in its field of view.
INSIDE_SHARE = 0.75
#: A body is cut when it meets the border with at least this share of its typical section (volume to the 2/3); a
#: crop made as tight as the masks touches rims only.
CUT_SHARE = 0.10


def evidence_from_masks(masks: LabelMap, *, numbering: Numbering | None, ct_grid: Grid) -> SpineEvidence:
    """Evidence from masks of whole vertebrae or of bodies, on a canonical grid of 1 mm around them.

    `numbering` None: found from the direction in which the numbers rise. Raises `InputRejected` when the masks
    lie outside the CT or hold no vertebra, when the numbering is unclear or contradicts the direction. Names are
    passed on as they came; `name_levels` judges whether they agree with each other. A vertebra of which only the
    arch is in the field of view is left out.
    """
    masks = canonical_labels(masks)
    if not masks.labels.any():
        raise InputRejected("the masks hold no label at all: give masks with numbered vertebrae", code="NO_LABELS")
    _must_lie_in(masks, ct_grid)
    scheme = numbering_of(masks, numbering)
    fine = isotropic(_without_others(masks, scheme))
    instances, names = _instances(fine, scheme)
    split = split_body_and_posterior(instances)
    order = sorted(split.centres_lps_mm, key=lambda label: -float(split.centres_lps_mm[label][2]))
    if not order:
        raise InputRejected("no vertebral body in the masks: give masks of vertebrae or bodies", code="NO_VERTEBRA")
    new = np.zeros(256, dtype=np.uint8)
    new[order] = np.arange(1, len(order) + 1)
    renumbered = LabelMap(instances.grid, freeze(new[instances.labels]))
    parts = np.where(renumbered.labels > 0, split.parts.labels, 0).astype(np.uint8)
    cut = _cut(renumbered, parts, (masks.grid, ct_grid))
    vertebrae = tuple(
        VertebraEvidence(
            label=k,
            centre_lps_mm=split.centres_lps_mm[label],
            cut_by_border=k in cut,
            given=names[label],
        )
        for k, label in enumerate(order, start=1)
    )
    sacrum = np.isin(fine.labels, list(SACRUM[scheme]))
    parts[sacrum & (renumbered.labels == 0)] = Part.SACRUM
    return SpineEvidence(
        instances=renumbered,
        parts=LabelMap(fine.grid, freeze(parts)),
        vertebrae=vertebrae,
        sacrum_below=_sacrum_below(fine.grid, sacrum, vertebrae[-1].centre_lps_mm),
        skull_above=None,
        source=f"masks ({scheme} numbering)",
    )


def _must_lie_in(masks: LabelMap, ct_grid: Grid) -> None:
    index = np.argwhere(masks.labels > 0)[::17].astype(np.float64)
    voxel = ct_grid.to_voxel(masks.grid.to_lps_mm(index))
    inside = np.all((voxel > -1.0) & (voxel < np.asarray(ct_grid.shape)), axis=1).mean()
    if inside < INSIDE_SHARE:
        raise InputRejected(
            f"only {100 * inside:.0f} % of the masks lie in the CT's field of view (at least "
            f"{100 * INSIDE_SHARE:.0f} % must): give the masks of this series",
            code="MASKS_ELSEWHERE",
        )


def _without_others(masks: LabelMap, scheme: Numbering) -> LabelMap:
    """Vertebrae and sacrum alone; discs, endplates and organs become 0."""
    keep = np.zeros(256, dtype=np.uint8)
    for number in range(1, 256):
        if number in SACRUM[scheme] or level_of(number, scheme) is not None:
            keep[number] = number
    return LabelMap(masks.grid, freeze(keep[masks.labels]))


def _instances(fine: LabelMap, scheme: Numbering) -> tuple[LabelMap, dict[int, Level]]:
    """Vertebrae as instances 1, 2, ... (no order yet) and their names; specks are gone."""
    out = np.zeros(fine.labels.shape, dtype=np.uint8)
    names: dict[int, Level] = {}
    for number, box in enumerate(ndimage.find_objects(fine.labels), start=1):
        level = level_of(number, scheme)
        if box is None or level is None:
            continue
        for mask in _vertebrae_in(fine.labels[box] == number, fine.grid):
            names[len(names) + 1] = level
            out[box][mask] = len(names)
    return LabelMap(fine.grid, freeze(out)), names


def _vertebrae_in(mask: np.ndarray, grid: Grid) -> Iterator[np.ndarray]:
    """The mask without specks; two masks where one number was used for two vertebrae."""
    pieces, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    if count == 1:
        yield mask
        return
    sizes = np.bincount(pieces.ravel())[1:]
    kept = [i + 1 for i in range(count) if sizes[i] * grid.voxel_mm3 >= SPECK_MM3]
    if not kept:
        return
    centres = np.array(ndimage.center_of_mass(mask, pieces, kept)) * np.asarray(grid.spacing_mm)
    owner = dict.fromkeys(kept, 0)
    largest = kept.index(int(np.argmax(sizes)) + 1)
    for i, piece in enumerate(kept):
        apart = np.abs(centres[i] - centres[largest])
        if sizes[piece - 1] >= SECOND_SHARE * sizes.max() and apart[0] > max(15.0, apart[1], apart[2]):
            owner[piece] = piece
    for group in sorted(set(owner.values())):
        yield np.isin(pieces, [piece for piece in kept if owner[piece] == group])


def _cut(instances: LabelMap, parts: np.ndarray, fields: tuple[Grid, ...]) -> set[int]:
    """Labels whose body meets the border of the mask's or the CT's field of view with more than a rim."""
    index = np.argwhere(parts == Part.BODY)
    label = instances.labels[tuple(index.T)]
    points = instances.grid.to_lps_mm(index.astype(np.float64))
    voxel_mm3 = instances.grid.voxel_mm3
    return {
        int(k)
        for k in np.unique(label)
        if any(share_at_border(points[label == k], voxel_mm3, f, f.spacing_mm) >= CUT_SHARE for f in fields)
    }


def _sacrum_below(grid: Grid, sacrum: np.ndarray, last_lps_mm: Float64[np.ndarray, "3"]) -> float | None:
    """Certain when the masks show the sacrum right below; unknown when they do not."""
    index = np.argwhere(sacrum)
    if not len(index):
        return None
    distance, _ = KDTree(grid.to_lps_mm(index.astype(np.float64))).query(last_lps_mm)
    return 1.0 if distance <= SACRUM_WITHIN_MM else None
