"""A vertebra's own frame, its heights and its density."""

from wirbel.vertebra.measure import measure_all
from wirbel.vertebra.measures import (
    BodyHeights,
    Density,
    Endplate,
    Endplates,
    Frame,
    Heights,
    NotMeasured,
    Reason,
    SixPoints,
    VertebraMeasures,
)
from wirbel.vertebra.settings import DensitySettings, EdgeSettings, SixPointSettings, VertebraSettings

__all__ = [
    "BodyHeights",
    "Density",
    "DensitySettings",
    "EdgeSettings",
    "Endplate",
    "Endplates",
    "Frame",
    "Heights",
    "NotMeasured",
    "Reason",
    "SixPointSettings",
    "SixPoints",
    "VertebraMeasures",
    "VertebraSettings",
    "measure_all",
]
