"""How a CT was acquired, as far as a measure's validity hangs on it."""

from dataclasses import dataclass
from enum import StrEnum


class Kernel(StrEnum):
    """Reconstruction kernels by what they are good for."""

    SOFT = "soft"
    BONE = "bone"
    LUNG = "lung"
    UNKNOWN = "unknown"


class Plane(StrEnum):
    """The plane of the slices as acquired or reformatted."""

    AXIAL = "axial"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"
    OBLIQUE = "oblique"


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Facts from the header; unknown is None, never a guess.

    `slice_mm` is the resolution across the slices: the larger of slice spacing and slice thickness.
    `craniocaudal_mm` is the resolution along the column (equals `slice_mm` for axial slices, the pixel size for
    sagittal ones): grading asks for at most 3 mm here. `contrast_agent`: the header says that contrast was given
    (True), says nothing (None); absence of a tag is no evidence of a native scan. `kvp`: tube voltage.
    `spectral`: a virtual mono-energetic, iodine or other derived spectral image.
    """

    plane: Plane
    slice_mm: float
    craniocaudal_mm: float
    kernel: Kernel = Kernel.UNKNOWN
    kernel_name: str | None = None
    kvp: float | None = None
    contrast_agent: bool | None = None
    spectral: bool = False
