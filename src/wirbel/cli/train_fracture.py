"""`wirbel train fracture`: the classifiers, from crops to a calibrated bundle. Research use only."""

from pathlib import Path
from typing import Annotated

import typer


def fracture(  # noqa: PLR0913, PLR0917  # one argument for each option
    crops: Annotated[
        Path, typer.Argument(help="Folder of wirbel cohort crops, or of a simulated cohort (also while drawn).")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run; run again to go on.")],
    model: Annotated[
        str,
        typer.Option(
            help="a1, a2: the study's masked crops; b1, b2: with context (b2 has sound ones); d: slices that vote."
        ),
    ] = "b2",
    start: Annotated[
        Path | None,
        typer.Option("--from", metavar="RUN", help="Begin with this run's weights and folds."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of folds, weights and bending.")] = 1,
    folds: Annotated[int, typer.Option(help="Folds by patient: the members of the ensemble.")] = 3,
    epochs: Annotated[int, typer.Option(help="Epochs at most.")] = 60,
    minutes: Annotated[float | None, typer.Option(help="Minutes a member at most.")] = None,
    batch: Annotated[int, typer.Option(help="Crops a step.")] = 8,
    learning_rate: Annotated[float, typer.Option(help="AdamW's greatest rate.")] = 1e-3,
    patience: Annotated[int, typer.Option(help="Epochs without better validation loss before a stop.")] = 12,
    threads: Annotated[int, typer.Option(help="Threads of the networks.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes that bend crops; 0: none.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    full_precision: Annotated[bool, typer.Option("--full-precision", help="No bfloat16.")] = False,
    version: Annotated[str, typer.Option(help="Version written into the bundle.")] = "0.1.0",
) -> None:
    """Train, export, score and calibrate; every stage goes on where it stopped."""
    from wirbel.errors import UsageError, require  # noqa: PLC0415  # keeps --help fast

    require("torch", extra="train", feature="training")
    require("onnx", extra="train", feature="exporting a bundle")
    from wirbel.training.fracture.fit import FitSettings  # noqa: PLC0415
    from wirbel.training.fracture.run import FracturePlan, train_fracture  # noqa: PLC0415

    if min(epochs, batch - 1, threads, patience) < 1 or workers < 0 or (minutes is not None and minutes <= 0):
        raise UsageError("epochs, minutes, threads and patience must be positive, and a batch at least 2 crops")
    fit = FitSettings(
        epochs=epochs, minutes=minutes, learning_rate=learning_rate, batch=batch, patience=patience, seed=seed,
        threads=threads, workers=workers, bf16=not full_precision,
    )  # fmt: skip
    plan = FracturePlan(model=model, folds=folds, fit=fit, device=device, version=version, start=start)
    bundle = train_fracture(crops, out, plan, say=lambda line: typer.echo(line, err=True))
    typer.echo(str(bundle))
