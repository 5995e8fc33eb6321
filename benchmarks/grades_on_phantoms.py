"""Genant grades on drawn columns: kappa, false fractures, fractures found.

    python benchmarks/grades_on_phantoms.py --count 200             # true shapes with measurement error: fast
    python benchmarks/grades_on_phantoms.py --count 20 --from-ct    # drawn CT, truth masks, measured: slow

Every figure is simulated. The first way takes the drawn surfaces and adds the error that `heights_on_phantoms.py`
finds; it tests the verdicts alone, on as many columns as one likes. Fields of view: whole, from a random thoracic
level, lumbar.
"""

import argparse
from collections import Counter
from collections.abc import Iterator

import numpy as np
from heights_on_phantoms import draw

from wirbel.finding import Finding, FindingSettings, Verdict, find_all
from wirbel.finding.find import judged
from wirbel.phantom import Anatomy, AnatomySettings, VertebraTruth, draw_anatomy
from wirbel.phantom.body import surface
from wirbel.spine import Level, Vertebra
from wirbel.vertebra import (
    BodyHeights,
    Endplate,
    Endplates,
    Frame,
    Heights,
    NotMeasured,
    Reason,
    SixPoints,
    VertebraMeasures,
    VertebraSettings,
    measure_all,
)
from wirbel.vertebra.endplates import PROFILE_AT

FIRST_SEED = 800_000
#: Error of a height, of a profile and of the wedge (SD), as `heights_on_phantoms.py` finds them on CT.
HEIGHT_MM, PROFILE_MM, WEDGE_DEG = 0.30, 0.20, 1.0
PLANES = (-0.25, -0.125, 0.0, 0.125, 0.25)
Judged = tuple[int, VertebraTruth, Finding]


def from_shapes(first: int, count: int, settings: AnatomySettings) -> Iterator[Judged]:
    """Verdicts from drawn shapes with measurement error."""
    for seed in range(first, first + count):
        rng = np.random.default_rng(seed)
        anatomy = draw_anatomy(rng, settings)
        pairs = [pair for pair in _measured(anatomy, rng) if _in_view(pair[0], seed, rng)]
        truth = {t.instance: t for t in anatomy.truth.vertebrae}
        for finding in judged([v for v, _ in pairs], [m for _, m in pairs], FindingSettings()):
            yield seed, truth[finding.label], finding


def _in_view(vertebra: Vertebra, seed: int, rng: np.random.Generator) -> bool:
    """The field of view by seed: all from T1, from a level in the thorax, from T11."""
    first = (8.0, 8.0 + seed % 8, 18.0)[seed % 3]
    return vertebra.level is not None and vertebra.level.rank >= first


