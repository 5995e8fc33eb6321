"""A close look at one vertebra: the sagittal plane through its body, with the six points and three heights."""

import numpy as np

from wirbel.report import svg
from wirbel.report.overview import MARK, pairs_of
from wirbel.report.rows import Row, slice_axis
from wirbel.report.straighten import labels_on, slab
from wirbel.report.tone import INK, MUTED, TONES
from wirbel.report.wording import Wording
from wirbel.vertebra import BodyHeights, Frame
from wirbel.volume import Volume

WIDTH_MM, HEIGHT_MM, PIXEL_MM, SCALE = 76.0, 64.0, 0.4, 4.4
#: Where the body's centre lies in the picture, from the left: the posterior elements need room.
CENTRE_MM = 30.0


def detail(wording: Wording, row: Row, ct: Volume) -> str | None:
    """The SVG for one vertebra; none where it has no frame of its own."""
    frame = row.measures.frame
    if not isinstance(frame, Frame):
        return None
    surface = _plane(frame, row)
    hu = slab(ct, surface, frame.left)
    labels, body = labels_on(wording.result.spine, surface)
    width, height = WIDTH_MM * SCALE, HEIGHT_MM * SCALE
    unit = PIXEL_MM * SCALE
    colour = TONES[row.tone].on_picture
    pen = svg.Pen(colour, 1.4, smooth_pixels=2.2)
    parts = [
        svg.box(0.0, 0.0, width, height + 52, fill="#ffffff"),
        svg.grey_picture(hu, 0.0, 0.0, width, height),
        svg.outline((labels == row.vertebra.label) & body, 0.0, 0.0, unit, pen),
        *_heights(wording, row, frame),
        *_marks(width, height),
        *_words(wording, row, ct, height),
    ]
    return svg.document(width, height + 52, parts, title=f"{row.name}: {wording.language.say('picture.detail')}")


def _plane(frame: Frame, row: Row) -> np.ndarray:
    """Points of the parasagittal plane in which the heights were drawn (through the body's centre else)."""
    rows = np.arange(HEIGHT_MM / PIXEL_MM) * PIXEL_MM - HEIGHT_MM / 2
    columns = np.arange(WIDTH_MM / PIXEL_MM) * PIXEL_MM - CENTRE_MM
    return (
        frame.origin_lps_mm
        + _beside_mm(frame, row) * frame.left
        - rows[:, None, None] * frame.superior
        - columns[None, :, None] * frame.anterior
    )


def _beside_mm(frame: Frame, row: Row) -> float:
    """How far left of the body's centre the plane of the six points lies."""
    if not isinstance(row.measures.heights, BodyHeights):
        return 0.0
    ends = np.array([end for pair in pairs_of(row.measures.heights.points) for end in pair])
    return float(np.mean((ends - frame.origin_lps_mm) @ frame.left))


def _place(frame: Frame, point: np.ndarray) -> tuple[float, float]:
    away = point - frame.origin_lps_mm
    return (
        float(CENTRE_MM - away @ frame.anterior + PIXEL_MM / 2) * SCALE,
        float(HEIGHT_MM / 2 - away @ frame.superior + PIXEL_MM / 2) * SCALE,
    )


def _heights(wording: Wording, row: Row, frame: Frame) -> list[str]:
    if not isinstance(row.measures.heights, BodyHeights):
        return []
    parts = []
    for (upper, lower), words in zip(pairs_of(row.measures.heights.points), row.heights, strict=True):
        (x1, y1), (x2, y2) = _place(frame, upper), _place(frame, lower)
        parts.append(svg.line(x1, y1, x2, y2, colour="#ffffff", width=1.2, opacity=0.95))
        parts += [svg.disc(x, y, 2.2, fill="#ffffff") for x, y in ((x1, y1), (x2, y2))]
        parts.append(
            svg.text(x2, y2 + 14, words, size=10.5, colour="#ffffff", anchor="middle", bold=True, halo=True)
        )
    return parts


def _marks(width: float, height: float) -> list[str]:
    at = [(11, height / 2, "A"), (width - 11, height / 2, "P"), (width / 2, 17, "H"), (width / 2, height - 7, "F")]
    letters = [svg.text(x, y, w, size=13, colour=MARK, anchor="middle", bold=True, halo=True) for x, y, w in at]
    bar = 10 * SCALE
    x, y = 10.0, height - 10
    return [
        *letters,
        svg.line(x, y, x + bar, y, colour=MARK, width=2),
        svg.line(x, y - 4, x, y, colour=MARK, width=1.2),
        svg.line(x + bar, y - 4, x + bar, y, colour=MARK, width=1.2),
        svg.text(x, y - 8, "1 cm", size=10, colour=MARK, halo=True),
    ]


def _words(wording: Wording, row: Row, ct: Volume, height: float) -> list[str]:
    say = wording.language.say
    axis = slice_axis(wording.result.series.acquisition.plane, ct.grid)
    caption = say(
        "picture.caption_one",
        series=wording.result.series.series_number or say("study.not_given"),
        slice=row.slice,
        count=str(ct.grid.shape[axis]),
        end=say(f"picture.end_{('axial', 'coronal', 'sagittal')[axis]}"),
    )
    colour = TONES[row.tone].on_paper
    title = f"{wording.marked(row.name)}: {say(f'verdict_short.{row.tone.value}')}"
    return [
        svg.text(0.0, height + 17, title, size=13, colour=colour, bold=True),
        svg.text(0.0, height + 32, caption, size=10, colour=MUTED),
        svg.text(0.0, height + 46, f"{say('picture.detail')} · {say('notice.research')}", size=10, colour=INK),
    ]
