"""Training of the outline network on cases of `wirbel.training.outline_cases`, resumable, and its export."""

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from scipy import ndimage
from torch.nn import functional as F  # noqa: N812  # torch's own convention

from wirbel.errors import UsageError
from wirbel.network.outline import INPUTS, OUTPUTS, outline_input
from wirbel.training.export import write_onnx
from wirbel.training.outline_cases import NO_VERTEBRA, UNKNOWN, OutlineCase, load_case
from wirbel.training.outline_net import OutlineNet
from wirbel.training.weight_mean import early_decay, move_mean

CHECKPOINT, CURVE = "checkpoint.pt", "curve.csv"
#: Of a case that judges its middle is looked at, so many voxels a side.
_JUDGED = 96


@dataclass(frozen=True, slots=True)
class OutlineTraining:
    """How it learns."""

    minutes: float = 40.0
    steps: int | None = None
    """At most so many; the rate falls to its end by whichever of both comes first."""
    learning_rate: float = 2e-3
    batch: int = 4
    patch: int = 48
    average: float = 0.99
    seed: int = 1
    threads: int = 1
    judged_share: float = 0.08
    """Share of the drawn cases that judge and do not teach."""
    real_share: float = 0.4
    """Share of real CTs, where there are any. Drawings alone make edges too tight for patients: after 15 minutes on
    them the whole vertebrae of three CTs with masks had lost a fifth of their volume."""
    log_every: int = 50


def train_outline(
    cases: Sequence[Path],
    folder: Path,
    settings: OutlineTraining,
    *,
    real: Sequence[Path] = (),
    start_from: Path | None = None,
    say: Callable[[str], None],
) -> Path:
    """Train, or go on; gives back the checkpoint.

    `start_from`: weights of another training, for a folder in which there are none yet.
    """
    judged = max(1, round(settings.judged_share * len(cases)))
    if len(cases) <= judged:
        raise UsageError(f"{len(cases)} drawn cases are too few: at least 2 are needed, one of them to judge")
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    path = folder / CHECKPOINT
    run = _Run(path, settings, start_from)
    judges, teachers = list(cases[:judged]), list(cases[judged:])
    rng = np.random.default_rng([settings.seed, run.step])
    patches = _Patches(teachers, list(real), settings, rng)
    sums = np.zeros(2)
    began = time.monotonic() - run.spent_s
    while (share := _share(time.monotonic() - began, run.step, settings)) < 1:
        sums += [run.learn(patches.batch(), share), 1.0]
        if run.step % settings.log_every == 0:
            run.spent_s = time.monotonic() - began
            run.save()
            dice = run.judge(judges) if run.step % (4 * settings.log_every) == 0 else None
            line = [run.step, round(run.spent_s), f"{sums[0] / sums[1]:.4f}", *(f"{d:.4f}" for d in dice or ())]
            _log(folder / CURVE, line)
            say(f"outline step {run.step} ({run.spent_s / 60:.1f} min): loss {line[2]} {line[3:]} (simulated)")
            sums[:] = 0
    run.spent_s = time.monotonic() - began
    run.save()
    return path


def export_outline(checkpoint: Path, path: Path) -> None:
    """Write the running mean of the weights as ONNX; sides of the input are free, and even."""
    net = OutlineNet()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["mean"])
    axes = {2: "z", 3: "y", 4: "x"}
    write_onnx(net.float().eval(), torch.zeros(1, INPUTS, 32, 32, 32), path, {"image": axes, "log_odds": axes})


