"""`wirbel train radiomics`: radiomic features and boosted trees, for comparison. Research use only."""

from pathlib import Path
from typing import Annotated

import typer

from wirbel.cli.exit import ExitCode


def radiomics(
    crops: Annotated[Path, typer.Argument(help="A finished folder of crops.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run; run again to go on.")],
    folds: Annotated[int, typer.Option(help="Folds by patient: the cohort's own where it has as many.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of folds and trees.")] = 1,
    bin_hu: Annotated[float, typer.Option("--bin", help="HU a grey level.")] = 25.0,
) -> None:
    """Measure 107 features inside each mask (table: OUT/radiomics.tsv), train on fractures, score every arm.

    Each patient is judged by the member that never saw a crop of theirs.
    """
    from wirbel.errors import UsageError, require  # noqa: PLC0415  # keeps --help fast

    for module in ("torch", "sklearn"):
        require(module, extra="train", feature="training on radiomics")
    from wirbel.training.radiomics.features import RadiomicsSettings  # noqa: PLC0415
    from wirbel.training.radiomics.run import RECIPE, RadiomicsPlan, train_radiomics  # noqa: PLC0415
    from wirbel.training.trees import TreeSettings  # noqa: PLC0415

    if bin_hu <= 0:
        raise UsageError("--bin must be more than 0 HU")
    plan = RadiomicsPlan(folds, RadiomicsSettings(bin_hu=bin_hu), TreeSettings(seed=seed))
    run = train_radiomics(crops, out, plan, say=lambda line: typer.echo(line, err=True))
    for sentence in run.bad:
        typer.echo(f"wirbel: {sentence}", err=True)
    for f in run.figures:
        if f.name == RECIPE.name:
            typer.echo(f"{f.set:24s} AUC {f.auc:.3f} [{f.low:.3f}, {f.high:.3f}] {f.malignant}/{f.other}")
    typer.echo("fractured vertebrae, malignant against osteoporotic; out of fold where trained\nResearch use only.")
    if run.bad:
        raise typer.Exit(ExitCode.SOME_FAILED)
