"""What reading accepts. The choice of series is a table of its own (`SeriesTable`)."""

from dataclasses import dataclass, field

from wirbel.ingest.table import SeriesTable, default_table


@dataclass(frozen=True, slots=True)
class GeometrySettings:
    """Tolerances of the slices' arrangement; our choice, from the rounding seen in scanners' headers.

    Steps between neighbours may differ from their median by `step_tolerance_fraction` of it, at least
    `step_tolerance_mm` (positions rounded to 0.1 mm are common); positions from the even stack by as much.
    A drift across the stack of more than `shear_tolerance_pixels` is corrected as gantry tilt; beyond
    `max_tilt_deg` it is none.
    """

    min_slices: int = 5
    step_tolerance_mm: float = 0.11
    step_tolerance_fraction: float = 0.05
    duplicate_mm: float = 0.01
    orientation_tolerance: float = 2e-3
    shear_tolerance_pixels: float = 0.5
    max_tilt_deg: float = 35.0
    tag_tilt_from_deg: float = 1.0


@dataclass(frozen=True, slots=True)
class HounsfieldSettings:
    """What values must look like to be Hounsfield units; our choice, checked on the public CTs at hand.

    A body has air or fat (at least `min_below_water_share` below `below_water_hu`), soft tissue (at least
    `min_soft_share` within `soft_hu`), little above `dense_hu`, more than 256 grey values, and no single
    value away from air that fills more than `max_spike_share` (a threshold, a mask, a windowed image).
    """

    below_water_hu: float = -30.0
    min_below_water_share: float = 0.002
    soft_hu: tuple[float, float] = (-250.0, 250.0)
    min_soft_share: float = 0.02
    dense_hu: float = 3100.0
    max_dense_share: float = 0.05
    air_hu: float = -850.0
    max_spike_share: float = 0.25
    min_range_hu: float = 256.0
    cut_below_hu: float = 700.0
    max_cut_share: float = 0.003
    sample_voxels: int = 2_000_000


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Limits that a CT study stays under and a zip bomb does not."""

    max_files: int = 50_000
    max_bytes: int = 16 * 1024**3
    max_ratio: float = 150.0
    ratio_from_bytes: int = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Everything reading can be told. `max_voxels` bounds memory: two bytes each, once."""

    table: SeriesTable = field(default_factory=default_table)
    geometry: GeometrySettings = field(default_factory=GeometrySettings)
    hounsfield: HounsfieldSettings = field(default_factory=HounsfieldSettings)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    max_voxels: int = 1_250_000_000
    threads: int = 4
