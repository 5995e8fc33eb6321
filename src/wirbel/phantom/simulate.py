"""A whole simulated study: a person, a scan range, a scanner; thick slices are averaged from thin ones."""

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.anatomy import Anatomy
from wirbel.phantom.appearance import draw_appearance
from wirbel.phantom.look import Look, realistic_look
from wirbel.phantom.rasterise import PhantomLabels, rasterise
from wirbel.phantom.scanner import Scanner, scan, within_circle
from wirbel.volume import Grid, Volume, freeze

#: Slices are drawn at most this far apart before the scanner's slice profile averages them.
FINE_MM = 1.05


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCt:
    """HU as int16 on the scan's grid, the labels on the same grid, and how it was made."""

    ct: Volume
    labels: PhantomLabels
    look: Look
    scanner: Scanner


def simulate(
    anatomy: Anatomy,
    grid: Grid,
    scanner: Scanner,
    rng: np.random.Generator,
    *,
    phase: str | None = None,
    circle_mm: float | None = None,
) -> SimulatedCt:
    """Draw and scan a person; `phase` native, arterial or portal_venous (None: drawn).

    `circle_mm`: diameter of the reconstruction circle, outside of which lies padding (None: the whole grid).
    """
    look = realistic_look(rng, anatomy.person.trabecular_hu, cortex_mm=anatomy.person.cortex_mm, phase=phase)
    steps = max(1, int(np.ceil(grid.spacing_mm[0] / FINE_MM)))
    fine = _refined(grid, steps)
    labels = rasterise(anatomy, fine)
    hu = scan(draw_appearance(labels, rng, look), fine, scanner, rng)
    offset = steps // 2
    kept = slice(offset, offset + steps * grid.shape[0], steps)
    whole = np.rint(hu[kept]).astype(np.int16)
    if circle_mm is not None:
        whole = within_circle(whole, grid, circle_mm)
    if steps > 1:
        labels = rasterise(anatomy, grid)
    return SimulatedCt(Volume(grid, freeze(whole)), labels, look, scanner)


def _refined(grid: Grid, steps: int) -> Grid:
    """The grid with `steps` slices for each, so that every `steps`-th from `steps // 2` on is one of the grid's."""
    if steps == 1:
        return grid
    affine = np.array(grid.voxel_to_lps_mm)
    affine[:3, 0] /= steps
    affine[:3, 3] -= (steps // 2) * affine[:3, 0]
    return Grid((grid.shape[0] * steps, grid.shape[1], grid.shape[2]), affine)
