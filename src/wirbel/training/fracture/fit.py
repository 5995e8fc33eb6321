"""One member of an ensemble: trained on all folds but its own, stopped early by its own fold, resumable."""

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # torch's own convention

from wirbel.evaluation.auc import auc
from wirbel.training.fracture.augment import AugmentSettings
from wirbel.training.fracture.batches import (
    MARKS,
    SIGNS,
    Batch,
    BentCrops,
    judged_batches,
    sign_targets,
    training_batches,
)
from wirbel.training.fracture.crop_rows import CropData
from wirbel.training.fracture.nets import FractureNet, Lessons, Net, Taught, class_loss, lesson_loss
from wirbel.training.fracture.recipe import Learnt, Recipe
from wirbel.training.fracture.slice_net import SliceNet
from wirbel.training.weight_mean import early_decay, move_mean

CHECKPOINT, CURVE = "checkpoint.pt", "curve.csv"


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How a member learns. The study: Adam 1e-4, batch 32, on a GPU; ours is for minutes on a core."""

    epochs: int = 60
    minutes: float | None = None
    """At most so long a member; the rate falls to its end by whichever of both comes first."""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    batch: int = 8
    warm_up: int = 40
    average: float = 0.98
    """Decay of the running mean of the weights, which is what is judged and exported."""
    patience: int = 12
    """Epochs without a lower validation loss after which a member stops."""
    seed: int = 1
    threads: int = 1
    workers: int = 0
    bf16: bool = True
    augment: AugmentSettings = field(default_factory=AugmentSettings)


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to; losses are means a crop, `auc` of the member's own fold."""

    epoch: int
    seconds: float
    learning_rate: float
    training_loss: float
    lesson_loss: float
    validation_loss: float
    validation_auc: float


def fit_member(  # noqa: PLR0913  # a member is made of as much
    data: CropData,
    recipe: Recipe,
    learnt: Sequence[Learnt],
    fold: int,
    folder: Path,
    settings: FitSettings,
    *,
    device: torch.device,
    start: Path | None = None,
    say: Callable[[Epoch], None] | None = None,
) -> Path:
    """Train (or go on training) the member that never sees `fold`; gives back its checkpoint.

    `start`: the checkpoint whose best weights a new member begins with; it must not have seen `fold` either.

    The checkpoint's `best` are the averaged weights of the epoch with the lowest validation loss. `curve.csv` has a
    line an epoch.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(1000 * settings.seed + fold)
    folder.mkdir(parents=True, exist_ok=True)
    mine = [u for u in learnt if u.fold != fold]
    judges = [u for u in learnt if u.fold == fold]
    signs = sign_targets(mine) if recipe.taught else None
    crops = BentCrops(
        data, mine, recipe.kind, settings.augment, seed=1000 * settings.seed + fold, signs=signs,
        paint=recipe.taught and data.marks is not None,
    )  # fmt: skip
    member = _Member.open(new_net(recipe), folder / CHECKPOINT, settings, device, start)
    while not member.finished:
        began = time.monotonic()
        member.epoch += 1
        batches = training_batches(
            crops, epoch=member.epoch, batch=settings.batch, seed=1000 * settings.seed + fold,
            workers=settings.workers,
        )  # fmt: skip
        steps = max(1, len(mine) // settings.batch)
        sums = np.zeros(3)
        for k, batch in enumerate(batches):
            share = (member.epoch - 1 + k / steps) / settings.epochs
            if settings.minutes is not None:
                share = max(share, (member.spent_s + time.monotonic() - began) / 60 / settings.minutes)
            if share >= 1:
                break
            sums += [*member.learn(batch, share), 1.0]
        loss, area = member.judged(judges, data, recipe)
        member.spent_s += time.monotonic() - began
        learnt_loss, lessons = sums[:2] / max(sums[2], 1.0)
        done = Epoch(member.epoch, member.spent_s, member.rate, learnt_loss, lessons, loss, area)
        member.note(loss)
        _log(folder / CURVE, done)
        member.save()
        if say is not None:
            say(done)
    return member.path


def new_net(recipe: Recipe) -> Net:
    """The recipe's network, untrained."""
    return SliceNet(recipe.kind) if recipe.by_slices else FractureNet(recipe.kind)


def best_weights(checkpoint: Path) -> dict[str, Tensor]:
    """The weights that are exported."""
    kept: dict[str, Tensor] = torch.load(checkpoint, map_location="cpu", weights_only=True)["best"]
    return kept


def best_lessons(checkpoint: Path) -> Lessons:
    """The lessons as they were in the epoch whose weights are exported."""
    kept = torch.load(checkpoint, map_location="cpu", weights_only=True)
    lessons = Lessons(marks=MARKS, signs=len(SIGNS))
    lessons.load_state_dict(kept.get("best_lessons", kept["lessons"]))  # runs before 0.4.0 kept the last alone
    return lessons.float().eval()


