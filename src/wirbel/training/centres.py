"""What body centres alone say: which vertebra a voxel belongs to, where body is sure, where a disc lies."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int16, UInt8
from scipy import ndimage


@dataclass(frozen=True, slots=True)
class CentreSettings:
    """Cylinders along the column, in mm; deliberately narrow, so that what they say is true."""

    instance_radius_mm: float = 13.0
    body_radius_mm: float = 9.0
    disc_radius_mm: float = 8.0
    instance_margin_mm: float = 1.5
    """From the disc's middle to where a voxel surely belongs to one vertebra."""
    body_margin_mm: float = 6.0
    """From the disc's middle to where a voxel surely is body."""
    disc_half_mm: float = 0.8
    search_mm: float = 6.0
    """The disc's middle is the darkest place this near to halfway between two centres."""
    longest_gap_mm: float = 50.0


def paint_from_centres(  # noqa: PLR0913  # two images in, two maps to paint, and what the bits mean
    allowed: UInt8[np.ndarray, "z y x"],
    instances: UInt8[np.ndarray, "z y x"],
    hu: Int16[np.ndarray, "z y x"],
    centres_voxel: Float64[np.ndarray, "n 3"],
    spacing_mm: float,
    *,
    body_bits: int,
    not_body_bits: int,
    thin_slices: bool,
    settings: CentreSettings | None = None,
) -> None:
    """Set what follows from centres in order from the head; in place, the arrays are the caller's own.

    `thin_slices`: discs can be seen, so the darkest place between two centres is no body.
    """
    settings = settings or CentreSettings()
    smooth = ndimage.gaussian_filter(hu.astype(np.float32), 0.7)
    for i, centre in enumerate(centres_voxel):
        if np.any(centre < 0) or np.any(np.round(centre) >= allowed.shape):
            continue
        up = _toward(centres_voxel, i, i - 1, settings.longest_gap_mm / spacing_mm)
        down = _toward(centres_voxel, i, i + 1, settings.longest_gap_mm / spacing_mm)
        if up is None and down is None:
            continue
        axis = _unit((up if up is not None else -_some(down)) - (down if down is not None else -_some(up)))
        top = _boundary_mm(smooth, centre, up, spacing_mm, settings) if up is not None else None
        low = _boundary_mm(smooth, centre, down, spacing_mm, settings) if down is not None else None
        top, low = top if top is not None else low, low if low is not None else top
        if top is None or low is None:
            continue
        box, along, across = _cylinder(allowed.shape, centre, axis, 40.0 / spacing_mm)
        along, across = along * spacing_mm, across * spacing_mm
        mine = (across < settings.instance_radius_mm) & (along < top - settings.instance_margin_mm)
        mine &= along > -low + settings.instance_margin_mm
        instances[box][mine] = i + 1
        sure = (across < settings.body_radius_mm) & (along < top - settings.body_margin_mm)
        sure &= along > -low + settings.body_margin_mm
        allowed[box][sure] = body_bits
        if thin_slices:
            edges = [e for e, seen in ((top, up is not None), (-low, down is not None)) if seen]
            for edge in edges:
                disc = (np.abs(along - edge) < settings.disc_half_mm) & (across < settings.disc_radius_mm)
                allowed[box][disc] = not_body_bits


def _toward(centres: np.ndarray, i: int, j: int, longest: float) -> np.ndarray | None:
    """The step to a neighbour, or none where there is none near."""
    if not 0 <= j < len(centres):
        return None
    step: np.ndarray = centres[j] - centres[i]
    return step if np.linalg.norm(step) <= longest else None


def _some(step: np.ndarray | None) -> np.ndarray:
    if step is None:
        raise ValueError("a centre without any neighbour has no axis")
    return step


def _unit(step: np.ndarray) -> np.ndarray:
    """Unit vector."""
    unit: np.ndarray = step / np.linalg.norm(step)
    return unit


def _boundary_mm(
    smooth: np.ndarray, centre: np.ndarray, step: np.ndarray, spacing_mm: float, settings: CentreSettings
) -> float:
    """Distance from the centre to the middle of the disc: the darkest place near halfway, over a small disc."""
    length = float(np.linalg.norm(step))
    axis = step / length
    side = _unit(np.cross(axis, [0.0, 1.0, 0.0]))
    front = np.cross(axis, side)
    reach = settings.search_mm / spacing_mm
    t = np.arange(length / 2 - reach, length / 2 + reach, 0.25)
    spread = np.arange(-7.0, 7.1, 2.0) / spacing_mm
    a, b = (m.ravel() for m in np.meshgrid(spread, spread))
    points = centre + t[:, None, None] * axis + a[:, None] * side + b[:, None] * front
    values = ndimage.map_coordinates(smooth, points.reshape(-1, 3).T, order=1, mode="nearest")
    profile = np.median(values.reshape(len(t), -1), axis=1)
    leaning = 1.5 * np.abs(t - length / 2) * spacing_mm
    return float(t[np.argmin(profile + leaning)] * spacing_mm)


def _cylinder(
    shape: tuple[int, ...], centre: np.ndarray, axis: np.ndarray, reach: float
) -> tuple[tuple[slice, ...], np.ndarray, np.ndarray]:
    """A box around a centre with the distance along and across the axis, in voxels."""
    low = np.maximum(np.floor(centre - reach), 0).astype(int)
    high = np.minimum(np.ceil(centre + reach) + 1, shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    from_centre = np.stack(np.broadcast_arrays(*np.ogrid[box]), -1) - centre
    along = from_centre @ axis
    across = np.sqrt(np.maximum((from_centre**2).sum(-1) - along**2, 0))
    return box, along, across
