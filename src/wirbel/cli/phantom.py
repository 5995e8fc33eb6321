"""`wirbel phantom`: a drawn CT with known truth."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wirbel.cli.phantom_cohort import cohort
from wirbel.cli.phantom_donors import donors
from wirbel.errors import UsageError

if TYPE_CHECKING:
    from wirbel.finding import Grade, Shape
    from wirbel.phantom import Truth
    from wirbel.spine import Level


class FileFormat(StrEnum):
    """What the CT is written as."""

    DICOM = "dicom"
    NIFTI = "nifti"
    BOTH = "both"


app = typer.Typer(
    help="Draw CTs whose truth is known: one person, or a whole cohort. Simulated; research use only.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.command("cohort")(cohort)
app.command("donors")(donors)


@app.callback(invoke_without_command=True)
def phantom(  # noqa: PLR0913, PLR0917  # a command line has as many options as it needs
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="A new folder for CT and truth.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bytes.")] = 1,
    preset: Annotated[
        str, typer.Option("--preset", help="demo, torso, chest, abdomen, spine, lumbar, neck, screening.")
    ] = "demo",
    spacing: Annotated[
        str | None, typer.Option("--spacing", metavar="SLICE[,PIXEL]", help="Slice step and pixel size in mm.")
    ] = None,
    scanner: Annotated[str | None, typer.Option("--scanner", help="One of the twelve protocols.")] = None,
    phase: Annotated[
        str | None, typer.Option("--phase", help="native, arterial or portal_venous (else the preset's).")
    ] = None,
    fractures: Annotated[
        str | None,
        typer.Option(
            "--fractures", metavar="LEVEL:SHAPE:GRADE,...", help="Such as T12:wedge:2,L2:crush:3; 'none' for none."
        ),
    ] = None,
    mimics: Annotated[
        str | None, typer.Option("--mimics", metavar="NAME,...", help="Such as scheuermann,dish; 'none' for none.")
    ] = None,
    variant: Annotated[str | None, typer.Option("--variant", help="T13, L6, 'T11 only' or 'L4 only'.")] = None,
    shapes: Annotated[
        Path | None,
        typer.Option("--shapes", metavar="DIR", help="Real vertebra masks to draw a person around."),
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="dicom, nifti or both.")] = FileFormat.DICOM,
) -> None:
    """Draw a CT whose truth is known: fractures, heights, levels. Simulated; research use only."""
    if context.invoked_subcommand is not None:
        return
    if out is None:
        raise UsageError("no folder to write to: say -o DIR (or: wirbel phantom cohort -o DIR)")
    from wirbel.phantom.order import PhantomOrder, make_phantom  # noqa: PLC0415

    order = PhantomOrder(
        seed=seed,
        preset=preset,
        spacing_mm=_spacing(spacing),
        scanner=scanner,
        phase=phase,
        fractures=None if fractures is None else _fractures(fractures),
        mimics=None if mimics is None else tuple(m for m in mimics.split(",") if m and m != "none"),
        variant=variant,
        shapes=shapes,
    )
    truth = make_phantom(order, out, file_format.value)
    typer.echo("\n".join(_lines(truth, out)))


def _spacing(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(0.3 <= n <= 10 for n in numbers):
        raise UsageError(f"--spacing {text!r} is not one or two numbers of 0.3 to 10 mm: say '1.5' or '3,0.8'")
    return numbers[0], numbers[-1]


def _fractures(text: str) -> "tuple[tuple[Level, Shape, Grade], ...]":
    from wirbel.finding import Grade, Shape  # noqa: PLC0415
    from wirbel.spine import Level  # noqa: PLC0415

    out = []
    for part in text.split(","):
        if part in ("", "none"):
            continue
        try:
            level, shape, grade = part.split(":")
            out.append((Level[level.upper()], Shape(shape.lower()), Grade(int(grade))))
        except (KeyError, ValueError) as exc:
            raise UsageError(
                f"--fractures {part!r} is not LEVEL:SHAPE:GRADE: say T12:wedge:2 "
                "(shapes wedge, biconcave, crush; grades 1 to 3)"
            ) from exc
    return tuple(out)


def _lines(truth: "Truth", out: Path) -> list[str]:
    broken = [
        f"{v.level.name} {v.fracture.value} grade {int(v.grade)} (loss {100 * v.loss:.0f} %)"
        for v in truth.vertebrae
        if v.fracture is not None
    ]
    return [
        f"simulated CT with truth in {out.name}",
        f"fractures: {', '.join(broken) or 'none'}",
        f"variants: {', '.join(v.value for v in truth.variants) or 'none'}; "
        f"mimics: {', '.join(m.value for m in truth.mimics) or 'none'}",
        "Research use only.",
    ]
