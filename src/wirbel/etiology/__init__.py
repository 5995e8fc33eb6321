"""Osteoporotic, malignant or uncertain: the place for a classifier."""

from wirbel.etiology.classify import no_classifier
from wirbel.etiology.etiology import Cause, Etiology, Tier

__all__ = ["Cause", "Etiology", "Tier", "no_classifier"]
