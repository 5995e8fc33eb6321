"""One edited vertebra: a donor's, warped and repainted for a cause, or sham-edited; with its truth.

The picture depends on the cause through plan and collapse alone. Every case is interpolated once, over the whole
region, through a collapse of the same family - in unfractured ones so small that no reader would grade it - moved
by a fraction of a voxel, repainted over a region of the same kind, and given back the donor's noise.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8
from scipy import ndimage

from wirbel.donor.collapse import Collapse, Displacement, displacement, draw_collapse
from wirbel.donor.grain import SOFT_HU
from wirbel.donor.region import Region
from wirbel.donor.repaint import Repainted, repaint, sham, spongiosa_hu, squeezed_marrow
from wirbel.donor.warp import moved_labels, moved_values, warped
from wirbel.finding import Grade, Shape
from wirbel.phantom.cases.cause import FRACTURED, DrawnCause
from wirbel.phantom.cases.chances import Difficulty
from wirbel.phantom.cases.draw_plan import draw_fracture, draw_plan
from wirbel.phantom.cases.patient import HU_PER_MG_CM3
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.scene import Mark
from wirbel.phantom.cases.truth import SignTruth
from wirbel.phantom.fracture import grade_of
from wirbel.phantom.implicit import unchecked
from wirbel.spine import Part
from wirbel.volume import LabelMap, Volume, freeze

#: A sham's loss of height, at most: below what two readers differ by.
SHAM_LOSS = 0.04
#: Noise is drawn anew this far around bone, mm.
_AROUND_BONE_MM = 2.0
_BONE_HU = 170.0
#: Patients' marrow is moved by so much at most, HU.
_MARROW_HU = 30.0


@unchecked
@dataclass(frozen=True, slots=True, eq=False)
class DonorCase:
    """An edited vertebra's surroundings; simulated.

    `ct`: the donor's CT around the vertebra, 1 mm in its slices. `labels`: levels, `marks`: what was painted,
    `lesion`: the vertebra of interest and everything painted, with a rim; all on the working grid.
    """

    region: Region
    ct: Volume
    labels: LabelMap
    marks: UInt8[np.ndarray, "z y x"]
    lesion: UInt8[np.ndarray, "z y x"]
    truth: SignTruth
    plan: Plan
    collapse: Collapse
    centre_lps_mm: np.ndarray


@unchecked
def edit(region: Region, cause: DrawnCause, seed: int, *, difficulty: Difficulty = Difficulty.MIDDLE) -> DonorCase:
    """Make a donor's vertebra a case of this cause; NORMAL is the sham. Same arguments, same voxels."""
    rng = np.random.default_rng([seed, 1])
    own_hu = spongiosa_hu(region, region.smooth, region.labels, region.parts)
    density = own_hu / HU_PER_MG_CM3
    plan = draw_plan(rng, cause, difficulty=difficulty, density_mg_cm3=density)
    collapse, loss = _collapse(rng, region, cause, plan)
    own = _moved(rng, region, collapse)
    labels, parts = moved_labels(region, region.labels, own), moved_labels(region, region.parts, own)
    smooth = warped(region, own)
    body = (labels == int(region.level)) & (parts == Part.BODY)
    smooth = squeezed_marrow(smooth, body, own.squeeze, float(rng.uniform(0.15, 0.75)))
    smooth = _marrow_moved(rng, region, smooth, labels, cause)
    if cause is DrawnCause.NORMAL:
        as_if = list(DrawnCause)[int(rng.integers(3))]
        would = draw_plan(rng, as_if, difficulty=difficulty, density_mg_cm3=density)
        done = sham(region, smooth, labels, parts, would, seed)
    else:
        done = repaint(region, smooth, labels, parts, collapse, plan, seed)
    marks = done.marks
    if collapse.fragment:
        marks = _fragment_marked(region, collapse, own, marks, body)
    ct = _with_noise(rng, region, done, labels, own)
    truth = _truth(region, cause, plan, collapse, loss, done, density)
    centre = region.grid.to_lps_mm(np.argwhere(body).astype(np.float64)).mean(axis=0)
    return DonorCase(
        region, ct, LabelMap(region.grid, freeze(labels)), freeze(marks), freeze(_lesion(labels, done, region)),
        truth, plan, collapse, centre,
    )  # fmt: skip


@unchecked
def _collapse(
    rng: np.random.Generator, region: Region, cause: DrawnCause, plan: Plan
) -> tuple[Collapse, float]:
    """The plan's collapse; an unfractured vertebra's is too small to be one."""
    shape, grade = draw_fracture(rng)
    if cause in FRACTURED:
        made, loss = draw_collapse(rng, region, plan.shape or shape, plan.grade or grade)
    else:
        made, loss = draw_collapse(rng, region, shape, Grade.MILD, largest_loss=float(rng.uniform(0.01, SHAM_LOSS)))
        made = replace(made, bulge=min(made.bulge, 0.3))
    return replace(made, bow=plan.bow_mm, fragment=plan.fragment_mm, fragment_deg=plan.fragment_deg or 45.0), loss


@unchecked
def _moved(rng: np.random.Generator, region: Region, collapse: Collapse) -> Displacement:
    """The collapse and a shift by up to half a base voxel, which nothing but the interpolation sees."""
    x, y, z = region.coordinates()
    d = displacement(region, collapse, x, y, z)
    steps = np.asarray(region.grid.spacing_mm)[::-1]
    shift = (rng.uniform(-0.5, 0.5, 3) * steps).astype(np.float32)
    return Displacement(d.x + shift[0], d.y + shift[1], d.z + shift[2], d.squeeze)