def _measured(anatomy: Anatomy, rng: np.random.Generator) -> Iterator[tuple[Vertebra, VertebraMeasures]]:
    up, origin = np.array([0.0, 0.0, 1.0]), np.zeros(3)
    frame = Frame(origin, up, np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    for shape, truth in zip(anatomy.vertebrae, anatomy.truth.vertebrae, strict=True):
        if truth.level.rank < Level.T1.rank:
            continue
        true, depth = truth.shape.heights, truth.shape.depth_mm
        place = np.array(PROFILE_AT)
        plates = []
        for plate in (shape.body.upper, shape.body.lower):
            rows = []
            for share in PLANES:
                x = np.full(len(place), 0.5 * share * shape.body.width_middle_mm)
                z = surface(plate, shape.body, x, depth * (0.5 - place)) + rng.normal(0, PROFILE_MM, len(place))
                chord = z[0] + (z[-1] - z[0]) * (place - place[0]) / (place[-1] - place[0])
                rows.append(chord - z)
            plates.append(Endplate(up, tuple(float(s) for s in np.median(rows, axis=0))))
        error = rng.normal(0, HEIGHT_MM, 3)
        heights = Heights(true.anterior_mm + error[0], true.middle_mm + error[1], true.posterior_mm + error[2])
        wedge_deg = float(truth.shape.wedge_deg + rng.normal(0, WEDGE_DEG))
        body = BodyHeights(heights, heights, depth, len(PLANES), SixPoints(*[origin] * 6))
        absent = NotMeasured(Reason.NO_BODY)
        endplates = Endplates(plates[0], plates[1], wedge_deg)
        yield (
            Vertebra(truth.instance, truth.level, None, origin, False),
            VertebraMeasures(truth.instance, frame, body, wedge_deg, absent, 1.0, endplates),
        )


def from_ct(first: int, count: int, settings: AnatomySettings) -> Iterator[Judged]:
    """Verdicts from drawn CTs with their true masks."""
    for seed in range(first, first + count):
        drawn = draw(seed, settings)
        measures = measure_all(drawn.ct, drawn.spine, VertebraSettings(), drawn.acquisition)
        findings = find_all(drawn.ct, drawn.spine, measures, FindingSettings(), drawn.acquisition)
        truth = {t.instance: t for t in drawn.anatomy.truth.vertebrae}
        for finding in findings.vertebrae:
            yield seed, truth[finding.label], finding


def kappa(first: np.ndarray, second: np.ndarray, *, power: float) -> float:
    """Cohen's kappa of two grades 0-3 with disagreement weights |difference| ** power (0: unweighted)."""
    table = np.zeros((4, 4))
    np.add.at(table, (first, second), 1)
    chance = table.sum(axis=1)[:, None] * table.sum(axis=0)[None, :] / table.sum()
    off = np.abs(np.arange(4)[:, None] - np.arange(4)[None, :])
    weight = np.where(off > 0, np.maximum(off, 1) ** power, 0.0)
    return float(1.0 - (weight * table).sum() / (weight * chance).sum())


def show(rows: list[Judged]) -> None:
    graded = [(t, f) for _, t, f in rows if isinstance(f.grade, int)]
    true = np.array([int(t.grade) for t, _ in graded])
    given = np.array([int(f.grade) for _, f in graded])
    called = np.array([f.verdict.value for _, f in graded])
    table = np.zeros((4, 4), dtype=int)
    np.add.at(table, (true, given), 1)
    print("simulated; rows true grade, columns given grade (T4-L4):")
    print(table)
    least = min(int((true == g).sum()) for g in range(4))
    if least:
        rng = np.random.default_rng(0)
        equal = np.concatenate([rng.choice(np.flatnonzero(true == g), least, replace=False) for g in range(4)])
        pair = true[equal], given[equal]
        print(f"equal grades ({least} each): kappa quadratic {kappa(*pair, power=2):.2f},", end=" ")
        print(f"unweighted {kappa(*pair, power=0):.2f}")
    broken = true > 0
    if broken.any():
        pair = true[broken], given[broken]
        print(f"fractured only (n={broken.sum()}): kappa quadratic {kappa(*pair, power=2):.2f},", end=" ")
        print(f"unweighted {kappa(*pair, power=0):.2f}")
        print(f"found: grade 1 {np.mean(called[true == 1] == 'fracture'):.3f}, ", end="")
        print(f"grades 2-3 {np.mean(called[true >= 2] == 'fracture'):.3f}")
    print(f"normal vertebrae: {Counter(called[true == 0].tolist())}")
    print(f"false fractures per normal vertebra: {np.mean(called[true == 0] == 'fracture'):.2%}")
    patients: dict[int, list[tuple[int, bool]]] = {}
    for seed, truth, finding in rows:
        patients.setdefault(seed, []).append((int(truth.grade), finding.verdict is Verdict.FRACTURE))
    free = [any(x[1] for x in column) for column in patients.values() if not any(x[0] for x in column)]
    if free:
        print(f"fracture-free patients with any: {np.mean(free):.1%} of {len(free)}")
    for seed, truth, finding in rows:
        if finding.verdict is Verdict.FRACTURE and not truth.grade:
            mimics = ", ".join(m.value for m in truth.mimics)
            print(f"  false: seed {seed} {truth.level.name} loss {finding.loss} mimics [{mimics}]")
    below = Counter((int(t.grade), f.verdict.value) for _, t, f in rows if t.level.rank > Level.L4.rank)
    print(f"L5, L6 (true grade, verdict): {dict(below)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--from-ct", action="store_true")
    options = parser.parse_args()
    settings = AnatomySettings(fracture_chance=0.12)
    show(list((from_ct if options.from_ct else from_shapes)(options.first, options.count, settings)))


if __name__ == "__main__":
    main()
