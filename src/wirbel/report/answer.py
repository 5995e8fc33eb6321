"""The answer in sentences: the summary on top, and the text a radiologist can paste."""

from collections.abc import Callable
from dataclasses import dataclass

from wirbel.finding import Finding, Verdict
from wirbel.report.cause_sentences import cause_gaps, cause_sentences
from wirbel.report.classifier_box import box_sentence
from wirbel.report.clinical_words import clinical_sentence
from wirbel.report.rows import Row
from wirbel.report.sentences import (
    density_sentences,
    details,
    is_simulated,
    kyphosis_sentence,
    numbering_sentence,
    screen_sentence,
    technique_sentence,
    vertebra_sentence,
)
from wirbel.report.tone import CauseTone
from wirbel.report.wording import Wording
from wirbel.spine import Vertebra
from wirbel.vertebra import NotMeasured

LOOKED_AT = (Verdict.FRACTURE, Verdict.BORDERLINE, Verdict.HEIGHT_LOSS)


@dataclass(frozen=True, slots=True)
class Answer:
    """`headline` for the eye, `lines` below it; `gaps`: what was not assessed, `cause_gaps`: of what no
    cause is told; `notes`: what to bear in mind."""

    headline: str
    tone: Verdict
    lines: tuple[str, ...]
    numbering: str
    gaps: tuple[str, ...]
    cause_gaps: tuple[str, ...]
    notes: tuple[str, ...]


def answer_of(wording: Wording, rows: tuple[Row, ...]) -> Answer:
    """The answer for the head of the report."""
    headline, tone = _headline(wording, rows)
    return Answer(
        headline=headline,
        tone=tone,
        lines=(*_counts(wording, rows), numbering_sentence(wording)) if rows else _counts(wording, rows),
        numbering=numbering_sentence(wording),
        gaps=tuple(
            wording.language.say("sentence.not_assessed", name=wording.ranged(same), text=text)
            for text, same in _alike(rows, wording.not_assessed).items()
        ),
        cause_gaps=cause_gaps(wording, rows),
        notes=_notes(wording),
    )


def finding_text(wording: Wording, rows: tuple[Row, ...]) -> str:
    """The report as plain sentences, one thought a line, ready to be pasted."""
    say = wording.language.say
    lines = [f"{say('title.report')}. {say('notice.research_long')}"]
    if is_simulated(wording):
        lines.append(say("notice.simulated_long"))
    lines.append(technique_sentence(wording))
    if rows:
        lines.append(numbering_sentence(wording))
    lines += _counts(wording, rows)
    lines += [line for row in flagged(rows) if (line := _told(wording, row))]
    lines += filter(None, (box_sentence(wording), clinical_sentence(wording)))
    if rows:
        lines += [*density_sentences(wording, rows), kyphosis_sentence(wording), screen_sentence(wording)]
    lines += [*cause_gaps(wording, rows), *_notes(wording)]
    return "\n".join(lines) + "\n"


def flagged(rows: tuple[Row, ...]) -> list[Row]:
    """The vertebrae to look at: fractures, then what is suspicious without fracture, then the others."""
    first = [row for row in rows if row.tone is Verdict.FRACTURE]
    first += [row for row in suspicious(rows) if row not in first]
    return [*first, *(row for verdict in LOOKED_AT for row in rows if row.tone is verdict and row not in first)]


def suspicious(rows: tuple[Row, ...]) -> list[Row]:
    """The vertebrae that are suspicious without fracture."""
    return [row for row in rows if row.cause_words.tone is CauseTone.SUSPICIOUS]


def _told(wording: Wording, row: Row) -> str:
    """All sentences on one vertebra."""
    signs = next((s for s in wording.result.signs if s is not None and s.label == row.vertebra.label), None)
    height = (vertebra_sentence(wording, row), *details(wording, row)) if row.tone in LOOKED_AT else ()
    return " ".join((*height, *cause_sentences(wording, row, signs)))


def _headline(wording: Wording, rows: tuple[Row, ...]) -> tuple[str, Verdict]:
    """What counts most; a suspicion is never left out of it."""
    headline, tone = _fractures(wording, rows)
    found = [row.vertebra for row in suspicious(rows)]
    if not found:
        return headline, tone
    said = wording.language.say("summary.headline_suspicious", headline=headline, names=wording.named(found))
    return said, Verdict.BORDERLINE if tone is Verdict.NORMAL else tone


