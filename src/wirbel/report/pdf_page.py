"""The page as PDF, and the overview as PNG, set by Typst with fonts that lie in the package."""

import json
from dataclasses import asdict
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import typst

from wirbel.errors import DeliveryError
from wirbel.report.page import Page

#: Resolution of `overview.png`, dots an inch: two whole pixels a point.
OVERVIEW_PPI = 144.0


def pdf_of(page: Page) -> bytes:
    """The PDF (PDF/A-2b, so that an archive takes it)."""
    with as_file(files("wirbel.report")) as room:
        return _first(_compiler(room, page), room / "templates" / "report.typ", "pdf")


def overview_png_of(page: Page) -> bytes:
    """The overview as a picture of its own."""
    with as_file(files("wirbel.report")) as room:
        return _first(_compiler(room, page), room / "templates" / "overview.typ", "png")


def _compiler(room: Path, page: Page) -> typst.Compiler:
    """Typst with our fonts alone and the page's words as input."""
    return typst.Compiler(
        root=room,
        font_paths=[room / "fonts"],
        ignore_system_fonts=True,
        sys_inputs={"page": json.dumps(asdict(page), ensure_ascii=False)},
    )


def _first(compiler: typst.Compiler, template: Path, kind: Literal["pdf", "png"]) -> bytes:
    """The PDF, or the first picture; the same page gives the same bytes."""
    try:
        if kind == "pdf":
            made = compiler.compile(template, format="pdf", pdf_standards=["a-2b"], timestamp=0)
        else:
            made = compiler.compile(template, format="png", ppi=OVERVIEW_PPI, timestamp=0)
    except typst.TypstError as exc:
        raise DeliveryError(f"the {kind.upper()} could not be set: {exc}") from exc
    if not made:
        raise DeliveryError(f"the {kind.upper()} is empty")
    return bytes(made[0] if isinstance(made, list) else made)
