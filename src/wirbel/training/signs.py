"""Classifiers from signs and clinical variables alone: logistic and boosted, each fold's patients left out once."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # it has no types

from wirbel.cohort.labelled import Diagnosis
from wirbel.cohort.signs import index_of, read_signs
from wirbel.errors import InputRejected, UsageError
from wirbel.etiology.sign_join import LEVEL_RANK
from wirbel.etiology.sign_model import Column, LinearModel, transformed, write_models
from wirbel.etiology.tree_model import TreeModel
from wirbel.finding.signs import Sign
from wirbel.network.bundle import Bundle, load_bundle
from wirbel.spine import Level
from wirbel.training.sign_bundle import join_bundle
from wirbel.training.sign_scores import (
    Figure,
    SetScores,
    figures_of,
    fused,
    read_features,
    read_log_odds,
    write_figures,
    write_table,
)
from wirbel.training.trees import TreeSettings, boosted_trees, tree_model

AGE, MALE = "age_years", "male"
#: What tells osteoporotic from malignant. Eroded facing endplates speak for neither; older tables lack them.
LEARNT = tuple(sign for sign in Sign if sign is not Sign.ENDPLATES)
NAMES = (*(sign.value for sign in LEARNT), AGE, MALE, LEVEL_RANK)
#: Fewer patients of a class teach nothing.
LEAST_PATIENTS = 10


@dataclass(frozen=True, slots=True)
class SignRecipe:
    """How the two are fitted. `penalty`: inverse strength of the logistic model's ridge; the boosted model has
    `trees` trees of `leaves` leaves, at least `leaf_rows` rows each. `missing`: shares of the rows between which a
    variable's absence is a term of its own. `only_fractured`: rows of unfractured vertebrae are scored, not learnt
    from. `clinical`: age and sex are learnt from; without them a CT alone is enough."""

    folds: int = 5
    seed: int = 1
    penalty: float = 0.1
    trees: int = 120
    leaves: int = 6
    leaf_rows: int = 20
    rate: float = 0.06
    missing: tuple[float, float] = (0.02, 0.98)
    only_fractured: bool = False
    clinical: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class SignTable:
    """One line a crop with known class: `values` are NaN where nothing was measured."""

    rows: Int64[np.ndarray, "n"]
    sets: tuple[str, ...]
    patients: tuple[str, ...]
    fold: Int64[np.ndarray, "n"]
    training: Bool[np.ndarray, "n"]
    fractured: Bool[np.ndarray, "n"]
    malignant: Bool[np.ndarray, "n"]
    values: Float64[np.ndarray, "n c"]


@dataclass(frozen=True, slots=True, eq=False)
class SignRun:
    """What was trained: scores by model, and figures by set."""

    scores: Mapping[str, SetScores]
    figures: tuple[Figure, ...]


def train_signs(
    crops: Path,
    signs: Path,
    out: Path,
    recipe: SignRecipe | None = None,
    *,
    fuse_with: Mapping[str, Path] | None = None,
    onto: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> SignRun:
    """Train, score every crop that has signs, and write the run's folder.

    `scores.tsv` is the logistic model's (e); `boosted/scores.tsv` the boosted one's; `NAME+e/scores.tsv` the fusion
    of the scores NAME with e (f), fitted on out-of-fold scores of training crops alone; of several NAMEs each alone
    and all together (`NAME+OTHER+e`); features of the first NAME that has any go along. `models.json` holds every
    logistic model, `figures.tsv` the AUC of each sign and model on fractured vertebrae by set, `config.json` how.
    `onto`: the bundle whose scores the one NAME are; `bundle` is then the same networks with the signs joined.
    """
    recipe = recipe or SignRecipe()
    base = None if onto is None else _base(onto, fuse_with or {}, recipe)
    table = sign_table(crops, signs, recipe.folds)
    _must_teach(table, recipe)
    out.mkdir(parents=True, exist_ok=True)
    logistic, models = _logistic(table, recipe)
    boosted, trees = _boosted(table, recipe)
    found = {"e": logistic, "boosted": boosted}
    others = {name: read_log_odds(path) for name, path in (fuse_with or {}).items()}
    features = {name: read_features(path) for name, path in (fuse_with or {}).items()}
    made_of: dict[str, tuple[str, ...]] = {}
    together = [*((name,) for name in others), *([tuple(others)] if len(others) > 1 else [])]
    for names in together:
        for with_name in ("e", "boosted"):
            joined = "+".join((*names, with_name))
            made_of[joined] = names
            found[joined], weights = fused(
                found[with_name], [others[n] for n in names], table.malignant, _learnt(table, recipe)
            )
            say(f"{joined}: " + ", ".join(f"{w:.3f}" for w in weights))
            if base is not None and with_name == "boosted":
                join_bundle(crops, signs, base, out / "bundle", trees, weights.tolist(), seed=recipe.seed)
    for name, scores in found.items():
        told = next((features[n] for n in made_of.get(name, ()) if features[n]), None)
        write_table(out / ("" if name == "e" else name) / "scores.tsv", scores, told)
    write_models(out / "models.json", models)
    figures = tuple(figures_of(table.malignant, table.fractured, table.sets, found, _single(table)))
    write_figures(out / "figures.tsv", figures)
    config = {
        "recipe": asdict(recipe),
        "columns": NAMES,
        "crops": len(table.rows),
        "training": int(table.training.sum()),
        "signs_sha256": hashlib.sha256(signs.read_bytes()).hexdigest(),
        "fused_with": {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in (fuse_with or {}).items()},
        "note": "research use only; figures from simulated crops are simulated",
    }
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return SignRun(found, figures)


def _base(onto: Path, fuse_with: Mapping[str, Path], recipe: SignRecipe) -> Bundle:
    """The bundle that the signs are joined to; the scores must be its own."""
    if len(fuse_with) != 1:
        raise UsageError("--onto needs exactly one --with NAME=FILE: the scores of that bundle")
    if recipe.clinical:
        raise UsageError("--onto needs --no-clinical: the main job need not know age and sex")
    bundle, mark = load_bundle(onto), next(iter(fuse_with.values())).with_suffix(".scorer")
    if not mark.is_file() or mark.read_text("utf-8").strip() != bundle.sha256:
        raise UsageError(f"the scores are not those of bundle {bundle.name!r}: take the two from one run")
    return bundle


def sign_table(crops: Path, signs: Path, folds: int) -> SignTable:
    """Signs joined with the index, in the order of rows.

    Left out: crops of unclear class, training crops without signs, and whole arms of which a crop has no line yet:
    an arm that is scored in part would be another one.
    """
    index, measured = index_of(crops), read_signs(signs)
    clear = [r for r in sorted(index) if _diagnosis(r, index[r]) is not Diagnosis.UNCLEAR]
    partly = {_arm(index[r]) for r in clear if r not in measured and _split(index[r]) != "train"}
    rows = [r for r in clear if r in measured and _arm(index[r]) not in partly]
    if not rows:
        raise InputRejected(f"{signs.name!r} and {crops.name!r} have no crop in common: measure the signs again")
    kinds = [_diagnosis(r, index[r]) for r in rows]
    patients = tuple(index[r]["patient"] for r in rows)
    split = [_split(index[r]) for r in rows]
    return SignTable(
        np.array(rows, dtype=np.int64),
        tuple(_arm(index[r]) for r in rows),
        patients,
        np.array([_fold(index[r], folds) for r in rows], dtype=np.int64),
        np.array([s == "train" for s in split]),
        np.array([k.is_fracture for k in kinds]),
        np.array([k.is_malignant for k in kinds]),
        np.array([_values(measured[r], index[r]) for r in rows], dtype=np.float64),
    )


def _split(index: Mapping[str, str]) -> str:
    return index.get("split") or "train"


def _arm(index: Mapping[str, str]) -> str:
    return index.get("arm") or _split(index)


def _diagnosis(row: int, index: Mapping[str, str]) -> Diagnosis:
    try:
        return Diagnosis(index["class"])
    except (KeyError, ValueError) as exc:
        raise InputRejected(f"crop {row}: its class is none of {', '.join(d.value for d in Diagnosis)}") from exc


def _fold(index: Mapping[str, str], folds: int) -> int:
    """The patient's fold as the cohort says, or by the patient's name."""
    if index.get("fold"):
        return int(float(index["fold"]))
    return int(hashlib.sha256(index["patient"].encode()).hexdigest(), 16) % folds


def _values(measured: Mapping[Sign, float], index: Mapping[str, str]) -> list[float]:
    nan = float("nan")
    age = index.get("age") or "nan"
    sex = {"M": 1.0, "F": 0.0}.get(index.get("sex", ""), nan)
    name = index.get("vertebra", "")
    level = Level[name].rank if name in Level.__members__ else nan
    return [*(measured.get(sign, nan) for sign in LEARNT), float(age), sex, level]


def _must_teach(table: SignTable, recipe: SignRecipe) -> None:
    wanted = _learnt(table, recipe)
    for kind, told in ((True, "malignant"), (False, "other")):
        of = {p for p, w, m in zip(table.patients, wanted, table.malignant, strict=True) if w and m == kind}
        if len(of) < LEAST_PATIENTS:
            raise InputRejected(
                f"{len(of)} training patients with a {told} vertebra: at least {LEAST_PATIENTS} of each are needed"
            )


def _learnt(table: SignTable, recipe: SignRecipe) -> Bool[np.ndarray, "n"]:
    return table.training & table.fractured if recipe.only_fractured else table.training


def _folds(table: SignTable, learnt: Bool[np.ndarray, "n"]) -> list[int]:
    """Folds whose patients, left out, leave both classes."""
    all_ = sorted({int(f) for f in table.fold[table.training]})
    return [f for f in all_ if len(set(table.malignant[learnt & (table.fold != f)].tolist())) == 2]


def _logistic(table: SignTable, recipe: SignRecipe) -> tuple[SetScores, dict[str, LinearModel]]:
    """Ridge logistic regression, one model a fold."""
    learnt, models = _learnt(table, recipe), {}
    for member, fold in enumerate(_folds(table, learnt)):
        use = learnt & (table.fold != fold)
        columns = _columns(table.values[use], recipe)
        terms = _terms(columns, table.values)
        fit = LogisticRegression(C=recipe.penalty, max_iter=2000).fit(terms[use], table.malignant[use])
        weights = tuple(float(w) for w in fit.coef_[0])
        said = f"{int(use.sum())} crops, fold {fold} left out"
        models[f"member_{member}"] = LinearModel(columns, weights, float(fit.intercept_[0]), said)
    each = [
        _terms(m.columns, table.values) @ np.array(m.weights, dtype=np.float64) + m.bias for m in models.values()
    ]
    return _scores(table, learnt, np.stack(each, axis=1)), models


def _boosted(table: SignTable, recipe: SignRecipe) -> tuple[SetScores, tuple[TreeModel, ...]]:
    """Boosted trees, which take missing values as they are; one model a fold."""
    learnt, each, models = _learnt(table, recipe), [], []
    used = [k for k, name in enumerate(NAMES) if recipe.clinical or name not in (AGE, MALE)]
    values = table.values[:, used]
    settings = TreeSettings(recipe.trees, recipe.leaves, recipe.leaf_rows, recipe.rate, recipe.seed)
    for fold in _folds(table, learnt):
        use = learnt & (table.fold != fold)
        fit = boosted_trees(values[use], table.malignant[use], settings)
        each.append(np.asarray(fit.decision_function(values), dtype=np.float64))
        said = f"{int(use.sum())} crops, fold {fold} left out"
        models.append(tree_model(fit, [NAMES[k] for k in used], values[use], said))
    return _scores(table, learnt, np.stack(each, axis=1)), tuple(models)


def _scores(table: SignTable, learnt: Bool[np.ndarray, "n"], members: Float64[np.ndarray, "n k"]) -> SetScores:
    """A training crop keeps the member that never saw its patient."""
    said = members.copy()
    order = {fold: k for k, fold in enumerate(_folds(table, learnt))}
    for i in np.flatnonzero(table.training):
        own = order.get(int(table.fold[i]))
        if own is not None:
            said[i, np.arange(said.shape[1]) != own] = np.nan
    return SetScores(table.rows, tuple(table.sets), table.training, said)


def _columns(values: Float64[np.ndarray, "n c"], recipe: SignRecipe) -> tuple[Column, ...]:
    """Mean and spread of the training rows; a variable that never varies is left out."""
    out = []
    for k, name in enumerate(NAMES):
        if name in (AGE, MALE) and not recipe.clinical:
            continue
        known = np.array([transformed(name, v) for v in values[:, k] if np.isfinite(v)])
        missing = 1.0 - len(known) / len(values)
        if len(known) < 2 or float(np.std(known)) < 1e-9:
            continue
        counts = recipe.missing[0] < missing < recipe.missing[1]
        out.append(Column(name, float(known.mean()), float(known.std()), counts))
    return tuple(out)


def _terms(columns: Sequence[Column], values: Float64[np.ndarray, "n c"]) -> Float64[np.ndarray, "n t"]:
    place = {name: k for k, name in enumerate(NAMES)}
    known = np.isfinite(values)
    return np.array(
        [
            [t for c in columns for t in c.terms(float(v[place[c.name]]) if k[place[c.name]] else None)]
            for v, k in zip(values, known, strict=True)
        ],
        dtype=np.float64,
    )


def _single(table: SignTable) -> dict[str, Float64[np.ndarray, "n"]]:
    """Each variable alone, the training rows' median where it is missing."""
    out = {}
    for k, name in enumerate(NAMES):
        column = table.values[:, k]
        known = column[table.training & np.isfinite(column)]
        if len(known):
            out[name] = np.where(np.isfinite(column), column, float(np.median(known)))
    return out
