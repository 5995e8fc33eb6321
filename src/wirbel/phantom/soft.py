"""Skin, fat, muscle, lungs, organs, vessels and the canal."""

from itertools import pairwise

import numpy as np

from wirbel.phantom.anatomy import Anatomy
from wirbel.phantom.implicit import Frame, Solid, bar, box_of, coordinates, ellipsoid, unchecked
from wirbel.phantom.tissue import Tissue
from wirbel.phantom.torso import Trunk
from wirbel.volume import Grid

SLAB = 24


def draw_soft_tissue(tissue: np.ndarray, grid: Grid, anatomy: Anatomy, trunk: Trunk) -> None:
    """Trunk wall, lungs and cavities over the whole grid, slab by slab, then the organs in their boxes."""
    nz, ny, nx = grid.shape
    for start in range(0, nz, SLAB):
        box = (slice(start, min(start + SLAB, nz)), slice(0, ny), slice(0, nx))
        tissue[box] = _wall_and_lungs(grid, box, anatomy, trunk)
    if anatomy.person.table:
        _table(tissue, grid, trunk)
    _head(tissue, grid, anatomy)
    for solid, what, within in organs(anatomy, trunk):
        put_soft(tissue, grid, solid, what, within)


def _table(tissue: np.ndarray, grid: Grid, trunk: Trunk) -> None:
    """The table: two thin curved shells with foam between them."""
    top = float(trunk.back_y.max()) + 5.0
    reach = np.array([235.0, 40.0, 3000.0])
    box = box_of(grid, Frame(np.array([0.0, top + 10.0, 0.0]), np.eye(3)), -reach, reach)
    if box is None:
        return
    x, y, _ = coordinates(grid, box)
    upper = y - (top - 26.0 * (x / 220.0) ** 2)
    lower = y - (top + 34.0 - 52.0 * (x / 220.0) ** 2)
    shell = ((np.abs(upper) < 1.6) | (np.abs(lower) < 1.6)) & (np.abs(x) < 220)
    view = tissue[box]
    view[shell & (view == Tissue.AIR)] = Tissue.TABLE


def _head(tissue: np.ndarray, grid: Grid, anatomy: Anatomy) -> None:
    """The base of the skull above the atlas: shell, brain, and soft tissue of the face."""
    k = anatomy.person.scale
    atlas = anatomy.vertebrae[0].frame.origin_lps_mm
    centre = atlas + np.array([0.0, -12.0 * k, 68.0 * k])
    face = atlas + np.array([0.0, -62.0 * k, 6.0 * k])
    put_soft(
        tissue,
        grid,
        ellipsoid(face, (58 * k, 50 * k, 62 * k)),
        Tissue.MUSCLE,
        (Tissue.AIR, Tissue.SKIN, Tissue.FAT),
    )
    put_soft(tissue, grid, ellipsoid(centre, (80 * k, 98 * k, 76 * k)), Tissue.SOFT, None)
    put_soft(tissue, grid, ellipsoid(centre, (75 * k, 93 * k, 60 * k)), Tissue.SKULL, None)
    put_soft(tissue, grid, ellipsoid(centre, (69 * k, 87 * k, 54 * k)), Tissue.SOFT, None)
    jaw = atlas + np.array([0.0, -40.0 * k, -8.0 * k])
    for side in (-1, 1):
        angle = jaw + np.array([side * 44 * k, 12 * k, -8 * k])
        chin = jaw + np.array([side * 8 * k, -66 * k, -22 * k])
        put_soft(tissue, grid, bar(angle, chin, (5 * k, 12 * k), (6 * k, 12 * k)), Tissue.SKULL, None)
        ramus = angle + np.array([side * 2 * k, -2 * k, 52 * k])
        put_soft(tissue, grid, bar(angle, ramus, (5 * k, 13 * k), (5 * k, 9 * k)), Tissue.SKULL, None)


