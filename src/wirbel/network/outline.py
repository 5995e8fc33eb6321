"""The last step of segmentation: edges at 1 mm, from the CT and from what the segmenter says at 1.5 mm."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Real, UInt8
from scipy import ndimage

from wirbel.network.session import onnx_session
from wirbel.network.spine_heads import WINDOWS_HU, network_input
from wirbel.network.tubes import PARTS, TubeMaps
from wirbel.volume import Volume
from wirbel.volume.resample import resample_volume

#: Channels that show the CT, of all that go in, and of what comes out: other, then `PARTS`.
VIEWS = len(WINDOWS_HU)
INPUTS = VIEWS + len(PARTS)
OUTPUTS = 1 + len(PARTS)
#: What a part's probability is where it is thought of at all, in 1/255.
_THOUGHT_OF = 13


@dataclass(frozen=True, slots=True)
class OutlineSettings:
    """Tiles; sides in voxels of 1 mm. Both even, because the network folds every two voxels into one."""

    tile: int = 64
    margin: int = 8
    """So far beyond a tile the network sees, and what it says there is not used."""


class Outline:
    """An outline network, ready to run."""

    __slots__ = ("_session", "settings")

    def __init__(
        self, path: Path, *, threads: int | None = None, settings: OutlineSettings | None = None
    ) -> None:
        self._session = onnx_session(path, threads=threads)
        self.settings = settings or OutlineSettings()

    def __call__(self, maps: TubeMaps, ct: Volume) -> TubeMaps:
        """The same maps with the classes drawn anew wherever the segmenter thinks of one of `PARTS`.

        What is none of the three keeps the segmenter's class, where that is none of them either; else it is
        background.
        """
        hu = resample_volume(ct, maps.grid).hu
        classes = maps.classes.copy()
        thought = maps.part_p.max(0) >= _THOUGHT_OF
        for inner, outer, within in _tiles(thought, self.settings):
            image = outline_input(hu[outer], maps.part_p[(slice(None), *outer)])
            image = np.pad(image, [(0, 0), *((0, n % 2) for n in image.shape[1:])], mode="edge")
            log_odds = self._session.run(None, {"image": image[None]})[0][0][(slice(None), *within)]
            classes[inner] = _drawn(log_odds, classes[inner])
        return replace(maps, classes=classes)


def outline_input(
    hu: Real[np.ndarray, "z y x"], part_p: UInt8[np.ndarray, "3 z y x"]
) -> Float32[np.ndarray, "5 z y x"]:
    """The CT in its two windows, then the segmenter's probabilities."""
    image: np.ndarray = np.concatenate([network_input(hu.astype(np.float32)), part_p.astype(np.float32) / 255.0])
    return image


def _drawn(log_odds: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The most probable part; where that is "other", what was there before unless it was a part."""
    best = np.argmax(log_odds, axis=0)
    kept = np.where(np.isin(before, PARTS), 0, before)
    drawn: np.ndarray = np.where(best == 0, kept, np.array([0, *PARTS], np.uint8)[best]).astype(np.uint8)
    return drawn


def _tiles(
    wanted: Bool[np.ndarray, "z y x"], settings: OutlineSettings
) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...], tuple[slice, ...]]]:
    """Tiles, each as small as what is wanted in it: alone, with its margin, and the former within the latter."""
    for z, y, x in product(*(range(0, n, settings.tile) for n in wanted.shape)):
        ends = (min(a + settings.tile, n) for a, n in zip((z, y, x), wanted.shape, strict=True))
        tile = tuple(slice(a, b) for a, b in zip((z, y, x), ends, strict=True))
        there = ndimage.find_objects(wanted[tile].astype(np.uint8))
        if there:
            # the start stays even, as the network folds every two voxels into one
            both = zip(tile, there[0], strict=True)
            inner = tuple(slice(t.start + s.start // 2 * 2, t.start + s.stop) for t, s in both)
            yield _with_margin(inner, wanted.shape, settings.margin)


def _with_margin(
    inner: tuple[slice, ...], shape: tuple[int, ...], margin: int
) -> tuple[tuple[slice, ...], tuple[slice, ...], tuple[slice, ...]]:
    low = [max(0, s.start - margin) for s in inner]
    high = [min(n, s.stop + margin) for s, n in zip(inner, shape, strict=True)]
    outer = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    within = tuple(slice(s.start - a, s.stop - a) for s, a in zip(inner, low, strict=True))
    return inner, outer, within
