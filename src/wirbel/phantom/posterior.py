"""Pedicles, laminae and processes as bars in the vertebra's own frame (x left, y posterior, z superior)."""

import numpy as np

from wirbel.phantom.anatomy import VertebraShape
from wirbel.phantom.implicit import Solid, bar, unchecked
from wirbel.spine import Level

_UP = np.array([0.0, 0.0, 1.0])
_SIDE = np.array([1.0, 0.0, 0.0])


def posterior_elements(v: VertebraShape) -> list[Solid]:
    """The bars of one vertebra's posterior elements, in its own frame."""
    if v.level is Level.C1:
        return _atlas(v)
    if v.level.region == "C":
        return _cervical(v)
    return _thoracolumbar(v)


@unchecked
def _both(solids: list[Solid], start: np.ndarray, end: np.ndarray, *shape: object) -> None:
    mirror = np.array([-1.0, 1.0, 1.0])
    solids.append(bar(start, end, *shape))  # type: ignore[arg-type]  # radii and flat as bar takes them
    solids.append(bar(start * mirror, end * mirror, *shape))  # type: ignore[arg-type]  # same


def _thoracolumbar(v: VertebraShape) -> list[Solid]:
    s, h = v.size, v.body.half_height_mm
    lumbar = _lumbar_share(v.level)
    yb = 0.5 * s.depth_mm
    cd, half_canal = s.canal_depth_mm, 0.5 * s.canal_width_mm
    pw, ph = 0.5 * s.pedicle_width_mm, 0.5 * s.pedicle_height_mm
    k = v.scale
    zp = h - ph - (0.5 + 1.5 * lumbar) * k
    px = half_canal + pw
    out: list[Solid] = []

    def mix(thoracic: float, lumbar_value: float) -> float:
        return (thoracic + (lumbar_value - thoracic) * lumbar) * k

    yf = yb + 0.62 * cd
    _both(out, np.array([px - 1.0, yb - 8.0 * k, zp]), np.array([px, yf, zp]), (pw, ph), (pw, ph), _SIDE)
    # superior and inferior articular processes: coronal facets in the chest, sagittal in the loin
    reach = h + 0.5 * s.disc_mm + mix(3.0, 5.0)
    sup = np.array([half_canal + mix(3.5, 6.5), yb + cd * 0.62 + mix(1.0, 1.5), reach])
    _both(out, np.array([px, yf, zp]), sup, (mix(4.5, 3.4), mix(3.0, 4.6)), (mix(4.5, 2.7), mix(1.8, 4.5)), _SIDE)
    low = np.array([half_canal + mix(2.5, -2.5), yb + cd + mix(2.5, 0.5), -h - 0.5 * s.disc_mm - mix(4.0, 5.0)])
    pars = np.array([half_canal + mix(2.5, 2.5), yb + cd * 0.9, zp - ph - mix(1.0, 3.0)])
    _both(out, np.array([px, yf, zp]), pars, (mix(4.0, 4.2), 3.4 * k), (mix(4.2, 4.4), 3.0 * k), _SIDE)
    _both(out, pars, low, (mix(4.2, 4.4), 3.0 * k), (mix(4.0, 3.0), mix(1.8, 4.0)), _SIDE)
    # laminae meet at the root of the spinous process
    root = np.array([0.0, yb + cd + mix(2.5, 3.0), -h * (0.25 + 0.2 * lumbar)])
    _both(
        out,
        np.array([half_canal + 1.0 * k, yb + cd * 0.85, -h * 0.15]),
        root,
        (mix(8.5, 8.5), mix(3.0, 3.3)),
        (mix(9.0, 8.5), mix(3.2, 3.6)),
        _UP,
    )
    droop = np.radians(np.clip(s.spinous_deg, -5, 70))
    tip = root + (0.88 - 0.12 * lumbar) * s.spinous_mm * np.array([0.0, np.cos(droop), -np.sin(droop)])
    upright = np.array([0.0, np.sin(droop), np.cos(droop)])
    out.append(bar(root, tip, (mix(7.0, 8.5), mix(3.6, 3.6)), (mix(4.8, 10.0), mix(3.6, 4.6)), upright))
    # transverse processes
    if lumbar < 0.5:
        back = np.interp(v.level.rank, [8, 12, 17, 20], [6.0, 12.0, 14.0, 8.0]) * k
        tip = np.array([s.transverse_mm, yf + back, zp + np.interp(v.level.rank, [8, 13, 18], [3, 1, -1]) * k])
        thick = np.interp(v.level.rank, [8, 16, 19], [5.0, 5.2, 4.0]) * k
        _both(out, np.array([px, yf, zp]), tip, (thick, thick), (thick, thick), _SIDE)
    else:
        wide = {Level.L5: 1.5, Level.L6: 1.5}.get(v.level, 1.0) * (2.4 if v.sacralised else 1.0)
        tip = np.array([s.transverse_mm, yf + (1.0 if wide == 1.0 else -4.0) * k, zp + 1.0 * k])
        start = np.array([px, yb + 0.3 * cd, zp - 1.0])
        _both(out, start, tip, (5.0 * k * wide, 3.2 * k * wide), (4.0 * k * wide, 2.2 * k * wide), _UP)
    return out


