"""A vertebra cut out of a CT: 1 mm isotropic around its body's centre, with its mask."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from wirbel.errors import InputRejected, UsageError
from wirbel.volume import Grid, LabelMap, Volume
from wirbel.volume.resample import OUTSIDE_HU, resample_labels, resample_volume

#: The values that the study's authors clip to, and the range they divide by: 0 is air, 1 is 1500 HU.
LOW_HU, HIGH_HU, RANGE_HU = -1000.0, 3500.0, 2500.0


@dataclass(frozen=True, slots=True)
class CropSettings:
    """Edge lengths of the crop (z, y, x) in voxels and the voxels' edge; the study has 64 voxels of 1 mm."""

    size: tuple[int, int, int] = (64, 64, 64)
    spacing_mm: float = 1.0

    def __post_init__(self) -> None:
        if min(self.size) < 8 or not 0.2 <= self.spacing_mm <= 5.0:
            raise UsageError(
                f"a crop of {self.size} voxels of {self.spacing_mm:g} mm: use at least 8 voxels of 0.2 to 5 mm"
            )


@dataclass(frozen=True, slots=True, eq=False)
class VertebraCrop:
    """The cut-out, axes toward superior, posterior, left of the patient.

    `hu` is -1024 where the CT has nothing (`inside` False). `mask` is the vertebra, `others` every other label
    (neighbours, sacrum). The centre lies in the middle: between the two central voxels where the size is even.
    """

    grid: Grid
    hu: Float32[np.ndarray, "z y x"]
    mask: Bool[np.ndarray, "z y x"]
    others: Bool[np.ndarray, "z y x"]
    inside: Bool[np.ndarray, "z y x"]
    label: int

    @property
    def inside_share(self) -> float:
        """How much of the crop the CT covers."""
        return float(self.inside.mean())


def crop_grid(centre_lps_mm: Float64[np.ndarray, "3"], settings: CropSettings) -> Grid:
    """The crop's grid: the centre in its middle, axes along the patient's."""
    step = settings.spacing_mm
    half_mm = (np.asarray(settings.size)[::-1] - 1) / 2.0 * step
    x, y, z = (float(v) for v in np.asarray(centre_lps_mm) - half_mm)
    return Grid.axis_aligned(settings.size, (step, step, step), (x, y, z))


def vertebra_crop(
    ct: Volume,
    labels: LabelMap,
    label: int,
    centre_lps_mm: Float64[np.ndarray, "3"],
    settings: CropSettings | None = None,
) -> VertebraCrop:
    """Cut out the vertebra with this number in `labels`; trilinear values, nearest labels.

    Raises `InputRejected` where the centre is no point, values are no numbers, or the mask has nothing of the
    vertebra in the crop (missing, or the centre is another's).
    """
    settings = settings or CropSettings()
    if not np.isfinite(centre_lps_mm).all():
        raise InputRejected(f"vertebra {label} has no centre: give its centroid in mm", code="NOT_A_NUMBER")
    grid = crop_grid(centre_lps_mm, settings)
    cut = resample_labels(labels, grid).labels
    mask = cut == label
    if not mask.any():
        where = "in the crop around its centre" if (labels.labels == label).any() else "in the mask"
        raise InputRejected(
            f"vertebra {label} is not {where}: segment it, or correct number and centroid",
            code="NOT_IN_MASK",
        )
    hu = resample_volume(ct, grid, outside_hu=OUTSIDE_HU).hu.astype(np.float32)
    inside = _inside(ct.grid, grid)
    if not np.isfinite(hu).all():
        raise InputRejected(
            f"vertebra {label}: the CT holds values that are no numbers (NaN or infinite): export it again",
            code="NOT_A_NUMBER",
        )
    return VertebraCrop(grid, hu, mask, (cut > 0) & ~mask, inside, label)


def scaled_values(crop: VertebraCrop) -> Float32[np.ndarray, "z y x"]:
    """Values as the authors scale them: clipped to [-1000, 3500], (HU + 1000) / 2500, padded with the mean."""
    values = (np.clip(crop.hu, LOW_HU, HIGH_HU) - LOW_HU) / RANGE_HU
    fill = float(values[crop.inside].mean()) if crop.inside.any() else 0.0
    return np.where(crop.inside, values, fill).astype(np.float32)


def masked_values(crop: VertebraCrop, *, background: float = 0.0) -> Float32[np.ndarray, "z y x"]:
    """The study's input: scaled values in the vertebra's mask, `background` elsewhere."""
    return np.where(crop.mask, scaled_values(crop), background).astype(np.float32)


def as_channels(crop: VertebraCrop) -> Float32[np.ndarray, "3 z y x"]:
    """Scaled values unmasked, the vertebra's mask and the other vertebrae's as channels: context stays."""
    return np.stack([scaled_values(crop), crop.mask.astype(np.float32), crop.others.astype(np.float32)])


def packed(crop: VertebraCrop) -> UInt8[np.ndarray, "z y x"]:
    """Mask (1), others (2) and outside the CT (4) as bits of one array, for storing."""
    bits = crop.mask * 1 + crop.others * 2 + ~crop.inside * 4
    return np.asarray(bits, dtype=np.uint8)


def _inside(source: Grid, target: Grid) -> Bool[np.ndarray, "z y x"]:
    """Voxels of `target` whose centre the source's voxels cover."""
    between = source.lps_mm_to_voxel @ target.voxel_to_lps_mm
    axes = [np.arange(n, dtype=np.float64) for n in target.shape]
    inside = np.ones(target.shape, dtype=bool)
    for k in range(3):
        where = (
            between[k, 0] * axes[0][:, None, None]
            + between[k, 1] * axes[1][None, :, None]
            + between[k, 2] * axes[2][None, None, :]
            + between[k, 3]
        )
        inside &= (where >= -0.5) & (where <= source.shape[k] - 0.5)
    return inside
