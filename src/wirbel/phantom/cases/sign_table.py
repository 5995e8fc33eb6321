"""The signs of a vertebra as a row of numbers, for tables, oracles and plots."""

import numpy as np
from jaxtyping import Float64

from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.implicit import unchecked

#: Columns of a row; larger speaks for malignant where the sign is one of destruction or mass.
SIGN_NAMES: tuple[str, ...] = (
    "cortex_destroyed",
    "lytic",
    "sclerotic",
    "spongiosa_destroyed",
    "pedicle_destroyed",
    "bow_mm",
    "fragment_mm",
    "fragment_deg",
    "vacuum_mm3",
    "epidural_mm3",
    "paravertebral_mm3",
    "thickening_mm",
    "lines",
    "line_sharpness",
    "puzzle",
    "density_mg_cm3",
)


@unchecked
def sign_row(plan: Plan) -> Float64[np.ndarray, "signs"]:
    """One vertebra's signs in the order of `SIGN_NAMES`."""
    derived = {
        "spongiosa_destroyed": plan.lytic + plan.sclerotic,
        "pedicle_destroyed": max(plan.pedicles_destroyed),
        "puzzle": float(plan.puzzle),
    }
    return np.array([derived[n] if n in derived else getattr(plan, n) for n in SIGN_NAMES], dtype=np.float64)
