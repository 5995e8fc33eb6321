"""The vertebral body: endplate surfaces, wall, and what a fracture does to them."""

from dataclasses import dataclass, replace

import numpy as np

from wirbel.phantom.implicit import unchecked

#: Endplates are so much thicker than the shell of the wall: depths below them count that much less.
ENDPLATE_OVER_WALL = 1.4


@dataclass(frozen=True, slots=True)
class Endplate:
    """One endplate as height over (x left, y posterior) in the body's own frame, all mm.

    `level` at the centre of the ring, `slope` per mm toward posterior, `bowl` depth of the physiological
    concavity, its deepest point `bowl_y`; `sink_*`: fracture, how far the plate has gone inward at the front rim,
    in the middle inside the ring, and at the back rim; `pits`: Schmorl nodes (x, y, radius, depth);
    `cupid`: depth of two parasagittal posterior dips; `step`: limbus-like loss of the front corner;
    `erosion`: amplitude of an uneven, eroded surface; `tilt_x` slope per mm toward left.
    """

    level: float
    slope: float
    bowl: float
    bowl_y: float = 1.0
    sink_front: float = 0.0
    sink_middle: float = 0.0
    sink_back: float = 0.0
    sink_side: float = 0.0
    pits: tuple[tuple[float, float, float, float], ...] = ()
    cupid: float = 0.0
    step: float = 0.0
    erosion: float = 0.0
    phase: float = 0.0
    tilt_x: float = 0.0


@dataclass(frozen=True, slots=True)
class Body:
    """A vertebral body in its own frame: x left, y posterior, z superior, origin at its centre.

    `upper`, `lower`: endplates, both measured along +z of their own outward side (the lower is mirrored).
    `power` shapes the outline, `back` the concavity of the posterior wall, `waist` the narrowing at mid-height
    of side and front walls (share), `lean` shifts the upper endplate backward, `bulge` widens a crushed wall,
    `taper` makes the front narrower than the back, `bow` pushes the middle of the posterior wall backward (mm).
    """

    depth_mm: float
    width_superior_mm: float
    width_middle_mm: float
    width_inferior_mm: float
    upper: Endplate
    lower: Endplate
    power: float = 2.6
    back: float = 1.5
    waist_front: float = 0.07
    waist_back: float = 0.04
    bulge: float = 0.0
    taper: float = 0.06
    bow: float = 0.0

    @property
    def half_height_mm(self) -> float:
        """Half of the height between the rings."""
        return 0.5 * (self.upper.level + self.lower.level)


@unchecked
def surface(plate: Endplate, body: Body, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Height of an endplate over (x, y), along its outward direction."""
    a = 0.5 * body.depth_mm
    b = 0.5 * (body.width_superior_mm + body.width_inferior_mm) / 2
    out = plate.level + plate.slope * y + plate.tilt_x * x
    q = (x / (0.88 * b)) ** 2 + ((y - plate.bowl_y) / (0.86 * a)) ** 2
    inside = np.clip(1 - q, 0, 1)
    out = out - plate.bowl * inside
    if plate.sink_front or plate.sink_middle or plate.sink_back:
        t = np.clip((y + 0.88 * a) / (1.76 * a), 0, 1)
        front = (1 - t) * (1 - t) * (1 + 2 * t)
        ring = np.clip(1 - (x / (0.95 * b)) ** 2 - (y / (0.93 * a)) ** 2, 0, 1)
        side = 1 + plate.sink_side * np.clip(x / b, -1, 1)
        out = out - (plate.sink_front * front + plate.sink_back * (1 - front)) * side
        out = out - plate.sink_middle * ring * (2 - ring) * side
    for px, py, radius, depth in plate.pits:
        out = out - depth * np.exp(-((((x - px) ** 2 + (y - py) ** 2) / radius**2) ** 2))
    if plate.cupid:
        dips = np.exp(-(((np.abs(x) - 0.4 * b) / (0.25 * b)) ** 2) - ((y - 0.45 * a) / (0.35 * a)) ** 2)
        out = out - plate.cupid * dips
    if plate.step:
        out = out - plate.step / (1 + np.exp((y + 0.72 * a) / 0.8))
    if plate.erosion:
        waves = np.sin(0.9 * x + plate.phase) * np.sin(0.8 * y + 2 * plate.phase)
        out = out - plate.erosion * (0.5 + 0.5 * waves) * np.clip(3 * inside, 0, 1)
    return out


@unchecked
def wall_depth(body: Body, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Depth below the side, front and back walls."""
    h = np.float32(body.half_height_mm)
    t = np.clip(z / h, -1, 1)
    mid = 1 - t * t
    ends = np.float32(0.25) * (
        (1 + t) * np.float32(body.width_superior_mm) + (1 - t) * np.float32(body.width_inferior_mm)
    )
    b = (
        ends
        + (
            np.float32(0.5 * body.width_middle_mm)
            - np.float32(0.25 * (body.width_superior_mm + body.width_inferior_mm))
        )
        * mid
    )
    half = np.float32(0.5 * body.depth_mm)
    b = (b + np.float32(body.bulge) * mid) * (1 + np.float32(body.taper) * np.clip(y / half, -1, 1))
    u = x / b
    # `depth_mm` is that of the midline at mid-height
    front = half * (1 + np.float32(body.waist_front) * (1 - mid)) + np.float32(body.bulge) * mid
    back = (
        half * (1 + np.float32(body.waist_back) * (1 - mid))
        + np.float32(body.back) * np.clip(u * u, 0, 1)
        + np.float32(0.5 * body.bulge) * mid
    )
    if body.bow:
        back = back + np.float32(body.bow) * mid * (1 - np.clip(u * u, 0, 1))
    v = np.where(y < 0, y / front, y / back)
    p = np.float32(body.power)
    n = (np.abs(u) ** p + np.abs(v) ** p) ** (1 / p)
    # distance along the ray from the axis, kept finite on the axis itself
    soft = np.float32(0.05)
    return (1 - n) * (np.sqrt(x * x + y * y) + soft * half) / (n + soft)


@unchecked
def body_depth(body: Body, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Depth below the body's surface in mm, positive inside."""
    top = surface(body.upper, body, x, y) - z
    bottom = z + surface(body.lower, body, x, y)
    ends = np.minimum(top, bottom) / np.float32(ENDPLATE_OVER_WALL)
    return np.minimum(wall_depth(body, x, y, z), ends).astype(np.float32)


def unfractured(body: Body) -> Body:
    """The same body before it broke."""
    return replace(
        body,
        upper=replace(body.upper, sink_front=0.0, sink_middle=0.0, sink_back=0.0),
        lower=replace(body.lower, sink_front=0.0, sink_middle=0.0, sink_back=0.0),
        bulge=0.0,
    )
