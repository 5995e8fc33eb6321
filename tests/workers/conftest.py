"""A Dask cluster of a scheduler and two worker processes, as a hospital would start it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from wirbel.workers.connection import ClusterSettings

IMPORTABLE = Path(__file__).parents[1] / "importable"
QUICK = ClusterSettings(connect_s=30.0, first_worker_s=60.0, no_worker_s=120.0, poll_s=0.2)


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """Where it is reached, and what it wrote: its logs at their finest level, and whom it connected to."""

    file: Path
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return str(json.loads(self.file.read_text())["address"])

    def logs(self) -> str:
        """All logs together."""
        return "".join(path.read_text() for path in sorted(self.home.glob("*.log")))

    def connections(self) -> set[str]:
        """Every address that a process of it connected to."""
        notes = self.home / "connections"
        return set(notes.read_text().splitlines()) if notes.exists() else set()


@contextmanager
def dask(home: Path, name: str, *arguments: object, path: Path = IMPORTABLE) -> Iterator[subprocess.Popen[bytes]]:
    """A command of dask's, as long as the block runs."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(path),
        "DASK_LOGGING__DISTRIBUTED": "debug",
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",  # so long the dead are called
        "WIRBEL_TEST_CONNECTIONS": str(home / "connections"),
    }
    with (home / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, arguments)], stdout=log, stderr=log, env=environment, cwd=home
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def scheduler(home: Path) -> Iterator[LocalCluster]:
    """A scheduler without workers."""
    file = home / "scheduler.json"
    begin = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file, "--no-dashboard")
    with dask(home, "scheduler", *begin, "--dashboard-address", "127.0.0.1:0", "--preload", "audited") as process:
        until = time.monotonic() + 60
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.05)
        yield LocalCluster(file, home, process)


def worker_arguments(cluster: LocalCluster, *, workers: int, threads: int = 1) -> tuple[object, ...]:
    """How workers are started."""
    return (
        "worker", "--scheduler-file", cluster.file, "--host", "127.0.0.1", "--nworkers", workers,
        "--nthreads", threads, "--no-dashboard", "--local-directory", cluster.home, "--preload", "audited",
    )  # fmt: skip


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """One cluster for all tests of this folder; dead workers are started anew by their nannies."""
    home = tmp_path_factory.mktemp("dask")
    with scheduler(home) as started, dask(home, "workers", *worker_arguments(started, workers=2)):
        yield started
