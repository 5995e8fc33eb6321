"""How tissues look: HU per tissue, bone's cortex and marrow, realistic or drawn wild for training."""

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.tissue import BONES, Tissue

#: Native HU and texture (SD of a slowly varying field) by tissue.
NATIVE: dict[Tissue, tuple[float, float]] = {
    Tissue.AIR: (-1000, 0),
    Tissue.SKIN: (20, 10),
    Tissue.FAT: (-102, 8),
    Tissue.MUSCLE: (52, 14),
    Tissue.SOFT: (25, 30),
    Tissue.LUNG: (-845, 45),
    Tissue.AIRWAY: (-990, 2),
    Tissue.HEART: (42, 4),
    Tissue.AORTA: (42, 2),
    Tissue.VENA_CAVA: (40, 2),
    Tissue.LUNG_VESSEL: (30, 10),
    Tissue.LIVER: (57, 3),
    Tissue.SPLEEN: (48, 3),
    Tissue.KIDNEY: (32, 3),
    Tissue.KIDNEY_PELVIS: (0, 15),
    Tissue.BOWEL_WALL: (35, 10),
    Tissue.BOWEL_GAS: (-960, 15),
    Tissue.BOWEL_CONTENT: (25, 25),
    Tissue.BLADDER: (8, 2),
    Tissue.CANAL: (15, 8),
    Tissue.CORD: (38, 3),
    Tissue.DISC: (85, 14),
    Tissue.COSTAL_CARTILAGE: (115, 30),
    Tissue.CALCIFICATION: (650, 200),
    Tissue.TABLE: (-650, 60),
    Tissue.METAL: (3000, 0),
    Tissue.CEMENT: (1500, 250),
    Tissue.LESION_LYTIC: (45, 12),
    Tissue.LESION_SCLEROTIC: (750, 150),
    Tissue.HAEMANGIOMA: (50, 40),
}
#: HU added by an iodine agent, by phase: arterial, portal venous.
ENHANCEMENT: dict[str, dict[Tissue, float]] = {
    "arterial": {
        Tissue.AORTA: 270, Tissue.HEART: 190, Tissue.VENA_CAVA: 40, Tissue.LUNG_VESSEL: 230, Tissue.KIDNEY: 110,
        Tissue.SPLEEN: 75, Tissue.LIVER: 12, Tissue.MUSCLE: 6, Tissue.SOFT: 12, Tissue.BOWEL_WALL: 35,
    },
    "portal_venous": {
        Tissue.AORTA: 115, Tissue.HEART: 105, Tissue.VENA_CAVA: 105, Tissue.LUNG_VESSEL: 110, Tissue.KIDNEY: 140,
        Tissue.SPLEEN: 72, Tissue.LIVER: 55, Tissue.MUSCLE: 14, Tissue.SOFT: 20, Tissue.BOWEL_WALL: 45,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One appearance: HU and texture SD per tissue number, and bone's makeup.

    `trabecular_hu` by bone tissue number (NaN where not bone), `cortex_hu`, `cortex_mm` for vertebral bodies,
    `arch_cortex_mm` for pedicles, laminae and processes; `texture_mm`: size of the texture's grain.
    """

    hu: np.ndarray
    texture_hu: np.ndarray
    trabecular_hu: np.ndarray
    cortex_hu: float
    cortex_mm: float
    arch_cortex_mm: float
    trabecular_texture_hu: float
    texture_mm: float
    phase: str = "native"
    oral_contrast: bool = False
    muscle_fat: float = 1.8
    """Muscle is fat where a unit-variance field exceeds this."""


def realistic_look(
    rng: np.random.Generator, trabecular_hu: float, *, cortex_mm: float | None = None, phase: str | None = None
) -> Look:
    """HU as on a real scanner at 120 kVp, for a person of the given trabecular density.

    `cortex_mm`: thickness of the vertebral shell (endplates are thicker by `ENDPLATE_OVER_WALL`); None: drawn.
    """
    hu, texture = _tables()
    hu = hu + rng.normal(0, 1, hu.shape) * np.minimum(0.1 * np.abs(hu), 8)
    phase = phase or str(rng.choice(["native", "arterial", "portal_venous"], p=[0.5, 0.2, 0.3]))
    strength = rng.uniform(0.65, 1.35)
    for tissue, rise in ENHANCEMENT.get(phase, {}).items():
        hu[tissue] += rise * strength
    oral = bool(rng.uniform() < 0.3)
    if oral:
        hu[Tissue.BOWEL_CONTENT] = rng.uniform(120, 450)
    hu[Tissue.LUNG] = rng.uniform(-900, -760)
    hu[Tissue.DISC] = rng.uniform(65, 110)
    marrow = np.full(256, np.nan)
    for tissue, share, plus in _BONES:
        marrow[tissue] = trabecular_hu * share * rng.uniform(0.85, 1.15) + plus + (12 if phase != "native" else 0)
    arch = trabecular_hu * rng.uniform(1.0, 1.5) + rng.uniform(40, 130)
    marrow[[Tissue.ARCH_CORTEX, Tissue.ARCH_TRABECULAR]] = arch
    if cortex_mm is None:
        cortex_mm = float(np.clip(rng.normal(0.48, 0.1) * (0.75 + trabecular_hu / 500), 0.25, 0.95))
    return Look(
        hu.astype(np.float32),
        texture.astype(np.float32),
        marrow.astype(np.float32),
        cortex_hu=float(rng.uniform(1050, 1450)),
        cortex_mm=cortex_mm,
        arch_cortex_mm=float(cortex_mm * rng.uniform(1.6, 2.6)),
        trabecular_texture_hu=float(rng.uniform(15, 45)),
        texture_mm=float(rng.uniform(1.2, 2.5)),
        phase=phase,
        oral_contrast=oral,
        muscle_fat=float(rng.uniform(0.9, 3.0)),
    )


def domain_look(rng: np.random.Generator) -> Look:
    """Tissues drawn far beyond the real range, keeping only what makes bone bone (Billot et al. 2023)."""
    look = realistic_look(rng, float(rng.uniform(0, 320)), cortex_mm=float(rng.uniform(0.2, 1.3)))
    hu = look.hu + rng.normal(0, 45, 256).astype(np.float32)
    gain, shift = rng.uniform(0.8, 1.25), rng.normal(0, 25)
    hu = hu * gain + shift
    marrow = look.trabecular_hu * gain + rng.normal(0, 25, 256) + shift
    return Look(
        hu.astype(np.float32),
        (look.texture_hu * rng.uniform(0.3, 2.5, 256)).astype(np.float32),
        marrow.astype(np.float32),
        cortex_hu=float(rng.uniform(450, 1700)),
        cortex_mm=look.cortex_mm,
        arch_cortex_mm=look.arch_cortex_mm,
        trabecular_texture_hu=float(rng.uniform(0, 90)),
        texture_mm=float(rng.uniform(0.8, 5.0)),
        phase=look.phase,
        oral_contrast=look.oral_contrast,
        muscle_fat=look.muscle_fat,
    )


#: Bone tissues: share of the vertebral trabecular HU, and HU on top.
_BONES: tuple[tuple[Tissue, float, float], ...] = (
    (Tissue.VERTEBRA_CORTEX, 1.0, 0.0),
    (Tissue.VERTEBRA_TRABECULAR, 1.0, 0.0),
    (Tissue.SACRUM, 0.75, 0.0),
    (Tissue.RIB, 0.8, 40.0),
    (Tissue.STERNUM, 0.7, 0.0),
    (Tissue.PELVIS, 0.9, 40.0),
    (Tissue.FEMUR, 1.3, 90.0),
    (Tissue.SKULL, 1.0, 500.0),
    (Tissue.SHOULDER, 1.0, 60.0),
    (Tissue.ARM_BONE, 0.9, 60.0),
)


def _tables() -> tuple[np.ndarray, np.ndarray]:
    hu, texture = np.zeros(256), np.zeros(256)
    for tissue, (mean, sd) in NATIVE.items():
        hu[tissue], texture[tissue] = mean, sd
    for tissue in BONES:
        hu[tissue] = 40.0
    return hu, texture
