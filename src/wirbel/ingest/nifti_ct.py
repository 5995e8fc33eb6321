"""A NIfTI file as a CT: geometry, values and what little is known of its making."""

import numpy as np

from wirbel.dicom.source import ByteSource
from wirbel.errors import InputRejected
from wirbel.ingest.hounsfield import check_hounsfield
from wirbel.ingest.load import Loaded
from wirbel.ingest.nifti import NiftiHeader, label_numbers, read_header, read_values
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.series import LoadedSeries, nifti_series
from wirbel.ingest.settings import IngestSettings
from wirbel.ingest.shear import upright
from wirbel.volume import Acquisition, Grid, Plane, Volume, freeze
from wirbel.volume.resample import canonical

#: A mask has few numbers and much background.
MAX_LABELS = 64
#: Axes further than this from right angles (cosine) are a sheared stack.
RIGHT_ANGLE_COSINE = 0.01


def checked_header(source: ByteSource, settings: IngestSettings) -> NiftiHeader:
    """The header of a volume of usable size; raises `InputRejected`."""
    header = read_header(source)
    shape = header.grid.shape
    if min(shape) < settings.geometry.min_slices:
        raise InputRejected(
            f"{source.name}: {' x '.join(map(str, shape))} voxels, at least {settings.geometry.min_slices} "
            "along each axis are needed",
            code=Refusal.TOO_FEW_SLICES,
        )
    if shape[0] * shape[1] * shape[2] > settings.max_voxels:
        raise InputRejected(
            f"{source.name}: {shape[0] * shape[1] * shape[2] / 1e6:.0f} million voxels, "
            f"limit {settings.max_voxels / 1e6:.0f}",
            code=Refusal.TOO_LARGE,
        )
    return header


def is_label_map(header: NiftiHeader) -> bool:
    """Whether the values are a mask's: few whole numbers from 0."""
    numbers = label_numbers(header)
    return numbers is not None and 0 in numbers and len(numbers) <= MAX_LABELS


def read_ct(header: NiftiHeader, settings: IngestSettings) -> LoadedSeries:
    """The CT in a NIfTI file; raises `InputRejected` for what is no CT."""
    name = header.source.name
    acquisition = _acquisition(header.grid)
    if acquisition.slice_mm > settings.table.max_slice_mm:
        raise InputRejected(
            f"{name}: slices of {acquisition.slice_mm:.2f} mm, limit {settings.table.max_slice_mm:.2f} mm",
            code=Refusal.TOO_THICK,
        )
    if header.dtype.itemsize == 1 and header.slope == 1.0:
        raise InputRejected(
            f"{name}: 8-bit values are no Hounsfield units: export the original series", code=Refusal.EIGHT_BIT
        )
    read = read_values(header, np.int16)
    check_hounsfield(read.values, settings.hounsfield, name)
    volume = Volume(read.grid, freeze(read.values))
    notes = ("read from NIfTI: kernel, tube voltage, contrast and patient are not known", *header.notes)
    if _worst_cosine(read.grid) > RIGHT_ANGLE_COSINE:
        volume, tilt_deg = _straightened(volume, name, settings)
        notes = (*notes, f"gantry tilt of {tilt_deg:.1f} degrees in the affine: corrected by shear resampling")
    slices = header.grid.shape[_slice_axis(header.grid)]
    return nifti_series(Loaded(volume, read.sha256), name.rsplit("/", 1)[-1], acquisition, slices, notes)


def _directions(grid: Grid) -> np.ndarray:
    """Unit vectors of the grid's axes, in columns."""
    return grid.voxel_to_lps_mm[:3, :3] / np.asarray(grid.spacing_mm)


def _body_axis(grid: Grid) -> int:
    return int(np.argmax(np.abs(_directions(grid)[2])))


def _slice_axis(grid: Grid) -> int:
    """The coarsest axis is taken for the slices' direction; among equal ones the body's."""
    body, coarsest = _body_axis(grid), int(np.argmax(grid.spacing_mm))
    return body if grid.spacing_mm[coarsest] < 1.05 * grid.spacing_mm[body] else coarsest


def _acquisition(grid: Grid) -> Acquisition:
    directions, across = _directions(grid), _slice_axis(grid)
    main = int(np.argmax(np.abs(directions[:, across])))
    plane = (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)[main]
    if abs(directions[main, across]) < np.cos(np.radians(25.0)):
        plane = Plane.OBLIQUE
    along_mm = grid.spacing_mm[_body_axis(grid)]
    if plane is Plane.OBLIQUE:
        along_mm = float(np.linalg.norm(directions[2] * grid.spacing_mm))
    return Acquisition(plane, round(max(grid.spacing_mm), 4), round(along_mm, 4))


def _cosines(grid: Grid) -> np.ndarray:
    """Absolute cosines between the axes; entry k is between the two axes other than k."""
    d = _directions(grid)
    return np.array([abs(d[:, 1] @ d[:, 2]), abs(d[:, 0] @ d[:, 2]), abs(d[:, 0] @ d[:, 1])])


def _worst_cosine(grid: Grid) -> float:
    return float(_cosines(grid).max())


def _straightened(ct: Volume, name: str, settings: IngestSettings) -> tuple[Volume, float]:
    """A sheared stack made upright; refuses axes of which no two are at right angles."""
    cosines = _cosines(ct.grid)
    axis = int(np.argmin(cosines))
    tilt_deg = float(np.degrees(np.arcsin(min(1.0, cosines.max()))))
    if cosines[axis] > RIGHT_ANGLE_COSINE or tilt_deg > settings.geometry.max_tilt_deg:
        raise InputRejected(
            f"{name}: its axes are not at right angles and no gantry tilt explains it: export it again",
            code=Refusal.NOT_A_STACK,
        )
    order = [axis, *(k for k in range(3) if k != axis)]
    affine = np.array(ct.grid.voxel_to_lps_mm)
    affine[:3, :3] = affine[:3, order]
    shape = tuple(ct.grid.shape[k] for k in order)
    shear = upright(Grid((shape[0], shape[1], shape[2]), affine))
    slices = ct.hu.transpose(order)
    out = np.empty(shear.grid.shape, dtype=np.int16)
    for index in range(shape[0]):
        out[index] = shear.place(slices[index], index)
    return canonical(Volume(shear.grid, freeze(out))), tilt_deg
