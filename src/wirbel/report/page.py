"""What a page shows, as words and pictures alone: one content for HTML and PDF."""

from dataclasses import dataclass

from wirbel.finding import Verdict
from wirbel.report import svg
from wirbel.report.answer import LOOKED_AT, Answer, answer_of, finding_text, flagged
from wirbel.report.cause_card import CauseCard, CauseLine, cause_cards, cause_lines
from wirbel.report.cause_words import has_classifier
from wirbel.report.classifier_box import Box, classifier_box, training_mark
from wirbel.report.clinical_words import clinical_sentence
from wirbel.report.density_plot import density_plot
from wirbel.report.detail import detail
from wirbel.report.overview import overview
from wirbel.report.rows import Row, rows_of, slice_axis
from wirbel.report.sentences import (
    is_simulated,
    kyphosis_sentence,
    screen_sentence,
    series_words,
)
from wirbel.report.straighten import reformat
from wirbel.report.tone import CAUSE_COLOURS, TONES, CauseTone
from wirbel.report.wording import Wording
from wirbel.study import SeriesRef
from wirbel.volume import Volume


@dataclass(frozen=True, slots=True)
class Pair:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the table, in words; `heights` is empty where `no_heights` speaks."""

    name: str
    slice: str
    verdict: str
    grade: str
    loss: str
    heights: tuple[str, ...]
    no_heights: str
    wedge: str
    density: str
    calibrated: str
    cause: str
    cause_figure: str
    cause_why: str
    cause_colour: str
    cause_said: bool
    reasons: tuple[str, ...]
    colour: str
    strong: bool
    gap: bool


@dataclass(frozen=True, slots=True)
class Page:
    """All words and pictures (SVG) of a report.

    `labels` holds the headings by key of the texts; `common_cause` is the cause that all rows of the table share;
    `table_lines` counts rows and the lines with reasons below them. `box` is what has to be said of a classifier,
    `trained` its short form beside figures; `causes` are the causes at a glance, `cards` in full.
    """

    lang: str
    labels: dict[str, str]
    simulated: str
    relative: str
    study: tuple[Pair, ...]
    answer: Answer
    colour: str
    overview: str
    overview_width: int
    details: tuple[str, ...]
    table: tuple[TableRow, ...]
    box: Box | None
    trained: str
    causes: tuple[CauseLine, ...]
    cards: tuple[CauseCard, ...]
    cards_title: str
    clinical: str
    rules: tuple[str, ...]
    common_cause: str
    table_lines: int
    density: str
    density_sentences: tuple[str, ...]
    text: str
    method: tuple[Pair, ...]
    method_sentences: tuple[str, ...]
    settings: tuple[Pair, ...]
    settings_by_room: tuple[Pair, ...]
    version: str


def page_of(wording: Wording, ct: Volume) -> Page:
    """Fill the page: words, then pictures."""
    result, language = wording.result, wording.language
    rows = rows_of(wording, ct.grid)
    answer = answer_of(wording, rows)
    axis = slice_axis(result.series.acquisition.plane, ct.grid)
    sagittal = reformat(ct, result.spine, "sagittal", slice_axis=axis)
    coronal = reformat(ct, result.spine, "coronal", slice_axis=axis)
    table = tuple(_table_row(row) for row in rows)
    column = overview(wording, rows, sagittal, coronal)
    return Page(
        lang=language.code,
        labels={key: words[-1] for key, words in language.texts.items()},
        simulated=language.say("notice.simulated") if is_simulated(wording) else "",
        relative=language.say("language.relative") if wording.relative else "",
        study=_study(wording),
        answer=answer,
        colour=TONES[answer.tone].on_paper,
        overview=column,
        overview_width=svg.width_of(column),
        details=tuple(
            picture for r in flagged(rows) if r.tone in LOOKED_AT and (picture := detail(wording, r, ct))
        ),
        table=table,
        box=classifier_box(wording),
        trained=training_mark(wording),
        causes=cause_lines(wording, rows),
        cards=cause_cards(wording, rows, ct),
        cards_title=_cards_title(wording, rows),
        clinical=clinical_sentence(wording),
        rules=tuple(dict.fromkeys(row.cause_words.rule for row in rows if row.cause_words.rule)),
        common_cause=rows[0].cause if len({row.cause for row in rows}) == 1 else "",
        table_lines=len(table) + sum(1 for line in table if line.reasons),
        density=density_plot(wording, rows) or "",
        density_sentences=(screen_sentence(wording), kyphosis_sentence(wording)) if rows else (),
        text=finding_text(wording, rows),
        method=_method(wording),
        method_sentences=_method_sentences(wording),
        settings=_settings(wording),
        settings_by_room=_settings_by_room(wording),
        version=f"wirbel {result.provenance.wirbel_version}",
    )


def _table_row(row: Row) -> TableRow:
    return TableRow(
        name=row.name,
        slice=row.slice,
        verdict=row.verdict,
        grade=row.grade,
        loss=row.loss,
        heights=row.heights,
        no_heights=row.no_heights,
        wedge=row.wedge,
        density=row.density_short,
        calibrated=row.calibrated,
        cause=row.cause_words.word,
        cause_figure=row.cause_words.figure,
        cause_why=row.cause_words.why,
        cause_colour=CAUSE_COLOURS[row.cause_words.tone],
        cause_said=row.cause_words.tone is not CauseTone.UNSAID,
        reasons=() if row.plain else row.reasons,
        colour=TONES[row.tone].on_paper,
        strong=row.tone in (Verdict.FRACTURE, Verdict.BORDERLINE),
        gap=row.tone is Verdict.NOT_ASSESSED,
    )


def _study(wording: Wording) -> tuple[Pair, ...]:
    say, series = wording.language.say, wording.result.series
    blank = say("study.not_given")
    return (
        Pair(say("study.accession"), series.accession or blank),
        Pair(say("study.patient_id"), series.patient_id or blank),
        Pair(say("study.study_date"), _date(series.study_date) or blank),
        Pair(say("study.series"), _series_line(wording, series)),
    )


def _series_line(wording: Wording, series: SeriesRef) -> str:
    words = series_words(wording, series)
    kernel = f"{wording.language.say('method.kernel')} {words['kernel']}"
    parts = [words["series"], series.series_description, words["plane"], words["slices"], words["slice_mm"], kernel]
    return " · ".join(part for part in parts if part)


def _date(dicom: str | None) -> str | None:
    """`20240131` as `2024-01-31`; anything else as it is."""
    if dicom and len(dicom) == 8 and dicom.isdigit():
        return f"{dicom[:4]}-{dicom[4:6]}-{dicom[6:]}"
    return dicom


def _method(wording: Wording) -> tuple[Pair, ...]:
    result, say = wording.result, wording.language.say
    made = result.provenance
    pairs = []
    previous: SeriesRef | None = None
    for key, series in (
        ("main", result.series), ("heights", result.heights_series), ("density", result.density_series)
    ):  # fmt: skip
        same = previous is not None and series.sha256 == result.series.sha256
        pairs.append(
            Pair(say(f"method.purpose_{key}"), say("method.same") if same else _input(wording, series))
        )
        previous = series
    pairs += [Pair(say("method.segmenter"), made.segmenter), Pair(say("method.classifier"), _classifier(wording))]
    bundles = [f"{name} {digest}" for name, digest in made.bundles.items()]
    pairs.append(Pair(say("method.bundles"), "; ".join(bundles) or say("method.none")))
    pairs.append(Pair(say("method.version"), f"wirbel {made.wirbel_version}"))
    if made.started:
        pairs.append(Pair(say("method.started"), made.started))
    if made.seconds is not None:
        pairs.append(Pair(say("method.seconds"), f"{wording.language.number(made.seconds)} s"))
    used = (result.series, result.heights_series, result.density_series)
    notes = dict.fromkeys(note for series in used for note in series.notes)
    if notes:
        pairs.append(Pair(say("method.notes"), "; ".join(wording.note(note) for note in notes)))
    return tuple(pairs)


def _cards_title(wording: Wording, rows: tuple[Row, ...]) -> str:
    """The heading over the cards, by what is on them."""
    say = wording.language.say
    if not has_classifier(wording.result):
        return say("signs.title")
    fractured = any(row.tone is Verdict.FRACTURE for row in rows)
    if any(row.cause_words.tone is CauseTone.SUSPICIOUS for row in rows):
        return say("cause.title_suspicious" if fractured else "cause.title_only_suspicious")
    return say("cause.title")


def _classifier(wording: Wording) -> str:
    """The classifier's name with its calibrations; in words where there is none."""
    made = wording.result.provenance
    if not has_classifier(wording.result):
        return wording.language.say("reason.no_classifier")
    digests = [f"{wording.language.say(f'calibration.{k}')} {v}" for k, v in made.calibration_sha256.items()]
    return "; ".join((made.classifier, *digests))


