"""A body broken to a wanted grade: endplates sink inside the ring and, for wedge and crush, at the rim too."""

from dataclasses import dataclass, replace

import numpy as np

from wirbel.finding import Grade, Shape
from wirbel.phantom.body import Body
from wirbel.phantom.sixpoints import TrueShape, true_shape

#: Loss of the worst height against the unbroken vertebra, by grade (Genant 1993: 20-25, 25-40, over 40 %).
LOSS: dict[Grade, tuple[float, float]] = {
    Grade.MILD: (0.205, 0.248),
    Grade.MODERATE: (0.255, 0.395),
    Grade.SEVERE: (0.41, 0.62),
}


@dataclass(frozen=True, slots=True)
class Sink:
    """How a fracture of unit size moves an endplate inward: front rim, middle, back rim (mm)."""

    front: float
    middle: float
    back: float


def loss_of(shape: TrueShape, expected: TrueShape) -> float:
    """The largest relative loss of the three heights."""
    pairs = zip(_triple(shape), _triple(expected), strict=True)
    return float(max(1.0 - now / before for now, before in pairs))


def grade_of(loss: float) -> Grade:
    """Genant's grade of a loss."""
    if loss < 0.20:
        return Grade.NONE
    return Grade.MILD if loss < 0.25 else Grade.MODERATE if loss <= 0.40 else Grade.SEVERE


def fracture(rng: np.random.Generator, body: Body, shape: Shape, grade: Grade) -> Body:
    """The body broken so that its worst true height has lost what the grade asks for."""
    target = rng.uniform(*LOSS[grade])
    upper, lower = _sinks(rng, shape)
    side = rng.normal(0, 0.12)
    expected = true_shape(body)
    # the wall bulges first: it moves the stations at which heights are taken
    bulge = rng.uniform(0.2, 1.0) * (1.5 if grade is Grade.SEVERE else 0.7)
    body = replace(body, bulge=bulge)
    low, high = 0.0, 40.0
    for _ in range(14):
        size = 0.5 * (low + high)
        loss = loss_of(true_shape(_broken(body, upper, lower, size, side)), expected)
        low, high = (size, high) if loss < target else (low, size)
    return _broken(body, upper, lower, 0.5 * (low + high), side)


def _sinks(rng: np.random.Generator, shape: Shape) -> tuple[Sink, Sink]:
    share = rng.choice([0.0, rng.uniform(0.1, 0.4)])
    if shape is Shape.WEDGE:
        upper = Sink(1.0, rng.uniform(0.05, 0.25), rng.uniform(0.0, 0.08))
        return upper, Sink(share * 0.6, share * 0.4, 0.0)
    if shape is Shape.BICONCAVE:
        both = rng.uniform(0.3, 1.0)
        upper = Sink(rng.uniform(0, 0.12), 0.5, rng.uniform(0, 0.05))
        return upper, Sink(0.05 * both, 0.5 * both, 0.0)
    upper = Sink(0.85, rng.uniform(0.05, 0.3), rng.uniform(0.6, 0.8))
    return upper, Sink(share * 0.3, share * 0.5, share * 0.2)


def _broken(body: Body, upper: Sink, lower: Sink, size: float, side: float) -> Body:
    return replace(
        body,
        upper=replace(
            body.upper,
            sink_front=size * upper.front,
            sink_middle=size * upper.middle,
            sink_back=size * upper.back,
            sink_side=side,
        ),
        lower=replace(
            body.lower,
            sink_front=size * lower.front,
            sink_middle=size * lower.middle,
            sink_back=size * lower.back,
        ),
    )


def _triple(shape: TrueShape) -> tuple[float, float, float]:
    return shape.heights.anterior_mm, shape.heights.middle_mm, shape.heights.posterior_mm
