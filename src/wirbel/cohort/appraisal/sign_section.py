"""What each measured sign is worth alone, density among them, and all together."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from wirbel.cohort.appraisal.cases import AppraisedCohort, Arm
from wirbel.cohort.appraisal.model import units_of
from wirbel.cohort.appraisal.settings import AppraisalSettings
from wirbel.cohort.appraisal.sheet import Cell, Section, Sheet
from wirbel.cohort.appraisal.sign_table import SignTable, sign_scores, training_arm
from wirbel.cohort.appraisal.study_tables import calls_cells
from wirbel.evaluation import Estimate, NotEstimable

#: The sign that is density; and what the issue calls "density alone".
DENSITY = "trabecular_density_hu"


@dataclass(frozen=True, slots=True)
class SignAreas:
    """Areas on one arm: each sign's on the cases where it was measured, and that of all signs together."""

    arm: str
    single: dict[str, Estimate | NotEstimable]
    all_signs: Estimate | NotEstimable
    how: str

    @property
    def best(self) -> tuple[str, Estimate] | None:
        """The sign with the largest area."""
        some = {name: e for name, e in self.single.items() if isinstance(e, Estimate)}
        return max(some.items(), key=lambda kv: kv[1].value) if some else None


def sign_areas(
    signs: SignTable, cohort: AppraisedCohort, settings: AppraisalSettings
) -> tuple[SignAreas, ...]:
    """For every arm for conclusions of which the table names cases of both classes."""
    train = training_arm(signs, cohort)
    out = []
    for whole in cohort.conclusion_arms:
        arm = signs.of(whole)
        if not arm.cases or int(arm.malignant.sum()) in (0, len(arm.cases)):
            continue
        single = {name: _single(signs, k, arm, train, settings) for k, name in enumerate(signs.names)}
        fitted = sign_scores(signs, arm, train)
        together: Estimate | NotEstimable = NotEstimable("too few cases to fit")
        if fitted is not None:
            together = units_of(arm, settings).area(fitted[0])
        out.append(SignAreas(arm.name, single, together, "" if fitted is None else fitted[1]))
    return tuple(out)


def sign_section(signs: SignTable, cohort: AppraisedCohort, settings: AppraisalSettings) -> Section:
    """The areas, sign by sign."""
    rows: list[tuple[Cell, ...]] = []
    train = training_arm(signs, cohort)
    for found in sign_areas(signs, cohort, settings):
        arm = signs.of(next(a for a in cohort.conclusion_arms if a.name == found.arm))
        for k, name in enumerate(signs.names):
            seen = int(signs.measured[arm.rows, k].sum())
            rows.append((found.arm, name, f"{seen} of {len(arm.cases)}", _word(signs, k, train or arm),
                         found.single[name]))  # fmt: skip
        rows.append((found.arm, "all signs, logistic", f"{len(arm.cases)} of {len(arm.cases)}", found.how,
                     found.all_signs))  # fmt: skip
    sheet = Sheet(
        "signs", "Single signs, and all in one logistic model",
        ("arm", "sign", "measured", "direction or fit", "AUC"), tuple(rows), keys=4,
        note="A sign's area is over the cases where it was measured. Its direction is that of the training arm "
        "where there is one (an area under 0.5 then means that it points the other way here). Logistic model: "
        "ridge, signs cut at the 1st and 99th centile and scaled, 'not measured' as a variable of its own.",
    )  # fmt: skip
    return Section("Signs", sheets=(sheet,))


def sign_calls(
    signs: SignTable, arm: Arm, cohort: AppraisedCohort, settings: AppraisalSettings
) -> list[tuple[Cell, ...]]:
    """Lines of Table 5: the best single sign of the training arm, cut there (Youden), and all signs at 0.5."""
    train, own = training_arm(signs, cohort), signs.of(arm)
    out: list[tuple[Cell, ...]] = []
    if train is None or len(own.cases) < len(arm.cases):
        return out
    areas = {k: _single(signs, k, train, train, settings) for k in range(len(signs.names))}
    some = {k: e.value for k, e in areas.items() if isinstance(e, Estimate)}
    units = units_of(own, settings)
    if some:
        k = max(some, key=lambda j: some[j])
        sign = _sign(signs, k, train)
        seen = signs.measured[train.rows, k]
        middle = float(np.median(sign * signs.values[train.rows[seen], k]))
        learnt = np.where(seen, sign * signs.values[train.rows, k], middle)
        cut = _youden(learnt, train.malignant)
        tested = np.where(signs.measured[own.rows, k], sign * signs.values[own.rows, k], middle)
        out.append((arm.name, f"one sign: {signs.names[k]}, cut on the training arm", "1.000 (always answers)",
                    *calls_cells(units.accuracy(tested >= cut))))  # fmt: skip
    fitted = sign_scores(signs, own, train)
    if fitted is not None:
        out.append((arm.name, "all signs, logistic, cut at 0.5", "1.000 (always answers)",
                    *calls_cells(units.accuracy(fitted[0] >= 0))))  # fmt: skip
    return out


def _single(
    signs: SignTable, k: int, arm: Arm, train: Arm | None, settings: AppraisalSettings
) -> Estimate | NotEstimable:
    own = arm.of([c for c in arm.cases if signs.measured[c.row, k]])
    if not own.cases:
        return NotEstimable("not measured in any case")
    return units_of(own, settings).area(_sign(signs, k, train or own) * signs.values[own.rows, k])


def _sign(signs: SignTable, k: int, by: Arm) -> float:
    """1 where the sign grows with malignancy in these cases, else -1."""
    own = by.of([c for c in by.cases if signs.measured[c.row, k]])
    truth = own.malignant
    if not own.cases or int(truth.sum()) in (0, len(own.cases)):
        return 1.0
    values = signs.values[own.rows, k]
    above = (values[truth][:, None] > values[~truth]).mean() + (values[truth][:, None] == values[~truth]).mean() / 2
    return 1.0 if above >= 0.5 else -1.0


def _word(signs: SignTable, k: int, by: Arm) -> str:
    return "higher is malignant" if _sign(signs, k, by) > 0 else "lower is malignant"


def _youden(values: Float64[np.ndarray, "n"], malignant: np.ndarray) -> float:
    """The cut with the largest sensitivity + specificity."""
    cuts = np.unique(values)
    gain = [float((values[malignant] >= c).mean() + (values[~malignant] < c).mean()) for c in cuts]
    return float(cuts[int(np.argmax(gain))])
