"""All measures of all vertebrae."""

import numpy as np
from jaxtyping import Float64

from wirbel.spine import Spine, Vertebra
from wirbel.vertebra.density import density_of
from wirbel.vertebra.edges import refined
from wirbel.vertebra.endplates import endplates_of
from wirbel.vertebra.frame import column_directions, own_frame
from wirbel.vertebra.local import Cutout, cutouts
from wirbel.vertebra.measures import BodyHeights, NotMeasured, Reason, VertebraMeasures
from wirbel.vertebra.overlap import without_overlaps
from wirbel.vertebra.settings import VertebraSettings
from wirbel.vertebra.sixpoints import heights_of, plane_offsets_mm, walls_of
from wirbel.volume import Acquisition, Volume

#: A body is cut when it meets the CT's border with at least this share of its typical section (volume to the 2/3).
CUT_SHARE = 0.10


def measure_all(
    ct: Volume, spine: Spine, settings: VertebraSettings, acquisition: Acquisition
) -> tuple[VertebraMeasures, ...]:
    """One record per vertebra in the column's order; `ct` may be on any canonical grid.

    What cannot be measured says why: `TOUCHES_EDGE` (cut by the border), `TOO_COARSE` (craniocaudal resolution
    above
    `settings.coarsest_mm`), `NO_BODY`, `MASK_POOR` (also where two bodies would lie in each other).
    """
    bodies = cutouts(spine)
    centres = np.array(
        [bodies[v.label].centre_lps_mm if v.label in bodies else v.centre_lps_mm for v in spine.vertebrae],
        dtype=np.float64,
    ).reshape(-1, 3)
    ups = column_directions(centres)
    return without_overlaps([
        _measure(ct, vertebra, bodies.get(vertebra.label), up, settings, acquisition)
        for vertebra, up in zip(spine.vertebrae, ups, strict=True)
    ])


def _measure(
    ct: Volume,
    vertebra: Vertebra,
    cutout: Cutout | None,
    up: Float64[np.ndarray, "3"],
    settings: VertebraSettings,
    acquisition: Acquisition,
) -> VertebraMeasures:
    if cutout is None:
        return _nothing(vertebra.label, NotMeasured(Reason.NO_BODY))
    edge = NotMeasured(Reason.TOUCHES_EDGE)
    cut = vertebra.cut_by_border or _leaves(cutout, ct)
    volume_mm3 = float(cutout.body.sum()) * cutout.grid.voxel_mm3
    surfaces = own_frame(cutout, up, settings)
    if isinstance(surfaces, NotMeasured):
        return _nothing(vertebra.label, edge if cut else surfaces)
    density = density_of(cutout, surfaces.frame, ct, settings.density)
    if cut:
        return VertebraMeasures(vertebra.label, surfaces.frame, edge, edge, density, edge, edge)
    coarse = acquisition.craniocaudal_mm > settings.coarsest_mm
    if coarse:
        why = NotMeasured(Reason.TOO_COARSE, f"{acquisition.craniocaudal_mm:.1f} mm along the column")
        return VertebraMeasures(vertebra.label, surfaces.frame, why, why, density, volume_mm3, why)
    walls = walls_of(cutout, surfaces, plane_offsets_mm(surfaces, settings.sixpoints))
    sharp = refined(surfaces, cutout, ct, settings.edges)
    heights = heights_of(sharp, walls, settings.sixpoints)
    if not isinstance(heights, BodyHeights):
        return VertebraMeasures(vertebra.label, surfaces.frame, heights, heights, density, volume_mm3, heights)
    endplates = endplates_of(sharp, walls)
    return VertebraMeasures(
        vertebra.label,
        surfaces.frame,
        heights,
        endplates.wedge_deg,
        density,
        volume_mm3,
        endplates,
    )


def _nothing(label: int, why: NotMeasured) -> VertebraMeasures:
    return VertebraMeasures(label, why, why, why, why, why, why)


def _leaves(cutout: Cutout, ct: Volume) -> bool:
    """Whether the body reaches the CT's outermost voxels with more than a rim: then part of it was never imaged."""
    index = ct.grid.to_voxel(cutout.grid.to_lps_mm(np.argwhere(cutout.body).astype(np.float64)))
    outermost = np.any((index < 0.5) | (index > np.asarray(ct.grid.shape) - 1.5), axis=1)
    section = len(index) ** (2.0 / 3.0)
    return float(outermost.sum()) > CUT_SHARE * section
