"""The figures of calls and scores on an arm, with the patient as unit wherever a patient has several vertebrae."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from wirbel.cohort.appraisal.sheet import Share
from wirbel.evaluation import (
    Accuracy,
    Estimate,
    NotEstimable,
    accuracy_table,
    auc,
    clustered_accuracy_table,
    clustered_auc,
    clustered_proportion,
    confusion,
    proportion,
)


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Truth of an arm's cases and the patient of each; `patients` is None where no patient has two cases."""

    malignant: Bool[np.ndarray, "n"]
    patients: Int64[np.ndarray, "n"] | None
    level: float

    @property
    def malignant_count(self) -> int:
        """How many cases are malignant."""
        return int(self.malignant.sum())

    @property
    def other_count(self) -> int:
        """How many are not."""
        return int((~self.malignant).sum())

    def among(self, kept: Bool[np.ndarray, "n"]) -> "Units":
        """Some of the cases."""
        return Units(self.malignant[kept], None if self.patients is None else self.patients[kept], self.level)

    def area(self, scores: Float64[np.ndarray, "n"]) -> Estimate | NotEstimable:
        """AUC of a score."""
        patients = self.patients
        if patients is None:
            return or_blank(lambda: auc(self.malignant, scores, level=self.level))
        return or_blank(lambda: clustered_auc(self.malignant, scores, patients, level=self.level))

    def accuracy(self, called: Bool[np.ndarray, "n"]) -> Accuracy | NotEstimable:
        """Every figure of yes-or-no calls."""
        patients = self.patients
        if patients is None:
            return _accuracy_or_blank(lambda: accuracy_table(confusion(self.malignant, called), level=self.level))
        return _accuracy_or_blank(
            lambda: clustered_accuracy_table(self.malignant, called, patients, level=self.level)
        )

    def share(self, hit: Bool[np.ndarray, "n"], of: Bool[np.ndarray, "n"] | None = None) -> Share:
        """How many of the cases `of` (all without) are hit."""
        chosen = np.ones_like(hit) if of is None else of
        hits, total = int((hit & chosen).sum()), int(chosen.sum())
        if total == 0:
            return Share(0, 0, NotEstimable("no such case"))
        if self.patients is None or hits in (0, total):
            return Share(hits, total, proportion(hits, total, level=self.level))
        patients = self.patients[chosen]
        return Share(
            hits, total, or_blank(lambda: clustered_proportion(hit[chosen], patients, level=self.level))
        )


def or_blank(figure: Callable[[], Estimate]) -> Estimate | NotEstimable:
    """A figure, or why the sample cannot say it."""
    try:
        return figure()
    except ValueError as exc:
        return NotEstimable(str(exc))


def _accuracy_or_blank(figure: Callable[[], Accuracy]) -> Accuracy | NotEstimable:
    try:
        return figure()
    except ValueError as exc:
        return NotEstimable(str(exc))
