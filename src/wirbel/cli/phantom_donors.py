"""`wirbel phantom donors`: lesions and fractures set into the vertebrae of real CTs."""

from pathlib import Path
from typing import Annotated

import typer


def donors(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="A new folder for the crops.")],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The hand-out, with ct/ and annotations/.")],
    segmentations: Annotated[
        Path | None,
        typer.Option(
            "--segmentations",
            metavar="DIR",
            help="NAME/segmentation.nii.gz of wirbel analyze, for CTs without masks of their own.",
        ),
    ] = None,
    cases: Annotated[int, typer.Option("--cases", help="How many; a third each osteoporotic and malignant.")] = 114,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same voxels.")] = 1,
    voxels: Annotated[int, typer.Option("--voxels", help="Edge of the crops in voxels of 1 mm.")] = 80,
    workers: Annotated[int, typer.Option("--workers", help="Processes.")] = 1,
) -> None:
    """Warp and repaint real vertebrae: fractures, lesions, and sham edits. Simulated; research use only."""
    from wirbel.donor.cohort import DonorCohortSettings, make_donor_cohort  # noqa: PLC0415

    settings = DonorCohortSettings(cases=cases, seed=seed, voxels=voxels)
    made = make_donor_cohort(settings, data, segmentations, out, workers=workers, seen=_say)
    typer.echo(f"simulated lesions in real CTs in {out.name}: {made.crops} crops of {made.patients} patients")
    if made.left_out:
        typer.echo(f"without masks, left out: {', '.join(made.left_out)}")
    typer.echo("Simulated. Research use only.")


def _say(done: int, of: int) -> None:
    typer.echo(f"{done}/{of} crops", err=True)
