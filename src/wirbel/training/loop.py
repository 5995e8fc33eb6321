"""The training loop: resumable, logged, stopped by steps or by the clock."""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from wirbel.network.spine_heads import CLASSES, FINDER_COARSE, FINDER_DENSE, SEGMENTER_DENSE, network_input
from wirbel.training.augment import AugmentSettings, DrawHu, draw_patch
from wirbel.training.losses import Targets, class_loss, heat_loss, level_loss, offset_loss, targets_of
from wirbel.training.nets import SpineNet
from wirbel.training.sample import load_sample
from wirbel.training.weight_mean import early_decay, move_mean

_N = len(CLASSES)
#: Samples each worker keeps in memory.
_KEPT = 24


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """One training run."""

    steps: int = 2000
    batch: int = 2
    learning_rate: float = 1e-3
    warm_up: int = 50
    average: float = 0.99
    """Decay of the running mean of the weights, which is what is exported."""
    minutes: float | None = None
    save_every: int = 100
    seed: int = 0
    threads: int = 2
    workers: int = 1


def finder() -> SpineNet:
    """The network at 3 mm."""
    return SpineNet(
        channels_in=2, dense_out=FINDER_DENSE, coarse_out=FINDER_COARSE, widths=(32, 64, 96, 128, 128)
    )


def segmenter() -> SpineNet:
    """The network at 1 mm."""
    return SpineNet(channels_in=2, dense_out=SEGMENTER_DENSE, coarse_out=FINDER_COARSE, widths=(32, 64, 96, 128))


def finder_loss(dense: Tensor, coarse: Tensor, target: Targets) -> dict[str, Tensor]:
    """Named parts of the finder's loss."""
    return {
        "class": class_loss(dense[:_N], target),
        "heat": heat_loss(dense[_N], target),
        "level": level_loss(coarse, target),
    }


def segmenter_loss(dense: Tensor, coarse: Tensor, target: Targets) -> dict[str, Tensor]:
    """Named parts of the segmenter's loss."""
    return {
        "class": class_loss(dense[:_N], target),
        "offset": offset_loss(dense[_N:], target),
        "level": level_loss(coarse, target),
    }


LossParts = Callable[[Tensor, Tensor, Targets], dict[str, Tensor]]


class Patches(IterableDataset):  # type: ignore[type-arg]  # subscribed, beartype cannot read it
    """Endless random patches from weighted folders of samples; folders are read again as they fill."""

    def __init__(
        self,
        folders: Sequence[tuple[Path, float]],
        *,
        skip: Sequence[str],
        draw_hu: DrawHu | None,
        augment: AugmentSettings,
        shapes: Sequence[tuple[int, int, int]],
        spacing_mm: float,
        seed: int,
        repeat: int = 2,
    ) -> None:
        self._folders = [(Path(folder), weight) for folder, weight in folders]
        self._skip = tuple(skip)
        self._draw_hu = draw_hu
        self._augment = augment
        self._shapes = tuple(shapes)
        self._spacing_mm = spacing_mm
        self._seed = seed
        self._repeat = repeat

    def _files(self) -> list[tuple[list[Path], float]]:
        listed = []
        for folder, weight in self._folders:
            paths = [
                p
                for p in sorted(folder.glob("*.npz"))
                if not p.name.endswith(".part.npz") and not p.name.startswith(self._skip or ("\0",))
            ]
            if paths:
                listed.append((paths, weight))
        return listed

    def __iter__(self) -> Iterator[tuple[Tensor, Targets]]:
        """Draw forever."""
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        cached = lru_cache(maxsize=_KEPT)(load_sample)
        torch.set_num_threads(1)
        files: list[tuple[list[Path], float]] = []
        count = 0
        while True:
            if count % 50 == 0:
                files = self._files()
                if not files:
                    raise ValueError("no training samples in " + ", ".join(f.name for f, _ in self._folders))
                share = np.array([w for _, w in files])
                share = share / share.sum()
            paths = files[int(rng.choice(len(files), p=share))][0]
            sample = cached(paths[int(rng.integers(len(paths)))])
            for _ in range(self._repeat):
                shape = self._shapes[int(rng.integers(len(self._shapes)))]
                patch = draw_patch(
                    sample, shape, rng, self._augment, self._draw_hu, spacing_mm=self._spacing_mm
                )
                yield torch.from_numpy(network_input(patch.hu)), targets_of(patch)
                count += 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands after its last step."""

    step: int
    loss: float
    seconds: float


def train(
    net: SpineNet,
    loss_parts: LossParts,
    patches: Patches,
    folder: Path,
    settings: LoopSettings,
    *,
    start_from: Path | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Path:
    """Train (or go on training) in `folder`; gives back the checkpoint's path.

    `folder/checkpoint.pt` holds everything needed to go on, the minutes already used among it: a run that was
    interrupted trains for what is left of them, one that has used them up gets as many again.
    `folder/curve.csv` holds the loss parts every ten steps. `start_from`: another run's checkpoint whose averaged
    weights are the start, used only when `folder` has none.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run.open(net, folder / "checkpoint.pt", settings, device, start_from)
    ahead = 6 if settings.workers else None
    loader = iter(DataLoader(patches, batch_size=None, num_workers=settings.workers, prefetch_factor=ahead))
    if settings.minutes is not None and run.seconds >= 60 * settings.minutes:
        run.seconds, run.since = 0.0, 0
    started = time.monotonic() - run.seconds
    sums: dict[str, float] = {}
    while run.step < settings.steps:
        run.step += 1
        run.since += 1
        run.seconds = time.monotonic() - started
        done = run.step / settings.steps
        if settings.minutes is not None:
            done = max(done, run.seconds / 60 / settings.minutes)
        _set_rate(run.optimiser, settings, run.since, done)
        parts = run.learn(loader, loss_parts, settings.batch)
        move_mean(run.mean, run.net, early_decay(settings.average, run.since))
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value / 10
        if run.step % 10 == 0:
            _log(folder / "curve.csv", run.step, sums, time.monotonic() - started)
            sums = {}
        if run.step % settings.save_every == 0 or done >= 1.0:
            run.save()
            if report:
                report(Progress(run.step, sum(parts.values()), time.monotonic() - started))
        if done >= 1.0:
            break
    return run.path


