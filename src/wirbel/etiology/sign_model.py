"""A linear model of signs and clinical variables as plain numbers: read from JSON, no learning library needed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from wirbel.errors import InputRejected

#: Volumes and areas enter by their logarithm, log(1 + x).
LOGARITHMIC = ("_mm3", "_mm2")


@dataclass(frozen=True, slots=True)
class Column:
    """One variable: `mean` stands in where it is missing; `missing_counts` where that itself is evidence."""

    name: str
    mean: float
    scale: float
    missing_counts: bool

    def terms(self, value: float | None) -> tuple[float, ...]:
        """What enters the sum: the standardised value, and whether it is missing."""
        plain = 0.0 if value is None else (transformed(self.name, value) - self.mean) / self.scale
        return (plain, float(value is None)) if self.missing_counts else (plain,)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """log-odds of malignancy = bias + weights . terms, in the columns' order.

    `trained_on` says on what, in words that are shown with every figure.
    """

    columns: tuple[Column, ...]
    weights: tuple[float, ...]
    bias: float
    trained_on: str

    def __post_init__(self) -> None:
        terms = sum(1 + column.missing_counts for column in self.columns)
        numbers = np.array([*self.weights, self.bias], dtype=np.float64)
        if terms != len(self.weights) or not np.isfinite(numbers).all():
            raise InputRejected(f"a model of {terms} terms has {len(self.weights)} weights: train it again")

    def log_odds(self, values: Mapping[str, float]) -> float:
        """Of one vertebra; a variable that is not in `values` is missing."""
        terms = [t for column in self.columns for t in column.terms(values.get(column.name))]
        return self.bias + float(np.dot(self.weights, terms))


def transformed(name: str, value: float) -> float:
    """A variable as it enters."""
    return float(np.log1p(max(value, 0.0))) if name.endswith(LOGARITHMIC) else float(value)


def write_models(path: Path, models: Mapping[str, LinearModel]) -> None:
    """Models by name, as JSON."""
    plain = {name: asdict(model) for name, model in models.items()}
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def read_models(path: Path) -> dict[str, LinearModel]:
    """Models by name; `InputRejected` for what is none."""
    try:
        plain = json.loads(path.read_text("utf-8"))
        return {
            name: LinearModel(
                tuple(Column(**column) for column in model["columns"]),
                tuple(float(w) for w in model["weights"]),
                float(model["bias"]),
                str(model["trained_on"]),
            )
            for name, model in plain.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputRejected(f"{path.name!r} holds no model of signs: train one with wirbel train signs") from exc
