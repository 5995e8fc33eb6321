"""The signs of a vertebra from a crop alone: its mask, and its neighbours as one blob, cut by the crop's border.

What a crop lacks against a whole column: only the vertebrae that touch it serve as references, whatever is wrong
with them; of a cut one pedicles are not read, and what lies beyond the border is not measured.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Num
from scipy import ndimage

from wirbel.finding.signs.compare import Against, Sides, compared
from wirbel.finding.signs.marrow import Core, difference_hu
from wirbel.finding.signs.patch import CLOSE, box_of, patch_of
from wirbel.finding.signs.pedicle import Pedicles
from wirbel.finding.signs.plates import plates_of
from wirbel.finding.signs.record import Signs, SignValues
from wirbel.finding.signs.settings import SignSettings
from wirbel.finding.signs.sketch import Sketch, sketch_of
from wirbel.spine import Numbering, NumberingStatus, Part, Spine
from wirbel.spine.split import split_body_and_posterior
from wirbel.vertebra import Density, Frame, NotMeasured, Reason, VertebraSettings
from wirbel.vertebra.density import density_of
from wirbel.vertebra.frame import column_directions
from wirbel.vertebra.local import Cutout, frame_of
from wirbel.vertebra.surfaces import ROUGH, core, surfaces_of
from wirbel.volume import Grid, LabelMap, Volume, freeze

#: Labels from the head downward.
ABOVE, OWN, BELOW = 1, 2, 3
#: Smoothing of a body's mask as the vertebra's room does it, mm, and the room it needs, voxels.
FIELD_MM, FIELD_ROOM = 0.7, 4
#: Of a neighbour that much of the body's height must be seen, mm.
LEAST_SEEN_MM = 9
#: A body meets the border when it has that many voxels there.
LEAST_AT_BORDER = 20
#: Columns of 4 mm2 that an endplate has at least.
LEAST_COLUMNS = 25
#: Share of the body that an arch has at least to tell where posterior is.
LEAST_ARCH = 0.15
POSTERIOR_LPS = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The crop as a short column: bodies by label, and where each one's parts are."""

    ct: Volume
    spine: Spine
    bodies: dict[int, Cutout]


def signs_in_crop(
    hu: Num[np.ndarray, "z y x"],
    own: Bool[np.ndarray, "z y x"],
    others: Bool[np.ndarray, "z y x"],
    settings: SignSettings,
    vertebra: VertebraSettings,
    *,
    spacing_mm: float = 1.0,
) -> Signs:
    """The signs of the vertebra `own`; axes toward superior, posterior, left; nothing else is known.

    The label in the answer is `OWN`, its references are `ABOVE` and `BELOW`. `NO_BODY` where the mask has no body,
    `TOUCHES_EDGE` where the border cuts it.
    """
    if not own.any():
        return Signs(OWN, SignValues.blank(NotMeasured(Reason.NO_BODY)))
    view = _view(hu, own, others, spacing_mm)
    if OWN not in view.bodies:
        return Signs(OWN, SignValues.blank(NotMeasured(Reason.NO_BODY)))
    if _is_cut(view.bodies[OWN], view.spine.grid):
        return Signs(OWN, SignValues.blank(NotMeasured(Reason.TOUCHES_EDGE)))
    labels = sorted(view.bodies)
    ups = column_directions(np.array([view.bodies[label].centre_lps_mm for label in labels]))
    up = dict(zip(labels, ups, strict=True))
    frame = _frame(view.bodies[OWN], _start(view.bodies[OWN], up[OWN]), (True, True), rounds=3)
    if frame is None:
        return Signs(OWN, SignValues.blank(NotMeasured(Reason.MASK_POOR, "no two endplates")))
    sketch = sketch_of(view.ct, patch_of(view.ct, view.spine, view.bodies[OWN], frame, float(OWN)), settings)
    if sketch.foreign is not None:
        return Signs(OWN, SignValues.blank(sketch.foreign))
    beside = {
        label: _neighbour(view, label, frame, settings) for label in (ABOVE, BELOW) if label in view.bodies
    }
    sides = Sides(*(tuple(one for one in (beside.get(label),) if one is not None) for label in (ABOVE, BELOW)))
    density = density_of(_tight(view.bodies[OWN]), frame, view.ct, vertebra.density)
    own_hu = density.median_hu if isinstance(density, Density) else density
    cores = [one.core.median_hu for one in (*sides.above, *sides.below) if isinstance(one.core, Core)]
    apart = own_hu if isinstance(own_hu, NotMeasured) else difference_hu(own_hu, cores)
    references = tuple(label for label in (ABOVE, BELOW) if beside.get(label) is not None)
    plates = plates_of(view.ct, view.spine, sketch.patch, settings.plate)
    return compared(Against(view.ct, settings, sketch, sides, plates), (own_hu, apart), spacing_mm, references)


