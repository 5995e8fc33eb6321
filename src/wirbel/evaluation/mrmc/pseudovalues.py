"""Dorfman-Berbaum-Metz analysis: a three-way analysis of variance of jackknife pseudovalues.

Dorfman, Berbaum & Metz, Invest Radiol 1992;27:723, with the denominators and degrees of freedom of Hillis,
Berbaum & Metz, Acad Radiol 2008;15:647. Pseudovalues are N figure - (N - 1) figure without the patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.mrmc.design import Design, layout_of
from wirbel.evaluation.mrmc.figures import AreaUnderCurve, Figure, leave_one_out
from wirbel.evaluation.mrmc.no_variance import ScoreLimits
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
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PseudovalueSquares:
    """Mean squares of treatment (T), reader (R) and case (C) and their interactions; the degrees of freedom
    beside."""

    t: float
    r: float
    c: float
    tr: float
    tc: float
    rc: float
    trc: float
    df_t: int
    df_r: int
    df_c: int

    @property
    def degrees(self) -> dict[str, int]:
        """Degrees of freedom by the name of the effect."""
        t, r, c = self.df_t, self.df_r, self.df_c
        return {"t": t, "r": r, "c": c, "tr": t * r, "tc": t * c, "rc": r * c, "trc": t * r * c}

    def sum_of_squares(self, effect: str) -> float:
        """Sum of squares of the effect named as the field is."""
        return float(getattr(self, effect)) * self.degrees[effect]


@dataclass(frozen=True, slots=True)
class PseudovalueComponents:
    """Variance components of reader, case, and their interactions with treatment; estimates may be negative."""

    reader: float
    case: float
    treatment_reader: float
    treatment_case: float
    reader_case: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class PseudovalueAnalysis:
    """Results; `pseudovalues` is (treatments, readers, patients), `by_treatment` and `by_reader` are two-way
    tables."""

    figure: str
    inference: Inference
    n_patients: int
    n_cases: int
    pseudovalues: Floats
    values: Floats
    squares: PseudovalueSquares
    components: PseudovalueComponents
    reader_by_treatment: tuple[float, ...]
    case_by_treatment: tuple[float, ...]
    reader_case_by_treatment: tuple[float, ...]
    treatment_by_reader: tuple[float, ...]
    case_by_reader: tuple[float, ...]
    treatment_case_by_reader: tuple[float, ...]
    test: Test
    means: tuple[TreatmentMean, ...]
    differences: tuple[Difference, ...]
    by_reader: tuple[Difference, ...]


def dorfman_berbaum_metz(
    readings: Readings,
    figure: Figure | None = None,
    *,
    inference: Inference = Inference.RANDOM_READERS_RANDOM_CASES,
    level: float = 0.95,
) -> PseudovalueAnalysis:
    """Compare treatments by pseudovalues; a factorial study is needed (else use `obuchowski_rockette`)."""
    figure = figure if figure is not None else AreaUnderCurve()
    layout = layout_of(readings)
    if layout.design is not Design.FACTORIAL:
        raise ValueError(
            f"the pseudovalue analysis needs every reader to read every case under every treatment; here "
            f"{layout.design.value}: use the Obuchowski-Rockette analysis"
        )
    if len(readings.treatments) < 2 or len(readings.readers) < 2:
        raise ValueError(
            "the pseudovalue analysis compares at least two treatments read by at least two readers"
        )
    loo = leave_one_out(readings, figure)
    n = loo.without.shape[-1]
    y = n * loo.values[..., None] - (n - 1) * loo.without
    squares = _squares(y)
    t, r = y.shape[0], y.shape[1]
    ms_r, ms_c, ms_rc = _two_way(y)
    ms_t_of_reader, ms_c_of_reader, ms_tc_of_reader = _two_way(y.transpose(1, 0, 2))
    test = _test(squares, inference, figure)
    errors = [_mean_error(inference, ms_r[i], ms_c[i], ms_rc[i], r, n) for i in range(t)]
    method = f"Dorfman-Berbaum-Metz, {inference.value}"
    limits = ScoreLimits(readings, figure, loo.values, level)
    means = tuple(
        limits.mean(
            bounded_mean(
                readings.treatments[i], float(y[i].mean()), stderr=stderr, df=df, level=level,
                n=readings.n_patients, method=method, bounds=figure.bounds,
            ),
            i,
        )
        for i, (stderr, df) in enumerate(errors)
    )
    pairs = list(combinations(range(t), 2))

    def compare(i: int, j: int, reader: int | None, variance: float, df: float) -> Difference:
        which = slice(None) if reader is None else reader
        found = difference(
            readings.treatments[i], readings.treatments[j], None if reader is None else readings.readers[reader],
            float(y[i, which].mean() - y[j, which].mean()), stderr=float(np.sqrt(variance)), df=df, level=level,
            n=readings.n_patients, method=method,
        )
        return found if reader is None else limits.difference(found, i, j, reader)

    return PseudovalueAnalysis(
        figure=figure.name,
        inference=inference,
        n_patients=readings.n_patients,
        n_cases=len(readings.cases),
        pseudovalues=y,
        values=loo.values,
        squares=squares,
        components=_components(squares, y.shape),
        reader_by_treatment=ms_r,
        case_by_treatment=ms_c,
        reader_case_by_treatment=ms_rc,
        treatment_by_reader=ms_t_of_reader,
        case_by_reader=ms_c_of_reader,
        treatment_case_by_reader=ms_tc_of_reader,
        test=test,
        means=means,
        differences=tuple(compare(i, j, None, 2 * test.denominator / (r * n), test.df2) for i, j in pairs),
        by_reader=tuple(
            compare(i, j, k, 2 * ms_tc_of_reader[k] / n, float(squares.df_c)) for k in range(r) for i, j in pairs
        ),
    )


def _squares(y: Floats) -> PseudovalueSquares:
    t, r, c = y.shape
    grand = y.mean()
    m_t, m_r, m_c = y.mean(axis=(1, 2)), y.mean(axis=(0, 2)), y.mean(axis=(0, 1))
    m_tr, m_tc, m_rc = y.mean(axis=2), y.mean(axis=1), y.mean(axis=0)
    a, b, d = m_t - grand, m_r - grand, m_c - grand
    tr = m_tr - grand - a[:, None] - b
    tc = m_tc - grand - a[:, None] - d
    rc = m_rc - grand - b[:, None] - d
    trc = y - grand - a[:, None, None] - b[:, None] - d - tr[:, :, None] - tc[:, None, :] - rc
    return PseudovalueSquares(
        t=float((a**2).sum()) * r * c / (t - 1),
        r=float((b**2).sum()) * t * c / (r - 1),
        c=float((d**2).sum()) * t * r / (c - 1),
        tr=float((tr**2).sum()) * c / ((t - 1) * (r - 1)),
        tc=float((tc**2).sum()) * r / ((t - 1) * (c - 1)),
        rc=float((rc**2).sum()) * t / ((r - 1) * (c - 1)),
        trc=float((trc**2).sum()) / ((t - 1) * (r - 1) * (c - 1)),
        df_t=t - 1, df_r=r - 1, df_c=c - 1,
    )


def _two_way(y: Floats) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Mean squares of rows, columns and their interaction in each slice of the first axis."""
    _, r, c = y.shape
    grand = y.mean(axis=(1, 2), keepdims=True)
    rows, cols = y.mean(axis=2, keepdims=True) - grand, y.mean(axis=1, keepdims=True) - grand
    rest = y - grand - rows - cols
    ms_rows = (rows**2).sum(axis=(1, 2)) * c / (r - 1)
    ms_cols = (cols**2).sum(axis=(1, 2)) * r / (c - 1)
    ms_rest = (rest**2).sum(axis=(1, 2)) / ((r - 1) * (c - 1))
    return tuple(map(float, ms_rows)), tuple(map(float, ms_cols)), tuple(map(float, ms_rest))


