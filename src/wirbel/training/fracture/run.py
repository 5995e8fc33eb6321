"""`wirbel train fracture`: from a folder of crops to a calibrated ensemble, one run folder a model."""

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version as installed
from pathlib import Path

import torch

from wirbel.errors import InputRejected, UsageError
from wirbel.etiology import Calibration, written_calibration
from wirbel.etiology.calibration import Population
from wirbel.network.bundle import Bundle
from wirbel.network.fracture import open_fracture
from wirbel.training.fracture.bundle import write_ensemble
from wirbel.training.fracture.card import model_card
from wirbel.training.fracture.crop_rows import TRAINING_ARMS, CropData, data_digest, must_be_sound, open_crops
from wirbel.training.fracture.earlier import CONFIG, earlier_run, write_folds
from wirbel.training.fracture.fit import Epoch, FitSettings, fit_member
from wirbel.training.fracture.recipe import Learnt, Recipe, chosen, recipe_named
from wirbel.training.fracture.scores import (
    Figure,
    ScoredCrop,
    calibration_of,
    figures,
    out_of_fold,
    read_scores,
    scores_of,
    write_scores,
)
from wirbel.training.fracture.votes import score_votes

SCORES, FIGURES, BUNDLE = "scores.tsv", "figures.tsv", "bundle"
CARD = "MODEL_CARD.md"
NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."


@dataclass(frozen=True, slots=True)
class FracturePlan:
    """A run: which model, how many members, how each learns."""

    model: str = "b2"
    folds: int = 3
    fit: FitSettings = field(default_factory=FitSettings)
    device: str = "auto"
    version: str = "0.1.0"
    start: Path | None = None
    """A run of the same model whose members' best weights these begin with, and whose folds they take."""


def train_fracture(crops: Path, out: Path, plan: FracturePlan, *, say: Callable[[str], None]) -> Path:
    """Train, export, score, calibrate; every stage goes on where it stopped. The bundle's folder.

    A model whose slices vote is scored, but neither exported nor calibrated: then it is the run's folder. Nothing
    is written where the crops cannot serve (`InputRejected`, `UsageError`).
    """
    recipe = recipe_named(plan.model)
    data = open_crops(crops)
    waiting = [a for a in TRAINING_ARMS if a in data.unfinished]
    if waiting:
        raise UsageError(f"{crops.name!r} is still being drawn: {waiting[0]} is not complete; wait for it")
    learnt = chosen(data.rows, recipe, folds=plan.folds, seed=plan.fit.seed)
    device = _device(plan.device)
    must_be_sound(data, [u.crop for u in learnt])
    starts: Sequence[Path | None] = [None] * plan.folds
    if plan.start is not None:
        earlier = earlier_run(plan.start, recipe, plan.folds)
        learnt, starts = earlier.folded(learnt), earlier.members
    _open_run(out, _config(data, learnt, recipe, plan, device))
    write_folds(out, learnt)
    simulated = "simulated, " if data.simulated else ""
    checkpoints = []
    for k in range(plan.folds):

        def told(done: Epoch, member: int = k) -> None:
            say(
                f"{recipe.name} member {member} epoch {done.epoch} ({done.seconds:.0f} s): loss "
                f"{done.training_loss:.3f}, validation {done.validation_loss:.3f}, AUC {done.validation_auc:.3f} "
                f"({simulated}research use only)"
            )

        folder = out / f"fold_{k}"
        checkpoints.append(
            fit_member(data, recipe, learnt, k, folder, plan.fit, device=device, start=starts[k], say=told)
        )
    if recipe.by_slices:
        votes = score_votes(data, learnt, recipe, checkpoints, out / SCORES, bf16=plan.fit.bf16, say=say)
        _write_figures(out / FIGURES, figures(data, votes), recipe, say, kind=_kind(data))
        return out
    bundle = write_ensemble(
        out / BUNDLE, recipe, checkpoints, name=f"fracture-{recipe.name}", version=plan.version,
        trained_on=_trained_on(data, learnt), simulated=data.simulated, made_by=dict(data.made_by),
        by_paint=_by_paint(data, recipe),
    )  # fmt: skip
    _judge(data, learnt, recipe, bundle, out, plan, say)
    return bundle.folder


