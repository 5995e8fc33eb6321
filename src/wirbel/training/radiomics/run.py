"""`wirbel train radiomics`: from a folder of crops to scores, one run folder; what was measured stays measured."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from wirbel.cohort.crops import INDEX_FILE, read_crops
from wirbel.cohort.whole_files import write_whole
from wirbel.errors import UsageError
from wirbel.etiology.tree_model import TreeModel
from wirbel.training.fracture.crop_rows import CropData, CropRow, open_crops
from wirbel.training.fracture.recipe import RECIPES, Learnt, Recipe, chosen
from wirbel.training.radiomics.features import FEATURES, RadiomicsSettings, radiomics_library
from wirbel.training.radiomics.table import read_features, write_features
from wirbel.training.sign_scores import Figure, SetScores, figures_of, write_figures, write_table
from wirbel.training.trees import TreeSettings, boosted_trees, tree_model

TABLE, ABOUT, MODELS = "radiomics.tsv", "radiomics.json", "models.json"
SCORES, FIGURES = "scores.tsv", "figures.tsv"
#: Fractures alone, as the study's approach 1: whether a vertebra is deformed must not tell its class.
RECIPE = Recipe("c", "masked", RECIPES["a1"].classes, False, "radiomics and boosted trees: fractures alone")
NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."


@dataclass(frozen=True, slots=True)
class RadiomicsPlan:
    """A run: how features are made, folds (the cohort's own where it has as many), how the trees are grown."""

    folds: int = 5
    features: RadiomicsSettings = field(default_factory=RadiomicsSettings)
    trees: TreeSettings = field(default_factory=TreeSettings)


@dataclass(frozen=True, slots=True, eq=False)
class RadiomicsRun:
    """What was trained: scores, figures by set, and crops that could not be measured."""

    scores: SetScores
    figures: tuple[Figure, ...]
    bad: tuple[str, ...]


def train_radiomics(
    crops: Path, out: Path, plan: RadiomicsPlan | None = None, *, say: Callable[[str], None] = lambda line: None
) -> RadiomicsRun:
    """Measure, train one member a fold, score the training crops out of fold and every other arm by all members.

    Nothing is written where the crops cannot serve (`InputRejected`) or `out` holds another run (`UsageError`).
    """
    plan = plan or RadiomicsPlan()
    spacing_mm = read_crops(crops).settings.spacing_mm
    data = open_crops(crops)
    learnt = chosen(data.rows, RECIPE, folds=plan.folds, seed=plan.trees.seed)
    rows = [*(u.crop for u in learnt), *(r for r in data.rows if r.split != "train")]
    _open_run(out, crops, plan.features)

    def told(count: int) -> None:
        if count % 100 == 0:
            say(f"{count} of at most {len(rows)} crops measured")

    made = write_features(data, rows, out / TABLE, plan.features, spacing_mm=spacing_mm, seen=told)
    values = read_features(out / TABLE, [r.row for r in rows])
    scores, models = _fitted(rows, learnt, values, plan)
    write_table(out / SCORES, scores)
    write_whole(out / MODELS, json.dumps([asdict(m) for m in models]) + "\n")
    figures = _figures(rows, scores, values)
    write_figures(out / FIGURES, figures)
    _write_config(out, data, learnt, plan)
    return RadiomicsRun(scores, figures, made.bad)


def _fitted(
    rows: Sequence[CropRow], learnt: Sequence[Learnt], values: Float64[np.ndarray, "n f"], plan: RadiomicsPlan
) -> tuple[SetScores, tuple[TreeModel, ...]]:
    """The first rows are those learnt from, in their order."""
    fold = np.array([u.fold for u in learnt], dtype=np.int64)
    malignant = np.array([u.malignant for u in learnt])
    mine = values[: len(learnt)]
    said = np.full((len(rows), plan.folds), np.nan)
    models = []
    for k in range(plan.folds):
        use = fold != k
        fit = boosted_trees(mine[use], malignant[use], plan.trees)
        said[:, k] = fit.decision_function(values)
        said[np.flatnonzero(use), k] = np.nan
        models.append(tree_model(fit, FEATURES, mine[use], f"{int(use.sum())} crops, fold {k + 1} left out"))
    training = np.arange(len(rows)) < len(learnt)
    at = np.array([r.row for r in rows], dtype=np.int64)
    return SetScores(at, tuple(r.arm for r in rows), training, said), tuple(models)


def _figures(rows: Sequence[CropRow], scores: SetScores, values: Float64[np.ndarray, "n f"]) -> tuple[Figure, ...]:
    malignant = np.array([r.diagnosis.is_malignant for r in rows])
    fractured = np.array([r.diagnosis.is_fracture for r in rows])
    single = {name: values[:, k] for k, name in enumerate(FEATURES) if np.isfinite(values[:, k]).any()}
    return tuple(figures_of(malignant, fractured, scores.sets, {RECIPE.name: scores}, single))


def _open_run(out: Path, crops: Path, settings: RadiomicsSettings) -> None:
    """A new folder, or one begun with the same crops, settings and library: its table is gone on with."""
    about: dict[str, object] = {
        "index_sha256": hashlib.sha256((crops / INDEX_FILE).read_bytes()).hexdigest(),
        "settings": asdict(settings),
        "library": f"flash-radiomics {_library_version()}",
    }
    path = out / ABOUT
    if path.is_file():
        if path.read_text("utf-8") != _plain(about):
            raise UsageError(f"{out.name!r} was begun with other crops, settings or library: name a new folder")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out.name!r} is not empty and holds no run: name a new folder")
    write_whole(path, _plain(about))


def _write_config(out: Path, data: CropData, learnt: Sequence[Learnt], plan: RadiomicsPlan) -> None:
    config = {
        "model": RECIPE.name,
        "what": RECIPE.says,
        "notice": NOTICE,
        "simulated": data.simulated,
        "crops": len(learnt),
        "malignant": sum(u.malignant for u in learnt),
        "patients": len({u.crop.patient for u in learnt}),
        "features_sha256": hashlib.sha256((out / TABLE).read_bytes()).hexdigest(),
        "drawn_by": dict(data.made_by),
        "plan": asdict(plan),
        "environment": {name: installed(name) for name in ("scikit-learn", "numpy", "wirbel")},
    }
    write_whole(out / "config.json", _plain(config))


def _library_version() -> str:
    radiomics_library()
    return installed("flash-radiomics")


def _plain(about: dict[str, object]) -> str:
    return json.dumps(about, indent=1) + "\n"
