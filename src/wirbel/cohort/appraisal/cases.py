"""The crops of a cohort as cases to be judged: which vertebra, which class, in which arm."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from wirbel.cohort.appraisal.settings import CONCLUSIONS_FROM
from wirbel.cohort.begun import planned
from wirbel.cohort.crops import SETTINGS_FILE, CropFolder
from wirbel.cohort.labelled import Diagnosis
from wirbel.errors import InputRejected

#: Splits that teach or calibrate; their arms are described and never judged.
NOT_JUDGED = ("train", "calibration", "")
FRACTURES = (Diagnosis.OSTEOPOROTIC_FRACTURE, Diagnosis.MALIGNANT_FRACTURE)
DISCITIS = "spondylodiscitis"
#: The split of other hospitals.
EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Case:
    """One crop; `row` is its place in the folder, `arm` what it is for, `cause` what was drawn where that is known
    (else the class)."""

    row: int
    patient: str
    vertebra: str
    diagnosis: Diagnosis
    split: str
    arm: str
    cause: str
    age_years: float | None
    sex: str
    scanner: str
    contrast: str

    @property
    def is_malignant(self) -> bool:
        """Fracture or lesion."""
        return self.diagnosis in (Diagnosis.MALIGNANT_FRACTURE, Diagnosis.MALIGNANT_LESION)

    @property
    def is_fracture(self) -> bool:
        """Of either cause."""
        return self.diagnosis in FRACTURES


@dataclass(frozen=True, slots=True)
class Arm:
    """Cases of one purpose, in the folder's order."""

    name: str
    split: str
    cases: tuple[Case, ...]

    @property
    def rows(self) -> Int64[np.ndarray, "n"]:
        """The cases' places in the folder."""
        return np.array([c.row for c in self.cases], dtype=np.int64)

    @property
    def malignant(self) -> Bool[np.ndarray, "n"]:
        """The truth."""
        return np.array([c.is_malignant for c in self.cases], dtype=bool)

    @property
    def patients(self) -> Int64[np.ndarray, "n"]:
        """0, 1, ... for each case's patient."""
        return np.unique([c.patient for c in self.cases], return_inverse=True)[1].astype(np.int64)

    def of(self, cases: Sequence[Case]) -> "Arm":
        """The same arm with some of its cases."""
        return Arm(self.name, self.split, tuple(cases))


@dataclass(frozen=True, slots=True)
class AppraisedCohort:
    """All arms of a crop folder, and what the folder says of itself (`facts`: digests and settings, as text).
    `left_out` counts the crops without a clear class, or not drawn yet; `unfinished` are the arms of a simulated
    cohort that are not whole, with how many crops they were meant to have."""

    name: str
    simulated: bool
    arms: tuple[Arm, ...]
    facts: Mapping[str, str]
    left_out: int = 0
    unfinished: Mapping[str, int] = field(default_factory=dict)

    def arm(self, name: str) -> Arm | None:
        """The arm of that name, where there is one."""
        return next((a for a in self.arms if a.name == name), None)

    @property
    def fracture_arms(self) -> tuple[Arm, ...]:
        """Judged arms with fractures of both classes, without their other cases."""
        some = [a.of([c for c in a.cases if c.is_fracture]) for a in self.arms if a.split not in NOT_JUDGED]
        return tuple(a for a in some if a.cases and 0 < int(a.malignant.sum()) < len(a.cases))

    @property
    def conclusion_arms(self) -> tuple[Arm, ...]:
        """The large fracture arms; where there is none, all."""
        arms = self.fracture_arms
        return tuple(a for a in arms if len(a.cases) >= CONCLUSIONS_FROM) or arms

    @property
    def unfractured(self) -> Arm | None:
        """Every judged vertebra without fracture."""
        return self._gathered("unfractured", lambda c: not c.is_fracture and c.cause != DISCITIS)

    @property
    def discitis(self) -> Arm | None:
        """Every judged spondylodiscitis."""
        return self._gathered("discitis", lambda c: c.cause == DISCITIS)

    def _gathered(self, name: str, wanted: Callable[[Case], bool]) -> Arm | None:
        cases = tuple(c for a in self.arms if a.split not in NOT_JUDGED for c in a.cases if wanted(c))
        return Arm(name, "test", cases) if cases else None



def read_cases(folder: Path, crops: CropFolder) -> AppraisedCohort:
    """The cohort behind a crop folder; `InputRejected` for a class that is none, a patient in two splits, or where
    no arm can be judged."""
    cases = [_case(i, row) for i, row in enumerate(crops.rows)]
    _must_have_one_split(cases)
    by_arm: dict[str, list[Case]] = {}
    for case in cases:
        if case.diagnosis is not Diagnosis.UNCLEAR:
            by_arm.setdefault(case.arm, []).append(case)
    facts = {**_facts(folder / SETTINGS_FILE), **_facts(folder / "cohort.json")}
    arms = tuple(Arm(name, rows[0].split, tuple(rows)) for name, rows in by_arm.items())
    waiting = sum(case.diagnosis is Diagnosis.UNCLEAR for case in cases)
    meant = planned(folder)
    short = {arm.name: meant[arm.name] for arm in arms if len(arm.cases) < meant.get(arm.name, 0)}
    cohort = AppraisedCohort(folder.name, facts.get("simulated") == "true", arms, facts, waiting, short)
    if not cohort.fracture_arms:
        judged = [a for a in arms if a.split not in NOT_JUDGED]
        raise InputRejected(
            f"{folder.name!r}: none of {len(judged)} test arms holds osteoporotic and malignant fractures: both "
            "classes are needed"
        )
    return cohort


def _case(row: int, cells: Mapping[str, str]) -> Case:
    try:
        diagnosis = Diagnosis(cells["class"])
        age = float(cells["age"]) if cells.get("age") else None
        patient, vertebra, split = cells["patient"], cells["vertebra"], cells["split"]
    except KeyError as exc:
        raise InputRejected(f"index.tsv has no column {exc.args[0]!r}: make the crops again") from None
    except ValueError:
        raise InputRejected(
            f"index.tsv, line {row + 2}: class {cells.get('class')!r} or age {cells.get('age')!r} is none: known "
            f"classes are {', '.join(Diagnosis)}"
        ) from None
    return Case(
        row, patient, vertebra, diagnosis, split, cells.get("arm") or split or "no split",
        cells.get("cause") or diagnosis.value, age, cells.get("sex") or "", cells.get("scanner") or "",
        cells.get("contrast") or "",
    )  # fmt: skip


def _must_have_one_split(cases: Sequence[Case]) -> None:
    first: dict[str, Case] = {}
    for case in cases:
        before = first.setdefault(case.patient, case)
        if before.split != case.split:
            raise InputRejected(
                f"index.tsv, line {case.row + 2}: its patient is in split {case.split!r} here and in "
                f"{before.split!r} in line {before.row + 2}: a patient belongs to one split"
            )


def _facts(path: Path) -> dict[str, str]:
    """The plain values of a JSON file, those of its `settings` included; nothing where there is no such file."""
    try:
        plain = json.loads(path.read_text("utf-8"))
    except OSError:
        return {}
    except ValueError as exc:
        raise InputRejected(f"{path.name} is no JSON: make the crops again") from exc
    if not isinstance(plain, dict):
        raise InputRejected(f"{path.name} holds no settings: make the crops again")
    inner = plain.get("settings")
    flat = {**(inner if isinstance(inner, dict) else {}), **plain}
    return {
        key: json.dumps(value) if isinstance(value, bool) else str(value)
        for key, value in flat.items() if isinstance(value, str | int | float)
    }
