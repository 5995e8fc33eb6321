"""Ribs, cartilages and sternum on the chest wall."""

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.anatomy import Anatomy, VertebraShape
from wirbel.phantom.implicit import Solid, ellipsoid, rod
from wirbel.phantom.torso import Trunk

# by rib number 1..12: drop from head to end (mm), angle of the end round the chest (deg, 180 = front)
# after the meshes of BodyParts3D
_DROP = np.array([45, 72, 88, 100, 110, 120, 126, 132, 132, 130, 105, 75], dtype=float)
_END = np.array([140, 146, 146, 146, 146, 143, 138, 128, 117, 107, 82, 48], dtype=float)


@dataclass(frozen=True, slots=True, eq=False)
class RibPath:
    """A rib's middle line in LPS mm from its head; `side` -1 right, 1 left; `number` counted from above."""

    vertebra: int
    number: float
    side: int
    points: np.ndarray


def rib_paths(anatomy: Anatomy, trunk: Trunk) -> list[RibPath]:
    """The middle lines of all ribs."""
    out = []
    carriers = [v for v in anatomy.vertebrae if v.level.region in "TL"]
    pairs = max(sum(v.level.region == "T" for v in carriers), 1)
    for place, v in enumerate(carriers):
        number = float(np.clip(1 + place * 11 / max(pairs - 1, 1), 1, 12))
        for side, there in ((-1, v.ribs[0]), (1, v.ribs[1])):
            if there:
                out.append(RibPath(v.instance - 1, number, side, _path(v, number, side, trunk)))
    return out


def _path(v: VertebraShape, number: float, side: int, trunk: Trunk) -> np.ndarray:
    size, h, k = v.size, v.body.half_height_mm, v.scale
    free = number > 10.3
    yb = 0.5 * size.depth_mm
    zh = 0.35 * h if number < 1.5 or free else h + 0.2 * size.disc_mm
    head = np.array([side * (0.5 * size.width_superior_mm + 0.5), yb - (3.5 if not free else 5.0), zh])
    tubercle_x = (size.transverse_mm - 1.0) if not free else max(size.transverse_mm + 4.0, 30.0 * k)
    tip_y = yb + 0.62 * size.canal_depth_mm + np.interp(v.level.rank, [8, 12, 17, 20], [6.0, 12.0, 14.0, 8.0]) * k
    zt = 0.25 * h
    neck = np.array([side * tubercle_x, tip_y - 6.5 * k, zt + 2.5 if not free else zt - 6.0])
    start = v.frame.to_lps(np.stack([head, 0.55 * head + 0.45 * neck, neck]))
    drop = float(np.interp(number, np.arange(1, 13), _DROP)) * k
    end = float(np.interp(number, np.arange(1, 13), _END)) * (
        v.rib_length if number > 11.3 or v.rib_length < 0.6 else 1
    )
    z0 = start[-1, 2]
    angles = np.linspace(0.0, max(end, 14.0), max(5, int(end / 5)))
    drop *= end / max(float(np.interp(number, np.arange(1, 13), _END)), 1.0)
    z = z0 - 2.0 - drop * (angles / angles[-1]) ** 1.05
    a = trunk.at("chest_half_width", z) + 3.5 * k
    back, front = trunk.at("chest_back_y", z) + 3.5 * k, trunk.at("chest_front_y", z) - 3.5 * k
    middle = trunk.at("column_x", z)
    b, yc = 0.5 * (back - front), 0.5 * (back + front)
    t = np.radians(angles)
    power = 2 / 2.3
    x = middle + side * a * np.abs(np.sin(t)) ** power
    y = yc + b * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power
    wall = np.stack([x, y, z], axis=1)
    beyond = side * (wall[:, 0] - start[-1, 0]) > 9.0 * k
    joined = np.vstack([start, wall[beyond]]) if np.any(beyond) else start
    return _smooth(joined)


def _smooth(points: np.ndarray) -> np.ndarray:
    """The polyline drawn anew every 7 mm, its corners rounded."""
    out = points
    for _ in range(2):
        a, b = out[:-1], out[1:]
        out = np.vstack([out[:1], np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], 1).reshape(-1, 3), out[-1:]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(out, axis=0), axis=1))])
    n = max(3, int(along[-1] / 7.0))
    s = np.linspace(0, along[-1], n)
    return np.stack([np.interp(s, along, out[:, c]) for c in range(3)], axis=1)


def rib_solids(path: RibPath, scale: float) -> list[Solid]:
    """A rib as bars, higher than thick, thicker at the head and the angle."""
    n = len(path.points)
    place = np.linspace(0, 1, n)
    slim = 0.8 if path.number > 11 else 1.0
    high = np.interp(place, [0, 0.08, 0.2, 0.7, 1.0], [4.6, 3.8, 6.2, 6.4, 6.8]) * scale * slim
    thick = np.interp(place, [0, 0.08, 0.2, 0.7, 1.0], [4.2, 3.2, 4.2, 3.4, 3.4]) * scale * slim
    if path.number < 1.5:
        high, thick = thick, high * 1.15
    radii = [(float(a), float(b)) for a, b in zip(high, thick, strict=True)]
    up = np.tile(np.array([0.0, 0.0, 1.0]), (n - 1, 1))
    return rod(path.points, radii, up)


def sternum_and_cartilages(paths: list[RibPath], trunk: Trunk, scale: float) -> tuple[list[Solid], list[Solid]]:
    """The sternum's bars, and the cartilages that join ribs 1-10 to it."""
    ends = {(p.number, p.side): p.points[-1] for p in paths if p.number <= 10.5}
    numbers = sorted({n for n, _ in ends})
    if len(numbers) < 3:
        return [], []
    heads = {(p.number, p.side): p.points[0] for p in paths}
    tops = [heads[k][2] for k in heads if k[0] == numbers[0]]
    z_top = float(np.mean(tops)) - 45 * scale
    z = np.array([z_top, z_top - 42 * scale, z_top - 48 * scale, z_top - 95 * scale, z_top - 150 * scale])
    y = trunk.at("chest_front_y", z) - 5 * scale
    x = trunk.at("column_x", z)
    points = np.stack([x, y, z], axis=1)
    radii = [(26.0, 6.0), (15.0, 5.0), (13.0, 4.8), (18.0, 4.6), (9.0, 4.0)]
    flats = np.tile(np.array([1.0, 0.0, 0.0]), (4, 1))
    sternum = rod(points, [(a * scale, b * scale) for a, b in radii], flats)
    cartilages: list[Solid] = []
    for (number, side), end in ends.items():
        share = float(np.clip((number - 1) / 6.0, 0, 1))
        at = np.array([np.interp(share, np.linspace(0, 1, 4), points[[0, 1, 3, 4], c]) for c in range(3)])
        at = at + np.array([side * 14.0 * scale, 0.0, 0.0])
        middle = 0.5 * (end + at) + np.array([0.0, -6.0 * scale, -10.0 * scale if number > 4 else 0.0])
        line = _smooth(np.stack([end, middle, at]))
        cartilages += rod(
            line, [(6.0 * scale, 4.0 * scale)] * len(line), np.tile([0.0, 0.0, 1.0], (len(line) - 1, 1))
        )
    return sternum, cartilages


def rib_ends(paths: list[RibPath]) -> list[Solid]:
    """Small heads at the joints with the column."""
    return [ellipsoid(p.points[0], (4.2, 4.2, 4.6)) for p in paths]
