"""A network's log-odds and those of the signs in one number: the fusion that a bundle may carry (`signs.json`)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from wirbel.errors import InputRejected, ModelError
from wirbel.etiology.tree_model import TreeModel, model_of

#: The file in a bundle.
JOIN = "signs.json"
#: Where a vertebra stands in the column, as the models of signs name it.
LEVEL_RANK = "level_rank"


@dataclass(frozen=True, slots=True)
class SignJoin:
    """log-odds = bias + network * (the network's) + signs * (mean of the models'), for fractured vertebrae only.

    `crop_voxels`: side of the crop, at 1 mm, in which the signs were measured when the models learnt.
    """

    models: tuple[TreeModel, ...]
    bias: float
    network: float
    signs: float
    crop_voxels: int

    def __post_init__(self) -> None:
        if not self.models or not np.isfinite([self.bias, self.network, self.signs]).all():
            raise InputRejected(f"{JOIN} holds no models, or weights that are no numbers: join them again")

    def joined(self, members: tuple[float, ...], values: Mapping[str, float]) -> tuple[float, ...]:
        """Each network's log-odds with the signs' share; a sign that is not in `values` was not measured."""
        own = sum(model.log_odds(values) for model in self.models) / len(self.models)
        return tuple(self.bias + self.network * member + self.signs * own for member in members)


def write_join(path: Path, join: SignJoin) -> None:
    """As JSON; it appears whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(join), separators=(",", ":")) + "\n", encoding="utf-8")
    part.replace(path)


def read_join(path: Path) -> SignJoin:
    """What `write_join` wrote; `ModelError` for anything else."""
    try:
        plain = json.loads(path.read_text("utf-8"))
        models = tuple(map(model_of, plain["models"]))
        bias, network, signs = (float(plain[name]) for name in ("bias", "network", "signs"))
        return SignJoin(models, bias, network, signs, int(plain["crop_voxels"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputRejected) as exc:
        what = f"{path.name} of bundle {path.parent.name!r}"
        raise ModelError(f"{what} cannot be read: {type(exc).__name__}") from exc
