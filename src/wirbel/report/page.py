"""What a page shows, as words and pictures alone: one content for HTML and PDF."""

from dataclasses import dataclass

from wirbel.finding import Verdict
from wirbel.report import svg
from wirbel.report.answer import Answer, answer_of, finding_text, flagged
from wirbel.report.density_plot import density_plot
from wirbel.report.detail import detail
from wirbel.report.overview import overview
from wirbel.report.rows import Row, rows_of, slice_axis
from wirbel.report.sentences import (
    cause_sentence,
    is_simulated,
    kyphosis_sentence,
    screen_sentence,
    series_words,
)
from wirbel.report.straighten import reformat
from wirbel.report.tone import TONES
from wirbel.report.wording import Wording
from wirbel.study import SeriesRef
from wirbel.vertebra import NotMeasured, Reason
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
    reasons: tuple[str, ...]
    colour: str
    strong: bool
    gap: bool


@dataclass(frozen=True, slots=True)
class Page:
    """All words and pictures (SVG) of a report.

    `labels` holds the headings by key of the texts; `common_cause` is the cause that all rows of the table share;
    `table_lines` counts rows and the lines with reasons below them.
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
    cause: str
    common_cause: str
    table_lines: int
    density: str
    density_sentences: tuple[str, ...]
    text: str
    method: tuple[Pair, ...]
    method_sentences: tuple[str, ...]
    settings: tuple[Pair, ...]
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
        details=tuple(picture for row in flagged(rows) if (picture := detail(wording, row, ct))),
        table=table,
        cause=cause_sentence(wording) if rows else "",
        common_cause=rows[0].cause if len({row.cause for row in rows}) == 1 else "",
        table_lines=len(table) + sum(1 for line in table if line.reasons),
        density=density_plot(wording, rows) or "",
        density_sentences=(screen_sentence(wording), kyphosis_sentence(wording)) if rows else (),
        text=finding_text(wording, rows),
        method=_method(wording),
        method_sentences=_method_sentences(wording),
        settings=_settings(wording),
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
        cause=row.cause,
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


def _classifier(wording: Wording) -> str:
    """The classifier's name; in words where every cause says that there is none."""
    causes = wording.result.etiology.vertebrae
    none = all(isinstance(c.answer, NotMeasured) and c.answer.reason is Reason.NO_CLASSIFIER for c in causes)
    return wording.language.say("reason.no_classifier") if none else wording.result.provenance.classifier


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