@unchecked
def put_soft(tissue: np.ndarray, grid: Grid, solid: Solid, what: Tissue, within: tuple[Tissue, ...] | None) -> None:
    """A soft solid replaces the tissues named in `within` (None: any)."""
    box = box_of(grid, solid.frame, solid.low, solid.high)
    if box is None:
        return
    inside = solid.depth(*coordinates(grid, box, solid.frame)) > 0
    view = tissue[box]
    if within is not None:
        allowed = np.zeros(256, bool)
        allowed[list(within)] = True
        inside &= allowed[view]
    view[inside] = what


def _q(
    trunk: Trunk, x: np.ndarray, y: np.ndarray, z: np.ndarray, kind: str, shrink: float, power: float
) -> np.ndarray:
    """Superellipse value of an outline moved inward by `shrink` mm: below 1 is inside."""
    prefix = "chest_" if kind == "chest" else ""
    half = np.maximum(trunk.at(prefix + "half_width", z) - shrink, 2.0)
    back, front = trunk.at(prefix + "back_y", z) - shrink, trunk.at(prefix + "front_y", z) + shrink
    deep = np.maximum(0.5 * (back - front), 2.0)
    middle, centre = trunk.at("column_x", z), 0.5 * (back + front)
    if kind == "skin":
        middle = 0.3 * middle
    u = (np.abs((x - middle) / half) ** power).astype(np.float32)
    v = (np.abs((y - centre) / deep) ** power).astype(np.float32)
    return u + v


def _wall_and_lungs(grid: Grid, box: tuple[slice, slice, slice], anatomy: Anatomy, trunk: Trunk) -> np.ndarray:
    x, y, z = coordinates(grid, box)
    k, fat = anatomy.person.scale, anatomy.person.fat_mm
    out = np.zeros(tuple(s.stop - s.start for s in box), np.uint8)
    outer = _q(trunk, x, y, z, "skin", 0.0, 2.5)
    out[outer < 1] = Tissue.SKIN
    out[_q(trunk, x, y, z, "skin", 2.0, 2.5) < 1] = Tissue.FAT
    out[_q(trunk, x, y, z, "skin", 0.75 * fat + 2, 2.5) < 1] = Tissue.MUSCLE
    z_low, z_high = float(trunk.z_mm[0]), float(trunk.z_mm[-1])
    inside = _q(trunk, x, y, z, "chest", 0.0, 2.3) < 1
    out[inside] = Tissue.FAT
    centre_z, dome_low = _dome_heights(trunk)
    cx = trunk.at("column_x", z)
    cy = trunk.at("column_y", z)
    right = (x < 0).astype(np.float32)
    yc = np.interp(centre_z, trunk.z_mm, 0.5 * (trunk.chest_back_y + trunk.chest_front_y))
    dome = (
        centre_z
        + (12.0 * right)
        - 55.0 * k * np.clip(((np.abs(x) - 62 * k) / (68 * k)) ** 2, 0, 1.6)
        - (centre_z - dome_low) * np.clip((y - yc + 18) / (95 * k), 0, 1.2) ** 2
        - 25.0 * np.clip((yc - y) / (90 * k), 0, 1.2) ** 2
    ).astype(np.float32)
    # the recess behind ends softly, deepest beside the column
    aside = np.clip(np.abs(x - cx) / (95 * k), 0, 1) ** 2
    lowest = np.interp(19.9, trunk.rank[::-1], trunk.z_mm[::-1]) + 26.0 * k * aside
    above = (z > np.maximum(dome, lowest.astype(np.float32))) & inside
    front = trunk.at("chest_front_y", z)
    reach = np.clip((cy - y) / np.maximum(cy - front, 20.0), 0, 1)
    at = np.interp(reach, [0.0, 0.1, 0.2, 0.45, 0.75, 1.0], [15.0, 17.0, 24.0, 42.0, 34.0, 12.0])
    high = np.interp(trunk.at("rank", z), [8.0, 11.5, 13.0], [0.75, 0.85, 1.0])
    behind = np.interp(y - cy, [4.0 * k, 16.0 * k, 24.0 * k], [0.0, 14.0, 17.0])
    width = ((at * high + behind) * k).astype(np.float32)
    beside = np.abs(x - cx) > width
    out[above] = Tissue.SOFT
    lung = above & beside & (_q(trunk, x, y, z, "chest", 2.0, 2.3) < 1)
    out[lung] = Tissue.LUNG
    outside = ((z < z_low) | (z > z_high)) & np.ones_like(out, bool)
    out[outside] = Tissue.AIR
    return out


