"""The flow diagram as a drawing, in STARD's manner: down the middle who remains, to the right who is left out."""

from dataclasses import dataclass

from wirbel.cohort.flow import CLASS_NAMES, SPLIT_NAMES, Count, Flow, Group, Step
from wirbel.cohort.rules import REASONS, Stage
from wirbel.report import svg

INK, FAINT, EDGE, MAIN_FILL, SIDE_FILL, ALERT = "#1f2933", "#52606d", "#9aa5b1", "#f0f4f8", "#ffffff", "#b42318"
SIZE, LEADING, PAD, RADIUS = 13.0, 19.0, 12.0, 5.0
LETTER = 0.56
"""Mean width of a letter in font sizes."""
GAP, MARGIN, SIDE_GAP = 34.0, 24.0, 46.0
ARROW = 5.0
#: What is true of those who remain after a step.
REMAINS = {
    Stage.IMAGE: "With usable image and mask",
    Stage.LEVEL: "Thoracic or lumbar",
    Stage.REFERENCE: "Class proven",
}


@dataclass(frozen=True, slots=True)
class _Box:
    """Lines of words in a frame; the first is bold."""

    lines: tuple[str, ...]
    fill: str

    @property
    def width(self) -> float:
        bold = 1.06 * len(self.lines[0])
        return max(bold, *map(float, map(len, self.lines))) * SIZE * LETTER + 2 * PAD

    @property
    def height(self) -> float:
        return len(self.lines) * LEADING + 2 * PAD - 4

    def drawn(self, x: float, y: float, width: float) -> list[str]:
        """The box with its upper left corner at (x, y)."""
        parts = [
            svg.box(x - 1, y - 1, width + 2, self.height + 2, fill=EDGE, radius=RADIUS + 1),
            svg.box(x, y, width, self.height, fill=self.fill, radius=RADIUS),
        ]
        for i, words in enumerate(self.lines):
            baseline = y + PAD + SIZE - 3 + i * LEADING
            colour = INK if i == 0 else FAINT
            parts.append(svg.text(x + PAD, baseline, words, size=SIZE, colour=colour, bold=i == 0))
        return parts


def flow_svg(flow: Flow) -> str:
    """The whole drawing; says simulated where the cohort is, and research use only."""
    steps = [step for step in flow.steps if step.excluded.vertebrae]
    mains = [_Box(("In the table", str(flow.total)), MAIN_FILL)]
    mains += [_Box((REMAINS[step.stage], str(step.remaining)), MAIN_FILL) for step in steps[:-1]]
    classes = [f"{CLASS_NAMES[d]}: {_short(count)}" for d, count in flow.classes]
    mains.append(_Box(("Included", str(flow.included), *classes), MAIN_FILL))
    sides = [_side(step) for step in steps]
    groups = [_group(group) for group in flow.groups]
    main_width, side_width = max(b.width for b in mains), max((b.width for b in sides), default=0.0)
    group_width = sum(b.width for b in groups) + MARGIN * (len(groups) - 1)
    column_width = main_width + (SIDE_GAP + side_width if sides else 0.0)
    width = max(column_width, group_width, 300.0) + 2 * MARGIN
    left = (width - column_width) / 2
    centre = left + main_width / 2
    parts, y = _title(flow)
    parts, y = _column(parts, y, mains, sides, (left, main_width))
    parts, y = _branches(parts, y, groups, centre, width)
    parts.append(svg.text(MARGIN, y + 14, _footnote(flow), size=11, colour=FAINT))
    height = y + 30
    title = f"Flow diagram of {flow.name}"
    return svg.document(width, height, [svg.box(0, 0, width + 1, height + 1, fill="#ffffff"), *parts], title=title)


def _title(flow: Flow) -> tuple[list[str], float]:
    y = MARGIN + 14
    parts = [svg.text(MARGIN, y, f"Flow of {flow.name}", size=17, colour=INK, bold=True)]
    if flow.is_simulated:
        y += 20
        parts.append(svg.text(MARGIN, y, "Simulated patients", size=SIZE, colour=ALERT, bold=True))
    return parts, y + 22