def _components(s: PseudovalueSquares, shape: tuple[int, ...]) -> PseudovalueComponents:
    t, r, c = shape
    return PseudovalueComponents(
        reader=(s.r - s.tr - s.rc + s.trc) / (t * c),
        case=(s.c - s.tc - s.rc + s.trc) / (t * r),
        treatment_reader=(s.tr - s.trc) / c,
        treatment_case=(s.tc - s.trc) / r,
        reader_case=(s.rc - s.trc) / t,
        error=s.trc,
    )


def _test(s: PseudovalueSquares, inference: Inference, figure: Figure) -> Test:
    if inference is Inference.RANDOM_READERS_RANDOM_CASES:
        denominator = s.tr + max(s.tc - s.trc, 0.0)
        df2 = hillis_df(denominator, s.tr, s.df_t * s.df_r)
    elif inference is Inference.FIXED_READERS:
        denominator, df2 = s.tc, float(s.df_t * s.df_c)
    else:
        denominator, df2 = s.tr, float(s.df_t * s.df_r)
    if not denominator > 0:
        raise ValueError(
            f"{figure.name} has no variation between readers or cases: treatments cannot be compared"
        )
    statistic = s.t / denominator
    return Test("F", statistic, float(s.df_t), df2, f_tail(statistic, float(s.df_t), df2), denominator)


def _mean_error(
    inference: Inference, ms_r: float, ms_c: float, ms_rc: float, r: int, n: int
) -> tuple[float, float]:
    """Standard error and degrees of freedom of one treatment's mean, from its own pseudovalues."""
    if inference is Inference.RANDOM_READERS_RANDOM_CASES:
        total = ms_r + max(ms_c - ms_rc, 0.0)
        return float(np.sqrt(total / (r * n))), hillis_df(total, ms_r, r - 1)
    if inference is Inference.FIXED_READERS:
        return float(np.sqrt(ms_c / (r * n))), float(n - 1)
    return float(np.sqrt(ms_r / (r * n))), float(r - 1)
