"""How well a segmenter finds, places, names and outlines vertebrae on the hand-out's CTs."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from wirbel.ingest import read_masks, read_study
from wirbel.spine import Level, NumberingStatus, Part, Segmenter, Spine, SpineEvidence
from wirbel.training.handout import CASES, RealCase, bodies_of, verse_numbers
from wirbel.volume import LabelMap
from wirbel.volume.resample import resample_labels

#: A body is found when a centre lies within this distance of it (VerSe's rule, Sekuboyina et al. 2021).
FOUND_WITHIN_MM = 20.0


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """Figures of one CT.

    `complete` bodies annotated, `found` of them, `extra` centres that are near no annotated body (complete or not),
    `distance_mm` mean over the found. `column`: right, relative, wrong. `identified` of the complete by VerSe's
    rule, None in a relative column. `probability` of the labelling as stated. `dice_body`, `dice_vertebra`: mean
    over complete vertebrae with masks.
    """

    case: str
    complete: int
    found: int
    extra: int
    distance_mm: float | None
    column: str
    identified: int | None
    probability: float | None
    names: str
    dice_body: float | None = None
    dice_vertebra: float | None = None

    def to_json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """One annotated body."""

    level: Level
    centre_lps_mm: np.ndarray
    complete: bool


def assess(
    data_dir: Path,
    segment: Segmenter,
    name: Callable[[SpineEvidence], Spine],
    *,
    cases: Sequence[str] | None = None,
) -> Iterator[CaseFigures]:
    """Figures of every real case of the hand-out (or the named ones), one at a time."""
    for case in CASES:
        if cases is not None and case.name not in cases and case.patient not in cases:
            continue
        if case.annotation is None and case.masks is None:
            continue
        spine = name(segment(read_study(data_dir / case.image).main.volume))
        yield figures_of(case, spine, data_dir)


def figures_of(case: RealCase, spine: Spine, data_dir: Path) -> CaseFigures:
    """Compare one column with what is known of the case."""
    masks = masks_of(case, data_dir)
    truth = _truth(case, data_dir, masks)
    shift_allowed = case.annotation is not None and _may_shift(case, data_dir)
    centres = np.array([v.centre_lps_mm for v in spine.vertebrae]).reshape(-1, 3)
    complete = [t for t in truth if t.complete]
    near = _distances(complete, centres)
    found = near <= FOUND_WITHIN_MM
    extra = int((_distances_of(centres, truth) > FOUND_WITHIN_MM).sum())
    body, whole = _dice(spine, masks) if masks else (None, None)
    return CaseFigures(
        case=case.name,
        complete=len(complete),
        found=int(found.sum()),
        extra=extra,
        distance_mm=float(near[found].mean()) if found.any() else None,
        column=_column(spine, truth, shift_allowed),
        identified=_identified(spine, complete, centres),
        probability=spine.numbering.probability,
        names=" ".join(v.name for v in spine.vertebrae),
        dice_body=body,
        dice_vertebra=whole,
    )


def _truth(case: RealCase, data_dir: Path, masks: tuple[LabelMap, LabelMap] | None) -> list[Annotated]:
    if case.annotation is not None:
        stored = json.loads((data_dir / case.annotation).read_text(encoding="utf-8"))
        return [
            Annotated(Level[b["level"]], np.array([b["x"], b["y"], b["z"]], dtype=np.float64), bool(b["complete"]))
            for b in stored["bodies"]
        ]
    if masks is None:
        return []
    body = masks[1]
    numbers = [int(n) for n in np.unique(body.labels) if n and n != Level.S1]
    return [
        Annotated(Level(n), body.grid.to_lps_mm(np.argwhere(body.labels == n).mean(0, keepdims=True))[0], True)
        for n in numbers
    ]


def _may_shift(case: RealCase, data_dir: Path) -> bool:
    """Whether the annotation lets a uniform shift of all names count as right."""
    stored = json.loads((data_dir / str(case.annotation)).read_text(encoding="utf-8"))
    return "shift" in str(stored.get("scoring", ""))


def masks_of(case: RealCase, data_dir: Path) -> tuple[LabelMap, LabelMap] | None:
    """Whole vertebrae and bodies under VerSe numbers."""
    if case.masks is None:
        return None
    whole = verse_numbers(read_masks(data_dir / case.masks), case.numbering)
    return whole, read_masks(data_dir / case.bodies) if case.bodies else bodies_of(whole)


def _distances(truth: list[Annotated], centres: np.ndarray) -> np.ndarray:
    if not len(centres):
        return np.full(len(truth), np.inf)
    return np.array([np.linalg.norm(centres - t.centre_lps_mm, axis=1).min() for t in truth])


def _distances_of(centres: np.ndarray, truth: list[Annotated]) -> np.ndarray:
    at = np.array([t.centre_lps_mm for t in truth])
    return np.array([np.linalg.norm(at - c, axis=1).min() for c in centres])


def _column(spine: Spine, truth: list[Annotated], shift_allowed: bool) -> str:
    """Right when every annotated body that was found has its name (or all are shifted alike, where allowed)."""
    if spine.numbering.status is NumberingStatus.RELATIVE:
        return "relative"
    shifts = set()
    for v in spine.vertebrae:
        distance = [float(np.linalg.norm(v.centre_lps_mm - t.centre_lps_mm)) for t in truth]
        nearest = int(np.argmin(distance))
        if distance[nearest] <= FOUND_WITHIN_MM / 2 and v.level is not None:
            shifts.add(round(v.level.rank - truth[nearest].level.rank))
    right = shifts == {0} or (shift_allowed and len(shifts) == 1 and abs(next(iter(shifts))) == 1)
    return "right" if right else "wrong"


def _identified(spine: Spine, complete: list[Annotated], centres: np.ndarray) -> int | None:
    """VerSe's rule: the nearest centre has the same label and lies within 20 mm."""
    if spine.numbering.status is NumberingStatus.RELATIVE or not len(centres):
        return None
    count = 0
    for t in complete:
        distance = np.linalg.norm(centres - t.centre_lps_mm, axis=1)
        nearest = int(np.argmin(distance))
        count += distance[nearest] <= FOUND_WITHIN_MM and spine.vertebrae[nearest].level is t.level
    return int(count)


