"""A plan painted on one vertebra of a drawn crop."""

from dataclasses import dataclass

from wirbel.phantom.cases import bone_signs, soft_signs
from wirbel.phantom.cases.mimic_signs import mimics
from wirbel.phantom.cases.plan import Plan
from wirbel.phantom.cases.scene import Scene


@dataclass(frozen=True, slots=True)
class Painted:
    """What was painted, counted in voxels (mm3, shares)."""

    cortex_destroyed: float = 0.0
    spongiosa_mm3: float = 0.0
    lytic_mm3: float = 0.0
    sclerotic_mm3: float = 0.0
    pedicle_right: float = 0.0
    pedicle_left: float = 0.0
    vacuum_mm3: float = 0.0
    epidural_mm3: float = 0.0
    paravertebral_mm3: float = 0.0


def paint(scene: Scene, plan: Plan) -> Painted:
    """All signs of a plan, from outside in; knows nothing of the cause."""
    soft_signs.thickening(scene, plan)
    outside = soft_signs.paravertebral(scene, plan)
    inner = soft_signs.epidural(scene, plan)
    inside = bone_signs.spongiosa(scene)
    mimics(scene, plan, inside)
    gone = bone_signs.lytic(scene, plan, inside)
    dense = bone_signs.sclerotic(scene, plan, inside, gone)
    bone_signs.eroded_plate(scene, plan)
    shell, broken = bone_signs.cortex(scene, plan)
    right, left = bone_signs.pedicles(scene, plan)
    bone_signs.lines(scene, plan)
    gas = bone_signs.vacuum(scene, plan, inside)
    voxel = scene.voxel_mm3
    return Painted(
        cortex_destroyed=float(broken.sum() / max(int(shell.sum()), 1)),
        spongiosa_mm3=float(inside.sum() * voxel),
        lytic_mm3=float(gone.sum() * voxel),
        sclerotic_mm3=float((dense & ~gone).sum() * voxel),
        pedicle_right=right,
        pedicle_left=left,
        vacuum_mm3=float(gas.sum() * voxel),
        epidural_mm3=float(inner.sum() * voxel),
        paravertebral_mm3=float(outside.sum() * voxel),
    )
