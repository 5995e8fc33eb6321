"""`wirbel cohort outline`: crops outlined anew by the spine's networks. Research use only."""

from pathlib import Path
from typing import Annotated

import typer


def outline(
    crops: Annotated[Path, typer.Argument(metavar="CROPS", help="A folder of crops with voxels of 1 mm.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT", help="Folder of the new crops; run again to go on.")
    ],
    arm: Annotated[
        list[str] | None, typer.Option("--arm", metavar="NAME", help="This arm alone; may be given again.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 1,
) -> None:
    """Outline every vertebra as `wirbel analyze` would, for classifiers that are to meet such outlines.

    Crops of a simulated cohort have the drawing's own masks, which are better than any network's. A vertebra that
    the networks do not find near the middle of its crop is left out and told.
    """
    from wirbel.cohort.outline import write_outlined  # noqa: PLC0415  # keeps --help fast

    def told(done: int, of: int) -> None:
        if done % 25 == 0:
            typer.echo(f"{done} of {of} outlined", err=True)

    made = write_outlined(crops, out, arms=tuple(arm or ()), workers=workers, seen=told)
    for vertebra in made.not_found:
        typer.echo(f"  not found, left out: crop {vertebra}")
    mean = sum(made.overlap) / len(made.overlap)
    typer.echo(
        f"{made.crops} crops in {out.name}, {made.new} looked at now; overlap with the masks before (Dice) "
        f"{mean:.3f} on average, {min(made.overlap):.3f} at least\nResearch use only."
    )