@dataclass(slots=True)
class _Member:
    """What changes while training."""

    net: Net
    lessons: Lessons
    mean: dict[str, Tensor]
    best: dict[str, Tensor]
    best_lessons: dict[str, Tensor]
    best_loss: float
    waited: int
    optimiser: torch.optim.Optimizer
    epoch: int
    step: int
    spent_s: float
    path: Path
    settings: FitSettings
    device: torch.device

    @classmethod
    def open(
        cls, net: Net, path: Path, settings: FitSettings, device: torch.device, start: Path | None
    ) -> "_Member":
        """A new member, one that begins with another's best weights, or one that goes on."""
        lessons = Lessons(marks=MARKS, signs=len(SIGNS)).to(device)
        net.to(device)
        if start is not None and not path.exists():
            earlier = torch.load(start, map_location=device, weights_only=True)
            net.load_state_dict(earlier["best"])
            lessons.load_state_dict(earlier.get("best_lessons", earlier["lessons"]))
        for parameter in net.parameters():
            if parameter.ndim == 5:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)
        learning = [*net.parameters(), *lessons.parameters()]
        optimiser = torch.optim.AdamW(
            learning, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        if not path.exists():
            mean = {k: v.detach().clone() for k, v in net.state_dict().items()}
            best = {k: v.clone() for k, v in mean.items()}
            taught = {k: v.detach().clone() for k, v in lessons.state_dict().items()}
            return cls(
                net, lessons, mean, best, taught, float("inf"), 0, optimiser, 0, 0, 0.0, path, settings, device
            )
        kept = torch.load(path, map_location=device, weights_only=True)
        taught = kept.get("best_lessons", kept["lessons"])
        net.load_state_dict(kept["net"])
        lessons.load_state_dict(kept["lessons"])
        optimiser.load_state_dict(kept["optimiser"])
        torch.set_rng_state(kept["random"].cpu())
        return cls(
            net, lessons, kept["mean"], kept["best"], taught, float(kept["best_loss"]), int(kept["waited"]),
            optimiser, int(kept["epoch"]), int(kept["step"]), float(kept["spent_s"]), path, settings, device,
        )  # fmt: skip

    @property
    def rate(self) -> float:
        """The learning rate at present."""
        return float(self.optimiser.param_groups[0]["lr"])

    def learn(self, batch: Batch, share: float) -> tuple[float, float]:
        """One step; class loss and lessons' loss."""
        self.net.train()
        self.step += 1
        warm = min(1.0, self.step / self.settings.warm_up)
        for group in self.optimiser.param_groups:
            cosine = 0.5 * (1 + np.cos(np.pi * min(share, 1.0)))
            group["lr"] = float(self.settings.learning_rate * warm * max(0.02, cosine))
        self.optimiser.zero_grad()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.bf16):
            crops = batch.crops.to(self.device).contiguous(memory_format=torch.channels_last_3d)
            middle, maps = self.net.encode(crops)
        loss, features = class_loss(self.net, maps.float(), batch.malignant.to(self.device))
        taught = lesson_loss(self.lessons, middle.float(), maps.float(), features, _to(batch.taught, self.device))
        (loss + taught.to(self.device)).backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        nn.utils.clip_grad_norm_(chain(self.net.parameters(), self.lessons.parameters()), 5.0)
        self.optimiser.step()
        move_mean(self.mean, self.net, early_decay(self.settings.average, self.step))
        return float(loss.detach()), float(taught.detach())

    @torch.no_grad()
    def judged(self, rows: Sequence[Learnt], data: CropData, recipe: Recipe) -> tuple[float, float]:
        """Loss and AUC of the averaged weights on the member's own fold."""
        net = new_net(recipe).to(self.device)
        net.load_state_dict(self.mean)
        net.eval()
        said, true = [], []
        size = self.settings.augment.size
        for batch in judged_batches(data, rows, recipe.kind, size=size, batch=self.settings.batch):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.bf16):
                crops = batch.crops.to(self.device).contiguous(memory_format=torch.channels_last_3d)
                _, maps = net.encode(crops)
            said.append(net.judge(maps.float())[0].cpu())
            true.append(batch.malignant)
        log_odds, malignant = torch.cat(said), torch.cat(true)
        loss = float(F.binary_cross_entropy_with_logits(log_odds, malignant))
        return loss, auc(malignant.numpy() > 0.5, log_odds.numpy().astype(np.float64)).value

    def note(self, loss: float) -> None:
        """Keep the weights if they are the best."""
        if loss < self.best_loss:
            self.best_loss, self.waited = loss, 0
            self.best = {k: v.detach().clone() for k, v in self.mean.items()}
            self.best_lessons = {k: v.detach().clone() for k, v in self.lessons.state_dict().items()}
        else:
            self.waited += 1

    @property
    def finished(self) -> bool:
        """Whether epochs, patience or time are used up; a run given more of them goes on."""
        s = self.settings
        out_of_time = s.minutes is not None and self.spent_s >= 60 * s.minutes
        return self.epoch >= s.epochs or self.waited >= s.patience or out_of_time

    def save(self) -> None:
        """Write the checkpoint; it appears whole or not at all."""
        part = self.path.with_suffix(".part")
        state = {
            "net": self.net.state_dict(), "lessons": self.lessons.state_dict(), "mean": self.mean,
            "best": self.best, "best_lessons": self.best_lessons, "best_loss": self.best_loss,
            "waited": self.waited, "optimiser": self.optimiser.state_dict(), "epoch": self.epoch, "step": self.step,
            "spent_s": self.spent_s, "random": torch.get_rng_state(),
        }  # fmt: skip
        torch.save(state, part)
        part.replace(self.path)


def _to(taught: Taught, device: torch.device) -> Taught:
    parts = (taught.marks_4mm, taught.marks_8mm, taught.signs)
    return Taught(*(None if p is None else p.to(device) for p in parts))


def _log(path: Path, done: Epoch) -> None:
    """Append a line; an epoch that an earlier end cut off is written once."""
    names = Epoch.__slots__
    rows = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
    rows = [row for row in rows if int(row[0]) < done.epoch]
    values = [done.epoch, f"{done.seconds:.0f}", f"{done.learning_rate:.2e}"]
    values += [f"{getattr(done, n):.4f}" for n in names[3:]]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([list(names), *rows, values])
