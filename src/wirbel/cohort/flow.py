"""Who was left out and why, and who remains in each split: the numbers of a STARD flow diagram."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wirbel.cohort.labelled import Diagnosis, LabelledVertebra, Split, UnreadRow
from wirbel.cohort.rules import REASONS, Reason, Stage

#: How classes are called on pages.
CLASS_NAMES = {
    Diagnosis.OSTEOPOROTIC_FRACTURE: "osteoporotic fractures",
    Diagnosis.MALIGNANT_FRACTURE: "malignant fractures",
    Diagnosis.MALIGNANT_LESION: "unfractured, malignant lesion",
    Diagnosis.NORMAL: "normal",
    Diagnosis.MIMIC: "degenerate or other mimic",
}
SPLIT_NAMES = {
    Split.TRAIN: "Training",
    Split.CALIBRATION: "Calibration",
    Split.TEST: "Internal test",
    Split.EXTERNAL: "External test",
    None: "No split yet",
}


@dataclass(frozen=True, slots=True)
class Excluded:
    """One vertebra left out; `vertebra` is the row, read or not."""

    vertebra: LabelledVertebra | UnreadRow
    reason: Reason


@dataclass(frozen=True, slots=True)
class Count:
    """Vertebrae, and the patients they belong to."""

    vertebrae: int
    patients: int

    def as_plain(self) -> dict[str, int]:
        """For JSON."""
        return {"vertebrae": self.vertebrae, "patients": self.patients}

    def __str__(self) -> str:
        v, p = self.vertebrae, self.patients
        return f"{v:,} {'vertebra' if v == 1 else 'vertebrae'} of {p:,} {'patient' if p == 1 else 'patients'}"


@dataclass(frozen=True, slots=True)
class Step:
    """What one step leaves out, by reason, and what remains after it.

    `patients_lost` are patients none of whose vertebrae remains.
    """

    stage: Stage
    excluded: Count
    reasons: tuple[tuple[Reason, Count], ...]
    patients_lost: int
    remaining: Count


@dataclass(frozen=True, slots=True)
class Group:
    """One split (None: not yet split) with its classes; `folds` are cross-validation folds with patients."""

    split: Split | None
    total: Count
    classes: tuple[tuple[Diagnosis, Count], ...]
    folds: tuple[tuple[int, Count], ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """The whole diagram; `is_simulated` goes onto every page that shows it."""

    name: str
    total: Count
    steps: tuple[Step, ...]
    included: Count
    classes: tuple[tuple[Diagnosis, Count], ...]
    groups: tuple[Group, ...]
    is_simulated: bool

    def as_plain(self) -> dict[str, object]:
        """For JSON."""
        return {
            "cohort": self.name,
            "simulated": self.is_simulated,
            "total": self.total.as_plain(),
            "steps": [
                {
                    "step": step.stage.value,
                    "excluded": step.excluded.as_plain(),
                    "reasons": {reason.value: count.as_plain() for reason, count in step.reasons},
                    "patients_lost": step.patients_lost,
                    "remaining": step.remaining.as_plain(),
                }
                for step in self.steps
            ],
            "included": self.included.as_plain(),
            "classes": {d.value: count.as_plain() for d, count in self.classes},
            "splits": {
                (g.split.value if g.split else "none"): {
                    "total": g.total.as_plain(),
                    "classes": {d.value: count.as_plain() for d, count in g.classes},
                    "folds": {str(fold): count.as_plain() for fold, count in g.folds},
                }
                for g in self.groups
            },
        }


def flow_of(
    name: str, included: Sequence[LabelledVertebra], excluded: Sequence[Excluded], *, is_simulated: bool
) -> Flow:
    """Count the flow."""
    remaining: list[LabelledVertebra | UnreadRow] = [*included, *(e.vertebra for e in excluded)]
    total = _count(remaining)
    steps = []
    for stage in Stage:
        out = [e for e in excluded if REASONS[e.reason][0] is stage]
        lines = {e.vertebra.line for e in out}
        before = {v.patient for v in remaining}
        remaining = [v for v in remaining if v.line not in lines]
        by_reason = [(reason, [e.vertebra for e in out if e.reason is reason]) for reason in Reason]
        steps.append(
            Step(
                stage,
                _count(e.vertebra for e in out),
                tuple((reason, _count(rows)) for reason, rows in by_reason if rows),
                len(before - {v.patient for v in remaining}),
                _count(remaining),
            )
        )
    groups = [(split, [v for v in included if v.split is split]) for split in (*Split, None)]
    return Flow(
        name,
        total,
        tuple(steps),
        _count(included),
        _classes(included),
        tuple(_group(split, rows) for split, rows in groups if rows),
        is_simulated,
    )


def flow_text(flow: Flow) -> str:
    """The diagram as indented lines."""
    lines = [f"Flow of {flow.name}{' (simulated)' if flow.is_simulated else ''}", f"  in the table: {flow.total}"]
    for step in flow.steps:
        if step.excluded.vertebrae:
            lines.append(f"    left out at {step.stage.value}: {step.excluded}{_lost(step)}")
            lines += [f"      {REASONS[reason][1]}: {count}" for reason, count in step.reasons]
    lines.append(f"  included: {flow.included}")
    lines += [f"    {CLASS_NAMES[d]}: {count}" for d, count in flow.classes]
    for group in flow.groups:
        lines.append(f"  {SPLIT_NAMES[group.split].lower()}: {group.total}")
        lines += [f"    {CLASS_NAMES[d]}: {count}" for d, count in group.classes]
        if group.folds:
            sizes = ", ".join(f"{fold}: {count.patients}" for fold, count in group.folds)
            lines.append(f"    patients in folds {sizes}")
    return "\n".join(lines)


def _lost(step: Step) -> str:
    if not step.patients_lost:
        return ""
    return f", {step.patients_lost} of them without any other vertebra"


def _group(split: Split | None, rows: Sequence[LabelledVertebra]) -> Group:
    numbers = sorted({v.fold for v in rows if v.fold is not None})
    folds = tuple((fold, _count(v for v in rows if v.fold == fold)) for fold in numbers)
    return Group(split, _count(rows), _classes(rows), folds)


def _classes(rows: Sequence[LabelledVertebra]) -> tuple[tuple[Diagnosis, Count], ...]:
    found = [(d, [v for v in rows if v.diagnosis is d]) for d in CLASS_NAMES]
    return tuple((d, _count(members)) for d, members in found if members)


def _count(rows: Iterable[LabelledVertebra | UnreadRow]) -> Count:
    patients = [v.patient for v in rows]
    return Count(len(patients), len(set(patients)))
