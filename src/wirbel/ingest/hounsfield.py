"""Are these Hounsfield units of a body? Values that are not are refused with the reason."""

import numpy as np

from wirbel.errors import InputRejected
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.settings import HounsfieldSettings

#: The lowest value kept: air. What lies lower is padding.
LOWEST_HU = -1024


def check_hounsfield(hu: np.ndarray, settings: HounsfieldSettings, name: str) -> None:
    """Raise `InputRejected` unless the values look like a CT of a body; looks at a regular sample."""
    stride = max(1, int(np.ceil((hu.size / settings.sample_voxels) ** (1 / hu.ndim))))
    sample = hu[tuple(slice(None, None, stride) for _ in range(hu.ndim))].astype(np.int32)
    counts = np.bincount((sample - sample.min()).ravel())
    values = np.flatnonzero(counts) + int(sample.min())
    shares = counts[counts > 0] / counts.sum()
    low, high = float(values[0]), float(values[-1])
    _check_range(values, shares, settings, name)
    if float(shares[values < settings.below_water_hu].sum()) < settings.min_below_water_share:
        raise InputRejected(
            f"{name}: values run from {low:.0f} to {high:.0f} and nothing lies below water, "
            "so neither air nor fat: no Hounsfield units, export the original series",
            code=Refusal.NOT_HU,
        )
    soft = float(shares[(values >= settings.soft_hu[0]) & (values <= settings.soft_hu[1])].sum())
    if soft < settings.min_soft_share:
        raise InputRejected(
            f"{name}: {100 * soft:.1f} % of the values lie in the range of soft tissue "
            f"({settings.soft_hu[0]:.0f} to {settings.soft_hu[1]:.0f} HU), at least "
            f"{100 * settings.min_soft_share:.0f} % expected: no Hounsfield units of a body",
            code=Refusal.NOT_HU,
        )
    dense = float(shares[values > settings.dense_hu].sum())
    if dense > settings.max_dense_share:
        raise InputRejected(
            f"{name}: {100 * dense:.0f} % of the values lie above {settings.dense_hu:.0f}: no Hounsfield units",
            code=Refusal.NOT_HU,
        )


def _check_range(values: np.ndarray, shares: np.ndarray, settings: HounsfieldSettings, name: str) -> None:
    low, high = float(values[0]), float(values[-1])
    if high - low < settings.min_range_hu:
        raise InputRejected(
            f"{name}: values run from {low:.0f} to {high:.0f} only, as in 8-bit images: "
            "windowed values are no Hounsfield units, export the original series",
            code=Refusal.EIGHT_BIT,
        )
    spike = int(np.argmax(np.where(values > settings.air_hu, shares, 0.0)))
    if shares[spike] > settings.max_spike_share and values[spike] > settings.air_hu:
        raise InputRejected(
            f"{name}: {100 * shares[spike]:.0f} % of the values are exactly {values[spike]:.0f}: "
            "thresholded or masked, not a whole CT: export the original series",
            code=Refusal.THRESHOLDED,
        )
    if high < settings.cut_below_hu and shares[-1] > settings.max_cut_share:
        raise InputRejected(
            f"{name}: {100 * shares[-1]:.1f} % of the values are exactly the highest, {high:.0f}: "
            "bone is cut off by a window, export the original series",
            code=Refusal.EIGHT_BIT,
        )
