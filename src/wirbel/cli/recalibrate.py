"""`wirbel recalibrate`: what a classifier's scores mean at this site. Research use only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wirbel.errors import UsageError

#: Words of `--confidence` and `--scale`, as `wirbel.etiology` has them (not imported: that keeps --help fast).
SCALES, CONFIDENCES = ("log-odds", "probability"), ("each", "both")


def recalibrate(  # noqa: PLR0913  # one argument for each option
    file: Annotated[Path, typer.Argument(metavar="SCORES", help="CSV: patient, vertebra, class, score columns.")],
    *,
    out: Annotated[Path, typer.Option("-o", "--output", help="Calibration file to write (JSON).")],
    scores: Annotated[
        str, typer.Option("--scores", help="Score columns, one a member, comma between; else all that begin so.")
    ] = "",
    features: Annotated[
        str, typer.Option("--features", help="Columns by which unlike vertebrae are told; comma between.")
    ] = "",
    scale: Annotated[str, typer.Option("--scale", help="log-odds or probability (of malignant).")] = "log-odds",
    scorer: Annotated[
        str, typer.Option("--scorer", help="Digest of the ensemble or its bundle folder; else column 'scorer'.")
    ] = "",
    unfractured: Annotated[
        bool, typer.Option("--unfractured", help="Fit for unfractured vertebrae: lesion against normal and mimic.")
    ] = False,
    missed: Annotated[float, typer.Option("--missed", help="Bound: malignant called osteoporotic.")] = 0.10,
    false_alarm: Annotated[
        float | None,
        typer.Option("--false-alarm", help="Bound: osteoporotic called malignant; 0.1, of unfractured ones 0.05."),
    ] = None,
    delta: Annotated[float, typer.Option("--delta", help="Risk that a bound is broken.")] = 0.10,
    confidence: Annotated[
        str, typer.Option("--confidence", help="each: delta for each bound; both: for the two together.")
    ] = "each",
    name: Annotated[str, typer.Option("--name", help="Name of the cohort, without patient data.")] = "site",
    simulated: Annotated[bool, typer.Option("--simulated", help="The scores come from simulated images.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of Markdown.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the folds.")] = 1,
) -> None:
    """Fit probabilities and tiers to your own labelled scores; says how many cases are needed and refuses fewer."""
    import numpy as np  # noqa: PLC0415  # keeps --help fast

    from wirbel.cli.stats_tables import text_of  # noqa: PLC0415
    from wirbel.etiology import Confidence, Population, Promise, promised, written_calibration  # noqa: PLC0415
    from wirbel.etiology.recalibration import recalibrate as fit  # noqa: PLC0415
    from wirbel.etiology.recalibration import recalibration_page  # noqa: PLC0415
    from wirbel.etiology.score_table import Scale, ScoreColumns, read_scores  # noqa: PLC0415
    from wirbel.evaluation.pages import as_json, as_markdown  # noqa: PLC0415

    _one_of("--scale", scale, SCALES)
    _one_of("--confidence", confidence, CONFIDENCES)
    population = Population.UNFRACTURED if unfractured else Population.FRACTURED
    alarm = promised(population).alpha_false_alarm if false_alarm is None else false_alarm
    promise = Promise(missed, alarm, delta, Confidence(confidence))
    columns = ScoreColumns(members=_names(scores), features=_names(features))
    table = read_scores(text_of(file), columns, population=population, scale=Scale(scale))
    fitted = fit(
        table.scores,
        scorer=_digest(scorer) or table.scorer or _no_scorer(),
        name=name,
        simulated=simulated,
        rng=np.random.default_rng(seed),
        population=population,
        promise=promise,
    )
    write_whole(out, written_calibration(fitted))
    page = recalibration_page(fitted, table.scores, table.left_out)
    typer.echo(as_json(page) if json else as_markdown(page), nl=False)


def write_whole(file: Path, text: str) -> None:
    """Write a file under a temporary name beside it and rename it: a broken run leaves nothing half-written."""
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent.name!r} to write {file.name!r} to: make it first")
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _names(columns: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in columns.split(",") if name.strip())


def _digest(scorer: str) -> str:
    """The digest itself, or that of the bundle in a folder."""
    if not scorer or not Path(scorer).is_dir():
        return scorer
    from wirbel.network import load_bundle  # noqa: PLC0415  # keeps --help fast

    return load_bundle(Path(scorer)).sha256


def _no_scorer() -> str:
    raise UsageError(
        "whose scores are these? A calibration belongs to one ensemble: name its digest or bundle with --scorer, "
        "or give the table a column 'scorer'"
    )


def _one_of(option: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise UsageError(f"{option} must be one of {', '.join(words)}, got {value!r}")
