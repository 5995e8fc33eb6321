"""An installed TotalSegmentator, with its own weights, as a segmenter.

Its weights are not shipped and never fetched from here: left alone, TotalSegmentator downloads what it lacks and
reports each run to its makers, so both are ruled out before it starts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import nibabel as nib
import numpy as np

from wirbel.errors import ModelError, require
from wirbel.network.segmenter import nothing_found
from wirbel.spine import Level, SpineEvidence, evidence_from_masks
from wirbel.volume import Grid, LabelMap, Volume, freeze

_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
#: What is asked for: the sacrum and S1 (25, 26) and every vertebra (27 = L5 ... 50 = C1).
CLASSES = ("sacrum", *(f"vertebrae_{level.name}" for level in Level if level.totalsegmentator is not None))
_LARGEST = 50
#: Its weights that these classes need: vertebrae, and the coarse model that finds where to look.
WEIGHTS = ("Dataset292_", "Dataset298_")

Runner = Callable[[Volume], LabelMap]


@dataclass(frozen=True, slots=True)
class TotalSegmentatorSegmenter:
    """A `wirbel.spine.Segmenter` over TotalSegmentator's masks; its names count as given.

    `run` turns a CT into a label map with TotalSegmentator's numbers, on any grid.
    """

    run: Runner
    source: str

    def __call__(self, ct: Volume, /) -> SpineEvidence:
        """Evidence on a canonical grid of 1 mm around the masks; no vertebrae where none is found."""
        masks = _spine_only(self.run(ct))
        if masks.labels.max() <= Level.S1.value:
            return nothing_found(ct.grid, self.source)
        evidence = evidence_from_masks(masks, numbering="totalsegmentator", ct_grid=ct.grid)
        return replace(evidence, source=self.source)


def installed_totalsegmentator(*, device: str = "cpu") -> TotalSegmentatorSegmenter:
    """The segmenter over the installed package.

    Raises `MissingExtra` when it is not installed and `ModelError` when its weights are not.
    """
    feature = "the totalsegmentator engine"
    api = require("totalsegmentator.python_api", extra="totalsegmentator", feature=feature)
    config = require("totalsegmentator.config", extra="totalsegmentator", feature=feature)
    version = require("importlib.metadata", extra="totalsegmentator", feature=feature).version("TotalSegmentator")
    weights_must_be_there(Path(config.get_weights_dir()))
    config.setup_totalseg()
    config.set_config_key("send_usage_stats", False)
    return TotalSegmentatorSegmenter(_runner(api, device), f"TotalSegmentator {version} (its own weights)")


def weights_must_be_there(folder: Path) -> None:
    """Raise `ModelError` when one of the weights is missing, since the package would then go online."""
    missing = [name for name in WEIGHTS if not any(folder.glob(f"{name}*"))]
    if missing:
        raise ModelError(
            f"TotalSegmentator's weights {', '.join(missing)} are not in its weights folder: "
            "install them once with `totalseg_download_weights -t total` and `-t total_fastest`"
        )


def as_nifti(ct: Volume) -> nib.Nifti1Image:
    """The CT as a NIfTI image in memory, axes (x, y, z), world RAS."""
    turned = np.eye(4)[[2, 1, 0, 3]]
    affine = _FLIP @ ct.grid.voxel_to_lps_mm @ turned
    array = np.ascontiguousarray(ct.hu.transpose(2, 1, 0))
    return nib.Nifti1Image(array, affine)  # type: ignore[no-untyped-call]  # nibabel does not annotate it


def as_labels(image: nib.Nifti1Image) -> LabelMap:
    """A NIfTI image of class numbers as a label map."""
    array = np.asarray(image.dataobj).astype(np.uint8)
    shape = (int(array.shape[0]), int(array.shape[1]), int(array.shape[2]))
    return LabelMap(Grid(shape, _FLIP @ np.asarray(image.affine, dtype=np.float64)), freeze(array))


def _runner(api: ModuleType, device: str) -> Runner:
    def run(ct: Volume) -> LabelMap:
        image = api.totalsegmentator(
            as_nifti(ct), None, ml=True, task="total", roi_subset=list(CLASSES), device=device, quiet=True
        )
        return as_labels(image)

    return run


def _spine_only(masks: LabelMap) -> LabelMap:
    """Organs removed: a runner may return the whole task."""
    spine = np.where((masks.labels >= 25) & (masks.labels <= _LARGEST), masks.labels, 0).astype(np.uint8)
    return LabelMap(masks.grid, freeze(spine))
