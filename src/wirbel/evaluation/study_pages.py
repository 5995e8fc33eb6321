"""Pages of reader studies: treatments compared, an algorithm against readers, and power."""

from __future__ import annotations

import numpy as np

from wirbel.evaluation.mrmc.anova import Components
from wirbel.evaluation.mrmc.obuchowski_rockette import Analysis
from wirbel.evaluation.mrmc.one_shot import OneShot
from wirbel.evaluation.mrmc.power import Power
from wirbel.evaluation.mrmc.pseudovalues import PseudovalueAnalysis
from wirbel.evaluation.mrmc.results import Difference, Test, TreatmentMean
from wirbel.evaluation.mrmc.stand_alone import StandAlone
from wirbel.evaluation.pages import Drawing, Page, Table, number, p_value
from wirbel.evaluation.plots import curve_drawing, forest_drawing, reader_drawing


def study_page(a: Analysis) -> Page:
    """An Obuchowski-Rockette analysis with the sentence for the paper, all readers and the components."""
    shape = f"{len(a.readers)} readers and {_cases(a)}"
    drawings = [_difference_drawing(a.differences)] if a.differences else []
    if not np.isnan(a.values).any():
        drawings.insert(0, reader_drawing(a))
    return Page(
        title=f"{a.figure} in a reader study",
        sentences=(
            means_sentence(a.figure, a.means, shape),
            *(difference_sentence(a.figure, d, a.method, a.inference.value) for d in a.differences),
        ),
        tables=(
            _reader_table(a),
            _mean_table(a.figure, a.means),
            *((_difference_table(a.differences),) if a.differences else ()),
            *((_difference_table(a.by_reader, title="Difference of each reader"),) if a.by_reader else ()),
            _component_table(a.components),
        ),
        drawings=tuple(drawings),
        notes=(f"Design: {a.design.value}. {a.method}; {a.inference.value}.", *_test_note(a.test)),
        numbers={
            "figure": a.figure, "method": a.method, "design": a.design.name, "inference": a.inference.name,
            "values": {
                t: {r: float(a.values[i, j]) for j, r in enumerate(a.readers) if np.isfinite(a.values[i, j])}
                for i, t in enumerate(a.treatments)
            },
            "components": {f: getattr(a.components, f) for f in a.components.__dataclass_fields__},
            **_common_numbers(a.means, a.differences, a.test),
        },
    )


def pseudovalue_page(a: PseudovalueAnalysis) -> Page:
    """A Dorfman-Berbaum-Metz analysis."""
    method = "Dorfman-Berbaum-Metz"
    return Page(
        title=f"{a.figure} in a reader study (pseudovalues)",
        sentences=(
            means_sentence(a.figure, a.means, f"{a.values.shape[1]} readers and {_cases(a)}"),
            *(difference_sentence(a.figure, d, method, a.inference.value) for d in a.differences),
        ),
        tables=(
            _mean_table(a.figure, a.means),
            _difference_table(a.differences),
            Table(
                "Analysis of variance of the pseudovalues",
                ("effect", "df", "sum of squares", "mean square"),
                tuple(
                    (e.upper(), str(df), number(a.squares.sum_of_squares(e), 5), number(getattr(a.squares, e), 6))
                    for e, df in a.squares.degrees.items()
                ),
            ),
        ),
        drawings=(_difference_drawing(a.differences),),
        notes=(f"{method}; {a.inference.value}.", *_test_note(a.test)),
        numbers={"figure": a.figure, "method": method, **_common_numbers(a.means, a.differences, a.test)},
    )


def one_shot_page(a: OneShot, n_readers: int, n_cases: int) -> Page:
    """A U-statistic analysis."""
    method = "one-shot U-statistics"
    return Page(
        title=f"{a.figure} in a reader study (U-statistics)",
        sentences=(
            means_sentence(a.figure, a.means, f"{n_readers} readers and {n_cases} cases"),
            *(difference_sentence(a.figure, d, method, "random readers and random cases") for d in a.differences),
        ),
        tables=(_mean_table(a.figure, a.means), _difference_table(a.differences)),
        drawings=(_difference_drawing(a.differences),) if a.differences else (),
        notes=(f"{method}; random readers and random cases.",),
        numbers={"figure": a.figure, "method": method, **_common_numbers(a.means, a.differences, None)},
    )


def stand_alone_page(a: StandAlone) -> Page:
    """An algorithm against the mean of readers."""
    d = a.difference
    return Page(
        title=f"{a.figure}: {d.first} against readers",
        sentences=(
            f"The {a.figure} of {d.first} was {a.alone.text(3)}, that of the {a.readers.name} "
            f"{a.readers.estimate.text(3)}; the difference was {d.estimate.text(3)}, {_verdict(d)}.",
        ),
        tables=(_mean_table(a.figure, (a.readers,)), _difference_table((d,))),
        drawings=(_difference_drawing((d,)),),
        notes=(f"{a.readers.estimate.method}.",),
        numbers={"figure": a.figure, "alone": a.alone.to_json(), **_common_numbers((a.readers,), (d,), None)},
    )


