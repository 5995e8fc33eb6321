"""A person drawn around real vertebrae: masks become bone, everything else is parametric.

The column of a drawn person is bent to the masks: their vertebrae take the place of the drawn ones, the drawn
column goes on above and below. So real shapes get a whole torso, ribs, neighbours and truth on any grid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import ndimage

from wirbel.phantom.anatomy import Anatomy
from wirbel.phantom.appearance import draw_appearance
from wirbel.phantom.canvas import DEPTH_UNIT_MM, OUTSIDE
from wirbel.phantom.column import levels_of
from wirbel.phantom.draw import draw_anatomy
from wirbel.phantom.implicit import Frame, box_of, coordinates
from wirbel.phantom.look import Look
from wirbel.phantom.morphometry import NORMS
from wirbel.phantom.rasterise import PhantomLabels, rasterise
from wirbel.phantom.settings import AnatomySettings, Mimic
from wirbel.phantom.tissue import Tissue
from wirbel.spine import Level, Part, Variant
from wirbel.spine.split import split_body_and_posterior
from wirbel.volume import Grid, LabelMap

#: Drawn bones keep this distance from real ones.
APART_MM = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class MaskColumn:
    """Real vertebrae ready to be drawn around: distances, names and frames on the masks' own grid.

    `depth` as in `PhantomLabels`; `nearest`, `parts`: the nearest vertebra's place in `levels` (1..n from above)
    and its part, spread a little beyond the surface.
    """

    grid: Grid
    depth: np.ndarray
    nearest: np.ndarray
    parts: np.ndarray
    levels: tuple[Level, ...]
    frames: tuple[Frame, ...]
    heights_mm: tuple[float, ...]
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """A CT drawn around masks; `levels` names the instances in `labels` (1..n from above)."""

    hu: Float32[np.ndarray, "z y x"]
    labels: PhantomLabels
    levels: tuple[Level, ...]


def prepare_masks(
    instances: UInt8[np.ndarray, "z y x"],
    parts: UInt8[np.ndarray, "z y x"] | None,
    grid: Grid,
    *,
    levels: Mapping[int, Level] | None = None,
) -> MaskColumn:
    """Distances and frames of masks on a canonical grid, done once for many drawings.

    `levels` names the numbers in `instances`; None: they are VerSe numbers (`Level` values). `parts` as
    `wirbel.spine.Part`; None: split by geometry. Vertebrae without a body, or that the border cuts, are left out.
    """
    known = dict(levels) if levels is not None else {lv.value: lv for lv in Level}
    if parts is None:
        parts = split_body_and_posterior(LabelMap(grid, instances)).parts.labels
    found = [(known[n], int(n)) for n in np.unique(instances) if n and int(n) in known]
    found = sorted((f for f in found if f[0] is not Level.S1), key=lambda f: f[0].rank)
    shape = instances.shape
    depth = np.full(shape, OUTSIDE, np.int8)
    nearest, spread = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    names, centres, clouds, scales, boxes = [], [], [], [], ndimage.find_objects(instances)
    for level, number in found:
        box = boxes[number - 1]
        body = (instances[box] == number) & (parts[box] == Part.BODY)
        touches = any(s.start == 0 or s.stop == n for s, n in zip(box, shape, strict=True))
        if not body.any() or (touches and level in (found[0][0], found[-1][0])):
            continue
        names.append(level)
        index = np.argwhere(body) + [s.start for s in box]
        points = grid.to_lps_mm(index.astype(float))
        centres.append(points.mean(axis=0))
        scales.append(np.cbrt(len(points) * grid.voxel_mm3 / _volume(level)))
        clouds.append(points)
        _put(instances, parts, grid, box, (number, len(names)), (depth, nearest, spread))
    frames = _frames(np.array(centres))
    heights = [_height(frame, cloud) for frame, cloud in zip(frames, clouds, strict=True)]
    scale = float(np.clip(np.median(scales), 0.8, 1.25)) if scales else 1.0
    return MaskColumn(grid, depth, nearest, spread, tuple(names), frames, tuple(heights), scale)


def labels_around(column: MaskColumn, rng: np.random.Generator, grid: Grid | None = None) -> PhantomLabels:
    """A person around the masks on any grid; instances count from above over the whole column drawn."""
    grid = grid or column.grid
    anatomy = bent_anatomy(column, rng)
    place = {v.level: v.instance for v in anatomy.vertebrae}
    here = [place[level] for level in column.levels]
    drawn = rasterise(anatomy, grid, without=frozenset(here))
    depth, nearest, spread = _sampled(column, grid)
    number = np.array([0, *here], np.uint8)
    tissue, parts, instances = drawn.tissue.copy(), drawn.parts.copy(), drawn.instances.copy()
    bone = _apart(drawn.depth, depth)
    gone = (drawn.depth > 0) & (bone <= 0)
    tissue[gone], parts[gone], instances[gone] = Tissue.SOFT, 0, 0
    _discs_between(column, grid, tissue, parts)
    deeper = depth > bone
    bone[deeper] = depth[deeper]
    won = deeper & (depth > 0)
    body = spread[won] == Part.BODY
    tissue[won] = np.where(body, np.uint8(Tissue.VERTEBRA_TRABECULAR), np.uint8(Tissue.ARCH_TRABECULAR))
    parts[won] = spread[won]
    instances[won] = number[nearest[won]]
    return PhantomLabels(grid, tissue, instances, parts, bone, drawn.extra, anatomy)


def draw_around(
    instances: UInt8[np.ndarray, "z y x"],
    parts: UInt8[np.ndarray, "z y x"] | None,
    grid: Grid,
    rng: np.random.Generator,
    look: Look,
    *,
    levels: Mapping[int, Level] | None = None,
) -> Around:
    """Masks in, a drawn CT around them out (no blur or noise: see `scan`), on the masks' grid."""
    labels = labels_around(prepare_masks(instances, parts, grid, levels=levels), rng)
    hu = draw_appearance(labels, rng, look)
    names = tuple(v.level for v in labels.anatomy.vertebrae) if labels.anatomy else ()
    return Around(hu, labels, names)


