"""Log-odds of probabilities, and what another prevalence makes of them."""

import numpy as np
from jaxtyping import Float64
from scipy import special

from wirbel.errors import UsageError

#: Probabilities nearer to 0 or 1 are taken as this: the softmax of 32-bit networks saturates there.
EDGE = 1e-7


def log_odds_of(p: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """Log-odds of probabilities in [0, 1], cut at `EDGE`."""
    return np.asarray(special.logit(np.clip(p, EDGE, 1.0 - EDGE)))


def at_prevalence(
    p: Float64[np.ndarray, "..."], *, fitted_at: float, assumed: float
) -> Float64[np.ndarray, "..."]:
    """Probabilities for another share of malignant cases: the prior's log-odds are exchanged (Elkan 2001, IJCAI,
    theorem 2; Saerens 2002, Neural Comput 14:21).

    Right where only the share differs and the malignant cases look alike at both places, and so do the others.
    0 and 1 stay.
    """
    for name, share in (("fitted", fitted_at), ("assumed", assumed)):
        if not 0.0 < share < 1.0:
            raise UsageError(f"the {name} prevalence must lie between 0 and 1, got {share:g}")
    odds = assumed * (1.0 - fitted_at) / ((1.0 - assumed) * fitted_at)
    return np.asarray(odds * p / (odds * p + (1.0 - p)))
