"""True heights of a drawn body: the six points of the shared definition, from its analytic surfaces."""

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.body import Body, surface, wall_depth
from wirbel.vertebra.measures import Heights

#: Where heights are taken, as share of the depth from the posterior wall, and over how many mm around it.
AT_DEPTH = (0.12, 0.50, 0.88)
AROUND_MM = 1.0
#: Parasagittal planes as share of the half-width.
PLANES = (-0.25, -0.125, 0.0, 0.125, 0.25)


@dataclass(frozen=True, slots=True)
class TrueShape:
    """True measures of one body: the median over the planes, the depth, the angle between the endplates."""

    heights: Heights
    depth_mm: float
    wedge_deg: float
    frame_pitch_deg: float


def endplate_planes(body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares planes of the upper and lower endplate in the body's frame: (level, per x, per y)."""
    x, y, _ = _footprint(body)
    design = np.stack([np.ones_like(x), x, y], axis=1)
    upper = np.linalg.lstsq(design, surface(body.upper, body, x, y), rcond=None)[0]
    lower = np.linalg.lstsq(design, -surface(body.lower, body, x, y), rcond=None)[0]
    return upper, lower


def true_shape(body: Body) -> TrueShape:
    """Six-point heights, depth and wedge of a drawn body, by the definition that the measurement uses."""
    upper, lower = endplate_planes(body)
    normals = [np.array([-p[1], -p[2], 1.0]) / np.sqrt(1 + p[1] ** 2 + p[2] ** 2) for p in (upper, lower)]
    superior = normals[0] + normals[1]
    superior /= np.linalg.norm(superior)
    posterior = np.array([0.0, 1.0, 0.0]) - superior[1] * superior
    posterior /= np.linalg.norm(posterior)
    left = np.cross(posterior, superior)
    axes = np.stack([left, posterior, superior], axis=1)
    half_width = 0.5 * body.width_middle_mm
    heights, depths = [], []
    for share in PLANES:
        depth, triple = _one_plane(body, axes, share * half_width, 0.5 * float(upper[0] + lower[0]))
        heights.append(triple)
        depths.append(depth)
    median = np.median(np.array(heights), axis=0)
    sagittal = [np.degrees(np.arctan(p[2])) for p in (upper, lower)]
    return TrueShape(
        Heights(anterior_mm=float(median[2]), middle_mm=float(median[1]), posterior_mm=float(median[0])),
        float(np.median(depths)),
        float(sagittal[0] - sagittal[1]),
        float(np.degrees(np.arctan2(-superior[1], superior[2]))),
    )


def centre_of(body: Body) -> np.ndarray:
    """The centre of mass of a body in its own frame."""
    x, y, _ = _footprint(body)
    top, bottom = surface(body.upper, body, x, y), -surface(body.lower, body, x, y)
    tall = np.maximum(top - bottom, 0.1)
    return np.array(
        [np.average(x, weights=tall), np.average(y, weights=tall), np.average(0.5 * (top + bottom), weights=tall)]
    )


def _footprint(body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (x, y) well inside the outline on a 1 mm raster."""
    a, b = 0.55 * body.depth_mm, 0.55 * max(body.width_superior_mm, body.width_inferior_mm)
    x, y = (m.ravel() for m in np.meshgrid(np.arange(-b, b + 1), np.arange(-a, a + 1)))
    depth = wall_depth(body, x, y, np.zeros_like(x))
    keep = depth > 0.5
    return x[keep], y[keep], depth[keep]


def _one_plane(body: Body, axes: np.ndarray, x: float, mid: float) -> tuple[float, tuple[float, float, float]]:
    """Depth and (posterior, middle, anterior) height in the parasagittal plane at x of the measuring frame."""
    y = np.arange(-0.75 * body.depth_mm, 0.75 * body.depth_mm, 0.1)
    line = np.stack([np.full_like(y, x), y, np.zeros_like(y)], axis=1) @ axes.T + np.array([0, 0, mid])
    inside = wall_depth(body, line[:, 0], line[:, 1], line[:, 2]) > 0
    front, back = float(y[inside].min()), float(y[inside].max())
    depth = back - front
    curves = []
    for plate, sign in ((body.upper, 1.0), (body.lower, -1.0)):
        at_y = np.arange(-0.75 * body.depth_mm, 0.75 * body.depth_mm, 0.1)
        at_x = np.full_like(at_y, x)
        z = sign * surface(plate, body, at_x, at_y)
        own = np.stack([at_x, at_y, z - mid], axis=1) @ axes
        order = np.argsort(own[:, 1])
        curves.append(np.interp(y, own[order, 1], own[order, 2]))
    gap = curves[0] - curves[1]
    triple = []
    for share in AT_DEPTH:
        near = np.abs(y - (back - share * depth)) <= AROUND_MM
        triple.append(float(gap[near].mean()))
    return depth, (triple[0], triple[1], triple[2])
