"""`wirbel cohort masks-out`, `masks-in` and `shift`: a reader corrects a cohort. Research use only."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wirbel.errors import UsageError

if TYPE_CHECKING:
    from wirbel.cohort.correct import Correction

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The cohort.")]
Image = Annotated[str, typer.Argument(metavar="IMAGE", help="A patient (sub-X), or one CT (sub-X_ses-01).")]
TableFile = Annotated[
    Path | None, typer.Option("--table", metavar="FILE", help="The table, where it is not FOLDER/cohort.tsv.")
]


def masks_out(
    folder: Folder,
    image: Image,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Folder to work in.")],
    table: TableFile = None,
) -> None:
    """Copy a CT and its mask out, with a label file for ITK-SNAP, to be corrected in a viewer."""
    from wirbel.cohort.check import open_cohort  # noqa: PLC0415  # keeps --help fast
    from wirbel.cohort.correct import export_masks, image_named  # noqa: PLC0415

    written = export_masks(image_named(open_cohort(folder, table), image), out)
    typer.echo(f"{', '.join(path.name for path in written)} in {out.name}\nResearch use only.")


def masks_in(
    folder: Folder,
    image: Image,
    mask: Annotated[Path, typer.Argument(metavar="MASK", help="The corrected mask (NIfTI), on the CT's own grid.")],
    table: TableFile = None,
) -> None:
    """Put a corrected mask into the cohort: checked, with new centroids and boxes."""
    from wirbel.cohort.check import open_cohort  # noqa: PLC0415
    from wirbel.cohort.correct import image_named, take_mask  # noqa: PLC0415

    cohort = open_cohort(folder, table)
    _tell(folder, take_mask(cohort, image_named(cohort, image), mask))


def shift(
    folder: Folder,
    image: Image,
    by: Annotated[int, typer.Option("--by", metavar="N", help="Levels down (negative: up).")] = 0,
    name: Annotated[
        str | None, typer.Option("--name", metavar="Vn=LEVEL", help="For an unnamed column: V3=T12.")
    ] = None,
    table: TableFile = None,
) -> None:
    """Move all names of a CT: in the mask, the centroids, the answers and the table, together."""
    from wirbel.cohort.check import open_cohort  # noqa: PLC0415
    from wirbel.cohort.correct import image_named, name_column, shift_levels  # noqa: PLC0415
    from wirbel.spine.shift import named_vertebra  # noqa: PLC0415

    if (by == 0) == (name is None):
        raise UsageError("say either --by N (not 0) or --name Vn=LEVEL")
    cohort = open_cohort(folder, table)
    found = image_named(cohort, image)
    if name is not None:
        _tell(folder, name_column(cohort, found, named_vertebra(name)))
    else:
        _tell(folder, shift_levels(cohort, found, by))


def _tell(folder: Path, correction: "Correction") -> None:
    from wirbel.cohort.import_tables import QUALITY_TABLE, write_overviews  # noqa: PLC0415

    if (folder / QUALITY_TABLE).is_file():
        write_overviews(folder)
    for note in correction.notes:
        typer.echo(f"wirbel: {note}", err=True)
    rows = f", table lines {', '.join(map(str, correction.lines))}" if correction.lines else ""
    typer.echo(f"{correction.stem}: {', '.join(correction.files)}{rows} rewritten\nResearch use only.")
