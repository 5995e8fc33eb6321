"""A small section through one vertebra, drawn: CT, outline, side marks and scale; its words stand beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from wirbel.finding.signs import SignPlane
from wirbel.report import svg
from wirbel.report.overview import MARK
from wirbel.report.rows import slice_axis
from wirbel.report.wording import Wording
from wirbel.vertebra import Frame, VertebraMeasures
from wirbel.volume import Volume

#: Units a millimetre.
SCALE = 3.0
#: Letters at the left, right, upper and lower edge of each plane, as radiologists look at them.
EDGES: Mapping[SignPlane, tuple[str, str, str, str]] = {
    SignPlane.SAGITTAL: ("A", "P", "H", "F"),
    SignPlane.AXIAL: ("R", "L", "A", "P"),
    SignPlane.CORONAL: ("R", "L", "H", "F"),
}
OUTLINE = svg.Pen("#e9edf2", 0.8, smooth_pixels=1.2)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing (SVG) with the words that belong to it."""

    drawing: str
    title: str
    caption: str


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """CT values and the vertebra's mask on one raster of square pixels; row 0 and column 0 as `EDGES` has them."""

    plane: SignPlane
    hu: Float32[np.ndarray, "h w"]
    vertebra: Bool[np.ndarray, "h w"]
    pixel_mm: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the drawing in its units."""
        rows, columns = self.hu.shape
        return columns * self.pixel_mm * SCALE, rows * self.pixel_mm * SCALE


def drawn(section: Section, over: Sequence[str], *, window: svg.Window, title: str, below: float = 0.0) -> str:
    """The section with what lies over it; `below` is room for a bar under the picture."""
    width, height = section.size
    parts = [
        svg.grey_picture(section.hu, 0.0, 0.0, width, height, window),
        *over,
        svg.outline(section.vertebra, 0.0, 0.0, section.pixel_mm * SCALE, OUTLINE),
        *_edges(section.plane, width, height),
        *_scale(height),
    ]
    return svg.document(width, height + below, parts, title=title)


def place(wording: Wording, point_lps_mm: Float64[np.ndarray, "3"], ct: Volume, window: svg.Window) -> str:
    """Series, slice through the section's middle, and window."""
    say, result = wording.language.say, wording.result
    axis = slice_axis(result.series.acquisition.plane, ct.grid)
    at = int(np.clip(np.rint(ct.grid.to_voxel(point_lps_mm[None])[0, axis]), 0, ct.grid.shape[axis] - 1))
    words = say(
        "picture.caption_one",
        series=result.series.series_number or say("study.not_given"),
        slice=str(at + 1),
        count=str(ct.grid.shape[axis]),
        end=say(f"picture.end_{('axial', 'coronal', 'sagittal')[axis]}"),
    )
    return f"{words} · {say('picture.window', width=str(window.width_hu), level=str(window.level_hu))}"


def frame_of(measures: VertebraMeasures, centre_lps_mm: Float64[np.ndarray, "3"]) -> Frame:
    """The vertebra's own axes, or the scanner's where it has none."""
    if isinstance(measures.frame, Frame):
        return measures.frame
    up, front, left = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
    return Frame(np.asarray(centre_lps_mm, dtype=np.float64), up, front, left)


def _edges(plane: SignPlane, width: float, height: float) -> list[str]:
    left, right, upper, lower = EDGES[plane]
    at = (
        (9.0, height / 2 + 4, left), (width - 9, height / 2 + 4, right), (width / 2, 14.0, upper),
        (width / 2, height - 6, lower),
    )  # fmt: skip
    return [svg.text(x, y, w, size=12, colour=MARK, anchor="middle", bold=True, halo=True) for x, y, w in at]


def _scale(height: float, length_mm: float = 20.0) -> list[str]:
    x, y, end = 8.0, height - 8, 8.0 + length_mm * SCALE
    return [
        svg.line(x, y, end, y, colour=MARK, width=1.6),
        *(svg.line(at, y - 4, at, y, colour=MARK, width=1) for at in (x, (x + end) / 2, end)),
        svg.text(x, y - 7, f"{length_mm / 10:g} cm", size=9.5, colour=MARK, halo=True),
    ]
