"""Folders of crops as one: every crop from its own folder, patients kept apart, and nothing half-written."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.training.drawn_crops import SIDE, crops_in, some_rows
from typer.testing import CliRunner

from wirbel.cli.main import app
from wirbel.cohort.crops import read_crops
from wirbel.cohort.join import write_joined
from wirbel.cohort.signs import COLUMNS, lines_of
from wirbel.errors import InputRejected, UsageError
from wirbel.phantom.cohort.arms import Arm, Split
from wirbel.phantom.cohort.make import make_crops
from wirbel.phantom.cohort.settings import CohortSettings
from wirbel.training.fracture.crop_rows import open_crops


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return crops_in(tmp_path / "here", some_rows(4))


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = crops_in(tmp_path / "there", some_rows(2))
    np.save(folder / "hu.npy", np.load(folder / "hu.npy") + np.int16(1000))
    return folder


def with_truth(folder: Path, rows: int) -> None:
    np.save(folder / "marks.npy", np.full((rows, SIDE, SIDE, SIDE), rows, np.uint8))
    lines = "".join(f"{k}\tp{k}\t{folder.name}{k}\n" for k in range(rows))
    (folder / "truth.tsv").write_text("row\tpatient\tcause\n" + lines)


def test_crops_follow_each_other_and_say_where_they_are_from(here: Path, there: Path, tmp_path: Path) -> None:
    made = write_joined([here, there], tmp_path / "out", apart=True)
    assert (made.crops, made.waiting) == ((6, 4), ())
    out = read_crops(tmp_path / "out")
    np.testing.assert_array_equal(out.hu[5], np.load(here / "hu.npy")[5])
    np.testing.assert_array_equal(out.hu[7], np.load(there / "hu.npy")[1])
    np.testing.assert_array_equal(out.mask[7], np.load(there / "mask.npy")[1])
    assert [row["patient"] for row in out.rows] == [f"p{k}" for k in range(6)] + [f"2-p{k}" for k in range(4)]
    assert (out.rows[7]["from_folder"], out.rows[7]["from_row"], out.rows[7]["class"]) == (
        "2", "1", "osteoporotic_fracture",
    )  # fmt: skip
    assert json.loads((tmp_path / "out" / "crops.json").read_text())["simulated"] is True
    assert len(open_crops(tmp_path / "out").training) == 6


def test_a_patient_in_two_folders_ends_it(here: Path, there: Path, tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match=r"4 patients are in 'here' and in 'there' under .*--apart"):
        write_joined([here, there], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_paint_and_truth_stay_where_all_have_them(here: Path, there: Path, tmp_path: Path) -> None:
    with_truth(here, 6)
    assert write_joined([here, there], tmp_path / "without", apart=True).left_out == ("paint", "truth")
    assert not (tmp_path / "without" / "marks.npy").exists() and not (tmp_path / "without" / "truth.tsv").exists()
    with_truth(there, 4)
    assert write_joined([here, there], tmp_path / "with", apart=True).left_out == ()
    assert np.load(tmp_path / "with" / "marks.npy")[:, 0, 0, 0].tolist() == [6] * 6 + [4] * 4
    with (tmp_path / "with" / "truth.tsv").open() as file:
        truth = list(csv.DictReader(file, delimiter="\t"))
    assert truth[8] == {"row": "8", "patient": "2-p2", "cause": "there2"}


def test_signs_that_were_measured_go_along(here: Path, there: Path, tmp_path: Path) -> None:
    values = "\t".join(f"{k}.5" for k in range(len(COLUMNS) - 1))
    (there / "signs.tsv").write_text("\t".join(COLUMNS) + f"\n2\t{values}\n")
    write_joined([here, there], tmp_path / "out", apart=True)
    assert lines_of(tmp_path / "out" / "signs.tsv") == {8: ("8", *values.split("\t"))}


def test_a_folder_joined_again_counts_anew(here: Path, there: Path, tmp_path: Path) -> None:
    write_joined([here, there], tmp_path / "two", apart=True)
    third = crops_in(tmp_path / "third", some_rows(2))
    write_joined([tmp_path / "two", third], tmp_path / "three", apart=True)
    rows = read_crops(tmp_path / "three").rows
    assert [row["from_folder"] for row in rows] == ["1"] * 10 + ["2"] * 4 and rows[9]["from_row"] == "9"
    assert (rows[6]["patient"], rows[10]["patient"]) == ("2-p0", "3-p0")


def test_of_a_cohort_being_drawn_the_whole_arms_are_taken(tmp_path: Path) -> None:
    arms = tuple(Arm(name, Split.TEST, "internal", 2, normal=2) for name in ("sound", "more", "last"))
    for k in range(2):
        settings = CohortSettings("tiny", arms, seed=k, voxels=32, spacing_mm=2.0)
        make_crops(settings, tmp_path / f"drawn{k}", only=("sound", "more"))
    progress = tmp_path / "drawn1" / "progress.jsonl"
    progress.write_text("".join(progress.read_text().splitlines(keepends=True)[:-1]))
    made = write_joined([tmp_path / "drawn0", tmp_path / "drawn1"], tmp_path / "out", apart=True)
    data = open_crops(tmp_path / "out")
    assert made.crops == (4, 2)
    assert made.waiting == ("drawn0: last", "drawn1: more", "drawn1: last")
    assert {r.arm for r in data.rows if r.patient.startswith("2-")} == {"sound"}
    assert data.simulated and dict(data.made_by)["settings_sha256"].count(", ") == 1
    with pytest.raises(UsageError, match="'drawn0' is still being drawn, and 'last' is not whole"):
        write_joined([tmp_path / "drawn0"], tmp_path / "other", arms=["sound", "last"])
    assert data.marks is not None and len(data.marks) == len(data.rows) and data.rows[-1].truth


def test_some_arms_alone(here: Path, there: Path, tmp_path: Path) -> None:
    index = here / "index.tsv"
    index.write_text(index.read_text().replace("\ttest\n", "\tlast\n"))
    made = write_joined([here, there], tmp_path / "out", arms=["test", "last"], apart=True)
    assert made.crops == (2, 2)
    assert [row["from_row"] for row in read_crops(tmp_path / "out").rows] == ["4", "5", "2", "3"]
    with pytest.raises(UsageError, match="no folder has an arm 'trian'; there are last, test, train"):
        write_joined([here, there], tmp_path / "other", arms=["train", "trian"], apart=True)
    assert write_joined([here], tmp_path / "one", arms=["last"]).crops == (2,)
    with pytest.raises(UsageError, match="'there' has none of these arms; it has test, train"):
        write_joined([here, there], tmp_path / "other", arms=["last"], apart=True)


def test_what_is_damaged_is_told_and_leaves_nothing(here: Path, there: Path, tmp_path: Path) -> None:
    def refused(said: str) -> None:
        with pytest.raises(InputRejected, match=said):
            write_joined([here, there], tmp_path / "out", apart=True)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["here", "there"]

    with_truth(here, 6)
    with_truth(there, 4)
    marks = np.load(there / "marks.npy")
    np.save(there / "marks.npy", marks[:3])
    refused("'there': marks.npy does not fit the other arrays")
    np.save(there / "marks.npy", marks)
    (there / "truth.tsv").write_text("row\tpatient\tcause\n0\tp0\tthere0\n")
    refused("truth.tsv has 1 lines for 4 crops")
    with_truth(there, 4)
    (there / "signs.tsv").write_bytes(b"row\xff\n")
    refused("'signs.tsv' is no table of signs")
    (there / "signs.tsv").unlink()
    np.save(there / "hu.npy", np.load(there / "hu.npy").astype(">i2"))
    refused("other kinds of numbers than 'here'")


def test_what_does_not_belong_together_is_refused(here: Path, there: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        write_joined([here, there], there, apart=True)
    with pytest.raises(InputRejected, match="holds no crops"):
        write_joined([here, tmp_path / "nothing"], tmp_path / "out")
    said = json.loads((there / "crops.json").read_text())
    (there / "crops.json").write_text(json.dumps(said | {"simulated": False}))
    with pytest.raises(UsageError, match="one is drawn and one is of patients"):
        write_joined([here, there], tmp_path / "out", apart=True)
    (there / "crops.json").write_text(json.dumps(said | {"spacing_mm": 2.0}))
    with pytest.raises(UsageError, match=r"'here' has crops of .* of 1 mm, 'there' of .* of 2 mm"):
        write_joined([here, there], tmp_path / "out", apart=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here", "there"]


def test_the_command_tells_how_many_of_which(here: Path, there: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = CliRunner().invoke(app, ["cohort", "join", str(here), str(there), "-o", str(out), "--apart"])
    assert told.exit_code == 0 and "10 crops in out: 6 of here, 4 of there" in told.output
    assert "Research use only" in told.output
