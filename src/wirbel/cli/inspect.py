"""`wirbel inspect`: what ingest makes of an input, without analysing it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from wirbel.ingest import Inspection, SeriesReport


def inspect(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="DICOM folder, zip, one multi-frame file, or NIfTI file.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
    series_table: Annotated[
        Path | None, typer.Option("--series-table", help="Your own table for the choice of series (TOML).")
    ] = None,
) -> None:
    """Show each series of an input, which is chosen for what, and why others are refused.

    Exit code 0: the input can be read; 3: it is refused, with the reason.
    """
    from wirbel.ingest import IngestSettings, inspect_input, read_table  # noqa: PLC0415

    settings = IngestSettings(table=read_table(series_table)) if series_table else IngestSettings()
    inspection = inspect_input(source, settings)
    if as_json:
        import json  # noqa: PLC0415

        typer.echo(json.dumps(inspection.as_dict(), indent=2))
    else:
        typer.echo("\n".join(_lines(inspection)))
        if not inspection.is_accepted:
            typer.echo(f"refused [{inspection.code}]: {inspection.sentence}", err=True)
    if not inspection.is_accepted:
        raise typer.Exit(3)


def _lines(inspection: "Inspection") -> list[str]:
    lines = [f"{inspection.name}: {inspection.kind or 'refused'}"]
    for series in inspection.series:
        lines += _series_lines(series)
    if inspection.other_files:
        lines.append(f"  {inspection.other_files} files are no images")
    return [*lines, "Research use only."]


def _series_lines(series: "SeriesReport") -> list[str]:
    number = f"series {series.series_number}" if series.series_number else "series without a number"
    head = f"  {number}, {series.modality or 'no modality'}, {series.slices} slices in {series.files} files"
    lines = [f"{head}: {f'[{series.code}] ' if series.code else ''}{series.sentence}"]
    if series.geometry is not None:
        g = series.geometry
        steps = f"{g.slice_step_mm:g} x {g.row_step_mm:g} x {g.column_step_mm:g} mm"
        lines.append(f"    {g.slices} x {g.rows} x {g.columns} voxels of {steps}")
    if series.acquisition is not None:
        a = series.acquisition
        kernel = f"{a.kernel} kernel" + (f" ({a.kernel_name})" if a.kernel_name else "")
        lines.append(f"    {a.plane}, {a.slice_mm:g} mm slices, {kernel}")
    return lines + [f"    note: {note}" for note in series.notes]
