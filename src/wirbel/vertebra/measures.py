"""What is measured of one vertebra, or why it is not."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float64


class Reason(StrEnum):
    """Why something is not measured."""

    TOUCHES_EDGE = "touches_edge"
    METAL = "metal"
    CEMENT = "cement"
    TOO_COARSE = "too_coarse"
    MASK_POOR = "mask_poor"
    NO_BODY = "no_body"
    LEVEL_NOT_GRADED = "level_not_graded"
    NO_NEIGHBOURS = "no_neighbours"
    NO_CALIBRATION = "no_calibration"
    CONTRAST = "contrast"
    NOT_HU = "not_hu"
    NO_CLASSIFIER = "no_classifier"
    NOT_FRACTURED = "not_fractured"
    TUBE_VOLTAGE = "tube_voltage"
    KERNEL = "kernel"
    SPECTRAL = "spectral"
    NOT_PRESENT = "not_present"
    NOT_SEPARABLE = "not_separable"


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """A deliberate blank: the reason is part of the result; `detail` is English and holds numbers only."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The vertebra's own axes: unit vectors in LPS toward superior, anterior, left; origin = body centre."""

    origin_lps_mm: Float64[np.ndarray, "3"]
    superior: Float64[np.ndarray, "3"]
    anterior: Float64[np.ndarray, "3"]
    left: Float64[np.ndarray, "3"]


@dataclass(frozen=True, slots=True, eq=False)
class SixPoints:
    """The six points of Genant's morphometry in one parasagittal plane, LPS mm."""

    anterior_superior: Float64[np.ndarray, "3"]
    middle_superior: Float64[np.ndarray, "3"]
    posterior_superior: Float64[np.ndarray, "3"]
    anterior_inferior: Float64[np.ndarray, "3"]
    middle_inferior: Float64[np.ndarray, "3"]
    posterior_inferior: Float64[np.ndarray, "3"]


@dataclass(frozen=True, slots=True)
class Heights:
    """Anterior, middle and posterior height in mm."""

    anterior_mm: float
    middle_mm: float
    posterior_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class BodyHeights:
    """Heights over several parasagittal planes.

    `median`: the median over planes, each height on its own. `worst`: the plane with the smallest ratio of
    smallest to largest height. `points`: the six points of the median plane nearest the midline, for drawing.
    """

    median: Heights
    worst: Heights
    depth_mm: float
    planes: int
    points: SixPoints


@dataclass(frozen=True, slots=True)
class Density:
    """Trabecular density of the body: median HU of the eroded, lesion- and vessel-robust core."""

    median_hu: float
    iqr_hu: float
    volume_mm3: float
    mg_cm3: float | NotMeasured


@dataclass(frozen=True, slots=True, eq=False)
class Endplate:
    """One endplate: its normal (unit vector in LPS toward superior) and its median sagittal profile.

    `sunk_mm`: how far it lies inside the chord between the anterior and the posterior station, from posterior to
    anterior at equal steps, positive into the body.
    """

    normal: Float64[np.ndarray, "3"]
    sunk_mm: tuple[float, ...]

    @property
    def deepest_mm(self) -> float:
        """Largest depth inside the chord."""
        return max(self.sunk_mm)


@dataclass(frozen=True, slots=True, eq=False)
class Endplates:
    """Both endplates; `wedge_deg` is the angle between them in the body's sagittal plane, positive: lower in
    front."""

    upper: Endplate
    lower: Endplate
    wedge_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class VertebraMeasures:
    """All measures of one vertebra; `label` is its number in the masks."""

    label: int
    frame: Frame | NotMeasured
    heights: BodyHeights | NotMeasured
    wedge_deg: float | NotMeasured
    density: Density | NotMeasured
    body_volume_mm3: float | NotMeasured
    endplates: Endplates | NotMeasured = NotMeasured(Reason.MASK_POOR)
