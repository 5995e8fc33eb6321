"""What is neither osteoporotic nor malignant: haemangioma, bone island, cement, radiation change, Paget."""

import numpy as np

from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.scene import Mark, Scene, fade, level_for, place_of
from wirbel.phantom.implicit import unchecked


@unchecked
def mimics(scene: Scene, plan: Plan, inside: np.ndarray) -> None:
    """Whatever of these the plan holds."""
    if plan.fatty > 0:
        _fatty(scene, plan)
    if plan.paget > 0:
        _paget(scene, plan)
    if plan.haemangioma > 0:
        _haemangioma(scene, plan, inside)
    if plan.island_mm > 0:
        _island(scene, plan)
    if plan.cement > 0:
        _cement(scene, plan, inside)


@unchecked
def _haemangioma(scene: Scene, plan: Plan, inside: np.ndarray) -> None:
    """Fat and vessels between few thick vertical trabeculae: dots in axial, stripes in sagittal sections."""
    x0, y0, z0 = (np.float32(c) for c in place_of(scene.vertebra, plan.lesion_azimuth_deg, plan.lesion_height, 0.4))
    field = np.sqrt((scene.x - x0) ** 2 + (scene.y - y0) ** 2 + ((scene.z - z0) / 1.2) ** 2)
    field = field + 0.8 * scene.noise(6.0)
    alpha = fade(level_for(field, inside, plan.haemangioma) - field, 0.7) * inside
    pitch = np.float32(2 * np.pi / scene.rng.uniform(3.4, 4.6))
    # the pattern bends slowly across the body and hardly along it
    bend_x, bend_y = (np.float32(1.0) * scene.noise(11.0) for _ in range(2))
    dots = np.sin(pitch * (scene.x + bend_x)) * np.sin(pitch * (scene.y + bend_y))
    columns = fade(np.abs(dots) * (dots > 0) - 0.45, 0.25)
    matrix = np.float32(scene.rng.uniform(-45, 25)) + np.float32(12.0) * scene.noise(3.0)
    value = matrix + columns * (np.float32(scene.rng.uniform(280, 450)) - matrix)
    scene.blend(alpha.astype(np.float32), value, Mark.HAEMANGIOMA)


@unchecked
def _island(scene: Scene, plan: Plan) -> None:
    """Compact bone with a brushed border."""
    x0, y0, z0 = (np.float32(c) for c in place_of(scene.vertebra, plan.lesion_azimuth_deg, plan.lesion_height, 0.5))
    far = np.sqrt((scene.x - x0) ** 2 + (scene.y - y0) ** 2 + ((scene.z - z0) / 1.3) ** 2) + 0.7 * scene.noise(1.6)
    alpha = fade(np.float32(plan.island_mm) - far, 0.8) * scene.body * (scene.bone > 0.2)
    dense = np.maximum(scene.hu, np.float32(scene.rng.uniform(850, 1150)))
    scene.blend(alpha.astype(np.float32), dense, Mark.ISLAND)


@unchecked
def _cement(scene: Scene, plan: Plan, inside: np.ndarray) -> None:
    """Two lobes of cement from both pedicles, interdigitating."""
    field = np.full(scene.hu.shape, np.inf, np.float32)
    for side in (-1, 1):
        azimuth = side * float(scene.rng.uniform(40, 110))
        x0, y0, z0 = (np.float32(c) for c in place_of(scene.vertebra, azimuth, scene.rng.uniform(-0.3, 0.3), 0.45))
        far = np.sqrt((scene.x - x0) ** 2 + (scene.y - y0) ** 2 + ((scene.z - z0) / 0.8) ** 2)
        field = np.minimum(field, far)
    rough = field + 1.5 * scene.noise(3.0)
    alpha = fade(level_for(rough, inside, plan.cement) - rough, 0.7) * scene.body
    value = np.float32(scene.rng.uniform(1300, 2100)) * (1 + np.float32(0.08) * scene.noise(2.0))
    scene.blend(alpha.astype(np.float32), value, Mark.CEMENT)


@unchecked
def _fatty(scene: Scene, plan: Plan) -> None:
    """Marrow turned to fat after radiation, with coarse remains."""
    spongy = np.clip((scene.bone - 0.8) / 0.8, 0, 1) * (scene.body | scene.arch)
    left = np.clip(1 - 0.35 * np.maximum(scene.noise(2.5), 0), 0, 1)
    alpha = np.float32(0.85 * plan.fatty) * spongy * left
    scene.blend(alpha.astype(np.float32), -55.0, Mark.MARROW)


@unchecked
def _paget(scene: Scene, plan: Plan) -> None:
    """A picture frame of thick cortex, and coarse vertical trabeculae between; the arch takes part."""
    edge = np.minimum(scene.wall, scene.plates)
    thick = np.float32(1.2 + 2.6 * plan.paget) * (1 + np.float32(0.25) * scene.noise(6.0))
    frame = fade(thick - edge, 0.8) * scene.body * (scene.bone > 0.3)
    pitch = np.float32(2 * np.pi / 5.0)
    stripes = np.sin(pitch * (scene.x + scene.noise(9.0))) * np.sin(pitch * (scene.y + scene.noise(9.0)))
    coarse = fade(stripes - 0.4, 0.3) * scene.body * (scene.bone > 1.0)
    value = np.float32(620.0) * (1 + np.float32(0.12) * scene.noise(3.0))
    scene.blend((0.45 * plan.paget * coarse).astype(np.float32), np.maximum(value, scene.hu), Mark.MARROW)
    scene.blend((0.9 * frame).astype(np.float32), np.maximum(value, scene.hu), Mark.MARROW)
    arch = 0.7 * plan.paget * scene.arch * np.clip(scene.bone / 0.8, 0, 1)
    scene.blend(arch.astype(np.float32), np.maximum(value - 60, scene.hu), Mark.MARROW)
