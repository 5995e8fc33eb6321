"""A volume written as a DICOM CT series: one file a slice, or one enhanced multi-frame file."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from pydicom.valuerep import DSfloat

from wirbel.dicom.uids import IMPLEMENTATION_NAME, IMPLEMENTATION_UID, derived_uid
from wirbel.errors import DeliveryError, GeometryError
from wirbel.volume import Grid, Volume


class Syntax(StrEnum):
    """Transfer syntaxes we write, all lossless."""

    EXPLICIT = ExplicitVRLittleEndian
    IMPLICIT = ImplicitVRLittleEndian
    BIG_ENDIAN = ExplicitVRBigEndian
    DEFLATED = DeflatedExplicitVRLittleEndian
    JPEG_LS = JPEGLSLossless
    JPEG_2000 = JPEG2000Lossless
    RLE = RLELossless

    @property
    def is_compressed(self) -> bool:
        """Whether pixel data are encapsulated."""
        return self in {Syntax.JPEG_LS, Syntax.JPEG_2000, Syntax.RLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class CtAttributes:
    """What the header says besides geometry and pixels. Every UID comes from `seed` and the numbers beside it.

    `slice_thickness_mm` None: the spacing of the slices. `contrast_agent` None: the tag is left out.
    Series of one study share `seed` and differ in `series_number`.
    """

    seed: int
    series_number: int = 1
    acquisition_number: int = 1
    manufacturer: str = "wirbel"
    model: str = "phantom"
    kernel: str = "B30f"
    kvp: float = 120.0
    tube_current_ma: int = 200
    contrast_agent: str | None = None
    slice_thickness_mm: float | None = None
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")
    patient_position: str = "HFS"
    patient_id: str = "PHANTOM"
    patient_name: str = "Phantom^Simulated"
    patient_sex: str = ""
    patient_age: str = ""
    study_date: str = "20200101"
    study_description: str = "Simulated CT"
    series_description: str = "Simulated spine"
    accession: str = ""
    body_part: str = "SPINE"
    intercept_hu: float = -1024.0

    @property
    def study_uid(self) -> str:
        """The study's UID."""
        return derived_uid("study", self.seed)

    @property
    def series_uid(self) -> str:
        """The series' UID."""
        return derived_uid("series", self.seed, self.series_number)

    @property
    def frame_of_reference_uid(self) -> str:
        """The frame of reference, shared by the study's series."""
        return derived_uid("frame", self.seed)


def write_ct_series(
    ct: Volume, folder: Path, *, attributes: CtAttributes, syntax: Syntax = Syntax.EXPLICIT
) -> tuple[Path, ...]:
    """Write one CT Image file for each `[y, x]` plane of the array, in array order; give back their paths.

    The grid is written as it is: any orientation; slices stacked aslant of their normal (gantry tilt, see
    `tilted_grid`) carry the tilt in the geometry and in GantryDetectorTilt. Same input, same bytes.
    Rows and columns must be at right angles. HU below the intercept are raised to it.
    """
    _check_plane(ct.grid)
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for index, dataset in enumerate(ct_datasets(ct, attributes=attributes)):
            path = folder / f"{attributes.series_number:03d}-{index + 1:04d}.dcm"
            save(dataset, path, syntax)
            paths.append(path)
    except OSError as exc:
        raise DeliveryError(f"cannot write the series to {folder.name!r}: {exc.strerror or exc}") from exc
    return tuple(paths)


def ct_datasets(ct: Volume, *, attributes: CtAttributes) -> Iterator[Dataset]:
    """The datasets of `write_ct_series`, uncompressed, one a slice."""
    directions = plane_directions(ct.grid)
    spacing = ct.grid.spacing_mm
    tilt_deg = tilt_of(ct.grid)
    for index in range(ct.grid.shape[0]):
        ds = common_dataset(attributes)
        ds.SOPClassUID = CTImageStorage
        ds.SOPInstanceUID = derived_uid("image", attributes.seed, attributes.series_number, index)
        ds.InstanceNumber = index + 1
        ds.AcquisitionNumber = attributes.acquisition_number
        ds.ImageType = list(attributes.image_type)
        ds.PatientPosition = attributes.patient_position
        position = ct.grid.to_lps_mm(np.array([[index, 0.0, 0.0]]))[0]
        ds.ImagePositionPatient = [decimal(v) for v in position]
        ds.ImageOrientationPatient = [decimal(v) for v in directions]
        ds.PixelSpacing = [decimal(spacing[1]), decimal(spacing[2])]
        ds.SliceThickness = decimal(slice_thickness_mm(ct.grid, attributes))
        ds.KVP = decimal(attributes.kvp)
        ds.XRayTubeCurrent = attributes.tube_current_ma
        ds.ConvolutionKernel = attributes.kernel
        if abs(tilt_deg) > 1e-3:
            ds.GantryDetectorTilt = decimal(tilt_deg)
        if attributes.contrast_agent is not None:
            ds.ContrastBolusAgent = attributes.contrast_agent
        ds.RescaleIntercept = decimal(attributes.intercept_hu)
        ds.RescaleSlope = decimal(1.0)
        ds.RescaleType = "HU"
        put_pixels(ds, stored_values(ct.hu[index], attributes.intercept_hu))
        yield ds


