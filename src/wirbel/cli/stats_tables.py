"""Tables in and pages out of `wirbel stats`; what the numbers say is in `wirbel.evaluation`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wirbel.errors import InputRejected, UsageError, WirbelError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from wirbel.evaluation.mrmc import Readings
    from wirbel.evaluation.pages import Page
    from wirbel.evaluation.reading_tables import ReadingColumns

    Scores = tuple[npt.NDArray[np.float64], list[npt.NDArray[np.float64]], npt.NDArray[np.generic] | None]

Table = Annotated[Path, typer.Argument(metavar="FILE", help="Table with a header line, one case or reading a row.")]
Truth = Annotated[str, typer.Option("--truth", help="Column with the truth: 1 diseased, 0 not.")]
Patient = Annotated[str, typer.Option("--patient", help="Column with the patient, where one has several cases.")]
Threshold = Annotated[float | None, typer.Option("--threshold", help="Scores at or above it are called positive.")]
Level = Annotated[float, typer.Option("--level", help="Confidence level.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="Folder for result.md, .html, .json and the figures.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of Markdown.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of bootstrap draws.")]


@contextmanager
def refusing(error: type[WirbelError]) -> Iterator[None]:
    """Turn the one-sentence ValueError of the statistics into an error of the command line."""
    try:
        yield
    except ValueError as exc:
        raise error(str(exc)) from exc


def text_of(file: Path) -> str:
    """The table's text; UsageError where there is no such file, InputRejected where it is no text."""
    if not file.is_file():
        raise UsageError(f"there is no file {file.name!r}: give the path of a table")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise InputRejected(f"{file.name!r} is not UTF-8 text: save the table as CSV (UTF-8)") from exc


def columns_of(file: Path) -> dict[str, list[str]]:
    """The columns of a CSV file as text."""
    from wirbel.evaluation.reading_tables import read_columns  # noqa: PLC0415  # keeps --help fast

    text = text_of(file)
    with refusing(InputRejected):
        return read_columns(text)


def scores_of(file: Path, truth: str, scores: list[str], patient: str) -> Scores:
    """Truth, each score and the patients (or None) from a CSV file."""
    import numpy as np  # noqa: PLC0415

    from wirbel.evaluation.inputs import binary, finite  # noqa: PLC0415
    from wirbel.evaluation.reading_tables import column, numbers  # noqa: PLC0415

    table = columns_of(file)
    with refusing(UsageError):
        for name in [truth, *scores, *([patient] if patient else [])]:
            column(table, name)
    with refusing(InputRejected):
        values = [finite(numbers(table, name), f"column {name!r}") for name in scores]
        labels = binary(numbers(table, truth), f"column {truth!r}").astype(np.float64)
        return labels, values, np.array(table[patient]) if patient else None


def readings_of(file: Path, columns: ReadingColumns) -> Readings:
    """Readings from a CSV file, or by its ending from the iMRMC form or Iowa's .lrc."""
    from wirbel.evaluation import reading_tables as tables  # noqa: PLC0415

    text = text_of(file)
    with refusing(InputRejected):
        if file.suffix.lower() == ".imrmc":
            return tables.readings_from_imrmc(text)
        if file.suffix.lower() == ".lrc":
            return tables.readings_from_lrc(text)
    table = columns_of(file)
    with refusing(UsageError):
        for name in columns.names:
            tables.column(table, name)
    with refusing(InputRejected):
        return tables.readings_from_csv(text, columns)


def finish(page: Page, output: Path | None, *, json: bool) -> None:
    """Print the page, and write it with its figures where a folder is given."""
    from wirbel.evaluation.pages import as_html, as_json, as_markdown  # noqa: PLC0415

    typer.echo(as_json(page) if json else as_markdown(page), nl=False)
    if output is None:
        return
    output.mkdir(parents=True, exist_ok=True)
    written = {"result.md": as_markdown(page), "result.html": as_html(page), "result.json": as_json(page)}
    written |= {f"{drawing.name}.svg": drawing.svg for drawing in page.drawings}
    for name, text in written.items():
        (output / name).write_text(text, encoding="utf-8")