def steps_of(checkpoint: Path) -> int:
    """How many steps a checkpoint has behind it."""
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["step"])


@dataclass(slots=True)
class _Run:
    """What changes while training; `since` and `seconds` count from the start of its present schedule."""

    net: SpineNet
    mean: dict[str, Tensor]
    optimiser: torch.optim.Optimizer
    step: int
    path: Path
    device: torch.device
    since: int = 0
    seconds: float = 0.0

    @classmethod
    def open(
        cls, net: SpineNet, path: Path, settings: LoopSettings, device: torch.device, start_from: Path | None
    ) -> "_Run":
        """A new run, one that goes on, or one that starts from another's averaged weights."""
        net.to(device)
        for parameter in net.parameters():
            if parameter.ndim == 5:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)
        optimiser = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate, weight_decay=1e-4)
        step = 0
        if path.exists():
            kept = torch.load(path, map_location=device, weights_only=True)
            net.load_state_dict(kept["net"])
            optimiser.load_state_dict(kept["optimiser"])
            since, seconds = int(kept.get("since", 0)), float(kept.get("seconds", 0.0))
            return cls(net, kept["mean"], optimiser, int(kept["step"]), path, device, since, seconds)
        if start_from is not None:
            _transplant(net, torch.load(start_from, map_location=device, weights_only=True)["mean"])
        mean = {name: value.detach().clone() for name, value in net.state_dict().items()}
        return cls(net, mean, optimiser, step, path, device)

    def learn(
        self, loader: Iterator[tuple[Tensor, Targets]], loss_parts: LossParts, batch: int
    ) -> dict[str, float]:
        """One step over `batch` patches; gives back the mean loss parts."""
        sums: dict[str, float] = {}
        self.optimiser.zero_grad()
        for _ in range(batch):
            image, target = next(loader)
            with torch.autocast(self.device.type, torch.bfloat16):
                dense, coarse = self.net(image[None].to(self.device))
            parts = loss_parts(dense[0].float(), coarse[0].float(), _to(target, self.device))
            loss = torch.stack(list(parts.values())).sum() / batch
            loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / batch
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        return sums

    def save(self) -> None:
        """Write the checkpoint; it appears whole or not at all."""
        part = self.path.with_suffix(".part")
        state = {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "mean": self.mean,
            "step": self.step,
            "since": self.since,
            "seconds": self.seconds,
        }
        torch.save(state, part)
        part.rename(self.path)


def _transplant(net: SpineNet, weights: dict[str, Tensor]) -> None:
    """Take over every weight that fits; of a head with other channels, the classes that both have."""
    own = net.state_dict()
    for name, value in weights.items():
        if name not in own:
            continue
        if own[name].shape == value.shape:
            own[name] = value
        elif name.startswith("unfold."):
            axis = 1 if value.ndim == 5 else 0
            classes = (slice(None),) * axis + (slice(0, _N),)
            own[name] = own[name].clone()
            own[name][classes] = value[classes]
    net.load_state_dict(own)


def _to(target: Targets, device: torch.device) -> Targets:
    if device.type == "cpu":
        return target
    return Targets(**{name: getattr(target, name).to(device) for name in Targets.__slots__})


def _set_rate(optimiser: torch.optim.Optimizer, settings: LoopSettings, since_start: int, done: float) -> None:
    """Linear warm-up, then half a cosine over the whole run."""
    warm = min(1.0, since_start / settings.warm_up)
    cosine = 0.5 * (1 + np.cos(np.pi * min(done, 1.0)))
    for group in optimiser.param_groups:
        group["lr"] = float(settings.learning_rate * warm * max(0.02, cosine))


def _log(path: Path, step: int, sums: dict[str, float], seconds: float) -> None:
    new = not path.exists()
    with path.open("a", newline="") as stream:
        writer = csv.writer(stream)
        if new:
            writer.writerow(["step", "seconds", *sums])
        writer.writerow([step, f"{seconds:.0f}", *(f"{v:.4f}" for v in sums.values())])
