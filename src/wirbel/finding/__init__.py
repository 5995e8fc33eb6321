"""What the measures say: Genant grade and shape, kyphosis, warnings."""

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

__all__ = [
    "BoneScreen",
    "Caution",
    "ContrastPhase",
    "DensityReading",
    "Finding",
    "Findings",
    "Grade",
    "Kyphosis",
    "Shape",
    "Verdict",
    "Why",
]
