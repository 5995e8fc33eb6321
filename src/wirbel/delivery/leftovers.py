"""Temporary folders: held while somebody writes, cleared when their writer was killed."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: How the name of a folder begins while it is being written, and how the name of one being replaced ends.
TEMPORARY, PREVIOUS = ".wirbel-partial-", "-previous"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Mark a folder as in use; the mark goes with the process, however it ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: leftovers then stay
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def clear_leftovers(target: Path) -> None:
    """Remove what killed runs left beside a result folder; a result they had moved aside comes back."""
    with suppress(OSError):
        for entry in sorted(target.parent.glob(f"{TEMPORARY}{_literal(target.name)}-*")):
            if not _is_held(entry):
                _clear(entry, target)


def _clear(entry: Path, target: Path) -> None:
    if entry.name.endswith(PREVIOUS) and not target.exists():
        entry.rename(target)
    else:
        shutil.rmtree(entry, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    """Whether somebody is writing there; also where that cannot be told."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _literal(name: str) -> str:
    """The name without meaning as a pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
