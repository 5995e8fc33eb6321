"""Preloaded by the scheduler and workers of tests: notes every address that the process connects to."""

import os
import sys
from pathlib import Path


def dask_setup(_server: object) -> None:
    """Begin to note."""
    notes = Path(os.environ["WIRBEL_TEST_CONNECTIONS"])

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"socket.connect", "socket.sendto", "socket.getaddrinfo"}:
            with notes.open("a") as file:
                file.write(f"{event} {arguments[1] if event != 'socket.getaddrinfo' else arguments[:1]}\n")

    sys.addaudithook(note)
