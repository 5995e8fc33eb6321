"""`wirbel stats mrmc` and `wirbel stats power`: reader studies. Research use only."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from wirbel.cli.stats_tables import (
    Json,
    Level,
    Output,
    Patient,
    Seed,
    Table,
    Threshold,
    Truth,
    finish,
    readings_of,
    refusing,
)
from wirbel.errors import InputRejected, UsageError

if TYPE_CHECKING:
    from wirbel.evaluation.mrmc import Figure, Inference


class Measure(StrEnum):
    """Figure of merit of a reader study."""

    AUC = "auc"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"


class Method(StrEnum):
    """Analysis of a reader study."""

    OR = "or"
    DBM = "dbm"
    ONE_SHOT = "one-shot"


class Generalise(StrEnum):
    """To whom a reader study's conclusion extends."""

    BOTH = "both"
    CASES = "cases"
    READERS = "readers"


class Covariances(StrEnum):
    """How case covariances are estimated."""

    JACKKNIFE = "jackknife"
    DELONG = "delong"
    UNBIASED = "unbiased"
    BOOTSTRAP = "bootstrap"


def mrmc(  # noqa: PLR0913  # one argument for each option
    file: Table,
    *,
    reader: Annotated[str, typer.Option("--reader", help="Column with the reader.")] = "reader",
    treatment: Annotated[str, typer.Option("--treatment", help="Column with the treatment.")] = "treatment",
    case: Annotated[str, typer.Option("--case", help="Column with the case.")] = "case",
    truth: Truth = "truth",
    rating: Annotated[
        str, typer.Option("--rating", help="Column with the rating; higher means disease.")
    ] = "rating",
    patient: Patient = "",
    figure: Annotated[Measure, typer.Option("--figure", help="Figure of merit.")] = Measure.AUC,
    threshold: Threshold = None,
    method: Annotated[Method, typer.Option("--method", help="Analysis.")] = Method.OR,
    random: Annotated[Generalise, typer.Option("--random", help="What is a random sample.")] = Generalise.BOTH,
    covariance: Annotated[Covariances, typer.Option("--covariance", help="Case covariances.")] = (
        Covariances.JACKKNIFE
    ),
    alone: Annotated[str, typer.Option("--alone", help="Reader that is a stand-alone algorithm.")] = "",
    under: Annotated[str, typer.Option("--under", help="With --alone: treatment of the human readers.")] = "",
    level: Level = 0.95,
    output: Output = None,
    json: Json = False,
    seed: Seed = 1,
) -> None:
    """A reader study: treatments compared over readers and cases (CSV, .imrmc or Iowa's .lrc)."""
    import numpy as np  # noqa: PLC0415

    from wirbel.evaluation import study_pages as pages  # noqa: PLC0415
    from wirbel.evaluation.mrmc import (  # noqa: PLC0415
        Covariance,
        dorfman_berbaum_metz,
        obuchowski_rockette,
        one_shot,
        stand_alone,
    )
    from wirbel.evaluation.reading_tables import ReadingColumns  # noqa: PLC0415

    merit, columns = (
        _figure(figure, threshold),
        ReadingColumns(reader, treatment, case, truth, rating, patient or None),
    )
    readings = readings_of(file, columns)
    estimator, inference = Covariance[covariance.name], _inference(random)
    rng = np.random.default_rng(seed)
    with refusing(InputRejected):
        if alone:
            page = pages.stand_alone_page(
                stand_alone(
                    readings,
                    merit,
                    alone=alone,
                    treatment=under or None,
                    inference=inference,
                    covariance=estimator,
                    level=level,
                    rng=rng,
                )
            )
        elif method is Method.OR:
            page = pages.study_page(
                obuchowski_rockette(
                    readings, merit, inference=inference, covariance=estimator, level=level, rng=rng
                )
            )
        elif method is Method.DBM:
            page = pages.pseudovalue_page(
                dorfman_berbaum_metz(readings, merit, inference=inference, level=level)
            )
        else:
            shot = one_shot(readings, merit, level=level)
            page = pages.one_shot_page(shot, len(readings.readers), len(readings.cases))
    finish(page, output, json=json)


def power(  # noqa: PLR0913  # one argument for each option
    file: Table,
    *,
    effect: Annotated[float, typer.Option("--effect", help="True difference of the figures to be found.")],
    readers: Annotated[int, typer.Option("--readers", help="Readers of the planned study.")],
    cases: Annotated[int, typer.Option("--cases", help="Cases of the planned study; 0: find the fewest.")] = 0,
    target: Annotated[float, typer.Option("--target", help="Power wanted where --cases is not given.")] = 0.8,
    reader: Annotated[str, typer.Option("--reader", help="Column with the reader.")] = "reader",
    treatment: Annotated[str, typer.Option("--treatment", help="Column with the treatment.")] = "treatment",
    case: Annotated[str, typer.Option("--case", help="Column with the case.")] = "case",
    truth: Truth = "truth",
    rating: Annotated[str, typer.Option("--rating", help="Column with the rating.")] = "rating",
    figure: Annotated[Measure, typer.Option("--figure", help="Figure of merit.")] = Measure.AUC,
    threshold: Threshold = None,
    random: Annotated[Generalise, typer.Option("--random", help="What is a random sample.")] = Generalise.BOTH,
    alpha: Annotated[float, typer.Option("--alpha", help="Two-sided significance level.")] = 0.05,
    output: Output = None,
    json: Json = False,
) -> None:
    """Power or number of cases of a planned reader study, from a pilot study's table."""
    from wirbel.evaluation.mrmc import cases_needed, obuchowski_rockette  # noqa: PLC0415
    from wirbel.evaluation.mrmc import power as power_of  # noqa: PLC0415
    from wirbel.evaluation.reading_tables import ReadingColumns  # noqa: PLC0415
    from wirbel.evaluation.study_pages import power_page  # noqa: PLC0415

    merit, inference = _figure(figure, threshold), _inference(random)
    columns = ReadingColumns(reader, treatment, case, truth, rating)
    readings = readings_of(file, columns)
    with refusing(InputRejected):
        pilot, n = obuchowski_rockette(readings, merit).components, readings.n_patients
        if cases == 0:
            chosen = cases_needed(
                pilot,
                target=target,
                effect=effect,
                readers=readers,
                pilot_cases=n,
                inference=inference,
                alpha=alpha,
            )
        else:
            chosen = power_of(
                pilot, effect=effect, readers=readers, cases=cases, pilot_cases=n, inference=inference, alpha=alpha
            )
        sweep = tuple(
            power_of(
                pilot, effect=effect, readers=readers, cases=max(2, round(chosen.cases * share)), pilot_cases=n,
                inference=inference, alpha=alpha,
            )
            for share in (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
        )
    finish(power_page(chosen, sweep, pilot), output, json=json)


def _figure(measure: Measure, threshold: float | None) -> Figure:
    from wirbel.evaluation.mrmc import AreaUnderCurve, Sensitivity, Specificity  # noqa: PLC0415

    if measure is Measure.AUC:
        return AreaUnderCurve()
    if threshold is None:
        raise UsageError(
            f"--figure {measure.value} needs --threshold: the rating from which a case is called positive"
        )
    return Sensitivity(threshold) if measure is Measure.SENSITIVITY else Specificity(threshold)


def _inference(random: Generalise) -> Inference:
    from wirbel.evaluation.mrmc import Inference  # noqa: PLC0415

    return {
        Generalise.BOTH: Inference.RANDOM_READERS_RANDOM_CASES,
        Generalise.CASES: Inference.FIXED_READERS,
        Generalise.READERS: Inference.FIXED_CASES,
    }[random]