def _column(
    parts: list[str], y: float, mains: list[_Box], sides: list[_Box], place: tuple[float, float]
) -> tuple[list[str], float]:
    """The boxes from top to bottom, each step's exclusions beside the arrow to the next."""
    left, width = place
    centre = left + width / 2
    for i, main in enumerate(mains):
        parts = [*parts, *main.drawn(left, y, width)]
        y += main.height
        if i == len(mains) - 1:
            break
        if i < len(sides):
            side = sides[i]
            below = y + GAP / 2 + side.height + GAP / 2
            middle = y + GAP / 2 + side.height / 2
            parts += _down(centre, y, below)
            parts += _right(centre, middle, left + width + SIDE_GAP)
            parts += side.drawn(left + width + SIDE_GAP, y + GAP / 2, side.width)
            y = below
        else:
            parts += _down(centre, y, y + GAP)
            y += GAP
    return parts, y


def _branches(
    parts: list[str], y: float, groups: list[_Box], centre: float, width: float
) -> tuple[list[str], float]:
    """One box a split, side by side below the last."""
    if not groups:
        return parts, y + MARGIN
    total = sum(b.width for b in groups) + MARGIN * (len(groups) - 1)
    x = min(max(MARGIN, centre - total / 2), width - MARGIN - total)
    rail = y + GAP / 2
    middles = []
    for box in groups:
        middles.append(x + box.width / 2)
        top = rail + GAP / 2 + 4
        parts = [*parts, *_down(middles[-1], rail, top), *box.drawn(x, top, box.width)]
        x += box.width + MARGIN
    parts.append(svg.line(centre, y, centre, rail, colour=FAINT, width=1.4))
    parts.append(svg.line(min(*middles, centre), rail, max(*middles, centre), rail, colour=FAINT, width=1.4))
    return parts, rail + GAP / 2 + 4 + max(b.height for b in groups) + MARGIN


def _side(step: Step) -> _Box:
    lines = [f"Left out: {step.stage.value}", str(step.excluded)]
    lines += [f"{REASONS[reason][1]}: {_short(count)}" for reason, count in step.reasons]
    if step.patients_lost:
        lines.append(f"patients without any other vertebra: {step.patients_lost:,}")
    return _Box(tuple(lines), SIDE_FILL)


def _group(group: Group) -> _Box:
    lines = [SPLIT_NAMES[group.split], str(group.total)]
    lines += [f"{CLASS_NAMES[d]}: {_short(count)}" for d, count in group.classes]
    if group.folds:
        lines.append(f"{len(group.folds)} folds of {_range([c.patients for _, c in group.folds])} patients")
    return _Box(tuple(lines), MAIN_FILL)


def _short(count: Count) -> str:
    return f"{count.vertebrae:,} ({count.patients:,})"


def _range(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _footnote(flow: Flow) -> str:
    drawn = "Simulated. " if flow.is_simulated else ""
    return f"{drawn}Vertebrae (patients). Research use only."


def _down(x: float, y1: float, y2: float) -> list[str]:
    tip = [(x - ARROW, y2 - 2 * ARROW + 1), (x + ARROW, y2 - 2 * ARROW + 1), (x, y2 - 1)]
    return [svg.line(x, y1, x, y2 - ARROW, colour=FAINT, width=1.4), svg.polygon(tip, fill=FAINT)]


def _right(x1: float, y: float, x2: float) -> list[str]:
    tip = [(x2 - 2 * ARROW + 1, y - ARROW), (x2 - 2 * ARROW + 1, y + ARROW), (x2 - 1, y)]
    return [svg.line(x1, y, x2 - ARROW, y, colour=FAINT, width=1.4), svg.polygon(tip, fill=FAINT)]
