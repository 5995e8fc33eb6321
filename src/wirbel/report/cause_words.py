"""The cause of one vertebra's fracture in words: tier, probability with its named interval, reasons."""

from dataclasses import dataclass

from wirbel.etiology import Cause, Population, Refusal, Tier, TierRule
from wirbel.finding import Finding, Verdict
from wirbel.report.language import Language
from wirbel.report.tone import CauseTone
from wirbel.report.wording import Wording
from wirbel.study import StudyResult
from wirbel.vertebra import NotMeasured, Reason

#: Probabilities nearer to 0 or 1 than this are not printed as 0 or 100 %.
LEAST_P = 0.01
#: By what `Provenance.simulated_calibrations` names the calibrations.
FRACTURED, UNFRACTURED = Population.FRACTURED.value, Population.UNFRACTURED.value


@dataclass(frozen=True, slots=True)
class CauseWords:
    """A cause in words. `word` is the answer or why there is none; `figure` the probability with its interval,
    `probability` the same as a sentence, both empty where there is none; `why` the weightiest reason in short."""

    tone: CauseTone
    word: str
    figure: str = ""
    why: str = ""
    probability: str = ""
    rule: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """Answer, figure and reason in one line."""
        return ", ".join(part for part in (self.word, self.figure, self.why) if part)


def has_classifier(result: StudyResult) -> bool:
    """Whether a classifier was there to be asked: then the report says where its answers come from."""
    return any(not _without(cause) for cause in result.etiology.vertebrae)


def cause_words(wording: Wording, cause: Cause, finding: Finding) -> CauseWords:
    """A vertebra's cause; an unfractured one is suspicious or not fractured and never more."""
    say = wording.language.say
    if cause.suspicion is not None:
        word, rule = say(f"suspicion.{cause.suspicion.value}"), _rule(wording, cause, UNFRACTURED)
        return CauseWords(CauseTone.SUSPICIOUS, word, rule=rule)
    if isinstance(cause.answer, NotMeasured):
        word = _unsaid(wording, cause, cause.answer, finding)
        return CauseWords(CauseTone.UNSAID, word, reasons=_told(wording, cause))
    return _answered(wording, cause, cause.answer)


def probability(language: Language, p: float) -> str:
    """A probability in per cent, never rounded to certainty."""
    if p < LEAST_P:
        return "<" + language.unit("percent", LEAST_P, 0)
    return ">" + language.unit("percent", 1 - LEAST_P, 0) if p > 1 - LEAST_P else language.unit("percent", p, 0)


def _answered(wording: Wording, cause: Cause, tier: Tier) -> CauseWords:
    say = wording.language.say
    fields = _figures(wording, cause)
    uncertain = tier is Tier.UNCERTAIN and cause.reasons
    return CauseWords(
        tone=CauseTone(tier.value),
        word=say(f"cause.{tier.value}"),
        figure=say("cause.figure", **fields) if fields else "",
        why=say(f"refusal_short.{cause.reasons[0].value}") if uncertain else "",
        probability=say("cause.probability", **fields) if fields else "",
        rule=_rule(wording, cause, FRACTURED),
        reasons=_told(wording, cause),
    )


def _figures(wording: Wording, cause: Cause) -> dict[str, str | None]:
    """Probability, interval and prevalence as words; empty without a probability."""
    if cause.p_malignant is None:
        return {}
    language = wording.language
    given = (("low", cause.low), ("high", cause.high), ("prevalence", cause.prevalence))
    return {
        "p": probability(language, cause.p_malignant),
        **{name: None if value is None else probability(language, value) for name, value in given},
        "interval": None if cause.interval is None else language.say(f"interval.{cause.interval.value}"),
    }


def _rule(wording: Wording, cause: Cause, population: str) -> str:
    if cause.rule is None:
        return ""
    simulated = population in wording.result.provenance.simulated_calibrations
    certified = cause.rule is TierRule.CERTIFIED
    return wording.language.say("rule.certified_simulated" if simulated and certified else f"rule.{cause.rule}")


def _unsaid(wording: Wording, cause: Cause, blank: NotMeasured, finding: Finding) -> str:
    """Why there is no answer, in short."""
    language = wording.language
    first = cause.reasons[0] if cause.reasons else None
    if first is Refusal.NOT_FRACTURED or (first is None and blank.reason is Reason.NOT_FRACTURED):
        return language.say("cause.borderline" if finding.verdict is Verdict.BORDERLINE else "cause.not_fractured")
    reason = wording.reason(blank) if first is None else language.say(f"refusal_short.{first.value}")
    return language.say("not.assessed", reason=reason)


def _told(wording: Wording, cause: Cause) -> tuple[str, ...]:
    """The sentence of every reason."""
    if cause.reasons[:1] == (Refusal.NOT_FRACTURED,) or _without(cause):
        return ()
    return tuple(wording.language.say(f"refusal.{reason.value}") for reason in cause.reasons)


def _without(cause: Cause) -> bool:
    """Whether the cause says no more than that no classifier is installed."""
    if cause.reasons:
        return cause.reasons == (Refusal.NO_CLASSIFIER,)
    return isinstance(cause.answer, NotMeasured) and cause.answer.reason is Reason.NO_CLASSIFIER
