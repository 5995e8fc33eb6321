"""Scores of models that are no networks: tables, the fusion with a network's, and AUC by set."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # it has no types

from wirbel.errors import InputRejected
from wirbel.evaluation.auc import auc

OUT_OF_FOLD, FEATURE = "out_of_fold", "feature_"
#: A class with fewer crops has no AUC here.
LEAST = 5


@dataclass(frozen=True, slots=True, eq=False)
class SetScores:
    """Log-odds by crop and member; NaN where a member learnt from the crop."""

    rows: Int64[np.ndarray, "n"]
    sets: tuple[str, ...]
    training: Bool[np.ndarray, "n"]
    members: Float64[np.ndarray, "n k"]

    @property
    def log_odds(self) -> Float64[np.ndarray, "n"]:
        """The mean of the members that may be asked; NaN where there is none."""
        known = np.isfinite(self.members)
        total = np.where(known, self.members, 0.0).sum(axis=1)
        return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


@dataclass(frozen=True, slots=True)
class Figure:
    """The AUC of one variable or model on the fractured vertebrae of a set, malignant against osteoporotic; a
    variable for which less speaks for malignant is turned round (`sign` -1, as the training rows say)."""

    name: str
    set: str
    malignant: int
    other: int
    auc: float
    low: float
    high: float
    sign: int


def write_table(path: Path, scores: SetScores, features: Mapping[int, Sequence[str]] | None = None) -> None:
    """`scores.tsv`: row, set, member_0 ...; empty where a member learnt from the crop.

    `features`: cells by row (`read_features`), for crops that were not learnt from.
    """
    features = features or {}
    count = max((len(cells) for cells in features.values()), default=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        names = (*(f"member_{k}" for k in range(scores.members.shape[1])), *(f"{FEATURE}{k}" for k in range(count)))
        writer.writerow(["row", "set", *names])
        each = zip(scores.rows, scores.sets, scores.training, scores.members, strict=True)
        for row, arm, trained, members in each:
            if np.isfinite(members).any():
                cells = (f"{m:.6f}" if np.isfinite(m) else "" for m in members)
                told = [""] * count if trained else features.get(int(row), [""] * count)
                writer.writerow([int(row), OUT_OF_FOLD if trained else arm, *cells, *told])


def read_features(path: Path) -> dict[int, list[str]]:
    """The features' cells of each crop that has any, by row, as a table of scores has them."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *lines = csv.reader(file, delimiter="\t")
        where = [k for k, name in enumerate(head) if name.startswith(FEATURE)]
        row = head.index("row")
        cells = {int(line[row]): [line[k] for k in where] for line in lines if line}
    except (OSError, ValueError, IndexError) as exc:
        raise InputRejected(f"{path.name!r} is no table of scores: row, set, member_0, ... are needed") from exc
    return {r: c for r, c in cells.items() if any(c)}


def read_log_odds(path: Path) -> dict[int, float]:
    """The mean of the members by row."""
    out: dict[int, float] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for cells in csv.DictReader(file, delimiter="\t"):
                given = [float(v) for name, v in cells.items() if name.startswith("member_") and v]
                if given:
                    out[int(cells["row"])] = float(np.mean(given))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as exc:
        raise InputRejected(f"{path.name!r} is no table of scores: row, set, member_0, ... are needed") from exc
    if not out:
        raise InputRejected(f"{path.name!r} holds no score")
    return out


def fused(
    own: SetScores,
    others: Sequence[Mapping[int, float]],
    malignant: Bool[np.ndarray, "n"],
    learnt: Bool[np.ndarray, "n"],
) -> tuple[SetScores, Float64[np.ndarray, "w"]]:
    """All log-odds in one logistic model (bias, others, own), by out-of-fold scores of the crops learnt from.

    A crop that lacks one of them has no score.
    """
    theirs = [[other.get(int(row), np.nan) for row in own.rows] for other in others]
    every = np.stack([*np.array(theirs, dtype=np.float64), own.log_odds], axis=1)
    known = np.isfinite(every).all(axis=1)
    use = known & learnt
    if len(set(malignant[use].tolist())) < 2:
        raise InputRejected("the tables of scores have too few training crops in common")
    fit = LogisticRegression(C=1e4, max_iter=2000).fit(every[use], malignant[use])
    weights = np.array([fit.intercept_[0], *fit.coef_[0]], dtype=np.float64)
    said = np.where(known, weights[0] + np.where(np.isfinite(every), every, 0.0) @ weights[1:], np.nan)
    return SetScores(own.rows, own.sets, own.training, said[:, None]), weights


def figures_of(
    malignant: Bool[np.ndarray, "n"],
    fractured: Bool[np.ndarray, "n"],
    sets: Sequence[str],
    models: Mapping[str, SetScores],
    single: Mapping[str, Float64[np.ndarray, "n"]],
) -> Iterator[Figure]:
    """AUC on fractured vertebrae, set by set; training crops by out-of-fold scores."""
    arms = np.array(sets)
    some = next(iter(models.values()))
    names = {k: (m.log_odds, 1) for k, m in models.items()}
    seen = fractured & some.training
    for name, values in single.items():
        up = _plain_auc(malignant[seen], values[seen])
        names[name] = (values, 1 if up is None or up >= 0.5 else -1)
    for arm in dict.fromkeys(sets):
        for name, (values, sign) in names.items():
            here = fractured & (arms == arm) & np.isfinite(values)
            count = int((here & malignant).sum()), int((here & ~malignant).sum())
            if min(count) >= LEAST:
                area = auc(malignant[here], sign * values[here])
                yield Figure(name, arm, *count, area.value, area.low, area.high, sign)


def write_figures(path: Path, figures: Sequence[Figure]) -> None:
    """A line a figure."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["name", "set", "malignant", "other", "auc", "low", "high", "direction"])
        for f in figures:
            numbers = (f"{v:.4f}" for v in (f.auc, f.low, f.high))
            writer.writerow([f.name, f.set, f.malignant, f.other, *numbers, f.sign])


def _plain_auc(malignant: Bool[np.ndarray, "n"], values: Float64[np.ndarray, "n"]) -> float | None:
    if len(set(malignant.tolist())) < 2:
        return None
    return float(auc(malignant, values).value)
