"""How often the 95 % intervals hold the truth: simulation with known truth, all cells: writes docs/coverage.md.

Run: nice python benchmarks/coverage.py [--repetitions 5000] [--output docs/coverage.md]
Everything is simulated. The limits are the library's own functions, applied to all repetitions of a cell at once.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from wirbel.evaluation.auc import AucInterval, auc_limits
from wirbel.evaluation.auc_intervals import wald_limits
from wirbel.evaluation.clustered_auc import cluster_components, clustered_auc_limits
from wirbel.evaluation.clustered_shares import ClusterCounts, rao_scott_limits
from wirbel.evaluation.placements import Placements, placements
from wirbel.evaluation.proportions import ProportionInterval, proportion_limits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Limits = tuple[Floats, Floats]

SIZES = (30, 65, 86, 500)
SHARES = (0.6, 0.7, 0.8, 0.9, 0.95)
AREAS = (0.6, 0.7, 0.8, 0.9, 0.95)
PREVALENCES = (0.3, 0.5)
UNITS = 3
ICCS = (0.1, 0.3, 0.5)
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting, and how often each method's interval held the truth."""

    n: int
    setting: str
    coverage: dict[str, float]


# ---- one share -------------------------------------------------------------------------------------------------
def share_cells(repetitions: int, rng: np.random.Generator) -> Iterator[Cell]:
    """Sensitivity of n independent diseased cases."""
    methods = {
        "**Wilson**": ProportionInterval.WILSON,
        "Clopper-Pearson": ProportionInterval.CLOPPER_PEARSON,
        "mid-P": ProportionInterval.MID_P,
        "Jeffreys": ProportionInterval.JEFFREYS,
        "Wald": ProportionInterval.WALD,
        "bootstrap": ProportionInterval.BOOTSTRAP,
    }
    for n in SIZES:
        for p in SHARES:
            hits = rng.binomial(n, p, repetitions)
            held = {
                name: inside(p, proportion_limits(hits, np.full(repetitions, n), method=method))
                for name, method in methods.items()
            }
            yield Cell(n, f"sensitivity {p:g}", held)


def clustered_share_cells(repetitions: int, rng: np.random.Generator) -> Iterator[Cell]:
    """Sensitivity of the vertebrae of n patients: 1 to 5 each (mean 3), chances beta-distributed among patients."""
    for n in SIZES:
        for icc in ICCS:
            for p in SHARES:
                units = rng.integers(1, 2 * UNITS, (repetitions, n)).astype(np.float64)
                chance = rng.beta(p * (1 / icc - 1), (1 - p) * (1 / icc - 1), (repetitions, n))
                hits = rng.binomial(units.astype(int), chance).astype(np.float64)
                counts = ClusterCounts(hits, units)
                k, total = hits.sum(axis=1), units.sum(axis=1)
                half = 1.959964 * np.sqrt(counts.variance)
                yield Cell(n, f"sensitivity {p:g}, ICC {icc:g}", {
                    "**Wilson, Rao-Scott, t**": inside(p, rao_scott_limits(counts)),
                    "Wald, Rao-Scott": inside(p, (counts.share - half, counts.share + half)),
                    "Wilson as if independent": inside(p, proportion_limits(k, total)),
                })


# ---- one area --------------------------------------------------------------------------------------------------
Draw = Callable[[np.random.Generator, float, tuple[int, ...], tuple[int, ...]], tuple[Floats, Floats]]


def binormal(spread: float) -> Draw:
    def draw(
        rng: np.random.Generator, area: float, diseased: tuple[int, ...], healthy: tuple[int, ...]
    ) -> tuple[Floats, Floats]:
        shift = np.sqrt(1 + spread**2) * stats.norm.ppf(area)
        return rng.normal(shift, spread, diseased), rng.normal(0, 1, healthy)

    return draw


def exponential(
    rng: np.random.Generator, area: float, diseased: tuple[int, ...], healthy: tuple[int, ...]
) -> tuple[Floats, Floats]:
    return rng.exponential(area / (1 - area), diseased), rng.exponential(1.0, healthy)


