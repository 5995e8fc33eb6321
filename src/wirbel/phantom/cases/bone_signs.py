"""Destruction, sclerosis, fracture lines and gas, painted on a vertebra; each returns what it painted."""

import numpy as np

from wirbel.phantom.body import surface
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.scene import Mark, Scene, azimuth_to, fade, level_for, place_of
from wirbel.phantom.implicit import unchecked

#: A wall's voxels count as cortex down to this depth.
SHELL_MM = 1.6


@unchecked
def spongiosa(scene: Scene) -> np.ndarray:
    """Voxels of the body inside its shell."""
    return scene.body & (scene.bone > 1.0) & (scene.plates > 1.0)


@unchecked
def lytic(scene: Scene, plan: Plan, inside: np.ndarray) -> np.ndarray:
    """Spongiosa replaced by soft tissue, with a geographic or permeative margin."""
    if plan.lytic <= 0:
        return np.zeros_like(inside)
    field = _ball(scene, plan, plan.lesion_azimuth_deg)
    if plan.lesion_edge_mm > 1.4:
        field = field + np.float32(2.5 * (plan.lesion_edge_mm - 1.0)) * scene.noise(2.2)
    alpha = fade(level_for(field, inside, plan.lytic) - field, plan.lesion_edge_mm)
    alpha = alpha * np.clip((scene.bone - 0.5) / 0.8, 0, 1) * scene.body
    return scene.blend(np.float32(0.94) * alpha, _soft(scene), Mark.LYTIC) & inside


