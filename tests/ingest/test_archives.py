"""Zip archives are read without unpacking to disk, and never trusted."""

import struct
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pytest

from wirbel.errors import InputRejected
from wirbel.ingest import IngestSettings, Refusal, read_study
from wirbel.ingest.settings import ArchiveSettings
from wirbel.volume import Volume

from .bodies import files_of


def packed(folder: Path, target: Path, compression: int = ZIP_DEFLATED) -> Path:
    with ZipFile(target, "w", compression) as archive:
        for path in files_of(folder):
            archive.write(path, f"export/{path.relative_to(folder)}")
    return target


def refusal_of(path: Path, settings: IngestSettings | None = None) -> InputRejected:
    with pytest.raises(InputRejected) as caught:
        read_study(path, settings)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith((path.name, "export/"))
    return caught.value


@pytest.mark.parametrize("compression", [ZIP_DEFLATED, ZIP_STORED])
def test_a_zipped_study_is_the_study(series: Path, ct: Volume, tmp_path: Path, compression: int) -> None:
    study = read_study(packed(series, tmp_path / "study.zip", compression))
    assert np.array_equal(study.main.volume.hu, ct.hu)
    assert study.main.ref.source_name == "study.zip"
    study.main.release()
    assert np.array_equal(study.main.volume.hu, ct.hu)  # read again, long after


@pytest.mark.parametrize("name", ["../a.dcm", "/etc/a.dcm", "a/../../a.dcm", "..\\a.dcm", "C:/a.dcm"])
def test_a_path_that_leads_out_is_not_opened(series: Path, tmp_path: Path, name: str) -> None:
    target = packed(series, tmp_path / "study.zip")
    with ZipFile(target, "a") as archive:
        archive.writestr(name, b"x")
    assert refusal_of(target).code == Refusal.ARCHIVE_UNSAFE


def test_a_bomb_is_not_opened(tmp_path: Path) -> None:
    target = tmp_path / "bomb.zip"
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        archive.writestr("zeros.dcm", bytes(80 * 1024**2))
    refused = refusal_of(target)
    assert refused.code == Refusal.ARCHIVE_UNSAFE
    assert "times its size" in str(refused)


def test_more_files_or_bytes_than_a_study_has(series: Path, tmp_path: Path) -> None:
    target = packed(series, tmp_path / "study.zip")
    for limits in (ArchiveSettings(max_files=5), ArchiveSettings(max_bytes=10_000)):
        assert refusal_of(target, IngestSettings(archive=limits)).code == Refusal.ARCHIVE_UNSAFE


def test_a_member_that_unpacks_to_more_than_declared_is_refused(series: Path, tmp_path: Path) -> None:
    target = packed(series, tmp_path / "study.zip")
    data = bytearray(target.read_bytes())
    true = struct.pack("<L", files_of(series)[0].stat().st_size)
    position = data.rfind(b"PK\x01\x02", 0, data.rfind(b"PK\x01\x02"))
    at = data.find(true, position)
    data[at : at + 4] = struct.pack("<L", 2000)
    target.write_bytes(data)
    with pytest.raises(InputRejected) as caught:
        read_study(target)
    assert caught.value.code in {Refusal.ARCHIVE_UNSAFE, Refusal.ARCHIVE_DAMAGED, Refusal.PIXELS_TRUNCATED}


def test_a_damaged_archive(series: Path, tmp_path: Path) -> None:
    target = packed(series, tmp_path / "study.zip")
    data = target.read_bytes()
    target.write_bytes(data[: len(data) // 2])
    assert refusal_of(target).code == Refusal.ARCHIVE_DAMAGED
    spoiled = bytearray(data)
    spoiled[2000:2400] = bytes(400)
    target.write_bytes(spoiled)
    assert refusal_of(target).code == Refusal.ARCHIVE_DAMAGED


def test_an_archive_with_nothing_in_it(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert refusal_of(tmp_path / "empty.zip").code == Refusal.EMPTY
