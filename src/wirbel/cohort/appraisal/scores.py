"""The scores of one model, as training writes them: a line a crop, a column a member of the ensemble."""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm, Case
from wirbel.errors import InputRejected, UsageError
from wirbel.evaluation.inputs import cluster_codes

#: Scores of training crops by the members that had not seen them: they judge nothing here.
OUT_OF_FOLD = "out_of_fold"
MEMBER, FEATURE = "member_", "feature_"


@dataclass(frozen=True, slots=True, eq=False)
class ModelScores:
    """Log-odds of malignancy by crop and member.

    `features` has no columns where the file gives none; `place` finds a crop's line; `trained_on` are crops with
    an out-of-fold score, which the model learnt from. `scorer` is the ensemble's digest where a file says it
    (`scores.scorer` beside `scores.tsv`).
    """

    name: str
    members: Float64[np.ndarray, "n k"]
    features: Float64[np.ndarray, "n d"]
    place: Mapping[int, int]
    trained_on: frozenset[int]
    sha256: str
    scorer: str | None

    def has(self, arm: Arm) -> bool:
        """Whether every case of the arm was scored."""
        return all(case.row in self.place for case in arm.cases)

    def members_of(self, arm: Arm) -> Float64[np.ndarray, "m k"]:
        """One row a case of the arm."""
        return np.asarray(self.members[self._at(arm)])

    def log_odds_of(self, arm: Arm) -> Float64[np.ndarray, "m"]:
        """The ensemble's score: the mean of its members'."""
        return np.asarray(self.members_of(arm).mean(axis=1))

    def features_of(self, arm: Arm) -> Float64[np.ndarray, "m d"]:
        """One row a case of the arm."""
        return np.asarray(self.features[self._at(arm)])

    def _at(self, arm: Arm) -> Int64[np.ndarray, "m"]:
        return np.array([self.place[case.row] for case in arm.cases], dtype=np.int64)


def read_scores(name: str, path: Path, cohort: AppraisedCohort) -> ModelScores:
    """A model's scores for this cohort.

    `UsageError` where there is no such file; `InputRejected`, naming the line, for a score that is no finite
    number, a crop that the folder does not have or that is scored twice, a `set` that is not the crop's arm, and an
    arm that was scored in part.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path.name!r}: give the scores of {name} as {name}=FILE")
    raw = path.read_bytes()
    try:
        lines = list(csv.reader(raw.decode("utf-8-sig").splitlines(), delimiter="\t"))
    except UnicodeDecodeError as exc:
        raise InputRejected(f"{path.name!r} is not UTF-8 text: write the scores as TSV") from exc
    head, members, features = _columns(path.name, lines)
    cases = {case.row: case for arm in cohort.arms for case in arm.cases}
    values: list[list[float]] = []
    place: dict[int, int] = {}
    trained_on: set[int] = set()
    for line, cells in enumerate(lines[1:], start=2):
        if not cells:
            continue
        where = f"{path.name}, line {line}"
        row = _row(where, cells, head)
        if cells[head["set"]] == OUT_OF_FOLD:
            trained_on.add(row)
            continue
        if row in place:
            raise InputRejected(f"{where}: crop {row} is scored a second time: keep one line a crop")
        if row not in cases:
            raise InputRejected(f"{where}: the folder has no clear crop {row}: these scores belong to others")
        _must_be_its_arm(where, cells[head["set"]], cases[row])
        place[row] = len(values)
        values.append([_finite(where, cells[k], lines[0][k]) for k in (*members, *features)])
    if not values:
        raise InputRejected(f"{path.name!r} scores no crop of a test arm: score the folder with the model first")
    table = np.array(values, dtype=np.float64)
    k = len(members)
    digest = hashlib.sha256(raw).hexdigest()
    mark = path.with_suffix(".scorer")
    scorer = mark.read_text("utf-8").strip() if mark.is_file() else None
    scores = ModelScores(name, table[:, :k], table[:, k:], place, frozenset(trained_on), digest, scorer)
    for arm in cohort.arms:
        if arm.name not in cohort.unfinished:
            _must_be_whole(scores, arm)
    return scores


def scored_by_all(cohort: AppraisedCohort, scores: Sequence[ModelScores]) -> AppraisedCohort:
    """The cohort with each unfinished arm cut to the crops that every model that scored any of it has scored: more
    may have been drawn since."""
    arms = []
    for arm in cohort.arms:
        asked = [s for s in scores if any(case.row in s.place for case in arm.cases)]
        if arm.name in cohort.unfinished and asked:
            arms.append(arm.of([c for c in arm.cases if all(c.row in s.place for s in asked)]))
        else:
            arms.append(arm)
    return replace(cohort, arms=tuple(arms))


def patient_codes(arm: Arm) -> Int64[np.ndarray, "n"] | None:
    """The patient of each case as a number, or None where no patient has two."""
    codes = cluster_codes(arm.patients, len(arm.cases))
    return None if np.unique(codes).size == codes.size else codes


def _columns(name: str, lines: Sequence[Sequence[str]]) -> tuple[dict[str, int], list[int], list[int]]:
    """Where `row` and `set` stand, and the members' and features' columns."""
    titles = list(lines[0]) if lines else []
    head = {title: k for k, title in enumerate(titles)}
    members, features = ([k for k, t in enumerate(titles) if t.startswith(s)] for s in (MEMBER, FEATURE))
    if "row" not in head or "set" not in head or not members:
        raise InputRejected(
            f"{name!r} is no table of scores: columns row, set and {MEMBER}0, ... are needed, got "
            f"{', '.join(titles[:6]) or 'nothing'}"
        )
    return head, members, features


def _row(where: str, cells: Sequence[str], head: Mapping[str, int]) -> int:
    if len(cells) != len(head):
        raise InputRejected(f"{where}: {len(cells)} cells, the header has {len(head)}: the file was cut short")
    text = cells[head["row"]]
    if not text.isdigit():
        raise InputRejected(f"{where}: {text!r} is no row of the index")
    return int(text)


def _finite(where: str, text: str, title: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputRejected(f"{where}: {title} is {text!r}, not a finite number: score the crop again")
    return value


def _must_be_its_arm(where: str, told: str, case: Case) -> None:
    if told not in (case.arm, case.split):
        raise InputRejected(
            f"{where}: crop {case.row} is said to be of {told!r} and is of {case.arm!r}: these scores belong to "
            "another folder"
        )


def _must_be_whole(scores: ModelScores, arm: Arm) -> None:
    missing = [case.row for case in arm.cases if case.row not in scores.place]
    if missing and len(missing) < len(arm.cases):
        raise InputRejected(
            f"{scores.name} scored {len(arm.cases) - len(missing)} of {len(arm.cases)} crops of {arm.name!r} (the "
            f"first without: {missing[0]}): score the whole arm, or none of it"
        )
