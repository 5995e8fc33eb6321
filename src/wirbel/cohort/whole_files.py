"""Files that appear whole or not at all, and several of them together."""

import errno
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from wirbel.errors import DeliveryError

#: Names of files being written; folders that begin with a dot are never looked into.
PARTIAL = ".wirbel-partial-"
#: Where a set of replacements is noted while it is carried out.
JOURNAL = ".wirbel-replacing.json"


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a text file so that it is there whole, or as it was before; raises `DeliveryError`."""
    partial = path.parent / f"{PARTIAL}{secrets.token_hex(4)}"
    with told(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def replace_together(home: Path, ready: Mapping[Path, Path]) -> None:
    """Have written files (`ready`: new file to its place) take their places, all of them or, after a crash, later.

    The list is noted in `home` first; `finish_replacing` carries out what a killed run left.
    """
    plain = {os.path.relpath(new, home): os.path.relpath(place, home) for new, place in ready.items()}
    write_whole(home / JOURNAL, json.dumps(plain))
    finish_replacing(home)


def finish_replacing(home: Path) -> bool:
    """Carry out noted replacements; whether there were any."""
    journal = home / JOURNAL
    if not journal.is_file():
        return False
    with told(journal):
        for new, place in json.loads(journal.read_text("utf-8")).items():
            if (home / new).exists():
                (home / place).parent.mkdir(parents=True, exist_ok=True)
                (home / new).replace(home / place)
                with suppress(OSError):  # the last one leaves an empty folder
                    (home / new).parent.rmdir()
        journal.unlink()
    return True


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn the system's errors into one sentence with the file's name."""
    try:
        yield
    except OSError as exc:
        full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full: make room and run again" if full else exc.strerror or type(exc).__name__
        raise DeliveryError(f"{path.name!r} could not be written: {why}") from exc
