"""A vertebra's own frame, its heights and its density."""

from wirbel.vertebra.measures import (
    BodyHeights,
    Density,
    Frame,
    Heights,
    NotMeasured,
    Reason,
    SixPoints,
    VertebraMeasures,
)

__all__ = [
    "BodyHeights",
    "Density",
    "Frame",
    "Heights",
    "NotMeasured",
    "Reason",
    "SixPoints",
    "VertebraMeasures",
]