def _view(
    hu: Num[np.ndarray, "z y x"],
    own: Bool[np.ndarray, "z y x"],
    others: Bool[np.ndarray, "z y x"],
    spacing_mm: float,
) -> _View:
    shape = (int(own.shape[0]), int(own.shape[1]), int(own.shape[2]))
    grid = Grid.axis_aligned(shape, (spacing_mm, spacing_mm, spacing_mm))
    instances = np.zeros(shape, dtype=np.uint8)
    above = _above(own, others)
    instances[others & above] = ABOVE
    instances[others & ~above] = BELOW
    instances[own] = OWN
    labels = LabelMap(grid, freeze(instances))
    split = split_body_and_posterior(labels)
    nobody = Numbering(NumberingStatus.GIVEN, None, None, None)
    spine = Spine((), labels, split.parts, nobody, "crop")
    found = ((label, _cutout(spine, label)) for label in (ABOVE, OWN, BELOW) if label in split.centres_lps_mm)
    bodies = {label: cutout for label, cutout in found if cutout is not None}
    return _View(Volume(grid, freeze(np.asarray(hu))), spine, bodies)


def _above(own: Bool[np.ndarray, "z y x"], others: Bool[np.ndarray, "z y x"]) -> Bool[np.ndarray, "z y x"]:
    """Which of the blob belongs above: whole pieces by where their front half lies; what spans both is cut."""
    middle = np.argwhere(own).mean(axis=0)
    height = np.arange(own.shape[0])[:, None, None] - middle[0]
    plain = np.broadcast_to(height > 0, own.shape)
    pieces, count = ndimage.label(others)
    out = plain.copy()
    for number, box in enumerate(ndimage.find_objects(pieces), start=1):
        if count < 2 or box is None:
            break
        piece = pieces[box] == number
        front = piece & (np.arange(box[1].start, box[1].stop) < middle[1])[None, :, None]
        seen = front if front.any() else piece
        share = float(plain[box][seen].mean())
        if share < 0.15 or share > 0.85:
            out[box][piece] = share > 0.5
    return out


