"""The truth of one painted vertebra: its signs, counted in the voxels that were painted."""

from dataclasses import dataclass

from wirbel.phantom.cases.cause import DrawnCause
from wirbel.spine import Level


@dataclass(frozen=True, slots=True)
class SignTruth:
    """Signs of one vertebra; volumes on the crop's grid, zero where there is none.

    `cortex_destroyed`: share of the shell of side, front and back walls. `spongiosa_mm3`: of the body inside its
    shell; `lytic_mm3` and `sclerotic_mm3` lie in it. `pedicle_right`, `pedicle_left`: destroyed shares.
    `posterior_convexity_mm`: the wall's middle behind its rims (negative: concave). `retropulsion_deg`: the angle
    of the fragment's lower face to the wall (None without a fragment). `line_sharpness` None without lines.
    `height_loss` as `VertebraTruth.loss`.
    """

    level: Level
    cause: DrawnCause
    cortex_destroyed: float
    spongiosa_mm3: float
    lytic_mm3: float
    sclerotic_mm3: float
    pedicle_right: float
    pedicle_left: float
    posterior_convexity_mm: float
    retropulsion_mm: float
    retropulsion_deg: float | None
    vacuum_mm3: float
    epidural_mm3: float
    paravertebral_mm3: float
    thickening_mm: float
    lines: int
    line_sharpness: float | None
    puzzle: bool
    density_mg_cm3: float
    genant_grade: int
    shape: str | None
    height_loss: float
