"""`wirbel train signs`: classifiers from signs and clinical variables. Research use only."""

from pathlib import Path
from typing import Annotated

import typer

from wirbel.errors import UsageError


def signs(  # noqa: PLR0913, PLR0917  # a command line's options are its parameters
    crops: Annotated[Path, typer.Option("--crops", metavar="DIR", help="A folder of crops.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Folder of the run.")],
    table: Annotated[
        Path | None, typer.Option("--signs", metavar="FILE", help="Their signs; else DIR/signs.tsv.")
    ] = None,
    fuse: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=FILE", help="Scores to fuse with; repeatable.")
    ] = None,
    only_fractured: Annotated[
        bool, typer.Option("--only-fractured", help="Learn from fractured vertebrae alone.")
    ] = False,
    clinical: Annotated[bool, typer.Option(help="Learn from age and sex too.")] = True,
    onto: Annotated[
        Path | None,
        typer.Option("--onto", metavar="BUNDLE", help="Networks of the scores in --with: join the signs to them."),
    ] = None,
    penalty: Annotated[float, typer.Option(help="Inverse strength of the logistic model's ridge.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Seed of the boosted model.")] = 1,
) -> None:
    """Logistic and boosted classifiers from signs, age, sex and level, and their fusion with a network's scores.

    Each patient is judged by the members that never saw a crop of theirs. With --onto, OUT/bundle is what
    wirbel analyze --bundle takes: networks and signs in one score, calibrated together.
    """
    from wirbel.errors import require  # noqa: PLC0415  # keeps --help fast

    require("sklearn", extra="train", feature="training on signs")
    from wirbel.cohort.signs import SIGNS_FILE  # noqa: PLC0415
    from wirbel.training.signs import SignRecipe, train_signs  # noqa: PLC0415

    recipe = SignRecipe(penalty=penalty, seed=seed, only_fractured=only_fractured, clinical=clinical)
    run = train_signs(
        crops,
        table or crops / SIGNS_FILE,
        out,
        recipe,
        fuse_with=dict(_named(text) for text in fuse or ()),
        onto=onto,
        say=lambda line: typer.echo(line, err=True),
    )
    for f in run.figures:
        typer.echo(f"{f.set:24s} {f.name:36s} AUC {f.auc:.3f} [{f.low:.3f}, {f.high:.3f}] {f.malignant}/{f.other}")
    typer.echo("fractured vertebrae, malignant against osteoporotic; out of fold where trained\nResearch use only.")


def _named(text: str) -> tuple[str, Path]:
    name, mark, path = text.partition("=")
    if not name or not mark or not path:
        raise UsageError(f"--with {text!r}: say NAME=FILE, for example b2=scores.tsv")
    return name, Path(path)
