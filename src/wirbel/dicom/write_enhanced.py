"""A volume written as one enhanced multi-frame CT file."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import EnhancedCTImageStorage

from wirbel.dicom.uids import derived_uid
from wirbel.dicom.write_ct import (
    CtAttributes,
    Syntax,
    common_dataset,
    decimal,
    plane_directions,
    put_pixels,
    save,
    slice_thickness_mm,
    stored_values,
    tilt_of,
)
from wirbel.errors import DeliveryError
from wirbel.volume import Volume


def write_enhanced_ct(
    ct: Volume, path: Path, *, attributes: CtAttributes, syntax: Syntax = Syntax.EXPLICIT
) -> Path:
    """Write the volume as one file, a frame for each `[y, x]` plane in array order; give back the path.

    Same input, same bytes. Geometry, rescale and frame type lie in the functional groups only. Readable, but not
    complete: an original states the physics of its acquisition, which a drawn one has not and we do not invent.
    """
    ds = _file_dataset(ct, attributes)
    ds.SharedFunctionalGroupsSequence = Sequence([_shared(ct, attributes)])
    ds.PerFrameFunctionalGroupsSequence = Sequence([_frame(ct, k) for k in range(ct.grid.shape[0])])
    put_pixels(ds, stored_values(ct.hu, attributes.intercept_hu))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(ds, path, syntax)
    except OSError as exc:
        raise DeliveryError(f"cannot write {path.name!r}: {exc.strerror or exc}") from exc
    return path


def _file_dataset(ct: Volume, attributes: CtAttributes) -> Dataset:
    ds = common_dataset(attributes)
    ds.SOPClassUID = EnhancedCTImageStorage
    ds.SOPInstanceUID = derived_uid("enhanced", attributes.seed, attributes.series_number)
    ds.InstanceNumber = 1
    ds.ImageType = _image_type(attributes)
    ds.PatientPosition = attributes.patient_position
    ds.ContentDate, ds.ContentTime = attributes.study_date, "000000"
    ds.AcquisitionDateTime = attributes.study_date + "000000"
    ds.AcquisitionNumber = attributes.acquisition_number
    ds.SeriesDate, ds.SeriesTime = attributes.study_date, "000000"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", "0"
    ds.PixelPresentation, ds.VolumetricProperties = "MONOCHROME", "VOLUME"
    ds.VolumeBasedCalculationTechnique = "NONE"
    ds.ContentQualification, ds.BurnedInAnnotation = "RESEARCH", "NO"
    ds.LossyImageCompression, ds.PresentationLUTShape = "00", "IDENTITY"
    ds.SynchronizationFrameOfReferenceUID = derived_uid("clock", attributes.seed)
    ds.SynchronizationTrigger, ds.AcquisitionTimeSynchronized = "NO TRIGGER", "N"
    ds.InstanceCreationDate, ds.InstanceCreationTime = attributes.study_date, "000000"
    if attributes.contrast_agent is not None:
        ds.ContrastBolusAgent = attributes.contrast_agent
    organisation = derived_uid("dimensions", attributes.seed, attributes.series_number)
    ds.DimensionOrganizationSequence = Sequence([_item(DimensionOrganizationUID=organisation)])
    ds.DimensionIndexSequence = Sequence(
        [
            _item(
                DimensionOrganizationUID=organisation,
                DimensionIndexPointer=Tag("InStackPositionNumber"),
                FunctionalGroupPointer=Tag("FrameContentSequence"),
            )
        ]
    )
    ds.AcquisitionContextSequence = Sequence([])
    return ds


def _shared(ct: Volume, attributes: CtAttributes) -> Dataset:
    spacing = ct.grid.spacing_mm
    group = Dataset()
    group.PixelMeasuresSequence = Sequence(
        [
            _item(
                PixelSpacing=[decimal(spacing[1]), decimal(spacing[2])],
                SliceThickness=decimal(slice_thickness_mm(ct.grid, attributes)),
            )
        ]
    )
    group.PlaneOrientationSequence = Sequence(
        [_item(ImageOrientationPatient=[decimal(v) for v in plane_directions(ct.grid)])]
    )
    group.PixelValueTransformationSequence = Sequence(
        [_item(RescaleIntercept=decimal(attributes.intercept_hu), RescaleSlope=decimal(1.0), RescaleType="HU")]
    )
    group.CTImageFrameTypeSequence = Sequence(
        [
            _item(
                FrameType=_image_type(attributes),
                PixelPresentation="MONOCHROME",
                VolumetricProperties="VOLUME",
                VolumeBasedCalculationTechnique="NONE",
            )
        ]
    )
    group.CTAcquisitionDetailsSequence = Sequence(
        [_item(GantryDetectorTilt=float(tilt_of(ct.grid)), TableHeight=0.0, RotationDirection="CW")]
    )
    group.CTReconstructionSequence = Sequence(
        [_item(ConvolutionKernel=[attributes.kernel], ReconstructionAlgorithm="FILTER_BACK_PROJ")]
    )
    group.CTXRayDetailsSequence = Sequence([_item(KVP=decimal(attributes.kvp))])
    group.FrameAnatomySequence = Sequence([_spine()])
    return group


def _frame(ct: Volume, index: int) -> Dataset:
    position = ct.grid.to_lps_mm(np.array([[index, 0.0, 0.0]]))[0]
    group = Dataset()
    group.FrameContentSequence = Sequence(
        [
            _item(
                StackID="1",
                InStackPositionNumber=index + 1,
                DimensionIndexValues=[index + 1],
                FrameAcquisitionNumber=1,
            )
        ]
    )
    group.PlanePositionSequence = Sequence([_item(ImagePositionPatient=[decimal(v) for v in position])])
    return group


def _spine() -> Dataset:
    region = _item(CodeValue="421060004", CodingSchemeDesignator="SCT", CodeMeaning="Spine")
    anatomy = _item(FrameLaterality="U")
    anatomy.AnatomicRegionSequence = Sequence([region])
    return anatomy


def _image_type(attributes: CtAttributes) -> list[str]:
    return [*attributes.image_type[:2], "VOLUME", "NONE"]


def _item(**elements: object) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item
