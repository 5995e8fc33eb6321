"""Where a vertebra's own axes point."""

import numpy as np
from jaxtyping import Float64

from wirbel.vertebra.local import Cutout, frame_of
from wirbel.vertebra.measures import Frame, NotMeasured, Reason
from wirbel.vertebra.settings import VertebraSettings
from wirbel.vertebra.surfaces import FINE, ROUGH, Surfaces, core, plane_of, surfaces_of

POSTERIOR_LPS = np.array([0.0, 1.0, 0.0])
SUPERIOR_LPS = np.array([0.0, 0.0, 1.0])
#: Fraction of the body's volume that posterior elements must have to tell where posterior is.
LEAST_POSTERIOR = 0.15
#: The canal side may be turned from the image's posterior by this much (scoliosis), not more.
LARGEST_TURN_DEG = 50.0
#: The frame is turned on a rough raster first, then once more on the fine one.
RASTERS = (ROUGH, ROUGH, ROUGH, FINE, FINE)


def column_directions(centres_lps_mm: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
    """Unit vectors up along the column at each body's centre (bodies from the head downward)."""
    if len(centres_lps_mm) < 2:
        return np.tile(SUPERIOR_LPS, (len(centres_lps_mm), 1))
    steps = -np.gradient(centres_lps_mm, axis=0)
    return steps / np.linalg.norm(steps, axis=1, keepdims=True)


def own_frame(
    cutout: Cutout, up: Float64[np.ndarray, "3"], settings: VertebraSettings
) -> Surfaces | NotMeasured:
    """The body's frame and, in it, the mask's endplates.

    Superior is the mean of the two endplates' normals; anterior is perpendicular to it and points away from the
    posterior elements; the origin lies at mid-depth, mid-width and mid-height. `MASK_POOR` when the mask has no
    two endplates, or when they lean further from the column than a vertebra does.
    """
    frame = frame_of(cutout.centre_lps_mm, up, -_posterior(cutout, up))
    surfaces = surfaces_of(cutout, frame, RASTERS[0])
    for raster in RASTERS[1:]:
        area_mm2 = float(surfaces.inside.sum()) * surfaces.lattice_mm**2
        if area_mm2 < settings.least_area_mm2:
            return NotMeasured(Reason.MASK_POOR, f"{area_mm2:.0f} mm2 between endplates")
        frame = _straightened(cutout, surfaces)
        surfaces = surfaces_of(cutout, frame, raster)
    tilt = float(np.degrees(np.arccos(np.clip(frame.superior @ up, -1.0, 1.0))))
    if tilt > settings.largest_tilt_deg:
        return NotMeasured(Reason.MASK_POOR, f"endplates lean {tilt:.0f} deg from the column")
    return surfaces


def _straightened(cutout: Cutout, surfaces: Surfaces) -> Frame:
    """The frame turned to the endplates' mean normal and moved to the body's middle."""
    where = core(surfaces)
    top = plane_of(surfaces, surfaces.upper_mm, where)
    bottom = plane_of(surfaces, surfaces.lower_mm, where)
    old = surfaces.frame
    normals = []
    for plane in (top, bottom):
        normal = np.array([-plane.left, -plane.anterior, 1.0])
        normals.append(normal / np.linalg.norm(normal))
    mean = normals[0] + normals[1]
    superior = mean[0] * old.left + mean[1] * old.anterior + mean[2] * old.superior
    superior = superior / np.linalg.norm(superior)
    u, v = _middle(surfaces)
    at = 0.5 * sum(p.left * u + p.anterior * v + p.at_mm for p in (top, bottom))
    origin = old.origin_lps_mm + u * old.left + v * old.anterior + at * old.superior
    return frame_of(origin, superior, -_posterior(cutout, superior))


def _middle(surfaces: Surfaces) -> tuple[float, float]:
    """Middle of the waist: half-way between its walls near the middle, in left and in anterior."""
    inside = surfaces.inside
    u, v = np.meshgrid(surfaces.left_mm, surfaces.anterior_mm, indexing="ij")
    u0, v0 = float(np.mean(u[inside])), float(np.mean(v[inside]))
    rows = inside & (np.abs(u - u0) <= 5.0)
    lanes = inside & (np.abs(v - v0) <= 5.0)
    v_mid = 0.5 * (float(v[rows].min()) + float(v[rows].max())) if rows.any() else v0
    u_mid = 0.5 * (float(u[lanes].min()) + float(u[lanes].max())) if lanes.any() else u0
    return u_mid, v_mid


def _posterior(cutout: Cutout, up: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    """Unit vector toward the canal, perpendicular to `up`: where the posterior elements lie, else the image's."""
    image = POSTERIOR_LPS - (POSTERIOR_LPS @ up) * up
    image = image / np.linalg.norm(image)
    if cutout.posterior.sum() < LEAST_POSTERIOR * cutout.body.sum():
        return image
    own = cutout.posterior_centre_lps_mm - cutout.centre_lps_mm
    own = own - (own @ up) * up
    length = float(np.linalg.norm(own))
    if length < 5.0 or (own @ image) / length < np.cos(np.radians(LARGEST_TURN_DEG)):
        return image
    return own / length
