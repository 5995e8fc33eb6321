"""Why a drawn vertebra looks as it does."""

from enum import StrEnum


class DrawnCause(StrEnum):
    """The truth a classifier is asked for, and the causes that it must not mistake for either."""

    OSTEOPOROTIC_FRACTURE = "osteoporotic_fracture"
    MALIGNANT_FRACTURE = "malignant_fracture"
    MALIGNANT_LESION = "malignant_lesion"
    """A malignant lesion in a vertebra that is not fractured."""
    NORMAL = "normal"
    DEGENERATE = "degenerate"
    HAEMANGIOMA = "haemangioma"
    BONE_ISLAND = "bone_island"
    SCHMORL = "schmorl"
    EROSIVE_ENDPLATE = "erosive_endplate"
    CEMENT = "cement"
    RADIATION = "radiation_change"
    PAGET = "paget"
    SPONDYLODISCITIS = "spondylodiscitis"


#: Causes that come with a fracture.
FRACTURED: frozenset[DrawnCause] = frozenset({DrawnCause.OSTEOPOROTIC_FRACTURE, DrawnCause.MALIGNANT_FRACTURE})
#: Causes that count as malignant in the study.
MALIGNANT: frozenset[DrawnCause] = frozenset({DrawnCause.MALIGNANT_FRACTURE, DrawnCause.MALIGNANT_LESION})
#: Causes that are neither, and unfractured: what an unfractured malignant lesion has to be told from.
MIMICS: tuple[DrawnCause, ...] = (
    DrawnCause.DEGENERATE,
    DrawnCause.HAEMANGIOMA,
    DrawnCause.BONE_ISLAND,
    DrawnCause.SCHMORL,
    DrawnCause.EROSIVE_ENDPLATE,
    DrawnCause.CEMENT,
    DrawnCause.RADIATION,
    DrawnCause.PAGET,
)
