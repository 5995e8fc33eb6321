"""A network's bundle with the signs joined to it: `signs.json` beside the networks, and calibrations of the sum."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from wirbel.cohort.signs import index_of, read_signs
from wirbel.etiology import written_calibration
from wirbel.etiology.calibration import Population
from wirbel.etiology.sign_join import JOIN, LEVEL_RANK, SignJoin, write_join
from wirbel.etiology.tree_model import TreeModel
from wirbel.network.bundle import Bundle, file_sha256, load_bundle
from wirbel.network.fracture import FractureNetworks, open_fracture
from wirbel.spine import Level
from wirbel.training.fracture.crop_rows import CropData, CropRow, open_crops
from wirbel.training.fracture.scores import calibration_of

_CARD = """
## Signs

The score of a fracture is joined with its measured signs and its level (`wirbel train signs --onto`): log-odds =
{bias:.3f} + {network:.3f} x (the networks') + {signs:.3f} x (mean of {models} boosted models of signs). The
AUC and the calibration of fractures above are the networks' alone; those of the sum stand in the `figures.tsv` of
the run and in this bundle's `calibration_fractured.json`. Unfractured vertebrae are scored by the networks alone.
"""


def join_bundle(
    crops: Path,
    signs: Path,
    bundle: Bundle,
    folder: Path,
    models: Sequence[TreeModel],
    weights: Sequence[float],
    *,
    seed: int,
) -> Bundle:
    """Write `folder`: the bundle's networks, the models of signs, calibrations fitted to both together.

    `weights`: bias, the networks' and the signs' share.
    """
    data = open_crops(crops)
    bias, network, own = (float(w) for w in weights)
    join = SignJoin(tuple(models), bias, network, own, data.hu.shape[1])
    _write_files(bundle, folder, join)
    joined = load_bundle(folder)
    networks = open_fracture(joined, threads=1)
    values = values_by_row(crops, signs)
    _calibrate(data, networks, join, values, folder, seed)
    return joined


def _write_files(bundle: Bundle, folder: Path, join: SignJoin) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*bundle.files, "LICENSE"):
        if (bundle.folder / name).is_file():
            shutil.copyfile(bundle.folder / name, folder / name)
    write_join(folder / JOIN, join)
    told = json.loads((bundle.folder / "bundle.json").read_text(encoding="utf-8"))
    told["name"] = f"{bundle.name}+signs"
    told["files"] = {**bundle.files, JOIN: file_sha256(folder / JOIN)}
    told["trained_on"] = [*bundle.trained_on, f"their signs ({len(join.models)} models)"]
    (folder / "bundle.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    card = bundle.folder / "MODEL_CARD.md"
    before = card.read_text(encoding="utf-8") if card.is_file() else f"# {bundle.name}\n"
    said = _CARD.format(bias=join.bias, network=join.network, signs=join.signs, models=len(join.models))
    (folder / "MODEL_CARD.md").write_text(before.rstrip("\n") + "\n" + said, encoding="utf-8")


def _calibrate(
    data: CropData, networks: FractureNetworks, join: SignJoin, values: Mapping[int, Mapping[str, float]],
    folder: Path, seed: int,
) -> None:  # fmt: skip
    def summed(row: CropRow, members: Sequence[float]) -> Sequence[float]:
        return join.joined(tuple(members), values[row.row])

    for population, how in ((Population.FRACTURED, summed), (Population.UNFRACTURED, None)):
        if population is Population.UNFRACTURED and not networks.about.trained_with_normals:
            continue
        name = f"{'simulated ' if data.simulated else ''}calibration cohort, {population.value}"
        fitted = calibration_of(data, networks, population, name=name, seed=seed, joined=how)
        if fitted is not None:
            path = folder / f"calibration_{population.value}.json"
            path.write_text(written_calibration(fitted), encoding="utf-8")


def values_by_row(crops: Path, signs: Path) -> dict[int, dict[str, float]]:
    """Signs and level of each crop, by row."""
    measured, out = read_signs(signs), {}
    for row, index in index_of(crops).items():
        name = index.get("vertebra", "")
        level = {LEVEL_RANK: float(Level[name].rank)} if name in Level.__members__ else {}
        out[row] = {sign.value: float(v) for sign, v in measured.get(row, {}).items() if np.isfinite(v)} | level
    return out
