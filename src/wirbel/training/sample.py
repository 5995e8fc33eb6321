"""One training case: an image or the labels to draw one from, and what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int8, Int16, UInt8

from wirbel.network.spine_heads import CLASSES

#: `allowed` of a voxel of which nothing is known: every class is admissible.
ANY_CLASS = (1 << len(CLASSES)) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Labels from which HU are drawn; see `wirbel.phantom.PhantomLabels`."""

    tissue: UInt8[np.ndarray, "z y x"]
    depth: Int8[np.ndarray, "z y x"]
    extra: Int8[np.ndarray, "z y x"]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A case on an isotropic canonical grid, axes (z, y, x).

    Either `hu` or `drawing` (labels of `wirbel.phantom`; HU are drawn anew each time) is given. `allowed`: bit c of
    a voxel is set where class c (`CLASSES`) is admissible, so partial labels need no guess. `instances`: the
    vertebra's number or 0. Per vertebra: `centres_voxel` of the body, `levels` (VerSe number, 0 unknown), `ribs`
    (1 carries one, 0 carries none, -1 unknown). `centres_complete`: no body in view is missing from the list.
    """

    spacing_mm: float
    hu: Int16[np.ndarray, "z y x"] | None
    drawing: Drawing | None
    allowed: UInt8[np.ndarray, "z y x"]
    instances: UInt8[np.ndarray, "z y x"]
    centres_voxel: Float32[np.ndarray, "n 3"]
    levels: UInt8[np.ndarray, " n"]
    ribs: Int8[np.ndarray, " n"]
    centres_complete: bool = True

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the grid."""
        z, y, x = self.allowed.shape
        return z, y, x


def save_sample(sample: Sample, path: Path) -> None:
    """Write one .npz; the file appears whole or not at all."""
    image = {"hu": sample.hu}
    if sample.drawing is not None:
        image = {name: getattr(sample.drawing, name) for name in ("tissue", "depth", "extra")}
    part = path.with_suffix(".part.npz")
    np.savez_compressed(
        part,
        spacing_mm=sample.spacing_mm,
        allowed=sample.allowed,
        instances=sample.instances,
        centres_voxel=sample.centres_voxel,
        levels=sample.levels,
        ribs=sample.ribs,
        centres_complete=sample.centres_complete,
        **{name: array for name, array in image.items() if array is not None},  # type: ignore[arg-type]  # arrays by name
    )
    part.rename(path)


def load_sample(path: Path) -> Sample:
    """Read what `save_sample` wrote."""
    with np.load(path) as stored:
        return Sample(
            spacing_mm=float(stored["spacing_mm"]),
            hu=stored.get("hu"),
            drawing=_drawing(stored) if "tissue" in stored else None,
            allowed=stored["allowed"],
            instances=stored["instances"],
            centres_voxel=stored["centres_voxel"],
            levels=stored["levels"],
            ribs=stored["ribs"],
            centres_complete=bool(stored["centres_complete"]),
        )


def _drawing(stored: Mapping[str, np.ndarray]) -> Drawing:
    tissue = stored["tissue"]
    return Drawing(tissue, stored["depth"], stored.get("extra", np.zeros(tissue.shape, np.int8)))


def allowed_from_classes(classes: UInt8[np.ndarray, "z y x"]) -> UInt8[np.ndarray, "z y x"]:
    """Bitmasks of exactly one class per voxel."""
    bits: UInt8[np.ndarray, "z y x"] = (1 << classes).astype(np.uint8)
    return bits
