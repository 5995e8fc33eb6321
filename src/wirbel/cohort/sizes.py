"""Whether there is enough of each class to learn or to say anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wirbel.cohort.flow import CLASS_NAMES, SPLIT_NAMES
from wirbel.cohort.labelled import Diagnosis, LabelledVertebra, Split
from wirbel.cohort.problem import Code, Problem, error, note

#: The two classes that everything is about.
PAIR = (Diagnosis.OSTEOPOROTIC_FRACTURE, Diagnosis.MALIGNANT_FRACTURE)
WHERE = "included vertebrae"


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Fewest patients; ours: two for each class in each of five folds, which no figure would rest on yet."""

    patients: int = 10
    patients_of_class: int = 5


def size_problems(included: Sequence[LabelledVertebra], limits: SizeLimits) -> tuple[Problem, ...]:
    """One class only, too few patients, several fractures of a test patient, no healthy vertebrae."""
    return (
        *_classes(included, limits),
        *(p for split in Split for p in _one_class_in(split, [v for v in included if v.split is split])),
        *_several_in_test(included),
        *_no_healthy(included),
    )


def _classes(included: Sequence[LabelledVertebra], limits: SizeLimits) -> Iterator[Problem]:
    patients = {d: {v.patient for v in included if v.diagnosis is d} for d in PAIR}
    missing = [CLASS_NAMES[d] for d in PAIR if not patients[d]]
    if missing:
        yield error(
            Code.ONE_CLASS, WHERE, f"no {' and no '.join(missing)}: both are needed to tell one from the other"
        )
    everybody = len({v.patient for v in included})
    if everybody < limits.patients:
        sentence = f"{everybody} patients, at least {limits.patients} are needed: add patients"
        yield error(Code.TOO_FEW_PATIENTS, WHERE, sentence)
    for diagnosis, ids in patients.items():
        if 0 < len(ids) < limits.patients_of_class:
            yield error(
                Code.TOO_FEW_PATIENTS,
                WHERE,
                f"{len(ids)} patients with {CLASS_NAMES[diagnosis]}, at least {limits.patients_of_class} are "
                "needed: add patients",
            )


def _one_class_in(split: Split, rows: Sequence[LabelledVertebra]) -> Iterator[Problem]:
    missing = [CLASS_NAMES[d] for d in PAIR if not any(v.diagnosis is d for v in rows)]
    if rows and missing:
        sentence = f"has no {' and no '.join(missing)}: split again (wirbel cohort split)"
        yield error(Code.ONE_CLASS, f"split {split.value}", sentence)


def _several_in_test(included: Sequence[LabelledVertebra]) -> Iterator[Problem]:
    for split in (Split.TEST, Split.EXTERNAL):
        fractures = [v.patient for v in included if v.split is split and v.diagnosis.is_fracture]
        several = {p for p in fractures if fractures.count(p) > 1}
        if several:
            yield note(
                Code.SEVERAL_FRACTURES_IN_TEST,
                f"split {split.value}",
                f"{len(several)} patients have more than one fracture, the study took one each: "
                f"{SPLIT_NAMES[split].lower()} figures must take the patient as unit",
            )


def _no_healthy(included: Sequence[LabelledVertebra]) -> Iterator[Problem]:
    found = {v.diagnosis for v in included}
    if Diagnosis.MALIGNANT_LESION in found and not found & {Diagnosis.NORMAL, Diagnosis.MIMIC}:
        yield note(
            Code.NO_HEALTHY_VERTEBRAE,
            WHERE,
            "all unfractured vertebrae are malignant, so 'no deformity' alone means malignant to a classifier: "
            "add normal and degenerate ones",
        )
