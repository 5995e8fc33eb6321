"""`wirbel phantom cohort`: a simulated cohort with the study's numbers, and more."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from wirbel.errors import UsageError


class Hardness(StrEnum):
    """How far osteoporotic and malignant signs lie apart."""

    EASY = "easy"
    MIDDLE = "middle"
    HARD = "hard"


def cohort(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="A new folder, or one to go on with.")],
    preset: Annotated[str, typer.Option("--preset", help="foreman2024, night or ci.")] = "foreman2024",
    difficulty: Annotated[Hardness, typer.Option("--difficulty", help="Distance of the signs.")] = Hardness.MIDDLE,
    seed: Annotated[int, typer.Option("--seed", help="Same seed and settings, same voxels.")] = 1,
    voxels: Annotated[
        int | None, typer.Option("--voxels", help="Edge of the crops in voxels of 1 mm (else the preset's).")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full/--crops", help="Whole CTs in BIDS layout, or crops around each vertebra.")
    ] = False,
    arms: Annotated[
        str | None, typer.Option("--arms", metavar="NAME,...", help="Draw these arms alone for now.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes (else one a core).")] = None,
) -> None:
    """Draw a cohort with known signs: the study's numbers, a calibration cohort, large tests. Simulated."""
    from wirbel.phantom.cases import Difficulty  # noqa: PLC0415
    from wirbel.phantom.cohort import fingerprint, make_crops, make_full, settings_for  # noqa: PLC0415

    settings = settings_for(preset, difficulty=Difficulty(difficulty.value), seed=seed, voxels=voxels)
    only = tuple(name for name in (arms or "").split(",") if name)
    unknown = [name for name in only if name not in {arm.name for arm in settings.arms}]
    if unknown:
        known = ", ".join(arm.name for arm in settings.arms)
        raise UsageError(f"arm {unknown[0]!r} is unknown: say some of {known}")
    n = workers or os.cpu_count() or 1
    if full:
        patients = make_full(settings, out, workers=n, only=only, seen=_say)
        typer.echo(f"simulated cohort of {patients} patients in {out.name}")
    else:
        made = make_crops(settings, out, workers=n, only=only, seen=_say)
        typer.echo(f"simulated cohort in {out.name}: {made.crops} crops of {made.patients} patients")
        typer.echo(f"drawn now: {made.drawn_now} patients")
    typer.echo(f"settings {fingerprint(settings)}")
    typer.echo("Simulated. Research use only.")


def _say(done: int, of: int) -> None:
    if done % 25 == 0 or done == of:
        typer.echo(f"{done}/{of} patients", err=True)
