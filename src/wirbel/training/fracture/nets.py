"""The classifiers' networks: an encoder whose last maps a linear head reads; a heat map then needs no torch.

A strided convolution folds every 4 x 4 x 4 block of voxels into 64 channels, as `wirbel.training.nets` folds
smaller ones: full resolution costs a CPU most of its time and memory. Both kinds normalise over the batch (Ioffe &
Szegedy 2015). The study normalises each crop (InstanceNorm, Ulyanov et al. 2016) and flattens its last maps; before
a global average that is blind, because the average of a normalised map is the same for every crop, and what a
crop's own mean tells, which is its density, is lost.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # torch's own convention

from wirbel.etiology.network_input import CHANNELS, InputKind
from wirbel.phantom.cases.scene import Mark
from wirbel.training.fracture.slice_net import SliceNet

#: What a malignant lesion is painted with. An osteoporotic fracture may have some of it too, a mimic's own paint
#: (haemangioma, island, cement, fatty or coarse marrow) is none.
LESION = (Mark.LYTIC, Mark.SCLEROTIC, Mark.CORTEX, Mark.PEDICLE, Mark.EPIDURAL, Mark.PARAVERTEBRAL)
#: Channels at 4 (twice), then at 8 mm.
WIDTHS = (64, 64, 64, 96)


def _layer(channels_in: int, channels_out: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    padding = kernel // 2 if kernel % 2 else 0
    conv = nn.Conv3d(channels_in, channels_out, kernel, stride=stride, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(channels_out), nn.ReLU())


class FractureNet(nn.Module):
    """`forward` takes (n, c, 64, 64, 64) and gives log-odds (n,), features (n, f) and maps (n, f, 8, 8, 8)."""

    def __init__(self, kind: InputKind, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        self.kind = kind
        one, two, three, four = widths
        self.fold = _layer(CHANNELS[kind], one, kernel=4, stride=4)
        self.middle = _layer(one, two)
        self.last = nn.Sequential(
            _layer(two, three, stride=2),
            _layer(three, three),
            _layer(three, four),
            _layer(four, four),
        )
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(widths[-1], 1)

    def encode(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Maps at 4 mm and the last ones at 8 mm."""
        middle = self.middle(self.fold(crops))
        return middle, self.last(middle)

    def judge(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Log-odds and features of the last maps."""
        features = maps.float().mean((2, 3, 4))
        return self.head(self.drop(features))[:, 0], features

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-odds, features, maps."""
        _, maps = self.encode(crops)
        log_odds, features = self.judge(maps)
        return log_odds, features, maps.float()


Net = FractureNet | SliceNet


def class_loss(net: Net, maps: Tensor, malignant: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the last maps and their features; a net of slices learns the class slice by slice."""
    if isinstance(net, SliceNet):
        log_odds, features = net.each_slice(maps)
        malignant = malignant[:, None].expand_as(log_odds)
    else:
        log_odds, features = net.judge(maps)
    return F.binary_cross_entropy_with_logits(log_odds, malignant), features


class Lessons(nn.Module):
    """What a network is taught besides the class, from drawings alone: where what was painted, and how much.

    `marks`: kinds of paint; `signs`: numbers of the truth. Paint is learnt at 4 and at 8 mm. Of all this only where
    a lesion was painted, at 4 mm, is exported.
    """

    def __init__(self, *, marks: int, signs: int, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        self.middle = nn.Conv3d(widths[1], marks, 1)
        self.last = nn.Conv3d(widths[-1], marks, 1)
        self.signs = nn.Linear(widths[-1], signs)
        for conv in (self.middle, self.last):
            nn.init.constant_(conv.bias, -4.0)  # type: ignore[arg-type]  # a bias there is

    def lesion(self, middle: Tensor) -> Tensor:
        """How probable each 4 mm are to hold paint of a lesion, of its likeliest kind: (n, 16, 16, 16)."""
        kinds = torch.tensor([int(mark) - 1 for mark in LESION], device=middle.device)
        return torch.sigmoid(self.middle(middle)[:, kinds].float().amax(1))


class Exported(nn.Module):
    """A member as it ships: what `FractureNet` gives, and where it sees a lesion if it was taught by paint."""

    def __init__(self, net: FractureNet, lessons: Lessons | None) -> None:
        super().__init__()
        self.net, self.lessons = net, lessons

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Log-odds, features, maps, and (n, 16, 16, 16) in 0 to 1 where the lessons are there."""
        middle, maps = self.net.encode(crops)
        log_odds, features = self.net.judge(maps)
        said = (log_odds, features, maps.float())
        return said if self.lessons is None else (*said, self.lessons.lesion(middle))


def lesson_loss(lessons: Lessons, middle: Tensor, maps: Tensor, features: Tensor, taught: "Taught") -> Tensor:
    """Paint by weighted cross-entropy, signs by squared error where the truth has a number."""
    loss = torch.zeros(())
    weight = torch.full((1,), 4.0, device=features.device)
    if taught.marks_4mm is not None and taught.marks_8mm is not None:
        for head, seen, there in (
            (lessons.middle, middle, taught.marks_4mm),
            (lessons.last, maps, taught.marks_8mm),
        ):
            said = head(seen).float()
            loss = loss + F.binary_cross_entropy_with_logits(said, there.float(), pos_weight=weight) * 4.0
    if taught.signs is not None:
        known = torch.isfinite(taught.signs)
        off = (lessons.signs(features) - torch.nan_to_num(taught.signs)) * known
        loss = loss + 0.5 * off.square().sum() / known.sum().clamp(min=1)
    return loss


class Taught:
    """Targets of the lessons for one batch; None where the cohort has no such truth."""

    __slots__ = ("marks_4mm", "marks_8mm", "signs")

    def __init__(self, marks_4mm: Tensor | None, marks_8mm: Tensor | None, signs: Tensor | None) -> None:
        self.marks_4mm, self.marks_8mm, self.signs = marks_4mm, marks_8mm, signs


class StudyNet(nn.Module):
    """The study's network as its public code has it, in full resolution: for speed comparisons, never shipped.

    Five levels of two convolutions (base 16) with InstanceNorm and ReLU, four reducing convolutions, three dense
    layers; takes (n, 1, 64, 64, 64), gives (n, 2).
    """

    def __init__(self, base: int = 16) -> None:
        super().__init__()
        widths = (1, *(base * 2**k for k in range(5)))
        levels: list[nn.Module] = []
        for k, (i, o) in enumerate(pairwise(widths)):
            levels += [nn.MaxPool3d(2)] if k else []
            for a, b in ((i, o), (o, o)):
                levels += [nn.Conv3d(a, b, 3, padding=1, bias=False), nn.InstanceNorm3d(b, affine=True), nn.ReLU()]
        reduce: list[nn.Module] = []
        for i, o in pairwise((widths[-1], 128, 64, 32, 8)):
            reduce += [nn.Conv3d(i, o, 3, padding=1), nn.InstanceNorm3d(o)]
        dense: list[nn.Module] = []
        for i, o in pairwise((512, 256, 128, 64)):
            dense += [nn.Linear(i, o), nn.BatchNorm1d(o), nn.LeakyReLU()]
        self.all = nn.Sequential(*levels, *reduce, nn.Flatten(), *dense, nn.Linear(64, 2))

    def forward(self, crops: Tensor) -> Tensor:
        """Two logits."""
        return self.all(crops)
