"""Cortical destruction: where the body's wall has lost its cortex, as share of the wall's area."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.finding.signs.patch import IMAGED_HU, NO_CT_HU, Patch
from wirbel.finding.signs.settings import CortexSettings
from wirbel.finding.signs.walls import HEIGHTS, Walls
from wirbel.vertebra import NotMeasured, Reason
from wirbel.vertebra.local import sample
from wirbel.volume import Volume

STEP_MM = 0.5
#: What lies against the wall is read this far beyond the reach, mm; lung is lower than `AIRY_HU`.
OUTSIDE_MM, AIRY_HU = 1.5, -250.0
#: So many places beside lung tell what a crest is there.
LEAST_AIRY = 20
#: Heights between which the basivertebral vein leaves the body.
VEIN_AT = (0.25, 0.75)
#: Least share of the wall that must be imaged.
LEAST_SEEN = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Crest:
    """The highest HU within reach of the wall's surface, averaged along the wall.

    `seen`: free wall in the CT; `airy`: lung lies against it and lowers the crest by its share of the voxels.
    """

    hu: Float64[np.ndarray, "f t"]
    seen: Bool[np.ndarray, "f t"]
    airy: Bool[np.ndarray, "f t"]

    @property
    def by_angle_hu(self) -> Float64[np.ndarray, "t"]:
        """Median over the height where soft tissue lies against the wall; NaN where there is no such place."""
        chosen = self.seen & ~self.airy
        masked = np.where(chosen, self.hu, np.nan)
        out = np.full(masked.shape[1], np.nan)
        some = chosen.any(axis=0)
        out[some] = np.nanmedian(masked[:, some], axis=0)
        return out

    @property
    def beside_lung_hu(self) -> float | None:
        """Median where lung lies against the wall; None where hardly any does."""
        chosen = self.seen & self.airy
        return float(np.median(self.hu[chosen])) if chosen.sum() >= LEAST_AIRY else None


@dataclass(frozen=True, slots=True, eq=False)
class Destruction:
    """Shares of the wall's area without cortex, and which places they are."""

    fraction: float
    posterior_fraction: float | NotMeasured
    places: Bool[np.ndarray, "f t"]


def crest_of(ct: Volume, walls: Walls, settings: CortexSettings) -> Crest:
    """The cortex as the CT shows it at each place of the wall."""
    out_mm = np.arange(-settings.search_mm, settings.search_mm + OUTSIDE_MM + 0.01, STEP_MM)
    points = walls.points_lps_mm[:, :, None, :] + out_mm[:, None] * walls.outward[None, :, None, :]
    hu = sample(ct.hu, ct.grid, points, outside=NO_CT_HU)
    imaged = (hu > IMAGED_HU).all(axis=2)
    calm = ndimage.uniform_filter(hu, size=(3, 3, 1), mode=("nearest", "wrap", "nearest"))
    near = out_mm <= settings.search_mm + 0.01
    return Crest(calm[..., near].max(axis=2), walls.free & imaged, calm[..., ~near].mean(axis=2) < AIRY_HU)


def destruction_of(
    walls: Walls, own: Crest, references: Sequence[Crest], settings: CortexSettings
) -> Destruction | NotMeasured:
    """Share of the free wall (endplates, rims, pedicles' roots and the vein's foramen left out) without cortex.

    Criterion: destruction of cortex (Foreman 2024 table 1; Schwaiger 2016, Mauch 2018). A place has none when its
    crest lies less than 40 % of the way from soft tissue to the crest that the references have at the same angle
    (their median; beside lung that of the references' places beside lung, if they show a cortex at all; without
    references the own wall's upper fifth); isolated places under 25 mm2 do not count.
    `TOUCHES_EDGE` when too much of the wall is not imaged, `MASK_POOR` when none is free, `NOT_SEPARABLE` when the
    scan shows no cortex even in the references.
    """
    if not walls.free.any():
        return NotMeasured(Reason.MASK_POOR, "no free wall")
    if own.seen.sum() < LEAST_SEEN * walls.free.sum():
        return NotMeasured(Reason.TOUCHES_EDGE)
    reference = _reference(own, references)
    if float(np.nanmedian(reference)) < settings.least_reference_hu:
        return NotMeasured(Reason.NOT_SEPARABLE, f"cortex of {float(np.nanmedian(reference)):.0f} HU")
    beside_lung = _beside_lung(references)
    counted = own.seen & ~_vein(walls, settings) & (~own.airy | (beside_lung >= settings.least_reference_hu))
    if not counted.any():
        return NotMeasured(Reason.NOT_SEPARABLE, "lung all around a cortex too thin for the scan")
    expected = np.where(own.airy, beside_lung, reference[None, :])
    above = np.maximum(settings.share * (expected - settings.soft_hu), settings.least_above_soft_hu)
    places = counted & (own.hu < settings.soft_hu + above)
    places = _large(places, walls, settings.least_area_mm2)
    back = counted & walls.posterior[None, :]
    total, behind = float(walls.area_mm2[counted].sum()), float(walls.area_mm2[back].sum())
    posterior: float | NotMeasured = NotMeasured(Reason.MASK_POOR, "no free posterior wall")
    if behind > settings.least_area_mm2:
        posterior = float(walls.area_mm2[back & places].sum()) / behind
    return Destruction(float(walls.area_mm2[places].sum()) / total, posterior, places)