def _dome_heights(trunk: Trunk) -> tuple[float, float]:
    """Heights of the diaphragm's top and of its lowest insertion at the back."""
    z_of_rank = np.interp([16.0, 19.6], trunk.rank[::-1], trunk.z_mm[::-1])
    return float(z_of_rank[0]), float(z_of_rank[1])


def _at_rank(trunk: Trunk, rank: float | int) -> np.ndarray:
    z = float(np.interp(rank, trunk.rank[::-1], trunk.z_mm[::-1]))
    return np.array([trunk.at("column_x", np.array(z)), trunk.at("column_y", np.array(z)), z], dtype=float)


def organs(anatomy: Anatomy, trunk: Trunk) -> list[tuple[Solid, Tissue, tuple[Tissue, ...] | None]]:
    """Organs from back to front; each may replace only what is named beside it."""
    k = anatomy.person.scale
    j = anatomy.person.organ_jitter
    out: list[tuple[Solid, Tissue, tuple[Tissue, ...] | None]] = []
    belly = (Tissue.FAT,)
    t7, t11, l1, l3 = (_at_rank(trunk, r) for r in (15.0, 18.3, 20.4, 22.4))
    heart = t7 + np.array([22 * k + 3 * j[0], -78 * k, -18 * k])
    out.append((ellipsoid(heart, (52 * k, 42 * k, 46 * k)), Tissue.HEART, (Tissue.SOFT, Tissue.LUNG, Tissue.FAT)))
    liver = t11 + np.array([-62 * k, -52 * k, -6 + 6 * j[1]])
    out.append((ellipsoid(liver, (78 * k, 80 * k, 78 * k)), Tissue.LIVER, (*belly, Tissue.SOFT)))
    out.append((ellipsoid(liver + np.array([70 * k, -38 * k, 22]), (66 * k, 34 * k, 34 * k)), Tissue.LIVER, belly))
    spleen = t11 + np.array([92 * k, -6 * k, -4 + 5 * j[2]])
    out.append((ellipsoid(spleen, (26 * k, 40 * k, 46 * k)), Tissue.SPLEEN, (*belly, Tissue.SOFT)))
    for side, lower, q in ((-1, 14, 3), (1, 0, 4)):
        kidney = l1 + np.array([side * 64 * k, 8 * k + 3 * j[q], -lower + 6 * j[q + 2]])
        out.append(
            (ellipsoid(kidney, (27 * k, 25 * k, 54 * k)), Tissue.KIDNEY, (*belly, Tissue.LIVER, Tissue.SPLEEN))
        )
        out.append(
            (
                ellipsoid(kidney - np.array([side * 12 * k, 4, 0]), (11 * k, 9 * k, 22 * k)),
                Tissue.KIDNEY_PELVIS,
                (Tissue.KIDNEY,),
            )
        )
    rng = np.random.default_rng(anatomy.person.bowel_seed)
    low = _at_rank(trunk, 27.5)
    for _ in range(90):
        place = rng.uniform(0, 1)
        z = (1 - place) * (l1[2] - 15) + place * low[2]
        half = float(trunk.at("chest_half_width", np.array(z))) * 0.86
        front = float(trunk.at("chest_front_y", np.array(z)))
        back = float(trunk.at("column_y", np.array(z))) - 34 * k
        centre = np.array([l3[0] + rng.uniform(-1, 1) * half, rng.uniform(front + 18, max(back, front + 30)), z])
        r = rng.uniform(8, 19) * k * np.array([1.0, 1.0, rng.uniform(0.8, 2.0)])
        what = (Tissue.BOWEL_CONTENT, Tissue.BOWEL_GAS, Tissue.BOWEL_WALL)[int(rng.choice(3, p=[0.5, 0.25, 0.25]))]
        out.append((ellipsoid(centre, tuple(r + 2.5)), Tissue.BOWEL_WALL, belly))
        out.append((ellipsoid(centre, tuple(r)), what, (Tissue.BOWEL_WALL,)))
    bladder = low + np.array([0, -62 * k, -66 * k])
    out.append(
        (ellipsoid(bladder, (40 * k, 34 * k, 34 * k)), Tissue.BLADDER, (*belly, Tissue.BOWEL_WALL, Tissue.MUSCLE))
    )
    return out