def _dice(spine: Spine, masks: tuple[LabelMap, LabelMap]) -> tuple[float | None, float | None]:
    """Mean Dice of body and of whole vertebra on the masks' grid, each true vertebra against the instance that
    overlaps it most; a vertebra that was not found counts 0."""
    whole, body = masks
    mine = resample_labels(spine.instances, whole.grid).labels
    parts = resample_labels(spine.parts, body.grid).labels
    mine_body = np.where(parts == Part.BODY, resample_labels(spine.instances, body.grid).labels, 0)
    edge = _touching(whole.labels)
    wanted = [int(n) for n in np.unique(body.labels) if n and n != Level.S1 and n not in edge]
    if not wanted:
        return None, None
    return (
        float(np.mean([_best_dice(mine_body, body.labels == n) for n in wanted])),
        float(np.mean([_best_dice(mine, whole.labels == n) for n in wanted])),
    )


def _touching(labels: np.ndarray) -> set[int]:
    """Labels whose mask touches the first or last slice of the volume."""
    return {int(n) for n in np.unique(np.concatenate([labels[0].ravel(), labels[-1].ravel()])) if n}


def _best_dice(found: np.ndarray, truth: np.ndarray) -> float:
    counts = np.bincount(found[truth], minlength=2)
    counts[0] = 0
    if not counts.any():
        return 0.0
    best = int(counts.argmax())
    return float(2 * counts[best] / ((found == best).sum() + truth.sum()))


def table_row(f: CaseFigures) -> str:
    """One line for people."""
    distance = "-" if f.distance_mm is None else f"{f.distance_mm:.1f} mm"
    named = "relative" if f.identified is None else f"{f.identified}/{f.complete} identified"
    sure = "" if f.probability is None else f" (p {f.probability:.2f})"
    dice = "" if f.dice_body is None else f", Dice body {f.dice_body:.2f} vertebra {f.dice_vertebra:.2f}"
    return (
        f"{f.case}: {f.found}/{f.complete} found, {f.extra} extra, {distance}, column {f.column}{sure}, "
        f"{named}{dice}: {f.names}"
    )


def summary_of(figures: Sequence[CaseFigures]) -> dict[str, object]:
    """The three figures that stand side by side: detection, columns, identification; and distance."""
    complete = sum(f.complete for f in figures)
    found = sum(f.found for f in figures)
    numbered = [f for f in figures if f.identified is not None]
    return {
        "detection": f"{found}/{complete}",
        "distance_mm": round(
            float(np.average([f.distance_mm or 0.0 for f in figures], weights=[f.found + 1e-9 for f in figures])), 2
        )
        if figures
        else None,
        "columns": {kind: sum(f.column == kind for f in figures) for kind in ("right", "relative", "wrong")},
        "identification": f"{sum(f.identified or 0 for f in numbered)}/{sum(f.complete for f in numbered)}",
        "extra": sum(f.extra for f in figures),
    }
