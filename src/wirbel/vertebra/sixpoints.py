"""The six points of a vertebral body: the one definition that phantoms' truth and measurement share.

In the body's own frame (superior = mean normal of the two endplate planes; anterior perpendicular to it, away from
the canal) and in one parasagittal plane: the depth runs from the posterior to the anterior wall at mid-height,
osteophytes left out. Posterior height at 12 % of the depth from the posterior wall, middle at 50 %, anterior at
88 %; each is the distance along `superior` between the outer surfaces of upper and lower endplate, averaged over
1 mm to both sides. Over several planes: the median of each height, and the worst plane.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from wirbel.vertebra.local import Cutout, in_frame, sample
from wirbel.vertebra.measures import BodyHeights, Heights, NotMeasured, Reason, SixPoints
from wirbel.vertebra.settings import SixPointSettings
from wirbel.vertebra.surfaces import LATTICE_MM, Surfaces

#: Walls are read at these fractions of the height around mid-height, and the median is taken.
WALL_AT = (-0.15, -0.075, 0.0, 0.075, 0.15)


@dataclass(frozen=True, slots=True)
class Walls:
    """Posterior and anterior wall at mid-height in one parasagittal plane, mm along `anterior`."""

    left_mm: float
    posterior_mm: float
    anterior_mm: float

    @property
    def depth_mm(self) -> float:
        """Distance between the walls."""
        return self.anterior_mm - self.posterior_mm

    def station_mm(self, fraction: float) -> float:
        """The place at a fraction of the depth from the posterior wall."""
        return self.posterior_mm + fraction * self.depth_mm


def plane_offsets_mm(surfaces: Surfaces, settings: SixPointSettings) -> tuple[float, ...]:
    """Where the parasagittal planes lie: fractions of the waist's half-width at mid-depth."""
    u, v = np.meshgrid(surfaces.left_mm, surfaces.anterior_mm, indexing="ij")
    lanes = surfaces.inside & (np.abs(v) <= 5.0)
    if not lanes.any():
        return ()
    half_mm = 0.5 * (float(np.ptp(u[lanes])) + LATTICE_MM)
    return tuple(fraction * half_mm for fraction in settings.planes)


def walls_of(cutout: Cutout, surfaces: Surfaces, offsets_mm: tuple[float, ...]) -> tuple[Walls | None, ...]:
    """Both walls in each plane; None where the body has none there."""
    height_mm = float(np.median((surfaces.upper_mm - surfaces.lower_mm)[surfaces.inside]))
    along = np.arange(surfaces.anterior_mm[0], surfaces.anterior_mm[-1], 0.5)
    left, up, front = np.meshgrid(
        np.array(offsets_mm), np.array(WALL_AT) * height_mm, along, indexing="ij"
    )
    field = sample(
        cutout.field, cutout.grid, in_frame(surfaces.frame, left, front, up), outside=0.0
    )
    answer: list[Walls | None] = []
    for offset, rows in zip(offsets_mm, field, strict=True):
        pairs = [pair for pair in (_run(row, along) for row in rows) if pair is not None]
        if len(pairs) < 3:
            answer.append(None)
            continue
        posterior, anterior = np.median(np.array(pairs), axis=0)
        answer.append(Walls(float(offset), float(posterior), float(anterior)))
    return tuple(answer)


def _run(row: Float64[np.ndarray, "n"], along: Float64[np.ndarray, "n"]) -> tuple[float, float] | None:
    """Ends of the run of bone around the middle of the row, at the 0.5 level."""
    bone = row >= 0.5
    middle = int(np.argmin(np.abs(along)))
    if not bone[middle]:
        return None
    gaps_after = np.flatnonzero(~bone[middle:])
    gaps_before = np.flatnonzero(~bone[: middle + 1][::-1])
    if len(gaps_after) == 0 or len(gaps_before) == 0:
        return None
    last, first = middle + int(gaps_after[0]) - 1, middle - int(gaps_before[0]) + 1
    step = along[1] - along[0]
    anterior = along[last] + step * (row[last] - 0.5) / (row[last] - row[last + 1])
    posterior = along[first] - step * (row[first] - 0.5) / (row[first] - row[first - 1])
    return float(posterior), float(anterior)


def heights_of(
    surfaces: Surfaces, walls: tuple[Walls | None, ...], settings: SixPointSettings
) -> BodyHeights | NotMeasured:
    """Heights at the three stations of every plane, their median and the worst plane.

    `MASK_POOR` when fewer than half of the planes can be read.
    """
    read = [(w, h) for w in walls if w is not None for h in [_in_plane(surfaces, w, settings)] if h is not None]
    if not read or len(read) < 0.5 * len(settings.planes):
        return NotMeasured(Reason.MASK_POOR, f"{len(read)} of {len(settings.planes)} planes read")
    table = np.array([upper - lower for _, (upper, lower) in read])
    posterior, middle, anterior = np.median(table, axis=0)
    worst = table[int(np.argmin(table.min(axis=1) / table.max(axis=1)))]
    centre = min(range(len(read)), key=lambda i: abs(read[i][0].left_mm))
    return BodyHeights(
        Heights(float(anterior), float(middle), float(posterior)),
        Heights(float(worst[2]), float(worst[1]), float(worst[0])),
        float(np.median([w.depth_mm for w, _ in read])),
        len(read),
        _points(surfaces, *read[centre], settings),
    )


def _in_plane(
    surfaces: Surfaces, walls: Walls, settings: SixPointSettings
) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]] | None:
    """Upper and lower surface at posterior, middle and anterior station, or None where one is not bone."""
    lanes = np.abs(surfaces.left_mm - walls.left_mm) <= max(settings.station_half_mm, LATTICE_MM)
    upper, lower = np.zeros(3), np.zeros(3)
    for k, fraction in enumerate(settings.stations):
        at = walls.station_mm(fraction)
        near = np.abs(surfaces.anterior_mm - at)
        # triangular weights: a lattice line enters and leaves the window without a jump
        weight = np.clip(settings.station_half_mm + 0.5 * LATTICE_MM - near, 0.0, LATTICE_MM)
        patch: Bool[np.ndarray, "u v"] = surfaces.inside & lanes[:, None] & (weight > 0)[None, :]
        if not patch.any():
            return None
        weights = np.broadcast_to(weight, patch.shape)[patch]
        upper[k] = np.average(surfaces.upper_mm[patch], weights=weights)
        lower[k] = np.average(surfaces.lower_mm[patch], weights=weights)
    return upper, lower


def _points(
    surfaces: Surfaces,
    walls: Walls,
    edges: tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]],
    settings: SixPointSettings,
) -> SixPoints:
    front = np.array([walls.station_mm(f) for f in settings.stations])
    left = np.full(3, walls.left_mm)
    top = in_frame(surfaces.frame, left, front, edges[0])
    bottom = in_frame(surfaces.frame, left, front, edges[1])
    return SixPoints(top[2], top[1], top[0], bottom[2], bottom[1], bottom[0])
