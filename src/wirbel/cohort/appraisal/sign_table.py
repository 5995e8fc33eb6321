"""Measured signs of a cohort's crops, and all of them in one logistic model."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64
from scipy import optimize, special

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm
from wirbel.errors import InputRejected, UsageError

#: Weight of the squared coefficients (of signs with spread 1): what keeps rare signs from infinite ones.
RIDGE = 1.0
#: Signs are cut at these centiles of the training cases: volumes have long tails.
CENTILES = (1.0, 99.0)
#: Cases of each class below which no model is fitted, and folds where there are no training cases.
LEAST_CASES, FOLDS = 20, 5


@dataclass(frozen=True, slots=True, eq=False)
class SignTable:
    """One row a crop of the folder: `values` where `measured`; `present` says which crops the file names."""

    names: tuple[str, ...]
    values: Float64[np.ndarray, "n k"]
    measured: Bool[np.ndarray, "n k"]
    present: Bool[np.ndarray, "n"]

    def of(self, arm: Arm) -> Arm:
        """The cases of an arm that the file names."""
        return arm.of([c for c in arm.cases if self.present[c.row]])


@dataclass(frozen=True, slots=True, eq=False)
class SignModel:
    """Coefficients of all signs and of 'not measured', on signs centred and scaled as in training."""

    low: Float64[np.ndarray, "k"]
    high: Float64[np.ndarray, "k"]
    centre: Float64[np.ndarray, "k"]
    spread: Float64[np.ndarray, "k"]
    weights: Float64[np.ndarray, "m"]
    cases: int

    def log_odds(self, values: Float64[np.ndarray, "n k"], measured: Bool[np.ndarray, "n k"]) -> np.ndarray:
        """Log-odds of malignancy."""
        return np.asarray(self._design(values, measured) @ self.weights)

    def _design(self, values: np.ndarray, measured: np.ndarray) -> np.ndarray:
        scaled = (np.clip(values, self.low, self.high) - self.centre) / self.spread
        return np.hstack([np.ones((len(values), 1)), np.where(measured, scaled, 0.0), (~measured).astype(float)])


def read_signs(path: Path, crops: int) -> SignTable:
    """Signs from a TSV with `row` and a column a sign, empty where not measured.

    `UsageError` where there is no such file, `InputRejected` with the line where it does not fit the folder.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path.name!r}: give the table of signs, or leave --signs out")
    try:
        lines = [c for c in csv.reader(path.read_text("utf-8-sig").splitlines(), delimiter="\t") if c]
    except UnicodeDecodeError as exc:
        raise InputRejected(f"{path.name!r} is not UTF-8 text: write the signs as TSV") from exc
    head = lines[0] if lines else []
    if "row" not in head or len(head) < 2 or len(lines) < 2:
        raise InputRejected(f"{path.name!r} is no table of signs: a column row and one a sign are needed")
    at = head.index("row")
    columns = [k for k, title in enumerate(head) if k != at and _is_numeric(lines[1:], k)]
    values, present = np.zeros((crops, len(columns))), np.zeros(crops, dtype=bool)
    measured = np.zeros((crops, len(columns)), dtype=bool)
    for line, cells in enumerate(lines[1:], start=2):
        where = f"{path.name}, line {line}"
        if len(cells) != len(head) or not cells[at].isdigit() or int(cells[at]) >= crops:
            raise InputRejected(f"{where}: no line of the header's {len(head)} cells for one of {crops} crops")
        row = int(cells[at])
        if present[row]:
            raise InputRejected(f"{where}: crop {row} stands there a second time: keep one line a crop")
        present[row] = True
        for j, k in enumerate(columns):
            if cells[k]:
                values[row, j], measured[row, j] = float(cells[k]), True
    return SignTable(tuple(head[k] for k in columns), values, measured, present)


def training_arm(signs: SignTable, cohort: AppraisedCohort) -> Arm | None:
    """The fractures for training that the table names; None where they are too few to fit."""
    cases = [c for a in cohort.arms if a.split == "train" for c in signs.of(a).cases if c.is_fracture]
    arm = Arm("train", "train", tuple(cases))
    return arm if cases and _enough(arm.malignant) else None


def sign_scores(signs: SignTable, arm: Arm, train: Arm | None) -> tuple[Float64[np.ndarray, "n"], str] | None:
    """Log-odds of all signs in one logistic model for an arm's cases, and how it was fitted; None where there are
    too few cases."""
    if train is not None:
        model = _fit(signs.values[train.rows], signs.measured[train.rows], train.malignant)
        scored = model.log_odds(signs.values[arm.rows], signs.measured[arm.rows])
        return scored, f"fitted to {model.cases} fractures of the training arm"
    if not _enough(arm.malignant):
        return None
    folds = np.random.default_rng(1).permutation(int(arm.patients.max()) + 1)[arm.patients] % FOLDS
    out = np.zeros(len(arm.cases))
    for fold in range(FOLDS):
        own = folds == fold
        model = _fit(signs.values[arm.rows[~own]], signs.measured[arm.rows[~own]], arm.malignant[~own])
        out[own] = model.log_odds(signs.values[arm.rows[own]], signs.measured[arm.rows[own]])
    return out, f"{FOLDS}-fold cross-validation with whole patients on this arm"


def _enough(malignant: Bool[np.ndarray, "n"]) -> bool:
    return min(int(malignant.sum()), int((~malignant).sum())) >= LEAST_CASES


def _fit(
    values: Float64[np.ndarray, "n k"], measured: Bool[np.ndarray, "n k"], malignant: Bool[np.ndarray, "n"]
) -> SignModel:
    k = values.shape[1]
    low, high, centre, spread = np.zeros(k), np.zeros(k), np.zeros(k), np.ones(k)
    for j in range(k):
        own = values[measured[:, j], j]
        if own.size:
            low[j], high[j] = np.percentile(own, CENTILES)
            cut = np.clip(own, low[j], high[j])
            centre[j], spread[j] = cut.mean(), cut.std() if cut.std() > 0 else 1.0
    blank = SignModel(low, high, centre, spread, np.zeros(2 * k + 1), len(values))
    design, truth = blank._design(values, measured), malignant.astype(np.float64)
    penalty = np.r_[0.0, np.full(2 * k, RIDGE)]

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        linear = design @ w
        value = float(np.sum(np.logaddexp(0.0, linear) - truth * linear) + (penalty * w**2).sum() / 2)
        return value, np.asarray(design.T @ (special.expit(linear) - truth) + penalty * w)

    found = optimize.minimize(loss, blank.weights, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return SignModel(low, high, centre, spread, np.asarray(found.x, dtype=np.float64), len(values))


def _is_numeric(lines: Sequence[Sequence[str]], k: int) -> bool:
    """Whether a column holds a number and nothing but numbers."""
    filled = [cells[k] for cells in lines if k < len(cells) and cells[k]]
    try:
        return bool(filled) and bool(np.isfinite([float(x) for x in filled]).all())
    except ValueError:
        return False
