"""What a voxel of a phantom is made of."""

from enum import IntEnum


class Tissue(IntEnum):
    """Tissue classes of a phantom; the numbers are stable, names may be added at the end."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    SOFT = 4
    """Connective tissue, mediastinum, oesophagus, thyroid: soft tissue that is none of the organs."""
    LUNG = 5
    AIRWAY = 6
    HEART = 7
    AORTA = 8
    VENA_CAVA = 9
    LUNG_VESSEL = 10
    LIVER = 11
    SPLEEN = 12
    KIDNEY = 13
    KIDNEY_PELVIS = 14
    BOWEL_WALL = 15
    BOWEL_GAS = 16
    BOWEL_CONTENT = 17
    BLADDER = 18
    CANAL = 19
    CORD = 20
    DISC = 21
    VERTEBRA_CORTEX = 22
    VERTEBRA_TRABECULAR = 23
    SACRUM = 24
    RIB = 25
    STERNUM = 26
    PELVIS = 27
    FEMUR = 28
    SKULL = 29
    SHOULDER = 30
    """Scapula, clavicle and humerus."""
    COSTAL_CARTILAGE = 31
    CALCIFICATION = 32
    TABLE = 33
    METAL = 34
    CEMENT = 35
    ARM_BONE = 36
    LESION_LYTIC = 37
    LESION_SCLEROTIC = 38
    HAEMANGIOMA = 39
    ARCH_CORTEX = 40
    ARCH_TRABECULAR = 41
    """Pedicles, laminae and processes; `VERTEBRA_*` is the body."""


#: Tissues whose HU come from the depth below the bone's surface (cortex over trabecular bone).
BONES: frozenset[Tissue] = frozenset(
    {
        Tissue.VERTEBRA_CORTEX,
        Tissue.VERTEBRA_TRABECULAR,
        Tissue.ARCH_CORTEX,
        Tissue.ARCH_TRABECULAR,
        Tissue.SACRUM,
        Tissue.RIB,
        Tissue.STERNUM,
        Tissue.PELVIS,
        Tissue.FEMUR,
        Tissue.SKULL,
        Tissue.SHOULDER,
        Tissue.ARM_BONE,
    }
)
