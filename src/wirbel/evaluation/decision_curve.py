"""Net benefit of acting on a prediction, over the thresholds at which one would act."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.calibration import predictions
from wirbel.evaluation.estimate import Estimate, valid_level
from wirbel.evaluation.inputs import both_classes

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NetBenefit:
    """Net benefit at one threshold: of the prediction, and of acting on everybody; on nobody it is 0."""

    threshold: float
    prediction: Estimate
    everybody: float


def decision_curve(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    thresholds: npt.ArrayLike,
    *,
    prevalence: float | None = None,
    level: float = 0.95,
) -> tuple[NetBenefit, ...]:
    """Net benefit TP/n - FP/n * t/(1-t) where the prediction reaches t (Vickers & Elkin, Med Decis Making
    2006;26:565).

    At the sample's own prevalence the interval is a normal one over cases; at a stated one, over the two classes
    apart (Vickers et al., BMC Med Inform Decis Mak 2008;8:53).
    """
    labels, p = predictions(truth, predicted)
    both_classes(labels, at_least=2)
    z = float(stats.norm.isf((1 - valid_level(level)) / 2))
    if prevalence is not None and not 0 < prevalence < 1:
        raise ValueError(f"a prevalence must lie between 0 and 1, got {prevalence}")
    base = float(labels.mean()) if prevalence is None else prevalence
    out = []
    for threshold in np.atleast_1d(np.asarray(thresholds, dtype=np.float64)).tolist():
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"a threshold must lie between 0 and 1, got {threshold}")
        odds = threshold / (1 - threshold)
        acts = (p >= threshold).astype(np.float64)
        if prevalence is None:
            gain = np.where(labels, acts, -odds * acts)
            value, variance = float(gain.mean()), float(gain.var(ddof=1) / gain.size)
        else:
            hit, false = acts[labels], acts[~labels]
            value = float(base * hit.mean() - (1 - base) * odds * false.mean())
            variance = float(
                base**2 * hit.var(ddof=1) / hit.size + ((1 - base) * odds) ** 2 * false.var(ddof=1) / false.size
            )
        half = z * float(np.sqrt(variance))
        out.append(NetBenefit(
            threshold,
            Estimate(value, value - half, value + half, level, labels.size, "net benefit, normal"),
            base - (1 - base) * odds,
        ))
    return tuple(out)
