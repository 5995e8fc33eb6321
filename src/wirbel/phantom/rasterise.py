"""An anatomy turned into labels on any grid: every structure only in the box of voxels it can touch."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int8, UInt8

from wirbel.phantom.anatomy import Anatomy
from wirbel.phantom.body import surface
from wirbel.phantom.canvas import DEPTH_UNIT_MM, OUTSIDE, Canvas
from wirbel.phantom.implicit import box_of, coordinates
from wirbel.phantom.skeleton import skeleton_of
from wirbel.phantom.soft import draw_soft_tissue, draw_tubes
from wirbel.phantom.tissue import Tissue
from wirbel.phantom.torso import trunk_of
from wirbel.phantom.vertebra import draw_vertebra
from wirbel.spine import Part
from wirbel.volume import Grid


@dataclass(frozen=True, slots=True, eq=False)
class PhantomLabels:
    """What lies where: tissue (`Tissue`), instances (1..n from above), parts (`wirbel.spine.Part`).

    `depth`: how deep below the surface of its bone a voxel lies, in units of 0.1 mm (negative outside, clipped
    at +-12.7 mm): the appearance draws cortex and partial volume from it. `extra`: density above or below the
    bone's own, in units of 10 HU (sclerosis, vein, lesions).
    """

    grid: Grid
    tissue: UInt8[np.ndarray, "z y x"]
    instances: UInt8[np.ndarray, "z y x"]
    parts: UInt8[np.ndarray, "z y x"]
    depth: Int8[np.ndarray, "z y x"]
    extra: Int8[np.ndarray, "z y x"]
    anatomy: Anatomy | None = None


def rasterise(anatomy: Anatomy, grid: Grid, *, without: frozenset[int] = frozenset()) -> PhantomLabels:
    """The anatomy on a grid; every voxel takes what lies at its centre. `without`: instances left out."""
    canvas = Canvas.blank(grid)
    trunk = trunk_of(anatomy)
    draw_soft_tissue(canvas.tissue, grid, anatomy, trunk)
    draw_tubes(canvas.tissue, grid, anatomy, trunk)
    _discs(canvas, anatomy, without)
    bones = skeleton_of(anatomy)
    for piece in bones.cartilages:
        canvas.bone(piece.solid, piece.tissue)
    canvas.depth[canvas.tissue == Tissue.COSTAL_CARTILAGE] = OUTSIDE
    fused = False
    for vertebra in bones.vertebrae:
        if vertebra.instance not in without:
            draw_vertebra(canvas, vertebra, fused_above=fused)
        fused = vertebra.shape.change.fused_below or vertebra.shape.change.bridge_below > 0.5
    for piece in bones.pieces:
        canvas.bone(piece.solid, piece.tissue, piece.part, gap_mm=piece.gap_mm)
    return PhantomLabels(grid, canvas.tissue, canvas.instances, canvas.parts, canvas.depth, canvas.extra, anatomy)


def _mark_cortex(canvas: Canvas, anatomy: Anatomy) -> None:
    """Vertebral voxels within the cortex are named so; the appearance looks at depths, not at this."""
    thick = max(1, round(anatomy.person.cortex_mm / DEPTH_UNIT_MM))
    near = (canvas.depth > 0) & (canvas.depth <= 3 * thick)
    body = near & (canvas.tissue == Tissue.VERTEBRA_TRABECULAR) & (canvas.depth <= thick)
    arch = near & (canvas.tissue == Tissue.ARCH_TRABECULAR) & (canvas.depth <= 2 * thick)
    canvas.tissue[body] = Tissue.VERTEBRA_CORTEX
    canvas.tissue[arch] = Tissue.ARCH_CORTEX


def _discs(canvas: Canvas, anatomy: Anatomy, without: frozenset[int]) -> None:
    for disc in anatomy.discs:
        above = anatomy.vertebrae[disc.above]
        if {above.instance, above.instance + 1} & without:
            continue
        last = disc.above + 1 == len(anatomy.vertebrae)
        below_body = anatomy.sacrum_body if last else anatomy.vertebrae[disc.above + 1].body
        below_frame = anatomy.sacrum if last else anatomy.vertebrae[disc.above + 1].frame
        half = 0.5 * max(above.body.width_inferior_mm, 1.0)
        deep = 0.5 * max(above.body.depth_mm, below_body.depth_mm) * 1.05
        reach = np.array([half * 1.1, deep * 1.15, 0.5 * disc.height_mm + 9.0])
        box = box_of(canvas.grid, disc.frame, -reach, reach)
        if box is None:
            continue
        x, y, _ = coordinates(canvas.grid, box, disc.frame)
        ring = (np.abs(x / half) ** 2.4 + np.abs(y / deep) ** 2.4) < 1.0
        x1, y1, z1 = coordinates(canvas.grid, box, above.frame)
        under = z1 < -surface(above.body.lower, above.body, x1, y1)
        x2, y2, z2 = coordinates(canvas.grid, box, below_frame)
        over = z2 > surface(below_body.upper, below_body, x2, y2)
        inside = ring & under & over
        canvas.tissue[box][inside] = Tissue.DISC
        canvas.parts[box][inside] = Part.DISC
        if disc.gas:
            _, _, z = coordinates(canvas.grid, box, disc.frame)
            flat = (x / (0.6 * half)) ** 2 + (y / (0.6 * deep)) ** 2 + (z / (0.3 * disc.height_mm + 0.4)) ** 2 < 1
            canvas.tissue[box][inside & flat] = Tissue.BOWEL_GAS


def whole_grid(anatomy: Anatomy, spacing_mm: tuple[float, float, float]) -> Grid:
    """A canonical grid (spacing z, y, x) that holds the person from the skull's base to the thighs."""
    low, high = anatomy.extent_lps_mm()
    n = np.ceil((high - low)[::-1] / np.array(spacing_mm)).astype(int)
    origin = (float(low[0]), float(low[1]), float(low[2]))
    return Grid.axis_aligned((int(n[0]), int(n[1]), int(n[2])), spacing_mm, origin)
