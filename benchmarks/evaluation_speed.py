"""How much faster than the usual route, as ratios measured in one run: writes docs/evaluation-speed.md.

Run: make bench-statistics, or where torch and monai (requirements-bench.lock) are installed
nice python benchmarks/evaluation_speed.py [--output docs/evaluation-speed.md]. Both sides run on one thread and are
measured in processor time, so that other work on the machine counts little; the peer does its whole task, nothing
is scaled up. Of our short runs the median counts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import mrmc_speed
import numpy as np
import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice
from sklearn.metrics import roc_auc_score

from wirbel.evaluation.auc import AucInterval, auc
from wirbel.evaluation.clustered_auc import bootstrap_clustered_auc
from wirbel.evaluation.mrmc import obuchowski_rockette
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
    """Median process time (other processes on the machine do not count) of some turns."""
    found = []
    for _ in range(turns):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return statistics.median(found)


def delong_race() -> Race:
    rng = np.random.default_rng(0)
    truth = rng.random(100_000) < 0.4
    scores = rng.normal(truth * 1.0, 1.0)

    def peer() -> None:
        for _ in range(1000):
            index = rng.integers(0, truth.size, truth.size)
            roc_auc_score(truth[index], scores[index])

    ours = seconds(lambda: auc(truth, scores, method=AucInterval.DELONG), 5)
    return Race(
        "AUC with DeLong interval, n = 100,000",
        "scikit-learn roc_auc_score on 1,000 bootstrap samples",
        20, ours, seconds(peer, 1),
    )


def cluster_race() -> Race:
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(334), 3)[:1000]
    truth = rng.random(1000) < 0.4
    scores = rng.normal(truth * 1.0, 1.0)
    members = [np.flatnonzero(clusters == c) for c in range(334)]

    def peer() -> None:
        for _ in range(2000):
            index = np.concatenate([members[c] for c in rng.integers(0, 334, 334)])
            roc_auc_score(truth[index], scores[index])

    ours = seconds(lambda: bootstrap_clustered_auc(truth, scores, clusters, rng=rng, replicates=2000), 5)
    return Race(
        "Cluster bootstrap of the AUC, 2,000-fold, n = 1,000 in 334 clusters",
        "a loop of 2,000 over scikit-learn roc_auc_score",
        30, ours, seconds(peer, 1),
    )


def readers_race() -> Race:
    study = mrmc_speed.simulated_study()
    cases = np.arange(500)
    return Race(
        "Obuchowski-Rockette (jackknife), 20 readers x 2 treatments x 500 cases; ours is also to stay under 1 s",
        "a plain jackknife loop over readers, treatments and cases, areas by comparing all pairs",
        50, seconds(lambda: obuchowski_rockette(study), 5),
        seconds(lambda: mrmc_speed.loop(study.ratings, study.truth, cases), 1),
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


def surface_race(surface: Surface, name: str) -> Race:
    torch.set_num_threads(1)
    truth, predicted = drawn_spine()

    def peer() -> None:
        for k in range(1, 25):
            pair = [torch.as_tensor((m == k)[None, None]) for m in (predicted, truth)]
            compute_hausdorff_distance(*pair, include_background=True, percentile=95, spacing=[1.0, 1.0, 1.0])
            compute_surface_dice(
                *pair, [1.0], include_background=True, spacing=[1.0, 1.0, 1.0],
                use_subvoxels=surface is Surface.ELEMENTS,
            )

    ours = seconds(
        lambda: segmentation_figures(truth, predicted, (1.0, 1.0, 1.0), tolerance_mm=1.0, surface=surface), 3
    )
    return Race(
        f"HD95 and NSD (and Dice, IoU, ASSD) of 24 vertebrae, 640 x 120 x 120 at 1 mm, {name}",
        "MONAI compute_hausdorff_distance and compute_surface_dice, one vertebra at a time",
        5, ours, seconds(peer, 1),
    )


RACES: tuple[Callable[[], Race], ...] = (
    delong_race,
    cluster_race,
    readers_race,
    lambda: surface_race(Surface.VOXELS, "surfaces of voxels"),
    lambda: surface_race(Surface.ELEMENTS, "surface elements between voxels (our default)"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs/evaluation-speed.md"))
    args, load = parser.parse_args(), os.getloadavg()[0]
    lines = [
        "# How fast are the statistics?",
        "",
        "Processor time of one thread, both sides in one run of `make bench-statistics`, nothing scaled up. The"
        f" machine has {os.cpu_count()} cores and had a load of {load:.1f} when the run began; other work slows"
        " both sides, so the ratios are what can be compared. Scores, readings and the spine are simulated.",
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
