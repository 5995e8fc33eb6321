"""The cause in sentences: what is told of each vertebra, and what is not told of the others."""

from wirbel.etiology import Refusal
from wirbel.finding import Verdict
from wirbel.finding.signs import Signs
from wirbel.report.cause_words import has_classifier
from wirbel.report.rows import Row
from wirbel.report.sign_words import seen_sentences
from wirbel.report.tone import CauseTone
from wirbel.report.wording import Wording


def cause_sentences(wording: Wording, row: Row, signs: Signs | None) -> list[str]:
    """What is told of a fractured or suspicious vertebra, ready to be pasted; empty for all others."""
    say, words, fractured = wording.language.say, row.cause_words, row.tone is Verdict.FRACTURE
    name = wording.named([row.vertebra])
    sentences: list[str] = []
    if words.tone is CauseTone.SUSPICIOUS:
        sentences.append(say("cause.suspicious_one", name=name))
        if Refusal.TWO_ENDPLATES in _reasons(wording, row):
            sentences.append(say("cause.two_endplates"))
    elif not fractured:
        return []
    elif has_classifier(wording.result):
        sentences.append(say("cause.one", name=name, answer=words.word))
        sentences += filter(None, (words.probability, *words.reasons))
    if signs is not None:
        sentences += seen_sentences(wording, signs, fractured=fractured)
    return sentences


def cause_gaps(wording: Wording, rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Of which vertebrae no cause is told and why, and what was not looked for in the unfractured ones."""
    say = wording.language.say
    if not has_classifier(wording.result):
        return (say("cause.sentence", answer=rows[0].cause),) if rows else ()
    fractured = [row for row in rows if row.tone is Verdict.FRACTURE]
    gaps = [
        say("cause.one", name=wording.named([row.vertebra]), answer=row.cause_words.word)
        for row in fractured
        if row.cause_words.tone is CauseTone.UNSAID
    ]
    return (*(gaps if fractured else [say("cause.none_fractured")]), *_unfractured(wording, rows))


def _reasons(wording: Wording, row: Row) -> tuple[Refusal, ...]:
    """Of the vertebra of a row."""
    label = row.vertebra.label
    return next((c.reasons for c in wording.result.etiology.vertebrae if c.label == label), ())


def _unfractured(wording: Wording, rows: tuple[Row, ...]) -> list[str]:
    """How far vertebrae without fracture were searched for lesions."""
    say = wording.language.say
    causes = {cause.label: cause for cause in wording.result.etiology.vertebrae}
    others = [r for r in rows if r.tone not in (Verdict.FRACTURE, Verdict.NOT_ASSESSED)]
    reasons = {r.vertebra.label: causes[r.vertebra.label].reasons for r in others}
    if not others:
        return []
    if any({Refusal.NO_CLASSIFIER, Refusal.SIMULATED_ONLY} & set(each) for each in reasons.values()):
        return [say("cause.not_searched")]
    unlike = [r.vertebra for r in others if Refusal.UNLIKE_TRAINING in reasons[r.vertebra.label]]
    sentences = [say("cause.searched")]
    unsupported = [r.vertebra for r in others if Refusal.NO_SIGN in reasons[r.vertebra.label]]
    if unsupported:
        sentences.append(say("cause.no_sign", names=wording.ranged(unsupported)))
    if unlike:
        sentences.append(say("cause.unlike", names=wording.ranged(unlike)))
    return sentences
