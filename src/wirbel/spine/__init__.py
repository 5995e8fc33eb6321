"""Vertebrae found, segmented and named."""

from wirbel.spine.evidence import Part, Segmenter, SpineEvidence, VertebraEvidence
from wirbel.spine.level import FROM_ABOVE, Level
from wirbel.spine.spine import Numbering, NumberingReason, NumberingStatus, Spine, Variant, Vertebra

__all__ = [
    "FROM_ABOVE",
    "Level",
    "Numbering",
    "NumberingReason",
    "NumberingStatus",
    "Part",
    "Segmenter",
    "Spine",
    "SpineEvidence",
    "Variant",
    "Vertebra",
    "VertebraEvidence",
]
