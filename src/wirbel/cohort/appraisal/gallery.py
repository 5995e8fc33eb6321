"""Single cases to look at, as the study's figures 4 to 7 show some: right, wrong and undecided ones."""

import io
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from wirbel.cohort.appraisal.cases import Arm, Case
from wirbel.cohort.appraisal.model import Model, Rule
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Picture, Section
from wirbel.cohort.crops import CropFolder
from wirbel.evaluation import Tier
from wirbel.evaluation.pages import RESEARCH_ONLY

#: Window of the slices in HU, cases a row, and the edge of what is shown (the study's crops have 64 mm).
WINDOW_HU, IN_A_ROW, SHOWN_MM = (-200.0, 700.0), 4, 72.0
WORDS = {int(Tier.BENIGN): "osteoporotic", int(Tier.UNCERTAIN): "uncertain", int(Tier.MALIGNANT): "malignant"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """A case with what was said of it."""

    case: Case
    said: str
    p: float


def gallery_section(
    crops: CropFolder, arm: Arm, model: Model, settings: AppraisalSettings, *, simulated: bool
) -> Section:
    """Pictures by answer and truth; each kind's cases stand at even steps of its sorted scores."""
    rule = Rule.CERTIFIED if model.fractured is not None else Rule.AUTHORS
    answers = model.answers(arm, rule, settings)
    if answers is None:
        return Section("Single cases", ("No three answers were given.",))
    p = model.probability(arm)
    p = model.raw(arm) if p is None else p
    truth, tier = arm.malignant, answers.tier
    pictures, sentences = [], []
    for name, title, kinds in (
        ("right", "Right answers", ((True, Tier.MALIGNANT), (False, Tier.BENIGN))),
        ("wrong", "Wrong answers", ((True, Tier.BENIGN), (False, Tier.MALIGNANT))),
        ("undecided", "Undecided", ((True, Tier.UNCERTAIN), (False, Tier.UNCERTAIN))),
    ):
        rows, counts = [], []
        for malignant, said in kinds:
            where = np.flatnonzero((truth == malignant) & (tier == int(said)))
            word = "malignant" if malignant else "osteoporotic"
            counts.append(f"{where.size} {word}")
            some = where[np.argsort(p[where], kind="stable")]
            picked = some[np.unique(np.linspace(0, some.size - 1, min(IN_A_ROW, some.size)).round().astype(int))]
            rows.append([_Shown(arm.cases[i], WORDS[int(tier[i])], float(p[i])) for i in picked])
        sentences.append(f"{title}: {' and '.join(counts)} of {len(arm.cases)}.")
        if any(rows):
            caption = (
                f"{title} of {model.name} on {arm.name} ({rule.value}): upper rows malignant, lower rows "
                "osteoporotic in truth; mid-sagittal (anterior left) and axial slice through the body's centre, "
                "the vertebra's mask outlined, at even steps of the sorted probability"
            )
            data = _drawn(crops, rows, simulated=simulated)
            pictures.append(Picture(f"gallery_{name}.png", caption, data))
    return Section("Single cases", tuple(sentences), pictures=tuple(pictures))


def _drawn(crops: CropFolder, rows: list[list[_Shown]], *, simulated: bool) -> bytes:
    filled = [row for row in rows if row]
    figure = Figure(figsize=(2.0 * IN_A_ROW, 4.3 * len(filled) + 0.25), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    note = f"SIMULATED. {RESEARCH_ONLY}" if simulated else RESEARCH_ONLY
    figure.suptitle(note, fontsize=8, color="#a00000", x=0.995, ha="right")
    axes = figure.subplots(2 * len(filled), IN_A_ROW, squeeze=False)
    for ax in axes.ravel():
        ax.set_axis_off()
    for i, row in enumerate(filled):
        for k, shown in enumerate(row):
            _slices(crops, shown, axes[2 * i, k], axes[2 * i + 1, k])
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=80, metadata={"Software": None})
    return _small(out.getvalue())


def _small(png: bytes) -> bytes:
    """The same picture in 64 colours: a third of the bytes."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(64).save(out, format="PNG", optimize=True)
    return out.getvalue()


def _slices(crops: CropFolder, shown: _Shown, above: Axes, below: Axes) -> None:
    row = shown.case.row
    hu, own = crops.hu[row], (crops.mask[row] & 1).astype(bool)
    z, y, x = (n // 2 for n in hu.shape)
    half = int(min(SHOWN_MM / crops.settings.spacing_mm, *hu.shape) // 2)
    box = [slice(max(c - half, 0), c + half) for c in (z, y, x)]
    word = "malignant" if shown.case.is_malignant else "osteoporotic"
    for ax, image, outline in (
        (above, hu[box[0], box[1], x][::-1], own[box[0], box[1], x][::-1]),
        (below, hu[z, box[1], box[2]], own[z, box[1], box[2]]),
    ):
        ax.imshow(image, cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1], interpolation="bilinear")
        if outline.any() and not outline.all():
            ax.contour(outline.astype(float), levels=[0.5], colors=["#e69f00"], linewidths=0.6)
    above.set_title(
        f"row {row}, {shown.case.vertebra}: {word}\n→ {shown.said}, p {shown.p:.2f}", fontsize=7.5, loc="left"
    )
