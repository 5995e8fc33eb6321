"""The column at a glance: curved sagittal and coronal views, vertebrae outlined, named, their heights drawn."""

from dataclasses import dataclass, fields

import numpy as np

from wirbel.finding import Verdict
from wirbel.report import svg
from wirbel.report.classifier_box import training_mark
from wirbel.report.rows import Row
from wirbel.report.sentences import is_simulated
from wirbel.report.straighten import THICKNESS_MM, Reformat
from wirbel.report.tone import CAUSE_COLOURS, INK, MUTED, TONES, CauseTone
from wirbel.report.wording import Wording
from wirbel.vertebra import BodyHeights, SixPoints

#: Size of the picture's panels in units; a unit is about a quarter of a millimetre on paper.
PANEL_HEIGHT, PANELS_WIDTH, STRIP_WIDTH, MARGIN, CAPTION_HEIGHT = 900.0, 860.0, 190.0, 10.0, 62.0
LEAST_CAPTION_WIDTH = 290.0
#: Width of the strip between the views where it also tells causes.
STRIP_WIDTH_CAUSE = 268.0
MARK = "#f2f4f7"


@dataclass(frozen=True, slots=True)
class _Panel:
    """Where one reformat lies on the sheet: upper left corner and units a millimetre."""

    x: float
    y: float
    scale: float
    width: float
    height: float


def overview(wording: Wording, rows: tuple[Row, ...], sagittal: Reformat, coronal: Reformat) -> str:
    """The SVG: sagittal view, a strip with names and heights at their level, coronal view."""
    scale = min(PANEL_HEIGHT / sagittal.height_mm, PANELS_WIDTH / (sagittal.width_mm + coronal.width_mm))
    strip = _strip_width(rows)
    first = _Panel(MARGIN, MARGIN, scale, sagittal.width_mm * scale, sagittal.height_mm * scale)
    second = _Panel(
        first.x + first.width + strip, MARGIN, scale, coronal.width_mm * scale, coronal.height_mm * scale
    )
    width = second.x + max(second.width, LEAST_CAPTION_WIDTH) + MARGIN
    parts = [
        svg.box(0.0, 0.0, width, first.height + MARGIN + CAPTION_HEIGHT, fill="#ffffff"),
        *_view(wording, rows, sagittal, first),
        *_view(wording, rows, coronal, second),
        *_strip(wording, rows, sagittal, first, strip),
        *_captions(wording, rows, (sagittal, first), (coronal, second)),
    ]
    return svg.document(
        width, first.height + MARGIN + CAPTION_HEIGHT, parts, title=wording.language.say("picture.alt")
    )


def _strip_width(rows: tuple[Row, ...]) -> float:
    if not rows:
        return 2 * MARGIN
    return STRIP_WIDTH_CAUSE if any(row.cause_words.tone is not CauseTone.UNSAID for row in rows) else STRIP_WIDTH


def _view(wording: Wording, rows: tuple[Row, ...], picture: Reformat, panel: _Panel) -> list[str]:
    parts = [svg.grey_picture(picture.hu, panel.x, panel.y, panel.width, panel.height)]
    for row in rows:
        parts += _outlines(row, picture, panel)
        if picture.view == "sagittal":
            parts += _heights(row, picture, panel)
    for row in rows:
        parts += _name(row, picture, panel)
    return [*parts, *edge_marks(panel, "AP" if picture.view == "sagittal" else "RL"), *scale_bar(panel)]


def _outlines(row: Row, picture: Reformat, panel: _Panel) -> list[str]:
    tone = TONES[row.tone]
    own = picture.labels == row.vertebra.label
    unit = panel.scale * picture.pixel_mm
    fill = 0.14 if row.tone in (Verdict.FRACTURE, Verdict.BORDERLINE) else 0.0
    return [
        svg.outline(own & ~picture.body, panel.x, panel.y, unit, svg.Pen(tone.on_picture, 0.6)),
        svg.outline(
            own & picture.body, panel.x, panel.y, unit, svg.Pen(tone.on_picture, tone.weight, fill, tone.dashed)
        ),
    ]


