"""Radiomic features of one vertebra inside its mask, by flash-radiomics (BSD-3, an optional dependency).

The 107 features of PyRadiomics' usual set (van Griethuysen et al. 2017) on the unfiltered image: first order, shape
and texture, defined by the IBSI (Zwanenburg et al. 2020) and checked on its digital phantom by the tests.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Real

from wirbel.errors import InputRejected, require

#: Features of each family, by the library's names; a column is `family.Feature`.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "FirstOrder": (
        "Energy", "TotalEnergy", "Entropy", "Minimum", "10Percentile", "90Percentile", "Maximum", "Mean", "Median",
        "InterquartileRange", "Range", "MeanAbsoluteDeviation", "RobustMeanAbsoluteDeviation", "RootMeanSquared",
        "Skewness", "Kurtosis", "Variance", "Uniformity",
    ),
    "Shape": (
        "MeshVolume", "VoxelVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity", "Maximum3DDiameter",
        "Maximum2DDiameterSlice", "Maximum2DDiameterColumn", "Maximum2DDiameterRow", "MajorAxisLength",
        "MinorAxisLength", "LeastAxisLength", "Elongation", "Flatness",
    ),
    "GLCM": (
        "Autocorrelation", "JointAverage", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast",
        "Correlation", "DifferenceAverage", "DifferenceEntropy", "DifferenceVariance", "JointEnergy",
        "JointEntropy", "Imc1", "Imc2", "Idm", "MCC", "Idmn", "Id", "Idn", "InverseVariance", "MaximumProbability",
        "SumAverage", "SumEntropy", "SumSquares",
    ),
    "GLRLM": (
        "ShortRunEmphasis", "LongRunEmphasis", "GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized",
        "RunLengthNonUniformity", "RunLengthNonUniformityNormalized", "RunPercentage", "GrayLevelVariance",
        "RunVariance", "RunEntropy", "LowGrayLevelRunEmphasis", "HighGrayLevelRunEmphasis",
        "ShortRunLowGrayLevelEmphasis", "ShortRunHighGrayLevelEmphasis", "LongRunLowGrayLevelEmphasis",
        "LongRunHighGrayLevelEmphasis",
    ),
    "GLSZM": (
        "SmallAreaEmphasis", "LargeAreaEmphasis", "GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized",
        "SizeZoneNonUniformity", "SizeZoneNonUniformityNormalized", "ZonePercentage", "GrayLevelVariance",
        "ZoneVariance", "ZoneEntropy", "LowGrayLevelZoneEmphasis", "HighGrayLevelZoneEmphasis",
        "SmallAreaLowGrayLevelEmphasis", "SmallAreaHighGrayLevelEmphasis", "LargeAreaLowGrayLevelEmphasis",
        "LargeAreaHighGrayLevelEmphasis",
    ),
    "GLDM": (
        "SmallDependenceEmphasis", "LargeDependenceEmphasis", "GrayLevelNonUniformity", "DependenceNonUniformity",
        "DependenceNonUniformityNormalized", "GrayLevelVariance", "DependenceVariance", "DependenceEntropy",
        "LowGrayLevelEmphasis", "HighGrayLevelEmphasis", "SmallDependenceLowGrayLevelEmphasis",
        "SmallDependenceHighGrayLevelEmphasis", "LargeDependenceLowGrayLevelEmphasis",
        "LargeDependenceHighGrayLevelEmphasis",
    ),
    "NGTDM": ("Coarseness", "Contrast", "Busyness", "Complexity", "Strength"),
}  # fmt: skip
FEATURES: Final[tuple[str, ...]] = tuple(f"{family}.{name}" for family, names in FAMILIES.items() for name in names)


@dataclass(frozen=True, slots=True)
class RadiomicsSettings:
    """Grey levels: HU are clipped to the range, then every `bin_hu` from its lower end is a level."""

    low_hu: float = -200.0
    high_hu: float = 1300.0
    bin_hu: float = 25.0


def radiomics_library() -> ModuleType:
    """flash-radiomics; raises `MissingExtra` where it is not installed."""
    return require("flash_radiomics", extra="radiomics", feature="radiomics")


def crop_features(
    hu: Real[np.ndarray, "z y x"],
    own: Bool[np.ndarray, "z y x"],
    settings: RadiomicsSettings,
    *,
    spacing_mm: float,
) -> Float64[np.ndarray, "f"]:
    """The features in the order of `FEATURES`, of the voxels in `own`; NaN where one has no value.

    Raises `InputRejected` for an empty mask and for values that are no numbers.
    """
    if not own.any():
        raise InputRejected("no vertebra in its mask", code="NOT_IN_MASK")
    box = tuple(slice(max(int(w.min()) - 1, 0), int(w.max()) + 2) for w in np.nonzero(own))
    values = np.clip(hu[box].astype(np.float32), settings.low_hu, settings.high_hu)
    if not np.isfinite(values).all():
        raise InputRejected("values that are no numbers", code="NOT_A_NUMBER")
    mask = np.ascontiguousarray(own[box], dtype=np.uint8)
    library, found = radiomics_library(), []
    for family, names in FAMILIES.items():
        extractor = getattr(library, f"Radiomics{family}")(
            np.ascontiguousarray(values), mask, backend="cpu", num_threads=1, spacing=(spacing_mm,) * 3,
            binWidth=settings.bin_hu, binMinimum=settings.low_hu,
        )  # fmt: skip
        for name in names:
            extractor.enableFeatureByName(name)
        said = extractor.execute()
        found += [float(said[name]) for name in names]
    every = np.array(found, dtype=np.float64)
    return np.where(np.isfinite(every), every, np.nan)
