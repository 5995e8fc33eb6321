"""Pedicle involvement: bone of the pedicle lost or replaced, left and right apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.finding.signs.canal import Canal
from wirbel.finding.signs.patch import Patch, box_of
from wirbel.finding.signs.settings import PedicleSettings
from wirbel.vertebra import NotMeasured, Reason

#: Heights of a pedicle, as share of the body's height around its middle: it leaves the upper half.
LOWEST, HIGHEST = -0.20, 0.60


@dataclass(frozen=True, slots=True, eq=False)
class Pedicles:
    """Bone of both pedicles in slabs from the posterior wall to the canal's middle, in HU mm3 above the limit.

    Rows: right, left. `slabs`: the slab number (1, 2, ...) of each voxel by side.
    """

    bone: Float64[np.ndarray, "2 n"]
    slabs: tuple[Bool[np.ndarray, "s p l"], Bool[np.ndarray, "s p l"]]
    imaged: bool


@dataclass(frozen=True, slots=True)
class Involvement:
    """Share of the pedicle involved in [0, 1]; each side may be not measured."""

    right: float | NotMeasured
    left: float | NotMeasured


def pedicles_of(patch: Patch, canal: Canal, settings: PedicleSettings) -> Pedicles:
    """Bone beside the canal's front half, whatever the mask says: a destroyed pedicle is often missing in it."""
    heights = patch.up_mm[patch.body.any(axis=(1, 2))]
    height = float(np.ptp(heights)) + 1.0
    tall = (patch.up_mm >= LOWEST * height) & (patch.up_mm <= HIGHEST * height)
    back = patch.posterior_mm[None, :] - canal.slope * patch.up_mm[:, None]
    # counted from the lamina: a bulging posterior wall or a fragment does not move it
    front, middle = (canal.back_mm - share * canal.half_width_mm for share in settings.reach)
    number = np.floor(settings.slabs * (back - front) / (middle - front)).astype(int)
    side_mm = patch.left_mm - canal.centre_mm[1]
    own = patch.body | patch.arch
    window = box_of(own, 1)
    own[window] = ndimage.binary_dilation(own[window])
    weight = np.clip(patch.hu - settings.bone_hu, 0.0, settings.most_hu)
    bone = np.zeros((2, settings.slabs))
    where = []
    for row, side in enumerate((-1.0, 1.0)):
        beside = (side * side_mm >= 0.75 * canal.half_width_mm) & (
            side * side_mm <= canal.half_width_mm + settings.outward_mm
        )
        region = tall[:, None, None] & beside[None, None, :] & ~patch.others & (number >= 0)[:, :, None]
        region &= (number < settings.slabs)[:, :, None]
        for slab in range(settings.slabs):
            part = region & (number == slab)[:, :, None]
            bone[row, slab] = float(weight[part & own].sum())
        where.append(region)
    return Pedicles(bone, (where[0], where[1]), bool(patch.imaged[where[0] | where[1]].mean() > 0.98))


def involvement_of(
    own: Pedicles, references: Sequence[Pedicles], settings: PedicleSettings
) -> Involvement:
    """Share of each pedicle whose bone is lost or replaced by dense bone.

    Criterion: destruction of the pedicle (Foreman 2024 table 1). The pedicle is cut into slabs from 1.5 to 0.7
    half-widths of the canal in front of the lamina, about from the posterior wall to the canal's middle. A slab's
    bone (the sum of what exceeds 110 HU) is compared with the median of the references' two sides and the own
    other side. A slab that lost more than 45 % counts with its loss, one that has more than 2.2 times the
    reference's bone counts whole; the answer is their mean. `NO_NEIGHBOURS` without references, `TOUCHES_EDGE`
    where it is not imaged.
    """
    if not own.imaged:
        why = NotMeasured(Reason.TOUCHES_EDGE)
        return Involvement(why, why)
    if not references:
        why = NotMeasured(Reason.NO_NEIGHBOURS)
        return Involvement(why, why)
    others = np.concatenate([reference.bone for reference in references if reference.imaged] or [own.bone])
    right, left = (_share(own.bone[row], np.vstack([others, own.bone[1 - row]]), settings) for row in (0, 1))
    return Involvement(right, left)


def _share(
    bone: Float64[np.ndarray, "n"], references: Float64[np.ndarray, "m n"], settings: PedicleSettings
) -> float | NotMeasured:
    usual = np.median(references, axis=0)
    if usual.min() <= 0.0:
        return NotMeasured(Reason.NOT_SEPARABLE, "no bone in the references' pedicles")
    change = bone / usual - 1.0
    involved = np.where(change < -settings.lost, -change, np.where(change > settings.dense, 1.0, 0.0))
    return float(np.mean(involved))
