"""What a classifier's network sees of a crop: the same numbers in training and in use.

Two kinds. `masked` is the study's input (Foreman et al. 2024): scaled values in the vertebra's mask, zero
elsewhere. `context` keeps what lies around the vertebra, because an epidural or paravertebral mass lies outside
every mask: a bone window, a soft-tissue window, the vertebra's mask and the other vertebrae's.
"""

from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float32, Real, UInt8

from wirbel.errors import InputRejected
from wirbel.etiology.crop import HIGH_HU, LOW_HU, RANGE_HU

InputKind = Literal["masked", "context"]
#: How many channels each kind has.
CHANNELS: Final[dict[InputKind, int]] = {"masked": 1, "context": 4}
#: Bits of a stored crop's mask (`wirbel.etiology.crop.packed`).
VERTEBRA, OTHERS, OUTSIDE = 1, 2, 4
#: Windows (low, high) of the context's first two channels, and the HU that become 1.
BONE_HU: Final = (-200.0, 1300.0, 500.0)
SOFT_HU: Final = (-150.0, 250.0, 200.0)


def network_input(
    hu: Real[np.ndarray, "z y x"], mask: UInt8[np.ndarray, "z y x"], kind: InputKind
) -> Float32[np.ndarray, "c z y x"]:
    """The input's channels on the crop's own grid; what the CT does not cover gets the mean of what it does.

    `mask` holds bits: 1 the vertebra, 2 other vertebrae, 4 outside the CT. Raises `InputRejected` where values are
    no numbers or the mask has nothing of the vertebra.
    """
    values = np.asarray(hu, dtype=np.float32)
    if not np.isfinite(values).all():
        raise InputRejected(
            "the crop holds values that are no numbers (NaN or infinite): make it again", code="NOT_A_NUMBER"
        )
    own = (mask & VERTEBRA) > 0
    if not own.any():
        raise InputRejected("the crop's mask has nothing of the vertebra: segment it first", code="NOT_IN_MASK")
    outside = (mask & OUTSIDE) > 0
    if kind == "masked":
        scaled = _filled((np.clip(values, LOW_HU, HIGH_HU) - np.float32(LOW_HU)) / np.float32(RANGE_HU), outside)
        return np.where(own, scaled, np.float32(0.0))[None]
    out = np.empty((CHANNELS["context"], *values.shape), dtype=np.float32)
    for channel, (low, high, unit) in enumerate((BONE_HU, SOFT_HU)):
        out[channel] = _filled(np.clip(values, low, high) / np.float32(unit), outside)
    out[2] = own
    out[3] = (mask & OTHERS) > 0
    return out


def central(
    array: Real[np.ndarray, "*n z y x"], size: tuple[int, int, int] = (64, 64, 64)
) -> Real[np.ndarray, "*n z1 y1 x1"]:
    """The middle of a larger crop, a view; raises `InputRejected` where it is smaller, or has no such middle."""
    over = [have - want for have, want in zip(array.shape[-3:], size, strict=True)]
    if min(over) < 0 or any(n % 2 for n in over):
        raise InputRejected(
            f"a crop of {array.shape[-3:]} voxels has no middle of {size}: cut crops of that size, or larger by an "
            "even number"
        )
    z, y, x = (slice(n // 2, n // 2 + want) for n, want in zip(over, size, strict=True))
    return array[..., z, y, x]


def _filled(
    values: Float32[np.ndarray, "z y x"], outside: Bool[np.ndarray, "z y x"]
) -> Float32[np.ndarray, "z y x"]:
    if not outside.any():
        return values
    fill = np.float32(0.0 if outside.all() else values[~outside].mean())
    return np.where(outside, fill, values)
