"""Trabecular density along the column: a dot and a bar a vertebra, and a sign where it was not measured."""

import math
from dataclasses import dataclass

from wirbel.report import svg
from wirbel.report.rows import Row
from wirbel.report.tone import INK, MUTED, RULE, TONES
from wirbel.report.wording import Wording
from wirbel.vertebra import Density

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1000.0, 270.0, 52.0, 12.0, 28.0, 52.0
TICK_HU = 50
#: Units between two vertebrae from which names are set in full size.
WIDE_STEP = 46


@dataclass(frozen=True, slots=True)
class _Scale:
    """The HU axis: its ends."""

    low: int
    high: int

    def y(self, hu: int | float) -> float:
        """Height on the sheet."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - hu) / (self.high - self.low)


def density_plot(wording: Wording, rows: tuple[Row, ...]) -> str | None:
    """The SVG, levels from the head on the left; none where the column is empty."""
    if not rows:
        return None
    scale = _scale(rows)
    say = wording.language.say
    step = (WIDTH - LEFT - RIGHT) / len(rows)
    parts = [svg.box(0.0, 0.0, WIDTH, HEIGHT, fill="#ffffff")]
    tick_hu = TICK_HU if scale.high - scale.low <= 400 else 2 * TICK_HU
    for tick in range(scale.low, scale.high + 1, tick_hu):
        y = scale.y(tick)
        parts.append(svg.line(LEFT, y, WIDTH - RIGHT, y, colour=MUTED if tick == 0 else RULE, width=1))
        words = wording.language.number(tick, 0)
        parts.append(svg.text(LEFT - 8, y + 4, words, size=11, colour=MUTED, anchor="end"))
    parts.append(svg.text(LEFT - 8, 13.0, "HU", size=11, colour=MUTED, anchor="end"))
    for i, row in enumerate(rows):
        parts += _column(row, LEFT + (i + 0.5) * step, scale, 11 if step > WIDE_STEP else 9)
    measured = any(isinstance(r.measures.density, Density) for r in rows)
    legend = say("picture.bars" if measured else "picture.no_density")
    words = f"{legend} · {wording.marked(say('notice.research'))}"
    parts.append(svg.text(LEFT, HEIGHT - 8, words, size=11, colour=MUTED))
    return svg.document(WIDTH, HEIGHT, parts, title=say("picture.alt_density"))


def _scale(rows: tuple[Row, ...]) -> _Scale:
    """From 0 (or below, where values are) to the next tick above the highest bar."""
    ends = [0.0, 200.0]
    for row in rows:
        if isinstance(row.measures.density, Density):
            density = row.measures.density
            ends += [density.median_hu - density.iqr_hu / 2, density.median_hu + density.iqr_hu / 2]
    return _Scale(TICK_HU * math.floor(min(ends) / TICK_HU), TICK_HU * math.ceil(max(ends) / TICK_HU))


def _column(row: Row, x: float, scale: _Scale, size: int) -> list[str]:
    colour = TONES[row.tone].on_paper
    floor = HEIGHT - BOTTOM
    name = svg.text(x, floor + 18, row.name, size=size, colour=colour, anchor="middle", bold=True)
    density = row.measures.density
    if not isinstance(density, Density):
        return [name, svg.text(x, floor - 8, "×", size=16, colour=MUTED, anchor="middle")]
    half = density.iqr_hu / 2
    top, bottom = scale.y(density.median_hu + half), scale.y(density.median_hu - half)
    y = scale.y(density.median_hu)
    return [
        name,
        svg.line(x, top, x, bottom, colour=colour, width=5, opacity=0.3),
        svg.disc(x, y, 5, fill=colour),
        svg.text(x, top - 6, row.density_short, size=size, colour=INK, anchor="middle"),
    ]
