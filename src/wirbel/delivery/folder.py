"""A result as a folder: whole or not at all.

Everything is written into a temporary sibling, which then takes the name. A folder that is there already is
replaced only when it is empty or one of ours.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wirbel.delivery.heat import HEAT, HEAT_LEGEND, write_heat
from wirbel.delivery.leftovers import PREVIOUS, TEMPORARY, clear_leftovers, held
from wirbel.delivery.segmentation import LEGEND, MASKS, PARTS, write_segmentation
from wirbel.errors import DeliveryError, UsageError
from wirbel.report import ReportPages
from wirbel.study import StudyResult
from wirbel.volume import Volume

#: The mark by which a folder is known as ours.
MARK = ".wirbel-result"
FILES = (
    "report.html", "report.pdf", "report.txt", "result.json", "vertebrae.csv", "overview.png",
    MASKS, PARTS, LEGEND, HEAT, HEAT_LEGEND, MARK,
)  # fmt: skip


def deliver_folder(
    result: StudyResult, ct: Volume, pages: ReportPages, out: Path, *, overwrite: bool = False
) -> Path:
    """Write the whole result to `out` and return it.

    Raises `UsageError` where `out` is somebody else's (`overwrite` replaces any folder, never a file) and
    `DeliveryError` where writing fails; then `out` is as it was before.
    """
    check_place(out, overwrite=overwrite)
    with _arriving(out) as folder:
        _write_pages(folder, pages)
        write_segmentation(folder, result.spine, ct.grid)
        write_heat(folder, result)
        (folder / MARK).write_text("wirbel result folder; research use only\n", encoding="utf-8")
    return out


def check_place(out: Path, *, overwrite: bool = False) -> None:
    """Refuse a place that is not ours to replace; can be asked before the work is done."""
    if out.is_symlink() and not out.exists():
        raise UsageError(f"{out.name!r} is a link to nothing: choose another output folder")
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out.name!r} is a file, not a folder: choose another output folder")
    if not overwrite and not is_ours(out):
        raise UsageError(
            f"{out.name!r} is not empty and holds files that are not a wirbel result: "
            "choose another output folder, or say --overwrite"
        )


def is_ours(folder: Path) -> bool:
    """Whether a folder is empty, or holds a result of ours and nothing else."""
    try:
        names = {entry.name for entry in folder.iterdir()}
    except OSError as exc:
        raise DeliveryError(f"{folder.name!r} cannot be read: {_why(exc)}") from exc
    return not names or (MARK in names and names <= set(FILES))


def _write_pages(folder: Path, pages: ReportPages) -> None:
    for name, text in (
        ("report.html", pages.html), ("report.txt", pages.text), ("result.json", pages.json),
    ):  # fmt: skip
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "vertebrae.csv").write_bytes(pages.csv.encode("utf-8-sig"))
    (folder / "report.pdf").write_bytes(pages.pdf)
    (folder / "overview.png").write_bytes(pages.overview_png)


@contextmanager
def _arriving(out: Path) -> Iterator[Path]:
    """A temporary sibling that becomes `out` when all went well, and is gone when not."""
    target = out.resolve()
    partial = target.parent / f"{TEMPORARY}{target.name}-{secrets.token_hex(4)}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(target)
        partial.mkdir()
        with held(partial):
            yield partial
            _sync(partial)
            _take_place(partial, target)
    except OSError as exc:
        raise DeliveryError(f"the result could not be written to {out.name!r}: {_why(exc)}") from exc
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _take_place(partial: Path, target: Path) -> None:
    """Rename into place; what was there before comes back when that fails."""
    if not target.exists():
        partial.rename(target)
        return
    previous = target.parent / f"{TEMPORARY}{target.name}-{secrets.token_hex(4)}{PREVIOUS}"
    target.rename(previous)
    try:
        partial.rename(target)
    except OSError:
        previous.rename(target)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Have the disk hold what was written before the name changes."""
    for path in folder.iterdir():
        with path.open("rb") as file, suppress(OSError):
            os.fsync(file.fileno())


def _why(exc: OSError) -> str:
    """The system's reason in words."""
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: make room and run again"
    if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "no permission to write there: choose another output folder"
    return exc.strerror or type(exc).__name__
