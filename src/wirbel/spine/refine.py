"""Label maps cropped and brought to an isotropic grid, with smooth surfaces instead of stairs."""

import numpy as np
from scipy import ndimage

from wirbel.errors import InputRejected
from wirbel.volume import Grid, LabelMap, freeze
from wirbel.volume.resample import canonical_labels

#: The grid on which vertebrae are split and measured, in mm.
SPACING_MM = 1.0
#: Empty rim left around the labels, in mm.
MARGIN_MM = 6.0


def isotropic(labels: LabelMap, *, spacing_mm: float = SPACING_MM, margin_mm: float = MARGIN_MM) -> LabelMap:
    """The labels on a canonical isotropic grid, cropped to what is labelled plus a rim inside the field of view.

    Each label's indicator is smoothed by half a voxel where voxels are coarser than the target, interpolated
    linearly, and a voxel goes to the label (or to nothing) with the largest share. Raises `InputRejected` when
    nothing is labelled.
    """
    labels = canonical_labels(labels)
    box = _bounding_box(labels.labels > 0)
    rim = np.ceil(margin_mm / np.asarray(labels.grid.spacing_mm)).astype(int)
    start = [max(0, s.start - int(r)) for s, r in zip(box, rim, strict=True)]
    stop = [min(n, s.stop + int(r)) for s, r, n in zip(box, rim, labels.grid.shape, strict=True)]
    window = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    source = labels.grid.cropped((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
    cropped = labels.labels[window]
    target = source.respaced((spacing_mm, spacing_mm, spacing_mm))
    if np.allclose(source.spacing_mm, spacing_mm, rtol=0.02):
        return LabelMap(source, freeze(np.ascontiguousarray(cropped)))
    return LabelMap(target, freeze(_resampled(cropped, source, target)))


def _bounding_box(mask: np.ndarray) -> tuple[slice, ...]:
    boxes = ndimage.find_objects(mask.astype(np.uint8))
    if not boxes or boxes[0] is None:
        raise InputRejected("the masks hold no label at all: give masks with numbered vertebrae", code="NO_LABELS")
    return tuple(boxes[0])


def _resampled(array: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """Every label interpolated in its own window; the largest share wins, ties and less than half go to 0."""
    step = np.asarray(target.spacing_mm) / np.asarray(source.spacing_mm)
    offset = source.to_voxel(target.to_lps_mm(np.zeros((1, 3))))[0]
    sigma = np.where(step < 0.8, 0.5, np.maximum(0.0, 0.4 * (step - 1.0)))
    best = np.full(target.shape, 0.5, dtype=np.float32)
    out = np.zeros(target.shape, dtype=np.uint8)
    for number, box in enumerate(ndimage.find_objects(array), start=1):
        if box is None:
            continue
        low = [max(0, s.start - 3) for s in box]
        high = [min(n, s.stop + 3) for s, n in zip(box, array.shape, strict=True)]
        window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        share = ndimage.gaussian_filter((array[window] == number).astype(np.float32), sigma, mode="nearest")
        first = np.maximum(0, np.floor((np.asarray(low) - offset) / step)).astype(int)
        last = np.minimum(target.shape, np.ceil((np.asarray(high) - offset) / step)).astype(int)
        there = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        value = ndimage.affine_transform(
            share,
            step,
            offset + first * step - np.asarray(low),
            output_shape=tuple(int(n) for n in last - first),
            output=np.dtype(np.float32),
            order=1,
            mode="nearest",
        )
        wins = value > best[there]
        best[there][wins] = value[wins]
        out[there][wins] = number
    return out
