"""A run that another begins with: its members, whose folds must be the same people."""

import csv
import json
from collections.abc import Sequence
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


def members_of(run: Path, recipe: Recipe, learnt: Sequence[Learnt], folds: int) -> list[Path]:
    """The members' checkpoints.

    `InputRejected` where one has learnt from somebody who is to judge it now; `UsageError` for another model,
    another number of members, or what is no run.
    """
    try:
        before = json.loads((run / CONFIG).read_text("utf-8"))
        with (run / FOLDS).open(encoding="utf-8", newline="") as file:
            fold = {row["patient"]: int(row["fold"]) for row in csv.DictReader(file, delimiter="\t")}
    except (OSError, ValueError, KeyError) as exc:
        raise UsageError(f"{run.name!r} is no run to begin with: {CONFIG} and {FOLDS} cannot be read") from exc
    if before.get("model") != recipe.name:
        raise UsageError(f"{run.name!r} is a run of {before.get('model')}: {recipe.name} cannot begin with it")
    paths = [run / f"fold_{k}" / CHECKPOINT for k in range(folds)]
    if max(fold.values(), default=-1) != folds - 1 or not all(path.is_file() for path in paths):
        raise UsageError(f"{run.name!r} has not {folds} members: ask for as many as it has")
    for u in learnt:
        if fold.get(u.crop.patient, u.fold) != u.fold:
            raise InputRejected(
                f"member {u.fold} of {run.name!r} has learnt from patients who are to judge it now: begin with a "
                "run that has these folds"
            )
    return paths
