"""Curves of the report as SVG: ROC, risk against coverage, calibration; SIMULATED stands in the drawing."""

import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from wirbel.cohort.appraisal.cases import Arm
from wirbel.cohort.appraisal.model import Model, Rule, units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Picture, cell_text
from wirbel.evaluation import reliability_curve, risk_coverage, roc_curve
from wirbel.evaluation.pages import RESEARCH_ONLY
from wirbel.evaluation.plots import COLOURS, roc_band

#: Bootstrap draws of a band, and models that get one: more bands hide each other.
BAND_DRAWS, MOST_BANDS = 300, 2
MARKS = {Rule.AUTHORS: "x", Rule.CERTIFIED: "o"}


def roc_picture(
    arm: Arm, models: Sequence[Model], first: Sequence[str], settings: AppraisalSettings, *, simulated: bool
) -> Picture:
    """Curves of the probabilities with the operating points; bands for the models named `first`."""
    figure, axes = _figure(5.6, 5.6, simulated=simulated)
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.8)
    units = units_of(arm, settings)
    for k, model in enumerate(models):
        scores, colour = model.scores.log_odds_of(arm), COLOURS[k % len(COLOURS)]
        if model.name in first[:MOST_BANDS]:
            x, low, high = roc_band(
                scores, units.malignant, rng=np.random.default_rng(settings.seed), patients=units.patients,
                level=settings.level, replicates=BAND_DRAWS,
            )  # fmt: skip
            axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        curve = roc_curve(units.malignant, scores)
        axes.plot(curve.false_positive_rate, curve.sensitivity, color=colour, linewidth=1.2,
                  label=f"{model.name}: {cell_text(units.area(scores))}")  # fmt: skip
        called = scores >= settings.operating_log_odds
        axes.plot([called[~units.malignant].mean()], [called[units.malignant].mean()], marker="o", color=colour,
                  markersize=5)  # fmt: skip
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity", xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    axes.legend(loc="lower right", frameon=False, fontsize=8, title="AUC of the probabilities (95 % interval)",
                title_fontsize=8)  # fmt: skip
    axes.set_title(_title(arm), fontsize=9, loc="left")
    caption = (
        f"ROC on {arm.name}: curves of the probabilities; dots are the operating points of Table 4; "
        f"{100 * settings.level:g} % bootstrap bands for {' and '.join(first[:MOST_BANDS])}"
    )
    return Picture(f"roc_{arm.name}.svg", caption, _svg(figure))


def risk_picture(
    arm: Arm, models: Sequence[Model], settings: AppraisalSettings, *, simulated: bool
) -> Picture:
    """Errors among the decided against coverage, the least sure left out first; marks are the three-tier rules."""
    figure, axes = _figure(5.8, 4.2, simulated=simulated)
    truth, top = arm.malignant, 0.0
    for k, model in enumerate(models):
        p, colour = model.probability(arm), COLOURS[k % len(COLOURS)]
        p = model.raw(arm) if p is None else p
        curve = risk_coverage((p >= 0.5) != truth, np.abs(p - 0.5))
        axes.plot(curve.coverage, curve.risk, color=colour, linewidth=1.2, label=model.name)
        top = max(top, float(curve.risk[curve.coverage > 0.2].max(initial=0.0)))
        for rule in Rule:
            answers = model.answers(arm, rule, settings)
            if answers is not None and answers.decided.any():
                wrong = answers.malignant[answers.decided] != truth[answers.decided]
                axes.plot([answers.decided.mean()], [wrong.mean()], marker=MARKS[rule], color=colour, markersize=6)
                top = max(top, float(wrong.mean()))
    axes.set(xlabel="Coverage: share of cases decided", ylabel="Share of errors among them", xlim=(0, 1.01),
             ylim=(0, max(1.1 * top, 0.05)))  # fmt: skip
    axes.legend(loc="upper left", frameon=False, fontsize=8)
    axes.set_title(_title(arm), fontsize=9, loc="left")
    caption = (
        f"Risk against coverage on {arm.name}, the least certain left out first; x: the authors' thresholds, dot: "
        "certified thresholds (their coverage and error)"
    )
    return Picture(f"risk_coverage_{arm.name}.svg", caption, _svg(figure))


def calibration_picture(
    arm: Arm, models: Sequence[Model], settings: AppraisalSettings, *, simulated: bool
) -> Picture:
    """Observed shares against probabilities in bins of equal counts: raw hollow, calibrated filled."""
    figure, axes = _figure(5.2, 5.2, simulated=simulated)
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.8)
    for k, model in enumerate(models):
        colour = COLOURS[k % len(COLOURS)]
        _reliability(axes, model.raw(arm), arm, settings, colour, f"{model.name}, raw softmax", filled=False)
        calibrated = model.probability(arm)
        if calibrated is not None:
            _reliability(axes, calibrated, arm, settings, colour, f"{model.name}, calibrated", filled=True)
    axes.set(xlabel="Probability of malignancy", ylabel="Share that was malignant", xlim=(0, 1), ylim=(0, 1),
             aspect="equal")  # fmt: skip
    axes.legend(loc="upper left", frameon=False, fontsize=8)
    axes.set_title(_title(arm), fontsize=9, loc="left")
    caption = (
        f"Calibration on {arm.name} in {settings.bins} bins of equal counts; Wilson intervals at the calibrated "
        "probabilities"
    )
    return Picture(f"calibration_{arm.name}.svg", caption, _svg(figure))


def _reliability(
    axes: Axes, p: Float64[np.ndarray, "n"], arm: Arm, settings: AppraisalSettings, colour: str, label: str, *,
    filled: bool,
) -> None:  # fmt: skip
    bins = reliability_curve(arm.malignant, p, bins=settings.bins, level=settings.level)
    x, y = [b.predicted for b in bins], [b.observed.value for b in bins]
    if filled:
        spread = np.array([[b.observed.value - b.observed.low, b.observed.high - b.observed.value] for b in bins]).T
        axes.errorbar(x, y, yerr=np.maximum(spread, 0.0), color=colour, marker="o", markersize=4, linewidth=1.0,
                      elinewidth=0.7, label=label)  # fmt: skip
    else:
        axes.plot(x, y, color=colour, marker="o", markersize=4, markerfacecolor="white", linewidth=0.8,
                  linestyle=":", label=label)  # fmt: skip


def _title(arm: Arm) -> str:
    malignant = int(arm.malignant.sum())
    return f"{arm.name}: {malignant} malignant, {len(arm.cases) - malignant} osteoporotic"


def _figure(width: float, height: float, *, simulated: bool) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    note = f"SIMULATED. {RESEARCH_ONLY}" if simulated else RESEARCH_ONLY
    axes.text(1.0, 1.01, note, transform=axes.transAxes, ha="right", va="bottom", fontsize=7, color="#a00000")
    return figure, axes


def _svg(figure: Figure) -> bytes:
    out = io.BytesIO()
    with rc_context({"svg.hashsalt": "wirbel", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return out.getvalue()