def outline_loss(log_odds: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of what each voxel may be; voxels of which nothing is known do not count."""
    log_p = F.log_softmax(log_odds, dim=1)
    exact = torch.gather(log_p, 1, truth.clamp(max=OUTPUTS - 1)[:, None])[:, 0]
    neither = torch.logsumexp(log_p[:, [0, OUTPUTS - 1]], dim=1)
    known = truth != UNKNOWN
    said = torch.where(truth == NO_VERTEBRA, neither, exact)
    return -(said * known).sum() / known.sum().clamp(min=1)


class _Run:
    """What changes while training."""

    def __init__(self, path: Path, settings: OutlineTraining, start_from: Path | None) -> None:
        torch.manual_seed(settings.seed)
        self.path, self.settings = path, settings
        self.net = OutlineNet()
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=settings.learning_rate, weight_decay=1e-4)
        self.mean = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
        self.step, self.spent_s = 0, 0.0
        if path.exists():
            kept = torch.load(path, map_location="cpu", weights_only=True)
            self.net.load_state_dict(kept["net"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.mean, self.step, self.spent_s = kept["mean"], int(kept["step"]), float(kept["spent_s"])
        elif start_from is not None:
            self.net.load_state_dict(torch.load(start_from, map_location="cpu", weights_only=True)["mean"])
            self.mean = {k: v.detach().clone() for k, v in self.net.state_dict().items()}

    def learn(self, batch: tuple[torch.Tensor, torch.Tensor], share: float) -> float:
        """One step; its loss."""
        image, truth = batch
        self.net.train()
        self.step += 1
        rate = self.settings.learning_rate * min(1.0, self.step / 30) * max(0.01, 0.5 * (1 + np.cos(np.pi * share)))
        for group in self.optimiser.param_groups:
            group["lr"] = float(rate)
        self.optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            said = self.net(image.contiguous(memory_format=torch.channels_last_3d))
        loss = outline_loss(said.float(), truth)
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        move_mean(self.mean, self.net, early_decay(self.settings.average, self.step))
        return float(loss.detach())

    @torch.no_grad()
    def judge(self, cases: Sequence[Path]) -> list[float]:
        """Dice of body, posterior elements and disc, before and after, over the judging cases."""
        net = OutlineNet()
        net.load_state_dict(self.mean)
        net.eval()
        sums = np.zeros((2, 3, 2))
        for path in cases:
            case = load_case(path)
            sides = [min(_JUDGED, n) // 2 * 2 for n in case.truth.shape]
            middle = tuple(slice((n - k) // 2, (n + k) // 2) for n, k in zip(case.truth.shape, sides, strict=True))
            image = outline_input(case.hu[middle], case.p[(slice(None), *middle)])
            with torch.autocast("cpu", torch.bfloat16):
                after = net(torch.from_numpy(image)[None])[0].argmax(0).numpy()
            p = image[2:]
            other = np.maximum(1 - p.sum(0), 0)
            before = np.argmax(np.concatenate([other[None], p]), 0)
            for k in range(1, OUTPUTS):
                true = case.truth[middle] == k
                for i, mine in enumerate((before == k, after == k)):
                    sums[i, k - 1] += [2 * (mine & true).sum(), mine.sum() + true.sum()]
        return [float(v) for v in (sums[..., 0] / np.maximum(sums[..., 1], 1)).ravel()]

    def save(self) -> None:
        """Write the checkpoint; it appears whole or not at all."""
        part = self.path.with_suffix(".part")
        state = {"net": self.net.state_dict(), "mean": self.mean, "optimiser": self.optimiser.state_dict()}
        torch.save(state | {"step": self.step, "spent_s": self.spent_s}, part)
        part.replace(self.path)


class _Patches:
    """Patches of the cases, some cases held open at a time."""

    def __init__(self, cases: list[Path], real: list[Path], settings: OutlineTraining, rng: Generator) -> None:
        self.cases, self.settings, self.rng = cases, settings, rng
        self.real = [load_case(path) for path in real]
        self.open: list[OutlineCase] = []

    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (n, c, z, y, x) and true classes (n, z, y, x)."""
        if len(self.open) < 12 or self.rng.random() < 0.25:
            self.open = [*self.open[-11:], load_case(self.cases[int(self.rng.integers(len(self.cases)))])]
        pairs = [self._patch() for _ in range(self.settings.batch)]
        images, truths = zip(*pairs, strict=True)
        return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(truths)).long()

    def _patch(self) -> tuple[np.ndarray, np.ndarray]:
        """Around a voxel of one of the three; mirrored, and its HU altered, at random."""
        shown = self.real if self.real and self.rng.random() < self.settings.real_share else self.open
        case, n = shown[int(self.rng.integers(len(shown)))], self.settings.patch
        part = case.truth[::3, ::3, ::3]
        bone = np.flatnonzero((part > 0) & (part < OUTPUTS))
        small = [-(-k // 3) for k in case.truth.shape]
        at = 3 * np.array(np.unravel_index(int(self.rng.choice(bone)), small))
        at = at + self.rng.integers(-n // 3, n // 3 + 1, 3) - n // 2
        low = np.clip(at, 0, np.maximum(np.asarray(case.truth.shape) - n, 0))
        box = tuple(slice(int(a), int(a) + n) for a in low)
        hu, p, truth = case.hu[box].astype(np.float32), case.p[(slice(None), *box)], case.truth[box]
        short = [(0, n - k) for k in truth.shape]
        hu = np.pad(hu, short, constant_values=-1024.0)
        p, truth = np.pad(p, [(0, 0), *short]), np.pad(truth, short, constant_values=UNKNOWN)
        if self.rng.random() < 0.5:
            hu, p, truth = hu[..., ::-1], p[..., ::-1], truth[..., ::-1]
        image = outline_input(self._altered(hu), np.ascontiguousarray(p))
        return image, np.ascontiguousarray(truth)

    def _altered(self, hu: np.ndarray) -> np.ndarray:
        """Gain (of bone, too), offset, blur and noise: kernels, scanners and bones are more than the drawn ones."""
        rng = self.rng
        hu = hu * np.float32(rng.uniform(0.88, 1.12)) + np.float32(rng.normal(0, 12))
        hu = np.where(hu > 80.0, 80.0 + (hu - 80.0) * np.float32(rng.uniform(0.6, 1.2)), hu)
        if rng.random() < 0.35:
            hu = ndimage.gaussian_filter(hu, rng.uniform(0.3, 1.0))
        if rng.random() < 0.35:
            noise = rng.normal(0, 1, hu.shape).astype(np.float32)
            noise = ndimage.gaussian_filter(noise, rng.uniform(0.0, 1.0))
            hu = hu + noise * np.float32(rng.uniform(5, 45) / max(noise.std(), 1e-6))
        return np.ascontiguousarray(hu, dtype=np.float32)


def _share(spent_s: float, step: int, settings: OutlineTraining) -> float:
    """How much of the training is done."""
    by_time = spent_s / 60 / settings.minutes
    return by_time if settings.steps is None else max(by_time, step / settings.steps)


def _log(path: Path, line: list[object]) -> None:
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            kinds = ("body", "posterior", "disc")
            dice = [f"{k}_dice_{w}" for w in ("before", "after") for k in kinds]
            writer.writerow(["step", "seconds", "loss", *dice])
        writer.writerow(line)
