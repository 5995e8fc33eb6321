"""The measuring room's numbers, each once, with its source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SixPointSettings:
    """Where the six points lie (`docs/method-heights.md`).

    `stations`: posterior, middle, anterior as fractions of the depth from the posterior wall. Morphometry leaves
    the corners out because rim lipping widens them (Genant 1993; Guglielmi 2008, Eur Radiol 18:2060).
    `planes`: parasagittal planes as fractions of the half-width. `station_half_mm`: averaging to both sides.
    """

    stations: tuple[float, float, float] = (0.12, 0.50, 0.88)
    planes: tuple[float, ...] = (-0.25, -0.125, 0.0, 0.125, 0.25)
    station_half_mm: float = 1.0


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """How far and how surely an endplate is looked for in the CT around the mask's surface.

    `search_mm`: the endplate's crest lies within this distance of the mask's surface, else the mask's surface
    stands.
    `least_contrast_hu`: crest above disc; a weaker edge is noise. `background_mm`: how far beyond the crest the
    disc is
    looked for. `smooth_mm`: profiles are averaged over this square of the endplate before the edge is read.
    `plate_mm`: thickness of the bony endplate, 0.4-0.9 mm in micro-CT of human lumbar endplates (Fields 2012,
    Spine J 12:1125); blur widens it, and half of the widening is taken off.
    """

    search_mm: float = 2.5
    background_mm: float = 4.0
    least_contrast_hu: float = 70.0
    smooth_mm: float = 3.0
    plate_mm: float = 0.8
    step_mm: float = 0.25


@dataclass(frozen=True, slots=True)
class DensitySettings:
    """Where trabecular bone is read.

    `erosion_mm`: distance from cortex and endplates (Pickhardt 2013 keeps the region inside the cortex).
    `vein_fraction`: the posterior part left out for the basivertebral vein. `cement_hu`: above it is cement or
    metal,
    trabecular bone does not reach it. `clip`: values beyond this many robust SDs of the median are lesions or
    vessels.
    """

    erosion_mm: float = 4.0
    vein_fraction: float = 0.35
    vein_half_width_mm: float = 5.0
    cement_hu: float = 700.0
    metal_hu: float = 2000.0
    most_foreign: float = 0.25
    clip: float = 3.0
    least_mm3: float = 300.0
    mg_cm3_per_hu: float | None = None
    mg_cm3_at_0_hu: float = 0.0


@dataclass(frozen=True, slots=True)
class VertebraSettings:
    """All of it.

    `coarsest_mm`: craniocaudal resolution above which heights are not measured; grading asks for at most 3 mm
    (reading rooms' habit; 0.05 mm for rounding in headers).
    """

    sixpoints: SixPointSettings = SixPointSettings()
    edges: EdgeSettings = EdgeSettings()
    density: DensitySettings = DensitySettings()
    coarsest_mm: float = 3.05
    least_area_mm2: float = 60.0
    largest_tilt_deg: float = 35.0
