"""What lies in the folder that a cluster shares: the work of all items, and a note for each that is begun.

An item that takes its process down is told by its notes, which nobody took away. They are numbers, no names.
"""

import io
import pickle
import secrets
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wirbel.errors import DeliveryError

WORK = "work"


def packed(value: object) -> bytes:
    """A value as bytes for another process that has the same wirbel."""
    content = io.BytesIO()
    _Packer(content, pickle.HIGHEST_PROTOCOL).dump(value)
    return content.getvalue()


def write_work(shared: Path, work: object) -> Path:
    """A folder of its own in the shared one, with the work in it; raises `DeliveryError`."""
    folder = shared / secrets.token_hex(4)
    try:
        folder.mkdir(mode=0o700)
        (folder / WORK).write_bytes(packed(work))
    except OSError as exc:
        raise DeliveryError(f"{shared.parent.name!r} cannot be written: {exc.strerror}") from exc
    return folder


@lru_cache(maxsize=1)
def read_work(folder: Path) -> Any:
    """The work of the folder, the same object for every item of a process."""
    return pickle.loads((folder / WORK).read_bytes())


def begin(folder: Path, number: int, attempts: int) -> Path | None:
    """Note that an item is begun; None where it was begun so often and never ended.

    The note is taken away when the item ends.
    """
    for attempt in range(attempts):
        note = folder / f"{number}-{attempt}"
        try:
            note.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            continue
        return note
    return None


def begun(folder: Path, number: int, attempts: int) -> int:
    """How often an item was begun and did not end."""
    return sum((folder / f"{number}-{attempt}").exists() for attempt in range(attempts))


def _view(mapping: dict[Any, Any]) -> Mapping[Any, Any]:
    """What a packed view is made of again: its type goes by a name that cannot be looked up."""
    return MappingProxyType(mapping)


class _Packer(pickle.Pickler):
    """Also takes read-only views of mappings, of which settings are made, and says where relative paths begin."""

    def reducer_override(self, value: Any, /) -> Any:
        """A view as the mapping behind it; a path as every process reads it."""
        if type(value) is MappingProxyType:
            return _view, (dict(value),)
        if isinstance(value, Path) and not value.is_absolute():
            return type(value), (str(value.absolute()),)
        return NotImplemented
