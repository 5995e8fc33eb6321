"""Where the slices of a stack lie: in order, evenly spaced, upright or sheared; or refused with the place."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wirbel.dicom.header import ImageHeader
from wirbel.errors import InputRejected
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.settings import GeometrySettings
from wirbel.volume import Grid, Plane


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in order along their normal, and the grid they fill as they were taken.

    `grid` has axes (slice, row, column); it is sheared where `tilt_deg` is not 0.
    """

    slices: tuple[ImageHeader, ...]
    grid: Grid
    tilt_deg: float
    notes: tuple[str, ...] = ()


def stack_of(slices: tuple[ImageHeader, ...], settings: GeometrySettings) -> Stack:
    """Put slices in order; raises `InputRejected` where they are no even stack, naming the place."""
    row, column = _directions(slices[0])
    normal = np.cross(row, column)
    positions = np.array([_position(s) for s in slices])
    order = np.argsort(positions @ normal, kind="stable")
    slices, positions = tuple(slices[i] for i in order), positions[order]
    _check_steps(slices, positions @ normal, settings)
    step = (positions[-1] - positions[0]) / (len(slices) - 1) if len(slices) > 1 else normal
    _check_line(slices, positions, step, normal, settings)
    spacing = _pixel_spacing(slices[0])
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = step, column * spacing[0], row * spacing[1]
    affine[:3, 3] = positions[0]
    grid = Grid((len(slices), slices[0].layout.rows, slices[0].layout.columns), affine)
    tilt_deg = _tilt(grid, settings)
    return Stack(slices, grid, tilt_deg, _check_tilt(slices[0], tilt_deg, normal, step, settings))


def plane_of(grid: Grid) -> Plane:
    """The plane of the array's first axis: within 25 degrees of a body plane, else oblique."""
    normal = np.cross(grid.voxel_to_lps_mm[:3, 1], grid.voxel_to_lps_mm[:3, 2])
    cosines = np.abs(normal) / np.linalg.norm(normal)
    if cosines.max() < np.cos(np.radians(25.0)):
        return Plane.OBLIQUE
    return (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)[int(np.argmax(cosines))]


def craniocaudal_extent_mm(grid: Grid) -> float:
    """How far the grid reaches along the body's axis."""
    return float(np.abs(grid.voxel_to_lps_mm[2, :3]) @ np.asarray(grid.shape))


def craniocaudal_mm(grid: Grid, slice_mm: float) -> float:
    """The resolution along the body's axis, where the slices resolve `slice_mm`."""
    resolution = np.array([slice_mm, *grid.spacing_mm[1:]])
    cosines = grid.voxel_to_lps_mm[2, :3] / np.asarray(grid.spacing_mm)
    main = int(np.argmax(np.abs(cosines)))
    if abs(cosines[main]) > np.cos(np.radians(25.0)):
        return float(resolution[main])
    return float(np.linalg.norm(cosines * resolution))


def _directions(header: ImageHeader) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    given = header.orientation
    if given is None or len(given) != 6:
        raise _no_geometry(header, "ImageOrientationPatient is missing")
    row, column = np.array(given[:3]), np.array(given[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(length - 1.0) for length in lengths) > 0.01 or abs(row @ column) > 0.01:
        raise _no_geometry(header, "rows and columns are not at right angles")
    row = row / lengths[0]
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _position(header: ImageHeader) -> Float64[np.ndarray, "3"]:
    given = header.position_lps_mm
    if given is None or len(given) != 3:
        raise _no_geometry(header, "ImagePositionPatient is missing")
    return np.array(given)


def _pixel_spacing(header: ImageHeader) -> tuple[float, float]:
    given = header.pixel_spacing_mm
    if given is None or len(given) != 2 or min(given) <= 0:
        raise _no_geometry(header, "PixelSpacing is missing")
    return given[0], given[1]


def _no_geometry(header: ImageHeader, why: str) -> InputRejected:
    return InputRejected(
        f"{where(header)}: {why}, the slice has no place in space: export the original series",
        code=Refusal.NO_GEOMETRY,
    )


def where(header: ImageHeader) -> str:
    """The slice's file, and its frame in a multi-frame file."""
    frame = f" (frame {header.layout.frame + 1})" if header.layout.frames > 1 else ""
    return header.source.name + frame


def _check_steps(slices: tuple[ImageHeader, ...], along_mm: np.ndarray, settings: GeometrySettings) -> None:
    steps = np.diff(along_mm)
    if not len(steps):
        return
    same = np.flatnonzero(steps < settings.duplicate_mm)
    if len(same):
        raise InputRejected(
            f"{where(slices[same[0]])} and {where(slices[same[0] + 1])} lie at the same position "
            f"({len(same)} of {len(slices)} slices do): several scans in one series, send them apart",
            code=Refusal.DUPLICATE_POSITIONS,
        )
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])
    tolerance = max(settings.step_tolerance_mm, settings.step_tolerance_fraction * usual)
    tolerance = min(tolerance, 0.4 * usual)
    worst = int(np.argmax(np.abs(steps - usual)))
    if abs(steps[worst] - usual) <= tolerance:
        return
    place = f"between {where(slices[worst])} and {where(slices[worst + 1])}"
    missing = round(steps[worst] / usual) - 1
    if missing >= 1 and abs(steps[worst] - (missing + 1) * usual) <= (missing + 1) * tolerance:
        raise InputRejected(
            f"gap of {steps[worst]:.2f} mm {place}, the usual step is {usual:.2f} mm: "
            f"{missing} slice{'s are' if missing > 1 else ' is'} missing, send the series again",
            code=Refusal.MISSING_SLICES,
        )
    raise InputRejected(
        f"slices are unevenly spaced: {steps[worst]:.2f} mm {place}, {usual:.2f} mm elsewhere: "
        "send an evenly reconstructed series",
        code=Refusal.UNEVEN_SPACING,
    )


