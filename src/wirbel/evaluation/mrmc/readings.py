"""Who read which case under which treatment, with which rating: the table of a reader study, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Names = Sequence[object] | npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Ratings on a treatment x reader x case grid, and which of its cells were read.

    `ratings` and `read` have the shape (treatments, readers, cases); `ratings` is 0 where `read` is False and
    must not be looked at there. `truth` is True for diseased cases. `patients` numbers the patient of each case
    (several lesions of one patient are several cases): cases are resampled and left out patient by patient.
    Higher ratings mean more suspicion.
    """

    ratings: npt.NDArray[np.float64]
    read: npt.NDArray[np.bool_]
    truth: npt.NDArray[np.bool_]
    treatments: tuple[str, ...]
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    patients: npt.NDArray[np.intp]

    def __post_init__(self) -> None:
        shape = (len(self.treatments), len(self.readers), len(self.cases))
        if self.ratings.shape != shape or self.read.shape != shape:
            raise ValueError(
                f"ratings {self.ratings.shape} and read {self.read.shape} must both have the shape "
                f"(treatments, readers, cases) = {shape}"
            )
        if self.truth.shape != shape[2:] or self.patients.shape != shape[2:]:
            raise ValueError(f"truth and patients need one entry for each of the {shape[2]} cases")
        if not self.truth.any() or self.truth.all():
            have = "diseased" if self.truth.any() else "non-diseased"
            raise ValueError(f"all {shape[2]} cases are {have}: a reader study needs cases of both classes")
        if not np.isfinite(self.ratings[self.read]).all():
            where = np.argwhere(self.read & ~np.isfinite(self.ratings))[0]
            raise ValueError(f"the rating of {self._cell(*where)} is not a finite number")
        for name in ("ratings", "read", "truth", "patients"):
            array = np.array(getattr(self, name))
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def _cell(self, treatment: int, reader: int, case: int) -> str:
        return (
            f"reader {self.readers[reader]!r}, treatment {self.treatments[treatment]!r}, "
            f"case {self.cases[case]!r}"
        )

    @property
    def n_patients(self) -> int:
        """How many independent units there are: patients, or cases where each patient has one."""
        return int(np.unique(self.patients).size)

    @property
    def clustered(self) -> bool:
        """Whether some patient has more than one case."""
        return self.n_patients < len(self.cases)

    @property
    def cells(self) -> npt.NDArray[np.bool_]:
        """Which (treatment, reader) pairs have readings at all."""
        return np.asarray(self.read.any(axis=2))

    def only(
        self, *, treatments: Sequence[str] | None = None, readers: Sequence[str] | None = None
    ) -> Readings:
        """The readings of the named treatments and readers, in that order; cases nobody read are dropped."""
        t = _positions(treatments, self.treatments, "treatment")
        r = _positions(readers, self.readers, "reader")
        read = self.read[np.ix_(t, r)]
        used = np.asarray(read.any(axis=(0, 1)))
        return Readings(
            ratings=self.ratings[np.ix_(t, r)][..., used],
            read=read[..., used],
            truth=self.truth[used],
            treatments=tuple(self.treatments[i] for i in t),
            readers=tuple(self.readers[i] for i in r),
            cases=tuple(c for c, u in zip(self.cases, used, strict=True) if u),
            patients=np.unique(self.patients[used], return_inverse=True)[1],
        )


def readings_from_long(
    reader: Names,
    treatment: Names,
    case: Names,
    truth: npt.ArrayLike,
    rating: npt.ArrayLike,
    *,
    patient: Names | None = None,
) -> Readings:
    """Build `Readings` from the columns of a long table, one row for each reading.

    Leave a row out where a case was not read. `truth` is 1 (or True) for diseased. Readers, treatments and
    cases keep the order in which they first appear. Raises ValueError, naming the row (counted from 1), where
    a rating is not finite, a reading is given twice, the truth or the patient of a case changes, or a class
    is absent.
    """
    columns = {"reader": reader, "treatment": treatment, "case": case, "truth": truth, "rating": rating}
    lengths = {name: np.shape(np.asarray(column, dtype=object))[0] for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"the columns differ in length: {lengths}")
    if lengths["rating"] == 0:
        raise ValueError("the table of readings is empty")
    values = np.asarray(rating, dtype=np.float64)
    status = np.asarray(truth, dtype=np.float64)
    r_names, r = _codes(reader)
    t_names, t = _codes(treatment)
    c_names, c = _codes(case)

    def row(i: int) -> str:
        return (
            f"reader {r_names[r[i]]!r}, treatment {t_names[t[i]]!r}, case {c_names[c[i]]!r} (row {i + 1})"
        )

    if not np.isfinite(values).all():
        i = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"the rating of {row(i)} is {values[i]}, not a finite number: leave the row out if the case "
            "was not read"
        )
    if not np.isin(status, (0.0, 1.0)).all():
        i = int(np.flatnonzero(~np.isin(status, (0.0, 1.0)))[0])
        raise ValueError(f"the truth of {row(i)} is {status[i]:g}; it must be 0 (not diseased) or 1 (diseased)")
    flat = np.ravel_multi_index((t, r, c), (len(t_names), len(r_names), len(c_names)))
    order = np.argsort(flat, kind="stable")
    twice = np.flatnonzero(np.diff(flat[order]) == 0)
    if twice.size:
        first, second = int(order[twice[0]]), int(order[twice[0] + 1])
        raise ValueError(
            f"{row(first)} is given a second time in row {second + 1}: keep one of the two readings"
        )
    diseased = _constant_per_case(status, c, c_names, "truth").astype(bool)
    if patient is None:
        patients = np.arange(len(c_names))
    else:
        patients = _constant_per_case(_codes(patient)[1], c, c_names, "patient").astype(np.intp)
    shape = (len(t_names), len(r_names), len(c_names))
    ratings, read = np.zeros(shape), np.zeros(shape, dtype=bool)
    ratings[t, r, c] = values
    read[t, r, c] = True
    return Readings(ratings, read, diseased, t_names, r_names, c_names, patients)


def _codes(names: Names) -> tuple[tuple[str, ...], npt.NDArray[np.intp]]:
    """Names as strings in order of first appearance, and each row's number."""
    text = np.asarray([str(n) for n in names])
    unique, first, inverse = np.unique(text, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return tuple(str(unique[i]) for i in order), rank[inverse]


def _constant_per_case(
    values: npt.NDArray[np.generic], case: npt.NDArray[np.intp], names: tuple[str, ...], what: str
) -> npt.NDArray[np.generic]:
    """The one value of each case, or an error that names the case where it changes."""
    out = np.empty(len(names), dtype=values.dtype)
    out[case[::-1]] = values[::-1]
    differs = np.flatnonzero(out[case] != values)
    if differs.size:
        i = int(differs[0])
        raise ValueError(f"the {what} of case {names[case[i]]!r} changes in row {i + 1}: a case has one {what}")
    return out


def _positions(wanted: Sequence[str] | None, known: tuple[str, ...], what: str) -> list[int]:
    if wanted is None:
        return list(range(len(known)))
    for name in wanted:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}: the table has {', '.join(map(repr, known))}")
    return [known.index(name) for name in wanted]
