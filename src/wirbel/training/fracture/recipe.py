"""Which crops a model learns from, what it sees of them, and which patients judge it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wirbel.cohort.labelled import Diagnosis, LabelledVertebra
from wirbel.cohort.split import SplitSettings, split_patients
from wirbel.errors import InputRejected, UsageError
from wirbel.etiology.network_input import InputKind
from wirbel.spine import Level
from wirbel.training.fracture.crop_rows import CropRow

#: Patients of each class that every fold needs.
LEAST_PER_FOLD = 2
_FRACTURES = frozenset({Diagnosis.OSTEOPOROTIC_FRACTURE, Diagnosis.MALIGNANT_FRACTURE})
_LESIONS = frozenset({Diagnosis.MALIGNANT_LESION})
_SOUND = frozenset({Diagnosis.NORMAL, Diagnosis.MIMIC})


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model: `kind` of input and the classes it learns from; `taught` by what was painted where there is such.

    `by_slices`: a 2-D network whose slices vote, for comparison; it is scored where it was trained and never ships.

    Approach 1 of the study has fractures only, approach 2 adds unfractured malignant lesions. Whoever learns from
    unfractured lesions alone learns "no deformity means malignant"; `b2` therefore has sound ones as well.
    """

    name: str
    kind: InputKind
    classes: frozenset[Diagnosis]
    taught: bool
    says: str
    by_slices: bool = False

    @property
    def trained_with_normals(self) -> bool:
        """Whether sound unfractured vertebrae are learnt from."""
        return bool(self.classes & _SOUND)


RECIPES: Final[dict[str, Recipe]] = {
    r.name: r
    for r in (
        Recipe("a1", "masked", _FRACTURES, False, "the study's input, approach 1: fractures alone"),
        Recipe("a2", "masked", _FRACTURES | _LESIONS, False, "the study's input, approach 2: and lesions"),
        Recipe("b1", "context", _FRACTURES, True, "with context, approach 1: fractures alone"),
        Recipe("b2", "context", _FRACTURES | _LESIONS | _SOUND, True, "with context: and lesions, sound, mimics"),
        Recipe("d", "context", _FRACTURES, False, "sagittal slices that vote (2-D), approach 1", by_slices=True),
    )
}


@dataclass(frozen=True, slots=True)
class Learnt:
    """A crop with what is to be learnt from it: `fold` (0, 1, ...) is the member that never sees it."""

    crop: CropRow
    malignant: bool
    fold: int


def recipe_named(name: str) -> Recipe:
    """The recipe; `UsageError` where there is none of that name."""
    if name not in RECIPES:
        told = "; ".join(f"{r.name}: {r.says}" for r in RECIPES.values())
        raise UsageError(f"there is no model {name!r}; there are {told}")
    return RECIPES[name]


def chosen(rows: Sequence[CropRow], recipe: Recipe, *, folds: int, seed: int) -> tuple[Learnt, ...]:
    """The training crops of a model, whole patients in folds: the cohort's own where it has as many, else dealt.

    Raises `InputRejected` for one class only and for patients too few for the folds.
    """
    if folds < 2:
        raise UsageError(f"{folds} folds: at least 2, because each member is judged by the patients it never saw")
    used = [r for r in rows if r.split == "train" and r.diagnosis in recipe.classes]
    counts = {m: len({r.patient for r in used if r.diagnosis.is_malignant is m}) for m in (True, False)}
    if 0 in counts.values():
        there = "malignant" if counts[True] else "not malignant" if counts[False] else "there"
        what = f"all {len(used)} training crops are {there}" if used else "there are no training crops"
        raise InputRejected(f"{what}: model {recipe.name} needs malignant and benign vertebrae to learn from")
    least = folds * LEAST_PER_FOLD
    if min(counts.values()) < least:
        raise InputRejected(
            f"{counts[True]} patients with malignant and {counts[False]} with benign vertebrae are too few for "
            f"{folds} folds: at least {least} of each are needed"
        )
    fold = _own_folds(used, folds) or _dealt_folds(used, folds, seed)
    out = tuple(Learnt(r, r.diagnosis.is_malignant, fold[r.patient]) for r in used)
    for k in range(folds):
        if len({u.malignant for u in out if u.fold == k}) < 2:
            raise InputRejected(f"fold {k + 1} has one class only: ask for fewer folds, or add patients")
    return out


def _own_folds(rows: Sequence[CropRow], folds: int) -> dict[str, int]:
    """The cohort's folds where there are as many as are asked for; else nothing."""
    own = {r.patient: r.fold for r in rows}
    if set(own.values()) != set(range(1, folds + 1)):
        return {}
    told = {(r.patient, r.fold) for r in rows}
    if len(told) != len(own):
        raise InputRejected("a patient stands in two folds: a patient belongs to one; deal the folds anew")
    return {patient: fold - 1 for patient, fold in own.items() if fold is not None}


def _dealt_folds(rows: Sequence[CropRow], folds: int, seed: int) -> dict[str, int]:
    """Whole patients, classes balanced."""
    people = [LabelledVertebra(r.row, r.patient, Level[r.vertebra], r.diagnosis, ()) for r in rows]
    settings = SplitSettings(test_share=0.0, calibration_share=0.0, folds=folds)
    dealt = split_patients(people, settings, seed=seed)
    return {patient: got.fold - 1 for patient, got in dealt.items() if got.fold is not None}
