"""`wirbel analyze` from files to folder, over the command line itself."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from wirbel.cli.batch import analyse_inputs, studies_of
from wirbel.cli.main import run
from wirbel.cli.one_study import Engine
from wirbel.cli.order import Order
from wirbel.ingest import read_masks
from wirbel.network.fracture_scorer import shipped_scorer
from wirbel.spine import evidence_from_masks

FILES = {
    "report.html", "report.pdf", "report.txt", "result.json", "vertebrae.csv", "overview.png",
    "segmentation.nii.gz", "segmentation.json",
}  # fmt: skip


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-c", "from wirbel.cli.main import main; main()", *map(str, arguments)]


@pytest.fixture(scope="module")
def done(study, tmp_path_factory):
    """One analysis of the drawn study, by the command line, for all who only look at its result."""
    out = tmp_path_factory.mktemp("done") / "out"
    ended = subprocess.run(
        command("analyze", study.dicom, "--masks", study.masks, "-o", out),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ended, out


def test_a_ct_and_its_masks_become_a_report(done):
    ended, out = done
    assert ended.returncode == 0, ended.stderr
    assert {entry.name for entry in out.iterdir()} >= FILES
    result = json.loads((out / "result.json").read_text())
    assert [v["name"] for v in result["vertebrae"]] == ["L1", "L2", "L3", "L4"]


def test_the_table_and_the_place_of_the_report_are_printed_and_nothing_else_on_standard_error(done):
    ended, out = done
    assert "L1" in ended.stdout
    assert f"{out}/report.html" in ended.stdout
    assert "Research use only" in ended.stdout
    assert ended.stderr == ""


def test_the_result_says_by_what_it_was_made(done, study):
    _, out = done
    provenance = json.loads((out / "result.json").read_text())["provenance"]
    assert provenance["settings"]["finding.grade.losses"] == [0.2, 0.25, 0.4]
    classifier = shipped_scorer()
    behind = {f"masks {study.masks.name}"} | ({classifier.identity.name} if classifier is not None else set())
    assert provenance["bundles"].keys() == behind
    assert provenance["seconds"] > 0
    assert provenance["started"].endswith("+00:00")


def test_a_readers_shift_is_followed_by_every_output(study, tmp_path, capsys):
    arguments = ["analyze", str(study.nifti), "--masks", str(study.masks), "-o", str(tmp_path / "o"), "--json"]
    assert run([*arguments, "--shift-levels", "-1", "--lang", "de"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["exit_code"] == 0
    assert [v["name"] for v in shown["studies"][0]["vertebrae"]] == ["BWK 12", "LWK 1", "LWK 2", "LWK 3"]
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert [v["name"] for v in result["vertebrae"]] == ["T12", "L1", "L2", "L3"]
    assert result["numbering"]["status"] == "shifted"
    assert "BWK 12" in (tmp_path / "o" / "report.txt").read_text()


def test_density_in_mg_per_cm3_needs_a_calibration(study, tmp_path, capsys):
    line = tmp_path / "line.toml"
    line.write_text("mg_cm3_per_hu = 0.8\nmg_cm3_at_0_hu = 4.0\n")
    out = tmp_path / "o"
    assert run(["analyze", str(study.nifti), "--masks", str(study.masks), "-o", str(out),
                "--calibration", str(line), "--json"]) == 0  # fmt: skip
    capsys.readouterr()
    density = json.loads((out / "result.json").read_text())["vertebrae"][1]["measures"]["density"]
    assert density["mg_cm3"] == pytest.approx(0.8 * density["median_hu"] + 4.0, abs=0.2)


@pytest.mark.parametrize("text", ["mg_cm3_per_hu = 'much'", "mg_cm3_per_hu = 90", "a line", "mg_cm3_at_0_hu = 1"])
def test_a_calibration_that_is_none_is_wrong_usage(text, study, tmp_path, capsys):
    line = tmp_path / "line.toml"
    line.write_text(text)
    assert run(["analyze", str(study.nifti), "-o", str(tmp_path / "o"), "--calibration", str(line)]) == 2
    assert "line.toml" in capsys.readouterr().err


def test_one_bad_study_never_stops_the_rest(study, tmp_path, capsys):
    cohort, out = tmp_path / "cohort", tmp_path / "out"
    (cohort / "empty").mkdir(parents=True)
    (cohort / "notes").mkdir()
    (cohort / "notes" / "note.txt").write_text("no image")
    masks = read_masks(study.masks)
    engine = Engine(lambda ct: evidence_from_masks(masks, numbering="verse", ct_grid=ct.grid), {})
    inputs = [cohort / "empty", cohort / "notes", cohort / "gone", study.nifti]
    assert analyse_inputs(inputs, out, Order(), as_json=True, open_engine=lambda *_: engine) == 1
    captured = capsys.readouterr()
    shown = json.loads(captured.out)
    assert [s["exit_code"] for s in shown["studies"]] == [3, 3, 2, 0]
    assert [v["name"] for v in shown["studies"][3]["vertebrae"]] == ["L1", "L2", "L3", "L4"]
    assert json.loads((out / "summary.json").read_text()) == shown
    assert all(f"wirbel: {name}" in captured.err for name in ("empty", "notes", "gone"))
    assert {entry.name for entry in out.iterdir()} == {"ct", "summary.json"}


def test_a_defect_in_one_study_is_set_aside_and_named_without_its_words(study, tmp_path, capsys):
    def broken(_ct):
        raise ZeroDivisionError("Mustermann^Max")

    inputs = [study.nifti, study.dicom]
    engine = Engine(broken, {})
    assert analyse_inputs(inputs, tmp_path / "out", Order(), as_json=False, open_engine=lambda *_: engine) == 1
    captured = capsys.readouterr()
    assert "0 of 2 studies done" in captured.out
    assert captured.err.count("unexpected ZeroDivisionError") == 2
    assert "Mustermann" not in captured.out + captured.err


def test_studies_of_the_same_name_get_folders_of_their_own(tmp_path):
    for patient in ("a", "b"):
        (tmp_path / patient / "ct").mkdir(parents=True)
        (tmp_path / patient / "ct" / "x.txt").write_text("x")
    names = [name for name, _ in studies_of([tmp_path / "a" / "ct", tmp_path / "b" / "ct"])]
    assert names == ["ct", "ct-2"]


def test_masks_belong_to_one_study(study, tmp_path, capsys):
    both = [str(study.nifti), str(study.dicom)]
    assert run(["analyze", *both, "--masks", str(study.masks), "-o", str(tmp_path / "o")]) == 2
    assert "one study" in capsys.readouterr().err


def test_a_folder_that_holds_something_else_is_refused_before_the_work(study, tmp_path, capsys):
    (tmp_path / "theirs.txt").write_text("theirs")
    assert run(["analyze", str(study.nifti), "--masks", str(study.masks), "-o", str(tmp_path)]) == 2
    assert (tmp_path / "theirs.txt").read_text() == "theirs"
    assert capsys.readouterr().err.count("\n") == 1


def test_a_disk_that_fills_ends_with_five_and_leaves_nothing(study, tmp_path):
    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    ended = subprocess.run(
        command("analyze", study.nifti, "--masks", study.masks, "-o", tmp_path / "out"),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files_only,
        timeout=120,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert ended.returncode == 5, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_ended_while_it_writes_leaves_no_half_result(how, study, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(
        command("analyze", study.nifti, "--masks", study.masks, "-o", out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None and not list(tmp_path.glob(".wirbel-partial-*")):
        time.sleep(0.002)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    whole = {entry.name for entry in out.iterdir()} if out.exists() else FILES
    assert whole >= FILES
    assert "Traceback" not in err
    if how is not signal.SIGKILL:
        assert not list(tmp_path.glob(".wirbel-partial-*"))
        assert process.returncode in {0, 128 + how}


def test_the_next_run_clears_what_a_killed_one_left(study, tmp_path, capsys):
    left = tmp_path / ".wirbel-partial-out-0123abcd"
    left.mkdir()
    (left / "report.html").write_text("half")
    assert run(["analyze", str(study.nifti), "--masks", str(study.masks), "-o", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
