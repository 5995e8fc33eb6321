"""The running mean of a network's weights."""

import pytest
import torch
from torch import nn

from wirbel.training.weight_mean import early_decay, move_mean


def test_the_mean_moves_by_its_share_and_counters_are_copied() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    mean = {k: torch.zeros_like(v) for k, v in net.state_dict().items()}
    net(torch.ones(3, 2))
    move_mean(mean, net, 0.75)
    for name, value in net.state_dict().items():
        assert torch.allclose(mean[name], value if name.endswith("tracked") else 0.25 * value)
    assert mean["1.num_batches_tracked"] == 1


@pytest.mark.parametrize(("step", "decay"), [(0, 0.0), (10, 0.5), (1000, 0.9)])
def test_the_first_weights_are_soon_forgotten(step: int, decay: float) -> None:
    assert early_decay(0.9, step) == decay
