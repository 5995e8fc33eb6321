"""Osteoporotic, malignant or uncertain, or why no answer is given."""

from dataclasses import dataclass

from wirbel.etiology.heat import HeatMap
from wirbel.etiology.refusal import Refusal
from wirbel.etiology.vocabulary import Interval, Suspicion, Tier, TierRule
from wirbel.vertebra import NotMeasured


@dataclass(frozen=True, slots=True)
class Cause:
    """The answer for one vertebra; `answer` is a reason where nothing is said.

    `p_malignant` is calibrated, in [0, 1], for the share of malignant fractures `prevalence` (0..1); `low` and
    `high` are its interval, of the kind `interval`. `rule` says what cut the tiers. `reasons` say why the answer is
    uncertain or missing, in order of weight. `suspicion` is for vertebrae without fracture, and then the only
    thing said. `heat` is where the scorer looked, for a fracture with an answer or a suspicion, where it can tell.
    `members` are the raw log-odds of whoever scored, for `wirbel recalibrate`; empty where nobody did. They are no
    probabilities.
    """

    label: int
    answer: Tier | NotMeasured
    p_malignant: float | None = None
    low: float | None = None
    high: float | None = None
    interval: Interval | None = None
    prevalence: float | None = None
    rule: TierRule | None = None
    reasons: tuple[Refusal, ...] = ()
    suspicion: Suspicion | None = None
    heat: HeatMap | None = None
    members: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Etiology:
    """One `Cause` a vertebra, in the column's order."""

    vertebrae: tuple[Cause, ...]
