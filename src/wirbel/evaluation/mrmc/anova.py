"""Mean squares of the readers' figures, and the variance components of the Obuchowski-Rockette model.

The model (Obuchowski & Rockette 1995; Hillis 2007, Stat Med 26:596, eq. 1): the figure of treatment i, reader
j is mu + tau_i + R_j + (tau R)_ij + error_ij, the errors correlated through the common cases: Cov1 between
treatments of one reader, Cov2 between readers of one treatment, Cov3 when both differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.mrmc.design import Design, Layout

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Mean squares and degrees of freedom of the treatment x reader table; NaN where there is one treatment
    or reader.

    `readers_in_treatment` has the readers' mean square of each treatment alone. `error` is the one that
    random-reader tests build on: treatment x reader, or readers within treatments when unpaired. In a
    split-plot study both are pooled within the groups of readers.
    """

    treatment: float
    reader: float
    treatment_reader: float
    readers_in_treatment: tuple[float, ...]
    error: float
    df_treatment: int
    df_reader: int
    df_treatment_reader: int
    df_error: int
    df_readers_in_treatment: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Components:
    """Variance components; `reader` and `treatment_reader` are the usual estimates and may be negative."""

    reader: float
    treatment_reader: float
    error: float
    cov1: float
    cov2: float
    cov3: float

    @property
    def correlations(self) -> tuple[float, float, float]:
        """Cov1, Cov2 and Cov3 as correlations of the error."""
        return (self.cov1 / self.error, self.cov2 / self.error, self.cov3 / self.error)

    @property
    def shared_cases(self) -> float:
        """max(Cov2 - Cov3, 0): what common cases add to a difference of treatments for each further reader."""
        return max(self.cov2 - self.cov3, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class CaseCovariances:
    """Averages of the covariance matrix: over all cells, by treatment and by reader."""

    error: float
    cov1: float
    cov2: float
    cov3: float
    error_by_treatment: Floats
    cov2_by_treatment: Floats
    error_by_reader: Floats
    cov1_by_reader: Floats


def average_covariances(sigma: Floats, cells: npt.NDArray[np.bool_], layout: Layout) -> CaseCovariances:
    """Average the case covariances over the pairs of cells that play the same part.

    In a split-plot study Cov2 and Cov3 are averages over readers of one group: readers of different groups
    share no case.
    """
    n_treatments, n_readers = cells.shape
    treatment, reader = (a.ravel() for a in np.indices(cells.shape))
    observed = np.flatnonzero(cells.ravel())
    s = sigma[np.ix_(observed, observed)]
    t, r = treatment[observed], reader[observed]
    same_t, same_r = t[:, None] == t, r[:, None] == r
    same_group = layout.groups[r][:, None] == layout.groups[r]
    if not layout.grouped:
        same_group = np.ones_like(same_group)

    def mean(where: npt.NDArray[np.bool_]) -> float:
        return float(s[where].mean()) if where.any() else 0.0

    def of_treatment(i: int) -> npt.NDArray[np.bool_]:
        return (t == i)[:, None] & (t == i)

    def of_reader(j: int) -> npt.NDArray[np.bool_]:
        return (r == j)[:, None] & (r == j)

    return CaseCovariances(
        error=mean(same_t & same_r),
        cov1=mean(~same_t & same_r),
        cov2=mean(same_t & ~same_r & same_group),
        cov3=mean(~same_t & ~same_r & same_group),
        error_by_treatment=np.array([mean(of_treatment(i) & same_r) for i in range(n_treatments)]),
        cov2_by_treatment=np.array([
            mean(of_treatment(i) & ~same_r & same_group) for i in range(n_treatments)
        ]),
        error_by_reader=np.array([mean(of_reader(j) & same_t) for j in range(n_readers)]),
        cov1_by_reader=np.array([mean(of_reader(j) & ~same_t) for j in range(n_readers)]),
    )


def mean_squares(values: Floats, layout: Layout) -> MeanSquares:
    """Mean squares of a (treatments, readers) table of figures; NaN cells are unread (unpaired readers)."""
    if layout.design is Design.READERS_NESTED:
        return _nested_mean_squares(values)
    n_treatments, n_readers = values.shape
    grand, by_t, by_r = values.mean(), values.mean(axis=1), values.mean(axis=0)
    rest = values - by_t[:, None] - by_r + grand
    df_t, df_r = n_treatments - 1, n_readers - 1
    ms_tr = _divide(float((rest**2).sum()), df_t * df_r)
    error, df_error = ms_tr, df_t * df_r
    within, df_within = values.var(axis=1, ddof=1) if df_r else np.full(n_treatments, np.nan), df_r
    if layout.grouped:
        blocks = [values[:, layout.groups == g] for g in range(int(layout.groups.max()) + 1)]
        df_within = n_readers - len(blocks)
        df_error = df_t * df_within
        centred = [block - block.mean(axis=1, keepdims=True) for block in blocks]
        within = sum((c**2).sum(axis=1) for c in centred) / df_within
        error = _divide(float(sum(((c - c.mean(axis=0)) ** 2).sum() for c in centred)), df_error)
    return MeanSquares(
        treatment=_divide(n_readers * float(((by_t - grand) ** 2).sum()), df_t),
        reader=_divide(n_treatments * float(((by_r - grand) ** 2).sum()), df_r),
        treatment_reader=ms_tr,
        readers_in_treatment=tuple(float(w) for w in within),
        error=error,
        df_treatment=df_t,
        df_reader=df_r,
        df_treatment_reader=df_t * df_r,
        df_error=df_error,
        df_readers_in_treatment=(df_within,) * n_treatments,
    )


def components(squares: MeanSquares, covariances: CaseCovariances, n_treatments: int) -> Components:
    """Variance components of the OR model from mean squares and case covariances (Hillis 2014, Stat Med
    33:330)."""
    c = covariances
    shared = max(c.cov2 - c.cov3, 0.0)
    if np.isnan(squares.reader):
        reader = squares.error - c.error + c.cov2
        interaction = float("nan")
    else:
        reader = (squares.reader - squares.error) / n_treatments - c.cov1 + c.cov3
        interaction = squares.error - c.error + c.cov1 + shared
    return Components(reader, interaction, c.error, c.cov1, c.cov2, c.cov3)


def _nested_mean_squares(values: Floats) -> MeanSquares:
    counts = np.isfinite(values).sum(axis=1)
    means = np.nanmean(values, axis=1)
    within = tuple(
        float(row[np.isfinite(row)].var(ddof=1)) if n > 1 else np.nan
        for row, n in zip(values, counts, strict=True)
    )
    df_t, df_error = len(counts) - 1, int((counts - 1).sum())
    pooled = _divide(float(sum(w * (n - 1) for w, n in zip(within, counts, strict=True) if n > 1)), df_error)
    return MeanSquares(
        treatment=_divide(harmonic_mean(counts) * float(((means - means.mean()) ** 2).sum()), df_t),
        reader=float("nan"),
        treatment_reader=float("nan"),
        readers_in_treatment=within,
        error=pooled,
        df_treatment=df_t,
        df_reader=df_error,
        df_treatment_reader=0,
        df_error=df_error,
        df_readers_in_treatment=tuple(int(n) - 1 for n in counts),
    )


def harmonic_mean(counts: npt.NDArray[np.intp]) -> float:
    """Harmonic mean: the equal number of readers that has the variance of these unequal ones."""
    return float(counts.size / (1.0 / counts).sum())


def _divide(numerator: float, denominator: int) -> float:
    return numerator / denominator if denominator > 0 else float("nan")
