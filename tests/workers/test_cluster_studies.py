"""`wirbel analyze` and `wirbel cohort import` on a cluster of two processes, one of them killed in mid-run."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from masks_beside import FromMasksBeside

from wirbel.cli.batch import analyse_inputs
from wirbel.cli.main import run
from wirbel.cli.order import Order
from wirbel.cohort.import_studies import import_studies
from wirbel.cohort.layout import find_images
from wirbel.dicom.write_ct import CtAttributes, write_ct_series
from wirbel.workers.cluster import on_cluster

from ..cli.conftest import NUMBERS as OF_THE_LARGE
from ..cli.conftest import drawn
from ..cohort.conftest import drawn_ct
from .conftest import QUICK, LocalCluster

ERIKA = CtAttributes(
    seed=71, patient_id="KH-4711/22", patient_name="Mustermann^Erika", patient_sex="F", accession="ACC998877"
)
HANS = replace(ERIKA, seed=72, patient_id="KH-0815", patient_name="Meier^Hans")
PEOPLE = (ERIKA, HANS, replace(HANS, seed=73, patient_id="KH-0816", patient_name="Meier^Max"))
SECRETS = ("KH-", "Muster", "Erika", "Meier", "Hans", "ACC998877", ERIKA.study_uid, HANS.series_uid)


def export(home: Path, *people: CtAttributes) -> Path:
    """A PACS export: a folder with the patient's name for each."""
    for person in people:
        folder = home / person.patient_name.replace("^", " ") / f"study{person.seed}"
        write_ct_series(drawn_ct(person.seed)[0], folder, attributes=person)
    return home


@contextmanager
def one_is_killed(gate: Path) -> Iterator[list[int]]:
    """Once two workers are at work, one is killed and the other let go on; gives whose process it was."""
    killed: list[int] = []
    pids = gate.with_suffix(".pids")

    def kill() -> None:
        until = time.monotonic() + 120
        while (not pids.exists() or len(pids.read_text().split()) < 2) and time.monotonic() < until:
            time.sleep(0.05)
        killed.append(int(pids.read_text().split()[0]))
        os.kill(killed[0], signal.SIGKILL)
        gate.touch()

    killer = Thread(target=kill)
    killer.start()
    yield killed
    killer.join()


def test_an_import_goes_on_when_a_worker_is_killed_and_nobody_logs_a_name(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    np.save(tmp_path / "masks.npy", drawn_ct(0)[1])
    make = FromMasksBeside(tmp_path / "masks.npy", tmp_path / "gate")
    source, home = export(tmp_path / "export", *PEOPLE), tmp_path / "cohort"
    with one_is_killed(make.gate) as killed, on_cluster(cluster.address, home, QUICK) as crew:
        done = import_studies(source, home, tmp_path / "cohort.key.tsv", make, spread=crew)
    assert [d.code for d in done] == [None, None, None]
    assert len(find_images(home)) == 3
    assert not [path for path in home.iterdir() if path.name.startswith(".")], "nothing half-written is left"
    asked = make.gate.with_suffix(".pids").read_text().split()
    assert len(asked) == 4, "the killed worker's study was begun again"
    assert asked.count(str(killed[0])) == 1
    logs = cluster.logs()
    assert "wirbel-" in logs, "the tasks' names are in the logs"
    assert [secret for secret in SECRETS if secret in logs] == []


def test_analyses_go_on_when_a_worker_is_killed(
    cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ct, masks = drawn()
    np.save(tmp_path / "masks.npy", masks)
    make = FromMasksBeside(tmp_path / "masks.npy", tmp_path / "gate")
    for person in PEOPLE[:2]:
        write_ct_series(ct, tmp_path / "export" / person.patient_name, attributes=person)
    (tmp_path / "export" / "notes").mkdir()
    monkeypatch.chdir(tmp_path)
    names, out = [person.patient_name for person in PEOPLE[:2]], Path("out")
    inputs = [Path("export") / name for name in (names[0], "notes", names[1])]
    with one_is_killed(make.gate):
        code = analyse_inputs(
            inputs, out, Order(cause=False), as_json=True, open_engine=make.engine, cluster=str(cluster.file)
        )
    captured = capsys.readouterr()
    shown = json.loads(captured.out)
    assert code == shown["exit_code"] == 1
    assert [s["exit_code"] for s in shown["studies"]] == [0, 3, 0]
    assert [s["out"] for s in shown["studies"]] == [f"out/{names[0]}", None, f"out/{names[1]}"]
    assert all(len(s["vertebrae"]) == len(OF_THE_LARGE) for s in shown["studies"][::2])
    assert captured.err.startswith("wirbel: notes: ")
    assert json.loads((out / "summary.json").read_text()) == shown
    assert {entry.name for entry in out.iterdir()} == {"summary.json", *names}
    assert len(make.gate.with_suffix(".pids").read_text().split()) == 3
    assert [secret for secret in SECRETS if secret in cluster.logs()] == []


@pytest.mark.slow
def test_the_commands_themselves_work_on_a_cluster(cluster: LocalCluster, tmp_path, capsys) -> None:
    source = export(tmp_path / "export", *PEOPLE[:2])
    arguments = [str(source), "--cluster", str(cluster.file), "--json", "-o"]
    assert run(["analyze", *arguments, str(tmp_path / "out")]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert [s["code"] for s in shown["studies"]] == ["NO_VERTEBRA", "NO_VERTEBRA"]
    assert run(["cohort", "import", *arguments, str(tmp_path / "cohort")]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert [s["code"] for s in shown["studies"]] == ["NO_SPINE", "NO_SPINE"]
    assert not list((tmp_path / "cohort").rglob("*.nii.gz"))
