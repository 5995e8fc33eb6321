"""From scores to answers: whom to ask, what the scores mean, and what is left unsaid."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from wirbel.errors import ModelError
from wirbel.etiology.calibration import Calibration, Population
from wirbel.etiology.etiology import Cause, Etiology
from wirbel.etiology.refusal import AS_REASON, Refusal, refusals_of
from wirbel.etiology.scorer import EtiologyScorer, RawScore, ScorerIdentity
from wirbel.etiology.settings import AuthorsThresholds, EtiologySettings
from wirbel.etiology.thresholds import TierThresholds
from wirbel.etiology.vocabulary import Suspicion, Tier, TierRule
from wirbel.evaluation import tiers_of
from wirbel.evaluation.tiers import Tier as TierNumber
from wirbel.finding import Finding, Findings, Verdict
from wirbel.spine import Spine
from wirbel.vertebra import NotMeasured, Reason, VertebraMeasures
from wirbel.volume import Volume

_TIERS = {
    int(TierNumber.BENIGN): Tier.OSTEOPOROTIC,
    int(TierNumber.UNCERTAIN): Tier.UNCERTAIN,
    int(TierNumber.MALIGNANT): Tier.MALIGNANT,
}


def no_classifier(labels: Sequence[int]) -> Etiology:
    """Every vertebra without an answer, and the reason: no classifier is installed."""
    return Etiology(tuple(
        Cause(label, NotMeasured(Reason.NO_CLASSIFIER), reasons=(Refusal.NO_CLASSIFIER,)) for label in labels
    ))  # fmt: skip


def classify(
    ct: Volume,
    spine: Spine,
    measures: Sequence[VertebraMeasures],
    findings: Findings,
    score: EtiologyScorer,
    settings: EtiologySettings,
    *,
    real: bool = False,
) -> Etiology:
    """The cause of every fracture, or why none is told.

    `real`: the CT is of a patient, so a calibration on drawings says nothing of it (see `EtiologySettings`).

    A vertebra without fracture is scored only by a scorer that was trained with normal ones and has a calibration
    for them; all that can come of it is `Suspicion.SUSPICIOUS`. What is refused before scoring costs no network.
    """
    must_fit(score)
    identity, fitted = score.identity, score.calibrations
    refused = [
        refusals_of(vertebra, own, finding, settings.refusal)
        or _unasked(finding, identity, fitted.unfractured, silent=_is_silent(fitted.unfractured, settings, real))
        for vertebra, own, finding in zip(spine.vertebrae, measures, findings.vertebrae, strict=True)
    ]
    labels = [vertebra.label for vertebra, reasons in zip(spine.vertebrae, refused, strict=True) if not reasons]
    given = _checked(score(ct, spine, measures, findings, labels) if labels else (), labels, identity)
    return Etiology(tuple(
        _cause(vertebra.label, finding, reasons, given.get(vertebra.label), score, settings, real=real)
        for vertebra, finding, reasons in zip(spine.vertebrae, findings.vertebrae, refused, strict=True)
    ))  # fmt: skip


def must_fit(score: EtiologyScorer) -> None:
    """Raise `ModelError` unless a scorer's calibrations are its own; can be asked before any work is done."""
    fitted = score.calibrations
    _must_fit(fitted.fractured, score.identity, Population.FRACTURED)
    _must_fit(fitted.unfractured, score.identity, Population.UNFRACTURED)


def tier_of(log_odds: float, tiers: TierThresholds) -> Tier:
    """The tier under certified thresholds."""
    number = tiers_of([log_odds], benign_below=tiers.osteoporotic_below, malignant_from=tiers.malignant_from)[0]
    return _TIERS[int(number)]


def authors_tier(log_odds: float, thresholds: AuthorsThresholds) -> Tier:
    """The tier by the study's thresholds on the raw softmax."""
    if float(special.expit(log_odds)) >= thresholds.malignant_from:
        return Tier.MALIGNANT
    return Tier.OSTEOPOROTIC if float(special.expit(-log_odds)) >= thresholds.osteoporotic_from else Tier.UNCERTAIN


def _cause(
    label: int,
    finding: Finding,
    refused: tuple[Refusal, ...],
    raw: RawScore | None,
    score: EtiologyScorer,
    settings: EtiologySettings,
    *,
    real: bool,
) -> Cause:
    if refused or raw is None:
        return _unsaid(label, refused or (Refusal.NO_SCORE,), finding.not_assessed)
    fitted = score.calibrations
    fractured = finding.verdict is Verdict.FRACTURE
    if fractured and _is_silent(fitted.fractured, settings, real):
        told = Cause(raw.label, Tier.UNCERTAIN, rule=settings.rule, reasons=(Refusal.SIMULATED_ONLY,))
    else:
        told = _answer(raw, fitted.fractured, settings) if fractured else _suspicion(raw, fitted.unfractured)
    return replace(told, members=raw.members)


