"""A smooth displacement that collapses a body, bows its posterior wall or breaks off its corner.

Fields are backward: the picture after the collapse at p shows the donor at p + displacement(p). Above and below
the body the neighbours follow as rigid bodies; what rim and plate do beyond that, the discs take up.
"""

from dataclasses import dataclass, replace

import numpy as np

from wirbel.donor.region import Region
from wirbel.finding import Grade, Shape
from wirbel.phantom.body import Body, Endplate, surface
from wirbel.phantom.fracture import LOSS, Sink
from wirbel.phantom.implicit import unchecked

#: Where heights are taken, share of half the depth from the middle, front to back.
_STATIONS = (-0.8, 0.0, 0.8)
_NOTHING = Sink(0.0, 0.0, 0.0)


@unchecked
@dataclass(frozen=True, slots=True)
class Collapse:
    """How a body is deformed, mm.

    `upper`, `lower`: how far the plates sink at the front rim, in the middle and at the back rim. `side`: more on
    one side. `follow`: the share of the kyphosis that the neighbours take part in, the discs open for the rest.
    `crowding`: 1 squeezes the body evenly, more squeezes it below its plates. `bulge`: side and front walls
    outward. `bow`: posterior wall backward in its middle. `fragment`, `fragment_deg`: the posterior upper corner.
    `uneven`: share by which a plate's sinking varies from place to place, `phase` where.
    """

    upper: Sink = _NOTHING
    lower: Sink = _NOTHING
    side: float = 0.0
    follow: float = 0.6
    crowding: float = 2.0
    bulge: float = 0.0
    bow: float = 0.0
    fragment: float = 0.0
    fragment_deg: float = 45.0
    uneven: float = 0.0
    phase: float = 0.0


@unchecked
@dataclass(frozen=True, slots=True, eq=False)
class Displacement:
    """Backward displacement in own coordinates (mm), and how much the body is squeezed (1: not)."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    squeeze: np.ndarray


@unchecked
def draw_collapse(
    rng: np.random.Generator, region: Region, shape: Shape, grade: Grade, *, largest_loss: float = 0.62
) -> tuple[Collapse, float]:
    """A collapse of this shape whose worst height has lost what the grade asks for, and that loss."""
    low, high = LOSS[grade]
    target = min(float(rng.uniform(low, high)), largest_loss)
    upper, lower = _shares(rng, shape)
    rest = Collapse(
        side=float(rng.normal(0, 0.12)),
        follow=float(rng.uniform(0.6, 0.95)),
        crowding=float(rng.uniform(1.4, 3.0)),
        bulge=float(rng.uniform(0.3, 1.2) * (1.5 if grade is Grade.SEVERE else 0.8)),
        uneven=float(rng.uniform(0.05, 0.3)),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )
    small, large = 0.0, 45.0
    for _ in range(16):
        size = 0.5 * (small + large)
        loss = loss_of(region, _sized(rest, upper, lower, size))
        small, large = (size, large) if loss < target else (small, size)
    made = _sized(rest, upper, lower, 0.5 * (small + large))
    return made, loss_of(region, made)


@unchecked
def loss_of(region: Region, collapse: Collapse) -> float:
    """The largest share of its height that a body loses in front, middle or back, in the midline."""
    y = np.array([s * 0.5 * region.outline.depth_mm for s in _STATIONS], np.float32)
    x = np.zeros_like(y)
    tall = region.upper.height(x, y) - region.lower.height(x, y)
    gone = sum(_sink(region, s, collapse, x, y) for s in (collapse.upper, collapse.lower))
    return float((gone / tall).max())


@unchecked
def displacement(
    region: Region, collapse: Collapse, x: np.ndarray, y: np.ndarray, z: np.ndarray
) -> Displacement:
    """The backward displacement at points in own coordinates."""
    top, bottom = new_plates(region, collapse, x, y)
    over, under = z - top, bottom - z
    up, up_y = _follow(region, collapse.upper, collapse.follow, y)
    down, down_y = _follow(region, collapse.lower, collapse.follow, y)
    y1 = y + up_y * _soft_positive(over) + down_y * _soft_positive(under)
    sunk = _sink(region, collapse.upper, collapse, x, y)
    risen = _sink(region, collapse.lower, collapse, x, y)
    tall = np.maximum(top - bottom, np.float32(3.0))
    t = np.clip((z - bottom) / tall, 0, 1)
    p = np.float32(collapse.crowding)
    squeeze = 1 + p * (sunk * t ** (p - 1) + risen * (1 - t) ** (p - 1)) / tall
    inside = sunk * t**p - risen * (1 - t) ** p
    above = up + (sunk - up) * _taken_up(over, region, sunk - up)
    below = down + (risen - down) * _taken_up(under, region, risen - down)
    z1 = z + np.where(over > 0, above, np.where(under > 0, -below, inside))
    dx, dy = _sideways(region, collapse, x, y1, z1)
    return Displacement(dx, (y1 - y + dy).astype(np.float32), (z1 - z).astype(np.float32), squeeze)


@unchecked
def new_plates(region: Region, collapse: Collapse, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights of the upper and lower plate after the collapse."""
    top = region.upper.height(x, y) - _sink(region, collapse.upper, collapse, x, y)
    bottom = region.lower.height(x, y) + _sink(region, collapse.lower, collapse, x, y)
    return top, np.minimum(bottom, top - 2.0)


