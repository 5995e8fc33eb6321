"""Power and sample size of a factorial two-treatment reader study, from the components of a pilot study.

Hillis, Obuchowski & Berbaum, Acad Radiol 2011;18:129 (eq. 5-8): the case covariances shrink with the number
of cases, the reader x treatment variance does not; the noncentral F has Hillis's degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from wirbel.evaluation.mrmc.anova import Components
from wirbel.evaluation.mrmc.results import Inference, hillis_df


@dataclass(frozen=True, slots=True)
class Power:
    """Power of the two-sided test, and what it was computed from; `df2` is infinite for fixed readers."""

    power: float
    effect: float
    readers: int
    cases: int
    alpha: float
    inference: Inference
    noncentrality: float
    df2: float
    critical: float


def power(
    pilot: Components,
    *,
    effect: float,
    readers: int,
    cases: int,
    pilot_cases: int,
    inference: Inference = Inference.RANDOM_READERS_RANDOM_CASES,
    alpha: float = 0.05,
) -> Power:
    """Power to see a true difference `effect` of the mean figures, with the pilot's share of diseased cases."""
    _check(pilot, effect, readers, cases, pilot_cases, inference, alpha)
    shrink = pilot_cases / cases
    shared = pilot.shared_cases * shrink
    own = (pilot.error - pilot.cov1) * shrink
    interaction = max(pilot.treatment_reader, 0.0)
    if inference is Inference.RANDOM_READERS_RANDOM_CASES:
        denominator, mean_square = interaction + own + (readers - 1) * shared, interaction + own - shared
        df2 = hillis_df(denominator, mean_square, readers - 1)
    elif inference is Inference.FIXED_READERS:
        denominator, df2 = own + (readers - 1) * shared, np.inf
    else:
        denominator, df2 = interaction + own - shared, float(readers - 1)
    if not denominator > 0:
        raise ValueError(
            f"the pilot's components give a variance of {denominator:.3g}: no power can be computed from them"
        )
    noncentrality = effect**2 * readers / (2.0 * denominator)
    if np.isinf(df2):
        critical = float(stats.chi2.isf(alpha, 1))
        chance = float(stats.ncx2.sf(critical, 1, noncentrality))
    else:
        critical = float(stats.f.isf(alpha, 1, df2))
        chance = float(stats.ncf.sf(critical, 1, df2, noncentrality))
    return Power(chance, effect, readers, cases, alpha, inference, noncentrality, df2, critical)


def cases_needed(
    pilot: Components,
    *,
    target: float,
    effect: float,
    readers: int,
    pilot_cases: int,
    inference: Inference = Inference.RANDOM_READERS_RANDOM_CASES,
    alpha: float = 0.05,
    limit: int = 20_000,
) -> Power:
    """Fewest cases that reach the `target` power; ValueError where no number up to `limit` does."""
    if not 0 < target < 1:
        raise ValueError(f"the target power must lie between 0 and 1, got {target}")

    def at(cases: int) -> Power:
        return power(
            pilot, effect=effect, readers=readers, cases=cases, pilot_cases=pilot_cases, inference=inference,
            alpha=alpha,
        )

    low, high = 2, limit
    if at(high).power < target:
        raise ValueError(
            f"{readers} readers reach a power of {at(high).power:.3f} even with {limit} cases, less than {target}: "
            "more readers are needed"
        )
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle).power >= target else (middle + 1, high)
    return at(low)


def _check(
    pilot: Components, effect: float, readers: int, cases: int, pilot_cases: int, inference: Inference, alpha: float
) -> None:
    if effect == 0 or not np.isfinite(effect):
        raise ValueError(f"the effect must be a finite number other than 0, got {effect}")
    if readers < 1 or (readers < 2 and inference is not Inference.FIXED_READERS):
        raise ValueError(f"random readers need at least 2 readers, got {readers}")
    if cases < 2 or pilot_cases < 2:
        raise ValueError(f"at least 2 cases are needed, got {cases} planned and {pilot_cases} in the pilot study")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
    if not np.isfinite(pilot.treatment_reader):
        raise ValueError("the pilot study has unpaired readers: its treatment x reader variance is unknown")