def power_page(chosen: Power, sweep: tuple[Power, ...], pilot: Components) -> Page:
    """Power of a planned study, and over a range of case numbers."""
    return Page(
        title="Power of a reader study",
        sentences=(
            f"With {chosen.readers} readers and {chosen.cases} cases, a true difference of "
            f"{number(abs(chosen.effect))} is found with a power of {number(chosen.power)} "
            f"(two-sided α = {chosen.alpha:g}; {chosen.inference.value}; Hillis, Obuchowski & Berbaum 2011).",
        ),
        tables=(
            Table(
                "Power by number of cases", ("cases", "power", "noncentrality", "df"),
                tuple((str(p.cases), number(p.power), number(p.noncentrality, 2), number(p.df2, 1)) for p in sweep),
            ),
            _component_table(pilot),
        ),
        drawings=(
            curve_drawing(
                "power", "Power against the number of cases", np.array([float(p.cases) for p in sweep]),
                np.array([p.power for p in sweep]), ("Cases", "Power"),
            ),
        ),
        notes=("The pilot study's components are estimates themselves; so is this power.",),
        numbers={
            "chosen": _power_numbers(chosen), "sweep": [_power_numbers(p) for p in sweep],
        },
    )


def means_sentence(figure: str, means: tuple[TreatmentMean, ...], shape: str) -> str:
    """'Over 5 readers and 114 cases the mean AUC was ... under 1 and ... under 2.'"""
    parts = [f"{m.estimate.text(3)} under {m.name}" for m in means]
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Over {shape} the mean {figure} was {listed}."


def difference_sentence(figure: str, d: Difference, method: str, inference: str) -> str:
    """The difference with interval, statistic and p, as a paper prints it."""
    return (
        f"The difference in {figure} between {d.first} and {d.second} was {d.estimate.text(3)}, "
        f"{_verdict(d, f'; {method}; {inference}')}."
    )


def _cases(a: Analysis | PseudovalueAnalysis) -> str:
    return f"{a.n_cases} cases" + (f" of {a.n_patients} patients" if a.n_patients < a.n_cases else "")


def _verdict(d: Difference, how: str = "") -> str:
    significant = "" if d.p < 1 - d.estimate.level else "not "
    shown = f"z = {number(d.statistic, 2)}" if np.isinf(d.df) else f"t({d.df:.1f}) = {number(d.statistic, 2)}"
    return f"statistically {significant}significant ({shown}, {p_value(d.p)}{how})"


def _test_note(test: Test | None) -> tuple[str, ...]:
    if test is None:
        return ()
    if test.kind == "F":
        return (
            f"All treatments equal: F({test.df1:g}, {test.df2:.2f}) = {number(test.statistic, 2)}, "
            f"{p_value(test.p)}.",
        )
    return (f"All treatments equal: χ²({test.df1:g}) = {number(test.statistic, 2)}, {p_value(test.p)}.",)


def _reader_table(a: Analysis) -> Table:
    rows = tuple(
        (r, *(number(float(a.values[i, j])) for i in range(len(a.treatments)))) for j, r in enumerate(a.readers)
    )
    return Table(f"{a.figure} of each reader", ("reader", *a.treatments), rows)


def _mean_table(figure: str, means: tuple[TreatmentMean, ...]) -> Table:
    return Table(
        f"Mean {figure}", ("treatment", "mean", "standard error", "df", "low", "high"),
        tuple(
            (m.name, number(m.estimate.value), number(m.stderr, 4), number(m.df, 1), number(m.estimate.low),
             number(m.estimate.high))
            for m in means
        ),
    )


def _difference_table(differences: tuple[Difference, ...], *, title: str = "Differences") -> Table:
    return Table(
        title, ("difference", "value", "standard error", "low", "high", "statistic", "df", "p"),
        tuple(
            (
                f"{d.first} − {d.second}" + (f", reader {d.reader}" if d.reader else ""), number(d.estimate.value),
                number(d.stderr, 4), number(d.estimate.low), number(d.estimate.high), number(d.statistic, 2),
                number(d.df, 1), number(d.p, 4),
            )
            for d in differences
        ),
    )


def _component_table(c: Components) -> Table:
    names = ("reader", "treatment_reader", "error", "cov1", "cov2", "cov3")
    labels = ("reader", "treatment × reader", "error", "Cov1", "Cov2", "Cov3")
    return Table(
        "Variance components", ("component", "estimate"),
        tuple((label, number(getattr(c, name), 7)) for label, name in zip(labels, names, strict=True)),
    )


def _difference_drawing(differences: tuple[Difference, ...]) -> Drawing:
    rows = [
        (f"{d.first} − {d.second}", d.estimate.value, d.estimate.low, d.estimate.high) for d in differences
    ]
    return forest_drawing("differences", "Differences with their intervals", rows, "Difference", null=0.0)


def _common_numbers(
    means: tuple[TreatmentMean, ...], differences: tuple[Difference, ...], test: Test | None
) -> dict[str, object]:
    out: dict[str, object] = {
        "means": {m.name: m.estimate.to_json() | {"stderr": m.stderr, "df": m.df} for m in means},
        "differences": [
            {"first": d.first, "second": d.second, **d.estimate.to_json(), "stderr": d.stderr, "df": d.df,
             "statistic": d.statistic, "p": d.p}
            for d in differences
        ],
    }
    if test is not None:
        out["test"] = {f: getattr(test, f) for f in ("kind", "statistic", "df1", "df2", "p", "denominator")}
    return out


def _power_numbers(p: Power) -> dict[str, object]:
    return {
        "power": p.power, "effect": p.effect, "readers": p.readers, "cases": p.cases, "alpha": p.alpha,
        "inference": p.inference.name, "noncentrality": p.noncentrality, "df2": p.df2,
    }
