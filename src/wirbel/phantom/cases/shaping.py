"""What signs do to a vertebra's form before it is drawn: a bowed wall, Paget's width, a fragment in the canal."""

from dataclasses import replace

import numpy as np

from wirbel.phantom.anatomy import VertebraShape
from wirbel.phantom.body import Body, surface
from wirbel.phantom.canvas import Canvas
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.implicit import box_of, coordinates, unchecked
from wirbel.phantom.rasterise import PhantomLabels
from wirbel.phantom.tissue import Tissue
from wirbel.spine import Part


def with_form(v: VertebraShape, plan: Plan) -> VertebraShape:
    """The vertebra with the plan's posterior wall, and wider where Paget's disease has made it so."""
    b = v.body
    body = replace(b, bow=plan.bow_mm, waist_back=b.waist_back * 0.5, back=b.back - 0.3 * plan.bow_mm)
    if plan.paget > 0:
        grown = 1 + 0.12 * plan.paget
        body = replace(
            body,
            depth_mm=body.depth_mm * grown,
            width_superior_mm=body.width_superior_mm * grown,
            width_middle_mm=body.width_middle_mm * (grown + 0.04),
            width_inferior_mm=body.width_inferior_mm * grown,
            waist_front=0.01,
        )
    return replace(v, body=body)


def convexity_mm(body: Body) -> float:
    """How far the posterior wall's middle stands behind the line between its upper and lower rim, midline."""
    return float(body.bow + 0.5 * body.bulge - 0.5 * body.depth_mm * body.waist_back)


def add_fragment(labels: PhantomLabels, v: VertebraShape, plan: Plan) -> np.ndarray:
    """The upper posterior corner pushed into the canal, as a wedge of bone; the voxels that it added.

    `labels` are drawn on in place. The tip lies `fragment_mm` behind the wall; the lower face meets the wall at
    `fragment_deg`.
    """
    added = np.zeros(labels.grid.shape, bool)
    if plan.fragment_mm <= 0:
        return added
    b = v.body
    wall = 0.5 * b.depth_mm + 0.25 * b.bulge
    top = float(surface(b.upper, b, np.zeros(1, np.float32), np.full(1, wall, np.float32))[0])
    # the wedge's edge is broken off: it would reach further by a half
    edge = 1.5 * plan.fragment_mm
    run = edge / np.tan(np.radians(plan.fragment_deg))
    tip = top - min(0.35 * plan.fragment_mm + 0.8, 0.4 * b.half_height_mm)
    half_width = float(np.clip(0.3 * v.size.canal_width_mm, 4.0, 9.0))
    reach_low = np.array([-half_width - 1, wall - 7.0, tip - run - 3.0])
    reach_high = np.array([half_width + 1, wall + plan.fragment_mm + 1, top + 2.0])
    box = box_of(labels.grid, v.frame, reach_low, reach_high, margin_mm=1.5)
    if box is None:
        return added
    depth = _wedge(coordinates(labels.grid, box, v.frame), wall, top, tip, edge, run, half_width)
    canvas = Canvas(labels.grid, labels.tissue, labels.instances, labels.parts, labels.depth, labels.extra)
    was_bone = labels.depth[box] > 0
    canvas.put(box, depth, Tissue.VERTEBRA_TRABECULAR, int(Part.BODY), v.instance)
    added[box] = (labels.depth[box] > 0) & ~was_bone
    return added


@unchecked
def _wedge(
    at: tuple[np.ndarray, np.ndarray, np.ndarray],
    wall: float,
    top: float,
    tip: float,
    reach: float,
    run: float,
    half_width: float,
) -> np.ndarray:
    """Depth below the faces of the wedge: upper face to the tip, lower face back to the wall, both sides."""
    x, y, z = at
    upper = np.array([top - tip, reach]) / np.hypot(top - tip, reach)
    lower = np.array([run, reach]) / np.hypot(run, reach)
    from_tip_y, from_tip_z = y - np.float32(wall + reach), z - np.float32(tip)
    over = -(np.float32(upper[0]) * from_tip_y + np.float32(upper[1]) * from_tip_z)
    under = -(np.float32(lower[0]) * from_tip_y - np.float32(lower[1]) * from_tip_z)
    side = np.float32(half_width) - np.abs(x) - np.float32(0.35) * np.clip(y - np.float32(wall), 0, None)
    ends = np.minimum(y - np.float32(wall - 6.0), np.float32(wall + reach / 1.5) - y)
    return np.minimum(np.minimum(over, under), np.minimum(side, ends)).astype(np.float32)
