"""Who is left out and why: the study's rules on levels and reference standard, and what images and masks allow."""

from dataclasses import dataclass
from enum import StrEnum

from wirbel.cohort.facts import ImageFacts
from wirbel.cohort.labelled import Diagnosis, LabelledVertebra, Source


class Stage(StrEnum):
    """The steps of the flow diagram, in order."""

    IMAGE = "image and mask"
    LEVEL = "level"
    REFERENCE = "reference standard"


class Reason(StrEnum):
    """Why a vertebra is left out."""

    ROW_NOT_READ = "row_not_read"
    NO_IMAGE = "no_image"
    IMAGE_REFUSED = "image_refused"
    NO_MASK = "no_mask"
    NOT_IN_MASK = "not_in_mask"
    CUT_BY_BORDER = "cut_by_border"
    CERVICAL = "cervical"
    SACRAL = "sacral"
    UNCLEAR = "unclear"
    NO_SOURCE = "no_source"
    EXPERT_ONLY = "expert_only"
    PET_CT_AFTER_FRACTURE = "pet_ct_after_fracture"
    PET_CT_WITHOUT_DATE = "pet_ct_without_date"
    FOLLOW_UP_TOO_SHORT = "follow_up_too_short"
    FOLLOW_UP_WITHOUT_LENGTH = "follow_up_without_length"
    BENIGN_NOT_PROVEN = "benign_not_proven"


#: Step and words of each reason.
REASONS: dict[Reason, tuple[Stage, str]] = {
    Reason.ROW_NOT_READ: (Stage.IMAGE, "row cannot be read"),
    Reason.NO_IMAGE: (Stage.IMAGE, "no CT"),
    Reason.IMAGE_REFUSED: (Stage.IMAGE, "CT cannot be used"),
    Reason.NO_MASK: (Stage.IMAGE, "no usable mask"),
    Reason.NOT_IN_MASK: (Stage.IMAGE, "vertebra not in the mask"),
    Reason.CUT_BY_BORDER: (Stage.IMAGE, "cut by the image's border"),
    Reason.CERVICAL: (Stage.LEVEL, "cervical"),
    Reason.SACRAL: (Stage.LEVEL, "sacral"),
    Reason.UNCLEAR: (Stage.REFERENCE, "class unclear"),
    Reason.NO_SOURCE: (Stage.REFERENCE, "no source named"),
    Reason.EXPERT_ONLY: (Stage.REFERENCE, "expert's reading alone"),
    Reason.PET_CT_AFTER_FRACTURE: (Stage.REFERENCE, "PET-CT not before the fracture"),
    Reason.PET_CT_WITHOUT_DATE: (Stage.REFERENCE, "PET-CT without a date"),
    Reason.FOLLOW_UP_TOO_SHORT: (Stage.REFERENCE, "follow-up under 3 months"),
    Reason.FOLLOW_UP_WITHOUT_LENGTH: (Stage.REFERENCE, "follow-up without a length"),
    Reason.BENIGN_NOT_PROVEN: (Stage.REFERENCE, "benign without follow-up"),
}


@dataclass(frozen=True, slots=True)
class StudyRules:
    """The study's limits (Foreman et al. 2024): what counts as proof that a fracture is benign."""

    least_follow_up_months: float = 3.0


def image_reason(vertebra: LabelledVertebra, facts: ImageFacts | None) -> Reason | None:
    """Why image and mask do not allow its use; `facts` None: there is no CT."""
    if facts is None:
        return Reason.NO_IMAGE
    if not facts.looked:
        return Reason.NO_MASK if facts.image.mask is None else None
    if facts.digest is None:
        return Reason.IMAGE_REFUSED
    if not facts.levels:
        return Reason.NO_MASK
    if vertebra.level not in facts.levels:
        return Reason.NOT_IN_MASK
    return Reason.CUT_BY_BORDER if vertebra.level in facts.cut else None


def level_reason(vertebra: LabelledVertebra) -> Reason | None:
    """The study covers the thoracic and the lumbar spine."""
    return {"C": Reason.CERVICAL, "S": Reason.SACRAL}.get(vertebra.level.region)


def reference_reason(vertebra: LabelledVertebra, rules: StudyRules) -> Reason | None:
    """Why the class is not proven well enough.

    Malignant: histology, or a reading supported by MR, SPECT, follow-up or a PET-CT made before the fracture (for
    an unfractured vertebra whenever). Osteoporotic: follow-up of at least 3 months; histology is taken too (ours).
    Normal and mimic, which the study lacks: any source, an expert's reading included (ours).
    """
    if vertebra.diagnosis is Diagnosis.UNCLEAR:
        return Reason.UNCLEAR
    sources = set(vertebra.sources)
    if not sources:
        return Reason.NO_SOURCE
    if sources & {Source.HISTOLOGY, Source.SIMULATION}:
        return None
    if vertebra.diagnosis is Diagnosis.OSTEOPOROTIC_FRACTURE:
        return _benign_reason(vertebra, sources, rules)
    return _malignant_reason(vertebra, sources) if vertebra.diagnosis.is_malignant else None


def _benign_reason(vertebra: LabelledVertebra, sources: set[Source], rules: StudyRules) -> Reason | None:
    if Source.FOLLOW_UP not in sources:
        return Reason.EXPERT_ONLY if sources == {Source.EXPERT} else Reason.BENIGN_NOT_PROVEN
    if vertebra.follow_up_months is None:
        return Reason.FOLLOW_UP_WITHOUT_LENGTH
    return Reason.FOLLOW_UP_TOO_SHORT if vertebra.follow_up_months < rules.least_follow_up_months else None


def _malignant_reason(vertebra: LabelledVertebra, sources: set[Source]) -> Reason | None:
    if sources & {Source.MR, Source.SPECT, Source.FOLLOW_UP}:
        return None
    if Source.PET_CT not in sources:
        return Reason.EXPERT_ONLY
    if vertebra.diagnosis is Diagnosis.MALIGNANT_LESION:
        return None
    if vertebra.pet_ct_days is None:
        return Reason.PET_CT_WITHOUT_DATE
    return Reason.PET_CT_AFTER_FRACTURE if vertebra.pet_ct_days >= 0 else None
