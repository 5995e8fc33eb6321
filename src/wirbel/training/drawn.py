"""Training cases from drawn persons, parametric or around real masks; their looks are drawn anew each step."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from numpy.random import Generator

from wirbel.network.spine_heads import CLASSES
from wirbel.phantom import (
    AnatomySettings,
    MaskColumn,
    PhantomLabels,
    Tissue,
    domain_look,
    draw_anatomy,
    draw_appearance,
    labels_around,
    rasterise,
    realistic_look,
    whole_grid,
)
from wirbel.phantom.around_masks import bent_anatomy
from wirbel.training.sample import Drawing, Sample, allowed_from_classes
from wirbel.volume import Grid

_HIP = CLASSES.index("hip")
#: How often a sample is drawn around real masks, where there are any.
_REAL_SHAPES = 0.4
#: Settings that break, wear and vary the column more often than life does.
TRAINING_ANATOMY = AnatomySettings(fracture_chance=0.22, mimic_chance=0.2, variant_chance=0.2)
#: How often a box is drawn around the joint of the last vertebra and the sacrum instead of any vertebra.
_AT_SACRUM = 0.15


def draw_person(rng: Generator, spacing_mm: float, box_mm: float | None, masks: Sequence[MaskColumn]) -> Sample:
    """A drawn person at an isotropic spacing: all of the trunk, or a cube of `box_mm` around a random vertebra."""
    if masks and rng.random() < _REAL_SHAPES:
        return _around(rng, spacing_mm, box_mm, masks[int(rng.integers(len(masks)))])
    anatomy = draw_anatomy(rng, TRAINING_ANATOMY)
    centres = np.array([v.centre_lps_mm for v in anatomy.truth.vertebrae])
    whole = whole_grid(anatomy, (spacing_mm, spacing_mm, spacing_mm))
    return _sample(rasterise(anatomy, _part_of(whole, centres, box_mm, rng)))


def _around(rng: Generator, spacing_mm: float, box_mm: float | None, masks: MaskColumn) -> Sample:
    """The same person twice from one seed: first for the extent, then as labels on the grid that is wanted."""
    seed = int(rng.integers(1 << 31))
    whole = whole_grid(bent_anatomy(masks, np.random.default_rng(seed)), (spacing_mm, spacing_mm, spacing_mm))
    mine = np.array([frame.origin_lps_mm for frame in masks.frames])
    labels = labels_around(masks, np.random.default_rng(seed), _part_of(whole, mine, box_mm, rng))
    return _sample(labels)


def _part_of(whole: Grid, centres_lps_mm: np.ndarray, box_mm: float | None, rng: Generator) -> Grid:
    if box_mm is None:
        return whole
    n = round(box_mm / whole.spacing_mm[0])
    if rng.random() < _AT_SACRUM:
        near = centres_lps_mm[np.argmin(centres_lps_mm[:, 2])] + [0.0, 25.0, -35.0] + rng.normal(0, 10, 3)
    else:
        near = centres_lps_mm[int(rng.integers(len(centres_lps_mm)))] + [0.0, 12.0, 0.0] + rng.normal(0, 10, 3)
    z, y, x = (round(float(at)) - n // 2 for at in whole.to_voxel(near[None])[0])
    return whole.cropped((z, y, x), (z + n, y + n, x + n))


def _sample(labels: PhantomLabels) -> Sample:
    if labels.anatomy is None:
        raise ValueError("labels without their anatomy have no truth to train on")
    truth = labels.anatomy.truth.vertebrae
    classes = labels.parts.copy()
    classes[labels.tissue == Tissue.PELVIS] = _HIP
    centres = np.array([v.centre_lps_mm for v in truth])
    return Sample(
        spacing_mm=labels.grid.spacing_mm[0],
        hu=None,
        drawing=Drawing(labels.tissue, labels.depth, labels.extra),
        allowed=allowed_from_classes(classes),
        instances=labels.instances,
        centres_voxel=labels.grid.to_voxel(centres).astype(np.float32),
        levels=np.array([int(v.level) for v in truth], np.uint8),
        ribs=np.array([int(any(v.ribs)) for v in truth], np.int8),
    )


def draw_hu(drawing: Drawing, spacing_mm: float, rng: Generator) -> Float32[np.ndarray, "z y x"]:
    """HU for labels: as on a real scanner, or (every fifth time) drawn wild."""
    wild = rng.random() < 0.2
    look = domain_look(rng) if wild else realistic_look(rng, float(rng.uniform(30, 260)))
    z, y, x = drawing.tissue.shape
    grid = Grid.axis_aligned((z, y, x), (spacing_mm, spacing_mm, spacing_mm))
    nothing = np.zeros_like(drawing.tissue)
    labels = PhantomLabels(grid, drawing.tissue, nothing, nothing, drawing.depth, drawing.extra)
    return draw_appearance(labels, rng, look)
