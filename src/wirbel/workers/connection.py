"""The way to a Dask cluster's scheduler."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from wirbel.errors import ClusterError, UsageError, require

FEATURE = "a Dask cluster"
ADDRESS = re.compile(r"(?:(?:tcp|tls|ucx|wss?)://)?(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}", re.ASCII)
#: What Dask would write to the terminal is told by us, in one sentence.
LOUD = ("distributed", "distributed.client")


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How long is waited for a cluster, and how often a study is begun that does not end."""

    connect_s: float = 10.0
    first_worker_s: float = 30.0
    no_worker_s: float = 300.0
    """So long without any worker ends a run; batch systems may need it to start new ones."""
    answer_s: float = 30.0
    poll_s: float = 2.0
    attempts: int = 3
    """A study is begun so often; each time its worker died."""
    sendings: int = 10
    """It is sent so often where Dask suspects it for having waited in workers that died."""


@contextmanager
def connected(address: str, settings: ClusterSettings) -> Iterator[tuple[ModuleType, Any]]:
    """Dask's module and a client whose scheduler has a worker; TLS keys are those of Dask's own configuration."""
    distributed = require("distributed", extra="cluster", feature=FEATURE)
    target = scheduler_address(address)
    with _quiet():
        client = _client(distributed, target, settings)
        try:
            _wait_for_a_worker(client, target, settings)
            yield distributed, client
        finally:
            client.close(timeout=settings.connect_s)


def scheduler_address(given: str) -> str:
    """The address, or that in a scheduler file; raises `UsageError` where it is neither."""
    if Path(given).is_file():
        try:
            found = json.loads(Path(given).read_text(encoding="utf-8"))["address"]
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise UsageError(f"{Path(given).name}: this is no scheduler file (dask scheduler writes one)") from exc
        given = str(found)
    if not ADDRESS.fullmatch(given):
        raise UsageError(f"{given!r} is neither a scheduler's address (tcp://host:8786) nor a scheduler file")
    return given if "://" in given else f"tcp://{given}"


def _client(distributed: ModuleType, target: str, settings: ClusterSettings) -> Any:
    """A client; one that cannot connect would leave a thread behind, so somebody knocks before."""
    try:
        asyncio.run(_knock(distributed, target, settings.connect_s))
        return distributed.Client(target, timeout=settings.connect_s, set_as_default=False)
    except OSError as exc:
        raise ClusterError(
            f"no Dask scheduler answers at {target} within {settings.connect_s:g} s: check the address, "
            "the firewall, and that it runs"
        ) from exc
    except TypeError as exc:
        if not target.startswith("tls:"):
            raise
        raise ClusterError(f"{target} needs certificates: name them in Dask's configuration") from exc


async def _knock(distributed: ModuleType, target: str, patience_s: float) -> None:
    security = distributed.Security().get_connection_args("client")
    comm = await distributed.core.connect(target, timeout=patience_s, **security)
    await comm.close()


def _wait_for_a_worker(client: Any, target: str, settings: ClusterSettings) -> None:
    try:
        client.wait_for_workers(1, timeout=settings.first_worker_s)
    except TimeoutError as exc:
        raise ClusterError(
            f"the scheduler at {target} has no workers after {settings.first_worker_s:g} s: "
            f"start some (dask worker {target})"
        ) from exc


@contextmanager
def _quiet() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in LOUD}
    try:
        for name in LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
