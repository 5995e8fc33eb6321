"""A chosen series read into one canonical int16 array: a slice at a time, decoded in threads, hashed in order."""

import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from itertools import groupby

import numpy as np

from wirbel.dicom.header import ImageHeader
from wirbel.dicom.pixels import stored_values, unpacked
from wirbel.ingest.candidate import Candidate
from wirbel.ingest.hounsfield import LOWEST_HU, check_hounsfield
from wirbel.ingest.settings import IngestSettings
from wirbel.ingest.shear import Shear, upright
from wirbel.volume import Volume, freeze
from wirbel.volume.resample import reorientation

#: Padding values between these would hide tissue, bone or metal: they are not taken for padding.
PADDING_BELOW_HU, PADDING_ABOVE_HU = -500.0, 20000.0
#: As many slices tell whether a series holds Hounsfield units.
SAMPLE_SLICES = 8
_HIGHEST_HU = 32767
#: Intercepts that cannot overflow 16 bits with 14-bit values.
_SMALL = range(-8192, 8193)


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A series in memory: canonical, int16 HU, native spacing; the hash of its files in slice order."""

    volume: Volume
    sha256: str


def load(candidate: Candidate, settings: IngestSettings) -> Loaded:
    """Read, correct and check a series; raises `InputRejected`.

    Holds the result once, and a few slices more.
    """
    sheared = candidate.stack.grid
    shear = upright(sheared) if candidate.stack.tilt_deg else None
    turn = reorientation(shear.grid if shear else sheared)
    hu = np.empty(turn.grid.shape, dtype=np.int16)
    as_stacked = turn.undone(hu)
    digest = sha256()

    def read(index: int, data: bytes, syntax: str) -> None:
        as_stacked[index] = _placed(slice_hu(candidate.stack.slices[index], data, syntax), shear, index)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with ThreadPoolExecutor(settings.threads) as pool:
            running: deque[Future[None]] = deque()
            for data, indices in _files(candidate.stack.slices):
                digest.update(data)
                first = candidate.stack.slices[indices[0]]
                plain, layout = unpacked(data, first.layout, first.source.name)
                for index in indices:
                    running.append(pool.submit(read, index, plain, layout.syntax))
                    if len(running) > 2 * settings.threads:
                        running.popleft().result()
            while running:
                running.popleft().result()
    check_hounsfield(hu, settings.hounsfield, candidate.header.source.name)
    return Loaded(Volume(turn.grid, freeze(hu)), digest.hexdigest())


def check_sample(candidate: Candidate, settings: IngestSettings) -> None:
    """Read a few slices and refuse, as `load` would, what holds no Hounsfield units."""
    slices = candidate.stack.slices
    chosen = np.unique(np.linspace(0, len(slices) - 1, SAMPLE_SLICES).round().astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sample = np.stack([_one(slices[i]) for i in chosen])
    check_hounsfield(sample, settings.hounsfield, candidate.header.source.name)


def slice_hu(header: ImageHeader, data: bytes, syntax: str) -> np.ndarray:
    """One slice in HU, int16: its own rescale, padding and everything below air set to -1024.

    `data` are the file's bytes, inflated where they were deflated, in transfer syntax `syntax`.
    """
    stored = stored_values(BytesIO(data), replace(header.layout, syntax=syntax), header.source.name)
    slope, intercept = header.rescale_slope or 1.0, header.rescale_intercept or 0.0
    padding = _padding(header, slope, intercept)
    small = header.layout.bits_stored <= 14 and stored.dtype.itemsize == 2 and padding is None
    if small and slope == 1.0 and intercept in _SMALL:
        hu: np.ndarray = stored.astype(np.int16, copy=False) + np.int16(intercept)
        return np.maximum(hu, LOWEST_HU, out=hu)
    if slope == 1.0 and intercept == int(intercept):
        wide = stored.astype(np.int32) + np.int32(intercept)
    else:
        wide = np.round(stored * slope + intercept).astype(np.int32)
    np.clip(wide, LOWEST_HU, _HIGHEST_HU, out=wide)
    hu = wide.astype(np.int16)
    if padding is not None:
        hu[(stored >= padding[0]) & (stored <= padding[1])] = LOWEST_HU
    return hu


def _padding(header: ImageHeader, slope: float, intercept: float) -> tuple[int, int] | None:
    """Stored values to be replaced by air; none where the clip does it already, or where tissue would go too."""
    if header.padding is None:
        return None
    low_hu, high_hu = sorted(value * slope + intercept for value in header.padding)
    is_outside = high_hu < PADDING_BELOW_HU or low_hu > PADDING_ABOVE_HU
    return header.padding if is_outside and high_hu > LOWEST_HU else None


def _one(header: ImageHeader) -> np.ndarray:
    data, layout = unpacked(header.source.read(), header.layout, header.source.name)
    return slice_hu(header, data, layout.syntax)


def _placed(hu: np.ndarray, shear: Shear | None, index: int) -> np.ndarray:
    return hu if shear is None else shear.place(hu, index)


def _files(slices: Sequence[ImageHeader]) -> Iterator[tuple[bytes, list[int]]]:
    """Each file's bytes once, with the indices of the slices it holds."""
    for _, group in groupby(enumerate(slices), key=lambda pair: pair[1].source):
        members = list(group)
        yield members[0][1].source.read(), [index for index, _ in members]
