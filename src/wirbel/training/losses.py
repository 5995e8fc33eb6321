"""What the networks are asked for, and what a wrong answer costs; unknown truth costs nothing."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from wirbel.network.spine_heads import CLASS_WEIGHT, CLASSES, FINDER_LEVELS, HEAT_SIGMA_MM, OFFSET_UNIT_MM
from wirbel.spine import Level
from wirbel.training.augment import Patch
from wirbel.training.sample import ANY_CLASS

_N = len(CLASSES)
_CLASS_WEIGHT = torch.tensor(CLASS_WEIGHT)
#: Share of plain background voxels that the class loss looks at.
_BACKGROUND_SHARE = 0.15
#: Around a centre within this radius the coarse head is asked for level and rib.
_LEVEL_RADIUS_MM = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Truth of one patch as tensors."""

    allowed: Tensor
    """(z, y, x) int64 bitmask."""
    seen: Tensor
    """(z, y, x) bool."""
    heat: Tensor
    """(z, y, x) float32."""
    heat_known: Tensor
    """(z, y, x) float32 weight."""
    offset: Tensor
    """(3, z, y, x) float32 in units of OFFSET_UNIT_MM."""
    offset_known: Tensor
    """(z, y, x) bool."""
    level: Tensor
    """(n, levels) soft labels at `coarse_at`."""
    rib: Tensor
    """(n,) 1, 0 or -1."""
    coarse_at: Tensor
    """(n, 3) indices on the coarse grid."""


def targets_of(patch: Patch) -> Targets:
    """Targets of both networks from one patch."""
    shape = patch.allowed.shape
    mm = patch.spacing_mm
    heat = np.zeros(shape, np.float32)
    offset = np.zeros((3, *shape), np.float32)
    known = np.zeros(shape, bool)
    levels, ribs, at = [], [], []
    for label, (centre, level, rib) in enumerate(
        zip(patch.centres_voxel, patch.levels, patch.ribs, strict=True), start=1
    ):
        _add_heat(heat, centre, HEAT_SIGMA_MM / mm)
        mine = np.nonzero(patch.instances == label)
        if len(mine[0]):
            for axis in range(3):
                offset[axis][mine] = (centre[axis] - mine[axis]) * (mm / OFFSET_UNIT_MM)
            known[mine] = True
        where = _coarse_near(centre, shape, _LEVEL_RADIUS_MM / mm / 4.0, patch.seen)
        if len(where) and (level or rib >= 0):
            levels.append(np.repeat(_soft_level(int(level))[None], len(where), 0))
            ribs.append(np.full(len(where), rib, np.float32))
            at.append(where)
    heat_known = patch.seen.astype(np.float32) if patch.centres_complete else (heat > 0.05).astype(np.float32)
    return Targets(
        allowed=torch.from_numpy(patch.allowed.astype(np.int64)),
        seen=torch.from_numpy(patch.seen.astype(bool)),
        heat=torch.from_numpy(heat),
        heat_known=torch.from_numpy(heat_known),
        offset=torch.from_numpy(offset),
        offset_known=torch.from_numpy(known),
        level=torch.from_numpy(np.concatenate([np.zeros((0, len(FINDER_LEVELS)), np.float32), *levels])),
        rib=torch.from_numpy(np.concatenate([np.zeros(0, np.float32), *ribs])),
        coarse_at=torch.from_numpy(np.concatenate([np.zeros((0, 3), np.int64), *at])),
    )


def _add_heat(heat: np.ndarray, centre: np.ndarray, sigma: float) -> None:
    """Maximum of the map and one Gaussian, in place (the map is the caller's own)."""
    low = np.maximum(np.floor(centre - 3 * sigma), 0).astype(int)
    high = np.minimum(np.ceil(centre + 3 * sigma) + 1, heat.shape).astype(int)
    if np.any(high <= low):
        return
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    axes = np.ogrid[box]
    square = sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True))
    heat[box] = np.maximum(heat[box], np.exp(-square / (2 * sigma**2)))


