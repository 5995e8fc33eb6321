"""Sacrum, pelvis, thighs, shoulders and arms as bars."""

import numpy as np

from wirbel.phantom.anatomy import Anatomy
from wirbel.phantom.implicit import Frame, Solid, bar, ellipsoid, placed, rod, unchecked
from wirbel.phantom.settings import ArmPose

_UP = np.array([0.0, 0.0, 1.0])
_SIDE = np.array([1.0, 0.0, 0.0])
_MIRROR = np.array([-1.0, 1.0, 1.0])


def sacrum_solids(anatomy: Anatomy) -> list[Solid]:
    """Wings, lower segments and crest of the sacrum, in the world (its first body is drawn apart)."""
    k, h = anatomy.person.scale, anatomy.sacrum_body.half_height_mm
    line = np.array(
        [[0, 2, -h + 2], [0, 8, -h - 22], [0, 12, -h - 44], [0, 8, -h - 64], [0, -4, -h - 80], [0, -20, -h - 92]]
    )
    line = line * np.array([1, k, k])
    radii = [(22.0, 11.0), (18.0, 9.5), (14.0, 8.0), (11.0, 6.5), (7.0, 5.0), (3.5, 3.0)]
    out = rod(line, [(a * k, b * k) for a, b in radii], np.tile(_SIDE, (5, 1)))
    for m in (np.ones(3), _MIRROR):
        for start, end, a, b in (
            ([14, 4, 6], [50, 16, -4], (12, 10), (15, 9)),
            ([18, 6, -16], [48, 18, -22], (9, 9), (13, 9)),
            ([16, 10, -38], [36, 18, -42], (8, 7), (11, 7)),
            ([40, 16, -4], [36, 20, -50], (9, 9), (6, 6)),
            ([20, 26, 8], [19, 30, -52], (6, 5), (4, 4)),
            ([17, 16, 14], [19, 25, 20], (5, 4), (4, 3)),
        ):
            p, q = np.array(start) * m * k, np.array(end) * m * k
            out.append(bar(p, q, (a[0] * k, a[1] * k), (b[0] * k, b[1] * k), _UP))
    crest = np.array([[0, 32, 2], [0, 38, -20], [0, 36, -44], [0, 26, -66]]) * k
    out += rod(crest, [(7 * k, 4 * k), (6 * k, 4 * k), (5 * k, 3 * k), (3 * k, 3 * k)], np.tile(_UP, (3, 1)))
    for m in (np.ones(3), _MIRROR):
        out.append(
            bar(np.array([18, 25, 6]) * m * k, np.array([0, 33, -6]) * k, (7 * k, 2.5 * k), (7 * k, 3 * k), _UP)
        )
        out.append(
            bar(
                np.array([18, 28, -20]) * m * k, np.array([0, 37, -26]) * k, (10 * k, 2.5 * k), (10 * k, 3 * k), _UP
            )
        )
    return [placed(s, anatomy.sacrum) for s in out]


def _hip(anatomy: Anatomy) -> Frame:
    """The pelvis' frame: half of the sacrum's lean beyond the norm is the pelvis turned as a whole."""
    lean = np.arctan2(-anatomy.sacrum.axes[1, 2], anatomy.sacrum.axes[2, 2]) - np.radians(40.0)
    t = -0.8 * lean
    axes = np.array([[1, 0, 0], [0, np.cos(t), np.sin(t)], [0, -np.sin(t), np.cos(t)]])
    return Frame(anatomy.sacrum.origin_lps_mm, axes)


def pelvis_solids(anatomy: Anatomy) -> list[Solid]:
    """Iliac wings, acetabula, ischium and pubis."""
    k = anatomy.person.scale
    wide = 1.05 if anatomy.person.sex == "F" else 0.97
    out: list[Solid] = []
    root = np.array([76.0, 4.0, -72.0])
    crest = np.array(
        [
            [112, -62, -10],
            [121, -46, 14],
            [124, -22, 32],
            [118, 6, 40],
            [100, 30, 36],
            [78, 46, 24],
            [58, 56, 6],
            [52, 54, -14],
        ],
        float,
    )
    for m in (np.ones(3), _MIRROR):
        for i, tip in enumerate(crest):
            neighbour = crest[min(i + 1, len(crest) - 1)] - crest[max(i - 1, 0)]
            thin = 5.0 if i in (0, 6, 7) else 3.2
            out.append(bar(root * m, tip * m, (12.0, 7.5), (14.0, thin), neighbour * m))
        edge = [(6.0, 4.5)] * len(crest)
        out += rod(crest * m, edge, np.tile(_UP, (len(crest) - 1, 1)))
        for start, end, a, b in (
            ([60, 50, -4], [58, 30, -40], (12, 7), (10, 7)),
            ([58, 30, -40], [78, 6, -68], (12, 8), (14, 10)),
            ([80, 4, -70], [92, -22, -72], (13, 9), (10, 8)),
            ([80, 10, -78], [74, 18, -120], (12, 10), (11, 9)),
            ([74, 18, -120], [58, 6, -140], (13, 10), (12, 9)),
            ([78, -22, -84], [40, -56, -92], (10, 9), (8, 7)),
            ([40, -56, -92], [7, -62, -104], (8, 7), (15, 7)),
            ([8, -60, -116], [36, -34, -132], (7, 5), (7, 5)),
            ([36, -34, -132], [58, 2, -142], (7, 5), (9, 7)),
        ):
            out.append(bar(np.array(start, float) * m, np.array(end, float) * m, a, b, _UP))
    frame = _hip(anatomy)
    scaled = Frame(frame.origin_lps_mm, frame.axes)
    return [placed(_scaled(s, k * wide, k), scaled) for s in out]