def _heights(row: Row, picture: Reformat, panel: _Panel) -> list[str]:
    """Three lines between the endplates, where the heights were measured."""
    if not isinstance(row.measures.heights, BodyHeights):
        return []
    parts = []
    for upper, lower in pairs_of(row.measures.heights.points):
        (x1, y1), (x2, y2) = (
            (panel.x + a * panel.scale, panel.y + b * panel.scale)
            for a, b in (picture.place_mm(upper), picture.place_mm(lower))
        )
        parts.append(svg.line(x1, y1, x2, y2, colour="#ffffff", width=1.1, opacity=0.9))
        parts += [svg.disc(x, y, 1.5, fill="#ffffff") for x, y in ((x1, y1), (x2, y2))]
    return parts


def pairs_of(points: SixPoints) -> list[tuple[np.ndarray, np.ndarray]]:
    """The ends of the anterior, middle and posterior height."""
    ends = {field.name: getattr(points, field.name) for field in fields(points)}
    return [(ends[f"{part}_superior"], ends[f"{part}_inferior"]) for part in ("anterior", "middle", "posterior")]


def _name(row: Row, picture: Reformat, panel: _Panel) -> list[str]:
    """The name in front of its body (sagittal) or on it (coronal); fractures get a pointer as well."""
    x_mm, y_mm = picture.place_mm(row.vertebra.centre_lps_mm)
    colour = TONES[row.tone].on_picture
    size = 13.0
    y = panel.y + y_mm * panel.scale + size * 0.36
    if not 0 < y_mm < picture.height_mm:
        return []
    if picture.view == "coronal":
        x = panel.x + x_mm * panel.scale
        return [svg.text(x, y, row.name, size=size, colour=colour, anchor="middle", bold=True, halo=True)]
    own = (picture.labels == row.vertebra.label) & picture.body
    columns = np.flatnonzero(own.any(axis=0))
    front_mm = columns[0] * picture.pixel_mm if columns.size else x_mm - 16
    x = panel.x + front_mm * panel.scale - 7
    parts = []
    if row.tone in (Verdict.FRACTURE, Verdict.BORDERLINE):
        middle = panel.y + y_mm * panel.scale
        parts.append(svg.polygon([(x - 11, middle - 7), (x, middle), (x - 11, middle + 7)], fill=colour))
        x -= 16
    parts.append(svg.text(x, y, row.name, size=size, colour=colour, anchor="end", bold=True, halo=True))
    return parts


def edge_marks(panel: _Panel, sides: str) -> list[str]:
    """Letters at the edges: side marks left and right, head and feet above and below."""
    beside, middle_y = panel.x + 0.86 * panel.width, panel.y + panel.height / 2
    at = [
        (panel.x + 12, middle_y, sides[0]),
        (panel.x + panel.width - 12, middle_y, sides[1]),
        (beside, panel.y + 20, "H"),
        (beside, panel.y + panel.height - 9, "F"),
    ]
    return [svg.text(x, y, w, size=15, colour=MARK, anchor="middle", bold=True, halo=True) for x, y, w in at]


def scale_bar(panel: _Panel, length_mm: float = 50.0) -> list[str]:
    """A bar of 5 cm with ticks every centimetre (1 cm where the picture is small)."""
    if length_mm * panel.scale > 0.55 * panel.width:
        length_mm = 10.0
    x, y = panel.x + 14, panel.y + panel.height - 14
    parts = [svg.line(x, y, x + length_mm * panel.scale, y, colour=MARK, width=2)]
    for i in range(int(length_mm / 10) + 1):
        at = x + i * 10 * panel.scale
        parts.append(svg.line(at, y - 5, at, y, colour=MARK, width=1.2))
    words = f"{length_mm / 10:g} cm"
    return [*parts, svg.text(x, y - 9, words, size=11, colour=MARK, halo=True)]


