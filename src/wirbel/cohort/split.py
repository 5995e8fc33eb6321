"""Patients dealt into training, calibration, test and folds: whole patients, classes balanced, from a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wirbel.cohort.labelled import Diagnosis, LabelledVertebra, Sex, Split
from wirbel.cohort.table import CohortTable, with_cells
from wirbel.errors import InputRejected, UsageError

#: Weight of what is balanced: patients with each class most, then vertebrae of each class, then sex and age.
CLASS_WEIGHT, VERTEBRA_WEIGHT, PERSON_WEIGHT = 4.0, 1.0, 0.5


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Shares of the patients; 18 % internal test as in the study. `external_sites` are the external test."""

    test_share: float = 0.18
    calibration_share: float = 0.0
    folds: int = 5
    external_sites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shares = (self.test_share, self.calibration_share)
        if min(shares) < 0 or sum(shares) >= 1:
            raise UsageError(f"shares {shares} must be 0 or more and leave somebody to train on: use 0.18 and 0")
        if self.folds == 1 or self.folds < 0:
            raise UsageError(f"{self.folds} folds: use 0 (none) or at least 2")


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a patient is used for; `fold` is None outside training."""

    split: Split
    fold: int | None = None


def split_patients(
    included: Sequence[LabelledVertebra], settings: SplitSettings, *, seed: int
) -> dict[str, Assigned]:
    """Each included patient's split and fold; same rows, settings and seed: same answer.

    Raises `InputRejected` where patients are too few for it, `UsageError` for a site that nobody has.
    """
    known = {v.site for v in included if v.site is not None}
    strangers = [site for site in settings.external_sites if site not in known]
    if strangers:
        told = ", ".join(sorted(known)) or "not told"
        raise UsageError(f"no patient of site {strangers[0]!r}: the sites are {told}")
    outside = {v.patient for v in included if v.site in settings.external_sites}
    inside = sorted({v.patient for v in included} - outside)
    rest = 1.0 - settings.test_share - settings.calibration_share
    shares = {Split.TRAIN: rest, Split.CALIBRATION: settings.calibration_share, Split.TEST: settings.test_share}
    wanted = {split: share for split, share in shares.items() if share > 0}
    sizes = whole_numbers(len(inside), list(wanted.values()))
    if min(sizes, default=0) < 1 or sizes[0] < settings.folds:
        raise InputRejected(
            f"{len(inside)} patients are too few for {', '.join(s.value for s in wanted)} and {settings.folds} "
            "folds: add patients, or ask for less",
            code="TOO_FEW_PATIENTS",
        )
    rng = np.random.default_rng(seed)
    features = _features(inside, included)
    places = _dealt(features, sizes, rng)
    splits = list(wanted)
    assigned = {p: Assigned(splits[k]) for p, k in zip(inside, places, strict=True)}
    assigned |= {p: Assigned(Split.EXTERNAL) for p in sorted(outside)}
    if settings.folds:
        rows = [i for i, p in enumerate(inside) if assigned[p].split is Split.TRAIN]
        folds = _dealt(features[rows], whole_numbers(len(rows), [1.0 / settings.folds] * settings.folds), rng)
        assigned |= {inside[i]: Assigned(Split.TRAIN, k + 1) for i, k in zip(rows, folds, strict=True)}
    return assigned


def with_splits(table: CohortTable, assigned: Mapping[str, Assigned], *, overwrite: bool = False) -> CohortTable:
    """The table with columns split and fold filled; rows of patients that got none are left empty.

    Raises `UsageError` where a split is there already, unless `overwrite`.
    """
    taken = [v for v in table.vertebrae if v.split is not None or v.fold is not None]
    if taken and not overwrite:
        raise UsageError(
            f"{table.name} has splits already (line {taken[0].line} and {len(taken) - 1} more): "
            "say --overwrite to deal anew, which makes earlier results incomparable"
        )
    empty = {line: "" for line, row in enumerate(table.rows, start=2) if row}
    split = empty | {v.line: assigned[v.patient].split.value for v in table.vertebrae if v.patient in assigned}
    fold = empty | {
        v.line: str(assigned[v.patient].fold)
        for v in table.vertebrae
        if v.patient in assigned and assigned[v.patient].fold is not None
    }
    return with_cells(with_cells(table, "split", split), "fold", fold)


def whole_numbers(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers that sum to `total`, each share rounded by largest remainder."""
    exact = np.array(shares, dtype=np.float64) / sum(shares) * total
    counts = np.floor(exact + 1e-9).astype(int)
    for k in np.argsort(-(exact - counts), kind="stable")[: total - int(counts.sum())]:
        counts[k] += 1
    return [int(n) for n in counts]