def tilted_grid(grid: Grid, tilt_deg: float) -> Grid:
    """The same stack as a scanner with a tilted gantry takes it: planes turned about left, stacked as before.

    For canonical axial grids; with `resample_volume` this makes a tilted series of an upright volume.
    """
    angle = np.radians(tilt_deg)
    affine = np.array(grid.voxel_to_lps_mm)
    length = np.linalg.norm(affine[:3, 1])
    centre = grid.to_lps_mm((np.array([grid.shape]) - 1) / 2)[0]
    affine[:3, 1] = length * np.array([0.0, np.cos(angle), -np.sin(angle)])
    moved = Grid(grid.shape, affine).to_lps_mm((np.array([grid.shape]) - 1) / 2)[0]
    affine[:3, 3] += centre - moved
    return Grid(grid.shape, affine)


def tilt_of(grid: Grid) -> float:
    """The angle in degrees between the slices' normal and the direction in which they are stacked.

    Signed for axial slices as `tilted_grid` takes it; only the part along the columns counts.
    """
    row, column = plane_directions(grid)[:3], plane_directions(grid)[3:]
    normal = np.cross(row, column)
    step = grid.voxel_to_lps_mm[:3, 0] / grid.spacing_mm[0]
    sign = np.sign(normal @ step) or 1.0
    return float(np.degrees(np.arctan2(-sign * (step @ column), abs(normal @ step))))


def plane_directions(grid: Grid) -> np.ndarray:
    """ImageOrientationPatient: the unit direction along a row, then along a column."""
    spacing = grid.spacing_mm
    return np.concatenate([grid.voxel_to_lps_mm[:3, 2] / spacing[2], grid.voxel_to_lps_mm[:3, 1] / spacing[1]])


def slice_thickness_mm(grid: Grid, attributes: CtAttributes) -> float:
    """The thickness asked for, else the distance of the planes."""
    if attributes.slice_thickness_mm is not None:
        return attributes.slice_thickness_mm
    return float(grid.spacing_mm[0] * np.cos(np.radians(tilt_of(grid))))


def common_dataset(attributes: CtAttributes) -> Dataset:
    """Patient, study, series, equipment and frame of reference."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName, ds.PatientID = attributes.patient_name, attributes.patient_id
    ds.PatientBirthDate, ds.PatientSex = "", attributes.patient_sex
    if attributes.patient_age:
        ds.PatientAge = attributes.patient_age
    ds.StudyInstanceUID, ds.StudyID = attributes.study_uid, str(attributes.seed)[:16]
    ds.StudyDate, ds.StudyTime = attributes.study_date, "000000"
    ds.StudyDescription = attributes.study_description
    ds.AccessionNumber, ds.ReferringPhysicianName = attributes.accession, ""
    ds.Modality, ds.SeriesInstanceUID = "CT", attributes.series_uid
    ds.SeriesNumber, ds.SeriesDescription = attributes.series_number, attributes.series_description
    ds.BodyPartExamined = attributes.body_part
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = attributes.frame_of_reference_uid, ""
    ds.Manufacturer, ds.ManufacturerModelName = attributes.manufacturer, attributes.model
    return ds


def stored_values(hu: np.ndarray, intercept_hu: float) -> np.ndarray:
    """HU as stored whole numbers: unsigned 16 bit above the intercept."""
    return np.clip(np.round(hu - intercept_hu), 0, 65535).astype(np.uint16)


def put_pixels(ds: Dataset, stored: np.ndarray) -> None:
    """The image pixel module of monochrome unsigned 16-bit values; a 3-D array gives frames."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = stored.shape[-2:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    if stored.ndim == 3:
        ds.NumberOfFrames = stored.shape[0]
    ds.PixelData = stored.astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"


def save(ds: Dataset, path: Path, syntax: Syntax) -> None:
    """Write a dataset from `put_pixels` in a transfer syntax, with our meta header."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.ImplementationClassUID, meta.ImplementationVersionName = UID(IMPLEMENTATION_UID), IMPLEMENTATION_NAME
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta = meta
    if syntax.is_compressed:
        try:
            ds.compress(syntax.value, generate_instance_uid=False)
        except RuntimeError as exc:
            what = f"slices of {ds.Rows} x {ds.Columns} cannot be compressed as {syntax.name}"
            raise DeliveryError(f"{what}: write them uncompressed") from exc
    elif syntax is Syntax.BIG_ENDIAN:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    meta.TransferSyntaxUID = UID(syntax.value)
    ds.save_as(
        path,
        implicit_vr=syntax is Syntax.IMPLICIT,
        little_endian=syntax is not Syntax.BIG_ENDIAN,
        enforce_file_format=True,
    )


def decimal(value: float) -> DSfloat:
    """A number in the 16 characters DICOM gives it."""
    return DSfloat(float(value) + 0.0, auto_format=True)


def _check_plane(grid: Grid) -> None:
    directions = plane_directions(grid)
    if abs(float(directions[:3] @ directions[3:])) > 1e-4:
        raise GeometryError("rows and columns of a slice must be at right angles; shear the stack, not the plane")