def _judge(
    data: CropData, learnt: Sequence[Learnt], recipe: Recipe, bundle: Bundle, out: Path, plan: FracturePlan,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    """Scores of all arms that are there, calibrations, and a first look at the figures."""
    networks = open_fracture(bundle, threads=plan.fit.threads)
    scored: list[ScoredCrop] = read_scores(out / SCORES, scorer=bundle.sha256)
    if not scored:
        scored = out_of_fold(data, learnt, networks)
        write_scores(out / SCORES, scored, scorer=bundle.sha256)
    have = {s.row for s in scored}
    for arm in data.other_arms:
        new = [r for r in data.arm(arm) if r.row not in have]
        if new:
            scored += scores_of(data, new, networks)
            write_scores(out / SCORES, scored, scorer=bundle.sha256)
        if arm in data.unfinished:
            say(f"{arm} is still being drawn: {len(data.arm(arm))} of its crops are scored; run again for the rest")
    calibrations: dict[str, Calibration] = {}
    populations = [Population.FRACTURED, *([Population.UNFRACTURED] if recipe.trained_with_normals else [])]
    for population in populations:
        path = bundle.folder / f"calibration_{population.value}.json"
        name = f"{'simulated ' if data.simulated else ''}calibration cohort, {population.value}"
        fitted = calibration_of(data, networks, population, name=name, seed=plan.fit.seed)
        if fitted is None:
            say(f"no calibration for {population.value} vertebrae: too few patients are kept for it")
            path.unlink(missing_ok=True)
            continue
        path.write_text(written_calibration(fitted), encoding="utf-8")
        calibrations[population.value] = fitted
    seen = figures(data, scored)
    _write_figures(out / FIGURES, seen, recipe, say, kind=_kind(data))
    card = model_card(
        recipe, json.loads((out / CONFIG).read_text("utf-8")), seen, calibrations, name=bundle.name,
        version=bundle.version, unfinished=data.unfinished,
    )  # fmt: skip
    (bundle.folder / CARD).write_text(card, encoding="utf-8")


def _kind(data: CropData) -> str:
    return "simulated" if data.simulated else "cohort"


def _write_figures(
    path: Path, seen: Sequence[Figure], recipe: Recipe, say: Callable[[str], None], *, kind: str
) -> None:
    lines = ["set\tvertebrae\tcrops\tmalignant\tauc\tlow\thigh\tdata"]
    for f in seen:
        lines.append(
            f"{f.arm}\t{f.what}\t{f.crops}\t{f.malignant}\t{f.auc:.4f}\t{f.low:.4f}\t{f.high:.4f}\t{kind}"
        )
        say(
            f"{recipe.name} {f.arm}, {f.what}: AUC {f.auc:.3f} ({f.low:.3f} to {f.high:.3f}), n = {f.crops} "
            f"({kind}, research use only)"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _by_paint(data: CropData, recipe: Recipe) -> bool:
    return recipe.taught and data.marks is not None


def _config(
    data: CropData, learnt: Sequence[Learnt], recipe: Recipe, plan: FracturePlan, device: torch.device
) -> dict[str, object]:
    return {
        "model": recipe.name,
        "what": recipe.says,
        "notice": NOTICE,
        "simulated": data.simulated,
        "taught_by_paint": _by_paint(data, recipe),
        "crops": len(learnt),
        "malignant": sum(u.malignant for u in learnt),
        "patients": len({u.crop.patient for u in learnt}),
        "data_sha256": data_digest(data, [u.crop for u in learnt]),
        "folds_sha256": _folds_digest(learnt),
        "drawn_by": dict(data.made_by),
        "plan": _plain(plan),
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "device": device.type,
            **{name: installed(name) for name in ("torch", "numpy", "onnx", "onnxruntime", "wirbel")},
        },
    }


def _plain(plan: FracturePlan) -> dict[str, object]:
    """The plan as JSON has it; of a run to begin with the name and what it was trained on, not its place."""
    plain: dict[str, object] = json.loads(json.dumps(asdict(replace(plan, start=None))))
    if plan.start is not None:
        before = json.loads((plan.start / CONFIG).read_text("utf-8"))
        plain["start"] = {"run": plan.start.name, "data_sha256": before.get("data_sha256")}
    return plain


def _folds_digest(learnt: Sequence[Learnt]) -> str:
    told = "".join(f"{u.crop.row}:{u.fold}\n" for u in learnt)
    return hashlib.sha256(told.encode()).hexdigest()


#: What must be as it was where a run goes on, and what it is called.
_SAME = {
    "model": "model",
    "data_sha256": "data",
    "folds_sha256": "folds",
    "taught_by_paint": "truth of what was painted (marks.npy)",
}


def _open_run(out: Path, config: dict[str, object]) -> None:
    """A new run folder, or one begun with the same data, model and folds."""
    path = out / CONFIG
    if path.is_file():
        try:
            before = json.loads(path.read_text("utf-8"))
        except ValueError as exc:
            raise UsageError(f"{CONFIG} in {out.name!r} is damaged: name a new folder") from exc
        for key, what in _SAME.items():
            if before.get(key) != config[key]:
                raise UsageError(f"{out.name!r} was begun with another {what}: name a new folder")
        if before.get("plan", {}).get("fit", {}).get("seed") != config["plan"]["fit"]["seed"]:  # type: ignore[index]  # asdict gives dicts
            raise UsageError(f"{out.name!r} was begun with another seed: name a new folder")
        if config["plan"] not in (before["plan"], *before.get("continued", [])):
            _write_config(path, {**before, "continued": [*before.get("continued", []), config["plan"]]})
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out.name!r} is not empty and holds no run: name a new folder")
    out.mkdir(parents=True, exist_ok=True)
    _write_config(path, config)


def _write_config(path: Path, config: dict[str, object]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r}: use auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputRejected("there is no CUDA device here: use cpu", code="NO_DEVICE")
    return torch.device(name)


def _trained_on(data: CropData, learnt: Sequence[Learnt]) -> str:
    kind = "simulated (drawn) patients" if data.simulated else "patients"
    return f"{len(learnt)} crops of {len({u.crop.patient for u in learnt})} {kind}"
