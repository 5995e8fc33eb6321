"""Segmentation figures of every structure of a label map, and their means with a missed structure counted worst
(as Maier-Hein, Reinke et al. recommend: Metrics reloaded, Nat Methods 2024;21:195)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, stats

from wirbel.evaluation.estimate import Estimate, valid_level
from wirbel.evaluation.overlap import Labels, dice, intersection_over_union, label_pair
from wirbel.evaluation.surface_distance import Surface, SurfaceDistances, cropped_surface_distances, valid_spacing

Box = tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class StructureFigures:
    """Raw figures of one structure; `predicted` and `present` say whether the two maps have it."""

    label: int
    present: bool
    predicted: bool
    dice: float
    intersection_over_union: float
    surface_dice: float
    hausdorff95_mm: float
    average_symmetric_mm: float


@dataclass(frozen=True, slots=True)
class SegmentationFigures:
    """All structures of a case and the stated worst case: an overlap of 0 and distances of the image's diagonal."""

    structures: tuple[StructureFigures, ...]
    worst_mm: float
    tolerance_mm: float

    @property
    def missed(self) -> tuple[int, ...]:
        """Labels of the truth that the prediction lacks."""
        return tuple(s.label for s in self.structures if s.present and not s.predicted)

    @property
    def invented(self) -> tuple[int, ...]:
        """Labels of the prediction that the truth lacks; they count worst, too."""
        return tuple(s.label for s in self.structures if s.predicted and not s.present)

    def values(self, figure: str) -> tuple[float, ...]:
        """One named figure of every structure, the worst case where it is missed or invented."""
        worst = self.worst_mm if figure.endswith("_mm") else 0.0
        return tuple(
            min(float(getattr(s, figure)), worst) if figure.endswith("_mm") and s.present and s.predicted
            else float(getattr(s, figure)) if s.present and s.predicted else worst
            for s in self.structures
        )

    def mean(self, figure: str) -> float:
        """Mean of a named figure over the structures of this case."""
        if not self.structures:
            raise ValueError("neither map has a structure: there is nothing to average")
        return float(np.mean(self.values(figure)))


def segmentation_figures(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    spacing_mm: tuple[float, ...],
    *,
    tolerance_mm: float,
    labels: tuple[int, ...] | None = None,
    surface: Surface = Surface.ELEMENTS,
) -> SegmentationFigures:
    """Figures of every label that either map has (0 is background), or of the given ones that either has."""
    a, b = label_pair(truth, predicted)
    spacing = valid_spacing(spacing_mm, a.ndim)
    boxes_a, boxes_b = (_boxes(x) for x in (a, b))
    chosen = sorted(boxes_a.keys() | boxes_b.keys())
    if labels is not None:
        chosen = [k for k in chosen if k in labels]
    worst = float(np.linalg.norm(np.array(a.shape) * np.array(spacing)))
    rows = tuple(
        _figures(k, a, b, _joined(boxes_a.get(k), boxes_b.get(k)), spacing, tolerance_mm, surface) for k in chosen
    )
    return SegmentationFigures(rows, worst, float(tolerance_mm))


def mean_over_cases(
    cases: tuple[SegmentationFigures, ...], figure: str, *, level: float = 0.95
) -> Estimate:
    """Mean over cases of each case's mean of a named figure, t interval over cases, cut to what is possible."""
    if len(cases) < 2:
        raise ValueError(f"an interval over cases needs two, got {len(cases)}")
    means = np.array([c.mean(figure) for c in cases])
    t = float(stats.t.isf((1 - valid_level(level)) / 2, means.size - 1))
    half = t * float(means.std(ddof=1)) / np.sqrt(means.size)
    value, most = float(means.mean()), np.inf if figure.endswith("_mm") else 1.0
    return Estimate(
        value, max(value - half, 0.0), min(value + half, float(most)), level, means.size,
        f"mean {figure} over cases, t; missed structures count worst",
    )


def _figures(
    label: int, a: Labels, b: Labels, box: Box, spacing: tuple[float, ...], tolerance_mm: float, surface: Surface
) -> StructureFigures:
    one, two = a[box] == label, b[box] == label
    distances: SurfaceDistances = cropped_surface_distances(one, two, spacing, surface=surface)
    return StructureFigures(
        label,
        bool(one.any()),
        bool(two.any()),
        dice(one, two),
        intersection_over_union(one, two),
        distances.surface_dice(tolerance_mm),
        distances.hausdorff_mm(95.0),
        distances.average_symmetric_mm(),
    )


def _boxes(labels: Labels) -> dict[int, Box]:
    """The box of each label, all found in one pass."""
    if labels.dtype.itemsize < 4 or not np.issubdtype(labels.dtype, np.signedinteger):
        labels = labels.astype(np.int32)
    return {k + 1: box for k, box in enumerate(ndimage.find_objects(labels)) if box is not None}


def _joined(one: Box | None, two: Box | None) -> Box:
    if one is None or two is None:
        only = one if one is not None else two
        if only is None:
            raise ValueError("a label that neither map has")
        return only
    return tuple(
        slice(min(p.start, q.start), max(p.stop, q.stop)) for p, q in zip(one, two, strict=True)
    )