def _features(patients: Sequence[str], rows: Sequence[LabelledVertebra]) -> Float64[np.ndarray, "n k"]:
    """What is to be balanced, one row a patient, each column summing to its weight."""
    own: dict[str, list[LabelledVertebra]] = {p: [] for p in patients}
    for v in rows:
        if v.patient in own:
            own[v.patient].append(v)
    ages = [v.age_years for v in rows if v.age_years is not None]
    middle = float(np.median(ages)) if ages else 0.0
    table, weights = [], []
    for diagnosis in Diagnosis:
        counts = [sum(v.diagnosis is diagnosis for v in own[p]) for p in patients]
        table += [[float(n > 0) for n in counts], [float(n) for n in counts]]
        weights += [CLASS_WEIGHT, VERTEBRA_WEIGHT]
    table.append([float(any(v.sex is Sex.FEMALE for v in own[p])) for p in patients])
    table.append([float(any((v.age_years or 0.0) > middle for v in own[p])) for p in patients])
    weights += [PERSON_WEIGHT, PERSON_WEIGHT]
    features = np.array(table, dtype=np.float64).T
    totals = features.sum(0)
    kept = totals > 0
    return features[:, kept] / totals[kept] * np.sqrt(np.array(weights)[kept])


def _dealt(features: np.ndarray, sizes: Sequence[int], rng: np.random.Generator) -> list[int]:
    """A place for each row so that every place gets its number of rows and its part of every column.

    Rows are dealt one by one in random order, heavy ones first, each to the place that it brings nearest to its
    part; then pairs are exchanged while that helps.
    """
    n, places = len(features), len(sizes)
    part = np.array(sizes, dtype=np.float64)[:, None] / n * features.sum(0)
    scale = np.array(sizes, dtype=np.float64)[:, None] / n
    sums, left = np.zeros_like(part), np.array(sizes)
    chosen = np.zeros(n, dtype=int)
    shuffled = rng.permutation(n)
    weight = np.square(features[shuffled]).sum(1)
    for row in shuffled[np.argsort(-weight, kind="stable")]:
        before = (np.square(sums - part) / scale).sum(1)
        after = (np.square(sums + features[row] - part) / scale).sum(1)
        cost = np.where(left > 0, after - before, np.inf)
        place = int(np.argmin(cost))
        chosen[row], left[place] = place, left[place] - 1
        sums[place] += features[row]
    for a in rng.permutation(n) if places > 1 else ():
        p = chosen[a]
        others = np.flatnonzero(chosen != p)
        q = chosen[others]
        step = features[others] - features[a]
        now = np.square(sums[p] - part[p]).sum() / scale[p, 0] + np.square(sums[q] - part[q]).sum(1) / scale[q, 0]
        then = (
            np.square(sums[p] + step - part[p]).sum(1) / scale[p, 0]
            + np.square(sums[q] - step - part[q]).sum(1) / scale[q, 0]
        )
        best = int(np.argmin(then - now))
        if then[best] < now[best] - 1e-12:
            b = others[best]
            chosen[a], chosen[b] = chosen[b], p
            sums[p] += step[best]
            sums[q[best]] -= step[best]
    return [int(k) for k in chosen]