def draw_tubes(tissue: np.ndarray, grid: Grid, anatomy: Anatomy, trunk: Trunk) -> None:
    """Airways, psoas, great vessels, and the canal with the cord, along the column."""
    k = anatomy.person.scale
    vs = anatomy.vertebrae
    for side in (-1, 1):
        chain = [
            v.frame.to_lps(np.array([side * (0.5 * v.size.width_middle_mm + 13 * k), 4.0, -6.0]))
            for v in vs
            if v.level.rank >= 20
        ]
        chain.append(anatomy.sacrum.to_lps(np.array([side * 52 * k, -26 * k, -4.0])))
        chain.append(anatomy.sacrum.origin_lps_mm + np.array([side * 92 * k, -46 * k, -80 * k]))
        sizes = np.interp(np.arange(len(chain)), [0, 2, 4, 6], [9, 17, 21, 15]) * k
        for a, b, r, s in zip(chain[:-1], chain[1:], sizes[:-1], sizes[1:], strict=True):
            put_soft(tissue, grid, bar(a, b, (r, r), (s, s)), Tissue.MUSCLE, None)
    _lung_vessels(tissue, grid, anatomy, trunk)
    for what, points, radius in vessel_lines(anatomy, trunk):
        for a, b in pairwise(points):
            put_soft(tissue, grid, bar(a, b, (radius, radius), (radius, radius)), what, None)
    centres = [
        v.frame.to_lps(np.array([0.0, 0.5 * v.size.depth_mm + 0.5 * v.size.canal_depth_mm, 0.0])) for v in vs
    ]
    centres.append(anatomy.sacrum.to_lps(np.array([0.0, 0.5 * anatomy.sacrum_body.depth_mm + 6 * k, 0.0])))
    centres.append(anatomy.sacrum.to_lps(np.array([0.0, 22.0 * k, -50.0 * k])))
    wide = [(0.5 * v.size.canal_width_mm, 0.5 * v.size.canal_depth_mm) for v in vs] + [
        (12 * k, 7 * k),
        (5 * k, 4 * k),
    ]
    for i in range(len(centres) - 1):
        put_soft(tissue, grid, bar(centres[i], centres[i + 1], wide[i], wide[i + 1]), Tissue.CANAL, None)
        if i < len(vs) and vs[i].level.rank < 20:
            r = (0.28 * vs[i].size.canal_width_mm, 0.26 * vs[i].size.canal_depth_mm)
            put_soft(tissue, grid, bar(centres[i], centres[i + 1], r, r), Tissue.CORD, None)


