"""A cluster that cannot be used is told in one sentence, and what it does use tells nobody of patients."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from chores import Answer, Chore, Chores, pretend_version, wait_for

import wirbel.errors
from wirbel.cli.main import run
from wirbel.errors import ClusterError, UsageError
from wirbel.workers.cluster import _check, on_cluster
from wirbel.workers.connection import ClusterSettings, connected, scheduler_address
from wirbel.workers.notes import packed, write_work
from wirbel.workers.port import LostBy
from wirbel.workers.turn import Parcel, turn

from .conftest import QUICK, LocalCluster, dask, scheduler, worker_arguments

HASTY = ClusterSettings(connect_s=1.0, first_worker_s=0.5)


def parcel(folder: Path, item: object, needed: tuple[Path, ...] = (), wirbel_version: str | None = None) -> Parcel:
    """As `on_cluster` sends it."""
    return Parcel(str(folder), 0, wirbel_version or wirbel.__version__, 3, packed((item, needed)))


@pytest.mark.parametrize("address", ["nonsense", "ftp://host:21", "host:port", "gone.json", "tcp://host"])
def test_what_is_no_address_is_wrong_usage(address: str) -> None:
    with pytest.raises(UsageError, match="neither a scheduler's address"):
        scheduler_address(address)


def test_an_address_may_lack_its_scheme_or_stand_in_a_scheduler_file(tmp_path: Path) -> None:
    assert scheduler_address("node17:8786") == "tcp://node17:8786"
    assert scheduler_address("tls://[::1]:8786") == "tls://[::1]:8786"
    (tmp_path / "s.json").write_text('{"address": "tcp://10.0.0.7:1234", "type": "Scheduler"}')
    assert scheduler_address(str(tmp_path / "s.json")) == "tcp://10.0.0.7:1234"
    (tmp_path / "n.json").write_text("[]")
    with pytest.raises(UsageError, match="no scheduler file"):
        scheduler_address(str(tmp_path / "n.json"))


@pytest.mark.parametrize(("address", "why"), [
    ("tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1"),
    ("tls://127.0.0.1:1", "needs certificates"),
])  # fmt: skip
def test_nobody_at_the_address_is_told_and_nothing_is_left(address: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=why), on_cluster(address, tmp_path / "out", HASTY):
        pass
    assert not (tmp_path / "out").exists()


def test_a_scheduler_without_workers_is_told(tmp_path: Path) -> None:
    with (
        scheduler(tmp_path) as alone,
        pytest.raises(ClusterError, match=f"the scheduler at {alone.address} has no workers"),
        on_cluster(alone.address, tmp_path / "out", HASTY),
    ):
        pass


def test_without_the_extra_one_sentence_names_it(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    (tmp_path / "ct").mkdir()
    arguments = ["analyze", tmp_path / "ct", "-o", tmp_path / "out", "--cluster", "tcp://127.0.0.1:1"]
    assert run([str(a) for a in arguments]) == 2
    assert capsys.readouterr().err == (
        "wirbel: a Dask cluster needs distributed: pip install 'wirbel[cluster]'\n"
    )


def test_workers_and_cluster_exclude_each_other(tmp_path, capsys) -> None:
    arguments = ["cohort", "import", tmp_path, "-o", tmp_path / "out", "--cluster", "h:1", "--workers", "3"]
    assert run([str(a) for a in arguments]) == 2
    assert "give one of them" in capsys.readouterr().err


def test_an_output_folder_that_a_worker_does_not_see_is_told(cluster: LocalCluster, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = Path("/proc/self/cwd/out")  # every process has one of its own
    with (
        pytest.raises(ClusterError, match=r"does not see 'out' at the path that it has here, .*file system"),
        on_cluster(cluster.address, elsewhere, QUICK),
    ):
        pass
    assert not list((tmp_path / "out").iterdir())


def test_an_input_that_a_worker_does_not_see_is_told_and_the_rest_is_done(cluster: LocalCluster, tmp_path) -> None:
    (tmp_path / "ct").touch()
    descriptor = os.open(tmp_path / "ct", os.O_RDONLY)
    mine = Path(f"/proc/self/fd/{os.dup2(descriptor, 219)}")
    try:
        chores = [Chore("square", 0, tmp_path, (mine,)), Chore("square", 1, tmp_path, (tmp_path / "ct",))]
        with on_cluster(cluster.address, tmp_path / "out", QUICK) as crew:
            done = {d.place: d.result for d in crew(Chores(), chores)}
    finally:
        os.close(descriptor)
        os.close(219)
    assert done[0].by is LostBy.NOT_IN_SIGHT
    assert "all machines need the same file system" in done[0].sentence
    assert done[1].square == 1
    assert chores[0].begins() == 0


def test_a_worker_that_comes_later_says_what_it_lacks(tmp_path: Path) -> None:
    folder = write_work(tmp_path, Chores())
    chore = Chore("square", 0, tmp_path)
    assert turn(parcel(folder, chore, (tmp_path / "gone",))).result.by is LostBy.NOT_IN_SIGHT
    assert turn(parcel(tmp_path / "gone", chore)).result.by is LostBy.NOT_IN_SIGHT
    other = turn(parcel(folder, chore, wirbel_version="0.0.9")).result
    assert other.by is LostBy.OTHER_VERSION
    assert other.sentence == f"a worker has wirbel {wirbel.__version__}, here is 0.0.9"
    assert chore.begins() == 0


def test_what_is_raised_in_a_worker_is_told_by_its_type_alone(cluster: LocalCluster, tmp_path: Path) -> None:
    with on_cluster(cluster.address, tmp_path / "out", QUICK) as crew:
        (done,) = crew(Chores(), [Chore("raise", 0, tmp_path)])
    assert done.result.by is LostBy.DEFECT
    assert done.result.sentence == "a worker failed with ValueError"
    assert "Mustermann" not in cluster.logs()


def test_nobody_connects_to_anything_but_the_cluster(cluster: LocalCluster, tmp_path: Path) -> None:
    mine: list[object] = []
    listening = [True]

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event == "socket.connect":
            mine.append(arguments[1])

    sys.addaudithook(note)
    with on_cluster(cluster.address, tmp_path / "out", QUICK) as crew:
        list(crew(Chores(), [Chore("square", number, tmp_path) for number in range(4)]))
    listening.clear()
    assert mine
    assert {address[0] for address in mine if isinstance(address, tuple)} == {"127.0.0.1"}
    theirs = cluster.connections()
    assert any(line.startswith("socket.connect") for line in theirs)
    assert [line for line in theirs if "127.0.0.1" not in line] == []


def test_workers_that_are_gone_for_good_end_the_wait_and_every_item_is_told(tmp_path: Path) -> None:
    with scheduler(tmp_path) as own, dask(tmp_path, "w", *worker_arguments(own, workers=1), "--no-nanny"):
        chores = [Chore("die", 0, tmp_path), Chore("square", 1, tmp_path)]
        with on_cluster(own.address, tmp_path / "out", replace(QUICK, no_worker_s=1.0)) as crew:
            done = {d.place: d.result for d in crew(Chores(), chores)}
    assert done.keys() == {0, 1}
    assert done[0].by is LostBy.NO_WORKER
    assert isinstance(done[1], Answer) or done[1].by is LostBy.NO_WORKER


def test_a_worker_of_another_wirbel_is_told(cluster: LocalCluster, tmp_path: Path) -> None:
    with connected(cluster.address, QUICK) as (_, client):
        other = min(client.nthreads())
        client.run(pretend_version, "0.0.9", workers=[other])
        why = f"worker {other} has wirbel 0.0.9, here is {wirbel.__version__}: install"
        try:
            with (
                pytest.raises(ClusterError, match=why),
                on_cluster(cluster.address, tmp_path / "out", QUICK),
            ):
                pass
        finally:
            client.run(pretend_version, wirbel.__version__)


@pytest.mark.slow
def test_a_worker_whose_wirbel_has_no_cluster_is_told(tmp_path: Path) -> None:
    (tmp_path / "old" / "wirbel").mkdir(parents=True)
    (tmp_path / "old" / "wirbel" / "__init__.py").write_text('__version__ = "0.0.9"\n')
    why = rf"worker tcp://\S+ cannot load wirbel {wirbel.__version__}: install"
    with scheduler(tmp_path) as own:
        arguments = worker_arguments(own, workers=1)[:-2]
        with (
            dask(tmp_path, "w", *arguments, path=tmp_path / "old"),
            pytest.raises(ClusterError, match=why),
            on_cluster(own.address, tmp_path / "out", QUICK),
        ):
            pass


def test_a_scheduler_lost_while_it_is_asked_is_told_as_that(tmp_path: Path) -> None:
    class Lost:
        def run_on_scheduler(self, *_: object) -> None:
            raise ConnectionResetError

    with pytest.raises(ClusterError, match="scheduler was lost: look whether it runs"):
        _check(Lost(), tmp_path)


@pytest.mark.slow
def test_a_scheduler_that_dies_ends_the_run_and_every_item_is_told(tmp_path: Path) -> None:
    with scheduler(tmp_path) as own, dask(tmp_path, "w", *worker_arguments(own, workers=1)):
        chores = [Chore("wait", 0, tmp_path), Chore("square", 1, tmp_path)]

        def kill_it() -> None:
            wait_for(chores[0].trace)
            own.process.kill()

        killer = Thread(target=kill_it)
        with on_cluster(own.address, tmp_path / "out", replace(QUICK, connect_s=3.0)) as crew:
            killer.start()
            done = {d.place: d.result for d in crew(Chores(), chores)}
        killer.join()
    assert done[0].by is LostBy.NO_SCHEDULER
    assert isinstance(done[1], Answer) or done[1].by is LostBy.NO_SCHEDULER


@pytest.mark.slow
def test_thousands_of_items_are_dealt_out(cluster: LocalCluster, tmp_path: Path) -> None:
    chores = [Chore("square", number, tmp_path) for number in range(1000)]
    with on_cluster(cluster.address, tmp_path / "out", QUICK) as crew:
        done = {d.place: d.result for d in crew(Chores(), chores)}
    assert [done[n].square for n in range(1000)] == [n**2 for n in range(1000)]
