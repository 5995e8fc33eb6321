"""The folder by which a cluster's workers and whoever called them know that they see the same files."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wirbel.delivery.leftovers import TEMPORARY, clear_leftovers, held
from wirbel.errors import DeliveryError

#: As if it were a result of this name being written (no study has it): what killed runs left is cleared as theirs.
NAME = ".cluster"


@contextmanager
def shared_folder(home: Path) -> Iterator[Path]:
    """A hidden folder below `home`, for its owner alone, as long as the block runs; raises `DeliveryError`."""
    folder = home.absolute() / f"{TEMPORARY}{NAME}-{secrets.token_hex(8)}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        clear_leftovers(home.absolute() / NAME)
        folder.mkdir(mode=0o700)
    except OSError as exc:
        raise DeliveryError(f"{home.name!r} cannot be written: {exc.strerror}") from exc
    try:
        with held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