@unchecked
def _marrow_moved(
    rng: np.random.Generator, region: Region, smooth: np.ndarray, labels: np.ndarray, cause: DrawnCause
) -> np.ndarray:
    """All vertebrae a little less or more dense: osteoporotic patients have lost a little more."""
    mean = -12.0 if cause is DrawnCause.OSTEOPOROTIC_FRACTURE else -4.0
    by = np.float32(np.clip(rng.normal(mean, 9.0), -_MARROW_HU, _MARROW_HU))
    rounds = max(1, round(2.0 / float(np.mean(region.grid.spacing_mm))))
    inner = ndimage.binary_erosion(labels > 0, iterations=rounds)
    return smooth + by * ndimage.gaussian_filter(inner.astype(np.float32), 1.0)


@unchecked
def _with_noise(
    rng: np.random.Generator, region: Region, done: Repainted, labels: np.ndarray, own: Displacement
) -> Volume:
    """The edit brought to the donor's own voxels, with the donor's noise: its own far from bone, new near it."""
    grain = region.grain
    change = region.averaged(done.hu - region.smooth)
    rounds = max(1, round(_AROUND_BONE_MM / float(np.mean(region.grid.spacing_mm))))
    bony = (labels > 0) | (region.labels > 0) | (region.smooth > _BONE_HU) | (done.hu > _BONE_HU)
    near = ndimage.binary_dilation(bony | (done.touched > 0.5), iterations=rounds)
    new = np.clip(region.averaged(ndimage.gaussian_filter(near.astype(np.float32), 1.0)), 0, 1)
    painted = np.clip(region.averaged(done.touched), 0, 1)
    local = region.averaged(moved_values(region, region.spread(grain.local_hu), own))
    strength = local + painted * (np.maximum(grain.sd_hu, local) - local)
    noise = np.sqrt(1 - new) * grain.noise + np.sqrt(new) * strength * grain.drawn(rng)
    hu = _given_back(rng, region, grain.smooth + change + noise, new < 0.05)
    return Volume(region.base.grid, freeze(np.clip(np.rint(hu), -1024, 3071).astype(np.int16)))


@unchecked
def _given_back(rng: np.random.Generator, region: Region, hu: np.ndarray, far: np.ndarray) -> np.ndarray:
    """As much noise added as interpolation took from soft tissue: more of it in a collapse than in a mere shift."""
    smooth = region.grain.smooth
    soft = far & (smooth > SOFT_HU[0]) & (smooth < SOFT_HU[1])
    if soft.sum() < 500:
        return hu
    field = region.grain.drawn(rng)
    was, now, share = (float(_fine(v)[soft].var()) for v in (region.base.hu, hu, field))
    return hu + np.float32(np.sqrt(max(was - now, 0.0) / max(share, 1e-3))) * field


@unchecked
def _fine(values: np.ndarray) -> np.ndarray:
    return values - ndimage.gaussian_filter(values.astype(np.float32), 1.0)


@unchecked
def _lesion(labels: np.ndarray, done: Repainted, region: Region) -> np.ndarray:
    """The vertebra and what was painted or would have been, with a rim of 3 mm."""
    rounds = max(1, round(3.0 / float(np.mean(region.grid.spacing_mm))))
    there = (labels == int(region.level)) | (region.labels == int(region.level)) | (done.touched > 0.3)
    return ndimage.binary_dilation(there, iterations=rounds).astype(np.uint8)


@unchecked
def _fragment_marked(
    region: Region, collapse: Collapse, own: Displacement, marks: np.ndarray, body: np.ndarray
) -> np.ndarray:
    """Bone that stands behind the wall's old place at the height of the fragment."""
    x, y, z = region.coordinates()
    behind = body & (y > 0.5 * region.outline.depth_mm) & (np.abs(x) < 0.36 * region.canal_width_mm + 1.0)
    out = marks.copy()
    out[behind & (own.y < -0.5 * collapse.fragment) & (z > 0) & (out == 0)] = Mark.FRAGMENT
    return out


@unchecked
def _truth(
    region: Region, cause: DrawnCause, plan: Plan, collapse: Collapse, loss: float, done: Repainted, density: float
) -> SignTruth:
    p = done.painted
    fractured = cause in FRACTURED
    shape: Shape | None = plan.shape if fractured else None
    return SignTruth(
        level=region.level,
        cause=cause,
        cortex_destroyed=p.cortex_destroyed,
        spongiosa_mm3=p.spongiosa_mm3,
        lytic_mm3=p.lytic_mm3,
        sclerotic_mm3=p.sclerotic_mm3,
        pedicle_right=p.pedicle_right,
        pedicle_left=p.pedicle_left,
        posterior_convexity_mm=collapse.bow,
        retropulsion_mm=plan.fragment_mm,
        retropulsion_deg=plan.fragment_deg if plan.fragment_mm > 0 else None,
        vacuum_mm3=p.vacuum_mm3,
        epidural_mm3=p.epidural_mm3,
        paravertebral_mm3=p.paravertebral_mm3,
        thickening_mm=plan.thickening_mm,
        lines=plan.lines,
        line_sharpness=plan.line_sharpness if plan.lines else None,
        puzzle=plan.puzzle,
        density_mg_cm3=density,
        genant_grade=int(grade_of(loss)) if fractured else 0,
        shape=shape.value if shape else None,
        height_loss=loss,
    )
