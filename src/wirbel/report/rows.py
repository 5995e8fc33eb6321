"""One row of words a vertebra: what table, picture and text say of it."""

from dataclasses import dataclass

import numpy as np

from wirbel.etiology import Cause
from wirbel.finding import Finding, Verdict, Why
from wirbel.report.cause_words import CauseWords, cause_words
from wirbel.report.wording import Wording
from wirbel.spine import Vertebra
from wirbel.vertebra import BodyHeights, Density, NotMeasured, VertebraMeasures
from wirbel.volume import Grid, Plane

#: Reasons that the table's columns already show.
UNREMARKABLE = {Why.HEIGHTS_WITHIN_NORMAL, Why.LEVEL_NOT_GRADED}
#: The array axis along which slices were acquired.
SLICE_AXIS = {Plane.AXIAL: 0, Plane.CORONAL: 1, Plane.SAGITTAL: 2}


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Words for one vertebra; `heights` is empty where none were measured and `no_heights` says why."""

    vertebra: Vertebra
    finding: Finding
    measures: VertebraMeasures
    name: str
    slice: str
    verdict: str
    grade: str
    loss: str
    heights: tuple[str, ...]
    no_heights: str
    wedge: str
    density: str
    density_short: str
    calibrated: str
    cause_words: CauseWords
    reasons: tuple[str, ...]

    @property
    def cause(self) -> str:
        """The cause in one line."""
        return self.cause_words.short

    @property
    def plain(self) -> bool:
        """Whether there is nothing to explain: normal, and its heights are as expected."""
        return self.finding.verdict is Verdict.NORMAL and set(self.finding.reasons) <= UNREMARKABLE

    @property
    def tone(self) -> Verdict:
        """The verdict, as the key of its looks."""
        return self.finding.verdict


def rows_of(wording: Wording, grid: Grid) -> tuple[Row, ...]:
    """All vertebrae from the head downward; `grid` is the CT's, for slice numbers."""
    result = wording.result
    return tuple(
        _row(wording, grid, *each)
        for each in zip(
            result.spine.vertebrae,
            result.measures,
            result.findings.vertebrae,
            result.etiology.vertebrae,
            strict=True,
        )
    )


def slice_axis(plane: Plane, grid: Grid) -> int:
    """The array axis of the slices; for oblique ones the axis with the widest spacing."""
    return SLICE_AXIS.get(plane, int(np.argmax(grid.spacing_mm)))


def slice_number(vertebra: Vertebra, grid: Grid, axis: int) -> int:
    """The slice through the body's centre, 1 = first along the axis (from the feet in axial series)."""
    return int(np.rint(grid.to_voxel(vertebra.centre_lps_mm[None])[0, axis])) + 1


def _row(
    wording: Wording, grid: Grid, vertebra: Vertebra, measures: VertebraMeasures, finding: Finding, cause: Cause
) -> Row:
    say = wording.language
    axis = slice_axis(wording.result.series.acquisition.plane, grid)
    heights = measures.heights if isinstance(measures.heights, BodyHeights) else None
    median = heights.median if heights else None
    reasons = wording.reasons(finding, median)
    if finding.verdict is Verdict.NOT_ASSESSED:
        sentence = wording.not_assessed(finding)
        reasons = [sentence[:1].upper() + sentence[1:] + ".", *reasons]
    return Row(
        vertebra=vertebra,
        finding=finding,
        measures=measures,
        name=wording.name(vertebra),
        slice=str(slice_number(vertebra, grid, axis)),
        verdict=say.say(f"verdict.{finding.verdict.value}"),
        grade=_grade(wording, finding),
        loss=wording.loss(finding) if not isinstance(finding.loss, NotMeasured) else say.say("not.available"),
        heights=tuple(say.number(h) for h in (median.anterior_mm, median.middle_mm, median.posterior_mm))
        if median
        else (),
        no_heights=wording.not_measured(measures.heights) if isinstance(measures.heights, NotMeasured) else "",
        wedge=say.say("not.available")
        if isinstance(measures.wedge_deg, NotMeasured)
        else say.unit("deg", measures.wedge_deg),
        density=_density(wording, measures),
        density_short=say.number(measures.density.median_hu, 0)
        if isinstance(measures.density, Density)
        else say.say("not.available"),
        calibrated=_calibrated(wording, measures),
        cause_words=cause_words(wording, cause, finding),
        reasons=tuple(reasons),
    )


def _grade(wording: Wording, finding: Finding) -> str:
    """Grade and shape in short: `2 wedge`; `not graded` where there is none."""
    if isinstance(finding.grade, NotMeasured):
        return wording.language.say("not.graded")
    shape = f" {wording.language.say(f'shape.{finding.shape.value}')}" if finding.shape else ""
    return f"{finding.grade.value}{shape}"


def _density(wording: Wording, measures: VertebraMeasures) -> str:
    if isinstance(measures.density, NotMeasured):
        return wording.not_measured(measures.density)
    words = [wording.language.unit("hu", measures.density.median_hu, 0), _calibrated(wording, measures)]
    return ", ".join(word for word in words if word)


def _calibrated(wording: Wording, measures: VertebraMeasures) -> str:
    """Density in mg/cm3 where a calibration was supplied."""
    density = measures.density
    if isinstance(density, NotMeasured) or isinstance(density.mg_cm3, NotMeasured):
        return ""
    return wording.language.unit("mg_cm3", density.mg_cm3, 0)
