"""How far two surfaces are apart: Hausdorff distance and its percentiles, mean distances, surface Dice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial

from wirbel.evaluation.overlap import Mask, mask_pair
from wirbel.evaluation.surface_elements import Elements, surface_elements

Floats = npt.NDArray[np.float64]


class Surface(Enum):
    """What the surface of a mask is."""

    ELEMENTS = "elements between voxels, weighted by area (surface-distance)"
    VOXELS = "voxels that touch the outside, counted (MONAI)"


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """Distance of each surface element to the other surface, infinite where the other is empty, with its size.

    Raw figures follow the field's convention for empty masks: one empty gives infinite distances and a surface
    Dice of 0, an average over no element is NaN, and so is every figure of two empty masks.
    """

    surface: Surface
    truth_to_predicted_mm: Floats
    predicted_to_truth_mm: Floats
    truth_sizes: Floats
    predicted_sizes: Floats

    def hausdorff_mm(self, percent: float = 100.0) -> float:
        """Larger of the two directed percentiles; 95 is the HD95.

        Over areas it is the first distance that covers the share of the surface (Nikolov 2021), over voxels the
        interpolated percentile of the counts.
        """
        if not 0.0 <= percent <= 100.0:
            raise ValueError(f"a percentile lies between 0 and 100, got {percent}")
        sides = (
            (self.truth_to_predicted_mm, self.truth_sizes), (self.predicted_to_truth_mm, self.predicted_sizes)
        )
        found = [self._percentile(d, w, percent) for d, w in sides if d.size]
        if not found:
            return float("nan")
        return max(found) if len(found) == 2 else float("inf")

    def average_mm(self) -> tuple[float, float]:
        """Mean distance of the truth's surface from the prediction's, and the reverse."""
        return (
            _weighted_mean(self.truth_to_predicted_mm, self.truth_sizes),
            _weighted_mean(self.predicted_to_truth_mm, self.predicted_sizes),
        )

    def average_symmetric_mm(self) -> float:
        """ASSD: the mean over both surfaces together (Heimann et al., IEEE TMI 2009;28:1251)."""
        return _weighted_mean(
            np.concatenate([self.truth_to_predicted_mm, self.predicted_to_truth_mm]),
            np.concatenate([self.truth_sizes, self.predicted_sizes]),
        )

    def overlap(self, tolerance_mm: float) -> tuple[float, float]:
        """Share of the truth's surface within the tolerance of the prediction's, and the reverse."""
        _tolerance(tolerance_mm)
        return (
            _share_within(self.truth_to_predicted_mm, self.truth_sizes, tolerance_mm),
            _share_within(self.predicted_to_truth_mm, self.predicted_sizes, tolerance_mm),
        )

    def surface_dice(self, tolerance_mm: float) -> float:
        """Share of both surfaces within the tolerance of the other: NSD (Nikolov 2021, eq. 1)."""
        _tolerance(tolerance_mm)
        return _share_within(
            np.concatenate([self.truth_to_predicted_mm, self.predicted_to_truth_mm]),
            np.concatenate([self.truth_sizes, self.predicted_sizes]),
            tolerance_mm,
        )

    def _percentile(self, distances: Floats, sizes: Floats, percent: float) -> float:
        if self.surface is Surface.VOXELS:
            return float(np.percentile(distances, percent)) if np.isfinite(distances).all() else float("inf")
        order = np.argsort(distances)
        covered = np.cumsum(sizes[order]) / sizes.sum()
        index = int(np.searchsorted(covered, percent / 100.0))
        return float(distances[order][min(index, distances.size - 1)])


def surface_distances(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    spacing_mm: tuple[float, ...],
    *,
    surface: Surface = Surface.ELEMENTS,
) -> SurfaceDistances:
    """Distances between the surfaces of two masks (2D or 3D) of one grid with this spacing along each axis.

    Only the box that holds both masks is looked at; distances are exact Euclidean ones between element centres.
    """
    a, b = mask_pair(truth, predicted)
    if a.ndim not in (2, 3):
        raise ValueError(f"masks must have 2 or 3 axes, got {a.ndim}")
    spacing = valid_spacing(spacing_mm, a.ndim)
    box = _box(a | b)
    if box is None:
        nothing = np.empty(0)
        return SurfaceDistances(surface, nothing, nothing, nothing, nothing)
    return cropped_surface_distances(a[box], b[box], spacing, surface=surface)


def cropped_surface_distances(
    truth: Mask, predicted: Mask, spacing_mm: tuple[float, ...], *, surface: Surface
) -> SurfaceDistances:
    """The same for two boolean masks that are already cut out; nothing outside them is taken to be inside."""
    make = surface_elements if surface is Surface.ELEMENTS else surface_voxels
    one, two = make(truth, spacing_mm), make(predicted, spacing_mm)
    return SurfaceDistances(surface, _nearest(one, two), _nearest(two, one), one.sizes, two.sizes)


def surface_voxels(mask: Mask, spacing_mm: tuple[float, ...]) -> Elements:
    """Voxels of the mask with a face neighbour outside it, each of size 1; beyond the array is outside."""
    shell = mask & ~ndimage.binary_erosion(mask)
    points = np.argwhere(shell) * np.asarray(spacing_mm)
    return Elements(points.astype(np.float64), np.ones(points.shape[0]))


def valid_spacing(spacing_mm: tuple[float, ...], axes: int) -> tuple[float, ...]:
    """The spacing as positive floats, one for each axis."""
    spacing = tuple(float(s) for s in spacing_mm)
    if len(spacing) != axes or not all(np.isfinite(s) and s > 0 for s in spacing):
        raise ValueError(f"a positive spacing for each of {axes} axes is needed, got {spacing_mm}")
    return spacing


def _nearest(source: Elements, target: Elements) -> Floats:
    if source.sizes.size == 0 or target.sizes.size == 0:
        return np.full(source.sizes.size, np.inf)
    tree = spatial.cKDTree(target.points_mm, compact_nodes=False, balanced_tree=False)
    return np.asarray(tree.query(source.points_mm)[0], dtype=np.float64)


def _box(mask: Mask) -> tuple[slice, ...] | None:
    found = ndimage.find_objects(mask.astype(np.uint8), max_label=1)
    return found[0] if found else None


def _weighted_mean(values: Floats, sizes: Floats) -> float:
    if values.size == 0:
        return float("nan")
    return float(np.sum(values * sizes) / np.sum(sizes)) if np.isfinite(values).all() else float("inf")


def _share_within(values: Floats, sizes: Floats, tolerance_mm: float) -> float:
    return float(np.sum(sizes[values <= tolerance_mm]) / np.sum(sizes)) if values.size else float("nan")


def _tolerance(tolerance_mm: float) -> None:
    if not tolerance_mm >= 0:
        raise ValueError(f"a tolerance must not be negative, got {tolerance_mm} mm")
