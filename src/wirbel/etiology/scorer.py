"""What a classifier must offer to be asked: raw scores, one a member of its ensemble, and who it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Protocol, runtime_checkable

from wirbel.errors import ModelError
from wirbel.etiology.calibration import Calibration
from wirbel.etiology.heat import HeatMap
from wirbel.finding import Findings
from wirbel.spine import Spine
from wirbel.vertebra import VertebraMeasures
from wirbel.volume import Volume


@dataclass(frozen=True, slots=True)
class RawScore:
    """One vertebra's scores before calibration.

    `members`: log-odds of malignant against osteoporotic of each network of the ensemble, in a fixed order (for
    two outputs of a softmax their difference before it; log-odds do not saturate). `features`: what "unlike the
    training data" is judged by, the same places for every vertebra; empty where the scorer has none. `heat` is
    where it looked, None where the scorer cannot tell.
    """

    label: int
    members: tuple[float, ...]
    features: tuple[float, ...] = ()
    heat: HeatMap | None = None

    def __post_init__(self) -> None:
        if not self.members:
            raise ModelError(f"vertebra {self.label} was scored by no member: leave it out of the answer instead")
        if not all(map(isfinite, (*self.members, *self.features))):
            raise ModelError(
                f"vertebra {self.label} got a score or feature that is no number: leave it out of the answer"
            )

    @property
    def log_odds(self) -> float:
        """The ensemble's score: the mean of its members' log-odds."""
        return sum(self.members) / len(self.members)


@dataclass(frozen=True, slots=True)
class ScorerIdentity:
    """Who scores. `digest` is over all networks of the ensemble: a calibration belongs to exactly one.

    `simulated` says that it was trained on simulated images.
    """

    name: str
    digest: str
    members: int
    trained_with_normals: bool
    version: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Calibrations:
    """What the scores mean: for fractured vertebrae, and apart from it for unfractured ones (normal and degenerate
    ones among them); None where nobody fitted it."""

    fractured: Calibration | None = None
    unfractured: Calibration | None = None


@runtime_checkable
class EtiologyScorer(Protocol):
    """Scores vertebrae; what the scores mean is its calibration's."""

    @property
    def identity(self) -> ScorerIdentity:
        """Who scores."""
        ...

    @property
    def calibrations(self) -> Calibrations:
        """Fitted for this very ensemble."""
        ...

    def __call__(
        self,
        ct: Volume,
        spine: Spine,
        measures: Sequence[VertebraMeasures],
        findings: Findings,
        labels: Sequence[int],
        /,
    ) -> tuple[RawScore, ...]:
        """Scores of the vertebrae named by `labels`; one that cannot be scored is left out, never given a number.

        `measures` and `findings.vertebrae` run in the order of `spine.vertebrae`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """A scorer whose scores mean what a site found with `wirbel recalibrate`.

    What the site did not fit stays as shipped: a whole population, and where its table had no features, what counts
    as unlike the cohort.
    """

    scorer: EtiologyScorer
    site: Calibrations

    @property
    def calibrations(self) -> Calibrations:
        """The site's, with the gaps filled."""
        shipped = self.scorer.calibrations
        return Calibrations(
            _filled(self.site.fractured, shipped.fractured), _filled(self.site.unfractured, shipped.unfractured)
        )

    @property
    def identity(self) -> ScorerIdentity:
        """Who scores: the same networks."""
        return self.scorer.identity

    def __call__(
        self,
        ct: Volume,
        spine: Spine,
        measures: Sequence[VertebraMeasures],
        findings: Findings,
        labels: Sequence[int],
        /,
    ) -> tuple[RawScore, ...]:
        """The scorer's own raw scores."""
        return self.scorer(ct, spine, measures, findings, labels)


def _filled(site: Calibration | None, shipped: Calibration | None) -> Calibration | None:
    if site is None or shipped is None:
        return site or shipped
    return site if site.novelty is not None else replace(site, novelty=shipped.novelty)
