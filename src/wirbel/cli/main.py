"""The command `wirbel`: what there is, and how it ends. Each command's work is imported when it runs."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from wirbel import __version__
from wirbel.cli import cohort, evaluate, phantom, stats, train
from wirbel.cli.analyze import analyze
from wirbel.cli.exit import end_cleanly_when_terminated, guarded
from wirbel.cli.info import info
from wirbel.cli.inspect import inspect
from wirbel.cli.recalibrate import recalibrate

app = typer.Typer(
    name="wirbel",
    help="Vertebral fractures on CT: found, named, measured, graded, reported. Research use only.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("analyze")(analyze)
app.command("inspect")(inspect)
app.add_typer(phantom.app, name="phantom")
app.add_typer(cohort.app, name="cohort")
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(stats.app, name="stats")
app.command("recalibrate")(recalibrate)
app.command("info")(info)


def main() -> None:
    """Run the command line and exit."""
    end_cleanly_when_terminated()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line; its exit code."""
    return guarded(lambda: app(args=list(arguments), prog_name="wirbel"))


def _say_version(asked: bool) -> bool:
    if asked:
        typer.echo(f"wirbel {__version__}")
        raise typer.Exit
    return asked


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Vertebral fractures on CT: found, named, measured, graded, reported. Research use only."""
