"""Crops outlined anew: moved to the body that was found, whole or told, and resumed where they stopped."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.training.drawn_crops import SIDE, crops_in, some_rows
from typer.testing import CliRunner

from wirbel.cli.main import app
from wirbel.cohort.begun import planned, read_begun
from wirbel.cohort.crops import read_crops
from wirbel.cohort.outline import NOTES_FILE, merged, write_outlined
from wirbel.errors import InputRejected, UsageError
from wirbel.network.crop_outline import LOOK_MM, OutlinedCrop, load_crop_outliner
from wirbel.phantom.cohort.make import make_crops
from wirbel.phantom.cohort.settings import fingerprint, settings_for


def two_voxels_up(hu: np.ndarray) -> OutlinedCrop:
    """The bright bone, a voxel too tight, and as if its middle lay two voxels above the crop's."""
    own = np.zeros(hu.shape, bool)
    own[23:47, 21:49, 19:51] = True
    return OutlinedCrop(own, np.zeros_like(own), np.array([2, 0, -1]))


def every_second(crops: Path) -> object:
    """An outliner that finds nothing in every second crop that it sees."""
    count = 0

    def outline(hu: np.ndarray) -> OutlinedCrop | None:
        nonlocal count
        count += 1
        return two_voxels_up(hu) if count % 2 else None

    return outline


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    folder = crops_in(tmp_path / "crops", some_rows(4))
    marks = np.zeros((6, SIDE, SIDE, SIDE), np.uint8)
    marks[:, 30, 30, 30] = 9
    np.save(folder / "marks.npy", marks)
    (folder / "truth.tsv").write_text("row\tlines\n" + "".join(f"{k}\t{k}.5\n" for k in range(6)))
    return folder


def test_the_body_found_lies_in_the_middle_with_image_and_paint(crops: Path, tmp_path: Path) -> None:
    made = write_outlined(crops, tmp_path / "out", outline=two_voxels_up)
    assert (made.crops, made.new, made.not_found) == (6, 6, ())
    before, after = read_crops(crops), read_crops(tmp_path / "out")
    assert after.hu.shape == before.hu.shape
    np.testing.assert_array_equal(after.hu[0][:-2, :, 1:], before.hu[0][2:, :, :-1])
    assert (after.hu[0][-2:] == -1024).all() and (after.hu[0][:, :, 0] == -1024).all()
    own = np.argwhere(after.mask[0] == 1)
    assert own.min(0).tolist() == [21, 21, 20] and own.max(0).tolist() == [44, 48, 51]
    assert (after.mask[0][-2:] == 4).all()
    assert np.argwhere(np.load(tmp_path / "out" / "marks.npy")[3]).tolist() == [[28, 30, 31]]
    assert made.overlap[0] == pytest.approx(2 * 24 * 28 * 32 / (24 * 28 * 32 + 26 * 30 * 34), abs=1e-4)
    assert after.rows[2]["from_row"] == "2" and after.rows[2]["class"] == before.rows[2]["class"]


def test_a_neighbour_gets_what_the_networks_give_it_and_keeps_what_it_had() -> None:
    mask = np.array([[[1, 1, 2, 2, 4]]], np.uint8)
    own = np.array([[[True, False, True, False, False]]])
    others = np.array([[[False, True, False, False, False]]])
    assert merged(mask, OutlinedCrop(own, others, np.zeros(3, int))).tolist() == [[[1, 2, 1, 2, 4]]]


def test_what_is_not_found_is_left_out_and_told(crops: Path, tmp_path: Path) -> None:
    made = write_outlined(crops, tmp_path / "out", outline=every_second(crops))
    assert made.not_found == ("1: p1 L1", "3: p3 L1", "5: p5 L1")
    rows = read_crops(tmp_path / "out").rows
    assert [row["from_row"] for row in rows] == ["0", "2", "4"]
    assert (tmp_path / "out" / "truth.tsv").read_text() == "row\tlines\n0\t0.5\n1\t2.5\n2\t4.5\n"
    assert json.loads((tmp_path / "out" / "crops.json").read_text())["not_found"] == 3


