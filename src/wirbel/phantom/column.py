"""The column's levels, its curve, and vertebrae stacked along it."""

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.body import Body
from wirbel.phantom.implicit import Frame
from wirbel.phantom.morphometry import NORMS, SACRAL_SLOPE_DEG
from wirbel.phantom.sixpoints import endplate_planes
from wirbel.spine import Level, Variant

CERVICAL = tuple(Level(n) for n in range(1, 8))
THORACIC = tuple(Level(n) for n in range(8, 20))
LUMBAR = tuple(Level(n) for n in range(20, 25))


def levels_of(variants: tuple[Variant, ...]) -> tuple[Level, ...]:
    """Names from above of a column with the given variants."""
    thoracic, lumbar = THORACIC, LUMBAR
    if Variant.T11_ONLY in variants:
        thoracic = THORACIC[:-1]
    if Variant.T13 in variants:
        thoracic = (*THORACIC, Level.T13)
    if Variant.L4_ONLY in variants:
        lumbar = LUMBAR[:-1]
    if Variant.L6 in variants:
        lumbar = (*LUMBAR, Level.L6)
    return CERVICAL + thoracic + lumbar


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Angles of every vertebra (deg): lean backward, lean to the left, turn; and of the sacral endplate."""

    tilt_deg: np.ndarray
    roll_deg: np.ndarray
    turn_deg: np.ndarray
    sacrum_tilt_deg: float


def draw_curve(
    rng: np.random.Generator,
    levels: tuple[Level, ...],
    *,
    kyphosis: float,
    lordosis: float,
    scoliosis_deg: float,
) -> Curve:
    """A sagittal curve scaled from the norm, and a scoliosis of one or two arcs with its rotation."""
    n = len(levels)
    tilt = np.array([NORMS[level].tilt_deg for level in levels])
    apex = max(i for i, level in enumerate(levels) if level.region == "T") - 1
    base = tilt[apex] * kyphosis**0.5
    upper = np.arange(n) < apex
    tilt = np.where(upper, base + (tilt - tilt[apex]) * kyphosis, tilt)
    tilt = np.where(~upper, base + (tilt - tilt[apex]) * lordosis, tilt)
    neck = np.arange(n) < 7
    tilt = np.where(neck, tilt[7] + (tilt - tilt[7]) * rng.uniform(0.3, 1.4), tilt)
    tilt = tilt + rng.normal(0, 1.0, n) + rng.normal(0, 2.5)
    slope = tilt[-1] - 20.0 * (0.4 + 0.6 * lordosis) + rng.normal(0, 3) + (SACRAL_SLOPE_DEG - 40.0)
    place = np.linspace(0, 1, n)
    phase, waves = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 1.7)
    roll = 0.5 * scoliosis_deg * np.sin(2 * np.pi * waves * place + phase) * np.sin(np.pi * place) ** 0.5
    turn = -0.6 * roll * np.sin(np.pi * place) + rng.normal(0, 0.6, n)
    return Curve(tilt, roll + rng.normal(0, 0.4, n), turn, float(slope))


def axes_of(tilt_deg: float, roll_deg: float, turn_deg: float) -> np.ndarray:
    """Axes (columns left, posterior, superior) turned about left, posterior and superior."""
    t, r, u = np.radians([tilt_deg, roll_deg, turn_deg])
    about_left = np.array([[1, 0, 0], [0, np.cos(t), np.sin(t)], [0, -np.sin(t), np.cos(t)]])
    about_posterior = np.array([[np.cos(r), 0, np.sin(r)], [0, 1, 0], [-np.sin(r), 0, np.cos(r)]])
    about_superior = np.array([[np.cos(u), -np.sin(u), 0], [np.sin(u), np.cos(u), 0], [0, 0, 1]])
    return about_posterior @ about_left @ about_superior


def stack(
    bodies: list[Body], curve: Curve, discs_mm: list[float], sacrum: Body, kyphosing: np.ndarray
) -> tuple[list[Frame], Frame, list[Frame]]:
    """Frames of the vertebrae, of the sacrum's first body, and of the discs, from the sacrum upward.

    `kyphosing`: degrees by which each vertebra's wedge bends everything above it forward (fractures).
    """
    n = len(bodies)
    bent = np.array([kyphosing[i + 1 :].sum() + 0.5 * kyphosing[i] for i in range(n)])
    frames: list[Frame] = [Frame(np.zeros(3), np.eye(3))] * n
    discs: list[Frame] = [Frame(np.zeros(3), np.eye(3))] * n
    sacrum_frame = Frame(np.zeros(3), axes_of(curve.sacrum_tilt_deg, curve.roll_deg[-1] * 0.5, 0.0))
    top = sacrum_frame.to_lps(_centre(sacrum, upper=True))
    below = sacrum_frame.axes
    for i in range(n - 1, -1, -1):
        axes = axes_of(curve.tilt_deg[i] - bent[i], curve.roll_deg[i], curve.turn_deg[i])
        up = below[:, 2] + axes[:, 2]
        up /= np.linalg.norm(up)
        bottom = top + up * discs_mm[i]
        left = axes[:, 0] - (axes[:, 0] @ up) * up
        left /= np.linalg.norm(left)
        discs[i] = Frame(0.5 * (top + bottom), np.stack([left, np.cross(up, left), up], axis=1))
        origin = bottom - axes @ _centre(bodies[i], upper=False)
        frames[i] = Frame(origin, axes)
        top = frames[i].to_lps(_centre(bodies[i], upper=True))
        below = axes
    return frames, sacrum_frame, discs


def _centre(body: Body, *, upper: bool) -> np.ndarray:
    """The middle of an endplate's fitted plane, in the body's frame."""
    planes = endplate_planes(body)
    return np.array([0.0, 0.0, planes[0][0] if upper else planes[1][0]])
