"""`wirbel cohort` on the command line: exit codes, files, and what is said."""

import importlib.util
import json
from pathlib import Path

import pytest

from wirbel.cli.main import run

_spec = importlib.util.spec_from_file_location(
    "cohort_on_disk", Path(__file__).parents[1] / "cohort" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
drawn = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(drawn)


def cohort(tmp_path: Path, rows: list[object], images: list[str] | None = None) -> Path:
    folder = tmp_path / "cohort"
    folder.mkdir()
    names = images if images is not None else list(dict.fromkeys(row.patient for row in rows))
    for seed, patient in enumerate(names):
        drawn.write_image(folder, patient, seed)
    drawn.write_table(folder / "cohort.tsv", rows)
    return folder


def test_a_sound_cohort_ends_with_0_and_writes_its_flow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cohort(tmp_path, drawn.sound_rows())
    assert run(["cohort", "check", str(folder), "--fast", "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "included: 12 vertebrae of 12 patients" in said
    assert "0 contradictions: none" in said
    assert said.endswith("Research use only.\n")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"check.json", "flow.svg", "flow.txt"}


def test_contradictions_end_with_3_and_json_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [drawn.Row("a", split="train"), drawn.Row("a", "L2", split="test"), drawn.Row("b", label="bad")]
    folder = cohort(tmp_path, rows, ["a", "b"])
    assert run(["cohort", "check", str(folder), "--workers", "1", "--json"]) == 3
    plain = json.loads(capsys.readouterr().out)
    assert {"leak", "unknown_class", "one_class", "too_few_patients"} <= {p["code"] for p in plain["problems"]}
    assert plain["excluded"] == [
        {"line": 4, "patient": "b", "vertebra": None, "reason": "row_not_read", "words": "row cannot be read"}
    ]


def test_split_writes_once_and_again_only_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cohort(tmp_path, drawn.sound_rows(8))
    order = ["cohort", "split", str(folder), "--seed", "3", "--folds", "2", "--test", "0.25", "--workers", "1"]
    assert run(order) == 0
    written = (folder / "cohort.tsv").read_text()
    assert written.count("\ttest\t") == 4
    assert "internal test: 4 vertebrae of 4 patients" in capsys.readouterr().out
    assert run(order) == 2
    assert "say --overwrite" in capsys.readouterr().err
    assert (folder / "cohort.tsv").read_text() == written
    assert run([*order, "--overwrite"]) == 0
    assert (folder / "cohort.tsv").read_text() == written


def test_crops_and_draft(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cohort(tmp_path, [drawn.Row("a"), drawn.malignant("m")])
    order = ["cohort", "crops", str(folder), "-o", str(tmp_path / "crops"), "--size", "16", "--spacing", "3"]
    assert run([*order, "--workers", "1"]) == 0
    assert "2 crops in crops" in capsys.readouterr().out
    (folder / "cohort.tsv").unlink()
    assert run(["cohort", "check", str(folder)]) == 2
    assert run(["cohort", "draft", str(folder), "--workers", "1"]) == 0
    assert (folder / "cohort.tsv").read_text().count("unclear") == 8
    assert run(["cohort", "draft", str(folder)]) == 2


def test_a_correction_by_one_level_moves_table_mask_and_centroids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = cohort(tmp_path, [drawn.Row("a"), drawn.Row("a", "T12"), drawn.malignant("m")])
    assert run(["cohort", "shift", str(folder), "sub-a", "--by", "1"]) == 0
    assert "table lines 2, 3 rewritten" in capsys.readouterr().out
    lines = (folder / "cohort.tsv").read_text().splitlines()
    assert [line.split("\t")[:2] for line in lines[1:]] == [["a", "L2"], ["a", "L1"], ["m", "L1"]]
    assert run(["cohort", "shift", str(folder), "sub-a"]) == 2
    assert run(["cohort", "shift", str(folder), "sub-a", "--by", "9"]) == 2
    assert "beyond C1-L6" in capsys.readouterr().err
