"""The etiology room's numbers, each once, with its source."""

from dataclasses import dataclass, field

from wirbel.errors import UsageError
from wirbel.etiology.vocabulary import Interval, TierRule


@dataclass(frozen=True, slots=True)
class AuthorsThresholds:
    """Foreman et al. 2024, public code: tiers on the raw softmax, each on its own class."""

    osteoporotic_from: float = 0.95
    malignant_from: float = 0.85


@dataclass(frozen=True, slots=True)
class RefusalSettings:
    """`least_detector_score`: below it the segmenter itself doubts that this is a vertebra (ours: the middle of its
    scale)."""

    least_detector_score: float = 0.5


@dataclass(frozen=True, slots=True)
class EtiologySettings:
    """`rule` cuts the tiers; `interval` stands beside the probability; `prevalence` is the share of malignant among
    the fractured vertebrae that the probability assumes (None: that of the calibration cohort).

    `simulated_answers`: whether a calibration on drawings may speak of a real CT, of fractures or of lesions
    without one. Not unless asked for: it does not know how many sound real vertebrae lie above its thresholds.
    Forced upon 71 vertebrae of real CTs without a known lesion the first shipped classifier answered for 15, and
    called 13 of them malignant.
    """

    rule: TierRule = TierRule.CERTIFIED
    interval: Interval = Interval.VENN_ABERS
    prevalence: float | None = None
    simulated_answers: bool = False
    authors: AuthorsThresholds = field(default_factory=AuthorsThresholds)
    refusal: RefusalSettings = field(default_factory=RefusalSettings)

    def __post_init__(self) -> None:
        if self.prevalence is not None and not 0.0 < self.prevalence < 1.0:
            raise UsageError(
                f"the share of malignant fractures must lie between 0 and 1, got {self.prevalence:g}: give a"
                " fraction such as 0.3"
            )
