"""Crops a second in training, bending included: ours against a MONAI loader doing the same.

    python benchmarks/fracture_training_speed.py CROPS [--crops 32] [--repeats 3]

CROPS is a folder of crops (`wirbel cohort crops`, or a simulated cohort's). One thread. Both read the same stored
crops and bend image, mask and paint alike: mirror, sagittal turn of 10 degrees, zoom of 10 %, shift of 3 mm,
elastic field, blur, gain, offset, noise. MONAI does turn, zoom, shift and elastic in one resample as well
(`Rand3DElasticd`). Times are of the process (CPU seconds), the best of the repeats, so that a busy machine
disturbs little.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from wirbel.etiology.network_input import network_input
from wirbel.training.fracture.augment import AugmentSettings
from wirbel.training.fracture.batches import BentCrops, training_batches
from wirbel.training.fracture.crop_rows import open_crops
from wirbel.training.fracture.nets import FractureNet, StudyNet
from wirbel.training.fracture.recipe import RECIPES, Learnt

BATCH = 8


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("crops", type=Path)
    parser.add_argument("--crops", dest="count", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data = open_crops(asked.crops)
    recipe = RECIPES["b2"]
    rows = [Learnt(r, r.diagnosis.is_malignant, 0) for r in data.training if r.diagnosis in recipe.classes]
    rows = rows[: asked.count]

    def ours(bend: float) -> Iterator[torch.Tensor]:
        settings = replace(AugmentSettings(), bend=bend)
        crops = BentCrops(data, rows, "context", settings, seed=1, signs=None, paint=True)
        for batch in training_batches(crops, epoch=1, batch=BATCH, seed=1, workers=0):
            yield batch.crops

    bend_by_monai = monai_transform()

    def theirs() -> Iterator[torch.Tensor]:
        for k in range(0, len(rows), BATCH):
            images = []
            for u in rows[k : k + BATCH]:
                row = u.crop.row
                item = {"hu": np.array(data.hu[row], np.float32)[None], "mask": np.array(data.mask[row])[None]}
                if data.marks is not None:
                    item["marks"] = np.array(data.marks[row])[None]
                bent = bend_by_monai(item)
                mask = np.asarray(bent["mask"][0]).astype(np.uint8)
                images.append(network_input(np.asarray(bent["hu"][0], np.float32), mask, "context"))
            yield torch.from_numpy(np.stack(images))

    net = FractureNet("context").to(memory_format=torch.channels_last_3d)
    study = StudyNet()
    table = {
        "loading and bending alone: ours, every crop resampled": lambda: drain(ours(1.0)),
        "loading and bending alone: ours, as trained": lambda: drain(ours(AugmentSettings().bend)),
        "loading and bending alone: MONAI": lambda: drain(theirs()),
        "training, our network: ours, every crop resampled": lambda: learn(net, ours(1.0), bf16=True),
        "training, our network: ours, as trained": lambda: learn(net, ours(AugmentSettings().bend), bf16=True),
        "training, our network: ours, as trained, without bfloat16": lambda: learn(
            net, ours(AugmentSettings().bend), bf16=False
        ),
        "training, our network: MONAI": lambda: learn(net, theirs(), bf16=True),
    }
    print(f"{len(rows)} crops of {data.hu.shape[1]} voxels, one thread, CPU time, best of {asked.repeats}\n")
    print("| what | crops a CPU second |\n|---|---|")
    for name, run in table.items():
        print(f"| {name} | {len(rows) / best(run, asked.repeats):.1f} |", flush=True)
    few = [c[:, :1] for c in ours(0.0)][:1]
    took = best(lambda: learn(study, iter(few), bf16=False), 1)
    print(f"| training, the study's network at full resolution, float32, no bending | {len(few[0]) / took:.2f} |")


def monai_transform() -> Callable[[dict[str, np.ndarray]], dict[str, torch.Tensor]]:
    """The same bending as ours out of MONAI's own parts."""
    warnings.simplefilter("ignore")
    from monai import transforms as t  # noqa: PLC0415

    s = AugmentSettings()
    keys, labels = ["hu", "mask", "marks"], ("bilinear", "nearest", "nearest")
    return t.Compose(
        [
            t.RandFlipd(keys, prob=s.flip, spatial_axis=2, allow_missing_keys=True),
            t.Rand3DElasticd(
                keys, sigma_range=(6, 8), magnitude_range=(50, 100), prob=1.0,
                rotate_range=(0, 0, np.deg2rad(s.turn_deg)), translate_range=(s.shift_mm,) * 3,
                scale_range=(s.zoom,) * 3, spatial_size=s.size, mode=labels, padding_mode="border",
                allow_missing_keys=True,
            ),
            t.RandGaussianSmoothd(["hu"], (0.2, 0.7), (0.2, 0.7), (0.2, 0.7), prob=s.blur),
            t.RandScaleIntensityd(["hu"], factors=s.gain, prob=1.0),
            t.RandShiftIntensityd(["hu"], offsets=s.offset_hu, prob=1.0),
            t.RandGaussianNoised(["hu"], std=s.noise_hu, prob=1.0),
        ]
    )  # fmt: skip


def drain(batches: Iterator[torch.Tensor]) -> None:
    for _ in batches:
        pass


def learn(net: nn.Module, batches: Iterator[torch.Tensor], *, bf16: bool) -> None:
    net.train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4)
    for crops in batches:
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            said = net(crops.contiguous(memory_format=torch.channels_last_3d) if bf16 else crops)
        log_odds = said[0] if isinstance(said, tuple) else said[:, 1] - said[:, 0]
        log_odds.float().square().mean().backward()
        optimiser.step()


def best(run: Callable[[], None], repeats: int) -> float:
    run()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)


if __name__ == "__main__":
    main()
