"""Overlap of two masks: Dice and intersection over union, for one structure or all labels at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.integer]


def mask_pair(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Mask, Mask]:
    """Two boolean masks of one shape."""
    a, b = np.asarray(truth), np.asarray(predicted)
    if a.shape != b.shape:
        raise ValueError(f"masks must be of one shape, got {a.shape} and {b.shape}: bring both to one grid first")
    for name, array in (("truth", a), ("prediction", b)):
        if array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
            raise ValueError(f"the {name} mask must hold 0 and 1: choose one label of a label map")
    return a.astype(np.bool_, copy=False), b.astype(np.bool_, copy=False)


def dice(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """2 |A and B| / (|A| + |B|) (Dice 1945); NaN where both are empty, as the field has it (surface-distance,
    MONAI): a raw figure says nothing there."""
    a, b = mask_pair(truth, predicted)
    total = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / total if total else float("nan")


def intersection_over_union(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """|A and B| / |A or B| (Jaccard 1901); NaN where both are empty."""
    a, b = mask_pair(truth, predicted)
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else float("nan")


def dice_per_label(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> dict[int, float]:
    """Dice of every label that either map has (0 is background), counted in one pass."""
    a, b = label_pair(truth, predicted)
    top = int(max(a.max(initial=0), b.max(initial=0))) + 1
    both = np.bincount(a[a == b].ravel(), minlength=top)
    sizes = np.bincount(a.ravel(), minlength=top) + np.bincount(b.ravel(), minlength=top)
    return {int(k): 2.0 * int(both[k]) / int(sizes[k]) for k in np.flatnonzero(sizes) if k != 0}


def label_pair(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Labels, Labels]:
    """Two integer label maps of one shape without negative labels."""
    a, b = np.asarray(truth), np.asarray(predicted)
    if a.shape != b.shape:
        raise ValueError(f"label maps must be of one shape, got {a.shape} and {b.shape}")
    for name, array in (("truth", a), ("prediction", b)):
        if not np.issubdtype(array.dtype, np.integer):
            raise ValueError(f"the {name} must be a map of whole numbers, got {array.dtype}")
        if array.size and int(array.min()) < 0:
            raise ValueError(f"the {name} has a negative label, {int(array.min())}")
    return a, b
