"""What stands beside each fractured or suspicious vertebra: its cause, the signs, where the network looked."""

from dataclasses import dataclass

from wirbel.etiology import Cause
from wirbel.finding import Verdict
from wirbel.finding.signs import Signs
from wirbel.report import svg
from wirbel.report.cause_words import has_classifier
from wirbel.report.heat_figure import heat_figures
from wirbel.report.rows import Row
from wirbel.report.section import Figure
from wirbel.report.sign_figure import sign_figures
from wirbel.report.sign_words import SignSide, references_sentence, sign_sides
from wirbel.report.tone import CAUSE_COLOURS, MUTED, RULE, CauseTone
from wirbel.report.wording import Wording
from wirbel.volume import Volume

#: Size of the bar on which a probability is shown.
BAR_WIDTH, BAR_HEIGHT = 150.0, 14.0


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One fractured or suspicious vertebra at a glance; `bar` (SVG) is empty without a probability."""

    name: str
    word: str
    colour: str
    figure: str
    why: str
    bar: str
    said: bool


@dataclass(frozen=True, slots=True)
class CauseCard:
    """One vertebra in full: sentences, the table of signs, and pictures of both."""

    line: CauseLine
    sentences: tuple[str, ...]
    sides: tuple[SignSide, ...]
    references: str
    figures: tuple[Figure, ...]


def cause_lines(wording: Wording, rows: tuple[Row, ...]) -> tuple[CauseLine, ...]:
    """Fractured and suspicious vertebrae from the head downward; none without a classifier."""
    if not has_classifier(wording.result):
        return ()
    return tuple(_line(wording, row) for row in told(rows))


def cause_cards(wording: Wording, rows: tuple[Row, ...], ct: Volume) -> tuple[CauseCard, ...]:
    """A card for each vertebra of which something is told; without classifier the signs alone."""
    signs = {each.label: each for each in wording.result.signs if each is not None}
    cards = []
    for row in told(rows):
        own = signs.get(row.vertebra.label)
        if own is not None or has_classifier(wording.result):
            cards.append(_card(wording, row, own, ct))
    return tuple(cards)


def told(rows: tuple[Row, ...]) -> list[Row]:
    """The vertebrae of which a cause or a suspicion is told, or why not."""
    return [row for row in rows if row.tone is Verdict.FRACTURE or row.cause_words.tone is CauseTone.SUSPICIOUS]


def _card(wording: Wording, row: Row, signs: Signs | None, ct: Volume) -> CauseCard:
    fractured, words = row.tone is Verdict.FRACTURE, row.cause_words
    cause = next(c for c in wording.result.etiology.vertebrae if c.label == row.vertebra.label)
    return CauseCard(
        line=_line(wording, row),
        sentences=tuple(
            filter(None, (words.probability, *words.reasons, _looked(wording, row, cause)))
        ),
        sides=() if signs is None else sign_sides(wording, signs, fractured=fractured),
        references="" if signs is None else references_sentence(wording, signs),
        figures=(
            *(heat_figures(wording, row, cause.heat, ct) if cause.heat is not None else ()),
            *(sign_figures(wording, row, signs, ct) if signs is not None else ()),
        ),
    )


def _looked(wording: Wording, row: Row, cause: Cause) -> str:
    """That the map is empty, where it is."""
    if cause.heat is None or float(cause.heat.values.max()) > 0.0:
        return ""
    return wording.language.say("heat.nothing" if row.tone is Verdict.FRACTURE else "heat.nothing_lesion")


def _line(wording: Wording, row: Row) -> CauseLine:
    words = row.cause_words
    cause = next(c for c in wording.result.etiology.vertebrae if c.label == row.vertebra.label)
    return CauseLine(
        name=wording.marked(row.name),
        word=words.word,
        colour=CAUSE_COLOURS[words.tone],
        figure=words.figure,
        why=words.why,
        bar=_bar(wording, cause, CAUSE_COLOURS[words.tone]),
        said=words.tone is not CauseTone.UNSAID,
    )


def _bar(wording: Wording, cause: Cause, colour: str) -> str:
    """The probability from 0 to 1 as a dot, its interval as a band."""
    if cause.p_malignant is None:
        return ""
    left, right, middle = 7.0, BAR_WIDTH - 7.0, BAR_HEIGHT / 2
    at = [left + (right - left) * p for p in (cause.p_malignant, cause.low or 0.0, cause.high or 0.0)]
    parts = [
        svg.line(left, middle, right, middle, colour=RULE, width=2),
        *(svg.line(x, 2.0, x, BAR_HEIGHT - 2.0, colour=MUTED, width=1) for x in (left, (left + right) / 2, right)),
    ]
    if cause.low is not None and cause.high is not None:
        parts.append(svg.line(at[1], middle, at[2], middle, colour=colour, width=6, opacity=0.35))
    parts.append(svg.disc(at[0], middle, 4.5, fill=colour))
    return svg.document(BAR_WIDTH, BAR_HEIGHT, parts, title=wording.language.say("cause.bar_scale"))