def _input(wording: Wording, series: SeriesRef) -> str:
    say = wording.language.say
    scanner = " ".join(part for part in (series.manufacturer, series.model) if part) or say("study.not_given")
    kvp = series.acquisition.kvp
    voltage = f"{kvp:g} kV" if kvp is not None else say("study.not_given")
    return (
        f"{series.source_name}; {_series_line(wording, series)}; {say('method.scanner')} {scanner}; "
        f"{say('method.voltage')} {voltage}; {say('method.hash')} {series.sha256}"
    )


def _method_sentences(wording: Wording) -> tuple[str, ...]:
    say = wording.language.say
    numbers = say("method.numbers_relative" if wording.relative else "method.numbers_verse")
    return (say("method.heights"), say("method.grading"), say("method.masks", numbers=numbers))


def _settings(wording: Wording) -> tuple[Pair, ...]:
    settings = wording.result.provenance.settings
    return tuple(Pair(name, str(settings[name])) for name in sorted(settings))


def _settings_by_room(wording: Wording) -> tuple[Pair, ...]:
    """The settings of each record in one line: for paper."""
    rooms: dict[str, list[str]] = {}
    for pair in _settings(wording):
        room, _, name = pair.label.rpartition(".")
        rooms.setdefault(room, []).append(f"{name} {pair.value}")
    return tuple(Pair(room, ", ".join(entries)) for room, entries in rooms.items())
