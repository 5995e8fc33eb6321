"""How a cohort's scores are appraised: levels, bands, prevalences, seeds; each once."""

from dataclasses import dataclass, field

from wirbel.errors import UsageError
from wirbel.etiology import AuthorsThresholds, Promise

#: Fractures from which an arm is for conclusions; smaller ones show the study's structure alone.
CONCLUSIONS_FROM = 300


@dataclass(frozen=True, slots=True)
class AppraisalSettings:
    """`level` of every interval; `replicates` of every bootstrap, drawn from `seed`; `bins` of equal counts for the
    calibration; a subgroup with fewer than `least_of_a_class` of either class shows counts only; `prevalences` of
    malignant among fractures for predictive values; `age_bands_years` are the lower ends of all but the first.

    `promise` is what certified tiers hold where they are fitted here; `operating_log_odds` is the study's cut, the
    larger of the two softmax outputs.
    """

    level: float = 0.95
    seed: int = 20261121
    replicates: int = 2000
    bins: int = 10
    least_of_a_class: int = 10
    prevalences: tuple[float, ...] = (0.05, 0.10, 0.20, 0.30, 0.40, 0.50, 0.60)
    age_bands_years: tuple[int, ...] = (60, 70, 80)
    operating_log_odds: float = 0.0
    authors: AuthorsThresholds = field(default_factory=AuthorsThresholds)
    promise: Promise = field(default_factory=Promise)

    def __post_init__(self) -> None:
        if not self.prevalences or not all(0.0 < p < 1.0 for p in self.prevalences):
            raise UsageError(
                f"prevalences must lie between 0 and 1, got {', '.join(f'{p:g}' for p in self.prevalences)}: give "
                "fractions such as 0.1"
            )
        if self.replicates < 100:
            raise UsageError(f"at least 100 bootstrap replicates are needed, got {self.replicates}")