def bent_anatomy(column: MaskColumn, rng: np.random.Generator) -> Anatomy:
    """A drawn person whose vertebrae stand where the masks' do; the rest follows above and below.

    The truth's centres are the masks' where there are masks; its heights and grades hold for drawn ones only.
    """
    variants = _variants(column.levels)
    settings = AnatomySettings(
        variant=variants[0] if variants else None,
        variant_chance=0.0,
        fracture_chance=0.02,
        exclude=frozenset(Mimic),
    )
    anatomy = draw_anatomy(rng, settings)
    order = [v.level for v in anatomy.vertebrae]
    frames = [v.frame for v in anatomy.vertebrae]
    seen = {order.index(level): k for k, level in enumerate(column.levels) if level in order}
    if not seen:
        return anatomy
    first, last = min(seen), max(seen)
    moved = list(frames)
    for i in range(first, last + 1):
        moved[i] = column.frames[seen[i]] if i in seen else _between(column, seen, i)
    shapes = anatomy.vertebrae
    up = _mover(frames[first], moved[first], column.heights_mm[seen[first]] - 2 * shapes[first].body.half_height_mm)
    down = _mover(frames[last], moved[last], 2 * shapes[last].body.half_height_mm - column.heights_mm[seen[last]])
    for i in range(first):
        moved[i] = _apply(up, frames[i])
    for i in range(last + 1, len(frames)):
        moved[i] = _apply(down, frames[i])
    vertebrae = tuple(replace(v, frame=moved[i]) for i, v in enumerate(anatomy.vertebrae))
    discs = tuple(replace(d, frame=_apply(up if d.above < first else down, d.frame)) for d in anatomy.discs)
    sacrum = _apply(down, anatomy.sacrum)
    told = tuple(
        replace(t, centre_lps_mm=moved[i].to_lps(frames[i].to_own(t.centre_lps_mm[None]))[0])
        for i, t in enumerate(anatomy.truth.vertebrae)
    )
    told = tuple(
        replace(t, centre_lps_mm=column.frames[seen[i]].origin_lps_mm, from_mask=True) if i in seen else t
        for i, t in enumerate(told)
    )
    truth = replace(anatomy.truth, vertebrae=told, sacrum_lps_mm=sacrum.origin_lps_mm)
    return replace(anatomy, vertebrae=vertebrae, discs=discs, sacrum=sacrum, truth=truth)


