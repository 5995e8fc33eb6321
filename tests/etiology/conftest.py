"""Simulated scores with known truth, and scorers that stand in for networks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from wirbel.etiology import Calibrations, LabelledScores, RawScore, ScorerIdentity
from wirbel.finding import Findings
from wirbel.spine import Spine
from wirbel.vertebra import VertebraMeasures
from wirbel.volume import Volume


def simulated_scores(  # one argument for each property of the cohort
    rng: np.random.Generator,
    *,
    malignant: int = 60,
    osteoporotic: int = 60,
    per_patient: int = 2,
    apart: float = 3.0,
    slope: float = 1.0,
    members: int = 3,
    features: int = 0,
) -> LabelledScores:
    """Patients whose true log-odds are the score times `slope` (normal classes `apart`, equal shares)."""
    patients, truth = [], []
    for i in range(malignant + osteoporotic):
        patients += [f"p{i:04d}"] * per_patient
        truth += [i < malignant] * per_patient
    y = np.array(truth)
    x = rng.normal(np.where(y, apart / 2, -apart / 2))
    x = apart * x / slope
    noise = rng.normal(0, 0.1, (y.size, members))
    seen = rng.normal(np.where(y, 1.0, -1.0)[:, None], 1.0, (y.size, features))
    return LabelledScores(
        tuple(patients), tuple(f"T{i}" for i in range(y.size)), y,
        x[:, None] + noise - noise.mean(axis=1, keepdims=True), seen,
    )  # fmt: skip


@dataclass
class FixedScorer:
    """Gives each vertebra the score it was told; remembers what it was asked."""

    by_label: dict[int, float]
    calibrations: Calibrations = field(default_factory=Calibrations)
    members: int = 3
    trained_with_normals: bool = False
    features: tuple[float, ...] = ()
    asked: list[list[int]] = field(default_factory=list)

    @property
    def identity(self) -> ScorerIdentity:
        return ScorerIdentity("fixed", "d" * 64, self.members, self.trained_with_normals)

    def __call__(
        self,
        ct: Volume,
        spine: Spine,
        measures: Sequence[VertebraMeasures],
        findings: Findings,
        labels: Sequence[int],
        /,
    ) -> tuple[RawScore, ...]:
        self.asked.append(list(labels))
        spread = np.linspace(-0.2, 0.2, self.members)
        return tuple(
            RawScore(label, tuple((self.by_label[label] + spread).tolist()), self.features)
            for label in labels
            if label in self.by_label
        )


@pytest.fixture(scope="session", name="simulated_scores")
def _simulated_scores():
    """The factory of simulated labelled scores."""
    return simulated_scores


@pytest.fixture(scope="session", name="fixed_scorer")
def _fixed_scorer():
    """A scorer's class that gives the scores it was told."""
    return FixedScorer
