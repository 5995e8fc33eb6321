"""What surgeons leave, and what age lays down in the aorta: screws, rods, cement, stent, wires, calcification."""

from itertools import pairwise

import numpy as np

from wirbel.phantom.anatomy import Anatomy, VertebraShape
from wirbel.phantom.implicit import Solid, bar, ellipsoid, placed
from wirbel.phantom.soft import put_soft, vessel_lines
from wirbel.phantom.tissue import Tissue
from wirbel.phantom.torso import Trunk
from wirbel.volume import Grid

#: Cement stays within bone and fracture gaps.
_IN_BONE = (Tissue.VERTEBRA_TRABECULAR, Tissue.VERTEBRA_CORTEX, Tissue.ARCH_TRABECULAR)


def draw_implants(tissue: np.ndarray, grid: Grid, anatomy: Anatomy, trunk: Trunk) -> None:
    """Implants and calcifications over the finished tissues; instances and parts stay as they are."""
    rng = np.random.default_rng(anatomy.person.bowel_seed + 7)
    heads: dict[int, list[np.ndarray]] = {-1: [], 1: []}
    for v in anatomy.vertebrae:
        if v.cement:
            for solid in _cement(rng, v):
                put_soft(tissue, grid, solid, Tissue.CEMENT, _IN_BONE)
        if v.screws:
            for side in (-1, 1):
                solids, head = _screw(v, side)
                heads[side].append(head)
                for solid in solids:
                    put_soft(tissue, grid, solid, Tissue.METAL, None)
    for line in heads.values():
        for a, b in pairwise(line):
            put_soft(tissue, grid, bar(a, b, (2.8, 2.8), (2.8, 2.8)), Tissue.METAL, None)
    _calcify(rng, tissue, grid, anatomy, trunk)
    if anatomy.person.stent:
        _stent(tissue, grid, anatomy, trunk)
    if anatomy.person.wires:
        _wires(tissue, grid, anatomy, trunk)


def _screw(v: VertebraShape, side: int) -> tuple[list[Solid], np.ndarray]:
    """A pedicle screw and the head that takes the rod."""
    s, h, k = v.size, v.body.half_height_mm, v.scale
    x = side * (0.5 * s.canal_width_mm + 0.5 * s.pedicle_width_mm)
    z = h - 0.5 * s.pedicle_height_mm - 1.5
    tip = np.array([x * 0.55, -0.22 * s.depth_mm, z - 2.0])
    entry = np.array([x * 1.1, 0.5 * s.depth_mm + s.canal_depth_mm + 5.0 * k, z + 1.0])
    shaft = bar(tip, entry, (2.4, 2.4), (3.0, 3.0))
    head = bar(entry, entry + np.array([0.0, 9.0, 0.0]), (5.5, 5.5), (5.5, 5.5))
    solids = [placed(shaft, v.frame), placed(head, v.frame)]
    return solids, v.frame.to_lps(entry + np.array([0.0, 6.0, 0.0]))


def _cement(rng: np.random.Generator, v: VertebraShape) -> list[Solid]:
    b = v.body
    out = []
    for side in (-1, 1):
        for _ in range(3):
            centre = np.array([side * rng.uniform(2, 10), rng.uniform(-0.3, 0.15) * b.depth_mm, rng.uniform(-4, 4)])
            radii = rng.uniform(3.5, 7.5, 3) * np.array([1.0, 1.0, 0.8])
            out.append(placed(ellipsoid(centre, [float(r) for r in radii]), v.frame))
    return out


def _calcify(rng: np.random.Generator, tissue: np.ndarray, grid: Grid, anatomy: Anatomy, trunk: Trunk) -> None:
    """Plaques in the aortic wall and its branches, more of them below."""
    count = int(90 * anatomy.person.aortic_calcification)
    for what, line, radius in vessel_lines(anatomy, trunk):
        if what is not Tissue.AORTA:
            continue
        for _ in range(count if len(line) > 5 else count // 6):
            at = float(np.clip(rng.beta(3.0, 1.2), 0, 0.999)) * (len(line) - 1)
            i, t = int(at), at - int(at)
            way = line[i + 1] - line[i]
            out = np.cross(way / np.linalg.norm(way), rng.normal(0, 1, 3))
            out /= np.linalg.norm(out)
            centre = (1 - t) * line[i] + t * line[i + 1] + out * (radius - 0.8)
            radii = [float(r) for r in rng.uniform(0.8, 2.8, 3)]
            put_soft(tissue, grid, ellipsoid(centre, radii), Tissue.CALCIFICATION, (Tissue.AORTA, Tissue.FAT))


def _stent(tissue: np.ndarray, grid: Grid, anatomy: Anatomy, trunk: Trunk) -> None:
    """A stent graft in the lower aorta: rings of wire."""
    line = next(line for what, line, _ in vessel_lines(anatomy, trunk) if what is Tissue.AORTA)
    radius = 0.8 * next(r for what, _, r in vessel_lines(anatomy, trunk) if what is Tissue.AORTA)
    start, end = line[-4], line[-1]
    axis = (end - start) / np.linalg.norm(end - start)
    x = np.cross(axis, np.array([0.0, 1.0, 0.0]))
    x /= np.linalg.norm(x)
    y = np.cross(axis, x)
    length = float(np.linalg.norm(end - start))
    for ring in np.arange(0, length, 9.0):
        angles = np.linspace(0, 2 * np.pi, 17)
        zig = np.where(np.arange(17) % 2 == 0, 0.0, 6.0)
        points = (
            start
            + np.outer(ring + zig, axis)
            + radius * (np.outer(np.cos(angles), x) + np.outer(np.sin(angles), y))
        )
        for a, b in pairwise(points):
            put_soft(tissue, grid, bar(a, b, (0.7, 0.7), (0.7, 0.7)), Tissue.METAL, None)


def _wires(tissue: np.ndarray, grid: Grid, anatomy: Anatomy, trunk: Trunk) -> None:
    """Wire loops around the sternum, as after an operation on the heart."""
    t4 = next(v for v in anatomy.vertebrae if v.level.name == "T4").frame.origin_lps_mm
    for step in range(5):
        z = np.array([t4[2] - 8.0 - 22.0 * step])
        centre = np.array([trunk.at("column_x", z)[0], trunk.at("chest_front_y", z)[0] - 6.0, z[0]])
        angles = np.linspace(0, 2 * np.pi, 13)
        loop = centre + np.stack([17 * np.cos(angles), 8 * np.sin(angles), 0 * angles], axis=1)
        for a, b in pairwise(loop):
            put_soft(tissue, grid, bar(a, b, (0.8, 0.8), (0.8, 0.8)), Tissue.METAL, None)
