"""`wirbel train`: the networks from drawings and real CTs to a bundle."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from wirbel.cli.train_fracture import fracture
from wirbel.cli.train_radiomics import radiomics
from wirbel.cli.train_signs import signs

app = typer.Typer(no_args_is_help=True, help="Train networks (needs the extra 'train'). Research use only.")


@app.callback()
def _group() -> None:
    """Train networks (needs the extra 'train'). Research use only."""


@app.command("spine")
def spine(  # noqa: PLR0913, PLR0917  # a command line's options are its parameters
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run; run again to go on.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Hand-out with real CTs and masks; without it: drawings only.")
    ] = None,
    base_minutes: Annotated[float, typer.Option(help="Minutes per network on drawings.")] = 45.0,
    fine_minutes: Annotated[float, typer.Option(help="Minutes per network on real CTs among drawings.")] = 14.0,
    persons: Annotated[int, typer.Option(help="Drawn persons for the finder.")] = 220,
    boxes: Annotated[int, typer.Option(help="Drawn boxes for the segmenter.")] = 640,
    outline_cases: Annotated[int, typer.Option(help="Drawn CTs for the outline network; 0: none.")] = 120,
    outline_minutes: Annotated[float, typer.Option(help="Minutes for it on drawings.")] = 20.0,
    outline_fine_minutes: Annotated[float, typer.Option(help="Minutes for it with real CTs among them.")] = 10.0,
    leave_out: Annotated[
        list[str] | None, typer.Option("--leave-out", help="Patient not to be shown in fine-tuning; repeatable.")
    ] = None,
    version: Annotated[str, typer.Option(help="Version written into the bundle.")] = "0.1.0",
) -> None:
    """Draw, train on drawings, fine-tune on real CTs, export a bundle; every stage goes on where it stopped."""
    from wirbel.errors import require  # noqa: PLC0415  # keeps --help fast

    require("torch", extra="train", feature="training")
    require("onnx", extra="train", feature="exporting a bundle")
    from wirbel.training.spine import SpinePlan, train_spine  # noqa: PLC0415

    usual = SpinePlan()
    plan = SpinePlan(
        persons=persons,
        boxes=boxes,
        base_minutes=base_minutes,
        fine_minutes=fine_minutes,
        outline_cases=outline_cases,
        outline=replace(usual.outline, minutes=outline_minutes),
        outline_fine=replace(usual.outline_fine, minutes=outline_fine_minutes),
        leave_out=tuple(leave_out or ()),
    )
    bundle = train_spine(out, data, plan, version=version, say=lambda line: typer.echo(line, err=True))
    typer.echo(str(bundle))


app.command("fracture")(fracture)
app.command("radiomics")(radiomics)
app.command("signs")(signs)
