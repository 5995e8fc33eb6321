"""Speed of the multi-reader analysis: 20 readers x 2 treatments x 500 cases, against a plain jackknife loop.

Run: python benchmarks/mrmc_speed.py. The plain loop leaves out one case at a time and computes every reader's
area anew by comparing all pairs; it is timed on a few of the 500 cases and scaled up, and its variances must
agree with ours.
"""

from __future__ import annotations

import time

import numpy as np

from wirbel.evaluation.mrmc import (
    ROE_METZ_1997,
    AreaUnderCurve,
    Readings,
    obuchowski_rockette,
    one_shot,
    simulate_readings,
)
from wirbel.evaluation.mrmc.figures import leave_one_out

TIMED = 5


def area(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the curve from all pairs."""
    gap = positive[:, None] - negative[None, :]
    return float(((gap > 0) + 0.5 * (gap == 0)).mean())


def loop(ratings: np.ndarray, truth: np.ndarray, cases: np.ndarray) -> np.ndarray:
    """Area of every (treatment, reader) without each of the given cases, one by one."""
    out = np.empty((*ratings.shape[:2], cases.size))
    for k, case in enumerate(cases):
        keep = np.arange(truth.size) != case
        for t in range(ratings.shape[0]):
            for r in range(ratings.shape[1]):
                x, y = ratings[t, r, keep], truth[keep]
                out[t, r, k] = area(x[y], x[~y])
    return out


def least(call, times: int = 3) -> float:
    """Least seconds of some runs, so that other work on the machine counts less."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def simulated_study() -> Readings:
    """20 readers, two treatments, 250 diseased and 250 healthy cases."""
    return simulate_readings(
        ROE_METZ_1997["HH 1.50"], readers=20, diseased=250, healthy=250, rng=np.random.default_rng(1)
    )


def main() -> None:
    study = simulated_study()
    cases = np.linspace(0, 499, TIMED).astype(int)
    ours, plain = (
        leave_one_out(study, AreaUnderCurve()).without[..., cases],
        loop(study.ratings, study.truth, cases),
    )
    if not np.allclose(ours, plain, atol=1e-12):
        raise SystemExit("the loop and the library differ")
    whole = least(lambda: obuchowski_rockette(study))
    slow = least(lambda: loop(study.ratings, study.truth, cases), 1) * 500 / TIMED
    print(f"whole analysis (jackknife): {whole:.3f} s; one-shot: {least(lambda: one_shot(study), 1):.3f} s")
    print(f"plain jackknife loop: {slow:.1f} s, {slow / whole:.0f} times as long")


if __name__ == "__main__":
    main()