def _strip(
    wording: Wording, rows: tuple[Row, ...], picture: Reformat, panel: _Panel, width: float
) -> list[str]:
    """Names and heights between the views, each at the level of its vertebra."""
    if not rows:
        return []
    wanted = [panel.y + picture.place_mm(r.vertebra.centre_lps_mm)[1] * panel.scale for r in rows]
    left, right = panel.x + panel.width, panel.x + panel.width + width
    heading = wording.language.say("picture.heights")
    parts = [svg.text(right - 12, panel.y + 9, heading, size=10, colour=MUTED, anchor="end")]
    places = spread(wanted, 27.0, panel.y + 28, panel.y + panel.height - 16)
    for row, at, y in zip(rows, wanted, places, strict=True):
        colour = TONES[row.tone].on_paper
        x = left + 22
        parts.append(svg.line(left + 2, at, left + 16, y, colour=colour, width=1, opacity=0.6))
        parts.append(svg.text(x, y + 1, row.name, size=13, colour=colour, bold=True))
        heights = " / ".join(row.heights) or wording.language.say("not.measured_short")
        ink = INK if row.heights else MUTED
        parts.append(svg.text(right - 12, y + 1, heights, size=11, colour=ink, anchor="end"))
        if row.tone is not Verdict.NORMAL:
            bold = row.tone is Verdict.FRACTURE
            parts.append(svg.text(x, y + 13, _tag(wording, row), size=10, colour=colour, bold=bold))
        if row.cause_words.tone is not CauseTone.UNSAID:
            cause = wording.language.say(f"cause_short.{row.cause_words.tone.value}")
            ink = CAUSE_COLOURS[row.cause_words.tone]
            parts.append(svg.text(right - 12, y + 13, cause, size=10, colour=ink, anchor="end", bold=True))
    return parts


def _tag(wording: Wording, row: Row) -> str:
    """`fracture, 2 wedge`."""
    words = wording.language.say(f"verdict_short.{row.tone.value}")
    return f"{words}, {row.grade}" if row.tone is Verdict.FRACTURE else words


def spread(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in their order, at least a gap apart where there is room for it."""
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))
    places: list[float] = []
    for at in wanted:
        places.append(max(at, places[-1] + gap) if places else max(at, low))
    ceiling = high
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    return places


def caption_of(wording: Wording, picture: Reformat) -> str:
    """Series and slices that a picture runs through."""
    result = wording.result
    return wording.language.say(
        "picture.caption",
        series=result.series.series_number or wording.language.say("study.not_given"),
        first=str(picture.first_slice + 1),
        last=str(picture.last_slice + 1),
        count=str(picture.slices),
        end=wording.language.say(f"picture.end_{('axial', 'coronal', 'sagittal')[picture.slice_axis]}"),
    )


def _captions(
    wording: Wording, rows: tuple[Row, ...], *views: tuple[Reformat, _Panel]
) -> list[str]:
    say = wording.language.say
    thickness = wording.language.unit("mm", THICKNESS_MM, 0)
    parts = []
    for picture, panel in views:
        title = say(f"picture.{picture.view}" if rows else f"picture.{picture.view}_plain")
        y = panel.y + panel.height + 16
        parts.append(svg.text(panel.x, y, title, size=12, colour=INK, bold=True))
        parts.append(svg.text(panel.x, y + 15, caption_of(wording, picture), size=10.5, colour=MUTED))
    below = views[0][1].y + views[0][1].height
    reformat = say(
        "picture.reformat", thickness_mm=thickness, width=str(svg.WINDOW_HU), level=str(svg.LEVEL_HU)
    )
    x = views[0][1].x
    marks = [reformat[:1].upper() + reformat[1:], say("notice.research")]
    if wording.relative:
        marks.append(say("language.relative"))
    if is_simulated(wording):
        marks.append(say("notice.simulated"))
    if training_mark(wording) and rows:
        marks.append(say("classifier.mark"))
    parts.append(svg.text(x, below + 47, " · ".join(marks), size=10.5, colour=MUTED))
    return parts