@unchecked
def sclerotic(scene: Scene, plan: Plan, inside: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Spongiosa made dense, beside what is destroyed."""
    if plan.sclerotic <= 0:
        return np.zeros_like(inside)
    azimuth = plan.lesion_azimuth_deg + (130.0 if plan.lytic > 0 else 0.0)
    field = _ball(scene, plan, (azimuth + 180.0) % 360.0 - 180.0) + np.float32(40.0) * gone
    share = min(plan.sclerotic, 0.98 * (1.0 - gone.sum() / max(int(inside.sum()), 1)))
    alpha = fade(level_for(field, inside, share) - field, plan.lesion_edge_mm + 0.4) * scene.body
    alpha = alpha * np.clip(scene.bone / 0.8, 0, 1)
    value = np.float32(plan.sclerosis_hu) * (1 + np.float32(0.13) * scene.noise(2.5))
    return scene.blend(alpha, np.maximum(value, scene.hu), Mark.SCLEROTIC) & inside


@unchecked
def cortex(scene: Scene, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Walls destroyed over a patch; the shell's voxels, and which of them are gone."""
    shell = scene.body & (scene.wall > 0) & (scene.wall < SHELL_MM) & (scene.plates > 1.5)
    if plan.cortex_destroyed <= 0 or not shell.any():
        return shell, np.zeros_like(shell)
    b = scene.vertebra.body
    radius = np.float32(0.25 * (b.width_middle_mm + b.depth_mm))
    z0 = np.float32(0.75 * np.clip(plan.lesion_height, -0.7, 0.7) * b.half_height_mm)
    field = np.hypot(radius * azimuth_to(scene, plan.lesion_azimuth_deg), scene.z - z0) + 1.6 * scene.noise(4.0)
    edge = level_for(field, shell, plan.cortex_destroyed)
    near = fade(scene.wall + 1.1, 0.6) * fade(2.5 - scene.wall, 0.9) * fade(scene.plates - 0.4, 0.6)
    alpha = fade(edge - field, 0.9) * near * ~scene.arch
    gone = scene.blend(alpha.astype(np.float32), _soft(scene), Mark.CORTEX)
    return shell, gone & shell


@unchecked
def eroded_plate(scene: Scene, plan: Plan) -> None:
    """The endplate toward an inflamed disc gone in patches."""
    if plan.discitis <= 0:
        return
    b, side = scene.vertebra.body, np.float32(np.sign(plan.lesion_height))
    depth = surface(b.upper if side > 0 else b.lower, b, scene.x, scene.y) - side * scene.z
    deep = np.float32(1.5 + 3.0 * plan.discitis) * (1 + 0.5 * scene.noise(5.0))
    near = fade(deep - depth, 1.0) * fade(depth + 2.0, 1.0)
    patchy = fade(scene.noise(4.5) + np.float32(1.6 * plan.discitis - 0.6), 0.5) * fade(scene.wall + 0.5, 0.8)
    alpha = near * patchy * (scene.body | (scene.bone < 0))
    scene.blend(alpha.astype(np.float32), _soft(scene), Mark.LYTIC)


@unchecked
def pedicles(scene: Scene, plan: Plan) -> tuple[float, float]:
    """Pedicles replaced by soft tissue or sclerosis; the share of each that is gone, right and left."""
    right, left = plan.pedicles_destroyed
    return _pedicle(scene, plan, -1, right), _pedicle(scene, plan, 1, left)


@unchecked
def _pedicle(scene: Scene, plan: Plan, side: int, share: float) -> float:
    s, half = scene.vertebra.size, 0.5 * scene.vertebra.body.depth_mm
    x = side * scene.x - 0.5 * s.canal_width_mm
    behind = scene.y - half
    here = (x > -2.0) & (x < s.pedicle_width_mm + 3.0) & (behind > -3.0) & (behind < 0.62 * s.canal_depth_mm + 3.0)
    solid = here & scene.arch & (scene.bone > 0)
    if share <= 0 or not solid.any():
        return 0.0
    field = behind + 1.5 * scene.noise(4.0)
    rough = np.float32(1.3) * scene.noise(4.0)
    soft = fade(x + 2.0 + rough, 1.0) * fade(np.float32(s.pedicle_width_mm + 3.0) + rough - x, 1.2)
    soft = soft * fade(np.float32(0.62 * s.canal_depth_mm + 3.0) + rough - behind, 1.0) * (behind > -3.0)
    alpha = fade(level_for(field, solid, share) - field, 0.8) * soft * (scene.arch | (scene.bone < 0))
    alpha = alpha * fade(scene.bone + 0.9, 0.4) * ~scene.body
    dense = plan.sclerotic > 2.0 * plan.lytic
    value = np.maximum(np.float32(plan.sclerosis_hu + 150.0), scene.hu) if dense else _soft(scene)
    gone = scene.blend(alpha.astype(np.float32), value, Mark.PEDICLE)
    return float((gone & solid).sum() / solid.sum())


@unchecked
def lines(scene: Scene, plan: Plan) -> None:
    """Fracture lines through spongiosa and cortex: dark gaps, sharp with condensed edges or wide and blurred."""
    rng, b, sharp = scene.rng, scene.vertebra.body, np.float32(plan.line_sharpness)
    for i in range(plan.lines):
        if i % 2 == 0:
            normal = np.array([rng.normal(0, 0.25), rng.normal(0.1, 0.35), 1.0])
            through = np.array([0.0, -0.3 * b.depth_mm, rng.uniform(-0.2, 0.65) * b.half_height_mm])
            ends = fade(np.float32(rng.uniform(-0.1, 0.5) * b.depth_mm) - scene.y, 3.0)
        else:
            turn = rng.uniform(0, np.pi)
            normal = np.array([np.cos(turn), np.sin(turn), rng.normal(0, 0.25)])
            aside = rng.uniform(-0.2, 0.2) * b.width_middle_mm
            through = np.array([aside, rng.uniform(-0.25, 0.1) * b.depth_mm, 0.0])
            ends = np.ones(1, np.float32)
        normal = (normal / np.linalg.norm(normal)).astype(np.float32)
        away = normal[0] * (scene.x - np.float32(through[0])) + normal[1] * (scene.y - np.float32(through[1]))
        away = np.abs(away + normal[2] * (scene.z - np.float32(through[2])) + np.float32(0.7) * scene.noise(6.0))
        within = np.clip((scene.bone + 0.6) / 0.8, 0, 1) * (scene.body | (scene.bone < 0)) * ends
        wide = np.float32(0.5) + np.float32(1.6) * (1 - sharp)
        gap = np.exp(-((away / wide) ** 2)) * within * (np.float32(0.3) + np.float32(0.65) * sharp)
        flank = np.exp(-(((away - 2.0 * wide) / wide) ** 2)) * within * (scene.bone > 0.5)
        scene.hu += np.float32(120.0) * sharp * flank
        scene.blend(np.where(scene.bone > -0.5, gap, 0).astype(np.float32), 25.0, Mark.LINE)


@unchecked
def vacuum(scene: Scene, plan: Plan, inside: np.ndarray) -> np.ndarray:
    """A gas-filled cleft, flat and mostly under the upper endplate."""
    if plan.vacuum_mm3 <= 0 or not inside.any():
        return np.zeros_like(inside)
    rng, b = scene.rng, scene.vertebra.body
    below = surface(b.upper, b, scene.x, scene.y) - scene.z
    under = below - np.float32(rng.uniform(2.5, 0.35 * 2 * b.half_height_mm + 2.6))
    x0, y0 = np.float32(rng.uniform(-4, 4)), np.float32(rng.uniform(-0.3, 0.05) * b.depth_mm)
    field = np.sqrt(((scene.x - x0) / 1.1) ** 2 + ((scene.y - y0) / 0.85) ** 2 + (under / 0.17) ** 2)
    field = field + 1.2 * scene.noise(3.0)
    share = min(plan.vacuum_mm3 / (inside.sum() * scene.voxel_mm3), 0.35)
    alpha = fade(level_for(field, inside, share) - field, 1.0) * scene.body
    alpha = alpha * np.clip((scene.bone - 0.6) / 0.6, 0, 1)
    return scene.blend(alpha.astype(np.float32), -820.0, Mark.VACUUM)


@unchecked
def _ball(scene: Scene, plan: Plan, azimuth_deg: float) -> np.ndarray:
    """Distance from a lesion's centre, uneven."""
    flat = np.float32(0.4 if abs(plan.lesion_height) >= 1 else 0.95)
    x0, y0, z0 = (np.float32(c) for c in place_of(scene.vertebra, azimuth_deg, plan.lesion_height * 1.15, 0.55))
    out = np.sqrt(((scene.x - x0) / 1.15) ** 2 + (scene.y - y0) ** 2 + ((scene.z - z0) / flat) ** 2)
    return out + np.float32(1.8) * scene.noise(5.0)


@unchecked
def _soft(scene: Scene) -> np.ndarray:
    return np.float32(scene.soft_hu) + np.float32(7.0) * scene.noise(3.0)
