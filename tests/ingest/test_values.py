"""Stored values become Hounsfield units, whatever the file's way of storing them."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pydicom
import pytest

from wirbel.dicom import CtAttributes, Syntax, write_ct_series
from wirbel.dicom.write_enhanced import write_enhanced_ct
from wirbel.ingest import read_study
from wirbel.volume import Volume

from .bodies import body, edit_all


@pytest.mark.parametrize("syntax", list(Syntax))
def test_every_transfer_syntax_gives_the_same_values(tmp_path: Path, ct: Volume, syntax: Syntax) -> None:
    write_ct_series(ct, tmp_path / "s", attributes=CtAttributes(seed=1), syntax=syntax)
    read = read_study(tmp_path / "s").main.volume
    assert np.array_equal(read.hu, ct.hu)


@pytest.mark.parametrize("syntax", list(Syntax))
def test_an_enhanced_multi_frame_file_is_read_by_its_functional_groups(
    tmp_path: Path, ct: Volume, syntax: Syntax
) -> None:
    path = write_enhanced_ct(ct, tmp_path / "ct.dcm", attributes=CtAttributes(seed=1), syntax=syntax)
    study = read_study(path)
    assert np.array_equal(study.main.volume.hu, ct.hu)
    assert study.main.volume.grid.same_as(ct.grid, tolerance_mm=1e-6)
    assert study.main.ref.slices == ct.grid.shape[0]
    assert study.main.ref.acquisition.kernel_name == "B30f"


def test_each_slice_has_its_own_rescale(series: Path, ct: Volume) -> None:
    def own_rescale(ds: pydicom.Dataset, index: int) -> None:
        stored = np.frombuffer(ds.PixelData, "<u2").astype(np.int64) - 1024
        ds.RescaleIntercept, ds.RescaleSlope = -2000 - index, 0.5
        ds.PixelData = ((stored + 2000 + index) * 2).astype("<u2").tobytes()

    read = read_study(edit_all(series, own_rescale)).main.volume
    assert np.array_equal(read.hu, ct.hu)


@pytest.mark.parametrize("bits", [12, 13, 16])
def test_signed_values_of_few_bits_keep_their_sign(series: Path, ct: Volume, bits: int) -> None:
    def signed(ds: pydicom.Dataset, _: int) -> None:
        hu = np.frombuffer(ds.PixelData, "<u2").astype(np.int64) - 1024
        ds.PixelRepresentation, ds.BitsStored, ds.HighBit, ds.RescaleIntercept = 1, bits, bits - 1, 0
        stray = 1 << 15 if bits < 16 else 0  # an old overlay's bit above the value
        ds.PixelData = ((hu & ((1 << bits) - 1)) | stray).astype("<u2").tobytes()

    read = read_study(edit_all(series, signed)).main.volume
    assert np.array_equal(read.hu, ct.hu)


@pytest.mark.parametrize(
    ("padding", "stored", "is_signed"),
    [(-2000, -2000, True), (63536, -2000, True), (-3024, -3024, True), (None, -3024, True), (65535, 65535, False)],
)
def test_padding_outside_the_circle_becomes_air(
    series: Path, ct: Volume, padding: int | None, stored: int, is_signed: bool
) -> None:
    def padded(ds: pydicom.Dataset, _: int) -> None:
        values = np.frombuffer(ds.PixelData, "<u2").reshape(ds.Rows, ds.Columns).astype(np.int64)
        values[:, :5] = stored
        ds.PixelRepresentation = int(is_signed)
        if padding is not None:
            ds.add_new("PixelPaddingValue", "SS" if padding < 0 else "US", padding)
        ds.PixelData = values.astype("<i2" if is_signed else "<u2").tobytes()

    read = read_study(edit_all(series, padded)).main.volume
    assert np.all(read.hu[:, :, :5] == -1024)
    assert np.array_equal(read.hu[:, :, 5:], ct.hu[:, :, 5:])


def test_padding_that_would_hide_tissue_is_not_taken_for_padding(series: Path, ct: Volume) -> None:
    def padded(ds: pydicom.Dataset, _: int) -> None:
        ds.add_new("PixelPaddingValue", "US", 1024)  # water

    read = read_study(edit_all(series, padded)).main.volume
    assert np.array_equal(read.hu, ct.hu)


def test_metal_is_kept(tmp_path: Path) -> None:
    ct = body()
    hu = np.array(ct.hu)
    hu[3, 10:12, 10:12] = 15000
    write_ct_series(Volume(ct.grid, hu), tmp_path / "s", attributes=CtAttributes(seed=1))
    assert read_study(tmp_path / "s").main.volume.hu.max() == 15000


def test_files_without_preamble_are_read(series: Path, ct: Volume) -> None:
    for path in series.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.file_meta
        dataset.preamble = None
        pydicom.dcmwrite(path, dataset, implicit_vr=True, little_endian=True, enforce_file_format=False)
        assert path.read_bytes()[128:132] != b"DICM"
    assert np.array_equal(read_study(series).main.volume.hu, ct.hu)


def test_the_hash_is_over_the_files_in_slice_order(series: Path) -> None:
    expected = sha256(b"".join(p.read_bytes() for p in sorted(series.iterdir()))).hexdigest()
    assert read_study(series).main.ref.sha256 == expected
