"""Vertebrae found, segmented and named."""

from wirbel.spine.evidence import Part, Segmenter, SpineEvidence, VertebraEvidence
from wirbel.spine.given import evidence_from_masks
from wirbel.spine.level import FROM_ABOVE, Level
from wirbel.spine.naming import name_levels
from wirbel.spine.settings import SpineSettings
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
    "SpineSettings",
    "Variant",
    "Vertebra",
    "VertebraEvidence",
    "evidence_from_masks",
    "name_levels",
]
