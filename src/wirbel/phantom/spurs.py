"""Bone that grows at a body's rims: osteophytes, bridges over discs, a loose front corner."""

from functools import partial

import numpy as np

from wirbel.phantom.anatomy import Anatomy, VertebraShape
from wirbel.phantom.body import Body, surface, wall_depth
from wirbel.phantom.implicit import Solid, bar, placed, unchecked
from wirbel.spine import Level


def growths(anatomy: Anatomy, i: int) -> list[Solid]:
    """Everything that grows on the vertebra at place i, in the world."""
    v = anatomy.vertebrae[i]
    if v.level is Level.C1:
        return []
    out = [placed(s, v.frame) for s in _corner(v)]
    if max(v.change.spurs) > 0.3:
        out.append(_lips(v))
    if i > 0:
        out += _half_bridge(anatomy.vertebrae[i - 1], v, upward=True)
    if i + 1 < len(anatomy.vertebrae):
        out += _half_bridge(v, anatomy.vertebrae[i + 1], upward=False)
    return out


def _lips(v: VertebraShape) -> Solid:
    b = v.body
    most = max(v.change.spurs)
    wide = 0.62 * max(b.width_superior_mm, b.width_inferior_mm) + most + 1
    reach = np.array([wide, 0.62 * b.depth_mm + most + 1, b.half_height_mm + most + 2])
    return Solid(v.frame, -reach, reach, partial(_lip_depth, b, v.change.spurs))


@unchecked
def _lip_depth(
    body: Body, spurs: tuple[float, float, float, float], x: np.ndarray, y: np.ndarray, z: np.ndarray
) -> np.ndarray:
    """Lips around both rims, largest in front and at the sides, none at the back."""
    half, b = 0.5 * body.depth_mm, 0.25 * (body.width_superior_mm + body.width_inferior_mm)
    front = np.clip(-y / half, 0, 1) ** 2
    side = np.clip(np.abs(x) / b, 0, 1.1) ** 3 * np.clip(0.6 - y / half, 0, 1)
    wall = wall_depth(body, x, y, z)
    out = np.full_like(wall, -20.0)
    for sign, plate, at_front, at_side in (
        (1, body.upper, spurs[0], spurs[2]),
        (-1, body.lower, spurs[1], spurs[3]),
    ):
        size = at_front * front + at_side * side
        up = sign * z - surface(plate, body, x, y)
        away = np.sqrt((wall + 0.3 * size) ** 2 + ((up + 1.2) / 0.75) ** 2)
        out = np.maximum(out, np.where(size > 0.3, 0.75 * size - away, np.float32(-20.0)))
    return out


def _corner(v: VertebraShape) -> list[Solid]:
    if not v.change.corner:
        return []
    b = v.body
    y, z = -0.5 * b.depth_mm + 1.0, b.upper.level - 0.5
    return [bar(np.array([-6.0, y, z]), np.array([6.0, y, z]), (2.2, 1.8), (2.0, 1.6))]


def _half_bridge(above: VertebraShape, below: VertebraShape, *, upward: bool) -> list[Solid]:
    """The half of a bridge over a disc that belongs to the vertebra above or below it."""
    if above.level is Level.C1:
        return []
    angles: list[float] = []
    size = 0.0
    if above.change.bridge_below:
        # on the right front, away from the pulsing aorta
        angles, size = [-35.0, -10.0, 15.0], 3.4 * above.change.bridge_below
    if above.change.fused_below:
        angles, size = [*angles, -90.0, -60.0, -30.0, 0.0, 30.0, 60.0, 90.0], max(size, 1.7)
    own = below if upward else above
    out = []
    for angle in angles:
        a = np.radians(angle)
        ends = []
        for v, share in ((above, -0.75), (below, 0.75)):
            b = v.body
            x = np.sin(a) * (0.25 * (b.width_superior_mm + b.width_inferior_mm) + 0.3 * size)
            y = -np.cos(a) * (0.53 * b.depth_mm + 0.3 * size)
            ends.append(v.frame.to_lps(np.array([x, y, share * b.half_height_mm])))
        middle = 0.5 * (ends[0] + ends[1]) + 0.5 * size * (own.frame.axes @ np.array([np.sin(a), -np.cos(a), 0.0]))
        start = ends[1] if upward else ends[0]
        tangent = own.frame.axes @ np.array([np.cos(a), np.sin(a), 0.0])
        out.append(bar(start, middle, (1.6 * size, 0.7 * size), (1.8 * size, size), tangent))
    return out
