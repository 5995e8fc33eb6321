"""`wirbel cohort join`: folders of crops as one. Research use only."""

from pathlib import Path
from typing import Annotated

import typer


def join(
    crops: Annotated[list[Path], typer.Argument(metavar="CROPS...", help="Folders of crops of the same size.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="A new folder for all of them.")],
    arm: Annotated[
        list[str] | None, typer.Option("--arm", metavar="NAME", help="This arm alone; may be given again.")
    ] = None,
    apart: Annotated[
        bool,
        typer.Option("--apart", help="Patients of the same name in different folders are different people."),
    ] = False,
) -> None:
    """Join crops of several hospitals, or of several drawings, into one folder; nothing is measured again.

    Splits, folds and arms stay as each folder has them. With --apart the patients of the second folder are called
    2-NAME, those of the third 3-NAME.
    """
    from wirbel.cohort.join import write_joined  # noqa: PLC0415  # keeps --help fast

    made = write_joined(crops, out, arms=tuple(arm or ()), apart=apart)
    for waiting in made.waiting:
        typer.echo(f"  still being drawn, left out: {waiting}")
    for what in made.left_out:
        typer.echo(f"  left out, because not all folders have it, or not the same: {what}")
    shares = ", ".join(f"{n} of {folder.name}" for n, folder in zip(made.crops, crops, strict=True))
    typer.echo(f"{sum(made.crops)} crops in {out.name}: {shares}\nResearch use only.")