def _cutout(spine: Spine, label: int) -> Cutout | None:
    """Body and arch of a label; the body's field is smoothed in its own window."""
    mine = spine.instances.labels == label
    window = box_of(mine, FIELD_ROOM)
    parts, own = spine.parts.labels[window], mine[window]
    body = own & (parts == Part.BODY)
    pieces, count = ndimage.label(body)
    if count == 0:
        return None
    if count > 1:
        body = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    inner = box_of(body, FIELD_ROOM)
    field = np.zeros(body.shape, dtype=np.float32)
    sigma = FIELD_MM * min(1.0, 1.5 / spine.grid.spacing_mm[0])
    field[inner] = ndimage.gaussian_filter(body[inner].astype(np.float32), sigma, mode="nearest")
    low, high = (tuple(getattr(s, end) for s in window) for end in ("start", "stop"))
    grid = spine.grid.cropped((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    others = (spine.instances.labels[window] != 0) & ~own
    return Cutout(label, grid, body, own & (parts == Part.POSTERIOR), others, field)


def _tight(cutout: Cutout) -> Cutout:
    """The same body with no more around it than it needs."""
    window = box_of(cutout.body, 2)
    low, high = (tuple(getattr(s, end) for s in window) for end in ("start", "stop"))
    grid = cutout.grid.cropped((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    arrays = (cutout.body, cutout.posterior, cutout.others, cutout.field)
    body, posterior, others, field = (array[window] for array in arrays)
    return Cutout(cutout.label, grid, body, posterior, others, field)


def _is_cut(cutout: Cutout, grid: Grid) -> bool:
    """Whether the body meets the crop's upper or lower border."""
    at = np.rint(grid.to_voxel(cutout.surface_lps_mm))
    return int(((at[:, 0] <= 0) | (at[:, 0] >= grid.shape[0] - 1)).sum()) >= LEAST_AT_BORDER


def _neighbour(view: _View, label: int, own: Frame, settings: SignSettings) -> Sketch | None:
    """The readings of what is seen of a neighbour; None where that is too little."""
    cutout = view.bodies[label]
    cut = _is_cut(cutout, view.spine.grid)
    start = frame_of(cutout.centre_lps_mm, own.superior, own.anterior)
    frame = _frame(cutout, start, (not cut or label == BELOW, not cut or label == ABOVE), rounds=2)
    if frame is None:
        return None
    patch = patch_of(view.ct, view.spine, cutout, frame, float(label), CLOSE)
    if np.count_nonzero(patch.body.any(axis=(1, 2))) < LEAST_SEEN_MM:
        return None
    sketch = sketch_of(view.ct, patch, settings)
    if sketch.foreign is not None:
        return None
    if cut and isinstance(sketch.pedicles, Pedicles):
        # its height is not known, and so not where its pedicles lie
        return replace(sketch, pedicles=replace(sketch.pedicles, imaged=False))
    return sketch


def _start(cutout: Cutout, up: Float64[np.ndarray, "3"]) -> Frame:
    """A frame up along the column, its posterior toward the arch."""
    behind = POSTERIOR_LPS
    if cutout.posterior.sum() > LEAST_ARCH * cutout.body.sum():
        behind = cutout.posterior_centre_lps_mm - cutout.centre_lps_mm
    return frame_of(cutout.centre_lps_mm, up, -behind)


def _frame(cutout: Cutout, start: Frame, ends: tuple[bool, bool], rounds: int) -> Frame | None:
    """The body's axes by its endplates (`ends`: the upper, the lower one is seen), at the middle of what is seen.

    On the vertebra's room's rough raster: a degree is enough here. None where there are no endplates.
    """
    tight, frame = _tight(cutout), start
    for _ in range(rounds):
        surfaces = surfaces_of(tight, frame, ROUGH)
        inside = surfaces.inside
        if inside.sum() < LEAST_COLUMNS:
            return None
        where = core(surfaces)
        u, v = np.meshgrid(surfaces.left_mm, surfaces.anterior_mm, indexing="ij")
        superior = np.zeros(3)
        for height, seen in zip((surfaces.upper_mm, surfaces.lower_mm), ends, strict=True):
            if seen:
                aside_up, front_up = _slopes(u[where], v[where], height[where])
                normal = frame.superior - aside_up * frame.left - front_up * frame.anterior
                superior += normal / np.linalg.norm(normal)
        at = 0.5 * float((surfaces.upper_mm + surfaces.lower_mm)[inside].mean())
        aside, front = (0.5 * (float(a[inside].min()) + float(a[inside].max())) for a in (u, v))
        origin = frame.origin_lps_mm + aside * frame.left + front * frame.anterior + at * frame.superior
        frame = frame_of(origin, superior, start.anterior)
    return frame


def _slopes(
    left_mm: Float64[np.ndarray, "n"], anterior_mm: Float64[np.ndarray, "n"], height_mm: Float64[np.ndarray, "n"]
) -> tuple[float, float]:
    """Rise to the left and to the front of a plane through an endplate; pits and spurs weigh little."""
    design = np.stack([left_mm, anterior_mm, np.ones(len(left_mm))])
    weight = np.ones(len(left_mm))
    answer = np.zeros(3)
    for _ in range(4):
        answer = np.linalg.solve((design * weight) @ design.T + 1e-9 * np.eye(3), (design * weight) @ height_mm)
        off = np.abs(height_mm - answer @ design)
        scale = max(1.4826 * float(np.median(off)), 0.3)
        weight = np.clip(1.0 - (off / (4.685 * scale)) ** 2, 0.0, 1.0) ** 2
    return float(answer[0]), float(answer[1])
