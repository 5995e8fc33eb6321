"""A plan of signs painted on a real, warped vertebra; and the sham that paints it with its own marrow."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from wirbel.donor.collapse import Collapse, flat_body, new_plates
from wirbel.donor.region import Region
from wirbel.phantom.anatomy import VertebraShape
from wirbel.phantom.body import Endplate
from wirbel.phantom.cases.paint import Painted, paint
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.scene import Scene
from wirbel.phantom.implicit import box_of, unchecked
from wirbel.phantom.look import realistic_look
from wirbel.phantom.morphometry import NORMS, Morphometry
from wirbel.phantom.tissue import Tissue
from wirbel.spine import Part

#: What lies outside the masks and is denser than this is bone or contrast: masses leave it alone.
_DENSE_HU = 230.0
#: Distances are taken up to here.
_FAR_MM = 30.0
#: Seen along the axis only the side walls count: the axis is stretched by this for their distance.
_STRETCH = 4.0
#: FWHM of the donor's picture in its fine directions, at the least.
_BLUR_MM = 1.6
#: Margins of lesions are so much wider than drawn ones': real ones fray out into lattice, not into a smooth field.
_EDGE = 1.6


@unchecked
@dataclass(frozen=True, slots=True, eq=False)
class Repainted:
    """`hu`: the smooth picture with what was painted; `marks` as in the drawn cases; `touched`: 0 to 1, how much
    of a voxel's own picture is gone; all on the working grid."""

    hu: np.ndarray
    marks: np.ndarray
    touched: np.ndarray
    painted: Painted


@unchecked
def squeezed_marrow(hu: np.ndarray, body: np.ndarray, squeeze: np.ndarray, strength: float) -> np.ndarray:
    """The smooth picture with denser bone where the body was squeezed: the band below a broken plate."""
    inside = ndimage.gaussian_filter(body.astype(np.float32), 0.8)
    more = np.clip(squeeze - 1, 0, 1.3) * np.clip(hu + 30, 0, 260) * inside * np.float32(strength)
    return hu + np.minimum(more, np.float32(240.0))


@unchecked
def repaint(
    region: Region, hu: np.ndarray, labels: np.ndarray, parts: np.ndarray, collapse: Collapse, plan: Plan, seed: int
) -> Repainted:
    """Paint the plan's signs; fragment and bow are the warp's, not the brush's."""
    scene = _scene(region, hu.copy(), labels, parts, collapse, seed)
    before = scene.hu.copy()
    painted = paint(scene, replace(plan, lesion_edge_mm=_EDGE * plan.lesion_edge_mm + 0.4))
    change = np.zeros_like(hu)
    change[scene.box] = scene.hu - before
    marks = np.zeros(hu.shape, np.uint8)
    marks[scene.box] = scene.marks
    change = ndimage.gaussian_filter(change, _sigma(region))
    touched = ndimage.gaussian_filter(((marks > 0) | (np.abs(change) > 60)).astype(np.float32), 0.7)
    return Repainted(hu + change, marks, touched, painted)


@unchecked
def sham(region: Region, hu: np.ndarray, labels: np.ndarray, parts: np.ndarray, plan: Plan, seed: int) -> Repainted:
    """Where the plan would have been painted the vertebra gets its own marrow again, and all else stays."""
    rng = np.random.default_rng([seed, 7])
    there = repaint(region, hu, labels, parts, Collapse(), plan, seed)
    spongy = _spongiosa(region, labels, parts)
    own = spongy & (labels == int(region.level))
    value = _own_marrow(rng, hu, own)
    alpha = ndimage.gaussian_filter((own & (there.marks > 0)).astype(np.float32), 0.8) * own
    out = hu + alpha * (value - hu)
    return Repainted(out, np.zeros_like(there.marks), there.touched, Painted())


@unchecked
def spongiosa_hu(region: Region, hu: np.ndarray, labels: np.ndarray, parts: np.ndarray) -> float:
    """Median HU of the body's inner part."""
    own = _spongiosa(region, labels, parts) & (labels == int(region.level))
    return float(np.median(hu[own])) if own.sum() > 50 else float("nan")


@unchecked
def _spongiosa(region: Region, labels: np.ndarray, parts: np.ndarray) -> np.ndarray:
    body = (labels > 0) & (parts == Part.BODY)
    rounds = max(1, round(3.0 / float(np.mean(region.grid.spacing_mm))))
    return ndimage.binary_erosion(body, iterations=rounds)


@unchecked
def _own_marrow(rng: np.random.Generator, hu: np.ndarray, own: np.ndarray) -> np.ndarray:
    """A picture of the marrow as it is around, with texture of its own strength put elsewhere."""
    weight = ndimage.gaussian_filter(own.astype(np.float32), 3.0)
    level = ndimage.gaussian_filter(np.where(own, hu, 0).astype(np.float32), 3.0) / np.maximum(weight, 0.05)
    texture = np.where(own, hu - level, 0)
    turned = texture[:, :, ::-1] if rng.uniform() < 0.5 else texture[::-1]
    return level + np.roll(turned, tuple(int(v) for v in rng.integers(-4, 5, 3)), (0, 1, 2))


