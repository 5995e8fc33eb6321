"""Do the three tiers hold their promise, and the probabilities theirs? Writes the figures of docs/method-tiers.md.

    nice -n 15 python benchmarks/tier_guarantee.py [--redraws 5000] [--output docs/method-tiers.md]

Everything here is simulated: scores are drawn from a model of scores, not computed from images. The model is fitted
to the study's printed operating points (Foreman et al. 2024, table 4, approach 2); with --scores a smoothed
bootstrap of a table as `wirbel recalibrate` reads it stands beside it. Thresholds and calibrations come from
the library's own functions. The calibration cohort is redrawn --redraws times; the true error of each pair of
thresholds comes from 500,000 patients of each class.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from wirbel.etiology import Confidence, LabelledScores, Population, Promise, calibrate
from wirbel.etiology.log_odds import at_prevalence
from wirbel.etiology.score_table import Scale, ScoreColumns, read_scores
from wirbel.etiology.thresholds import apart, errors_allowed, patients_needed, safe_below, safe_from
from wirbel.evaluation import calibration_line, debiased_calibration_error, expected_calibration_error

Floats = npt.NDArray[np.float64]

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
PATIENTS, CHUNK = 500_000, 250
MOST = 5
#: Table 4, approach 2: true positives of malignant, true negatives of osteoporotic fractures; cut at log-odds 0.
INTERNAL, EXTERNAL = ((40, 49), (33, 37)), ((28, 35), (21, 30))
SIZES = (22, 29, 59, 100, 250, 500)
PROMISES = (Promise(), Promise(0.05, 0.05, 0.05), Promise(confidence=Confidence.BOTH))


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """Log-odds of vertebrae: `centre[c]` + `scale` (patient's part + own part); class c is 1 for malignant.

    `icc` is the patient's share of the variance, `df` of Student's t (inf: normal), scores rounded to `step`
    where that is not 0. A patient has 1 to `most` vertebrae of its class.
    """

    name: str
    centre: tuple[float, float]
    scale: float = 1.0
    icc: float = 0.0
    df: float = np.inf
    step: float = 0.0
    most: int = 1

    def vertebrae(self, malignant: bool, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
        """Scores (..., patients, most); NaN where a patient has no further vertebra."""
        own = self._noise((*shape, self.most), rng)
        theirs = self._noise((*shape, 1), rng)
        x = self.centre[malignant] + self.scale * (np.sqrt(self.icc) * theirs + np.sqrt(1 - self.icc) * own)
        if self.step:
            x = np.round(x / self.step) * self.step
        count = rng.integers(1, self.most + 1, (*shape, 1))
        return np.where(np.arange(self.most) < count, x, np.nan)

    def _noise(self, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
        if np.isinf(self.df):
            return rng.standard_normal(shape)
        return rng.standard_t(self.df, shape) / np.sqrt(self.df / (self.df - 2))


@dataclass(frozen=True, slots=True)
class Resampled:
    """Patients of a table drawn with replacement, each score moved by a normal kernel (Silverman's width)."""

    name: str
    rows: tuple[Floats, Floats]

    def vertebrae(self, malignant: bool, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
        rows = self.rows[malignant]
        drawn = rows[rng.integers(0, len(rows), shape)]
        return drawn + _silverman(rows) * rng.standard_normal(drawn.shape)


Model = ScoreModel | Resampled


def _silverman(rows: Floats) -> float:
    x = rows[np.isfinite(rows)]
    return float(1.06 * x.std() * x.size ** (-0.2))


@dataclass(frozen=True, slots=True)
class Truth:
    """Sorted scores of many patients: their extremes, and all their vertebrae."""

    lowest: Floats
    highest: Floats
    malignant: Floats
    osteoporotic: Floats

    def missed(self, below: Floats) -> Floats:
        return np.searchsorted(self.lowest, below, side="left") / self.lowest.size

    def false_alarm(self, start: Floats) -> Floats:
        return 1 - np.searchsorted(self.highest, start, side="left") / self.highest.size

    def coverage(self, below: Floats, start: Floats) -> float:
        """Mean share of vertebrae with an answer, both classes alike."""
        shares = [
            np.searchsorted(x, below, side="left") / x.size + 1 - np.searchsorted(x, start, side="left") / x.size
            for x in (self.malignant, self.osteoporotic)
        ]
        return float(np.mean(shares))


def truth_of(model: Model, rng: np.random.Generator) -> Truth:
    m, o = (model.vertebrae(c, (PATIENTS,), rng) for c in (True, False))
    return Truth(
        np.sort(np.nanmin(m, axis=1)), np.sort(np.nanmax(o, axis=1)), np.sort(m[np.isfinite(m)]),
        np.sort(o[np.isfinite(o)]),
    )


def cohorts(model: Model, n: int, redraws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Lowest scores of malignant and highest of osteoporotic patients: (redraws, n) each."""
    low, high = [], []
    for start in range(0, redraws, CHUNK):
        shape = (min(CHUNK, redraws - start), n)
        low.append(np.nanmin(model.vertebrae(True, shape, rng), axis=-1))
        high.append(np.nanmax(model.vertebrae(False, shape, rng), axis=-1))
    return np.concatenate(low), np.concatenate(high)


def thresholds(lowest: Floats, highest: Floats, promise: Promise) -> tuple[Floats, Floats]:
    """The library's thresholds for each redrawn cohort."""
    delta = promise.delta_each
    below = safe_below(lowest, alpha=promise.alpha_missed, delta=delta)
    start = safe_from(highest, alpha=promise.alpha_false_alarm, delta=delta)
    for i in np.flatnonzero(below > start):
        below[i], start[i] = apart(float(below[i]), float(start[i]), lowest[i], highest[i])
    return below, start


@dataclass(frozen=True, slots=True)
class Held:
    """How often each promise was broken, and what the tiers are worth."""

    broken_missed: float
    broken_false_alarm: float
    broken_either: float
    missed: float
    false_alarm: float
    coverage: float


def held(truth: Truth, below: Floats, start: Floats, promise: Promise) -> Held:
    missed, alarm = truth.missed(below), truth.false_alarm(start)
    a, b = missed > promise.alpha_missed, alarm > promise.alpha_false_alarm
    return Held(
        float(a.mean()), float(b.mean()), float((a | b).mean()), float(missed.mean()), float(alarm.mean()),
        truth.coverage(below, start),
    )


def fitted(points: tuple[tuple[int, int], tuple[int, int]]) -> tuple[float, float]:
    """Normal classes of unit variance cut at 0 that give the printed sensitivity and specificity."""
    (tp, p), (tn, n) = points
    return -float(stats.norm.ppf(tn / n)), float(stats.norm.ppf(tp / p))


def guarantee(models: list[Model], redraws: int, rng: np.random.Generator) -> tuple[list[str], bool]:
    """The first table, and whether every cell held."""
    lines = [
        "| score model | promise | patients a class | broken: missed | broken: false alarm | broken: either "
        "| limit | law | true missed | true false alarm | coverage | held |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    fine = True
    for model in models:
        truth = truth_of(model, rng)
        for promise in PROMISES:
            limit = promise.delta + 2 * np.sqrt(promise.delta * (1 - promise.delta) / redraws)
            for n in SIZES:
                if n < patients_needed(promise.alpha_missed, promise.delta_each):
                    continue
                h = held(truth, *thresholds(*cohorts(model, n, redraws, rng), promise), promise)
                both = promise.confidence is Confidence.BOTH
                ok = (h.broken_either if both else max(h.broken_missed, h.broken_false_alarm)) <= limit
                fine &= bool(ok)
                lines.append(
                    f"| {model.name} | {said(promise)} | {n} | {h.broken_missed:.3f} | {h.broken_false_alarm:.3f} "
                    f"| {h.broken_either:.3f} | {limit:.3f}{' (either)' if both else ' (each)'} "
                    f"| {law(n, promise):.3f} | {h.missed:.3f} | {h.false_alarm:.3f} | {h.coverage:.2f} "
                    f"| {'yes' if ok else '**no**'} |"
                )
    return lines, fine


def law(n: int, promise: Promise) -> float:
    """How often one bound breaks exactly, for continuous scores whose tiers do not meet (Wilks 1941)."""
    k = errors_allowed(n, promise.alpha_missed, promise.delta_each)
    return float(stats.beta.sf(promise.alpha_missed, k + 1, n - k))


def said(promise: Promise) -> str:
    alphas = f"{promise.alpha_missed:.2f} / {promise.alpha_false_alarm:.2f}"
    return f"{alphas}, δ {promise.delta:.2f} {promise.confidence}"


def other_ways(model: Model, n: int, redraws: int, rng: np.random.Generator) -> list[str]:
    """What happens without learn-then-test, and with the vertebra as unit."""
    promise, truth = Promise(), truth_of(model, rng)
    m, o = model.vertebrae(True, (redraws, n), rng), model.vertebrae(False, (redraws, n), rng)
    lowest, highest = np.nanmin(m, axis=-1), np.nanmax(o, axis=-1)
    k = int(np.floor(promise.alpha_missed * n))
    naive = np.sort(lowest, axis=1)[:, k], np.nextafter(np.sort(highest, axis=1)[:, n - 1 - k], np.inf)
    singly = np.array([
        thresholds(a[np.isfinite(a)][None], b[np.isfinite(b)][None], promise) for a, b in zip(m, o, strict=True)
    ])[:, :, 0]
    one = np.ones(1)
    authors = one * special.logit(0.05), one * special.logit(0.85)
    ways = {
        "learn-then-test, patient as unit (ours)": thresholds(lowest, highest, promise),
        "learn-then-test, each vertebra as if independent": (singly[:, 0], singly[:, 1]),
        "threshold with at most 10 % errors in the cohort, untested": naive,
        "the authors' 0.95 / 0.85 on the softmax (the model's log-odds taken as it)": authors,
    }
    rows = [
        "| way | broken: missed | broken: false alarm | true missed | true false alarm | coverage |",
        "|---|---|---|---|---|---|",
    ]
    for name, (below, start) in ways.items():
        h = held(truth, below, start, promise)
        rows.append(
            f"| {name} | {h.broken_missed:.3f} | {h.broken_false_alarm:.3f} | {h.missed:.3f} | {h.false_alarm:.3f} "
            f"| {h.coverage:.2f} |"
        )
    return rows


def shifted(model: ScoreModel, n: int, redraws: int, rng: np.random.Generator) -> list[str]:
    """Thresholds of one hospital used at another whose osteoporotic fractures look more malignant."""
    promise = Promise()
    here, there = np.array(model.centre), SCALE * np.array(fitted(EXTERNAL))
    rows = [
        "| shift | thresholds fitted to | broken: missed | broken: false alarm | true missed | true false alarm "
        "| coverage |",
        "|---|---|---|---|---|---|---|",
    ]
    for share in (0.0, 0.25, 0.5, 1.0):
        centre = here + share * (there - here)
        site = replace(model, centre=(float(centre[0]), float(centre[1])))
        truth = truth_of(site, rng)
        sources = [(f"{n} a class of the first hospital", model, n)]
        if share == 1.0:
            sources += [(f"{own} a class of its own", site, own) for own in (22, 59, n)]
        for name, source, size in sources:
            h = held(truth, *thresholds(*cohorts(source, size, redraws, rng), promise), promise)
            rows.append(
                f"| {share:.0%} | {name} | {h.broken_missed:.3f} | {h.broken_false_alarm:.3f} | {h.missed:.3f} "
                f"| {h.false_alarm:.3f} | {h.coverage:.2f} |"
            )
    return rows


def drawn_scores(
    model: ScoreModel, patients: tuple[int, int], distort: tuple[float, float], rng: np.random.Generator
) -> LabelledScores:
    """(osteoporotic, malignant) patients whose scores are `distort[0]` times too steep and `distort[1]` off."""
    scores, truth, names = [], [], []
    for malignant, n in zip((False, True), patients, strict=True):
        x = model.vertebrae(malignant, (n,), rng)
        there = np.isfinite(x)
        scores.append(x[there])
        truth.append(np.full(int(there.sum()), malignant))
        names += [f"{malignant}{i}" for i in np.nonzero(there)[0]]
    x, y = np.concatenate(scores), np.concatenate(truth)
    x = distort[0] * x + distort[1]
    return LabelledScores(tuple(names), tuple(map(str, range(y.size))), y, x[:, None], np.zeros((y.size, 0)))


def calibration(model: ScoreModel, repeats: int, rng: np.random.Generator) -> list[str]:
    """Calibration fitted to n patients a class, on 2,000 fresh cases of one vertebra each."""
    rows = [
        "| probabilities on 2,000 fresh cases | debiased ECE: mean (95th centile) | ECE <= 0.03 "
        "| slope: mean (5th-95th) | slope 0.8-1.2 | width of Venn-Abers: median |",
        "|---|---|---|---|---|---|",
    ]
    single = replace(model, most=1)
    external = replace(single, centre=tuple(float(c) for c in SCALE * np.array(fitted(EXTERNAL))))
    distort, chosen = (2.0, 1.0), []
    for n in (50, 150, 500):
        found: dict[str, list[tuple[float, float]]] = {}
        widths, kinds = [], []
        for _ in range(repeats):
            cohort = drawn_scores(model, (n, n), distort, rng)
            fit = calibrate(cohort, scorer="simulated", name="simulated", simulated=True, rng=rng)
            kinds.append(fit.map.kind.value)
            same, rare, far = (
                drawn_scores(m, counts, distort, rng)
                for m, counts in ((single, (1000, 1000)), (single, (1700, 300)), (external, (1000, 1000)))
            )
            p_rare, prevalence = fit.map(rare.log_odds), fit.cohort.prevalence
            answers = {
                f"calibrated on {n} patients a class": (same, fit.map(same.log_odds)),
                f"same, 15 % malignant instead, prevalence exchanged ({n})": (
                    rare, at_prevalence(p_rare, fitted_at=prevalence, assumed=0.15)
                ),
                f"same, 15 % malignant instead, not exchanged ({n})": (rare, p_rare),
                f"same, at the shifted site ({n})": (far, fit.map(far.log_odds)),
            }
            if n == 50:
                answers = {"raw softmax": (same, special.expit(same.log_odds)), **answers}
            for name, (scores, p) in answers.items():
                found.setdefault(name, []).append((
                    debiased_calibration_error(scores.malignant, p),
                    calibration_line(scores.malignant, np.clip(p, 1e-7, 1 - 1e-7)).slope.value,
                ))
            around = [fit.venn_abers(float(x)) for x in same.log_odds[::100]]
            widths += [high - low for low, high in around]
        for name, pairs in found.items():
            ece, slope = np.array(pairs).T
            width = f"{np.median(widths):.3f}" if name.startswith("calibrated") else ""
            rows.append(
                f"| {name} | {ece.mean():.3f} ({np.quantile(ece, 0.95):.3f}) | {(ece <= 0.03).mean():.0%} "
                f"| {slope.mean():.2f} ({np.quantile(slope, 0.05):.2f}-{np.quantile(slope, 0.95):.2f}) "
                f"| {((slope >= 0.8) & (slope <= 1.2)).mean():.0%} | {width} |"
            )
        shares = ", ".join(f"{kind} {kinds.count(kind) / len(kinds):.0%}" for kind in sorted(set(kinds)))
        chosen.append(f"{n} patients a class: {shares}")
    return [*rows, "", f"Maps chosen: {'; '.join(chosen)}."]


def small_samples(seed: int, repeats: int = 2000) -> str:
    """What perfect probabilities show at the study's size, from a sharp model and from a dull one."""
    rng, said = np.random.default_rng(seed), []
    for distance in (SCALE, 1.0):
        plain, debiased = [], []
        for _ in range(repeats):
            y = rng.random(86) < 49 / 86
            p = special.expit(distance * rng.normal(np.where(y, distance, -distance) / 2) + special.logit(49 / 86))
            plain.append(expected_calibration_error(y, p))
            debiased.append(debiased_calibration_error(y, p))
        area = stats.norm.cdf(distance / np.sqrt(2))
        said.append(f"{np.mean(plain):.3f} and {np.mean(debiased):.3f} at an AUC of {area:.2f}")
    return (
        "Perfect probabilities (simulated) on n = 86 cases show a plain ten-bin ECE and a debiased one of, on "
        f"average, {' and '.join(said)} ({repeats:,} samples): at that size only the debiased "
        "one, with its interval, says anything."
    )


#: Log-odds a unit of the binormal model: the likelihood ratio's slope between the internal classes.
SCALE = float(np.diff(fitted(INTERNAL))[0])


def models_of(scores: Path | None) -> list[Model]:
    centre = tuple(float(c) for c in SCALE * np.array(fitted(INTERNAL)))
    several = ScoreModel("1-5 vertebrae, ICC 0.5, t(4)", centre, SCALE, 0.5, 4.0, 0.0, MOST)
    found: list[Model] = [
        ScoreModel("1 vertebra, normal", centre, SCALE),
        several,
        replace(several, name="the same, scores in steps of 1", step=1.0),
    ]
    if scores is not None:
        text = scores.read_text(encoding="utf-8")
        table = read_scores(text, ScoreColumns(), population=Population.FRACTURED, scale=Scale.LOG_ODDS).scores
        rows = tuple(np.array(list(_by_patient(table, c))) for c in (False, True))
        found.append(Resampled("resampled from a table", (rows[0], rows[1])))
    return found


def _by_patient(table: LabelledScores, malignant: bool) -> Iterator[Floats]:
    chosen = table.malignant == malignant
    codes, x = table.patient_codes[chosen], table.log_odds[chosen]
    most = int(np.bincount(codes).max())
    for code in np.unique(codes):
        own = x[codes == code]
        yield np.r_[own, np.full(most - own.size, np.nan)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redraws", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=100, help="of the calibration table")
    parser.add_argument("--scores", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--output", type=Path, default=None, help="page whose figures are replaced")
    options = parser.parse_args()
    began, rng = time.process_time(), np.random.default_rng(options.seed)
    models = models_of(options.scores)
    several = models[1]
    assert isinstance(several, ScoreModel)
    table, fine = guarantee(models, options.redraws, rng)
    parts = [
        f"All figures below are simulated (a model of scores, not images): seed {options.seed}, "
        f"{options.redraws:,} redrawn calibration cohorts a cell, true errors from {PATIENTS:,} patients of each "
        "class, made by `python benchmarks/tier_guarantee.py`.",
        "### The promise, kept (simulated)",
        "\n".join(table),
        f"Every cell within its limit: **{'yes' if fine else 'no'}**.",
        "### Other ways, 100 patients a class of the second model (simulated)",
        "\n".join(other_ways(several, 100, options.redraws, rng)),
        "### How it fails at a shifted site (simulated)",
        "\n".join(shifted(several, 250, options.redraws, rng)),
        f"### Probabilities (simulated, {options.repeats} cohorts a row)",
        "\n".join(calibration(several, options.repeats, rng)),
        small_samples(options.seed),
    ]
    text = "\n\n".join(parts)
    print(text)
    print(f"processor time {time.process_time() - began:.0f} s")
    if options.output is not None:
        page = options.output.read_text(encoding="utf-8")
        head, rest = page.split(BEGIN, 1)
        tail = rest.split(END, 1)[1]
        options.output.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
