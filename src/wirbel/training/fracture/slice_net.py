"""A small 2-D residual network on sagittal slices that vote (after Li et al. 2021), for comparison alone.

Each slice is judged by itself and learns the vertebra's class; the vertebra's probability is the slices' mean.
The first convolution halves the resolution: full resolution costs a CPU most of its time.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # torch's own convention

from wirbel.etiology.network_input import CHANNELS, InputKind

#: Channels at 2, 4 and 8 mm.
SLICE_WIDTHS = (16, 32, 64)
#: Sagittal slices, by their distance from the crop's middle in voxels: 11 of them over 40 mm.
FROM_MIDDLE = tuple(range(-20, 21, 4))


class _Block(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.two = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.norms = nn.ModuleList((nn.BatchNorm2d(channels_out), nn.BatchNorm2d(channels_out)))
        self.past: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            short = nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False)
            self.past = nn.Sequential(short, nn.BatchNorm2d(channels_out))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the new width and size."""
        seen = F.relu(self.norms[0](self.one(maps)))
        return F.relu(self.norms[1](self.two(seen)) + self.past(maps))


class SliceNet(nn.Module):
    """`encode` and `judge` as `FractureNet` has them: takes (n, c, z, y, x), gives log-odds (n,), features (n, f).

    The maps keep the slices apart: (n, slices, f, h, w). Log-odds are those of the mean probability.
    """

    def __init__(self, kind: InputKind, widths: tuple[int, int, int] = SLICE_WIDTHS) -> None:
        super().__init__()
        self.kind = kind
        one, two, three = widths
        self.start = nn.Sequential(
            nn.Conv2d(CHANNELS[kind], one, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(one), nn.ReLU()
        )
        self.middle = nn.Sequential(_Block(one, one, 1), _Block(one, two, 2))
        self.last = nn.Sequential(_Block(two, two, 1), _Block(two, three, 2), _Block(three, three, 1))
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(three, 1)

    def encode(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Maps at 4 and at 8 mm, slice by slice."""
        n, channels, z, y, x = crops.shape
        at = torch.tensor([x // 2 + d for d in FROM_MIDDLE], device=crops.device)
        slices = crops.index_select(4, at).permute(0, 4, 1, 2, 3).reshape(n * len(at), channels, z, y)
        middle = self.middle(self.start(slices.contiguous(memory_format=torch.channels_last)))
        last = self.last(middle)
        return middle.unflatten(0, (n, len(at))), last.unflatten(0, (n, len(at)))

    def each_slice(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Log-odds (n, slices) and features (n, f), the latter as means over the slices."""
        features = maps.float().mean((3, 4))
        return self.head(self.drop(features))[..., 0], features.mean(1)

    def judge(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Log-odds of the slices' mean probability, and features."""
        log_odds, features = self.each_slice(maps)
        return voted(log_odds), features

    def forward(self, crops: Tensor) -> Tensor:
        """Log-odds of the vote."""
        return self.judge(self.encode(crops)[1])[0]


def voted(log_odds: Tensor) -> Tensor:
    """Log-odds of the mean of the slices' probabilities: (n, slices) to (n,), without loss of far tails."""
    return torch.logsumexp(F.logsigmoid(log_odds), 1) - torch.logsumexp(F.logsigmoid(-log_odds), 1)
