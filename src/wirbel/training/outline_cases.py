"""What the outline network learns from: drawn and real CTs as a segmenter sees them, with the truth at 1 mm.

The segmenter must not have been trained on them, else its errors are smaller than those it makes of a patient: the
seeds of the drawn lie far from those of its training, and the real ones are shown to the segmenter that has seen
drawings alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int16, UInt8
from numpy.random import Generator
from scipy import ndimage

from wirbel.network.session import Network
from wirbel.network.tubes import MASK_MM, TubeSettings, segment_tube
from wirbel.phantom import (
    MaskColumn,
    PhantomLabels,
    draw_anatomy,
    draw_appearance,
    labels_around,
    random_scanner,
    rasterise,
    realistic_look,
    whole_grid,
)
from wirbel.phantom.around_masks import bent_anatomy
from wirbel.phantom.scanner import Scanner, scan
from wirbel.spine import Part
from wirbel.training.drawn import TRAINING_ANATOMY
from wirbel.volume import Grid, LabelMap, Volume, freeze
from wirbel.volume.resample import resample_labels, resample_volume

#: Seeds from here on: no other training and no benchmark draws these people.
FIRST_SEED = 5_000_000
#: The drawn part: so long, and so wide around the column.
LENGTH_MM, WIDTH_MM = 210.0, 190.0
#: How often a person is drawn around real masks, where there are any.
_REAL_SHAPES = 0.35
#: Truth of real CTs, beside the parts.
NO_VERTEBRA, UNKNOWN = 4, 5
#: Outside masks there is no vertebra so far off, whatever is seen; and so far where no bone is seen.
_NEXT_TO_MM, _AROUND_MM = 2.5, 6.0
#: A real case is cut out so far around its masks.
_KEPT_MM = 12.0
#: The segmenter is led by the finder's centres, which lie about so far off.
_JITTER_MM = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class OutlineCase:
    """All on one grid of 1 mm: `p` are the segmenter's probabilities of body, posterior elements and disc in
    1/255; `truth` is `wirbel.spine.Part` where that is one of the three, else 0; of a real CT also `NO_VERTEBRA`
    (other or disc, masks do not tell) and `UNKNOWN`."""

    hu: Int16[np.ndarray, "z y x"]
    p: UInt8[np.ndarray, "3 z y x"]
    truth: UInt8[np.ndarray, "z y x"]


def draw_case(seed: int, segment: Network, masks: Sequence[MaskColumn]) -> OutlineCase:
    """Draw a person, scan, segment. The CT has the scanner's slices, the truth is drawn at 1 mm."""
    rng = np.random.default_rng([seed, 3])
    labels = _labels(seed, rng, masks)
    ct = _scanned(labels, random_scanner(rng), rng)
    centres = _centres(labels)
    maps = segment_tube(ct, centres + rng.normal(0, _JITTER_MM, centres.shape), segment, TubeSettings())
    hu = resample_volume(ct, maps.grid).hu
    truth = np.array(resample_labels(LabelMap(labels.grid, freeze(labels.parts)), maps.grid).labels)
    truth[truth > Part.DISC] = 0
    # what was not drawn has no truth: only what lies inside the drawn part is kept
    kept = _inside(labels.grid, maps.grid)
    return OutlineCase(
        np.ascontiguousarray(np.rint(hu[kept]).astype(np.int16)),
        np.ascontiguousarray(maps.part_p[(slice(None), *kept)]),
        np.ascontiguousarray(truth[kept]),
    )


def real_case(ct: Volume, whole: LabelMap, body: LabelMap, segment: Network) -> OutlineCase:
    """A real CT with masks (whole vertebrae, and their bodies). Truth is what the masks say in and next to them.

    A little further off, what the segmenter takes for bone may be a vertebra without mask: nothing is said of it.
    """
    maps = segment_tube(ct, _centres_of(body), segment, TubeSettings())
    masks = resample_labels(whole, maps.grid).labels > 0
    bodies = resample_labels(body, maps.grid).labels > 0
    away_mm = ndimage.distance_transform_edt(~(masks | bodies)) * MASK_MM
    bone = maps.part_p[:2].max(0) > 127
    near = (away_mm <= _NEXT_TO_MM) | ((away_mm <= _AROUND_MM) & ~bone)
    truth = np.where(near, NO_VERTEBRA, UNKNOWN).astype(np.uint8)
    truth[masks] = Part.POSTERIOR
    truth[bodies] = Part.BODY
    z, y, x = _box_of(away_mm <= _KEPT_MM)
    hu = np.rint(resample_volume(ct, maps.grid).hu[z, y, x]).astype(np.int16)
    return OutlineCase(hu, np.ascontiguousarray(maps.part_p[:, z, y, x]), np.ascontiguousarray(truth[z, y, x]))


