"""Where the network looked: its map over the CT in two planes through the strongest place."""

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from wirbel.etiology import HeatMap
from wirbel.finding.signs import SignPlane
from wirbel.report import svg
from wirbel.report.overview import MARK
from wirbel.report.rows import Row
from wirbel.report.section import Figure, Section, drawn, frame_of, place
from wirbel.report.wording import Wording
from wirbel.vertebra import Frame
from wirbel.vertebra.local import sample
from wirbel.volume import Volume

PIXEL_MM, HALF_MM = 0.5, 38.0
#: How far the picture's middle lies behind the body's: arch and canal are in it.
BACK_MM = 10.0
OUTSIDE_HU = -1024.0
#: Colours from 0 to 1 (plasma of matplotlib, CC0): lightness rises with the value, for all kinds of colour vision.
COLOURS = ("#0d0887", "#6a00a8", "#b12a90", "#e16462", "#fca636", "#f0f921")
#: Below this share nothing is laid over the CT; at 1 so much of it is covered.
LEAST, MOST_OPACITY = 0.12, 0.62
BAR_WIDTH, BAR_HEIGHT = 96.0, 7.0


def heat_figures(wording: Wording, row: Row, heat: HeatMap, ct: Volume) -> tuple[Figure, ...]:
    """Sagittal and axial; none where the map is empty."""
    if not float(heat.values.max()) > 0.0:
        return ()
    frame = frame_of(row.measures, row.vertebra.centre_lps_mm)
    strongest = heat.grid.to_lps_mm(np.argwhere(heat.values == heat.values.max()).astype(np.float64)).mean(axis=0)
    return tuple(
        _figure(wording, row, heat, ct, frame, strongest, plane)
        for plane in (SignPlane.SAGITTAL, SignPlane.AXIAL)
    )


def _figure(
    wording: Wording, row: Row, heat: HeatMap, ct: Volume, frame: Frame, strongest: np.ndarray, plane: SignPlane
) -> Figure:
    say = wording.language.say
    raster, centre = _raster(frame, strongest, plane)
    spine = wording.result.spine
    own = (spine.instances.labels == row.vertebra.label).astype(np.float32)
    section = Section(
        plane,
        sample(ct.hu, ct.grid, raster, outside=OUTSIDE_HU).astype(np.float32),
        sample(own, spine.grid, raster, outside=0.0) >= 0.5,
        PIXEL_MM,
    )
    share = sample(heat.values, heat.grid, raster, outside=0.0).astype(np.float32)
    width, height = section.size
    over = [svg.bitmap(coloured(share), 0.0, 0.0, width, height), *_bar(wording, width)]
    title = f"{say('heat.title')}: {say(f'plane.{plane.value}')}"
    marks = [say(f"heat.{heat.method.value}")]
    if wording.result.provenance.classifier_simulated:
        marks.insert(0, say("classifier.simulated"))
    caption = say("heat.caption", method=", ".join(marks))
    return Figure(
        drawn(section, over, window=svg.BONE, title=title),
        title,
        f"{caption[:1].upper()}{caption[1:]} {place(wording, centre, ct, svg.BONE)}",
    )


def coloured(share: Float32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 4"]:
    """The map as RGBA: nothing below `LEAST`, then the more opaque the stronger."""
    stops = np.linspace(0.0, 1.0, len(COLOURS))
    rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in COLOURS], dtype=np.float64)
    channels = [np.interp(share, stops, rgb[:, i]) for i in range(3)]
    cover = np.where(share < LEAST, 0.0, 0.2 + (MOST_OPACITY - 0.2) * share)
    return np.rint(np.stack([*channels, 255.0 * cover], axis=-1)).astype(np.uint8)


def _raster(
    frame: Frame, strongest: Float64[np.ndarray, "3"], plane: SignPlane
) -> tuple[Float64[np.ndarray, "h w 3"], Float64[np.ndarray, "3"]]:
    """Points of the plane through the strongest place, and their middle."""
    normal, right, down = (
        (frame.left, -frame.anterior, -frame.superior)
        if plane is SignPlane.SAGITTAL
        else (frame.superior, frame.left, -frame.anterior)
    )
    middle = frame.origin_lps_mm - BACK_MM * frame.anterior
    centre = middle + ((strongest - middle) @ normal) * normal
    steps = np.arange(-HALF_MM, HALF_MM + 0.01, PIXEL_MM)
    return centre + steps[:, None, None] * down + steps[None, :, None] * right, centre


def _bar(wording: Wording, width: float) -> list[str]:
    """The colours from 0 to 1 in the upper left corner, with their ends."""
    say = wording.language.say
    colours = coloured(np.linspace(LEAST, 1.0, 64, dtype=np.float32)[None, :])
    colours[..., 3] = 255
    x, y = 8.0, 22.0
    return [
        svg.bitmap(colours, x, y, BAR_WIDTH, BAR_HEIGHT),
        svg.text(x, y - 4, say("heat.bar_low"), size=9, colour=MARK, halo=True),
        svg.text(x + BAR_WIDTH, y - 4, say("heat.bar_high"), size=9, colour=MARK, anchor="end", halo=True),
    ]