def _lung_vessels(tissue: np.ndarray, grid: Grid, anatomy: Anatomy, trunk: Trunk) -> None:
    """Branches that fan out from both hila and thin toward the pleura; airways beside the larger ones."""
    rng = np.random.default_rng(anatomy.person.bowel_seed + 1)
    k = anatomy.person.scale
    within = (Tissue.LUNG,)
    for side in (-1, 1):
        hilum = _at_rank(trunk, 13.0) + np.array([side * 36 * k, -46 * k, 0.0])
        for _ in range(26):
            way = rng.normal(0, 1, 3) * np.array([0.7, 0.9, 1.3])
            way[0] = side * (0.3 + abs(way[0]))
            way /= np.linalg.norm(way)
            length = rng.uniform(50, 120) * k
            bend = hilum + 0.45 * length * way + rng.normal(0, 8, 3)
            tip = hilum + length * way + rng.normal(0, 14, 3)
            r = rng.uniform(2.2, 5.0) * k
            for a, b, ra, rb in ((hilum, bend, r, 0.65 * r), (bend, tip, 0.65 * r, 0.25 * r)):
                put_soft(tissue, grid, bar(a, b, (ra, ra), (rb, rb)), Tissue.LUNG_VESSEL, within)
            for _ in range(2):
                side_tip = bend + rng.normal(0, 30, 3) * k
                put_soft(
                    tissue, grid, bar(bend, side_tip, (0.5 * r, 0.5 * r), (0.8, 0.8)), Tissue.LUNG_VESSEL, within
                )


def vessel_lines(anatomy: Anatomy, trunk: Trunk) -> list[tuple[Tissue, np.ndarray, float]]:
    """Great vessels, gullet and airways: what, middle line in LPS mm, radius."""
    k = anatomy.person.scale
    j = anatomy.person.organ_jitter
    by_rank = {
        round(r, 1): _at_rank(trunk, r)
        for r in (9.0, 10.0, 11.5, 12.5, 14, 16, 18, 19.5, 21, 22.5, 23.6, 24.6, 26.5)
    }

    def beside(rank: float | int, x: float | int, y: float | int) -> np.ndarray:
        return by_rank[round(rank, 1)] + np.array([x * k, y * k, 0.0])

    aorta = np.stack(
        [
            beside(14, 8, -72),
            beside(12.5, 0, -68),
            beside(11.5, 2, -58),
            beside(11.5, 14, -36),
            beside(12.5, 20, -24),
            beside(14, 20, -22),
            beside(16, 17, -25),
            beside(18, 12, -27),
            beside(19.5, 7, -29),
            beside(21, 5, -31),
            beside(22.5, 4, -32),
            beside(23.6, 3, -32),
        ]
    )
    age = anatomy.person.age_years
    r = (9.0 + 0.06 * age + 0.6 * j[10]) * k
    out = [(Tissue.AORTA, aorta, r)]
    for side in (-1, 1):
        out.append(
            (
                Tissue.AORTA,
                np.stack([aorta[-1], beside(24.6, side * 20, -30), beside(26.5, side * 48, -26)]),
                0.55 * r,
            )
        )
        out.append(
            (
                Tissue.VENA_CAVA,
                np.stack([beside(23.6, -14, -28), beside(24.6, side * 24 - 6, -22), beside(26.5, side * 46, -16)]),
                6.0 * k,
            )
        )
    cava = np.stack(
        [
            beside(23.6, -14, -28),
            beside(22.5, -17, -30),
            beside(21, -20, -34),
            beside(19.5, -22, -42),
            beside(18, -24, -50),
            beside(16, -22, -58),
        ]
    )
    out.append((Tissue.VENA_CAVA, cava, 10.5 * k))
    out.append(
        (Tissue.VENA_CAVA, np.stack([beside(14, -26, -62), beside(11.5, -24, -52), beside(10, -20, -44)]), 8.5 * k)
    )
    oesophagus = np.stack([beside(9, 4, -18), beside(11.5, 4, -24), beside(14, 6, -26), beside(18, 12, -46)])
    out.append((Tissue.SOFT, oesophagus, 8.0 * k))
    trachea = np.stack([_at_rank(trunk, 5.0) + np.array([0, -28 * k, 0]), beside(9, 0, -34), beside(11.5, -2, -40)])
    out.append((Tissue.AIRWAY, trachea, 8.0 * k))
    for side in (-1, 1):
        out.append((Tissue.AIRWAY, np.stack([trachea[-1], beside(12.5, side * 26, -42)]), 6.0 * k))
    return out