def femur_solids(anatomy: Anatomy) -> list[Solid]:
    """Heads, necks and shafts of the thigh bones."""
    k = anatomy.person.scale
    wide = 1.05 if anatomy.person.sex == "F" else 0.97
    out: list[Solid] = []
    for m in (np.ones(3), _MIRROR):
        head = np.array([90.0, -2.0, -88.0]) * m
        out.append(ellipsoid(head, (23.5, 23.5, 23.5)))
        neck = np.array([122.0, 6.0, -112.0]) * m
        out.append(bar(head, neck, (16, 13), (18, 15), _UP))
        out.append(
            bar(np.array([132.0, 10.0, -104.0]) * m, np.array([128.0, 6.0, -150.0]) * m, (14, 14), (16, 15), _SIDE)
        )
        out.append(
            bar(np.array([128.0, 6.0, -150.0]) * m, np.array([112.0, 0.0, -420.0]) * m, (16, 15), (14, 14), _SIDE)
        )
    return [placed(_scaled(s, k * wide, k), _hip(anatomy)) for s in out]


@unchecked
def _scaled(s: Solid, wide: float, k: float) -> Solid:
    """Moved apart sideways by `wide` and otherwise by k; its own thickness stays."""
    stretch = np.array([wide, k, k])
    return Solid(Frame(s.frame.origin_lps_mm * stretch, s.frame.axes), s.low, s.high, s.depth)


def shoulder_solids(anatomy: Anatomy, sternum_top: np.ndarray) -> tuple[list[Solid], list[Solid]]:
    """Clavicles with shoulder blades, and the arm bones, up or down."""
    k, girth = anatomy.person.scale, 0.5 + 0.5 * anatomy.person.girth
    t1 = next(v for v in anatomy.vertebrae if v.level.name == "T1").frame.origin_lps_mm
    t3 = next(v for v in anatomy.vertebrae if v.level.name == "T3").frame.origin_lps_mm
    up = anatomy.person.arms is ArmPose.UP
    lift = 28.0 * k if up else 0.0
    girdle: list[Solid] = []
    arms: list[Solid] = []
    for side in (-1, 1):
        joint = np.array([t1[0] + side * (158 if not up else 146) * k * girth, t3[1] - 6, t1[2] - 8 + lift])
        inner = sternum_top + np.array([side * 22 * k, -2.0, 4.0])
        bend = 0.55 * inner + 0.45 * joint + np.array([0, -10 * k, 8])
        girdle += rod(np.stack([inner, bend, joint]), [(7 * k, 6 * k), (5.5 * k, 5 * k), (7 * k, 5 * k)])
        back = t3[1] + 58 * k
        low = np.array(
            [t1[0] + side * (80 if not up else 112) * k * girth, back - (4 if not up else 22), t3[2] - 105 * k]
        )
        medial = np.array([t1[0] + side * (68 if not up else 82) * k * girth, back, t3[2] + 12])
        glenoid = joint + np.array([-side * 18 * k, 12.0, -18 * k])
        plate = np.array([side * 1.0, 0.0, -0.6])
        girdle.append(bar(glenoid, low, (9 * k, 6 * k), (9 * k, 3 * k), plate))
        girdle.append(bar(medial, low, (8 * k, 2.2 * k), (8 * k, 2.6 * k), _SIDE))
        for share in (0.15, 0.4, 0.65):
            girdle.append(bar(glenoid, medial + share * (low - medial), (10 * k, 3 * k), (12 * k, 1.8 * k), _UP))
        girdle.append(
            bar(
                medial + 0.12 * (low - medial), joint + np.array([0, 16, 14.0]), (6 * k, 3 * k), (8 * k, 4 * k), _UP
            )
        )
        arms.append(ellipsoid(joint + np.array([side * 6.0, 4, -14 * k]), (24 * k, 24 * k, 24 * k)))
        far = joint + (np.array([side * 60.0, -40, 260]) if up else np.array([side * 42.0, 20, -290])) * k
        start = joint + np.array([side * 8.0, 4, -16 * k])
        arms.append(bar(start, far, (13 * k, 13 * k), (11 * k, 11 * k)))
    return girdle, arms
