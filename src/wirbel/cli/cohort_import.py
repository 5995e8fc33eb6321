"""`wirbel cohort import`: a PACS export into a cohort, without a word about the patients. Research use only."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wirbel.cli.exit import ExitCode
from wirbel.errors import UsageError

if TYPE_CHECKING:
    from wirbel.cohort.import_studies import Imported
    from wirbel.spine import Segmenter
    from wirbel.workers.port import Spread


@dataclass(frozen=True, slots=True)
class ShippedSegmenter:
    """Opens the shipped networks in the process that asks."""

    def __call__(self, threads: int | None, /) -> "Segmenter":
        """The segmenter; raises `ModelError` where its networks are missing."""
        from wirbel.network.segmenter import load_spine_segmenter  # noqa: PLC0415  # keeps --help fast

        return load_spine_segmenter(threads=threads)


def import_(  # noqa: PLR0913, PLR0917  # a command line's options are its parameters
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="PACS export: DICOM folders, archives, NIfTI.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="The cohort; goes on where it is.")],
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Who is who, for you alone; else FOLDER.key.tsv beside it."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="Your table with your patient numbers; they are replaced."),
    ] = None,
    margin: Annotated[float, typer.Option("--margin", metavar="MM", help="CT kept around the column.")] = 60.0,
    whole: Annotated[bool, typer.Option("--whole", help="Keep the whole field of view.")] = False,
    series_table: Annotated[
        Path | None, typer.Option("--series-table", metavar="FILE", help="Your own table for the choice of series.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0: one a core.")] = 0,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Work on a Dask cluster: its scheduler (tcp://host:8786) or scheduler file.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines on standard output.")] = False,
) -> None:
    """De-identify, resample to 1 mm, segment and name every study; goes on where it was broken off.

    Exit code 0: every study is in; 1: some are not, the key says which and why.
    """
    from wirbel.cli.progress import display  # noqa: PLC0415  # keeps --help fast
    from wirbel.cohort.import_studies import import_studies  # noqa: PLC0415
    from wirbel.cohort.import_tables import complete_tables  # noqa: PLC0415
    from wirbel.cohort.one_import import ImportSettings  # noqa: PLC0415

    if cluster is not None and workers:
        raise UsageError("--workers are processes of this machine, --cluster brings its own: give one of them")
    book = key or out.parent / f"{out.name}.key.tsv"
    settings = ImportSettings(margin_mm=None if whole else margin, series_table=series_table)
    make = ShippedSegmenter()
    make(1)
    with display(1, quiet=as_json) as shown, _spread(cluster, workers, out) as spread:

        def seen(imported: "Imported") -> None:
            if not imported.was_there:
                shown.line(_line(imported))

        done = import_studies(source, out, book, make, settings, spread=spread, seen=seen)
    added, strangers = complete_tables(out, book, labels)
    failed = [imported for imported in done if not imported.is_done]
    if as_json:
        studies = [{"study": d.stem, "code": d.code, "was_there": d.was_there} for d in done]
        plain = {"notice": "research use only", "studies": studies, "rows_added": added, "unknown_lines": strangers}
        typer.echo(json.dumps(plain, indent=1))
    else:
        there = sum(d.was_there for d in done)
        typer.echo(
            f"{len(done) - len(failed)} of {len(done)} studies in {out.name} ({there} were there), "
            f"{added} rows added to its table; {book.name} says who is who: keep it apart\nResearch use only."
        )
    if strangers:
        lines = ", ".join(map(str, strangers[:10]))
        typer.echo(f"wirbel: labels, lines {lines}: no such patient or study was imported", err=True)
    if failed or strangers:
        raise typer.Exit(ExitCode.SOME_FAILED)


@contextmanager
def _spread(cluster: str | None, workers: int, out: Path) -> "Iterator[Spread]":
    """Who does the work; `workers` 0: a process for each core."""
    from wirbel.workers.cluster import on_cluster  # noqa: PLC0415  # keeps --help fast
    from wirbel.workers.processes import Here, Processes  # noqa: PLC0415

    if cluster is not None:
        with on_cluster(cluster, out) as crew:
            yield crew
    else:
        processes = workers or os.cpu_count() or 1
        yield Processes(processes) if processes > 1 else Here()


def _line(imported: "Imported") -> str:
    return f"{imported.stem}: {'done' if imported.is_done else f'failed ({imported.code}), the key says why'}"
