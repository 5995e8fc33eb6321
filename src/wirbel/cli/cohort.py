"""`wirbel cohort`: labelled cohorts on disk: check, split, crop, import, correct. Research use only."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wirbel.cli import cohort_correct, cohort_import, cohort_join, cohort_outline, cohort_signs
from wirbel.cli.exit import ExitCode
from wirbel.errors import UsageError

if TYPE_CHECKING:
    from wirbel.cohort.check import CohortReport

app = typer.Typer(
    name="cohort",
    help="Labelled cohorts on disk: check, split, crop, import, correct. Research use only.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("import")(cohort_import.import_)
app.command("masks-out")(cohort_correct.masks_out)
app.command("masks-in")(cohort_correct.masks_in)
app.command("shift")(cohort_correct.shift)
app.command("signs")(cohort_signs.signs)
app.command("outline")(cohort_outline.outline)
app.command("join")(cohort_join.join)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with rawdata, derivatives and the table.")]
TableFile = Annotated[
    Path | None, typer.Option("--table", metavar="FILE", help="The table, where it is not FOLDER/cohort.tsv.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines on standard output.")]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0: one a core.")]
RESEARCH = "Research use only."


@app.command("check")
def check(
    folder: Folder,
    table: TableFile = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="OUT", help="Folder for check.json, flow.svg and flow.txt."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Do not open images and masks.")] = False,
    workers: Workers = 0,
    as_json: Json = False,
) -> None:
    """Tell what is missing or contradictory, who is left out and why, and draw the flow diagram.

    Exit code 0: nothing contradicts itself; 3: something does, and nothing should be trained on it.
    """
    from wirbel.cli.progress import display  # noqa: PLC0415  # keeps --help fast
    from wirbel.cohort.check import CheckSettings, check_cohort, open_cohort  # noqa: PLC0415
    from wirbel.cohort.report_files import report_as_json, report_text, write_report  # noqa: PLC0415

    cohort = open_cohort(folder, table)
    settings = CheckSettings(look=not fast, workers=_workers(workers))
    with display(len(cohort.images), quiet=as_json) as shown:
        report = check_cohort(cohort, settings, seen=lambda facts: shown.study(facts.image.stem)("looked at"))
    if out is not None:
        write_report(report, out)
    typer.echo(report_as_json(report) if as_json else f"{report_text(report)}\n{RESEARCH}")
    _end(report)


@app.command("split")
def split(  # noqa: PLR0913, PLR0917  # a command line's options are its parameters
    folder: Folder,
    table: TableFile = None,
    test: Annotated[float, typer.Option("--test", help="Share of the patients for the internal test.")] = 0.18,
    calibration: Annotated[float, typer.Option("--calibration", help="Share for calibration alone.")] = 0.0,
    folds: Annotated[int, typer.Option("--folds", help="Cross-validation folds of the training patients.")] = 5,
    external_site: Annotated[
        list[str] | None, typer.Option("--external-site", metavar="SITE", help="External test; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same split.")] = 2024,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write this table, not the cohort's own.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Deal anew where splits are there.")] = False,
    workers: Workers = 0,
) -> None:
    """Deal whole patients into training, calibration, test and folds, classes balanced; writes split and fold."""
    from wirbel.cohort.check import CheckSettings, check_cohort, open_cohort  # noqa: PLC0415
    from wirbel.cohort.flow import flow_text  # noqa: PLC0415
    from wirbel.cohort.split import SplitSettings, split_patients, with_splits  # noqa: PLC0415
    from wirbel.cohort.table import find_table, table_text  # noqa: PLC0415
    from wirbel.cohort.whole_files import write_whole  # noqa: PLC0415

    cohort = open_cohort(folder, table)
    cohort.table.checked()
    wanted = SplitSettings(test, calibration, folds, tuple(external_site or ()))
    report = check_cohort(cohort, CheckSettings(workers=_workers(workers)))
    new = with_splits(cohort.table, split_patients(report.included, wanted, seed=seed), overwrite=overwrite)
    place = out or table or find_table(folder)
    if out is not None and out.exists() and not overwrite:
        raise UsageError(f"{out.name!r} is there already: choose another file, or say --overwrite")
    write_whole(place, table_text(new.columns, new.rows, new.delimiter))
    after = check_cohort(open_cohort(folder, place), CheckSettings(workers=_workers(workers)))
    typer.echo(f"{flow_text(after.flow)}\nseed {seed}; written to {place.name}\n{RESEARCH}")
    _end(after)


@app.command("crops")
def crops(  # a command line's options are its parameters
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="A new folder for arrays and index.")],
    table: TableFile = None,
    size: Annotated[int, typer.Option("--size", help="Edge in voxels.")] = 64,
    spacing: Annotated[float, typer.Option("--spacing", help="Voxels' edge in mm.")] = 1.0,
    workers: Workers = 0,
) -> None:
    """Cut out every included vertebra with its mask, as arrays that any training can read."""
    from wirbel.cohort.check import CheckSettings, check_cohort, open_cohort  # noqa: PLC0415
    from wirbel.cohort.crops import write_crops  # noqa: PLC0415
    from wirbel.etiology.crop import CropSettings  # noqa: PLC0415

    settings = CropSettings((size, size, size), spacing)
    cohort = open_cohort(folder, table)
    report = check_cohort(cohort, CheckSettings(workers=_workers(workers)))
    made = write_crops(cohort, report.included, out, settings, workers=_workers(workers))
    for refused in made.refused:
        typer.echo(f"wirbel: {refused.sentence}", err=True)
    left_out = f"{len(report.excluded)} vertebrae left out by the check"
    typer.echo(f"{made.crops} crops in {out.name}, {left_out}\n{RESEARCH}")
    if made.refused:
        raise typer.Exit(ExitCode.SOME_FAILED)


@app.command("draft")
def draft(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The table; else FOLDER/cohort.tsv.")
    ] = None,
    workers: Workers = 0,
) -> None:
    """Write a table to begin with: a row for each vertebra of the masks, class unclear."""
    from wirbel.cohort.draft import draft_table  # noqa: PLC0415
    from wirbel.cohort.layout import find_images  # noqa: PLC0415
    from wirbel.cohort.table import TABLE_NAMES  # noqa: PLC0415
    from wirbel.cohort.whole_files import write_whole  # noqa: PLC0415

    place = out or folder / TABLE_NAMES[0]
    if place.exists():
        raise UsageError(f"{place.name!r} is there already: name another file with --out")
    text, problems = draft_table(find_images(folder), workers=_workers(workers))
    write_whole(place, text)
    for problem in problems:
        typer.echo(f"wirbel: {problem.text}", err=True)
    typer.echo(f"{text.count(chr(10)) - 1} vertebrae, class unclear, in {place.name}\n{RESEARCH}")


def _workers(asked: int) -> int:
    return asked or os.cpu_count() or 1


def _end(report: "CohortReport") -> None:
    if not report.is_sound:
        typer.echo(f"wirbel: {len(report.errors)} contradictions: see above", err=True)
        raise typer.Exit(ExitCode.INPUT_REFUSED)