def _coarse_near(centre: np.ndarray, shape: tuple[int, ...], radius: float, seen: np.ndarray) -> np.ndarray:
    """Voxels of the grid four times coarser that lie within `radius` (coarse voxels) of a centre in view."""
    inside = np.round(centre).astype(int)
    if np.any(inside < 0) or np.any(inside >= shape) or not seen[tuple(inside)]:
        return np.zeros((0, 3), np.int64)
    middle = (centre - 1.5) / 4.0
    reach = int(np.ceil(radius))
    steps = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    at = np.round(middle).astype(int) + steps
    near = np.linalg.norm(at - middle, axis=1) <= max(radius, 0.9)
    fits = np.all((at >= 0) & (at < np.asarray(shape) // 4), axis=1)
    return at[near & fits].astype(np.int64)


def _soft_level(number: int) -> np.ndarray:
    """Soft label: most on the level, some on its neighbours; T13 half T12, half L1; unknown all zero."""
    soft = np.zeros(len(FINDER_LEVELS), np.float32)
    if number == 0:
        return soft
    rank = Level(number).rank
    for i, level in enumerate(FINDER_LEVELS):
        soft[i] = np.exp(-((level.rank - rank) ** 2) / (2 * 0.55**2))
    return soft / soft.sum()


def class_loss(logits: Tensor, target: Targets) -> Tensor:
    """Cross-entropy and Dice of the set of admissible classes: -log of the probability the set holds.

    `logits`: (classes, z, y, x). Voxels where everything is admissible cost nothing; of plain background a random
    share stands for all of it.
    """
    known = target.seen & (target.allowed != ANY_CLASS)
    plain = target.allowed == 1
    drawn = known & (~plain | (torch.rand(plain.shape, device=plain.device) < _BACKGROUND_SHARE))
    allowed = target.allowed[drawn]
    if not len(allowed):
        return logits.sum() * 0.0
    bits = (allowed[:, None] >> torch.arange(_N, device=allowed.device)) & 1 > 0
    log_p = F.log_softmax(logits[:, drawn].T.contiguous(), dim=1)
    log_set = torch.logsumexp(log_p.masked_fill(~bits, -1e4), dim=1)
    stands_for = torch.where(allowed == 1, 1.0 / _BACKGROUND_SHARE, 1.0)
    weight = (bits * _CLASS_WEIGHT.to(bits.device)).amax(1)
    weight = torch.where(bits.sum(1) > 1, torch.where(bits[:, 0], 0.5, 2.0), weight) * stands_for
    cross = -(log_set * weight).sum() / weight.sum()
    p = log_p.exp()
    costs = []
    for c in range(1, _N):
        only = allowed == (1 << c)
        if int(only.sum()) < 8:
            continue
        sure = (only | ~bits[:, c]) * stands_for
        hit = p[only, c].sum()
        costs.append(1 - (2 * hit + 1) / ((p[:, c] * sure).sum() + only.sum() + 1))
    return cross + (torch.stack(costs).mean() if costs else 0.0)


def heat_loss(logit: Tensor, target: Targets) -> Tensor:
    """Cross-entropy of the heat, weighted toward the centres, above the least that soft truth allows."""
    weight = target.heat_known * (1.0 + 4.0 * target.heat)
    soft = target.heat.clamp(1e-6, 1 - 1e-6)
    least = F.binary_cross_entropy(soft, soft, reduction="none")
    cost = F.binary_cross_entropy_with_logits(logit, target.heat, reduction="none") - least
    return (weight * cost).sum() / (target.heat_known.sum() + 1) * 20.0


def level_loss(coarse: Tensor, target: Targets) -> Tensor:
    """Cross-entropy of the level and of carrying a rib, at coarse voxels near centres in view."""
    if not len(target.coarse_at):
        return coarse.sum() * 0.0
    z, y, x = target.coarse_at.T
    at = coarse[:, z, y, x].T
    named = target.level.sum(1) > 0
    cost = at.sum() * 0.0
    if bool(named.any()):
        cost = cost - (target.level[named] * F.log_softmax(at[named, :-1], 1)).sum(1).mean() * 0.3
    ribbed = target.rib >= 0
    if bool(ribbed.any()):
        cost = cost + F.binary_cross_entropy_with_logits(at[ribbed, -1], target.rib[ribbed]) * 0.3
    return cost


def offset_loss(offset: Tensor, target: Targets) -> Tensor:
    """Smooth L1 of the offset to the own body's centre, inside vertebrae."""
    known = target.offset_known & target.seen
    if not bool(known.any()):
        return offset.sum() * 0.0
    return F.smooth_l1_loss(offset[:, known], target.offset[:, known], beta=0.1) * 3.0