@unchecked
def _sigma(region: Region) -> list[float]:
    """The donor's blur on the working grid; along cut axes the slice profile does the rest."""
    fine = region.grid.spacing_mm
    pairs = zip(fine, region.parts_of_step, strict=True)
    return [np.sqrt(max((_BLUR_MM if k == 1 else 1.0) ** 2 - 0.4 * s * s, 0.05)) / 2.355 / s for s, k in pairs]


@unchecked
def _scene(
    region: Region, hu: np.ndarray, labels: np.ndarray, parts: np.ndarray, collapse: Collapse, seed: int
) -> Scene:
    """The warped vertebra as the drawn ones' brush wants it."""
    o, rng = region.outline, np.random.default_rng(seed)
    shape = _shape(region, collapse)
    tall = shape.body.half_height_mm + 14.0
    low = np.array([-0.5 * o.width_mm - 24.0, -0.5 * o.depth_mm - 22.0, -tall])
    high = np.array([-low[0], 0.5 * o.depth_mm + shape.size.canal_depth_mm + 8.0, tall])
    box = box_of(region.grid, region.frame, low, high)
    if box is None:
        raise ValueError("the vertebra lies outside its own region")
    x, y, z = (c[box] for c in region.coordinates())
    top, bottom = new_plates(region, collapse, x, y)
    own = labels[box] == int(region.level)
    part, spacing = parts[box], region.grid.spacing_mm
    body = own & (part == Part.BODY)
    main = int(np.argmax(np.abs(region.grid.lps_mm_to_voxel[:3, :3] @ region.frame.axes[:, 2])))
    stretched = [s * (_STRETCH if a == main else 1.0) for a, s in enumerate(spacing)]
    wall = _signed(body, stretched)
    bony = (labels[box] > 0) | (hu[box] > _DENSE_HU)
    disc = (wall > -0.5) & ((z > top) | (z < bottom)) & ~bony & (np.abs(z) < np.abs(top - bottom))
    tissue = np.where(disc, np.uint8(Tissue.DISC), np.uint8(Tissue.SOFT))
    tissue[(hu[box] > 115) & ~bony & ~disc] = Tissue.AORTA
    soft = hu[(hu > -20) & (hu < 105) & (labels == 0)]
    return Scene(
        vertebra=shape,
        look=realistic_look(rng, 120.0, phase="native"),
        rng=rng,
        box=box,
        voxel_mm=float(np.prod(spacing) ** (1 / 3)),
        hu=hu[box],
        marks=np.zeros(own.shape, np.uint8),
        tissue=tissue,
        x=x,
        y=y,
        z=z,
        wall=wall,
        plates=np.minimum(top - z, z - bottom),
        bone=_signed(bony, spacing),
        body=body,
        arch=own & (part == Part.POSTERIOR),
        soft_hu=float((np.median(soft) if soft.size > 500 else 45.0) + rng.uniform(-8, 14)),
    )


@unchecked
def _signed(mask: np.ndarray, spacing_mm: list[float] | tuple[float, float, float]) -> np.ndarray:
    """Depth below a mask's surface, negative outside, mm."""
    if not mask.any():
        return np.full(mask.shape, -_FAR_MM, np.float32)
    half = 0.5 * min(spacing_mm)
    inner = ndimage.distance_transform_edt(mask, spacing_mm)
    outer = ndimage.distance_transform_edt(~mask, spacing_mm)
    return np.where(mask, inner - half, half - outer).astype(np.float32)


@unchecked
def _shape(region: Region, collapse: Collapse) -> VertebraShape:
    """The real vertebra in the drawn ones' terms, as the brush needs it: sizes, and plates that have sunk."""
    body = flat_body(region)
    sinks = (collapse.upper, collapse.lower)
    plates = [
        replace(p, sink_front=s.front, sink_middle=s.middle, sink_back=s.back, sink_side=collapse.side)
        for p, s in zip((body.upper, body.lower), sinks, strict=True)
    ]
    zero = np.zeros(1, np.float32)
    top, bottom = new_plates(region, collapse, zero, zero)
    half = 0.5 * float((top - bottom)[0])
    lift = 0.5 * float((top + bottom)[0])
    upper: Endplate = replace(plates[0], level=max(plates[0].level, half + lift))
    return VertebraShape(
        instance=int(region.level),
        level=region.level,
        size=_sizes(region),
        body=replace(body, upper=upper, lower=plates[1]),
        frame=region.frame,
        scale=region.size_ratio,
        ribs=(False, False),
    )


@unchecked
def _sizes(region: Region) -> Morphometry:
    norm, ratio = NORMS[region.level], region.size_ratio
    return replace(
        norm,
        canal_width_mm=region.canal_width_mm,
        canal_depth_mm=norm.canal_depth_mm * ratio,
        pedicle_width_mm=norm.pedicle_width_mm * ratio,
        pedicle_height_mm=norm.pedicle_height_mm * ratio,
    )

