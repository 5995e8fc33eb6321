"""Where bytes come from: a file in a folder or a member of an archive, named relative to the input."""

import zlib
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Protocol, runtime_checkable
from zipfile import BadZipFile, ZipFile

from wirbel.errors import DeliveryError, InputRejected


@runtime_checkable
class ByteSource(Protocol):
    """Something that can be opened again and again, from several threads."""

    @property
    def name(self) -> str:
        """The name for messages: relative to the input, no absolute path."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def open(self) -> BufferedIOBase:
        """A seekable stream at its start; raises `DeliveryError` when the disk fails."""

    def read(self) -> bytes:
        """All bytes."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file on disk."""

    name: str
    path: Path

    @property
    def size(self) -> int:
        """Length in bytes."""
        try:
            return self.path.stat().st_size
        except OSError as exc:
            raise unreadable(self.name, exc) from exc

    def open(self) -> BufferedIOBase:
        """The file, opened for reading."""
        try:
            return self.path.open("rb")
        except OSError as exc:
            raise unreadable(self.name, exc) from exc

    def read(self) -> bytes:
        """All bytes of the file."""
        try:
            return self.path.read_bytes()
        except OSError as exc:
            raise unreadable(self.name, exc) from exc


@dataclass(frozen=True, slots=True)
class MemberSource:
    """A member of an open zip archive, whose declared size was found acceptable before."""

    name: str
    archive: ZipFile
    member: str
    size: int

    def open(self) -> BufferedIOBase:
        """The member, unpacked in memory."""
        return BytesIO(self.read())

    def read(self) -> bytes:
        """All bytes, never more than declared."""
        try:
            with self.archive.open(self.member) as stream:
                data = stream.read(self.size + 1)
        except (BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as exc:
            raise InputRejected(
                f"{self.name}: damaged or encrypted in the archive: pack the study again", code="ARCHIVE_DAMAGED"
            ) from exc
        except OSError as exc:
            raise unreadable(self.name, exc) from exc
        if len(data) > self.size:
            raise InputRejected(
                f"{self.name}: unpacks to more than the archive declares", code="ARCHIVE_UNSAFE"
            )
        return data


def unreadable(name: str, exc: OSError) -> DeliveryError:
    """A disk that fails, in one line."""
    return DeliveryError(f"{name}: cannot be read ({exc.strerror or type(exc).__name__})")
