"""The form of the two endplates: where they point and how deep they are sunk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wirbel.vertebra.measures import Endplate, Endplates
from wirbel.vertebra.sixpoints import Walls
from wirbel.vertebra.surfaces import LATTICE_MM, Plane, Surfaces, core, plane_of

#: Fractions of the depth, from the posterior wall, at which an endplate's profile is kept.
PROFILE_AT = (0.12, 0.215, 0.31, 0.405, 0.5, 0.595, 0.69, 0.785, 0.88)
#: Half width of the patch an endplate is averaged over, mm.
PATCH_MM = 1.5


@dataclass(frozen=True, slots=True)
class _Profile:
    """Depth below the chord between the outermost stations, positive into the body, mm."""

    sunk_mm: tuple[float, ...]


def endplates_of(surfaces: Surfaces, walls: Sequence[Walls | None]) -> Endplates:
    """Normals, wedge angle (positive: lower in front) and sagittal profiles of both endplates."""
    seen = [w for w in walls if w is not None]
    where = core(surfaces)
    top = plane_of(surfaces, surfaces.upper_mm, where)
    bottom = plane_of(surfaces, surfaces.lower_mm, where)
    wedge_deg = float(np.degrees(np.arctan(bottom.anterior) - np.arctan(top.anterior)))
    return Endplates(
        Endplate(_normal(surfaces, top), _profile(surfaces, surfaces.upper_mm, seen, -1.0).sunk_mm),
        Endplate(_normal(surfaces, bottom), _profile(surfaces, surfaces.lower_mm, seen, 1.0).sunk_mm),
        wedge_deg,
    )


def _normal(surfaces: Surfaces, plane: Plane) -> Float64[np.ndarray, "3"]:
    frame = surfaces.frame
    normal = frame.superior - plane.left * frame.left - plane.anterior * frame.anterior
    return normal / np.linalg.norm(normal)


def _profile(
    surfaces: Surfaces, height_mm: Float64[np.ndarray, "u v"], walls: Sequence[Walls], inward: float
) -> _Profile:
    """Median over the planes of how far the endplate lies inside the chord from corner to corner."""
    rows = [row for row in (_row(surfaces, height_mm, wall) for wall in walls) if row is not None]
    if not rows:
        return _Profile(tuple(0.0 for _ in PROFILE_AT))
    at = np.array(PROFILE_AT)
    sunk = []
    for row in rows:
        chord = row[0] + (row[-1] - row[0]) * (at - at[0]) / (at[-1] - at[0])
        sunk.append(inward * (row - chord))
    return _Profile(tuple(float(x) for x in np.median(np.array(sunk), axis=0)))


def _row(
    surfaces: Surfaces, height_mm: Float64[np.ndarray, "u v"], wall: Walls
) -> Float64[np.ndarray, "n"] | None:
    lanes = np.abs(surfaces.left_mm - wall.left_mm) <= max(PATCH_MM, LATTICE_MM)
    row = np.zeros(len(PROFILE_AT))
    for k, fraction in enumerate(PROFILE_AT):
        near = np.abs(surfaces.anterior_mm - wall.station_mm(fraction)) <= PATCH_MM
        patch = surfaces.inside & lanes[:, None] & near[None, :]
        if not patch.any():
            return None
        row[k] = height_mm[patch].mean()
    return row
