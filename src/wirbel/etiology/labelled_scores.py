"""Scores whose truth is known: what calibration and thresholds are fitted to."""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from wirbel.errors import InputRejected


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScores:
    """One row a vertebra.

    `members` are log-odds, one column a member of the ensemble. `malignant` is the truth. `features` has no columns
    where the scorer gives none. `lines` are the rows' places in a file, for messages. Raises `InputRejected` that
    names the row (1 = first) or line where rows contradict.
    """

    patients: tuple[str, ...]
    vertebrae: tuple[str, ...]
    malignant: Bool[np.ndarray, "n"]
    members: Float64[np.ndarray, "n k"]
    features: Float64[np.ndarray, "n d"]
    lines: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.patients), len(self.vertebrae), *(len(a) for a in self._arrays())}
        if lengths == {0} or len(lengths) != 1 or self.members.shape[1] == 0:
            raise InputRejected(
                f"one patient, vertebra, class and score a row are needed, got {sorted(lengths)} rows and "
                f"{self.members.shape[1]} score columns: give a table with all of them"
            )
        self._must_be_numbers()
        self._must_differ()
        self._must_have_both_classes()
        for name, array in zip(("malignant", "members", "features"), self._arrays(), strict=True):
            copy = np.array(array)
            copy.setflags(write=False)
            object.__setattr__(self, name, copy)

    @property
    def log_odds(self) -> Float64[np.ndarray, "n"]:
        """The ensemble's score: the mean of its members' log-odds."""
        return np.asarray(self.members.mean(axis=1))

    @property
    def patient_codes(self) -> Int64[np.ndarray, "n"]:
        """0, 1, ... for each row's patient, in the order of names."""
        return np.unique(np.array(self.patients), return_inverse=True)[1].astype(np.int64)

    def patients_of(self, *, malignant: bool) -> int:
        """How many patients have a vertebra of the class."""
        return int(np.unique(self.patient_codes[self.malignant == malignant]).size)

    @property
    def prevalence(self) -> float:
        """Share of malignant vertebrae."""
        return float(self.malignant.mean())

    @property
    def sha256(self) -> str:
        """Over rows in the order of patient and vertebra: the same for the same table, however sorted."""
        order = sorted(range(len(self.patients)), key=lambda i: (self.patients[i], self.vertebrae[i]))
        hasher = hashlib.sha256()
        for i in order:
            row = (self.patients[i], self.vertebrae[i], int(self.malignant[i]), *self.members[i], *self.features[i])
            hasher.update((";".join(map(str, row)) + "\n").encode())
        return hasher.hexdigest()

    def _place(self, row: int) -> str:
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"

    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.malignant, self.members, self.features

    def _must_be_numbers(self) -> None:
        for name, array in (("score", self.members), ("feature", self.features)):
            wrong = np.argwhere(~np.isfinite(array))
            if len(wrong):
                row, column = wrong[0]
                raise InputRejected(
                    f"{self._place(int(row))}: {name} {column + 1} is {array[row, column]}, not a finite number "
                    f"({len(wrong)} such): leave vertebrae without score out, and count them"
                )

    def _must_differ(self) -> None:
        seen: dict[tuple[str, str], int] = {}
        for i, key in enumerate(zip(self.patients, self.vertebrae, strict=True)):
            if not all(key):
                raise InputRejected(f"{self._place(i)}: patient or vertebra is empty: name both")
            if key in seen:
                first = seen[key]
                same = self.malignant[first] == self.malignant[i]
                differ = "with the same class" if same else "with another class"
                raise InputRejected(
                    f"{self._place(i)}: the same vertebra of the same patient stands in {self._place(first)}, "
                    f"{differ}: keep one row a vertebra"
                )
            seen[key] = i

    def _must_have_both_classes(self) -> None:
        count = int(self.malignant.sum())
        if count in (0, self.malignant.size):
            there = "not malignant" if count == 0 else "malignant"
            raise InputRejected(
                f"all {self.malignant.size} vertebrae are {there}: calibration needs both classes"
            )
