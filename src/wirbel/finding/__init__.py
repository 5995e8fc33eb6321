"""What the measures say: Genant grade and shape, kyphosis, warnings."""

from wirbel.finding.find import find_all
from wirbel.finding.finding import (
    BoneScreen,
    Caution,
    ContrastPhase,
    DensityReading,
    Finding,
    Findings,
    Grade,
    Kyphosis,
    Shape,
    Verdict,
    Why,
)
from wirbel.finding.settings import (
    AnkylosisSettings,
    FindingSettings,
    GradeSettings,
    ScreenSettings,
    VesselSettings,
)

__all__ = [
    "AnkylosisSettings",
    "BoneScreen",
    "Caution",
    "ContrastPhase",
    "DensityReading",
    "Finding",
    "FindingSettings",
    "Findings",
    "Grade",
    "GradeSettings",
    "Kyphosis",
    "ScreenSettings",
    "Shape",
    "Verdict",
    "VesselSettings",
    "Why",
    "find_all",
]
