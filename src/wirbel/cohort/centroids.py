"""Centroids of vertebral bodies as VerSe has them: voxel indices from 0 on the image's axes, one decimal.

The file is a list: `{"direction": ["P", "I", "R"]}` (where each axis points), then one `{"label": 20, "X": ...,
"Y": ..., "Z": ...}` a vertebra. The direction may differ from the image's own: axes are then permuted and
flipped. VerSe's older form `{"vertebralCentroids": [...]}` is read too; entries that are no numbers are skipped.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from wirbel.errors import DeliveryError, InputRejected
from wirbel.spine import Level
from wirbel.volume import Grid

#: The LPS axis of each letter and its sign.
_AXES = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}
_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))

Centroids = Mapping[Level, Float64[np.ndarray, "3"]]


def read_centroids(path: Path, stored: Grid) -> dict[Level, Float64[np.ndarray, "3"]]:
    """Centroids in LPS mm; `stored` is the image's grid with the file's own axes (i, j, k) as array axes.

    Labels that are no vertebrae (sub-regions, 27) are left out. Raises `InputRejected` for what is no such file.
    """
    try:
        plain = json.loads(path.read_text("utf-8"))
    except (ValueError, UnicodeDecodeError) as exc:
        raise InputRejected(f"{path.name}: no JSON text: write the centroids again") from exc
    except OSError as exc:
        raise DeliveryError(f"{path.name}: cannot be read ({exc.strerror})") from exc
    entries = plain.get("vertebralCentroids") if isinstance(plain, dict) else plain
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputRejected(f"{path.name}: no list of centroids: VerSe's form is needed")
    direction = next((entry["direction"] for entry in entries if "direction" in entry), axis_letters(stored))
    order, signs = _turn(direction, stored, path.name)
    found: dict[Level, np.ndarray] = {}
    for entry in entries:
        if "direction" in entry:
            continue
        label, point = _point(entry, path.name)
        if label not in Level._value2member_map_ or not np.isfinite(point).all():
            continue
        level = Level(label)
        if level in found:
            raise InputRejected(f"{path.name}: {level.name} is there twice: remove one", code="TWICE")
        index = np.empty(3)
        index[order] = point
        flipped = np.where(signs > 0, index, np.asarray(stored.shape) - 1.0 - index)
        found[level] = stored.to_lps_mm(flipped[None])[0]
    return found


def write_centroids(path: Path, centroids: Centroids, stored: Grid) -> None:
    """Write centroids for an image whose file has the axes of `stored`; vertebrae from the head downward."""
    entries: list[dict[str, object]] = [{"direction": list(axis_letters(stored))}]
    for level in sorted(centroids, key=lambda level: level.rank):
        x, y, z = (round(float(v), 1) for v in stored.to_voxel(np.asarray(centroids[level])[None])[0])
        entries.append({"label": int(level), "X": x, "Y": y, "Z": z})
    path.write_text(json.dumps(entries) + "\n", encoding="utf-8")


def axis_letters(stored: Grid) -> tuple[str, str, str]:
    """Where the grid's array axes mainly point: ("P", "I", "R"), each direction once."""
    directions = np.abs(stored.voxel_to_lps_mm[:3, :3] / np.asarray(stored.spacing_mm))
    letters = ["", "", ""]
    free = directions.copy()
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(free)), free.shape)
        positive = stored.voxel_to_lps_mm[world, axis] > 0
        letters[axis] = _LETTERS[int(world)][int(positive)]
        free[world, :] = free[:, axis] = -1.0
    return letters[0], letters[1], letters[2]


def _turn(direction: Any, stored: Grid, name: str) -> tuple[np.ndarray, np.ndarray]:
    """For each axis of the file of centroids the image's axis; for each axis of the image the sign."""
    own = axis_letters(stored)
    if (
        not isinstance(direction, list | tuple)
        or len(direction) != 3
        or {_AXES.get(str(letter), (-1, 0))[0] for letter in direction} != {0, 1, 2}
    ):
        raise InputRejected(f"{name}: direction {direction!r} is not three letters such as P, I, R: correct it")
    order = np.array([[_AXES[o][0] for o in own].index(_AXES[letter][0]) for letter in direction])
    signs = np.ones(3)
    for letter, axis in zip(direction, order, strict=True):
        signs[axis] = _AXES[letter][1] * _AXES[own[axis]][1]
    return order, signs


def _point(entry: Mapping[str, Any], name: str) -> tuple[int, np.ndarray]:
    try:
        label = int(entry["label"])
        values = [float(entry[axis]) if entry[axis] is not None else math.nan for axis in "XYZ"]
    except (KeyError, TypeError, ValueError) as exc:
        raise InputRejected(f"{name}: a centroid without label, X, Y and Z: write it again") from exc
    return label, np.array(values)