def _fractures(wording: Wording, rows: tuple[Row, ...]) -> tuple[str, Verdict]:
    language = wording.language
    fractures = [r.vertebra for r in rows if r.tone is Verdict.FRACTURE]
    borderline = [r.vertebra for r in rows if r.tone is Verdict.BORDERLINE]
    if fractures:
        names = wording.named(fractures)
        return language.counted("summary.headline", len(fractures), names=names), Verdict.FRACTURE
    if not rows or all(r.tone is Verdict.NOT_ASSESSED for r in rows):
        return language.say("summary.headline_none"), Verdict.NOT_ASSESSED
    if borderline:
        return language.say("summary.headline_borderline", names=wording.named(borderline)), Verdict.BORDERLINE
    part = any(r.tone is Verdict.NOT_ASSESSED for r in rows)
    return language.say("summary.headline_clear_part" if part else "summary.headline_clear"), Verdict.NORMAL


def _counts(wording: Wording, rows: tuple[Row, ...]) -> tuple[str, ...]:
    """How many were assessed; the fractures; the borderline ones; what was not assessed."""
    language = wording.language
    if not rows:
        return (language.say("summary.none_seen"), language.say("summary.verdict_none"))
    assessed = [r.vertebra for r in rows if r.tone is not Verdict.NOT_ASSESSED]
    gaps = _alike(rows, lambda finding: _gap(wording, finding))
    if not assessed:
        seen = [r.vertebra for r in rows]
        lines = [
            language.counted("summary.assessed_none", len(seen), range=wording.ranged(seen)),
            language.say("summary.verdict_none"),
        ]
    else:
        lines = [language.counted("summary.assessed", len(assessed), range=wording.ranged(assessed))]
        lines += _flagged(wording, rows, assessed)
    if gaps:
        each = "; ".join(f"{', '.join(wording.runs(same))} – {text}" for text, same in gaps.items())
        lines.append(language.say("summary.not_assessed", list=wording.marked(each)))
    return tuple(lines)


def _alike(rows: tuple[Row, ...], words: Callable[[Finding], str]) -> dict[str, list[Vertebra]]:
    """The vertebrae that were not assessed, by reason in words."""
    alike: dict[str, list[Vertebra]] = {}
    for row in rows:
        if row.tone is Verdict.NOT_ASSESSED:
            alike.setdefault(words(row.finding), []).append(row.vertebra)
    return alike


def _flagged(wording: Wording, rows: tuple[Row, ...], assessed: list[Vertebra]) -> list[str]:
    language = wording.language
    fractures = [r for r in rows if r.tone is Verdict.FRACTURE]
    lines = []
    if fractures:
        each = "; ".join(f"{r.name} – {_short(wording, r)}" for r in fractures)
        lines.append(language.counted("summary.fracture", len(fractures), list=wording.marked(each)))
    else:
        lines.append(language.say("summary.fracture_none", range=wording.ranged(assessed)))
    for verdict, key in ((Verdict.BORDERLINE, "borderline"), (Verdict.HEIGHT_LOSS, "height_loss")):
        found = [r.vertebra for r in rows if r.tone is verdict]
        if found:
            lines.append(language.say(f"summary.{key}", list=wording.named(found)))
    return lines


def _short(wording: Wording, row: Row) -> str:
    """`Genant 2, wedge, 31 %`."""
    finding, say = row.finding, wording.language.say
    parts = []
    if not isinstance(finding.grade, NotMeasured):
        parts.append(say("grade.label", grade=str(finding.grade.value)))
    else:
        parts.append(say("not.graded"))
    if finding.shape is not None:
        parts.append(say(f"shape.{finding.shape.value}"))
    if not isinstance(finding.loss, NotMeasured):
        parts.append(wording.loss(finding))
    return ", ".join(parts)


def _gap(wording: Wording, finding: Finding) -> str:
    """The bare reason of a gap."""
    if finding.not_assessed is None:
        return wording.not_assessed(finding)
    return wording.reason(finding.not_assessed)


def _notes(wording: Wording) -> tuple[str, ...]:
    return tuple(wording.caution(caution) for caution in wording.result.findings.cautions)
