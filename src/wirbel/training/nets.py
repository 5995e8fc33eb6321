"""The two networks of the spine: one body, two sets of heads.

A 3-D U-Net (Cicek et al. 2016) that works at half the input's resolution: a strided convolution folds every
2 x 2 x 2 block of voxels into channels and a transposed one unfolds the answer, so nothing is lost and a
training step on a CPU costs a quarter. Instance normalisation (Ulyanov et al. 2016) and leaky ReLU.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # torch's own convention


class Block(nn.Sequential):
    """Two 3 x 3 x 3 convolutions, each normalised."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(
            nn.Conv3d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.InstanceNorm3d(channels_out, affine=True),
            nn.LeakyReLU(0.01),
            nn.Conv3d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.InstanceNorm3d(channels_out, affine=True),
            nn.LeakyReLU(0.01),
        )


class SpineNet(nn.Module):
    """U-Net at half resolution with a full-resolution head and, where asked for, a coarse one.

    `forward` takes (n, channels_in, z, y, x), sides divisible by `multiple`, and gives back
    `dense` (n, dense_out, z, y, x) and `coarse` (n, coarse_out, z/4, y/4, x/4).
    """

    def __init__(
        self, *, channels_in: int, dense_out: int, coarse_out: int, widths: tuple[int, ...] = (32, 64, 96, 128)
    ) -> None:
        super().__init__()
        self.multiple = 2 ** len(widths)
        self.fold = nn.Conv3d(channels_in, widths[0], 2, stride=2)
        ins = (widths[0], *widths[:-1])
        self.down = nn.ModuleList([Block(i, o) for i, o in zip(ins, widths, strict=True)])
        self.up = nn.ModuleList([Block(a + b, a) for a, b in pairwise(widths)])
        self.unfold = nn.ConvTranspose3d(widths[0], dense_out, 2, stride=2)
        self.coarse = nn.Conv3d(widths[1], coarse_out, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Dense and coarse logits."""
        x = self.fold(x)
        kept = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else F.max_pool3d(x, 2))
            kept.append(x)
        coarse = x
        for i in reversed(range(len(self.up))):
            x = self.up[i](torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), kept[i]], 1))
            if i == 1:
                coarse = x
        return self.unfold(x), self.coarse(coarse)