def _answer(raw: RawScore, fitted: Calibration | None, settings: EtiologySettings) -> Cause:
    """The cause of a fracture. What is unlike the cohort is uncertain and has no probability."""
    if _is_unlike(raw, fitted):
        return Cause(raw.label, Tier.UNCERTAIN, rule=settings.rule, reasons=(Refusal.UNLIKE_TRAINING,))
    if settings.rule is TierRule.AUTHORS:
        tier, between = authors_tier(raw.log_odds, settings.authors), Refusal.BETWEEN_THRESHOLDS
    elif fitted is None:
        return Cause(
            raw.label, Tier.UNCERTAIN, rule=settings.rule, reasons=(Refusal.NOT_CALIBRATED,), heat=raw.heat
        )
    else:
        tier, between = tier_of(raw.log_odds, fitted.tiers), _why_between(fitted.tiers)
    reasons = (between,) if tier is Tier.UNCERTAIN else ()
    if fitted is None:
        return Cause(
            raw.label, tier, rule=settings.rule, reasons=(*reasons, Refusal.NOT_CALIBRATED), heat=raw.heat
        )
    assumed = settings.prevalence
    low, high = fitted.interval(settings.interval, raw.members, prevalence=assumed)
    return Cause(
        raw.label,
        tier,
        fitted.probability(raw.log_odds, prevalence=assumed),
        low,
        high,
        settings.interval,
        fitted.cohort.prevalence if assumed is None else assumed,
        settings.rule,
        reasons,
        heat=raw.heat,
    )


def _suspicion(raw: RawScore, fitted: Calibration | None) -> Cause:
    """A vertebra without fracture: suspicious from the certified threshold on, else nothing; never a probability
    of malignancy."""
    unsaid = _unsaid(raw.label, (Refusal.NOT_FRACTURED,))
    if fitted is None:
        return unsaid
    if _is_unlike(raw, fitted):
        return _unsaid(raw.label, (Refusal.NOT_FRACTURED, Refusal.UNLIKE_TRAINING))
    if tier_of(raw.log_odds, fitted.tiers) is not Tier.MALIGNANT:
        return unsaid
    return Cause(
        raw.label, unsaid.answer, rule=TierRule.CERTIFIED, reasons=unsaid.reasons, suspicion=Suspicion.SUSPICIOUS,
        heat=raw.heat,
    )  # fmt: skip


def _unasked(
    finding: Finding, identity: ScorerIdentity, unfractured: Calibration | None, *, silent: bool
) -> tuple[Refusal, ...]:
    """Why a vertebra without fracture is not scored; empty where it is."""
    if finding.verdict is Verdict.FRACTURE:
        return ()
    if unfractured is None or not identity.trained_with_normals:
        return (Refusal.NOT_FRACTURED, Refusal.NO_CLASSIFIER)
    return (Refusal.NOT_FRACTURED, Refusal.SIMULATED_ONLY) if silent else ()


def _unsaid(label: int, reasons: tuple[Refusal, ...], not_assessed: NotMeasured | None = None) -> Cause:
    """No answer, with the weightiest reason; where the fracture was not assessed, why it was not."""
    if reasons[0] is Refusal.NOT_ASSESSED and not_assessed is not None:
        return Cause(label, not_assessed, reasons=reasons)
    return Cause(label, NotMeasured(AS_REASON[reasons[0]]), reasons=reasons)


def _is_unlike(raw: RawScore, fitted: Calibration | None) -> bool:
    return fitted is not None and fitted.novelty is not None and fitted.novelty.is_unlike(raw.features)


def _is_silent(fitted: Calibration | None, settings: EtiologySettings, real: bool) -> bool:
    """A calibration on drawings says nothing of a real CT, unless it is asked to."""
    return real and fitted is not None and fitted.cohort.simulated and not settings.simulated_answers


def _why_between(tiers: TierThresholds) -> Refusal:
    """Uncertain because no tier can be given at all, or because the score lies between."""
    nothing = np.isneginf(tiers.osteoporotic_below) and np.isposinf(tiers.malignant_from)
    return Refusal.NOTHING_CERTIFIED if nothing else Refusal.BETWEEN_THRESHOLDS


def _must_fit(fitted: Calibration | None, identity: ScorerIdentity, population: Population) -> None:
    """A calibration belongs to one ensemble and one population."""
    if fitted is None:
        return
    if fitted.scorer != identity.digest or fitted.members != identity.members:
        raise ModelError(
            f"the calibration was fitted for another ensemble ({fitted.scorer[:12]}, {fitted.members} members) "
            f"than {identity.name} ({identity.digest[:12]}, {identity.members} members): fit it again"
        )
    if fitted.population is not population:
        raise ModelError(
            f"the calibration is for {fitted.population.value} vertebrae, it was given for {population.value} ones"
        )


def _checked(
    scores: Sequence[RawScore], asked: Sequence[int], identity: ScorerIdentity
) -> dict[int, RawScore]:
    """The scores by label; `ModelError` where the scorer answers what it was not asked."""
    given = {raw.label: raw for raw in scores}
    if len(given) != len(scores) or not set(given) <= set(asked):
        raise ModelError(f"{identity.name} scored vertebrae {[r.label for r in scores]}, asked were {list(asked)}")
    for raw in scores:
        if len(raw.members) != identity.members:
            raise ModelError(
                f"{identity.name} has {identity.members} members and gave {len(raw.members)} scores for vertebra "
                f"{raw.label}"
            )
    return given
