"""Boosted trees: scikit-learn's, and as plain numbers, checked against what scikit-learn itself says."""

from collections.abc import Sequence
from dataclasses import dataclass
from sys import float_info

import numpy as np
from jaxtyping import Bool, Float64
from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]  # it has no types

from wirbel.errors import ModelError
from wirbel.etiology.tree_model import Node, TreeModel

#: The two may differ by so much in log-odds.
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """`trees` trees of `leaves` leaves, at least `leaf_rows` rows each, learnt at `rate`."""

    trees: int = 120
    leaves: int = 6
    leaf_rows: int = 20
    rate: float = 0.06
    seed: int = 1


def boosted_trees(
    values: Float64[np.ndarray, "n c"], malignant: Bool[np.ndarray, "n"], settings: TreeSettings
) -> HistGradientBoostingClassifier:
    """Fitted trees; missing values (NaN) are taken as they are."""
    return HistGradientBoostingClassifier(
        max_iter=settings.trees,
        learning_rate=settings.rate,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.leaf_rows,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=settings.seed,
    ).fit(values, malignant)


def tree_model(
    fit: HistGradientBoostingClassifier,
    names: Sequence[str],
    values: Float64[np.ndarray, "n c"],
    trained_on: str,
) -> TreeModel:
    """The fitted trees over the named columns; `ModelError` where they say otherwise than the library of `values`.

    The trees are read from attributes that scikit-learn does not promise to keep: the check is what makes it safe.
    """
    trees = tuple(
        tuple(_node(row, names) for row in predictor.nodes)
        for stage in fit._predictors
        for predictor in stage
    )
    model = TreeModel(trees, float(np.ravel(fit._baseline_prediction)[0]), trained_on)
    said = np.asarray(fit.decision_function(values), dtype=np.float64)
    mine = [model.log_odds(_known(names, row)) for row in values]
    if not np.allclose(mine, said, rtol=0.0, atol=TOLERANCE):
        raise ModelError("the trees as written differ from scikit-learn's: use the version in the lock file")
    return model


def _known(names: Sequence[str], row: Float64[np.ndarray, "c"]) -> dict[str, float]:
    return {name: float(v) for name, v in zip(names, row, strict=True) if np.isfinite(v)}


def _node(row: np.void, names: Sequence[str]) -> Node:
    if row["is_leaf"]:
        return Node(None, value=float(row["value"]))
    left, right = int(row["left"]), int(row["right"])
    # "known or missing" is asked by an infinite threshold, which JSON has not
    threshold = min(float(row["num_threshold"]), float_info.max)
    return Node(names[row["feature_idx"]], threshold, bool(row["missing_go_to_left"]), left, right)
