"""Scores of a trained ensemble, through the very files that ship: a table for the evaluation; calibrations."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from wirbel.errors import InputRejected
from wirbel.etiology import Calibration, LabelledScores, calibrate
from wirbel.etiology.calibration import LEAST_PATIENTS, Population
from wirbel.evaluation.auc import auc
from wirbel.network.fracture import FractureNetworks
from wirbel.training.fracture.crop_rows import CropData, CropRow
from wirbel.training.fracture.recipe import Learnt

OUT_OF_FOLD, MEMBER, FEATURE = "out_of_fold", "member_", "feature_"
_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class ScoredCrop:
    """A crop's log-odds, one a member; None for members that learnt from it.

    `features`: of all members side by side, by which a vertebra unlike the cohort is known; none of crops that were
    learnt from.
    """

    row: int
    arm: str
    members: tuple[float | None, ...]
    features: tuple[float, ...] = ()

    @property
    def log_odds(self) -> float:
        """The mean of the members that may be asked."""
        given = [m for m in self.members if m is not None]
        return sum(given) / len(given)


@dataclass(frozen=True, slots=True)
class Figure:
    """AUC of one set with its 95 % interval; `what`: fractures or unfractured."""

    arm: str
    what: str
    crops: int
    malignant: int
    auc: float
    low: float
    high: float


def out_of_fold(data: CropData, learnt: Sequence[Learnt], networks: FractureNetworks) -> list[ScoredCrop]:
    """Each training crop judged by the one member that never saw its patient."""
    out = []
    count = len(networks.sessions)
    for k in range(count):
        rows = [u.crop for u in learnt if u.fold == k]
        said, _ = _scored(data, rows, _alone(networks, k))
        for r, own in zip(rows, said[:, 0], strict=True):
            out.append(ScoredCrop(r.row, OUT_OF_FOLD, tuple(float(own) if m == k else None for m in range(count))))
    return sorted(out, key=lambda s: s.row)


def scores_of(data: CropData, rows: Sequence[CropRow], networks: FractureNetworks) -> list[ScoredCrop]:
    """Crops of patients whom no member saw, by all members."""
    said, features = _scored(data, rows, networks)
    return [
        ScoredCrop(r.row, r.arm, tuple(map(float, s)), tuple(map(float, f)))
        for r, s, f in zip(rows, said, features, strict=True)
    ]


def calibration_of(
    data: CropData,
    networks: FractureNetworks,
    population: Population,
    *,
    name: str,
    seed: int,
    joined: Callable[[CropRow, Sequence[float]], Sequence[float]] | None = None,
) -> Calibration | None:
    """The ensemble's calibration on the patients kept for it; None where there are too few of them.

    `joined` makes a crop's scores of the networks' log-odds, where they are not these alone.
    """
    fractured = population is Population.FRACTURED
    rows = [r for r in data.rows if r.split == "calibration" and r.diagnosis.is_fracture is fractured]
    rows = [r for r in rows if r.arm not in data.unfinished]
    malignant = np.array([r.diagnosis.is_malignant for r in rows], dtype=bool)
    each = [len({r.patient for r, m in zip(rows, malignant, strict=True) if m == is_}) for is_ in (True, False)]
    if min(each) < LEAST_PATIENTS:
        return None
    said, features = _scored(data, rows, networks)
    if joined is not None:
        said = np.array([joined(r, own.tolist()) for r, own in zip(rows, said, strict=True)], dtype=np.float64)
    scores = LabelledScores(
        tuple(r.patient for r in rows), tuple(r.vertebra for r in rows), malignant, said, features
    )
    return calibrate(
        scores, scorer=networks.bundle.sha256, name=name, simulated=data.simulated,
        rng=np.random.default_rng(seed), population=population,
    )  # fmt: skip


def figures(data: CropData, scored: Iterable[ScoredCrop]) -> list[Figure]:
    """The AUC of the ensemble's log-odds in each set, fractures and unfractured vertebrae apart.

    Where there is one class only there is no AUC and no figure. Crops count as independent here; the evaluation's
    tables take whole patients.
    """
    of_row = {r.row: r.diagnosis for r in data.rows}
    sets: dict[tuple[str, str], list[ScoredCrop]] = {}
    for s in scored:
        what = "fractures" if of_row[s.row].is_fracture else "unfractured"
        sets.setdefault((s.arm, what), []).append(s)
    out = []
    for (arm, what), some in sets.items():
        truth = np.array([of_row[s.row].is_malignant for s in some])
        if 0 < truth.sum() < len(truth):
            area = auc(truth, np.array([s.log_odds for s in some]))
            out.append(Figure(arm, what, len(some), int(truth.sum()), area.value, area.low, area.high))
    return out


def write_scores(path: Path, scored: Sequence[ScoredCrop], *, scorer: str) -> None:
    """`scores.tsv`: row, set, member_0 ..., feature_0 ...; empty where a member learnt from the crop.

    `.scorer` beside it: whose.
    """
    part = path.with_suffix(".part")
    count = max(len(s.features) for s in scored)
    names = (*(f"{MEMBER}{k}" for k in range(len(scored[0].members))), *(f"{FEATURE}{k}" for k in range(count)))
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["row", "set", *names])
        for s in scored:
            features = [f"{f:.5g}" for f in s.features] or [""] * count
            writer.writerow([s.row, s.arm, *("" if m is None else f"{m:.6f}" for m in s.members), *features])
    part.replace(path)
    path.with_suffix(".scorer").write_text(scorer + "\n", encoding="utf-8")


def read_scores(path: Path, *, scorer: str) -> list[ScoredCrop]:
    """Scores that are there already, if they are of this very ensemble."""
    mark = path.with_suffix(".scorer")
    if not path.is_file() or not mark.is_file() or mark.read_text("utf-8").strip() != scorer:
        return []
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file, delimiter="\t")
    end = 2 + sum(name.startswith(MEMBER) for name in head)
    return [
        ScoredCrop(
            int(r[0]), r[1], tuple(float(c) if c else None for c in r[2:end]), tuple(float(c) for c in r[end:] if c)
        )
        for r in rows
    ]


def _alone(networks: FractureNetworks, k: int) -> FractureNetworks:
    about = networks.about
    one = replace(about, members=(about.members[k],), heads=(about.heads[k],))
    return FractureNetworks(networks.bundle, one, (networks.sessions[k],))


def _scored(
    data: CropData, rows: Sequence[CropRow], networks: FractureNetworks, seen: Callable[[int], None] | None = None
) -> tuple[Float64[np.ndarray, "n k"], Float64[np.ndarray, "n f"]]:
    """Log-odds and features, a few crops in memory at a time."""
    log_odds, features = [], []
    for k in range(0, len(rows), _TOGETHER):
        some = rows[k : k + _TOGETHER]
        at = [r.row for r in some]
        try:
            for part in networks.score_each(data.hu[at], data.mask[at]):
                log_odds.append(part.log_odds)
                features.append(part.features)
        except InputRejected as exc:
            raise InputRejected(f"crops {at[0]} to {at[-1]}: {exc}", code=exc.code) from None
        if seen is not None:
            seen(k + len(some))
    members = len(networks.sessions)
    if not log_odds:
        return np.empty((0, members)), np.empty((0, 0))
    return np.concatenate(log_odds), np.concatenate(features)
