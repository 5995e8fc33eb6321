"""The words an answer is made of."""

from enum import StrEnum


class Tier(StrEnum):
    """The three answers of Foreman et al. 2024, for fractured vertebrae only."""

    OSTEOPOROTIC = "osteoporotic"
    MALIGNANT = "malignant"
    UNCERTAIN = "uncertain"


class Suspicion(StrEnum):
    """What may be said of a vertebra without fracture; "malignant" is no word for it."""

    SUSPICIOUS = "suspicious_unfractured"


class Interval(StrEnum):
    """What an interval beside a probability is; an interval without a name means nothing."""

    VENN_ABERS = "venn_abers"
    """Both probabilities of the inductive Venn-Abers predictor, one of which is calibrated (Vovk & Petej 2014),
    stretched to hold the printed probability."""
    ENSEMBLE_SPREAD = "ensemble_spread"
    """The least and the greatest member of the ensemble, each through the ensemble's calibration."""


class TierRule(StrEnum):
    """By which thresholds the three tiers are cut."""

    CERTIFIED = "certified"
    """Learn-then-test on the calibration cohort: both class-conditional errors are bounded."""
    AUTHORS = "authors"
    """Foreman et al. 2024: 0.95 and 0.85 on the raw softmax; nothing is promised."""
