"""How much faster than the usual route, as ratios measured in one run: writes docs/evaluation-speed.md.

Run: nice python benchmarks/evaluation_speed.py [--output docs/evaluation-speed.md]; needs scikit-learn, torch,
monai (pip install monai). Both sides run on one thread, in turns, and the best of the turns counts; where the
peer's full route would take minutes, a part of its replicates is timed and the rest is counted (said in the
table).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice
from sklearn.metrics import roc_auc_score

from wirbel.evaluation.auc import AucInterval, auc
from wirbel.evaluation.clustered_auc import bootstrap_clustered_auc
from wirbel.evaluation.structures import segmentation_figures
from wirbel.evaluation.surface_distance import Surface


@dataclass(frozen=True, slots=True)
class Race:
    """Seconds of process time of both sides."""

    task: str
    peer: str
    aim: int
    ours_s: float
    peer_s: float

    @property
    def ratio(self) -> float:
        return self.peer_s / self.ours_s


def seconds(work: Callable[[], object], turns: int) -> float:
    """Least process time (other processes on the machine do not count) of some turns."""
    best = np.inf
    for _ in range(turns):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return float(best)


def delong_race() -> Race:
    rng = np.random.default_rng(0)
    truth = rng.random(100_000) < 0.4
    scores = rng.normal(truth * 1.0, 1.0)
    timed, full = 20, 1000

    def peer() -> None:
        for _ in range(timed):
            index = rng.integers(0, truth.size, truth.size)
            roc_auc_score(truth[index], scores[index])

    ours = seconds(lambda: auc(truth, scores, method=AucInterval.DELONG), 5)
    return Race(
        "AUC with DeLong interval, n = 100,000",
        f"scikit-learn roc_auc_score on {full:,} bootstrap samples ({timed} timed)",
        20, ours, seconds(peer, 2) * full / timed,
    )


def cluster_race() -> Race:
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(334), 3)[:1000]
    truth = rng.random(1000) < 0.4
    scores = rng.normal(truth * 1.0, 1.0)
    members = [np.flatnonzero(clusters == c) for c in range(334)]
    timed, full = 200, 2000

    def peer() -> None:
        for _ in range(timed):
            index = np.concatenate([members[c] for c in rng.integers(0, 334, 334)])
            roc_auc_score(truth[index], scores[index])

    ours = seconds(lambda: bootstrap_clustered_auc(truth, scores, clusters, rng=rng, replicates=full), 5)
    return Race(
        "Cluster bootstrap of the AUC, 2,000-fold, n = 1,000 in 334 clusters",
        f"a loop over scikit-learn roc_auc_score ({timed} of {full:,} timed)",
        30, ours, seconds(peer, 2) * full / timed,
    )


def drawn_spine() -> tuple[np.ndarray, np.ndarray]:
    """24 labelled blocks of 45 x 35 x 22 mm, rounded, at 1 mm, and the same moved and frayed by a voxel."""
    shape = (640, 120, 120)
    truth = np.zeros(shape, dtype=np.uint8)
    zz, yy, xx = np.indices((24, 50, 56), dtype=np.float32)
    block = ((zz - 11.5) / 11) ** 6 + ((yy - 24.5) / 24) ** 4 + ((xx - 27.5) / 27) ** 4 < 1
    for k in range(24):
        z, y = 8 + 26 * k, int(35 + 15 * np.sin(k / 4))
        part = truth[z : z + 24, y : y + 50, 32:88]
        part[block] = k + 1
    predicted = np.roll(truth, (1, 1), axis=(0, 2))
    noise = np.random.default_rng(2).random(shape) < 0.01
    predicted[noise & (predicted > 0)] = 0
    return truth, predicted


def surface_race() -> Race:
    torch.set_num_threads(1)
    truth, predicted = drawn_spine()
    few = (1, 12, 24)
    one_hot = [
        torch.as_tensor(np.stack([m == k for k in few])[None].astype(np.float32)) for m in (predicted, truth)
    ]

    def peer() -> None:
        compute_hausdorff_distance(*one_hot, include_background=True, percentile=95, spacing=[1.0, 1.0, 1.0])
        compute_surface_dice(*one_hot, [1.0] * len(few), include_background=True, spacing=[1.0, 1.0, 1.0])

    ours = seconds(
        lambda: segmentation_figures(truth, predicted, (1.0, 1.0, 1.0), tolerance_mm=1.0, surface=Surface.VOXELS), 2
    )
    return Race(
        "HD95 and NSD (and Dice, IoU, ASSD) of 24 vertebrae, 640 x 120 x 120 at 1 mm",
        f"MONAI compute_hausdorff_distance and compute_surface_dice ({len(few)} of 24 vertebrae timed)",
        5, ours, seconds(peer, 2) * 24 / len(few),
    )


RACES = (delong_race, cluster_race, surface_race)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs/evaluation-speed.md"))
    args = parser.parse_args()
    lines = [
        "# How fast are the statistics?",
        "",
        "Process time of one thread, both sides in one run of `python benchmarks/evaluation_speed.py`.",
        "",
        "| task | ours | peer | peer's time | ratio | aim |",
        "|---|---|---|---|---|---|",
    ]
    for make in RACES:
        r = make()
        row = f"| {r.task} | {r.ours_s:.3f} s | {r.peer} | {r.peer_s:.2f} s | {r.ratio:.0f} | {r.aim} |"
        print(row, flush=True)
        lines.append(row)
    args.output.write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
