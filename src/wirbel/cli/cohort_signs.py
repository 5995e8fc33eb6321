"""`wirbel cohort signs`: the CT criteria of every crop as a table. Research use only."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wirbel.cli.exit import ExitCode

if TYPE_CHECKING:
    from wirbel.cohort.signs import CropSigns


def signs(
    crops: Annotated[Path, typer.Argument(metavar="CROPS", help="A folder of crops; it may still be growing.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The table; else CROPS/signs.tsv.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 1,
) -> None:
    """Measure the signs of every crop; run again to go on, and for crops that have come since.

    Only the neighbours in a crop serve as references. Empty cells: not measured.
    """
    from wirbel.cohort.signs import SIGNS_FILE, SignsMade, write_signs  # noqa: PLC0415  # keeps --help fast

    count = 0

    def told(found: "CropSigns") -> None:
        nonlocal count
        count += 1
        if count % 100 == 0:
            typer.echo(f"{count} crops", err=True)

    made: SignsMade = write_signs(crops, out or crops / SIGNS_FILE, workers=workers, seen=told)
    for sentence in made.bad:
        typer.echo(f"wirbel: {sentence}", err=True)
    for blank, times in sorted(made.blanks.items(), key=lambda item: -item[1]):
        typer.echo(f"  not measured in {times} of {made.new}: {blank}")
    typer.echo(f"signs of {made.crops} crops, {made.new} of them new\nResearch use only.")
    if made.bad:
        raise typer.Exit(ExitCode.SOME_FAILED)
