"""A site's own labelled scores as a table: read, sorted out, and refused where they contradict."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float64

from wirbel.errors import InputRejected, UsageError
from wirbel.etiology.calibration import Population
from wirbel.etiology.labelled_scores import LabelledScores
from wirbel.etiology.log_odds import log_odds_of
from wirbel.evaluation.reading_tables import column, numbers, read_columns

#: Words of the column `class` (those of a cohort's table, and short ones): malignant or not, by population.
CLASSES: Mapping[Population, Mapping[str, bool]] = {
    Population.FRACTURED: {
        "malignant_fracture": True, "malignant": True, "osteoporotic_fracture": False, "osteoporotic": False,
    },
    Population.UNFRACTURED: {"malignant_lesion": True, "normal": False, "mimic": False},
}  # fmt: skip
UNCLEAR = "unclear"
#: The only split that may calibrate, where the table has a column `split`.
CALIBRATION = "calibration"
FIRST_ROW = 2


class Scale(StrEnum):
    """What the score columns hold."""

    LOG_ODDS = "log-odds"
    PROBABILITY = "probability"


@dataclass(frozen=True, slots=True)
class ScoreColumns:
    """Names of the columns; without `members` all that begin with `score`, without `features` none."""

    patient: str = "patient"
    vertebra: str = "vertebra"
    diagnosis: str = "class"
    members: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    split: str = "split"
    scorer: str = "scorer"


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """The scores that may calibrate, how many rows were left out and why, and the ensemble the table names."""

    scores: LabelledScores
    left_out: Mapping[str, int]
    scorer: str | None


def read_scores(text: str, columns: ScoreColumns, *, population: Population, scale: Scale) -> ScoreTable:
    """Labelled scores from a CSV text.

    Left out and counted: rows of another split than `calibration`, unclear ones, classes of the other population.
    `UsageError` for a column that is not there; `InputRejected`, naming the line, for a class that is no class, a
    score that is no number, a vertebra named twice, a patient in two splits, scores of several ensembles, or one
    class only.
    """
    table = _table(text)
    names = (columns.patient, columns.vertebra, columns.diagnosis)
    members = columns.members or tuple(n for n in table if n.startswith("score") and n != columns.scorer)
    for name in (*names, *members, *columns.features):
        _column(table, name)
    if not members:
        raise UsageError(f"no column begins with 'score': name them with --scores; there are {', '.join(table)}")
    splits = table.get(columns.split)
    if splits is not None:
        _must_have_one_split(table[columns.patient], splits)
    why = [
        _why_left_out(i, diagnosis, splits[i] if splits is not None else CALIBRATION, population)
        for i, diagnosis in enumerate(table[columns.diagnosis])
    ]
    kept = [i for i, reason in enumerate(why) if reason is None]
    if not kept:
        raise InputRejected(f"none of {len(why)} rows can calibrate: {_counted(Counter(filter(None, why)))}")
    words, lines = CLASSES[population], tuple(i + FIRST_ROW for i in kept)
    scores = LabelledScores(
        tuple(table[columns.patient][i] for i in kept),
        tuple(table[columns.vertebra][i] for i in kept),
        np.array([words[table[columns.diagnosis][i]] for i in kept]),
        _scaled(_numbers(table, members, kept), scale, lines),
        _numbers(table, columns.features, kept),
        lines,
    )
    return ScoreTable(scores, dict(Counter(reason for reason in why if reason)), _scorer(table, columns, kept))


def _why_left_out(row: int, diagnosis: str, split: str, population: Population) -> str | None:
    """Why a row does not calibrate; a class that is none of ours is refused."""
    if diagnosis != UNCLEAR and not any(diagnosis in words for words in CLASSES.values()):
        known = sorted({word for words in CLASSES.values() for word in words} | {UNCLEAR})
        raise InputRejected(f"line {row + FIRST_ROW}: class {diagnosis!r} is none of {', '.join(known)}")
    if split != CALIBRATION:
        return f"split {split or 'not given'}"
    if diagnosis == UNCLEAR:
        return "class unclear"
    return None if diagnosis in CLASSES[population] else f"class {diagnosis}: not {population.value}"


def _must_have_one_split(patients: Sequence[str], splits: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for i, patient in enumerate(patients):
        before = first.setdefault(patient, i)
        if splits[before] != splits[i]:
            raise InputRejected(
                f"line {i + FIRST_ROW}: its patient is in split {splits[i]!r} here and in {splits[before]!r} in "
                f"line {before + FIRST_ROW}: a patient belongs to one split"
            )


def _scorer(table: Mapping[str, list[str]], columns: ScoreColumns, kept: Sequence[int]) -> str | None:
    if columns.scorer not in table:
        return None
    named = sorted({table[columns.scorer][i] for i in kept})
    if len(named) > 1:
        raise InputRejected(f"the scores come from {len(named)} ensembles: a calibration belongs to one")
    return named[0] or None


def _scaled(scores: Float64[np.ndarray, "n k"], scale: Scale, lines: Sequence[int]) -> Float64[np.ndarray, "n k"]:
    if scale is Scale.LOG_ODDS:
        return scores
    wrong = np.argwhere((scores < 0) | (scores > 1))
    if len(wrong):
        raise InputRejected(
            f"line {lines[wrong[0][0]]}: {scores[tuple(wrong[0])]:g} is no probability: say --scale log-odds if "
            "that is what the columns hold"
        )
    return log_odds_of(scores)


def _numbers(
    table: dict[str, list[str]], names: Sequence[str], kept: Sequence[int]
) -> Float64[np.ndarray, "n k"]:
    """Columns side by side; only the rows that are kept must be numbers."""
    out = np.empty((len(kept), len(names)))
    for k, name in enumerate(names):
        for row, i in enumerate(kept):
            try:
                out[row, k] = numbers({name: [table[name][i]]}, name)[0]
            except ValueError:
                raise InputRejected(
                    f"line {i + FIRST_ROW}: {table[name][i]!r} in column {name!r} is not a number"
                ) from None
            if not np.isfinite(out[row, k]):
                raise InputRejected(
                    f"line {i + FIRST_ROW}: {table[name][i]!r} in column {name!r} is not finite: leave vertebrae "
                    "without score out, and count them"
                )
    return out


def _table(text: str) -> dict[str, list[str]]:
    try:
        return read_columns(text)
    except ValueError as exc:
        raise InputRejected(str(exc)) from exc


def _column(table: dict[str, list[str]], name: str) -> list[str]:
    try:
        return column(table, name)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def _counted(left_out: Mapping[str, int]) -> str:
    return "; ".join(f"{count} x {reason}" for reason, count in left_out.items())
