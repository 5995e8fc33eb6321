"""Six-point heights against the truth of drawn columns: on truth masks alone, and with the CT's edges.

    python benchmarks/heights_on_phantoms.py --count 20

Every figure is simulated. Seeds start at 700,000, which no training uses.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from wirbel.phantom import (
    Anatomy,
    AnatomySettings,
    Scanner,
    draw_anatomy,
    draw_appearance,
    random_scanner,
    rasterise,
    realistic_look,
    scan,
)
from wirbel.spine import Level, Numbering, NumberingStatus, Part, Spine, Vertebra
from wirbel.vertebra import BodyHeights, VertebraMeasures, VertebraSettings, measure_all
from wirbel.volume import Acquisition, Grid, Kernel, LabelMap, Plane, Volume, freeze

FIRST_SEED = 700_000


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A drawn column with its CT; `flat` is the same grid without any edge."""

    anatomy: Anatomy
    ct: Volume
    flat: Volume
    spine: Spine
    acquisition: Acquisition
    scanner: Scanner


def draw(
    seed: int,
    settings: AnatomySettings,
    *,
    highest: Level = Level.T3,
    spacing_mm: float = 1.0,
    scanner: Scanner | None = None,
) -> Drawn:
    """The column from `highest` downward, in a box around it, with its scan."""
    rng = np.random.default_rng(seed)
    anatomy = draw_anatomy(rng, settings)
    centres = np.array([v.centre_lps_mm for v in anatomy.truth.vertebrae if v.level.rank >= highest.rank])
    room = np.array([48.0, 70.0, 32.0])
    low, high = centres.min(axis=0) - room, centres.max(axis=0) + room + [0.0, 5.0, 0.0]
    low = low + rng.uniform(0.0, spacing_mm, 3)
    shape = np.ceil((high - low)[::-1] / spacing_mm).astype(int)
    grid = Grid.axis_aligned(
        (int(shape[0]), int(shape[1]), int(shape[2])),
        (spacing_mm, spacing_mm, spacing_mm),
        (float(low[0]), float(low[1]), float(low[2])),
    )
    labels = rasterise(anatomy, grid)
    person = anatomy.person
    look = realistic_look(rng, person.trabecular_hu, cortex_mm=person.cortex_mm)
    machine = scanner or sharp_scanner(rng)
    hu = scan(draw_appearance(labels, rng, look), grid, machine, rng)
    whole = [v for v in anatomy.truth.vertebrae if v.level.rank >= highest.rank]
    spine = Spine(
        tuple(Vertebra(v.instance, v.level, None, np.array(v.centre_lps_mm, np.float64), False) for v in whole),
        LabelMap(grid, freeze(labels.instances)),
        LabelMap(grid, freeze(labels.parts)),
        Numbering(NumberingStatus.GIVEN, None, None, None),
        "phantom truth",
    )
    flat = Volume(grid, freeze(np.zeros(grid.shape, dtype=np.float32)))
    return Drawn(anatomy, Volume(grid, freeze(hu)), flat, spine, acquisition_of(machine, spacing_mm), machine)


def sharp_scanner(rng: np.random.Generator) -> Scanner:
    """A protocol with slices of at most 1.5 mm, as 1 mm series have."""
    while True:
        machine = random_scanner(rng)
        if machine.slice_mm <= 1.5:
            return machine


def acquisition_of(machine: Scanner, spacing_mm: float) -> Acquisition:
    """The header of the drawn scan."""
    along = max(machine.slice_mm, spacing_mm)
    return Acquisition(Plane.AXIAL, along, along, kernel=Kernel.SOFT, kvp=machine.kvp)


def errors(drawn: Drawn, measures: tuple[VertebraMeasures, ...]) -> Iterator[tuple[Level, int, np.ndarray]]:
    """Level, true grade, and measured minus true: anterior, middle, posterior, depth (mm), wedge (deg)."""
    truth = {v.instance: v for v in drawn.anatomy.truth.vertebrae}
    for m in measures:
        if not isinstance(m.heights, BodyHeights) or not isinstance(m.wedge_deg, float):
            print(f"  not measured: {truth[m.label].level.name} {m.heights}")
            continue
        true, got = truth[m.label].shape, m.heights.median
        yield (
            truth[m.label].level,
            int(truth[m.label].grade),
            np.array(
                [
                    got.anterior_mm - true.heights.anterior_mm,
                    got.middle_mm - true.heights.middle_mm,
                    got.posterior_mm - true.heights.posterior_mm,
                    m.heights.depth_mm - true.depth_mm,
                    m.wedge_deg - true.wedge_deg,
                ]
            ),
        )