def usual_wall_hu(own: Crest, references: Sequence[Crest]) -> float:
    """The crest that a wall usually has in this scan: the references' median, else the own wall's upper fifth."""
    return float(np.nanmedian(_reference(own, references))) if references or own.seen.any() else 0.0


def marks(patch: Patch, walls: Walls, places: Bool[np.ndarray, "f t"]) -> Bool[np.ndarray, "s p l"]:
    """The places as voxels, as thick as a cortex is drawn in a picture."""
    out = np.zeros(patch.grid.shape, dtype=bool)
    for out_mm in (-1.0, 0.0, 1.0):
        points = (walls.points_lps_mm + out_mm * walls.outward[None])[places]
        at = np.rint(patch.grid.to_voxel(points)).astype(int)
        at = at[np.all((at >= 0) & (at < np.asarray(out.shape)), axis=1)]
        out[tuple(at.T)] = True
    return np.asarray(ndimage.binary_closing(out, iterations=1)) | out


def _reference(own: Crest, references: Sequence[Crest]) -> Float64[np.ndarray, "t"]:
    """Expected crest by angle, steadied over 25 degrees."""
    table = np.array([crest.by_angle_hu for crest in references]).reshape(-1, own.hu.shape[1])
    known = np.isfinite(table)
    if not known.any():
        return np.full(own.hu.shape[1], float(np.percentile(own.hu[own.seen], 80.0)))
    out = np.full(table.shape[1], np.nan)
    some = known.any(axis=0)
    out[some] = np.nanmedian(table[:, some], axis=0)
    out = np.where(np.isfinite(out), out, np.nanmedian(out))
    return np.asarray(ndimage.median_filter(out, size=5, mode="wrap"))


def _beside_lung(references: Sequence[Crest]) -> float:
    """Crest that the references have beside lung; 0 where they have no such place."""
    found = [hu for hu in (crest.beside_lung_hu for crest in references) if hu is not None]
    return float(np.median(found)) if found else 0.0


def _vein(walls: Walls, settings: CortexSettings) -> Bool[np.ndarray, "f t"]:
    """The middle of the posterior wall, where the basivertebral vein leaves."""
    left_mm = walls.radius_mm * np.sin(walls.angle_rad)[None, :]
    middle = (VEIN_AT[0] <= HEIGHTS) & (VEIN_AT[1] >= HEIGHTS)
    return walls.posterior[None, :] & middle[:, None] & (np.abs(left_mm) <= settings.vein_half_width_mm)


def _large(places: Bool[np.ndarray, "f t"], walls: Walls, least_mm2: float) -> Bool[np.ndarray, "f t"]:
    """Connected places of at least that area; the circumference is closed."""
    kept = np.zeros_like(places)
    pieces, count = ndimage.label(np.concatenate([places, places], axis=1), structure=np.ones((3, 3)))
    width = places.shape[1]
    area = np.concatenate([walls.area_mm2, walls.area_mm2], axis=1)
    for number in range(1, count + 1):
        piece = pieces == number
        once = piece[:, :width] | piece[:, width:]
        if float(area[:, :width][once].sum()) >= least_mm2:
            kept |= once
    return kept & places
