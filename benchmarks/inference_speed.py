"""One patch through the spine's networks: ONNX Runtime, OpenVINO (extra) and torch eager side by side, in one run.

    python benchmarks/inference_speed.py [--bundle FOLDER] [--threads 2] [--repeats 5]

Each repeat takes all of them in turn on the same values; the table gives medians and ratios to torch eager (above
1: faster than torch). ONNX Runtime and OpenVINO run the bundle's files; torch runs the same architecture with
weights of its own, which cost the same, once as it comes and once in channels-last order. The largest difference
between the two that share weights is shown, in logits; on processors with bfloat16 OpenVINO uses it unasked.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from wirbel.network import load_bundle
from wirbel.network.bundle import SHIPPED
from wirbel.network.session import open_network
from wirbel.training.loop import finder, segmenter

#: Network, its architecture, sides of the patch (those of `wirbel analyze`).
PATCHES = (("find", finder, (128, 128, 128)), ("segment", segmenter, (80, 80, 80)))
Run = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def torch_eager(net: torch.nn.Module, *, channels_last: bool) -> Run:
    order = torch.channels_last_3d if channels_last else torch.contiguous_format
    net = net.eval().to(memory_format=order)

    def run(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            dense, coarse = net(torch.from_numpy(image)[None].to(memory_format=order))
        return dense[0].numpy(), coarse[0].numpy()

    return run


def timed(run: Run, image: np.ndarray) -> tuple[float, float]:
    """Wall and processor seconds of one patch."""
    wall, processor = time.perf_counter(), time.process_time()
    run(image)
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=SHIPPED / "spine")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", type=int, help="Sides of the patch in voxels, else those of `wirbel analyze`.")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    bundle = load_bundle(arguments.bundle)
    print(f"threads {arguments.threads}, repeats {arguments.repeats}, bundle {bundle.name} {bundle.version}\n")
    print("| network | patch | by | wall s | processor s | torch eager / this (wall) | (processor) | off |")
    print("|---|---|---|---|---|---|---|---|")
    for name, architecture, sides in PATCHES:
        shape = (arguments.side,) * 3 if arguments.side else sides
        image = np.random.default_rng(0).normal(0.0, 0.5, (2, *shape)).astype(np.float32)
        path = bundle.onnx(name)
        runs: dict[str, Run] = {
            "torch eager": torch_eager(architecture(), channels_last=False),
            "torch eager, channels last": torch_eager(architecture(), channels_last=True),
            "ONNX Runtime": open_network(path, backend="onnxruntime", threads=arguments.threads).run,
            "OpenVINO": open_network(path, backend="openvino", threads=arguments.threads).run,
        }
        first = {who: run(image) for who, run in runs.items()}
        off = max(
            float(np.abs(a - b).max()) for a, b in zip(first["ONNX Runtime"], first["OpenVINO"], strict=True)
        )
        times = [{who: timed(run, image) for who, run in runs.items()} for _ in range(arguments.repeats)]
        median = {who: [statistics.median(t[who][k] for t in times) for k in (0, 1)] for who in runs}
        for who, (wall, processor) in median.items():
            ratios = [f"{median['torch eager'][k] / median[who][k]:.2f}" for k in (0, 1)]
            said = f"{off:.4f}" if who == "OpenVINO" else "-"
            size = " x ".join(str(n) for n in shape)
            row = [name, size, who, f"{wall:.3f}", f"{processor:.3f}", *ratios, said]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
