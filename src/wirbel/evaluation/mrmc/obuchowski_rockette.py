"""Obuchowski-Rockette analysis of a multi-reader multi-case study, with Hillis's degrees of freedom.

Obuchowski & Rockette, Commun Stat Simul Comput 1995;24:285; Hillis, Stat Med 2007;26:596 (degrees of freedom,
eq. 22); Hillis, Stat Med 2014;33:330 (unpaired and split-plot designs by marginal means). In every design the
denominator estimates the variance of a difference of treatment means without bias whatever the pattern of
shared cases, because the case covariances enter as averages over all pairs of readings.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.estimate import Estimate
from wirbel.evaluation.mrmc.anova import (
    CaseCovariances,
    Components,
    MeanSquares,
    average_covariances,
    components,
    harmonic_mean,
    mean_squares,
)
from wirbel.evaluation.mrmc.covariance import Covariance, case_covariance
from wirbel.evaluation.mrmc.design import Design, Layout, layout_of
from wirbel.evaluation.mrmc.figures import AreaUnderCurve, Figure, UserFigure, leave_one_out, placements
from wirbel.evaluation.mrmc.no_variance import NO_STDERR, ScoreLimits
from wirbel.evaluation.mrmc.readings import Readings
from wirbel.evaluation.mrmc.results import (
    Difference,
    Inference,
    Test,
    TreatmentMean,
    bounded_mean,
    difference,
    f_tail,
    hillis_df,
    t_interval,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """All results of one multi-reader analysis; `values` is (treatments, readers), NaN where not read."""

    figure: str
    method: str
    inference: Inference
    design: Design
    treatments: tuple[str, ...]
    readers: tuple[str, ...]
    n_patients: int
    n_cases: int
    values: Floats
    sigma: Floats
    squares: MeanSquares
    covariances: CaseCovariances
    components: Components
    test: Test | None
    means: tuple[TreatmentMean, ...]
    differences: tuple[Difference, ...]
    by_reader: tuple[Difference, ...]
    single_readings: tuple[tuple[Estimate, ...], ...]


def obuchowski_rockette(
    readings: Readings,
    figure: Figure | None = None,
    *,
    inference: Inference = Inference.RANDOM_READERS_RANDOM_CASES,
    covariance: Covariance = Covariance.JACKKNIFE,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Analysis:
    """Compare treatments over readers and cases; `figure` defaults to the empirical AUC.

    Factorial, unpaired-reader, unpaired-case and split-plot studies and studies with missing readings are
    recognised from the table. Raises ValueError where the study cannot answer: one reader with random
    readers, an unbalanced mix of paired and unpaired readers, or no variation at all.
    """
    figure = figure if figure is not None else AreaUnderCurve()
    layout = layout_of(readings)
    values = figure_values(readings, figure)
    sigma = case_covariance(readings, figure, covariance, rng=rng)
    return analyse(
        readings, figure, values, sigma, layout, inference=inference, level=level,
        method=f"Obuchowski-Rockette, {covariance.value} covariances",
    )


def analyse(
    readings: Readings,
    figure: Figure,
    values: Floats,
    sigma: Floats,
    layout: Layout,
    *,
    inference: Inference,
    level: float,
    method: str,
) -> Analysis:
    """The analysis from figures and their case covariances, however these were obtained."""
    squares = mean_squares(values, layout)
    averages = average_covariances(sigma, readings.cells, layout)
    parts = components(squares, averages, len(readings.treatments))
    limits = ScoreLimits(readings, figure, values, level)
    study = _Study(readings, figure, values, sigma, layout, squares, averages, parts, inference, level, limits)
    if inference is not Inference.FIXED_READERS and min(squares.df_readers_in_treatment) < 1:
        raise ValueError(
            "random readers need at least two readers under every treatment; with one reader use fixed readers"
        )
    test = _test(study) if len(readings.treatments) > 1 else None
    return Analysis(
        figure=figure.name,
        method=method,
        inference=inference,
        design=layout.design,
        treatments=readings.treatments,
        readers=readings.readers,
        n_patients=readings.n_patients,
        n_cases=len(readings.cases),
        values=values,
        sigma=sigma,
        squares=squares,
        covariances=averages,
        components=parts,
        test=test,
        means=tuple(_treatment_mean(study, i) for i in range(len(readings.treatments))),
        differences=()
        if test is None
        else tuple(_difference(study, test, i, j) for i, j in combinations(range(len(values)), 2)),
        by_reader=_by_reader(study) if layout.design is not Design.READERS_NESTED else (),
        single_readings=tuple(
            tuple(_single(study, i, j) for j in range(len(readings.readers)) if readings.cells[i, j])
            for i in range(len(readings.treatments))
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Study:
    readings: Readings
    figure: Figure
    values: Floats
    sigma: Floats
    layout: Layout
    squares: MeanSquares
    averages: CaseCovariances
    parts: Components
    inference: Inference
    level: float
    limits: ScoreLimits

    @property
    def n_readers(self) -> float:
        """Readers per treatment; the harmonic mean where unpaired readers differ in number."""
        if self.layout.design is Design.READERS_NESTED:
            return harmonic_mean(self.readings.cells.sum(axis=1))
        return float(len(self.readings.readers))

    @property
    def readers_per_case(self) -> float:
        if self.layout.design is Design.READERS_NESTED:
            return self.n_readers
        return self.layout.readers_per_case


def figure_values(readings: Readings, figure: Figure) -> Floats:
    """The figure of every (treatment, reader) cell, NaN where a reader did not read."""
    if isinstance(figure, UserFigure):
        return leave_one_out(readings, figure).values
    return placements(readings, figure).values.reshape(len(readings.treatments), len(readings.readers))


def _test(study: _Study) -> Test:
    """Hillis 2007, eq. 13 (random readers and cases), 17 (fixed readers) and the plain two-way F (fixed
    cases)."""
    squares, parts = study.squares, study.parts
    df1 = float(squares.df_treatment)
    if study.inference is Inference.FIXED_READERS:
        denominator, df2 = _fixed_reader_denominator(study), np.inf
    else:
        shared = parts.shared_cases if study.inference is Inference.RANDOM_READERS_RANDOM_CASES else 0.0
        denominator = squares.error + study.readers_per_case * shared
        df2 = hillis_df(denominator, squares.error, squares.df_error)
    if not denominator > 0:
        raise ValueError(
            f"{study.figure.name} has no variation between readers or cases (for instance perfect separation by "
            "every "
            "reader): treatments cannot be compared"
        )
    statistic = squares.treatment / denominator
    if study.inference is Inference.FIXED_READERS:
        return Test("chi2", df1 * statistic, df1, np.inf, f_tail(statistic, df1, np.inf), denominator)
    return Test("F", statistic, df1, df2, f_tail(statistic, df1, df2), denominator)


def _fixed_reader_denominator(study: _Study) -> float:
    parts, n = study.parts, study.n_readers
    if study.layout.design is Design.READERS_NESTED:
        cov1 = 0.0
        return parts.error - cov1 + (n - 1) * parts.cov2 - n * parts.cov3
    return parts.error - parts.cov1 + (study.readers_per_case - 1) * parts.shared_cases


def _treatment_mean(study: _Study, i: int) -> TreatmentMean:
    """Mean of one treatment from its own readings alone (Hillis 2007, eq. 25)."""
    squares, averages = study.squares, study.averages
    n = int(study.readings.cells[i].sum())
    per_case = n if study.layout.design is Design.READERS_NESTED else study.layout.readers_per_case
    cov2 = max(float(averages.cov2_by_treatment[i]), 0.0)
    if study.inference is Inference.FIXED_READERS:
        variance, df = (float(averages.error_by_treatment[i]) + (per_case - 1) * cov2) / n, np.inf
    else:
        ms, ms_df = squares.readers_in_treatment[i], squares.df_readers_in_treatment[i]
        total = ms + (per_case * cov2 if study.inference is Inference.RANDOM_READERS_RANDOM_CASES else 0.0)
        variance, df = total / n, hillis_df(total, ms, ms_df)
    mean = bounded_mean(
        study.readings.treatments[i],
        float(np.nanmean(study.values[i])),
        stderr=float(np.sqrt(max(variance, 0.0))),
        df=df,
        level=study.level,
        n=study.readings.n_patients,
        method=_method(study, df),
        bounds=study.figure.bounds,
    )
    return study.limits.mean(mean, i)


def _difference(study: _Study, test: Test, i: int, j: int) -> Difference:
    return difference(
        study.readings.treatments[i],
        study.readings.treatments[j],
        None,
        float(np.nanmean(study.values[i]) - np.nanmean(study.values[j])),
        stderr=float(np.sqrt(2.0 * test.denominator / study.n_readers)),
        df=test.df2,
        level=study.level,
        n=study.readings.n_patients,
        method=_method(study, test.df2),
    )


def _by_reader(study: _Study) -> tuple[Difference, ...]:
    """Differences of each reader alone, a normal test over cases (Hillis 2007, section 3.3)."""
    names, averages = study.readings, study.averages
    variances = 2.0 * (averages.error_by_reader - averages.cov1_by_reader)
    def of(reader: int, i: int, j: int) -> Difference:
        gap = float(study.values[i, reader] - study.values[j, reader])
        found = difference(
            names.treatments[i], names.treatments[j], names.readers[reader], gap,
            stderr=float(np.sqrt(max(variances[reader], 0.0))), df=np.inf, level=study.level, n=names.n_patients,
            method=_method(study, np.inf),
        )
        return study.limits.difference(found, i, j, reader)

    return tuple(
        of(reader, i, j)
        for reader in range(len(names.readers))
        for i, j in combinations(range(len(study.values)), 2)
    )


def _single(study: _Study, i: int, j: int) -> Estimate:
    cell = i * len(study.readings.readers) + j
    value, stderr = float(study.values[i, j]), float(np.sqrt(max(study.sigma[cell, cell], 0.0)))
    low, high = t_interval(value, stderr, np.inf, study.level)
    low, high = max(low, study.figure.bounds[0]), min(high, study.figure.bounds[1])
    found = Estimate(value, low, high, study.level, study.readings.n_patients, _method(study, np.inf))
    return found if stderr > NO_STDERR else study.limits.reading(found, i, j)


def _method(study: _Study, df: float) -> str:
    return "normal over cases" if np.isinf(df) else f"t({df:.2f}), {study.inference.value}"
