"""One vertebra drawn as a whole: its parts joined with fillets, apart from its neighbours by a joint's gap."""

import numpy as np

from wirbel.phantom.canvas import EXTRA_UNIT_HU, Canvas, joined
from wirbel.phantom.density import extra_hu
from wirbel.phantom.implicit import Box, Solid, box_of, coordinates, unchecked
from wirbel.phantom.skeleton import VertebraSolids
from wirbel.phantom.tissue import Tissue
from wirbel.spine import Part

#: Space left between the articular processes of neighbours.
JOINT_MM = 1.0
FAR = -20.0


def draw_vertebra(canvas: Canvas, vertebra: VertebraSolids, *, fused_above: bool = False) -> None:
    """A vertebra joins the canvas; where body and arch overlap it is body. Fused ones keep no joint's gap."""
    boxes = [_box(canvas, s) for s in (*vertebra.body, *vertebra.posterior)]
    touched = [b for b in boxes if b is not None]
    if not touched:
        return
    whole: Box = (
        slice(min(b[0].start for b in touched), max(b[0].stop for b in touched)),
        slice(min(b[1].start for b in touched), max(b[1].stop for b in touched)),
        slice(min(b[2].start for b in touched), max(b[2].stop for b in touched)),
    )
    shape = tuple(s.stop - s.start for s in whole)
    body, arch = np.full(shape, FAR, np.float32), np.full(shape, FAR, np.float32)
    fillet = (1.4 if vertebra.shape.level.region == "C" else 2.4) * vertebra.shape.scale
    for solid in vertebra.body:
        _join(canvas, solid, whole, body, 1.0)
    for solid in vertebra.posterior:
        _join(canvas, solid, whole, arch, fillet)
    part = np.where(body > 0, np.uint8(Part.BODY), np.uint8(Part.POSTERIOR))
    depth = joined(body, arch, fillet)
    _density(canvas, vertebra, whole, body)
    bone = np.where(body > 0, np.uint8(Tissue.VERTEBRA_TRABECULAR), np.uint8(Tissue.ARCH_TRABECULAR))
    gap_mm = None if fused_above else JOINT_MM
    canvas.put(whole, depth, bone, part, vertebra.instance, gap_mm=gap_mm)


def _density(canvas: Canvas, vertebra: VertebraSolids, whole: Box, body: np.ndarray) -> None:
    """The body's own density, only where the body is."""
    x, y, z = coordinates(canvas.grid, whole, vertebra.shape.frame)
    hu = np.where(body > 0, extra_hu(vertebra.shape, x, y, z), np.float32(0))
    own = np.clip(np.rint(hu / EXTRA_UNIT_HU), -127, 127).astype(np.int8)
    view = canvas.extra[whole]
    np.copyto(view, own, where=own != 0)


def _box(canvas: Canvas, solid: Solid) -> Box | None:
    return box_of(canvas.grid, solid.frame, solid.low, solid.high, margin_mm=1.5 * max(canvas.grid.spacing_mm))


@unchecked
def _join(canvas: Canvas, solid: Solid, whole: Box, into: np.ndarray, fillet_mm: float) -> None:
    box = _box(canvas, solid)
    if box is None:
        return
    depth = solid.depth(*coordinates(canvas.grid, box, solid.frame))
    inner = tuple(slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, whole, strict=True))
    into[inner] = joined(into[inner], depth, fillet_mm)
