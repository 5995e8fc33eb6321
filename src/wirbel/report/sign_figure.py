"""The pictures of the signs: each in the plane in which a reader looks for it."""

from wirbel.finding.signs import Sign, SignPicture, Signs, picture_of, stands_out
from wirbel.report import svg
from wirbel.report.rows import Row
from wirbel.report.section import SCALE, Figure, Section, drawn, frame_of, place
from wirbel.report.sign_words import MALIGNANT, NEITHER, OSTEOPOROTIC, value_of
from wirbel.report.wording import Wording
from wirbel.vertebra import NotMeasured
from wirbel.volume import Volume

#: How many pictures of signs a vertebra gets at most: taken in turn from both sides.
MOST = 6
#: Signs in soft tissue, which the bone window hides.
SOFT = {Sign.EPIDURAL, Sign.PARAVERTEBRAL}
#: On the picture: the sides' colours, lighter than on paper.
COLOURS = {"malignant": "#ff7bf3", "osteoporotic": "#5cc8ff", "neither": "#ffd84d"}


def sign_figures(wording: Wording, row: Row, signs: Signs, ct: Volume) -> tuple[Figure, ...]:
    """A figure for each sign that stands out and has a place, `MOST` at most."""
    frame = frame_of(row.measures, row.vertebra.centre_lps_mm)
    figures: list[Figure] = []
    for sign in in_turn(signs):
        picture = picture_of(ct, wording.result.spine, signs, frame, sign)
        if picture is not None and len(figures) < MOST:
            figures.append(_figure(wording, signs, picture, ct))
    return tuple(figures)


def in_turn(signs: Signs) -> tuple[Sign, ...]:
    """The signs that stand out: one for malignant, one for osteoporotic and so on, then those for neither."""
    sides = [[sign for sign in side if stands_out(signs, sign)] for side in (MALIGNANT, OSTEOPOROTIC)]
    order = [side[i] for i in range(max(map(len, sides))) for side in sides if i < len(side)]
    return (*order, *(sign for sign in NEITHER if stands_out(signs, sign)))


def _figure(wording: Wording, signs: Signs, picture: SignPicture, ct: Volume) -> Figure:
    section = Section(picture.plane, picture.hu, picture.vertebra, picture.pixel_mm)
    window = svg.SOFT_TISSUE if picture.sign in SOFT else svg.BONE
    pen = svg.Pen(_colour(picture.sign), 1.3, fill_opacity=0.3, smooth_pixels=0.8)
    name = wording.language.say(f"sign.{picture.sign.value}")
    value = signs.values.of(picture.sign)
    title = name if isinstance(value, NotMeasured) else f"{name}: {value_of(wording, picture.sign, value)}"
    return Figure(
        drawn(
            section,
            [svg.outline(picture.overlay, 0.0, 0.0, picture.pixel_mm * SCALE, pen)],
            window=window,
            title=title,
        ),
        title,
        place(wording, picture.centre_lps_mm, ct, window),
    )


def _colour(sign: Sign) -> str:
    if sign in MALIGNANT:
        return COLOURS["malignant"]
    return COLOURS["osteoporotic" if sign in OSTEOPOROTIC else "neither"]
