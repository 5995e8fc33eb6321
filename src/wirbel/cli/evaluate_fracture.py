"""`wirbel evaluate fracture`: the study's tables from the scores of a cohort's crops. Research use only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wirbel.errors import InputRejected, UsageError


def fracture(  # noqa: PLR0913  # one argument for each option
    *,
    crops: Annotated[Path, typer.Option("--crops", help="Crop folder; the scores count its rows.")],
    scores: Annotated[
        list[str], typer.Option("--scores", metavar="NAME=FILE", help="Scores of a model (TSV); repeatable.")
    ],
    out: Annotated[Path, typer.Option("-o", "--output", help="Folder for HTML, Markdown, CSV and figures.")],
    calibration: Annotated[
        list[str] | None,
        typer.Option("--calibration", metavar="NAME=FILE", help="Calibration (JSON); repeatable. Without it: "
                     "fitted to the folder's calibration arms."),
    ] = None,
    signs: Annotated[Path | None, typer.Option("--signs", help="Measured signs (TSV), by row.")] = None,
    primary: Annotated[str, typer.Option("--primary", help="Model of the primary estimand.")] = "",
    against: Annotated[str, typer.Option("--against", help="Model that it is compared with.")] = "",
    arm: Annotated[str, typer.Option("--arm", help="Arm of the primary estimand.")] = "",
    prevalences: Annotated[
        str, typer.Option("--prevalences", help="Shares of malignant fractures, comma between.")
    ] = "0.05,0.1,0.2,0.3,0.4,0.5,0.6",
    replicates: Annotated[int, typer.Option("--replicates", help="Bootstrap replicates.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 20261121,
) -> None:  # fmt: skip
    """The study's Tables 3, 4 and 5 for a cohort: areas, three answers, calibration, subgroups, MRI saved."""
    from wirbel.cohort.appraisal import (  # noqa: PLC0415  # keeps --help fast
        AppraisalSettings,
        appraise,
        model_of,
        must_be_free,
        open_crops,
        primary_of,
        read_cases,
        read_scores,
        read_signs,
        scored_by_all,
        write_report,
    )
    from wirbel.etiology import read_calibration  # noqa: PLC0415

    must_be_free(out)
    settings = AppraisalSettings(seed=seed, replicates=replicates, prevalences=_shares(prevalences))
    files, given = _pairs("--scores", scores), _pairs("--calibration", calibration or [])
    names = [name for name, _ in files]
    if len(set(names)) != len(names):
        raise UsageError(f"two scores have one name ({', '.join(names)}): name each model once")
    for name, _ in given:
        if name not in names:
            raise UsageError(f"--calibration {name}=... has no --scores {name}=...: give both, or neither")
    folder = open_crops(crops)
    cohort = read_cases(crops, folder)
    fitted = {name: tuple(read_calibration(_text(f)) for n, f in given if n == name) for name in names}
    read = [read_scores(name, file, cohort) for name, file in files]
    cohort = scored_by_all(cohort, read)
    models = [model_of(scores, fitted[scores.name], cohort, settings) for scores in read]
    table = None if signs is None else read_signs(signs, len(folder.rows))
    first = primary_of(cohort, models, primary, against, arm)
    document = appraise(folder, cohort, models, first, table, settings)
    write_report(document, out)
    for line in first.sentences(settings, simulated=cohort.simulated):
        typer.echo(line)
    typer.echo(f"Research use only. The report is {out / 'fracture.html'}")


def _pairs(option: str, given: list[str]) -> list[tuple[str, Path]]:
    """`NAME=FILE` apart."""
    out = []
    for text in given:
        name, sign, file = text.partition("=")
        if not (name and sign and file):
            raise UsageError(f"{option} {text!r}: write NAME=FILE, such as b2=scores.tsv")
        out.append((name, Path(file)))
    return out


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as exc:
        raise UsageError(f"--prevalences {text!r}: write fractions with a comma between, such as 0.1,0.3") from exc


def _text(file: Path) -> str:
    if not file.is_file():
        raise UsageError(f"there is no file {file.name!r}: give the path of a calibration")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise InputRejected(f"{file.name!r} is not UTF-8 text: give a calibration as wirbel writes it") from exc
