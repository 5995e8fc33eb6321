"""What may come in: truths, scores, decisions and clusters are checked here, with a sentence that says what and
where."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def binary(values: npt.ArrayLike, name: str = "truth") -> Bools:
    """A series of 0/1 or booleans as booleans."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be a series of 0 and 1, got an array of shape {array.shape}")
    if array.dtype == np.bool_:
        return array.astype(np.bool_)
    if not np.issubdtype(array.dtype, np.number):
        raise ValueError(f"{name} must hold 0 and 1, got {array[0]!r}: code the diseased cases as 1")
    wrong = np.flatnonzero(~((array == 0) | (array == 1)))
    if wrong.size:
        raise ValueError(
            f"{name} must hold 0 and 1, got {array[wrong[0]]} at position {int(wrong[0]) + 1}"
            f" ({wrong.size} in all)"
        )
    return array.astype(np.bool_)


def finite(values: npt.ArrayLike, name: str = "scores") -> Floats:
    """A series of finite numbers."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise ValueError(f"{name} must be numbers: {exc}") from exc
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be a series of numbers, got an array of shape {array.shape}")
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise ValueError(
            f"{name} must be finite, got {array[wrong[0]]} at position {int(wrong[0]) + 1} ({wrong.size} in all):"
            " leave missing readings out with their truth, or say what they count as"
        )
    return array


def probabilities(values: npt.ArrayLike, name: str = "probabilities") -> Floats:
    """A series of numbers in [0, 1]."""
    array = finite(values, name)
    wrong = np.flatnonzero((array < 0) | (array > 1))
    if wrong.size:
        raise ValueError(f"{name} must lie in [0, 1], got {array[wrong[0]]} at position {int(wrong[0]) + 1}")
    return array


def same_length(**arrays: npt.NDArray[np.generic]) -> int:
    """The common length of the named series."""
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError("series must be of one length, got " + ", ".join(f"{k} {n}" for k, n in lengths.items()))
    return next(iter(lengths.values()))


def both_classes(truth: Bools, *, at_least: int = 1) -> None:
    """Refuse a truth with fewer than `at_least` diseased or healthy cases."""
    positives = int(truth.sum())
    for count, name in ((positives, "diseased"), (truth.size - positives, "healthy")):
        if count < at_least:
            raise ValueError(f"at least {at_least} {name} case(s) are needed, got {count} of {truth.size} cases")


def labelled_scores(truth: npt.ArrayLike, scores: npt.ArrayLike, *, at_least: int = 1) -> tuple[Bools, Floats]:
    """Truth and scores of one reading: of one length, both classes present."""
    labels, values = binary(truth), finite(scores)
    same_length(truth=labels, scores=values)
    both_classes(labels, at_least=at_least)
    return labels, values


def cluster_codes(clusters: npt.ArrayLike, n: int) -> Ints:
    """The cluster of each unit as 0 .. I-1, in the order of first appearance."""
    array = np.asarray(clusters)
    if array.ndim != 1 or array.shape[0] != n:
        raise ValueError(f"one cluster (patient) per unit is needed: {n} units, clusters of shape {array.shape}")
    if array.dtype == object and any(x is None or str(x) == "nan" for x in array):
        raise ValueError("a unit without a cluster (patient): name one for every unit")
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array.astype(np.float64)).all():
        where = int(np.flatnonzero(~np.isfinite(array.astype(np.float64)))[0])
        raise ValueError(f"unit {where + 1} has no cluster (patient): name one for every unit")
    _, first, codes = np.unique(array, return_index=True, return_inverse=True)
    order = np.empty(first.size, dtype=np.int64)
    order[np.argsort(first, kind="stable")] = np.arange(first.size)
    result: Ints = order[codes]
    return result
