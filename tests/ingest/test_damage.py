"""Whatever happens to the bytes: an answer or one of our errors, never anything else."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.dicom import CtAttributes, Syntax, write_ct_series
from wirbel.dicom.write_enhanced import write_enhanced_ct
from wirbel.errors import WirbelError
from wirbel.ingest import read_study

from .bodies import body

SMALL = (6, 34, 36)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes flipped (mostly in the header), a stretch overwritten, or the end cut off."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        reach = min(len(out), 2500) if rng.random() < 0.8 else len(out)
        out[int(rng.integers(0, reach))] = int(rng.integers(0, 256))
    if rng.random() < 0.3:
        start = int(rng.integers(0, len(out)))
        out[start : start + 20] = rng.bytes(20)
    if rng.random() < 0.3:
        out = out[: int(rng.integers(0, len(out)))]
    return bytes(out)


def survives(path: Path) -> None:
    try:
        read_study(path)
    except WirbelError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.JPEG_LS, Syntax.DEFLATED, Syntax.RLE])
def test_a_series_with_one_damaged_file(tmp_path: Path, syntax: Syntax) -> None:
    paths = write_ct_series(body(shape=SMALL), tmp_path, attributes=CtAttributes(seed=1), syntax=syntax)
    rng = np.random.default_rng(0)
    good = paths[2].read_bytes()
    for _ in range(12):
        paths[2].write_bytes(damaged(good, rng))
        survives(tmp_path)


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.BIG_ENDIAN, Syntax.JPEG_2000])
def test_a_damaged_multi_frame_file(tmp_path: Path, syntax: Syntax) -> None:
    made = CtAttributes(seed=1)
    path = write_enhanced_ct(body(shape=SMALL), tmp_path / "ct.dcm", attributes=made, syntax=syntax)
    rng = np.random.default_rng(1)
    good = path.read_bytes()
    for _ in range(12):
        path.write_bytes(damaged(good, rng))
        survives(path)


def test_a_damaged_nifti_file(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(body(shape=SMALL).hu.transpose(2, 1, 0), np.eye(4)), tmp_path / "good.nii")
    rng = np.random.default_rng(2)
    good = (tmp_path / "good.nii").read_bytes()
    for index in range(40):
        data = bytearray(good)
        for _ in range(int(rng.integers(1, 5))):
            data[int(rng.integers(0, 352))] = int(rng.integers(0, 256))
        path = tmp_path / f"{index}.nii"
        path.write_bytes(data)
        survives(path)
