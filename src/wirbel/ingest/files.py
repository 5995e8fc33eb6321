"""What lies in an input: a file, a folder or a zip archive, as sources of bytes."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from wirbel.dicom.source import ByteSource, FileSource, MemberSource, unreadable
from wirbel.errors import DeliveryError, InputRejected, UsageError
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.settings import ArchiveSettings

_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"


def sources_of(path: Path, limits: ArchiveSettings) -> tuple[ByteSource, ...]:
    """The sources of an input, in the order of their names; an archive stays open as long as they live.

    Raises `UsageError` where nothing is there, `InputRejected` for an unsafe or damaged archive.
    """
    if not path.exists():
        raise UsageError(f"{path.name}: no such file or folder")
    if path.is_dir():
        return tuple(_in_folder(path, limits))
    if is_zip(path):
        return tuple(_members(path.name, _archive(path), limits))
    return (FileSource(path.name, path),)


def is_zip(path: Path) -> bool:
    """Whether a file starts as a zip archive does."""
    with FileSource(path.name, path).open() as stream:
        try:
            return stream.read(4) in (_ZIP, _EMPTY_ZIP)
        except OSError as exc:
            raise unreadable(path.name, exc) from exc


def _in_folder(folder: Path, limits: ArchiveSettings) -> Iterator[FileSource]:
    def stop(exc: OSError) -> None:
        raise DeliveryError(f"{folder.name}: a folder in it cannot be read ({exc.strerror})") from exc

    count = 0
    been: set[str] = set()
    for where, folders, names in os.walk(folder, onerror=stop, followlinks=True):
        been.add(os.path.realpath(where))
        inner = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in inner if os.path.realpath(Path(where, name)) not in been]
        for name in sorted(names):
            path = Path(where) / name
            if name.startswith(".") or not path.is_file():
                continue
            count += 1
            if count > limits.max_files:
                raise InputRejected(
                    f"{folder.name}: more than {limits.max_files} files: name one study's folder",
                    code=Refusal.TOO_LARGE,
                )
            yield FileSource(path.relative_to(folder).as_posix(), path)


def _archive(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except (BadZipFile, NotImplementedError, EOFError, ValueError) as exc:
        raise InputRejected(
            f"{path.name}: damaged archive: pack the study again", code=Refusal.ARCHIVE_DAMAGED
        ) from exc
    except OSError as exc:
        raise DeliveryError(f"{path.name}: cannot be read ({exc.strerror})") from exc


def _members(name: str, archive: ZipFile, limits: ArchiveSettings) -> Iterator[MemberSource]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _check_archive(name, infos, limits)
    for info in sorted(infos, key=lambda info: info.filename):
        if not PurePosixPath(info.filename).name.startswith(".") and not _is_link(info):
            yield MemberSource(info.filename, archive, info.filename, info.file_size)


def _check_archive(name: str, infos: list[ZipInfo], limits: ArchiveSettings) -> None:
    """Refuse what climbs out of its folder, or unpacks to more than a study can be."""
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
            raise InputRejected(
                f"{name}: a member's path leads out of the archive: not opened", code=Refusal.ARCHIVE_UNSAFE
            )
    unpacked = sum(info.file_size for info in infos)
    packed = max(1, sum(info.compress_size for info in infos))
    if len(infos) > limits.max_files or unpacked > limits.max_bytes:
        raise InputRejected(
            f"{name}: unpacks to {len(infos)} files and {unpacked / 1024**3:.1f} GiB, "
            f"limits are {limits.max_files} and {limits.max_bytes / 1024**3:.0f} GiB: not opened",
            code=Refusal.ARCHIVE_UNSAFE,
        )
    if unpacked > limits.ratio_from_bytes and unpacked / packed > limits.max_ratio:
        raise InputRejected(
            f"{name}: unpacks to {unpacked / packed:.0f} times its size, limit {limits.max_ratio:.0f}: not opened",
            code=Refusal.ARCHIVE_UNSAFE,
        )


def _is_link(info: ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)