def save_case(case: OutlineCase, path: Path) -> None:
    """Write a case; it appears whole or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, hu=case.hu, p=case.p, truth=case.truth)
    part.replace(path)


def load_case(path: Path) -> OutlineCase:
    """Read what `save_case` wrote."""
    with np.load(path) as stored:
        return OutlineCase(stored["hu"], stored["p"], stored["truth"])


def _labels(seed: int, rng: Generator, masks: Sequence[MaskColumn]) -> PhantomLabels:
    spacing = (MASK_MM, MASK_MM, MASK_MM)
    if masks and rng.random() < _REAL_SHAPES:
        shape = masks[int(rng.integers(len(masks)))]
        whole = whole_grid(bent_anatomy(shape, np.random.default_rng(seed)), spacing)
        mine = np.array([frame.origin_lps_mm for frame in shape.frames])
        return labels_around(shape, np.random.default_rng(seed), _part_of(whole, mine, rng))
    anatomy = draw_anatomy(rng, TRAINING_ANATOMY)
    centres = np.array([v.centre_lps_mm for v in anatomy.truth.vertebrae])
    return rasterise(anatomy, _part_of(whole_grid(anatomy, spacing), centres, rng))


def _part_of(whole: Grid, centres_lps_mm: np.ndarray, rng: Generator) -> Grid:
    """A stretch of the trunk around a vertebra, as wide as the boxes see."""
    near = centres_lps_mm[int(rng.integers(len(centres_lps_mm)))] + [0.0, 15.0, 0.0]
    z, y, x = (round(float(v)) for v in whole.to_voxel(near[None])[0])
    length, width = round(LENGTH_MM / MASK_MM), round(WIDTH_MM / MASK_MM)
    low = max(0, min(z - length // 2, whole.shape[0] - length))
    return whole.cropped(
        (low, y - width // 2, x - width // 2),
        (min(low + length, whole.shape[0]), y + width // 2, x + width // 2),
    )


def _scanned(labels: PhantomLabels, scanner: Scanner, rng: Generator) -> Volume:
    """HU with the scanner's slices: every so many of those drawn at 1 mm, whose profile is the scanner's."""
    look = realistic_look(rng, float(rng.uniform(30, 240)))
    hu = scan(draw_appearance(labels, rng, look), labels.grid, scanner, rng)
    steps = max(1, round(scanner.slice_mm / MASK_MM))
    grid, first = labels.grid, steps // 2
    affine = np.array(grid.voxel_to_lps_mm)
    affine[:3, 3] += first * affine[:3, 0]
    affine[:3, 0] *= steps
    kept = np.rint(hu[first::steps]).astype(np.int16)
    return Volume(Grid((len(kept), *grid.shape[1:]), affine), freeze(kept))


def _centres(labels: PhantomLabels) -> np.ndarray:
    """Body centres inside the drawn part, from the head downward."""
    if labels.anatomy is None:
        raise ValueError("labels without their anatomy have no centres")
    centres = np.array([v.centre_lps_mm for v in labels.anatomy.truth.vertebrae])
    at = labels.grid.to_voxel(centres)[:, 0]
    inside = centres[(at > 0) & (at < labels.grid.shape[0] - 1)]
    down: np.ndarray = inside[np.argsort(-inside[:, 2])]
    return down


def _centres_of(bodies: LabelMap) -> np.ndarray:
    """Centres of the masks, from the head downward."""
    labels = [int(k) for k in np.unique(bodies.labels) if k]
    found = np.array(ndimage.center_of_mass(bodies.labels > 0, bodies.labels, labels))
    centres = bodies.grid.to_lps_mm(found.reshape(-1, 3))
    down: np.ndarray = centres[np.argsort(-centres[:, 2])]
    return down


def _box_of(wanted: np.ndarray) -> tuple[slice, slice, slice]:
    z, y, x = ndimage.find_objects(wanted.astype(np.uint8))[0]
    return z, y, x


def _inside(drawn: Grid, maps: Grid) -> tuple[slice, slice, slice]:
    """The part of the maps' grid that the drawing covers; both have the same axes."""
    ends = maps.to_voxel(drawn.to_lps_mm(np.array([[0.0, 0.0, 0.0], np.asarray(drawn.shape) - 1.0])))
    low, high = np.ceil(ends.min(0)), np.floor(ends.max(0))
    z, y, x = (slice(max(0, int(a)), min(n, int(b) + 1)) for a, b, n in zip(low, high, maps.shape, strict=True))
    return z, y, x