def five_grades(
    rng: np.random.Generator, area: float, diseased: tuple[int, ...], healthy: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """A binormal reading on five grades, shifted so that the area with half ties is the one asked for."""
    shift = _grade_shift(area)
    cuts = np.array([-0.5, 0.25, 1.0, 1.75])
    return (
        np.searchsorted(cuts, rng.normal(shift, 1, diseased)).astype(float),
        np.searchsorted(cuts, rng.normal(0, 1, healthy)).astype(float),
    )


def _grade_shift(area: float) -> float:
    cuts = np.r_[-np.inf, -0.5, 0.25, 1.0, 1.75, np.inf]

    def with_ties(shift: float) -> float:
        p, q = np.diff(stats.norm.cdf(cuts - shift)), np.diff(stats.norm.cdf(cuts))
        return float(p @ (np.cumsum(q) - q / 2))

    low, high = 0.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if with_ties(middle) < area else (low, middle)
    return low


KINDS: dict[str, Draw] = {
    "binormal": binormal(1.0),
    "binormal, SD 1.5": binormal(1.5),
    "exponential": exponential,
    "five grades": five_grades,
}


def area_cells(repetitions: int, rng: np.random.Generator) -> Iterator[Cell]:
    """Area of n independent cases."""
    methods = {
        "**scaled score**": AucInterval.SCALED_SCORE,
        "Newcombe": AucInterval.NEWCOMBE,
        "logit DeLong": AucInterval.LOGIT_DELONG,
        "DeLong": AucInterval.DELONG,
    }
    for n in SIZES:
        for prevalence in PREVALENCES:
            m = round(n * prevalence)
            for kind, draw in KINDS.items():
                for area in AREAS:
                    held: dict[str, list[float]] = {name: [] for name in methods}
                    for size in chunks(repetitions):
                        parts = placements(*draw(rng, area, (size, m), (size, n - m)))
                        for name, method in methods.items():
                            low, high, _ = auc_limits(parts, method=method)
                            held[name].append(inside(area, (low, high)) * size)
                    yield Cell(n, f"{kind}, AUC {area:g}, {m} diseased", shares(held, repetitions))


def clustered_area_cells(repetitions: int, rng: np.random.Generator) -> Iterator[Cell]:
    """Area of the vertebrae of n patients, 3 each, of which those of every patient share a random effect.

    Patients are of one kind (all units diseased in 40 % of them, none in the others), or have units of both kinds
    (two of five units diseased).
    """
    for n in SIZES:
        for mixed in (False, True):
            for icc in ICCS[::2]:
                for area in AREAS[1:]:
                    yield _clustered_area_cell(n, mixed, icc, area, repetitions, rng)


def _clustered_area_cell(
    n: int, mixed: bool, icc: float, area: float, repetitions: int, rng: np.random.Generator
) -> Cell:
    codes = np.repeat(np.arange(n), UNITS)
    labels = np.resize([True, False, False, True, False], codes.size) if mixed else codes < round(0.4 * n)
    held: dict[str, list[float]] = {name: [] for name in ("**scaled score, t**", "Obuchowski Wald", "DeLong")}
    for size in chunks(repetitions, 200 if n > 100 else CHUNK):
        patient = np.sqrt(icc) * rng.normal(size=(size, n))[:, codes]
        scores = patient + np.sqrt(1 - icc) * rng.normal(size=(size, codes.size))
        scores = scores + np.sqrt(2) * stats.norm.ppf(area) * labels
        parts = placements(scores[:, labels], scores[:, ~labels])
        low, high, value = clustered_auc_limits(parts, codes[labels], codes[~labels])
        held["**scaled score, t**"].append(inside(area, (low, high)) * size)
        one = Placements(parts.diseased[:, None], parts.healthy[:, None])
        variance = cluster_components(one, codes[labels], codes[~labels]).covariance()[:, 0, 0]
        held["Obuchowski Wald"].append(inside(area, wald_limits(value, variance, 1.959964)) * size)
        held["DeLong"].append(inside(area, wald_limits(value, parts.variance, 1.959964)) * size)
    kind = "units of both kinds in a patient" if mixed else "patients of one kind"
    return Cell(n, f"{kind}, ICC {icc:g}, AUC {area:g}", shares(held, repetitions))


# ---- counting and writing --------------------------------------------------------------------------------------
def chunks(repetitions: int, size: int = CHUNK) -> Iterator[int]:
    for start in range(0, repetitions, size):
        yield min(size, repetitions - start)


def inside(truth: float, limits: Limits) -> float:
    return float(np.mean((limits[0] <= truth) & (truth <= limits[1])))


def shares(held: dict[str, list[float]], repetitions: int) -> dict[str, float]:
    return {name: sum(parts) / repetitions for name, parts in held.items()}


def summary(cells: list[Cell]) -> list[str]:
    names = list(cells[0].coverage)
    head = " | ".join(f"{x}: mean (least)" for x in names)
    lines = [f"| n | cells | {head} |", "|---" * (len(names) + 2) + "|"]
    for n in SIZES:
        rows = [c.coverage for c in cells if c.n == n]
        figures = [f"{np.mean([r[x] for r in rows]):.3f} ({min(r[x] for r in rows):.3f})" for x in names]
        lines.append(f"| {n} | {len(rows)} | " + " | ".join(figures) + " |")
    return lines


def table(cells: list[Cell]) -> list[str]:
    names = list(cells[0].coverage)
    lines = ["| n | setting | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    lines += [f"| {c.n} | {c.setting} | " + " | ".join(f"{c.coverage[x]:.3f}" for x in names) + " |" for c in cells]
    return lines


SECTIONS: dict[str, Callable[[int, np.random.Generator], Iterator[Cell]]] = {
    "One share: sensitivity of n diseased cases": share_cells,
    "One area: AUC of n cases": area_cells,
    "Clustered share: sensitivity of the vertebrae of n patients": clustered_share_cells,
    "Clustered area: AUC of the vertebrae of n patients": clustered_area_cells,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--output", type=Path, default=Path("docs/coverage.md"))
    args = parser.parse_args()
    results = {}
    for i, (title, make) in enumerate(SECTIONS.items()):
        started = time.perf_counter()
        results[title] = list(make(args.repetitions, np.random.default_rng(args.seed + i)))
        print(f"{title}: {len(results[title])} cells, {time.perf_counter() - started:.0f} s", flush=True)
        print("\n".join(summary(results[title])), flush=True)
    args.output.write_text(page(results, args.repetitions, args.seed))


def page(results: dict[str, list[Cell]], repetitions: int, seed: int) -> str:
    lines = [
        "# Do the 95 % intervals hold what they say?",
        "",
        f"Coverage of nominal 95 % intervals in simulated samples with known truth, {repetitions:,} repetitions a"
        f" cell (standard error of a share of 0.95: {np.sqrt(0.95 * 0.05 / repetitions):.4f}), seed {seed}. The"
        " default method of the library is in bold; others are shown beside it because papers print them. Made by"
        " `python benchmarks/coverage.py`. All figures on this page are simulated.",
        "",
        "Aim: defaults cover 93-97 % averaged over each grid, no cell under 91 %; exact ones at least 94 %.",
        "",
        "The constants of the scaled score interval (`evaluation/auc_intervals.py`) and of the design effect"
        " (`evaluation/clustered_shares.py`) were chosen on pilot runs with other seeds; the five-grade and the"
        " clustered AUC cells had no part in that choice.",
        "",
    ]
    for title, make in SECTIONS.items():
        note = " ".join((make.__doc__ or "").split())
        lines += [f"## {title}", "", note, "", *summary(results[title]), ""]
    lines += ["## All cells", ""]
    for title, cells in results.items():
        lines += [f"### {title}", "", *table(cells), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
