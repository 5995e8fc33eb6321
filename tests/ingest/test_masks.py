"""Masks that users bring keep their numbers and their places."""

from pathlib import Path

import highdicom
import nibabel as nib
import numpy as np
import pydicom
import pytest
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from pydicom.sr.codedict import codes

from wirbel.dicom import CtAttributes, write_ct_series
from wirbel.errors import InputRejected
from wirbel.ingest import Refusal, read_masks, read_named_masks
from wirbel.ingest.masks import level_named
from wirbel.spine import Level
from wirbel.volume import Grid, LabelMap, Volume
from wirbel.volume.resample import canonical_labels

from .bodies import body_hu

SHAPE = (7, 16, 18)


def labels_on(grid: Grid) -> np.ndarray:
    labels = np.zeros(grid.shape, np.uint8)
    labels[1:3, 4:9, 5:12] = 1
    labels[3:6, 6:12, 5:12] = 2
    return labels


def slanted_grid() -> Grid:
    """Sagittal slices from right to left, rows downward, tipped a little."""
    tip = 0.2
    affine = np.eye(4)
    affine[:3, 0] = (3.0, 0, 0)
    affine[:3, 1] = (0, 0.9 * np.sin(tip), -0.9 * np.cos(tip))
    affine[:3, 2] = (0, 0.8 * np.cos(tip), 0.8 * np.sin(tip))
    affine[:3, 3] = (-9, 5, 40)
    return Grid(SHAPE, affine)


def write_seg(folder: Path, grid: Grid, names: tuple[str, ...], kind: SegmentationTypeValues) -> Path:
    """A SEG of the labels on that grid, by highdicom, empty frames left out."""
    paths = write_ct_series(Volume(grid, body_hu(grid.shape)), folder / "ct", attributes=CtAttributes(seed=1))
    sources = [pydicom.dcmread(p) for p in paths]
    described = [
        SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=codes.SCT.Vertebra,
            algorithm_type=SegmentAlgorithmTypeValues.MANUAL,
        )
        for number, name in enumerate(names, 1)
    ]
    seg = highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=labels_on(grid),
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid="1.2.3",
        series_number=9,
        sop_instance_uid="1.2.3.4",
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="0",
        device_serial_number="0",
        max_fractional_value=200,
    )
    seg.save_as(folder / "seg.dcm")
    return folder / "seg.dcm"


def world_map(labels: LabelMap) -> dict[int, np.ndarray]:
    """The centre of each label in LPS."""
    return {
        int(number): labels.grid.to_lps_mm(np.argwhere(labels.labels == number).astype(np.float64)).mean(axis=0)
        for number in np.unique(labels.labels)[1:]
    }


@pytest.mark.parametrize("kind", [SegmentationTypeValues.BINARY, SegmentationTypeValues.FRACTIONAL])
def test_a_seg_in_any_orientation_keeps_numbers_and_places(tmp_path: Path, kind: SegmentationTypeValues) -> None:
    grid = slanted_grid()
    read = read_named_masks(write_seg(tmp_path, grid, ("first", "second"), kind))
    truth = world_map(canonical_labels(LabelMap(grid, labels_on(grid))))
    found = world_map(read.labels)
    assert found.keys() == truth.keys()
    for number, centre in truth.items():
        assert found[number] == pytest.approx(centre, abs=1e-3)
    assert read.names == {1: "first", 2: "second"}
    assert not read.is_verse


def test_segments_named_as_vertebrae_get_verse_numbers(tmp_path: Path) -> None:
    path = write_seg(tmp_path, slanted_grid(), ("vertebrae_L2", "T12 vertebra"), SegmentationTypeValues.BINARY)
    read = read_named_masks(path)
    assert set(np.unique(read.labels.labels)) == {0, Level.L2, Level.T12}
    assert read.names == {21: "L2", 19: "T12"}
    assert read.is_verse


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("vertebrae_L1", Level.L1), ("T12 vertebra", Level.T12), ("Th5", Level.T5), ("Sacrum", Level.S1),
        ("C7", Level.C7), ("L6", Level.L6), ("rib_left_1", None), ("T14", None), ("aorta", None), ("CT1x", None),
    ],
)  # fmt: skip
def test_levels_are_known_by_their_names(text: str, level: Level | None) -> None:
    assert level_named(text) is level


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
def test_nifti_masks_keep_numbers_and_places(tmp_path: Path, dtype: type) -> None:
    grid = slanted_grid()
    labels = labels_on(grid)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.voxel_to_lps_mm
    nib.save(nib.Nifti1Image((labels * 20).astype(dtype), affine), tmp_path / "masks.nii.gz")
    read = read_masks(tmp_path / "masks.nii.gz")
    truth = canonical_labels(LabelMap(grid, labels * 20))
    assert np.array_equal(read.labels, truth.labels)
    assert read.grid.same_as(truth.grid)


@pytest.mark.parametrize("value", [-1.0, 300.0, 0.5, np.nan])
def test_values_that_are_no_labels_are_refused(tmp_path: Path, value: float) -> None:
    values = np.zeros((6, 6, 6), np.float32)
    values[3, 3, 3] = value
    nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / "masks.nii")
    with pytest.raises(InputRejected, match=r"masks\.nii"):
        read_masks(tmp_path / "masks.nii")


def test_a_ct_is_no_mask(series: Path) -> None:
    with pytest.raises(InputRejected) as caught:
        read_masks(series / "001-0001.dcm")
    assert caught.value.code == Refusal.NOT_AN_IMAGE
    with pytest.raises(InputRejected, match="12 files"):
        read_masks(series)
