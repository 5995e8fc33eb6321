"""One picture a sign: a section along the vertebra's own axes through the place where the sign is largest."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float32, Float64

from wirbel.finding.signs.record import Sign, Signs
from wirbel.spine import Spine
from wirbel.vertebra import Frame
from wirbel.vertebra.local import sample
from wirbel.volume import Volume

PIXEL_MM = 0.5
HALF_MM = 38.0
OUTSIDE_HU = -1024.0


class SignPlane(StrEnum):
    """The plane of a picture, in the vertebra's own frame."""

    SAGITTAL = "sagittal"
    AXIAL = "axial"
    CORONAL = "coronal"


#: The plane in which a reader looks for each sign.
PLANES: dict[Sign, SignPlane] = {
    Sign.CORTEX: SignPlane.AXIAL,
    Sign.POSTERIOR_CORTEX: SignPlane.AXIAL,
    Sign.PEDICLE_LEFT: SignPlane.AXIAL,
    Sign.PEDICLE_RIGHT: SignPlane.AXIAL,
    Sign.CONVEXITY: SignPlane.SAGITTAL,
    Sign.RETROPULSION: SignPlane.SAGITTAL,
    Sign.CANAL: SignPlane.AXIAL,
    Sign.VACUUM: SignPlane.SAGITTAL,
    Sign.EPIDURAL: SignPlane.AXIAL,
    Sign.PARAVERTEBRAL: SignPlane.AXIAL,
    Sign.LINE_AREA: SignPlane.SAGITTAL,
    Sign.LYTIC: SignPlane.SAGITTAL,
    Sign.SCLEROTIC: SignPlane.SAGITTAL,
    Sign.ENDPLATES: SignPlane.SAGITTAL,
}


@dataclass(frozen=True, slots=True, eq=False)
class SignPicture:
    """A section as data: `hu`, the sign (`overlay`) and the vertebra's mask (`vertebra`) on one raster of pixels.

    Row 0 is superior (sagittal, coronal) or anterior (axial); column 0 is anterior (sagittal) or the patient's
    right (axial, coronal), as radiologists look at them. `centre_lps_mm` is the raster's middle, `right_lps` and
    `down_lps` are unit vectors along columns and rows.
    """

    sign: Sign
    plane: SignPlane
    centre_lps_mm: Float64[np.ndarray, "3"]
    right_lps: Float64[np.ndarray, "3"]
    down_lps: Float64[np.ndarray, "3"]
    pixel_mm: float
    hu: Float32[np.ndarray, "h w"]
    overlay: Bool[np.ndarray, "h w"]
    vertebra: Bool[np.ndarray, "h w"]


def picture_of(ct: Volume, spine: Spine, signs: Signs, frame: Frame, sign: Sign) -> SignPicture | None:
    """The picture of a sign; None where the sign has no place (absent, not measured, or a number without a
    place)."""
    plane, evidence = PLANES.get(sign), signs.evidence.get(sign)
    if plane is None or evidence is None:
        return None
    normal, right, down = _axes(frame, plane)
    index = np.argwhere(evidence.labels > 0).astype(np.float64)
    points = evidence.grid.to_lps_mm(index)
    along = (points - frame.origin_lps_mm) @ normal
    rows, counts = np.unique(np.rint(along), return_counts=True)
    fullest = rows[counts >= 0.98 * counts.max()]
    at = float(fullest[int(np.argmin(np.abs(fullest - np.median(along))))])
    back_mm = 10.0 if plane is not SignPlane.CORONAL else 0.0
    in_plane = frame.origin_lps_mm - back_mm * frame.anterior
    centre = in_plane + (at - (in_plane - frame.origin_lps_mm) @ normal) * normal
    steps = np.arange(-HALF_MM, HALF_MM + 0.01, PIXEL_MM)
    raster = centre + steps[:, None, None] * down + steps[None, :, None] * right
    own = (spine.instances.labels == signs.label).astype(np.float32)
    return SignPicture(
        sign,
        plane,
        centre,
        right,
        down,
        PIXEL_MM,
        sample(ct.hu, ct.grid, raster, outside=OUTSIDE_HU).astype(np.float32),
        sample(evidence.labels.astype(np.float32), evidence.grid, raster, outside=0.0) >= 0.4,
        sample(own, spine.grid, raster, outside=0.0) >= 0.5,
    )


def _axes(
    frame: Frame, plane: SignPlane
) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """Normal, direction of columns, direction of rows."""
    if plane is SignPlane.SAGITTAL:
        return frame.left, -frame.anterior, -frame.superior
    if plane is SignPlane.AXIAL:
        return frame.superior, frame.left, -frame.anterior
    return frame.anterior, frame.left, -frame.superior


