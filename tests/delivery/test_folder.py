"""A result folder is whole or not there, and nobody else's files are touched."""

import errno
import os
from pathlib import Path

import pytest

from wirbel.delivery import check_place, deliver_folder
from wirbel.delivery.folder import FILES as EVERY_FILE
from wirbel.delivery.heat import HEAT, HEAT_LEGEND
from wirbel.delivery.leftovers import PREVIOUS, TEMPORARY, clear_leftovers, held
from wirbel.errors import DeliveryError, UsageError
from wirbel.report import ReportPages
from wirbel.study import StudyResult
from wirbel.volume import Volume

#: What a result without a heat map leaves.
FILES = tuple(name for name in EVERY_FILE if name not in (HEAT, HEAT_LEGEND))
Delivery = tuple[StudyResult, Volume, ReportPages]


@pytest.fixture
def delivery(result: StudyResult, ct: Volume, pages: ReportPages) -> Delivery:
    return result, ct, pages


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_the_folder_holds_every_file_and_nothing_else(delivery: Delivery, tmp_path: Path) -> None:
    out = deliver_folder(*delivery, tmp_path / "deep" / "out")
    assert names(out) == set(FILES)
    assert names(tmp_path / "deep") == {"out"}
    assert all((out / name).stat().st_size for name in FILES)


def test_a_folder_of_ours_is_replaced(delivery: Delivery, tmp_path: Path) -> None:
    out = deliver_folder(*delivery, tmp_path / "out")
    (out / "report.txt").write_text("old")
    deliver_folder(*delivery, out)
    assert (out / "report.txt").read_text() == "text\n"
    assert names(tmp_path) == {"out"}


def test_an_empty_folder_is_filled(delivery: Delivery, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert names(deliver_folder(*delivery, out)) == set(FILES)


@pytest.mark.parametrize("theirs", ["thesis.docx", "report.html"])
def test_other_peoples_files_are_never_replaced(delivery: Delivery, tmp_path: Path, theirs: str) -> None:
    (tmp_path / theirs).write_text("mine")
    with pytest.raises(UsageError, match="--overwrite"):
        deliver_folder(*delivery, tmp_path)
    assert (tmp_path / theirs).read_text() == "mine"
    assert names(tmp_path) == {theirs}


def test_a_foreign_file_inside_a_folder_of_ours_protects_it(delivery: Delivery, tmp_path: Path) -> None:
    out = deliver_folder(*delivery, tmp_path / "out")
    (out / "my notes.txt").write_text("mine")
    with pytest.raises(UsageError):
        deliver_folder(*delivery, out)
    assert (out / "my notes.txt").exists()


def test_overwrite_replaces_a_folder_but_never_a_file(delivery: Delivery, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.txt").write_text("old")
    assert names(deliver_folder(*delivery, out, overwrite=True)) == set(FILES)
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        deliver_folder(*delivery, file, overwrite=True)


def test_a_place_can_be_asked_for_before_the_work(tmp_path: Path) -> None:
    check_place(tmp_path / "new")
    (tmp_path / "theirs.txt").write_text("mine")
    with pytest.raises(UsageError):
        check_place(tmp_path)


def test_a_full_disk_leaves_nothing_and_the_old_result_stands(
    delivery: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = deliver_folder(*delivery, tmp_path / "out")
    before = {name: (out / name).read_bytes() for name in FILES}
    real = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if self.name == "report.pdf":
            real(self, data[:2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DeliveryError, match="the disk is full") as caught:
        deliver_folder(*delivery, out)
    assert caught.value.exit_code == 5
    assert {name: (out / name).read_bytes() for name in FILES} == before
    assert names(tmp_path) == {"out"}


def test_a_place_below_a_file_is_a_delivery_error(delivery: Delivery, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DeliveryError):
        deliver_folder(*delivery, tmp_path / "file" / "out")
    assert names(tmp_path) == {"file"}


def test_an_interrupt_leaves_nothing_half_written(
    delivery: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Path, data: bytes) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        deliver_folder(*delivery, tmp_path / "out")
    assert names(tmp_path) == set()


def test_when_the_last_rename_fails_the_old_result_comes_back(
    delivery: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = deliver_folder(*delivery, tmp_path / "out")
    real = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.startswith(".wirbel-partial-out") and not self.name.endswith("-previous"):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(DeliveryError):
        deliver_folder(*delivery, out)
    assert names(out) == set(FILES)
    assert names(tmp_path) == {"out"}


def test_what_a_killed_run_left_is_cleared_and_what_it_had_moved_aside_comes_back(tmp_path: Path) -> None:
    half = tmp_path / f"{TEMPORARY}result-0123abcd"
    half.mkdir()
    (half / "report.html").write_text("half")
    old = tmp_path / f"{TEMPORARY}result-4567cdef{PREVIOUS}"
    old.mkdir()
    (old / "report.html").write_text("whole")
    clear_leftovers(tmp_path / "result")
    assert not half.exists()
    assert (tmp_path / "result" / "report.html").read_text() == "whole"


def test_a_folder_that_somebody_is_writing_is_left_alone(tmp_path: Path) -> None:
    busy = tmp_path / f"{TEMPORARY}result-0123abcd"
    busy.mkdir()
    with held(busy):
        clear_leftovers(tmp_path / "result")
        assert busy.exists()
    clear_leftovers(tmp_path / "result")
    assert not busy.exists()
