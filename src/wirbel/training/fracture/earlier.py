"""A run that another begins with: its members, and whom each of them has never seen."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wirbel.cohort.table import table_text
from wirbel.cohort.whole_files import write_whole
from wirbel.errors import InputRejected, UsageError
from wirbel.training.fracture.fit import CHECKPOINT
from wirbel.training.fracture.recipe import Learnt, Recipe

CONFIG, FOLDS = "config.json", "folds.tsv"


def write_folds(run: Path, learnt: Sequence[Learnt]) -> None:
    """Note which member never sees whom."""
    folds = {u.crop.patient: u.fold for u in learnt}
    write_whole(run / FOLDS, table_text(("patient", "fold"), [(p, str(k)) for p, k in sorted(folds.items())]))


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """The members' checkpoints, and by patient the member that never saw them."""

    members: tuple[Path, ...]
    fold: Mapping[str, int]

    def folded(self, learnt: Sequence[Learnt]) -> tuple[Learnt, ...]:
        """The same crops in the earlier run's folds, so that nobody judges a member that has learnt from them.

        A patient whom it did not have keeps the fold that was dealt. `InputRejected` where a fold has one class.
        """
        out = tuple(replace(u, fold=self.fold.get(u.crop.patient, u.fold)) for u in learnt)
        for k in range(len(self.members)):
            if len({u.malignant for u in out if u.fold == k}) < 2:
                raise InputRejected(f"fold {k + 1} of the run to begin with has one class of these patients only")
        return out


def earlier_run(run: Path, recipe: Recipe, folds: int) -> EarlierRun:
    """A run to begin with; `UsageError` for another model, another number of members, or what is no run."""
    try:
        before = json.loads((run / CONFIG).read_text("utf-8"))
        with (run / FOLDS).open(encoding="utf-8", newline="") as file:
            fold = {row["patient"]: int(row["fold"]) for row in csv.DictReader(file, delimiter="\t")}
    except (OSError, ValueError, KeyError) as exc:
        raise UsageError(f"{run.name!r} is no run to begin with: {CONFIG} and {FOLDS} cannot be read") from exc
    if before.get("model") != recipe.name:
        raise UsageError(f"{run.name!r} is a run of {before.get('model')}: {recipe.name} cannot begin with it")
    paths = tuple(run / f"fold_{k}" / CHECKPOINT for k in range(folds))
    if max(fold.values(), default=-1) != folds - 1 or not all(path.is_file() for path in paths):
        raise UsageError(f"{run.name!r} has not {folds} members: ask for as many as it has")
    return EarlierRun(paths, fold)
