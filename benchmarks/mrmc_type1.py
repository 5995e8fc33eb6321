"""Type I error of the multi-reader tests under the Roe-Metz null, all cells: writes docs/mrmc-type1.md.

Run: nice python benchmarks/mrmc_type1.py [--repetitions 5000] [--output docs/mrmc-type1.md]
All readings are simulated; 3 and 5 readers x 65 cases (35 diseased) and 114 cases (45 diseased), twelve structures.
Studies are analysed in batches by the formulas written out here; the first of every cell also by the library, and
the two p values must agree.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy import special
from scipy.stats import binomtest

from wirbel.evaluation.mrmc import (
    ROE_METZ_1997,
    Covariance,
    RoeMetz,
    obuchowski_rockette,
    simulate_readings,
)

METHODS = (Covariance.JACKKNIFE, Covariance.DELONG, Covariance.UNBIASED)
SIZES = ((35, 30), (45, 69))
READERS = (3, 5)
BATCH = 250
CHECKED = 5


def rejections(
    structure: RoeMetz, readers: int, size: tuple[int, int], repetitions: int, seed: int
) -> dict[Covariance, int]:
    """How often each method finds p < 0.05 although the treatments do not differ."""
    rng = np.random.default_rng(seed)
    count = dict.fromkeys(METHODS, 0)
    for start in range(0, repetitions, BATCH):
        studies = [
            simulate_readings(structure, readers=readers, diseased=size[0], healthy=size[1], rng=rng)
            for _ in range(min(BATCH, repetitions - start))
        ]
        p = p_values(np.stack([s.ratings for s in studies]), size[0])
        for method in METHODS:
            count[method] += int((p[method] < 0.05).sum())
            for k in range(CHECKED if start == 0 else 0):
                library = obuchowski_rockette(studies[k], covariance=method).test.p
                if abs(library - p[method][k]) > 1e-9:
                    raise SystemExit(f"batch and library differ: {p[method][k]} and {library}")
    return count


def p_values(ratings: np.ndarray, diseased: int) -> dict[Covariance, np.ndarray]:
    """p of every study in a (studies, 2, readers, cases) array, the diseased cases first."""
    b, _, readers, n_cases = ratings.shape
    m, n = diseased, n_cases - diseased
    wins = (ratings[..., :m, None] > ratings[..., None, m:]).reshape(b, 2 * readers, m, n).astype(np.float32)
    v10, v01 = wins.mean(axis=3, dtype=float), wins.mean(axis=2, dtype=float)
    values = v10.mean(axis=2)
    d10, d01 = v10 - values[..., None], v01 - values[..., None]
    a, c = d10 @ d10.transpose(0, 2, 1), d01 @ d01.transpose(0, 2, 1)
    flat = wins.reshape(b, 2 * readers, m * n)
    both = (flat @ flat.transpose(0, 2, 1)).astype(float)
    rows, cols = v10 * n, v01 * m
    product = values[:, :, None] * values[:, None, :]
    apart = product * (m * n) ** 2 - rows @ rows.transpose(0, 2, 1) - cols @ cols.transpose(0, 2, 1) + both
    sigma = {
        Covariance.JACKKNIFE: (a / (m - 1) ** 2 + c / (n - 1) ** 2) * (n_cases - 1) / n_cases,
        Covariance.DELONG: a / (m * (m - 1)) + c / (n * (n - 1)),
        Covariance.UNBIASED: product - apart / (m * n * (m - 1) * (n - 1)),
    }
    table = values.reshape(b, 2, readers)
    by_t, by_r = table.mean(axis=2), table.mean(axis=1)
    grand = table.mean(axis=(1, 2))
    rest = table - by_t[:, :, None] - by_r[:, None, :] + grand[:, None, None]
    ms_t = readers * ((by_t - grand[:, None]) ** 2).sum(axis=1)
    ms_tr = (rest**2).sum(axis=(1, 2)) / (readers - 1)
    treatment, reader = (x.ravel() for x in np.indices((2, readers)))
    same_t, same_r = treatment[:, None] == treatment, reader[:, None] == reader
    out = {}
    for method, s in sigma.items():
        shared = np.maximum(s[:, same_t & ~same_r].mean(axis=1) - s[:, ~same_t & ~same_r].mean(axis=1), 0.0)
        denominator = ms_tr + readers * shared
        df2 = denominator**2 * (readers - 1) / ms_tr**2
        out[method] = special.fdtrc(1.0, df2, ms_t / denominator)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5000)
    parser.add_argument("--output", type=Path, default=Path("docs/mrmc-type1.md"))
    options = parser.parse_args()
    start, rows = time.perf_counter(), []
    for k, (name, structure) in enumerate(ROE_METZ_1997.items()):
        for readers in READERS:
            for size in SIZES:
                seed = 1000 * k + 10 * readers + size[0]
                count = rejections(structure, readers, size, options.repetitions, seed)
                rows.append((name, structure.expected_auc, readers, sum(size), count))
                print(
                    name,
                    readers,
                    sum(size),
                    {m.value: c / options.repetitions for m, c in count.items()},
                    flush=True,
                )
    options.output.write_text(page(rows, options.repetitions))
    print(f"{len(rows)} cells in {time.perf_counter() - start:.0f} s")


def page(rows: list, repetitions: int) -> str:
    """The Markdown page with every cell."""
    head = [
        "# Type I error of the multi-reader tests (simulated)",
        "",
        "Research use only. All readings are **simulated** from the model of Roe & Metz (1997) without a "
        "difference",
        f"between treatments; {repetitions} studies a cell, nominal level 5 %. A cell's 95 % interval is about",
        f"±{196 * np.sqrt(0.05 * 0.95 / repetitions):.1f} points. The test is Obuchowski-Rockette with Hillis's "
        "degrees of",
        "freedom, readers and cases random. H/L: case correlation high or low, then reader variance high or low; "
        "the number",
        "is the separation of the classes. Made by `benchmarks/mrmc_type1.py`.",
        "",
        "| structure | expected AUC | readers | cases | " + " | ".join(f"{m.value} %" for m in METHODS) + " |",
        "|---|---|---|---|" + "---|" * len(METHODS),
    ]
    body = [
        f"| {name} | {auc:.3f} | {readers} | {n} | "
        + " | ".join(f"{100 * count[m] / repetitions:.1f}" for m in METHODS) + " |"
        for name, auc, readers, n, count in rows
    ]
    share = {m: np.array([count[m] / repetitions for *_, count in rows]) for m in METHODS}
    summary = [
        "",
        "## Summary",
        "",
        "| method | average % (95 % interval) | lowest cell % | highest cell % |",
        "|---|---|---|---|",
    ]
    for m, cells in share.items():
        total = round(float(cells.sum()) * repetitions)
        average = binomtest(total, len(rows) * repetitions).proportion_ci(method="wilson")
        summary.append(
            f"| {m.value} | {100 * cells.mean():.2f} ({100 * average.low:.2f}-{100 * average.high:.2f}) | "
            f"{100 * cells.min():.1f} | {100 * cells.max():.1f} |"
        )
    by_size = [
        "",
        "Averages over the twelve structures, by size of the study (jackknife):",
        "",
        "| readers | cases | % |",
        "|---|---|---|",
    ]
    for readers in READERS:
        for size in SIZES:
            picked = [
                c[Covariance.JACKKNIFE] / repetitions for _, _, r, n, c in rows if (r, n) == (readers, sum(size))
            ]
            by_size.append(f"| {readers} | {sum(size)} | {100 * np.mean(picked):.2f} |")
    return "\n".join([*head, *body, *summary, *by_size, ""])


if __name__ == "__main__":
    main()