def _lumbar_share(level: Level) -> float:
    """0 for chest, 1 for loin; the change of facets lies at T11-T12."""
    return float(np.interp(level.rank, [17.5, 19.5], [0.0, 1.0]))


def _cervical(v: VertebraShape) -> list[Solid]:
    s, h, k = v.size, v.body.half_height_mm, v.scale
    yb, cd, half_canal = 0.5 * s.depth_mm, s.canal_depth_mm, 0.5 * s.canal_width_mm
    out: list[Solid] = []
    mass = half_canal + 5.5 * k
    zm = 0.0 if v.level is not Level.C2 else 0.3 * h
    # articular pillars, slanting, and the pedicles that carry them
    up, down = np.array([mass, yb + 5.0, zm + h + 1.0]), np.array([mass, yb + 9.5, -h - 1.5])
    _both(out, up, down, (5.5 * k, 4.2 * k), (5.5 * k, 4.0 * k), _SIDE)
    _both(
        out,
        np.array([mass - 7 * k, yb - 3, zm]),
        np.array([mass, yb + 6, zm]),
        (2.8 * k, 3.6 * k),
        (3.0 * k, 3.6 * k),
        _SIDE,
    )
    # transverse process: two bars round the foramen
    tip = np.array([s.transverse_mm, yb + (1.0 if v.level is not Level.C7 else 7.0), -0.15 * h])
    half = 0.5 * s.width_middle_mm
    _both(out, np.array([half - 1, yb - 9 * k, -0.1 * h]), tip, (2.2 * k, 2.0 * k), (2.2 * k, 2.4 * k), _UP)
    _both(out, np.array([mass, yb + 4, 0.0]), tip, (2.4 * k, 2.2 * k), (2.2 * k, 2.4 * k), _UP)
    root = np.array([0.0, yb + cd + 2.0, -0.3 * h])
    lamina = np.array([mass - 2 * k, yb + 9.0, -0.1 * h])
    _both(out, lamina, root, (5.2 * k, 2.0 * k), (5.2 * k, 2.2 * k), _UP)
    droop = np.radians(s.spinous_deg)
    tip = root + s.spinous_mm * np.array([0.0, np.cos(droop), -np.sin(droop)])
    if v.level is Level.C7:
        out.append(bar(root, tip, (5.0 * k, 3.2 * k), (4.5 * k, 4.0 * k), _UP))
    else:
        big = 1.35 if v.level is Level.C2 else 1.0
        fork = root + 0.6 * (tip - root)
        out.append(bar(root, fork, (4.5 * k * big, 3.2 * k * big), (4.0 * k * big, 3.6 * k * big), _UP))
        _both(out, fork, tip + np.array([4.0 * k, 0, -1]), (3.0 * big * k, 2.4 * k), (2.4 * big * k, 2.2 * k), _UP)
    if v.level is Level.C2:
        dens = np.array([0.0, -0.5, h + 17.0 * k])
        out.append(bar(np.array([0.0, 0.0, h - 3.0]), dens, (5.2 * k, 5.4 * k), (4.6 * k, 4.8 * k), _SIDE))
        _both(
            out,
            np.array([7 * k, 1, h - 2]),
            np.array([14 * k, 2, h - 1]),
            (6.0 * k, 3.6 * k),
            (5.0 * k, 3.0 * k),
            np.array([0.0, 1.0, 0.0]),
        )
    else:
        ridge = 0.5 * s.width_superior_mm
        _both(
            out,
            np.array([ridge - 1, -0.2 * yb, h - 0.5]),
            np.array([ridge - 1, 0.7 * yb, h + 1.5]),
            (2.0 * k, 2.6 * k),
            (2.0 * k, 2.4 * k),
            _SIDE,
        )
    return out


def _atlas(v: VertebraShape) -> list[Solid]:
    k = v.scale
    out: list[Solid] = []
    front, half, back = -9.5 * k, 21.0 * k, 34.0 * k
    out.append(
        bar(np.array([-7 * k, front, 0]), np.array([7 * k, front, 0]), (5.0 * k, 3.0 * k), (5.0 * k, 3.0 * k), _UP)
    )
    _both(
        out, np.array([6 * k, front, 0]), np.array([half - 2, 0.0, 0]), (4.5 * k, 2.8 * k), (5.5 * k, 3.5 * k), _UP
    )
    _both(
        out,
        np.array([half - 1, -3.0, 1]),
        np.array([half - 1, 9.0 * k, -1]),
        (6.5 * k, 7.0 * k),
        (6.0 * k, 7.0 * k),
        _SIDE,
    )
    _both(
        out,
        np.array([half, 3.0, 0]),
        np.array([38.0 * k, 5.0 * k, -2]),
        (4.0 * k, 3.2 * k),
        (4.0 * k, 3.2 * k),
        _UP,
    )
    previous = np.array([half, 8.0 * k, 0])
    for angle in (30.0, 60.0, 90.0):
        a = np.radians(angle)
        point = np.array([half * np.cos(a), 8.0 * k + (back - 8.0 * k) * np.sin(a), -1.0])
        _both(out, previous, point, (3.6 * k, 2.6 * k), (3.6 * k, 2.6 * k), _UP)
        previous = point
    return out
