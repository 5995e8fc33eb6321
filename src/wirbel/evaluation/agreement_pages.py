"""Pages of agreement: categories or measurements of two or more readers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.agreement import bland_altman, bowker, stuart_maxwell
from wirbel.evaluation.alpha import Scale, krippendorff_alpha
from wirbel.evaluation.estimate import Estimate
from wirbel.evaluation.icc import intraclass_correlations
from wirbel.evaluation.kappa import category_counts, cohen_kappa, cross_table, fleiss_kappa
from wirbel.evaluation.pages import Page, Table, number, p_value
from wirbel.evaluation.plots import bland_altman_drawing, forest_drawing


def ordered_page(readers: dict[str, npt.NDArray[np.float64]], *, level: float = 0.95) -> Page:
    """Linearly weighted kappas of categories that are ordered numbers, such as grades."""
    return _kappa_page(readers, weights="linear", level=level)


def category_page(readers: dict[str, list[str]], *, level: float = 0.95) -> Page:
    """Kappas of categories: each pair of readers, and all of them; two readers also get tests of changed
    margins."""
    return _kappa_page({name: np.array(ratings) for name, ratings in readers.items()}, weights="none", level=level)


def _kappa_page(readers: Mapping[str, npt.NDArray[np.generic]], *, weights: str, level: float) -> Page:
    names = tuple(readers)
    kappas = {
        f"{a} and {b}": cohen_kappa(cross_table(readers[a], readers[b])[0], weights=weights, level=level)
        for a, b in combinations(names, 2)
    }
    rows: list[tuple[str, Estimate]] = [(name, k.estimate) for name, k in kappas.items()]
    tables = [_estimates(rows)]
    numbers: dict[str, object] = {"kappa": {name: k.estimate.to_json() for name, k in kappas.items()}}
    if len(names) > 2:
        overall = fleiss_kappa(category_counts(np.array([readers[n] for n in names]).T), level=level)
        rows.append(("all readers", overall.estimate))
        tables = [_estimates(rows)]
        numbers["fleiss"] = overall.estimate.to_json()
        shown = f"{overall.estimate.text(2)} (Fleiss' kappa, {p_value(overall.p)})"
        sentence = f"Agreement of {len(names)} readers was {shown}."
    else:
        (kappa,) = kappas.values()
        table, categories = cross_table(readers[names[0]], readers[names[1]])
        tables.append(_cross(table, categories, names))
        changes = [stuart_maxwell(table), bowker(table)]
        tables.append(
            Table(
                "Did the categories shift?", ("test", "χ²", "df", "p"),
                tuple((c.method, number(c.statistic, 2), str(c.df), number(c.p, 4)) for c in changes),
            )
        )
        numbers["changed"] = [{"method": c.method, "statistic": c.statistic, "df": c.df, "p": c.p} for c in changes]
        name = "weighted kappa" if weights != "none" else "Cohen's kappa"
        sentence = (
            f"{names[0]} and {names[1]} agreed in {int(np.trace(table))} of {int(table.sum())} cases, {name} "
            f"{kappa.estimate.text(2)}."
        )
    drawn = [(name, e.value, e.low, e.high) for name, e in rows]
    return Page(
        title="Agreement on categories",
        sentences=(sentence,),
        tables=tuple(tables),
        drawings=(forest_drawing("kappa", "Kappas with their intervals", drawn, "Kappa", null=0.0),),
        numbers=numbers,
    )


def measurement_page(readers: dict[str, npt.NDArray[np.float64]], *, level: float = 0.95) -> Page:
    """Measurements: all intraclass correlations, and Bland-Altman for two readers."""
    names = tuple(readers)
    forms = intraclass_correlations(np.stack([readers[n] for n in names], axis=1), level=level)
    chosen = forms["ICC(2,1)"].estimate
    tables = [_estimates([(form, icc.estimate) for form, icc in forms.items()])]
    sentences = [f"Agreement of {len(names)} readers was ICC(2,1) = {chosen.text(2)} ({chosen.n} subjects)."]
    drawings = []
    numbers: dict[str, object] = {form: icc.estimate.to_json() for form, icc in forms.items()}
    if len(names) == 2:
        limits = bland_altman(readers[names[0]], readers[names[1]], level=level)
        rows = [
            ("mean difference", limits.bias),
            ("lower limit", limits.lower_limit),
            ("upper limit", limits.upper_limit),
        ]
        tables.append(_estimates(rows, title="Bland-Altman"))
        sentences.append(
            f"The mean difference ({names[1]} − {names[0]}) was {limits.bias.text(2)}, with limits of agreement "
            "from "
            f"{number(limits.lower_limit.value, 2)} to {number(limits.upper_limit.value, 2)}."
        )
        drawings.append(
            bland_altman_drawing(
                readers[names[0]], readers[names[1]],
                (limits.lower_limit.value, limits.bias.value, limits.upper_limit.value),
            )
        )
        numbers["bland_altman"] = {name: e.to_json() for name, e in rows}
    return Page(
        title="Agreement of measurements",
        sentences=tuple(sentences),
        tables=tuple(tables),
        drawings=tuple(drawings),
        numbers=numbers,
    )


def alpha_page(readers: dict[str, npt.NDArray[np.float64]], scale: Scale, *, level: float = 0.95) -> Page:
    """Krippendorff's alpha, which takes missing ratings."""
    alpha = krippendorff_alpha(np.stack([readers[n] for n in readers]), scale=scale, level=level)
    return Page(
        title="Agreement with missing ratings",
        sentences=(
            f"Agreement of {len(readers)} readers was {alpha.text(2)} (Krippendorff's alpha, {scale.value} scale).",
        ),
        tables=(_estimates([("alpha", alpha)]),),
        numbers={"alpha": alpha.to_json()},
    )


def _estimates(rows: list[tuple[str, Estimate]], *, title: str = "Estimates") -> Table:
    return Table(
        title, ("figure", "value", "low", "high", "n", "method"),
        tuple((name, number(e.value), number(e.low), number(e.high), str(e.n), e.method) for name, e in rows),
    )


def _cross(table: npt.NDArray[np.int64], categories: tuple[str, ...], names: tuple[str, ...]) -> Table:
    return Table(
        "Counts", (f"{names[0]} ↓ {names[1]} →", *categories),
        tuple((c, *(str(k) for k in row)) for c, row in zip(categories, table, strict=True)),
    )