def test_a_stopped_run_goes_on_and_gives_the_same(crops: Path, tmp_path: Path) -> None:
    seen = 0

    def until_the_third(hu: np.ndarray) -> OutlinedCrop:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise KeyboardInterrupt
        return two_voxels_up(hu)

    with pytest.raises(KeyboardInterrupt):
        write_outlined(crops, tmp_path / "out", outline=until_the_third)
    with pytest.raises(InputRejected, match="holds no crops"):
        read_crops(tmp_path / "out")
    with (tmp_path / "out" / NOTES_FILE).open("a") as file:
        file.write('{"row": 2, "of')  # killed while it was writing
    with (tmp_path / "out" / "hu.npy").open("ab") as file:
        file.write(b"half a crop")
    assert write_outlined(crops, tmp_path / "out", outline=two_voxels_up).new == 4
    whole = write_outlined(crops, tmp_path / "whole", outline=two_voxels_up)
    assert whole.crops == 6
    for name in ("hu.npy", "mask.npy", "marks.npy", "index.tsv", "truth.tsv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_one_arm_alone_and_an_arm_that_is_none(crops: Path, tmp_path: Path) -> None:
    assert write_outlined(crops, tmp_path / "out", arms=["test"], outline=two_voxels_up).crops == 2
    with pytest.raises(UsageError, match="there is no arm 'best'; there are test, train"):
        write_outlined(crops, tmp_path / "other", arms=["best"], outline=two_voxels_up)


def test_another_folder_s_work_is_not_gone_on_with(crops: Path, tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="in none of 6 crops"):
        write_outlined(crops, tmp_path / "out", outline=lambda _: None)
    with pytest.raises(UsageError, match="begun with other crops"):
        write_outlined(crops, tmp_path / "out", arms=["test"], outline=two_voxels_up)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="is not empty"):
        write_outlined(crops, tmp_path / "own", outline=two_voxels_up)
    assert (tmp_path / "own" / "letter.txt").read_text() == "dear"


def test_networks_find_nothing_in_noise(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 30, (64, 64, 64)).astype(np.int16)
    assert LOOK_MM < 32
    assert load_crop_outliner(threads=1)(noise) is None


def test_the_command_says_what_it_could_not_find(tmp_path: Path) -> None:
    folder = crops_in(tmp_path / "crops", some_rows(1)[:1])
    np.save(folder / "hu.npy", np.full((1, SIDE, SIDE, SIDE), -900, np.int16))
    got = CliRunner().invoke(app, ["cohort", "outline", str(folder), "-o", str(tmp_path / "out")])
    assert isinstance(got.exception, InputRejected)
    assert "in none of 1 crops a vertebra was found" in str(got.exception)
    assert not (tmp_path / "out" / "crops.json").exists()


def test_an_arm_that_is_whole_is_outlined_while_others_are_drawn(tmp_path: Path) -> None:
    settings = settings_for("ci", voxels=64)
    make_crops(settings, tmp_path / "drawn", only=("discitis",))
    row = next(iter(read_begun(tmp_path / "drawn").index))
    with pytest.raises(UsageError, match=r"is still being drawn \(train, .*\): name arms that are whole"):
        write_outlined(tmp_path / "drawn", tmp_path / "out", outline=two_voxels_up)
    made = write_outlined(tmp_path / "drawn", tmp_path / "out", arms=["discitis"], outline=two_voxels_up)
    after = read_crops(tmp_path / "out")
    assert made.crops == planned(tmp_path / "drawn")["discitis"] == len(after.rows)
    assert after.rows[0]["from_row"] == str(row) and after.rows[0]["arm"] == "discitis"
    assert (tmp_path / "out" / "truth.tsv").read_text().splitlines()[1].startswith("0\t")
    said = json.loads((tmp_path / "out" / "crops.json").read_text())
    assert said["simulated"] is True and said["settings_sha256"] == fingerprint(settings)
    with pytest.raises(UsageError, match="'train' is not whole"):
        write_outlined(tmp_path / "drawn", tmp_path / "other", arms=["train"], outline=two_voxels_up)
    with pytest.raises(UsageError, match="there is no arm 'trian'"):
        write_outlined(tmp_path / "drawn", tmp_path / "other", arms=["trian"], outline=two_voxels_up)
    progress = tmp_path / "drawn" / "progress.jsonl"
    progress.write_text(progress.read_text().splitlines(keepends=True)[0])
    with pytest.raises(UsageError, match="'discitis' is not whole"):
        write_outlined(tmp_path / "drawn", tmp_path / "other", arms=["discitis"], outline=two_voxels_up)
