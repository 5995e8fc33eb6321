"""What stands around a vertebra: epidural and paravertebral mass, thin diffuse thickening."""

import numpy as np

from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.scene import Mark, Scene, fade, level_for
from wirbel.phantom.implicit import unchecked
from wirbel.phantom.tissue import Tissue

#: Masses push these aside rather than replace them.
_SPARED = (Tissue.AORTA, Tissue.VENA_CAVA, Tissue.HEART, Tissue.AIRWAY, Tissue.KIDNEY, Tissue.LIVER)


@unchecked
def epidural(scene: Scene, plan: Plan) -> np.ndarray:
    """A mass in the front of the canal, two lobes beside the midline as the ligament holds it."""
    s = scene.vertebra.size
    behind, half = -scene.wall, np.float32(0.5 * s.canal_width_mm)
    yb = np.float32(0.5 * scene.vertebra.body.depth_mm)
    tall = np.float32(scene.vertebra.body.half_height_mm)
    canal = (np.abs(scene.x) < 1.02 * half) & (scene.y > 0.6 * yb) & (behind > 0)
    canal &= (scene.y < yb + 0.85 * s.canal_depth_mm) & (scene.bone < 0) & (np.abs(scene.z) < tall + 7)
    if plan.epidural_mm3 <= 0 or not canal.any():
        return np.zeros_like(canal)
    lobes = np.exp(-(((np.abs(scene.x) - 0.45 * half) / (0.35 * half)) ** 2))
    aside = np.float32(np.sign(plan.lesion_azimuth_deg) * 0.14)
    along = np.maximum(np.abs(scene.z - _level(scene, plan)) - 0.3 * tall, 0)
    field = behind - 2.4 * lobes - aside * scene.x + 0.6 * along + 0.6 * scene.noise(5.0)
    share = min(plan.epidural_mm3 / (canal.sum() * scene.voxel_mm3), 0.85)
    alpha = fade(level_for(field, canal, share) - field, 0.9) * canal * _beside_bone(scene)
    return scene.blend(alpha.astype(np.float32), _mass(scene), Mark.EPIDURAL)


@unchecked
def paravertebral(scene: Scene, plan: Plan) -> np.ndarray:
    """A focal mass beside the body, rounded outward."""
    free = _around(scene)
    if plan.paravertebral_mm3 <= 0 or not free.any():
        return np.zeros_like(free)
    b = scene.vertebra.body
    radius = (plan.paravertebral_mm3 * 3 / (2 * np.pi)) ** (1 / 3)
    a = np.radians(plan.mass_azimuth_deg)
    x0 = np.float32((0.5 * b.width_middle_mm + 0.1 * radius) * np.sin(a))
    y0 = np.float32(-(0.5 * b.depth_mm + 0.1 * radius) * np.cos(a))
    field = np.sqrt((scene.x - x0) ** 2 + (scene.y - y0) ** 2 + ((scene.z - _level(scene, plan)) / 1.25) ** 2)
    field = field + np.float32(0.12 * radius) * scene.noise(9.0)
    share = min(plan.paravertebral_mm3 / (free.sum() * scene.voxel_mm3), 0.6)
    alpha = fade(level_for(field, free, share) - field, 1.3) * free * _beside_bone(scene)
    return scene.blend(alpha.astype(np.float32), _mass(scene), Mark.PARAVERTEBRAL)


@unchecked
def thickening(scene: Scene, plan: Plan) -> np.ndarray:
    """A thin layer around the front and sides of the body, without a bulge: oedema and blood."""
    if plan.thickening_mm <= 0:
        return np.zeros(scene.hu.shape, bool)
    b = scene.vertebra.body
    thick = np.float32(plan.thickening_mm) * (1 + np.float32(0.15) * scene.noise(10.0))
    reach = np.float32(b.half_height_mm + 4.0) - np.abs(scene.z - 0.7 * _level(scene, plan))
    alpha = fade(thick + scene.wall, 0.9) * fade(reach, 3.0) * fade(np.float32(0.3 * b.depth_mm) - scene.y, 3.0)
    alpha = alpha * _around(scene) * _beside_bone(scene)
    return scene.blend(alpha.astype(np.float32), _mass(scene) - 4, Mark.THICKENING)


@unchecked
def _around(scene: Scene) -> np.ndarray:
    """Outside bone, canal and what a mass pushes aside."""
    spared = np.zeros(256, bool)
    spared[list(_SPARED)] = True
    s = scene.vertebra.size
    canal = (np.abs(scene.x) < 0.55 * s.canal_width_mm) & (scene.y > 0.4 * scene.vertebra.body.depth_mm)
    disc = scene.tissue == Tissue.DISC
    return ~spared[scene.tissue] & ~canal & ~disc & (scene.wall < 0.5) & (scene.bone < 0.5 * scene.voxel_mm)


@unchecked
def _beside_bone(scene: Scene) -> np.ndarray:
    """The share of each voxel that is not bone: soft tissue must not thin the cortex it lies on."""
    return np.clip(np.float32(0.5) - scene.bone / np.float32(scene.voxel_mm), 0, 1)


@unchecked
def _level(scene: Scene, plan: Plan) -> np.float32:
    """Where along the column a mass sits: at the body, or at the disc below when that is inflamed."""
    if plan.discitis <= 0:
        return np.float32(0.25 * plan.lesion_height * scene.vertebra.body.half_height_mm)
    return np.float32(np.sign(plan.lesion_height) * (scene.vertebra.body.half_height_mm + 2.0))


@unchecked
def _mass(scene: Scene) -> np.ndarray:
    return np.float32(scene.soft_hu) + np.float32(6.0) * scene.noise(4.0)
