"""Where the classifier looked, as NIfTI in the CT's own space, only around the vertebrae it was asked about."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wirbel.delivery.nifti import header
from wirbel.etiology import HeatMap
from wirbel.study import StudyResult
from wirbel.volume import Grid, Volume
from wirbel.volume.resample import resample_volume

HEAT, HEAT_LEGEND = "heat.nii.gz", "heat.json"
#: Values are stored as whole steps of this.
STEP = 1.0 / 255.0


def write_heat(folder: Path, result: StudyResult) -> None:
    """Write the maps of all vertebrae into one file, and what they are; nothing where there is none.

    Where two maps overlap the higher value stands.
    """
    maps = [
        (vertebra.name, cause.heat)
        for vertebra, cause in zip(result.spine.vertebrae, result.etiology.vertebrae, strict=False)
        if cause.heat is not None
    ]
    if not maps:
        return
    grid = grid_around([heat.grid for _, heat in maps])
    steps = np.rint(merged([heat for _, heat in maps], grid) / STEP).astype(np.uint8)
    note = "wirbel: heat map of the classifier, 0 to 1; research use only"
    with (
        (folder / HEAT).open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=4, mtime=0) as packed,
    ):
        packed.write(header(grid, note, slope=STEP))
        packed.write(steps.tobytes())
    (folder / HEAT_LEGEND).write_text(json.dumps(_legend(maps, result), indent=1) + "\n", encoding="utf-8")


def grid_around(grids: Sequence[Grid]) -> Grid:
    """A grid along the patient's axes that holds all of them, with the finest spacing among them."""
    corners = np.concatenate([
        g.to_lps_mm(np.array(np.meshgrid(*[(0.0, n - 1.0) for n in g.shape])).reshape(3, -1).T) for g in grids
    ])  # fmt: skip
    step = min(min(g.spacing_mm) for g in grids)
    low, high = np.floor(corners.min(axis=0)), corners.max(axis=0)
    nx, ny, nz = (int(n) for n in np.ceil((high - low) / step) + 1)
    return Grid.axis_aligned((nz, ny, nx), (step, step, step), (float(low[0]), float(low[1]), float(low[2])))


def merged(maps: Sequence[HeatMap], grid: Grid) -> np.ndarray:
    """All maps on one grid, the highest value at each place, 0 where none was computed."""
    out = np.zeros(grid.shape, dtype=np.float32)
    for heat in maps:
        ends = np.array([[0.0, 0.0, 0.0], [n - 1.0 for n in heat.grid.shape]])
        at = grid.to_voxel(heat.grid.to_lps_mm(ends))
        low = np.maximum(np.floor(at.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(at.max(axis=0)).astype(int) + 1, grid.shape)
        start, stop = (tuple(int(n) for n in corner) for corner in (low, high))
        part = grid.cropped((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
        there = resample_volume(Volume(heat.grid, heat.values), part, outside_hu=0.0).hu
        place = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        out[place] = np.maximum(out[place], there)
    return np.clip(out, 0.0, 1.0)


def _legend(maps: Sequence[tuple[str, HeatMap]], result: StudyResult) -> dict[str, object]:
    return {
        "notice": "research use only",
        "simulated": result.provenance.classifier_simulated,
        "classifier": result.provenance.classifier,
        HEAT: {
            "values": "what raised the score toward malignant: 0 to 1, 1 the strongest place of each vertebra",
            "vertebrae": {
                name: {"method": heat.method.value, "made_by": list(heat.made_by)} for name, heat in maps
            },
        },
    }
