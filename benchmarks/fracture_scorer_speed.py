"""Time a vertebra of the classifier that ships, part by part, against the study's one network in torch eager.

    python benchmarks/fracture_scorer_speed.py [--bundle FOLDER] [--threads 1] [--repeats 20]

Both run on the same CPU in one run, in turn, crop by crop; medians of the wall clock, and of the processor's time,
which counts on a machine that is busy with other work. The study's network is built after its authors'
public code (MIT): five levels of two convolutions with InstanceNorm and ReLU from 16 channels, max-pooling between,
four more convolutions, three dense layers; 4.9 million parameters, weights drawn. Crops are noise: time does not
depend on what they show. Nothing here says anything about accuracy.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from wirbel.etiology.network_input import network_input
from wirbel.network.bundle import SHIPPED, load_bundle
from wirbel.network.fracture import open_fracture
from wirbel.network.fracture_scorer import FRACTURE
from wirbel.network.heat import grad_cam
from wirbel.volume import Grid


def study_network() -> nn.Module:
    """One crop of 64 voxels, one channel, to two outputs."""
    layers: list[nn.Module] = []
    before = 1
    for level, width in enumerate((16, 32, 64, 128, 256)):
        layers += [nn.MaxPool3d(2)] if level else []
        for _ in range(2):
            layers += [nn.Conv3d(before, width, 3, padding=1), nn.InstanceNorm3d(width), nn.ReLU()]
            before = width
    for width in (128, 64, 32, 8):
        layers += [nn.Conv3d(before, width, 3, padding=1), nn.InstanceNorm3d(width)]
        before = width
    layers += [nn.Flatten()]
    before = 512
    for width in (256, 128, 64):
        layers += [nn.Linear(before, width), nn.BatchNorm1d(width), nn.LeakyReLU()]
        before = width
    return nn.Sequential(*layers, nn.Linear(before, 2)).eval()


def times_ms(work: Callable[[], object], repeats: int) -> list[tuple[float, float]]:
    """Wall clock and processor's time of a piece of work, the first one left out."""
    work()
    out = []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        work()
        out.append((1000.0 * (time.perf_counter() - start), 1000.0 * (time.process_time() - busy)))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=SHIPPED / FRACTURE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    networks = open_fracture(load_bundle(given.bundle), threads=given.threads)
    size = networks.about.crop.size
    rng = np.random.default_rng(1)
    hu = rng.integers(-200, 600, size).astype(np.int16)
    mask = np.zeros(size, np.uint8)
    mask[tuple(slice(n // 3, 2 * n // 3) for n in size)] = 1
    grid = Grid.axis_aligned(size, (networks.about.crop.spacing_mm,) * 3)
    ready = network_input(hu, mask, networks.about.kind)[None]
    scores = networks.score_input(ready)
    study = study_network()
    crop = torch.from_numpy(rng.random((1, 1, 64, 64, 64), dtype=np.float32))

    def eager() -> Tensor:
        with torch.inference_mode():
            return study(crop)

    parts: dict[str, Callable[[], object]] = {
        "study's network, torch eager": eager,
        f"ours, network part ({len(networks.sessions)} members, ONNX Runtime)": lambda: networks.score_input(ready),
        "ours, network input": lambda: network_input(hu, mask, networks.about.kind),
        "ours, heat map": lambda: grad_cam(networks, scores, 0, grid),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
    for _ in range(4):  # in turn, so that a busy machine is busy for all
        for name, work in parts.items():
            found[name] += times_ms(work, max(given.repeats // 4, 1))
    weights = sum(p.numel() for p in study.parameters())
    print(f"{given.threads} threads; the study's network has {weights / 1e6:.2f} M parameters\n")
    print("| part | median wall clock, ms a vertebra | median processor's time, ms |\n|---|---|---|")
    medians = {name: np.median(np.array(each), axis=0) for name, each in found.items()}
    for name, (wall, busy) in medians.items():
        print(f"| {name} | {wall:.1f} | {busy:.1f} |")
    study_ms, own_ms = (medians[name] for name in list(parts)[:2])
    wall, busy = (float(n) for n in study_ms / own_ms)
    print(f"\nNetwork part: {wall:.1f} times as fast by the wall clock, {busy:.1f} times by the processor's time.")


if __name__ == "__main__":
    main()
