"""The outline network: what the segmenter says at 1.5 mm and the CT at 1 mm, into edges at 1 mm."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # torch's own convention

from wirbel.network.outline import INPUTS, OUTPUTS, VIEWS


def _layer(channels_in: int, channels_out: int) -> nn.Sequential:
    conv = nn.Conv3d(channels_in, channels_out, 3, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(channels_out), nn.ReLU())


class OutlineNet(nn.Module):
    """Corrects the segmenter's log-probabilities.

    `forward` takes (n, `INPUTS`, z, y, x), even sides, and gives back log-odds (n, `OUTPUTS`, z, y, x) of other,
    body, posterior elements, disc.

    Five convolutions at half resolution, two at full; it begins as "what the segmenter says". Normalised over the
    batch (Ioffe & Szegedy 2015), so that a part of a CT is answered as the whole is.
    """

    def __init__(self, width: int = 32, fine: int = 16) -> None:
        super().__init__()
        self.fold = nn.Conv3d(INPUTS, width, 2, stride=2)
        self.coarse = nn.Sequential(*(_layer(width, width) for _ in range(5)))
        self.unfold = nn.ConvTranspose3d(width, fine, 2, stride=2)
        self.fine = _layer(fine + INPUTS, fine)
        self.change = nn.Conv3d(fine, OUTPUTS, 3, padding=1)
        for parameter in self.change.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """Log-odds."""
        part_p = x[:, VIEWS:]
        other = (1.0 - part_p.sum(1, keepdim=True)).clamp(min=0.0)
        said = torch.log(torch.cat([other, part_p], 1) + 0.02)
        deep = self.coarse(F.relu(self.fold(x)))
        changed: Tensor = said + self.change(self.fine(torch.cat([self.unfold(deep), x], 1)))
        return changed
