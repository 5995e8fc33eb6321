"""`wirbel evaluate fracture` on the command line: a folder, or one sentence that says why not."""

import importlib.util
from pathlib import Path

import pytest

from wirbel.cli.main import run

_file = Path(__file__).parents[1] / "cohort" / "scored_folder.py"
_spec = importlib.util.spec_from_file_location("scored_folder", _file)
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)
MAL, OST, made_folder = made.MAL, made.OST, made.made_folder
BLOCKS = (
    ("calibration", "calibration", OST, 30), ("calibration", "calibration", MAL, 30), ("t", "test", OST, 30),
    ("t", "test", MAL, 30),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_folder(tmp_path_factory.mktemp("cli"), blocks=BLOCKS)


def evaluate(folder, out, *more: object) -> int:
    return run([str(x) for x in ("evaluate", "fracture", "--crops", folder.path, "-o", out, *more)])


def test_scores_become_a_report(folder, tmp_path, capsys):
    scores = folder.scores("b2", 2.0)
    assert evaluate(folder, tmp_path / "out", "--scores", f"b2={scores}", "--replicates", "100") == 0
    told = capsys.readouterr().out
    assert "Primary estimand: the AUC of the probabilities of b2 over 60 fractures of 60 patients" in told
    assert "Research use only." in told
    assert "SIMULATED" in (tmp_path / "out" / "fracture.html").read_text()


def test_a_calibration_of_another_ensemble_is_refused(folder, tmp_path, capsys):
    table = ["patient,vertebra,class,score1"]
    table += [f"p{i},T12,{'malignant' if i % 2 else 'osteoporotic'},{(i % 2) * 4 - 2 + i / 99}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(table) + "\n")
    fit = ["recalibrate", str(tmp_path / "t.csv"), "-o", str(tmp_path / "c.json"), "--scorer", "x"]
    assert run(fit) == 0
    scores = folder.scores("b2", 2.0, members=3)
    end = evaluate(folder, tmp_path / "o", "--scores", f"b2={scores}", "--calibration", f"b2={tmp_path / 'c.json'}")
    assert end == 3
    assert "is for 1 members, its scores have 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "code", "sentence"),
    [
        (("--scores", "b2"), 2, "write NAME=FILE"),
        (("--scores", "b2=nowhere.tsv"), 2, "there is no file 'nowhere.tsv'"),
        (("--scores", "{}", "--scores", "{}"), 2, "two scores have one name"),
        (("--scores", "{}", "--calibration", "a1=c.json"), 2, "has no --scores a1"),
        (("--scores", "{}", "--calibration", "b2=c.json"), 2, "there is no file 'c.json'"),
        (("--scores", "{}", "--primary", "x"), 2, "--primary 'x' is none of b2"),
        (("--scores", "{}", "--prevalences", "30"), 2, "prevalences must lie between 0 and 1"),
        (("--scores", "{}", "--prevalences", "much"), 2, "write fractions"),
        (("--scores", "{}", "--signs", "none.tsv"), 2, "there is no file 'none.tsv'"),
    ],
)
def test_bad_calls_end_in_one_sentence(folder, tmp_path, capsys, more, code, sentence):
    scores = f"b2={folder.scores('b2', 2.0)}"
    assert evaluate(folder, tmp_path / "out", *(m.replace("{}", scores) for m in more)) == code
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_no_crops_are_told(tmp_path, capsys):
    call = ["evaluate", "fracture", "--crops", str(tmp_path), "--scores", "b2=x", "-o", str(tmp_path / "o")]
    assert run(call) == 3
    assert "holds no crops" in capsys.readouterr().err
