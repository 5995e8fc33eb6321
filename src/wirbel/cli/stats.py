"""`wirbel stats`: accuracy, comparisons, agreement and reader studies from tables. Research use only."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from wirbel.cli.stats_studies import mrmc, power
from wirbel.cli.stats_tables import (
    Json,
    Level,
    Output,
    Patient,
    Seed,
    Table,
    Threshold,
    Truth,
    columns_of,
    finish,
    refusing,
    scores_of,
)
from wirbel.errors import InputRejected, UsageError

app = typer.Typer(
    name="stats",
    help="Accuracy, comparisons, agreement and reader studies from tables. Research use only.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("mrmc")(mrmc)
app.command("power")(power)


class Kind(StrEnum):
    """What agreement is about."""

    CATEGORIES = "categories"
    ORDERED = "ordered"
    NUMBERS = "numbers"
    MISSING = "missing"


class Preset(StrEnum):
    """Published tables that can be recomputed."""

    FOREMAN2024 = "foreman2024"


@app.command("auc")
def area(  # noqa: PLR0913  # one argument for each option
    file: Table,
    *,
    truth: Truth = "truth",
    score: Annotated[str, typer.Option("--score", help="Column with the score; higher means disease.")] = "score",
    patient: Patient = "",
    threshold: Threshold = None,
    level: Level = 0.95,
    output: Output = None,
    json: Json = False,
    seed: Seed = 1,
) -> None:
    """AUC of a score with its interval; with --threshold also sensitivity, specificity and risk-coverage."""
    import numpy as np  # noqa: PLC0415  # keeps --help fast

    from wirbel.evaluation.score_pages import score_page  # noqa: PLC0415

    labels, scores, patients = scores_of(file, truth, [score], patient)
    with refusing(InputRejected):
        page = score_page(
            score, labels, scores[0], patients=patients, threshold=threshold, level=level,
            rng=np.random.default_rng(seed),
        )
    finish(page, output, json=json)


@app.command("compare")
def compare(  # noqa: PLR0913  # one argument for each option
    file: Table,
    *,
    first: Annotated[str, typer.Option("--first", help="Column with the first score.")],
    second: Annotated[str, typer.Option("--second", help="Column with the second score.")],
    truth: Truth = "truth",
    patient: Patient = "",
    threshold: Threshold = None,
    level: Level = 0.95,
    output: Output = None,
    json: Json = False,
    seed: Seed = 1,
) -> None:
    """Two scores of the same cases: difference of their AUC and, with --threshold, of their calls."""
    import numpy as np  # noqa: PLC0415

    from wirbel.evaluation.score_pages import comparison_page  # noqa: PLC0415

    labels, scores, patients = scores_of(file, truth, [first, second], patient)
    with refusing(InputRejected):
        page = comparison_page(
            (first, second), labels, *scores, patients=patients, threshold=threshold, level=level,
            rng=np.random.default_rng(seed),
        )
    finish(page, output, json=json)


@app.command("agree")
def agree(  # one argument for each option
    file: Table,
    *,
    columns: Annotated[str, typer.Option("--columns", help="Columns of the readers, separated by commas.")],
    kind: Annotated[Kind, typer.Option("--kind", help="What the columns hold; missing: numbers with gaps.")] = (
        Kind.CATEGORIES
    ),
    level: Level = 0.95,
    output: Output = None,
    json: Json = False,
) -> None:
    """Agreement of readers: kappas, intraclass correlation with Bland-Altman, or Krippendorff's alpha."""
    import numpy as np  # noqa: PLC0415

    from wirbel.evaluation import agreement_pages as pages  # noqa: PLC0415
    from wirbel.evaluation.alpha import Scale  # noqa: PLC0415
    from wirbel.evaluation.reading_tables import column, numbers  # noqa: PLC0415

    table = columns_of(file)
    names = [name.strip() for name in columns.split(",") if name.strip()]
    if len(names) < 2:
        raise UsageError(f"--columns needs at least two columns, got {columns!r}")
    with refusing(UsageError):
        text = {name: column(table, name) for name in names}
    with refusing(InputRejected):
        if kind is Kind.CATEGORIES:
            page = pages.category_page(text, level=level)
        elif kind is Kind.ORDERED:
            page = pages.ordered_page({n: np.array(numbers(table, n)) for n in names}, level=level)
        elif kind is Kind.NUMBERS:
            page = pages.measurement_page({n: np.array(numbers(table, n)) for n in names}, level=level)
        else:
            gaps = {n: [entry or "nan" for entry in text[n]] for n in names}
            page = pages.alpha_page({n: np.array(numbers(gaps, n)) for n in names}, Scale.INTERVAL, level=level)
    finish(page, output, json=json)


@app.command("table")
def table(
    preset: Annotated[Preset, typer.Option("--preset", help="Which published table.")] = Preset.FOREMAN2024,
    output: Output = None,
    json: Json = False,
    seed: Seed = 2024,
) -> None:
    """Recompute a published table's intervals from its counts, ours beside the printed ones."""
    import numpy as np  # noqa: PLC0415

    from wirbel.evaluation.foreman import recompute  # noqa: PLC0415
    from wirbel.evaluation.foreman_page import foreman_page  # noqa: PLC0415

    pages = {Preset.FOREMAN2024: lambda rng: foreman_page(recompute(rng=rng))}
    finish(pages[preset](np.random.default_rng(seed)), output, json=json)
