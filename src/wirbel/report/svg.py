"""Small pieces of SVG: text, lines, outlines and grey pictures, ready for a page or a PDF."""

import base64
import io
import math
import re
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image
from scipy import ndimage
from skimage.measure import find_contours

#: Bone window of the pictures: width and level in HU.
WINDOW_HU, LEVEL_HU = 1300, 250
#: Room in pixels around a mask for its smoothed border.
PADDING = 8
#: Lengths on the sheet: whole numbers will do.
Number = int | float
FONT = "Inter, 'Helvetica Neue', Arial, sans-serif"


def document(width: Number, height: Number, parts: list[str], *, title: str) -> str:
    """A whole SVG of the given size in its own units, rounded up so that a unit is a whole number of pixels."""
    width, height = math.ceil(width), math.ceil(height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def width_of(drawing: str) -> int:
    """The width of a `document` in its units."""
    found = re.search(r'viewBox="0 0 (\d+) \d+"', drawing)
    return int(found.group(1)) if found else 0


def text(
    x: Number, y: Number, words: str, *, size: Number, colour: str, anchor: str = "start", bold: bool = False,
    halo: bool = False,
) -> str:
    """Words with their baseline at (x, y); a halo keeps them legible on a picture."""
    style = ' font-weight="600"' if bold else ""
    if halo:
        style += ' stroke="#000" stroke-opacity="0.75" stroke-width="3" stroke-linejoin="round"'
        style += ' paint-order="stroke"'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" text-anchor="{anchor}"{style}>'
        f"{escape(words)}</text>"
    )


def line(
    x1: Number, y1: Number, x2: Number, y2: Number, *, colour: str, width: Number, opacity: Number = 1.0
) -> str:
    """A straight line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}" stroke-opacity="{opacity:g}" stroke-linecap="round"/>'
    )


def box(x: Number, y: Number, width: Number, height: Number, *, fill: str, radius: Number = 0.0) -> str:
    """A filled rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" rx="{radius:g}"/>'
    )


def disc(x: Number, y: Number, radius: Number, *, fill: str, stroke: str = "none") -> str:
    """A dot."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>'


def polygon(points: list[tuple[float, float]], *, fill: str) -> str:
    """A filled polygon."""
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="{fill}"/>'


@dataclass(frozen=True, slots=True)
class Window:
    """What of the CT's values is shown, in HU."""

    width_hu: int
    level_hu: int


BONE, SOFT_TISSUE = Window(WINDOW_HU, LEVEL_HU), Window(400, 50)


def grey_picture(
    hu: Float32[np.ndarray, "rows columns"], x: Number, y: Number, width: Number, height: Number,
    window: Window = BONE,
) -> str:
    """CT values in a window, stretched into a rectangle."""
    low = window.level_hu - window.width_hu / 2
    grey = np.clip((hu - low) / window.width_hu, 0.0, 1.0)
    return bitmap(np.rint(255 * grey).astype(np.uint8), x, y, width, height)


def bitmap(
    pixels: UInt8[np.ndarray, "rows columns *channels"], x: Number, y: Number, width: Number, height: Number
) -> str:
    """Grey or RGBA pixels, stretched into a rectangle."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
        f'xlink:href="data:image/png;base64,{data}"/>'
    )


@dataclass(frozen=True, slots=True)
class Pen:
    """How an outline is drawn; `smooth_pixels` is the smoothing of the mask's steps."""

    colour: str
    width: Number
    fill_opacity: float = 0.0
    dashed: bool = False
    smooth_pixels: float = 1.6


def outline(mask: Bool[np.ndarray, "rows columns"], x: Number, y: Number, scale: Number, pen: Pen) -> str:
    """The smoothed border of a mask; `scale` is units a pixel, (x, y) the picture's upper left corner."""
    if not mask.any():
        return ""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    own = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], PADDING).astype(np.float32)
    padded = ndimage.gaussian_filter(own, pen.smooth_pixels)
    corner = np.array([rows[0], columns[0]]) - PADDING + 0.5
    paths = []
    for contour in find_contours(padded, 0.5):  # type: ignore[no-untyped-call]  # skimage has no stubs
        if len(contour) < 8:
            continue
        points = (contour + corner) * scale
        thinned = points[:: max(1, len(points) // 160)]
        paths.append("M" + "L".join(f"{x + c:.1f} {y + r:.1f}" for r, c in thinned) + "Z")
    dash = ' stroke-dasharray="5 4"' if pen.dashed else ""
    return (
        f'<path d="{"".join(paths)}" fill="{pen.colour}" fill-opacity="{pen.fill_opacity:g}" '
        f'stroke="{pen.colour}" stroke-width="{pen.width:g}" stroke-linejoin="round"{dash}/>'
    )
