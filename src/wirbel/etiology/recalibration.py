"""A site's calibration: enough patients or none, and the page that says what it rests on."""

from collections.abc import Mapping

import numpy as np
from scipy import special

from wirbel.errors import InputRejected
from wirbel.etiology.calibration import LEAST_PATIENTS, Calibration, Population, calibrate
from wirbel.etiology.calibration_file import calibration_sha256
from wirbel.etiology.labelled_scores import LabelledScores
from wirbel.etiology.thresholds import Bound, Promise, extremes, patients_needed
from wirbel.evaluation import tier_table, tiers_of
from wirbel.evaluation.pages import Page, Table, number

_TITLES = {
    Population.FRACTURED: "What the classifier's scores mean for fractured vertebrae here",
    Population.UNFRACTURED: "What the classifier's scores mean for unfractured vertebrae here",
}
_OTHER = {Population.FRACTURED: "osteoporotic", Population.UNFRACTURED: "normal or degenerate"}


def recalibrate(
    scores: LabelledScores,
    *,
    scorer: str,
    name: str,
    simulated: bool,
    rng: np.random.Generator,
    population: Population,
    promise: Promise,
) -> Calibration:
    """Fit to a site's own cases; `InputRejected`, saying how many are needed, where a tier could never be given."""
    _must_be_enough(scores, population, promise)
    return calibrate(
        scores, scorer=scorer, name=name, simulated=simulated, rng=rng, population=population, promise=promise
    )


def needed(promise: Promise, population: Population) -> tuple[int, int]:
    """Patients with malignant vertebrae and with others that are needed, if none of them errs."""
    false_alarm = patients_needed(promise.alpha_false_alarm, promise.delta_each)
    missed = patients_needed(promise.alpha_missed, promise.delta_each)
    if population is Population.UNFRACTURED:  # nothing is ever called osteoporotic there
        missed = 0
    return max(missed, LEAST_PATIENTS), max(false_alarm, LEAST_PATIENTS)


def recalibration_page(
    calibration: Calibration, scores: LabelledScores, left_out: Mapping[str, int]
) -> Page:
    """What was fitted to whom, what is promised, and what the cohort itself shows (a little flattered)."""
    cohort, tiers = calibration.cohort, calibration.tiers
    benign = _OTHER[calibration.population]
    fractured = calibration.population is Population.FRACTURED
    bounds = [(f"{benign} called malignant" if fractured else "others called suspicious", tiers.false_alarm)]
    if fractured:
        bounds.insert(0, ("malignant called osteoporotic", tiers.missed))
    drawn = " simulated" if cohort.simulated else ""
    lowest, highest = extremes(scores)
    sentences = [
        f"Fitted to {cohort.vertebrae}{drawn} vertebrae: {cohort.malignant} patients with malignant ones, "
        f"{cohort.benign} with {benign} ones.",
        f"Probabilities: {calibration.map.kind.value}; they assume that {100 * cohort.prevalence:.1f} % of such "
        "vertebrae are malignant, as here, unless another share is given.",
        *(_promised(said, bound) for said, bound in bounds),
        "Assumed: the patients to come are exchangeable with these within each class. Another scanner, protocol or "
        "kind of patient breaks the promise; then fit again.",
    ]
    if left_out:
        sentences.append(f"Left out: {'; '.join(f'{count} x {reason}' for reason, count in left_out.items())}.")
    return Page(
        title=_TITLES[calibration.population] + (" (simulated)" if cohort.simulated else ""),
        sentences=tuple(sentences),
        tables=(
            _thresholds(calibration, fractured=fractured),
            _on_itself(calibration, scores, fractured=fractured),
        ),
        notes=(
            "The second table counts the very vertebrae the thresholds were fitted to.",
            *(("All figures on this page are simulated.",) if cohort.simulated else ()),
        ),
        numbers={
            "sha256": calibration_sha256(calibration),
            "simulated": cohort.simulated,
            "patients": {"malignant": cohort.malignant, "other": cohort.benign},
            "needed": {"malignant": tiers.missed.needed, "other": tiers.false_alarm.needed},
            "map": calibration.map.kind.value,
            "log_loss": {kind.value: loss for kind, loss in calibration.log_loss.items()},
            "prevalence": cohort.prevalence,
            "osteoporotic_below": tiers.osteoporotic_below if fractured else None,
            "malignant_from": tiers.malignant_from,
            "errors": {
                "missed": [int((lowest < tiers.osteoporotic_below).sum()), lowest.size],
                "false_alarm": [int((highest >= tiers.malignant_from).sum()), highest.size],
            },
            "left_out": dict(left_out),
        },
    )


def _must_be_enough(scores: LabelledScores, population: Population, promise: Promise) -> None:
    have = (scores.patients_of(malignant=True), scores.patients_of(malignant=False))
    need = needed(promise, population)
    if any(h < n for h, n in zip(have, need, strict=True)):
        raise InputRejected(
            f"too few patients: {have[0]} with malignant vertebrae and {have[1]} with {_OTHER[population]} ones; "
            f"errors of at most {promise.alpha_missed:g} and {promise.alpha_false_alarm:g} at a risk of "
            f"{promise.delta_each:g} each need {need[0]} and {need[1]}, more if any of them errs: collect more, or "
            "promise less"
        )


def _promised(said: str, bound: Bound) -> str:
    return (
        f"{said[0].upper()}{said[1:]}: at most {100 * bound.alpha:g} % of patients, with confidence "
        f"{100 * (1 - bound.delta):g} % ({bound.errors} of {bound.patients} erred here, upper limit "
        f"{100 * bound.upper:.1f} %; {bound.needed} patients would do if none erred)."
    )


def _thresholds(calibration: Calibration, *, fractured: bool) -> Table:
    """Each threshold on three scales: log-odds, raw softmax, calibrated probability."""
    tiers = calibration.tiers
    rows = [("malignant from" if fractured else "suspicious from", tiers.malignant_from)]
    if fractured:
        rows.insert(0, ("osteoporotic below", tiers.osteoporotic_below))
    return Table(
        "Thresholds",
        ("", "log-odds", "raw softmax", "probability"),
        tuple(
            (name, number(at, 2), number(float(special.expit(at)), 3), number(calibration.probability(at), 3))
            for name, at in rows
        ),
    )


def _on_itself(calibration: Calibration, scores: LabelledScores, *, fractured: bool) -> Table:
    tiers = calibration.tiers
    below = tiers.osteoporotic_below if fractured else -np.inf
    answers = tiers_of(scores.log_odds, benign_below=below, malignant_from=tiers.malignant_from)
    words = ("osteoporotic", "uncertain", "malignant") if fractured else ("-", "nothing said", "suspicious")
    return Table(
        "The cohort's own vertebrae (95 % intervals as if they were independent)",
        ("answer", "of all", "of malignant", f"of {_OTHER[calibration.population]}"),
        tuple(
            (word, row.share.text(), row.of_malignant.text(), row.of_benign.text())
            for word, row in zip(words, tier_table(scores.malignant, answers), strict=True)
            if word != "-"
        ),
    )