def with_wrong_masks(drawn: Drawn, *, grow: bool) -> Spine:
    """The same column with every body one voxel too large or too small, as a poor segmentation has it."""
    instances = drawn.spine.instances.labels.copy()
    parts = drawn.spine.parts.labels.copy()
    body = parts == Part.BODY
    if grow:
        cross = ndimage.generate_binary_structure(3, 1)
        wide = ndimage.grey_dilation(np.where(body, instances, 0), footprint=cross)
        new = (wide > 0) & (instances == 0)
        instances[new], parts[new] = wide[new], Part.BODY
    else:
        gone = body & ~ndimage.binary_erosion(body)
        instances[gone], parts[gone] = 0, 0
    grid = drawn.spine.grid
    return replace(drawn.spine, instances=LabelMap(grid, freeze(instances)), parts=LabelMap(grid, freeze(parts)))


def show(name: str, rows: list[tuple[Level, int, np.ndarray]]) -> None:
    table = np.array([row[2] for row in rows])
    broken = np.array([row[1] > 0 for row in rows])
    for title, of in (("all", np.ones(len(rows), dtype=bool)), ("fractured", broken)):
        if not of.any():
            continue
        part = table[of]
        print(
            f"{name:15} {title:9} n={len(part):5d} height MAE {np.abs(part[:, :3]).mean():.2f} mm "
            f"(A {np.abs(part[:, 0]).mean():.2f}, M {np.abs(part[:, 1]).mean():.2f}, "
            f"P {np.abs(part[:, 2]).mean():.2f}), bias {part[:, :3].mean():+.2f} mm, "
            f"95th percentile {np.percentile(np.abs(part[:, :3]), 95):.2f} mm, "
            f"depth MAE {np.abs(part[:, 3]).mean():.2f} mm, wedge MAE {np.abs(part[:, 4]).mean():.1f} deg"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--spacing", type=float, default=1.0)
    parser.add_argument("--wrong", action="store_true", help="also with masks one voxel too large and too small")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    settings = VertebraSettings()
    rows: dict[str, list[tuple[Level, int, np.ndarray]]] = {}
    for seed in range(options.first, options.first + options.count):
        start = time.perf_counter()
        drawn = draw(seed, AnatomySettings(fracture_chance=0.15), spacing_mm=options.spacing)
        drawn_at = time.perf_counter()
        new = {
            name: list(errors(drawn, measure_all(ct, spine, settings, drawn.acquisition)))
            for name, ct, spine in (
                ("mask", drawn.flat, drawn.spine),
                ("mask + CT", drawn.ct, drawn.spine),
                ("grown mask + CT", drawn.ct, with_wrong_masks(drawn, grow=True)),
                ("thin mask + CT", drawn.ct, with_wrong_masks(drawn, grow=False)),
            )[: 4 if options.wrong else 2]
        }
        for name, found in new.items():
            rows.setdefault(name, []).extend(found)
        if options.verbose:
            mean = {name: float(np.abs([r[2][:3] for r in found]).mean()) for name, found in new.items()}
            bias = {name: float(np.mean([r[2][:3] for r in found])) for name, found in new.items()}
            print(
                seed,
                f"drawn {drawn_at - start:.0f} s, measured {time.perf_counter() - drawn_at:.0f} s;",
                ", ".join(f"{n}: MAE {mean[n]:.2f} bias {bias[n]:+.2f}" for n in new),
                drawn.scanner,
                f"HU {drawn.anatomy.person.trabecular_hu:.0f} cortex {drawn.anatomy.person.cortex_mm:.1f}",
                flush=True,
            )
            for level, grade, off in new["mask + CT"]:
                if np.abs(off[:3]).max() > 1.2:
                    print("   ", level.name, "grade", grade, np.round(off, 2))
    print("simulated: drawn columns, truth masks")
    for name, found in rows.items():
        show(name, found)


if __name__ == "__main__":
    main()