def _apart(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Depths of the drawn bones, kept a joint's distance away from the real ones."""
    limit = np.clip(-real.astype(np.int16) - round(APART_MM / DEPTH_UNIT_MM), -127, 127).astype(np.int8)
    return np.minimum(drawn, limit)


def _put(
    instances: np.ndarray,
    parts: np.ndarray,
    grid: Grid,
    box: tuple[slice, ...],
    numbers: tuple[int, int],
    into: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Signed distance of one vertebra, smoothed over the voxels' stairs, into the column's arrays."""
    number, place = numbers
    pad = [max(2, int(np.ceil(3.0 / s))) for s in grid.spacing_mm]
    wide = tuple(
        slice(max(0, s.start - p), min(n, s.stop + p)) for s, p, n in zip(box, pad, instances.shape, strict=True)
    )
    mask = instances[wide] == number
    inner = ndimage.distance_transform_edt(mask, grid.spacing_mm)
    outer, index = ndimage.distance_transform_edt(~mask, grid.spacing_mm, return_indices=True)
    half = 0.5 * min(grid.spacing_mm)
    signed = np.where(mask, inner - half, half - outer)
    signed = ndimage.gaussian_filter(signed, [0.7 / (s / min(grid.spacing_mm)) for s in grid.spacing_mm])
    whole = np.clip(np.rint(signed / DEPTH_UNIT_MM), -127, 127).astype(np.int8)
    depth, nearest, spread = (a[wide] for a in into)
    better = whole > depth
    depth[better] = whole[better]
    nearest[better] = place
    spread[better] = parts[wide][tuple(index)][better]


def _sampled(column: MaskColumn, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The masks' distances, places and parts on another grid."""
    if grid.same_as(column.grid):
        return column.depth, column.nearest, column.parts
    to = column.grid.lps_mm_to_voxel @ grid.voxel_to_lps_mm
    matrix, offset = to[:3, :3], to[:3, 3]
    depth = ndimage.affine_transform(
        column.depth.astype(np.float32), matrix, offset, grid.shape, order=1, mode="constant", cval=float(OUTSIDE)
    )
    rest = [
        ndimage.affine_transform(a, matrix, offset, grid.shape, order=0, mode="constant", cval=0)
        for a in (column.nearest, column.parts)
    ]
    whole = np.rint(depth).astype(np.int8)
    whole[rest[0] == 0] = OUTSIDE
    return whole, rest[0], rest[1]


def _discs_between(column: MaskColumn, grid: Grid, tissue: np.ndarray, parts: np.ndarray) -> None:
    """Discs where two real bodies follow one another: what lies between both within the narrower outline."""
    for k in range(len(column.levels) - 1):
        a, b = column.frames[k], column.frames[k + 1]
        if column.levels[k + 1].rank - column.levels[k].rank > 1.01:
            continue
        axis = a.origin_lps_mm - b.origin_lps_mm
        gap = np.linalg.norm(axis)
        axis = axis / gap
        size = NORMS[column.levels[k]]
        half, deep = 0.47 * size.width_inferior_mm * column.scale, 0.53 * size.depth_mm * column.scale
        left = a.axes[:, 0] - (a.axes[:, 0] @ axis) * axis
        left /= np.linalg.norm(left)
        frame = Frame(
            0.5 * (a.origin_lps_mm + b.origin_lps_mm), np.stack([left, np.cross(axis, left), axis], axis=1)
        )
        reach = np.array([half, deep, 0.36 * gap])
        box = box_of(grid, frame, -reach, reach)
        if box is None:
            continue
        x, y, z = coordinates(grid, box, frame)
        inside = (np.abs(x / half) ** 2.4 + np.abs(y / deep) ** 2.4 < 1) & (np.abs(z) < reach[2])
        tissue[box][inside] = Tissue.DISC
        parts[box][inside] = Part.DISC


def _volume(level: Level) -> float:
    """About the volume of a body of average size."""
    n = NORMS[level]
    return 0.80 * n.depth_mm * n.width_middle_mm * 0.5 * (n.anterior_mm + n.posterior_mm)


def _height(frame: Frame, points_lps_mm: np.ndarray) -> float:
    """Height of a body along its axis, over its middle third from side to side."""
    own = frame.to_own(points_lps_mm)
    z = own[np.abs(own[:, 0]) < 8.0, 2]
    return float(np.percentile(z, 97) - np.percentile(z, 3)) if len(z) else 0.0


def _frames(centres: np.ndarray) -> tuple[Frame, ...]:
    """Frames along the chain of body centres: superior along the chain, left as near to +x as may be."""
    if len(centres) == 0:
        return ()
    if len(centres) == 1:
        return (Frame(centres[0], np.eye(3)),)
    up = -np.gradient(centres, axis=0)
    out = []
    for centre, direction in zip(centres, up, strict=True):
        z = direction / np.linalg.norm(direction)
        x = np.array([1.0, 0.0, 0.0]) - z[0] * z
        x /= np.linalg.norm(x)
        out.append(Frame(centre, np.stack([x, np.cross(z, x), z], axis=1)))
    return tuple(out)


def _variants(levels: tuple[Level, ...]) -> tuple[Variant, ...]:
    if Level.T13 in levels:
        return (Variant.T13,)
    if Level.L6 in levels:
        return (Variant.L6,)
    gone = {Level.T11, Level.L1} <= set(levels) and Level.T12 not in levels
    return (Variant.T11_ONLY,) if gone and set(levels) <= set(levels_of((Variant.T11_ONLY,))) else ()


def _between(column: MaskColumn, seen: dict[int, int], i: int) -> Frame:
    """A frame for a level that the masks lack between two that they have."""
    before = max(j for j in seen if j < i)
    after = min(j for j in seen if j > i)
    t = (i - before) / (after - before)
    a, b = column.frames[seen[before]], column.frames[seen[after]]
    return Frame((1 - t) * a.origin_lps_mm + t * b.origin_lps_mm, a.axes if t < 0.5 else b.axes)


def _mover(old: Frame, new: Frame, taller_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """The rigid motion that takes one frame to the other, and half of `taller_mm` further up along it."""
    turn = new.axes @ old.axes.T
    return turn, new.origin_lps_mm - turn @ old.origin_lps_mm + 0.5 * taller_mm * new.axes[:, 2]


def _apply(move: tuple[np.ndarray, np.ndarray], frame: Frame) -> Frame:
    return Frame(move[0] @ frame.origin_lps_mm + move[1], move[0] @ frame.axes)
