"""Where a body is denser or darker than its marrow: endplates, veins, lesions, the band of a fracture."""

import numpy as np

from wirbel.phantom.anatomy import VertebraShape
from wirbel.phantom.body import Endplate, surface

SCLEROSIS_HU = 320.0
BAND_HU = 190.0
VEIN_HU = -70.0


def extra_hu(v: VertebraShape, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """HU on top of the marrow's, in the body's own frame."""
    b, change = v.body, v.change
    h, half = b.half_height_mm, 0.5 * b.depth_mm
    out = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), np.float32)
    for sign, plate, worn in ((1, b.upper, change.sclerosis[0]), (-1, b.lower, change.sclerosis[1])):
        broken = _sunk(plate)
        if worn <= 0.03 and broken <= 0.5:
            continue
        under = surface(plate, b, x, y) - sign * z
        if worn > 0.03:
            out += np.float32(SCLEROSIS_HU * worn) * np.exp(-np.clip(under, 0, 30) / 2.5)
        if broken > 0.5:
            away = (under - 2.5 - 0.25 * broken) / (1.5 + 0.15 * broken)
            out += np.float32(BAND_HU * min(broken / 6.0, 1.0)) * np.exp(-(away**2))
    # the basivertebral vein: a flat fan that opens toward the back wall, halfway up
    fan = np.clip((y + 0.1 * half) / half, 0, 1)
    out += np.float32(VEIN_HU) * fan * np.exp(-((z / (0.10 * h + 1.0)) ** 2) - (x / (2.0 + 5.0 * (1 - fan))) ** 2)
    for lesion in change.lesions:
        cx, cy, cz = lesion.centre
        q = ((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) / np.float32(lesion.radius_mm**2)
        inside = 1 / (1 + np.exp(np.clip(6 * (q - 1), -30, 30)))
        if lesion.striped:
            inside = inside * (1 - 2.4 * (np.sin(1.9 * x) * np.sin(1.9 * y) > 0.55))
        out += np.float32(lesion.extra_hu) * inside
    return out


def _sunk(plate: Endplate) -> float:
    """How far a fracture has driven the plate in, mm."""
    return max(plate.sink_front, plate.sink_middle, plate.sink_back)
