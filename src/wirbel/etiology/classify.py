"""The answer while no classifier is installed."""

from collections.abc import Sequence

from wirbel.etiology.etiology import Cause, Etiology
from wirbel.vertebra import NotMeasured, Reason


def no_classifier(labels: Sequence[int]) -> Etiology:
    """Every vertebra without an answer, and the reason: no classifier is installed."""
    return Etiology(tuple(Cause(label, NotMeasured(Reason.NO_CLASSIFIER)) for label in labels))
