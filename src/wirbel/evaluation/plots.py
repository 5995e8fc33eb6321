"""Drawings of statistics as SVG text; matplotlib is imported when the first one is drawn."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wirbel.evaluation.inputs import cluster_codes
from wirbel.evaluation.mrmc.obuchowski_rockette import Analysis
from wirbel.evaluation.pages import RESEARCH_ONLY, Drawing
from wirbel.evaluation.resampling import cluster_members
from wirbel.evaluation.roc import roc_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe & Ito's colours, told apart with any colour vision."""


def roc_band(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
    replicates: int = 500,
) -> tuple[Floats, Floats, Floats]:
    """Pointwise bootstrap band of the curve (vertical): false-positive rate, low, high.

    Diseased and healthy cases are drawn apart; with `patients` whole patients are drawn, and draws that lack a
    class are left out.
    """
    s, t = np.asarray(scores, dtype=np.float64), np.asarray(truth).astype(bool)
    classes = [np.flatnonzero(t), np.flatnonzero(~t)]
    members = [] if patients is None else cluster_members(cluster_codes(patients, t.size))
    grid = np.linspace(0.0, 1.0, 101)
    curves = []
    for _ in range(replicates):
        drawn = np.concatenate(
            [members[i] for i in rng.integers(0, len(members), len(members))]
            if members else [rng.choice(c, c.size) for c in classes]
        )
        if t[drawn].any() and not t[drawn].all():
            curve = roc_curve(t[drawn], s[drawn])
            curves.append(np.interp(grid, curve.false_positive_rate, curve.sensitivity))
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(curves, [tail, 100.0 - tail], axis=0)
    return grid, low, high


def roc_drawing(
    curves: dict[str, tuple[Floats, npt.NDArray[np.bool_]]],
    *,
    rng: np.random.Generator,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Drawing:
    """ROC curves with pointwise bootstrap bands of (scores, truth) by name; `patients` are drawn whole."""
    figure, axes = _figure(5.2, 5.2)
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.8)
    for k, (name, (scores, truth)) in enumerate(curves.items()):
        colour = COLOURS[k % len(COLOURS)]
        x, low, high = roc_band(scores, truth, rng=rng, patients=patients, level=level)
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        curve = roc_curve(truth, scores)
        axes.plot(curve.false_positive_rate, curve.sensitivity, color=colour, label=name)
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity", xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    axes.legend(loc="lower right", frameon=False)
    drawn = "" if patients is None else " (patients drawn)"
    return Drawing("roc", f"ROC curves with pointwise {100 * level:g} % bootstrap bands{drawn}", _svg(figure))


def reader_drawing(analysis: Analysis) -> Drawing:
    """Each reader's figure under each treatment, joined by a line, and the means with their intervals."""
    figure, axes = _figure(1.6 + 1.5 * len(analysis.treatments), 4.2)
    x = np.arange(len(analysis.treatments))
    for j in range(len(analysis.readers)):
        axes.plot(x, analysis.values[:, j], marker="o", markersize=4, color="#888888", linewidth=0.9)
    for i, mean in enumerate(analysis.means):
        e = mean.estimate
        axes.errorbar(
            [i],
            [e.value],
            yerr=[[e.value - e.low], [e.high - e.value]],
            fmt="D",
            color=COLOURS[0],
            capsize=5,
            zorder=5,
        )
    axes.set_xticks(x, analysis.treatments)
    axes.set(xlim=(-0.5, len(x) - 0.5), ylabel=analysis.figure)
    return Drawing(
        "readers", f"{analysis.figure} of every reader (grey) and the mean with its interval", _svg(figure)
    )


def forest_drawing(
    name: str, caption: str, rows: list[tuple[str, float, float, float]], label: str, *, null: float | None
) -> Drawing:
    """Values with intervals, one line each: (name, value, low, high)."""
    figure, axes = _figure(6.4, 0.8 + 0.34 * len(rows))
    y = np.arange(len(rows))[::-1]
    for at, (_, value, low, high) in zip(y, rows, strict=True):
        axes.errorbar([value], [at], xerr=[[value - low], [high - value]], fmt="o", color=COLOURS[0], capsize=3)
    if null is not None:
        axes.axvline(null, color="#bbbbbb", linewidth=0.8)
    axes.set_yticks(y, [row[0] for row in rows])
    axes.set(xlabel=label, ylim=(-0.7, len(rows) - 0.3))
    return Drawing(name, caption, _svg(figure))


def bland_altman_drawing(first: Floats, second: Floats, lines: tuple[float, float, float]) -> Drawing:
    """Difference against mean of two series, with lower limit, bias and upper limit."""
    figure, axes = _figure(5.6, 4.2)
    axes.scatter((first + second) / 2, second - first, s=14, color=COLOURS[0])
    for value, style in zip(lines, ("--", "-", "--"), strict=True):
        axes.axhline(value, color="#555555", linewidth=0.9, linestyle=style)
    axes.set(xlabel="Mean of both", ylabel="Second − first")
    return Drawing("bland-altman", "Bland-Altman plot: mean difference and limits of agreement", _svg(figure))


def curve_drawing(name: str, caption: str, x: Floats, y: Floats, labels: tuple[str, str]) -> Drawing:
    """One curve, such as risk against coverage or power against cases."""
    figure, axes = _figure(5.6, 4.0)
    axes.plot(x, y, color=COLOURS[0])
    axes.set(xlabel=labels[0], ylabel=labels[1])
    return Drawing(name, caption, _svg(figure))


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415  # a page without drawings needs none
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.text(
        1.0, 1.01, RESEARCH_ONLY, transform=axes.transAxes, ha="right", va="bottom", fontsize=6, color="#777777"
    )
    return figure, axes


def _svg(figure: Figure) -> str:
    from matplotlib import rc_context  # noqa: PLC0415

    out = io.StringIO()
    with rc_context({"svg.hashsalt": "wirbel", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return out.getvalue()
