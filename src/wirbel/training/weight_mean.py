"""The running mean of a network's weights, which is what is judged and exported (Polyak and Juditsky 1992)."""

from collections.abc import Mapping

import torch
from torch import nn


def move_mean(mean: Mapping[str, torch.Tensor], net: nn.Module, decay: float) -> None:
    """Move the mean toward the present weights, in place; what is counted, not learnt, is copied."""
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            mean[name].lerp_(value.detach(), 1 - decay)
        else:
            mean[name].copy_(value)


def early_decay(average: float, step: int) -> float:
    """The decay after so many steps: short at first, so that the first weights are soon forgotten."""
    return min(average, step / (step + 10.0))