@unchecked
def _sink(region: Region, sink: Sink, c: Collapse, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far a plate goes inward over (x, y); behind the wall it fades, the arch stays whole."""
    if sink == _NOTHING:
        return np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    plate = Endplate(0.0, 0.0, 0.0, 1.0, sink.front, sink.middle, sink.back, c.side)
    out = -surface(plate, flat_body(region), x, y)
    if c.uneven:
        phase = np.float32(c.phase)
        waves = np.sin(x / np.float32(4.2) + phase) * np.sin(y / np.float32(3.6) + 2 * phase)
        out = out * (1 + np.float32(c.uneven) * waves)
    back = np.float32(0.5 * region.outline.depth_mm)
    return (out * np.exp(-np.clip(y - back, 0, None) / np.float32(22.0))).astype(np.float32)


@unchecked
def flat_body(region: Region) -> Body:
    """A drawn body of the real one's size."""
    o = region.outline
    half = float(0.5 * (region.upper.at - region.lower.at))
    plates = (Endplate(half, region.upper.slope_y, 0.5), Endplate(half, -region.lower.slope_y, 0.5))
    return Body(o.depth_mm, o.width_mm, o.width_mm, o.width_mm, *plates)


@unchecked
def _follow(region: Region, sink: Sink, share: float, y: np.ndarray) -> tuple[np.ndarray, np.float32]:
    """The rigid part of a plate's way: how far along the axis at y, and the turn (radians)."""
    half = np.float32(0.5 * region.outline.depth_mm)
    turn = np.float32(share * (sink.front - sink.back) / (1.76 * half))
    middle = np.float32(0.5 * (sink.front + sink.back) * (0.5 + 0.5 * share))
    at_wall = middle - turn * half
    behind = np.clip(y - half, 0, None)
    # behind the posterior wall arches gape a little and no more
    gape = np.float32(2.0)
    along = np.where(y < half, middle - turn * np.maximum(y, -60), at_wall - gape * np.tanh(turn * behind / gape))
    return along.astype(np.float32), turn


@unchecked
def _taken_up(away: np.ndarray, region: Region, rest: np.ndarray) -> np.ndarray:
    """1 at the plate to 0 beyond the disc: where the difference between plate and neighbour is taken up."""
    far = np.maximum(np.float32(1.25 * region.disc_mm), np.float32(1.9) * np.abs(rest) + 1)
    s = np.clip(away / far, 0, 1)
    return (1 - s) * (1 - s) * (1 + 2 * s)


@unchecked
def _soft_positive(value: np.ndarray) -> np.ndarray:
    """The positive part with a rounded corner."""
    return np.float32(0.5) * (value + np.sqrt(value * value + np.float32(9.0)))


@unchecked
def _sideways(
    region: Region, c: Collapse, x: np.ndarray, y: np.ndarray, z: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Walls that bulge, bow or break, in the body's form before it sank."""
    o = region.outline
    half_x, half_y = np.float32(0.5 * o.width_mm), np.float32(0.5 * o.depth_mm)
    top, bottom = np.float32(region.upper.at), np.float32(region.lower.at)
    t = np.clip((2 * z - top - bottom) / (top - bottom), -1.3, 1.3)
    mid = np.clip(1 - t * t, 0, None)
    dx, dy = np.float32(0.0) * (x + y + z), np.float32(0.0) * (x + y + z)
    if c.bulge:
        r = np.sqrt((x / half_x) ** 2 + (y / half_y) ** 2)
        ring = np.exp(-(((r - 1) / 0.35) ** 2)) * mid * np.float32(c.bulge) / np.maximum(r, 0.2)
        front = np.clip(1 - 2 * np.clip(y / half_y - 0.3, 0, 0.5), 0, 1)
        dx, dy = dx - ring * front * x / half_x, dy - ring * front * y / half_y
    canal = np.float32(0.85 * 16.0 * region.size_ratio)
    wall = np.where(y < half_y, np.clip((y - half_y + 13) / 13, 0, 1), np.clip(1 - (y - half_y) / canal, 0, 1))
    wall = wall * wall * (3 - 2 * wall)
    if c.bow:
        dy = dy - np.float32(c.bow) * mid * np.clip(1 - (x / half_x) ** 2, 0, None) * wall
    if c.fragment:
        tip = top - np.float32(0.35 * c.fragment + 1.2)
        run = np.float32(max(1.5 * c.fragment / np.tan(np.radians(c.fragment_deg)), 2.0))
        tall = np.where(z > tip, np.clip(1 - (z - tip) / 3.5, 0, 1), np.clip(1 - (tip - z) / run, 0, 1))
        wide = np.clip((np.float32(0.36 * region.canal_width_mm) + 2.5 - np.abs(x)) / 5.0, 0, 1)
        dy = dy - np.float32(c.fragment) * tall * wide * wall
    return dx.astype(np.float32), dy.astype(np.float32)


@unchecked
def _shares(rng: np.random.Generator, shape: Shape) -> tuple[Sink, Sink]:
    """Which rim sinks how much for a collapse of unit size; as the drawn fractures have it."""
    share = float(rng.choice([0.0, rng.uniform(0.1, 0.4)]))
    if shape is Shape.WEDGE:
        upper = Sink(1.0, float(rng.uniform(0.05, 0.25)), float(rng.uniform(0.0, 0.08)))
        return upper, Sink(share * 0.6, share * 0.4, 0.0)
    if shape is Shape.BICONCAVE:
        both = float(rng.uniform(0.3, 1.0))
        upper = Sink(float(rng.uniform(0, 0.12)), 0.5, float(rng.uniform(0, 0.05)))
        return upper, Sink(0.05 * both, 0.5 * both, 0.0)
    upper = Sink(0.85, float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.6, 0.8)))
    return upper, Sink(share * 0.3, share * 0.5, share * 0.2)


@unchecked
def _sized(rest: Collapse, upper: Sink, lower: Sink, size: float) -> Collapse:
    sinks = [Sink(size * s.front, size * s.middle, size * s.back) for s in (upper, lower)]
    return replace(rest, upper=sinks[0], lower=sinks[1])
