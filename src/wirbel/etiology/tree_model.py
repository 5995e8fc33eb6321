"""Boosted trees over signs as plain numbers (Friedman 2001): read from JSON, no learning library needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from wirbel.errors import InputRejected


@dataclass(frozen=True, slots=True)
class Node:
    """A question (`name` at most `threshold`? then `left`, else `right`; unknown: `missing_left`), or a leaf, whose
    `name` is None and which adds `value`."""

    name: str | None
    threshold: float = 0.0
    missing_left: bool = False
    left: int = 0
    right: int = 0
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class TreeModel:
    """log-odds of malignancy = bias + the leaves that a vertebra falls into, one a tree."""

    trees: tuple[tuple[Node, ...], ...]
    bias: float
    trained_on: str

    def __post_init__(self) -> None:
        for tree in self.trees:
            for place, node in enumerate(tree):
                onward = all(place < child < len(tree) for child in (node.left, node.right))
                if not (node.name is None or onward) or not isfinite(node.threshold + node.value):
                    raise InputRejected("a tree of the signs leads nowhere: train it again")
        if not self.trees or not all(self.trees) or not isfinite(self.bias):
            raise InputRejected("a model of signs has no trees: train it again")

    def log_odds(self, values: Mapping[str, float]) -> float:
        """Of one vertebra; a sign that is not in `values` is missing."""
        return self.bias + sum(_leaf(tree, values) for tree in self.trees)


def model_of(plain: Mapping[str, Any]) -> TreeModel:
    """A model from what `asdict` made of it; `KeyError`, `TypeError` or `ValueError` for anything else."""
    trees = tuple(tuple(Node(**node) for node in tree) for tree in plain["trees"])
    return TreeModel(trees, float(plain["bias"]), str(plain["trained_on"]))


def _leaf(tree: tuple[Node, ...], values: Mapping[str, float]) -> float:
    node = tree[0]
    while node.name is not None:
        value = values.get(node.name)
        left = node.missing_left if value is None else value <= node.threshold
        node = tree[node.left if left else node.right]
    return node.value
