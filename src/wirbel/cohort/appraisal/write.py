"""The report's folder: whole, or not there at all."""

from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from wirbel.cohort.appraisal.pages import as_html, as_markdown, figures_csv, sheet_csv
from wirbel.cohort.appraisal.sheet import Document
from wirbel.cohort.whole_files import PARTIAL, told
from wirbel.errors import UsageError

PAGE = "fracture.html"


def must_be_free(out: Path) -> None:
    """Raise `UsageError` where the folder holds something that is no report of ours."""
    if out.exists() and not (out / PAGE).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out.name!r} is not empty and holds no report: name a new folder")


def write_report(document: Document, out: Path) -> None:
    """HTML, Markdown, every table as CSV, all figures in one CSV, and the pictures; replaces a report of ours."""
    must_be_free(out)
    with told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(prefix=PARTIAL, dir=out.parent))
        try:
            _fill(document, work)
            work.chmod(0o755)
            if out.exists():
                rmtree(out)
            work.rename(out)
        finally:
            rmtree(work, ignore_errors=True)


def _fill(document: Document, work: Path) -> None:
    texts = {PAGE: as_html(document), "fracture.md": as_markdown(document), "figures.csv": figures_csv(document)}
    for sheet in document.sheets:
        if sheet.rows:
            texts[f"tables/{sheet.name}.csv"] = sheet_csv(sheet, simulated=document.simulated)
    for name, text in texts.items():
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(text, encoding="utf-8")
    (work / "figures").mkdir()
    for picture in document.pictures:
        (work / "figures" / picture.name).write_bytes(picture.data)