def _check_line(
    slices: tuple[ImageHeader, ...],
    positions: np.ndarray,
    step: np.ndarray,
    normal: np.ndarray,
    settings: GeometrySettings,
) -> None:
    """Every slice lies where the even stack has it, along and across."""
    off = positions - positions[0] - np.arange(len(slices))[:, None] * step
    tolerance = max(settings.step_tolerance_mm, settings.step_tolerance_fraction * float(normal @ step))
    distance = np.linalg.norm(off, axis=1)
    worst = int(np.argmax(distance))
    if distance[worst] > tolerance:
        raise InputRejected(
            f"{where(slices[worst])} lies {distance[worst]:.2f} mm off the even stack of its series, "
            f"limit {tolerance:.2f} mm: send an evenly reconstructed series",
            code=Refusal.NOT_A_STACK,
        )


def _tilt(grid: Grid, settings: GeometrySettings) -> float:
    """Degrees between the stacking direction and the slices' normal; 0 where the drift is below a pixel."""
    step = grid.voxel_to_lps_mm[:3, 0]
    column, row = grid.voxel_to_lps_mm[:3, 1], grid.voxel_to_lps_mm[:3, 2]
    drift_pixels = [abs(step @ v) / (v @ v) * (grid.shape[0] - 1) for v in (column, row)]
    if max(drift_pixels) <= settings.shear_tolerance_pixels:
        return 0.0
    normal = np.cross(row, column)
    cosine = abs(normal @ step) / np.linalg.norm(normal) / np.linalg.norm(step)
    tilt_deg = float(np.degrees(np.arccos(min(1.0, cosine))))
    if tilt_deg > settings.max_tilt_deg:
        raise InputRejected(
            f"slices are stacked {tilt_deg:.0f} degrees aslant of their normal, limit "
            f"{settings.max_tilt_deg:.0f}: no gantry tilts as far, export the original series",
            code=Refusal.NOT_A_STACK,
        )
    return tilt_deg


def _check_tilt(
    header: ImageHeader, tilt_deg: float, normal: np.ndarray, step: np.ndarray, settings: GeometrySettings
) -> tuple[str, ...]:
    """Notes on tilt; refuses where the tag has a tilt that an axial original's geometry denies."""
    tag = abs(header.tilt_deg or 0.0)
    if tilt_deg:
        said = "" if abs(tag - tilt_deg) <= settings.tag_tilt_from_deg else ", which only the geometry tells"
        return (f"gantry tilt of {tilt_deg:.1f} degrees{said}: corrected by shear resampling",)
    upright = abs(normal[2]) > np.cos(np.radians(0.5)) and abs(step[2]) > 0.999 * np.linalg.norm(step)
    reformatted = bool(header.image_type) and header.image_type[0].upper() == "DERIVED"
    if tag > settings.tag_tilt_from_deg and upright and not reformatted:
        raise InputRejected(
            f"{where(header)}: GantryDetectorTilt says {tag:.1f} degrees, positions and orientation say none: "
            "one of them is wrong, export the original series",
            code=Refusal.TILT_CONTRADICTION,
        )
    return ()
