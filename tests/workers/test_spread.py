"""What every way of spreading work does: the same contract for one process, several, and a cluster."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chores import Answer, Chore, Chores

from wirbel.workers.cluster import on_cluster
from wirbel.workers.port import Lost, LostBy, Spread
from wirbel.workers.processes import Here, Processes

from .conftest import QUICK, LocalCluster

WAYS = ("here", "processes", "cluster")


@pytest.fixture
def spread(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spread]:
    """One of the ways, by name."""
    with ExitStack() as stack:
        made: dict[str, Callable[[], Spread]] = {
            "here": Here,
            "processes": lambda: Processes(2),
            "cluster": lambda: stack.enter_context(
                on_cluster(request.getfixturevalue("cluster").address, tmp_path / "out", QUICK)
            ),
        }
        yield made[request.param]()


@pytest.mark.parametrize("spread", WAYS, indirect=True)
def test_every_item_is_answered_once_with_its_own_result(spread: Spread, tmp_path: Path) -> None:
    assert isinstance(spread, Spread)
    chores = [Chore("square", number, tmp_path) for number in range(7)]
    done = list(spread(Chores(), chores))
    assert sorted(d.place for d in done) == list(range(7))
    assert all(isinstance(d.result, Answer) and d.result.square == d.place**2 for d in done)
    assert list(spread(Chores(), [])) == []


@pytest.mark.parametrize("spread", WAYS[1:], indirect=True)
def test_an_item_that_kills_its_process_is_lost_and_the_others_are_done(spread: Spread, tmp_path: Path) -> None:
    chores = [Chore("die" if number == 2 else "square", number, tmp_path) for number in range(6)]
    done = {d.place: d.result for d in spread(Chores(), chores)}
    lost = done.pop(2)
    assert isinstance(lost, Lost)
    assert lost.by is LostBy.PROCESS_DIED
    assert {place: answer.square for place, answer in done.items() if isinstance(answer, Answer)} == {
        place: place**2 for place in (0, 1, 3, 4, 5)
    }
    assert chores[2].begins() == (2 if isinstance(spread, Processes) else QUICK.attempts)


def test_networks_get_the_threads_of_who_runs_them(cluster: LocalCluster, tmp_path: Path) -> None:
    chore = Chore("square", 3, tmp_path)
    (alone,) = Here()(Chores(), [chore])
    with on_cluster(str(cluster.file), tmp_path / "out", QUICK) as crew:
        (there,) = crew(Chores(), [chore])
    assert isinstance(alone.result, Answer)
    assert isinstance(there.result, Answer)
    assert (alone.result.threads, there.result.threads) == (None, 1)
    assert alone.result.pid != there.result.pid
    assert not list((tmp_path / "out").iterdir()), "nothing of the cluster's own is left"
