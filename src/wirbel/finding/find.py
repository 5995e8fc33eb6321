"""All findings of a column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from wirbel.finding.ankylosis import bridges, is_ankylosed
from wirbel.finding.density import reading_of
from wirbel.finding.finding import Caution, ContrastPhase, Finding, Findings, Verdict, Why
from wirbel.finding.kyphosis import kyphosis_of
from wirbel.finding.norms import NORMS, Norm, norm_of
from wirbel.finding.reference import Expected, Row, expected_of_all
from wirbel.finding.settings import FindingSettings, GradeSettings
from wirbel.finding.verdict import Case, verdict_of
from wirbel.finding.vessels import contrast_phase
from wirbel.spine import Level, NumberingStatus, Spine, Vertebra
from wirbel.vertebra import BodyHeights, Endplates, Frame, NotMeasured, Reason, VertebraMeasures
from wirbel.volume import Acquisition, Volume


def find_all(
    ct: Volume,
    spine: Spine,
    measures: Sequence[VertebraMeasures],
    settings: FindingSettings,
    acquisition: Acquisition,
    *,
    density_acquisition: Acquisition | None = None,
) -> Findings:
    """A verdict for every vertebra, or the reason why there is none; kyphosis, density reading, cautions.

    `acquisition` is that of the series the heights were measured on; `density_acquisition` that of the density's
    where it is another one.
    """
    by_label = {m.label: m for m in measures}
    own = [by_label[v.label] for v in spine.vertebrae]
    frames = [m.frame for m in own if isinstance(m.frame, Frame)]
    phase = contrast_phase(ct, spine, frames, settings.vessels)
    fused = is_ankylosed(bridges(ct, own, settings.ankylosis), settings.ankylosis)
    return Findings(
        judged(spine.vertebrae, own, settings),
        kyphosis_of(spine.vertebrae, own),
        reading_of(spine.vertebrae, own, phase, density_acquisition or acquisition, settings.screen),
        _cautions(spine, phase, settings, acquisition, fused=fused),
    )


def judged(
    vertebrae: Sequence[Vertebra], measures: Sequence[VertebraMeasures], settings: FindingSettings
) -> tuple[Finding, ...]:
    """The verdicts alone, from the measures alone, in the column's order."""
    rows = _rows(vertebrae, measures)
    expected = expected_of_all(rows, settings.grade)
    norms = {row.label: row.norm for row in rows}
    runs = _wedged_runs(measures, expected, settings.grade)
    return tuple(
        _finding(v, m, norms.get(v.label), expected.get(v.label), run, settings)
        for v, m, run in zip(vertebrae, measures, runs, strict=True)
    )


def _rows(vertebrae: Sequence[Vertebra], measures: Sequence[VertebraMeasures]) -> list[Row]:
    """Vertebrae with heights and a norm."""
    nameless = _nameless_norms(measures)
    rows = []
    for place, (v, m) in enumerate(zip(vertebrae, measures, strict=True)):
        norm = norm_of(v.level) if v.level is not None else nameless[place]
        if norm is not None and isinstance(m.heights, BodyHeights):
            rank = v.level.rank if v.level is not None else float(place)
            rows.append(Row(v.label, rank, m.heights.median, norm))
    return rows


def _nameless_norms(measures: Sequence[VertebraMeasures]) -> list[Norm]:
    """Norms for a column without names: T11's proportions, and the column's own growth from above downward."""
    places = [i for i, m in enumerate(measures) if isinstance(m.heights, BodyHeights)]
    logs = [float(np.log(m.heights.median.posterior_mm)) for m in measures if isinstance(m.heights, BodyHeights)]
    slopes = [
        (logs[b] - logs[a]) / (places[b] - places[a]) for a in range(len(places)) for b in range(a + 1, len(places))
    ]
    growth = float(np.median(slopes)) if slopes else 0.0
    middle = NORMS[Level.T11]
    return [replace(middle, posterior_mm=middle.posterior_mm * float(np.exp(growth * i))) for i in
    range(len(measures))]


def _finding(
    vertebra: Vertebra,
    measures: VertebraMeasures,
    norm: Norm | None,
    expected: Expected | None,
    wedged_run: int,
    settings: FindingSettings,
) -> Finding:
    if not isinstance(measures.heights, BodyHeights):
        return _not_assessed(vertebra.label, measures.heights)
    if norm is None or expected is None or (vertebra.level is not None and vertebra.level.region in "CS"):
        return _not_assessed(vertebra.label, NotMeasured(Reason.LEVEL_NOT_GRADED))
    if not isinstance(measures.endplates, Endplates):
        return _not_assessed(vertebra.label, measures.endplates)
    case = Case(
        vertebra.label,
        vertebra.level,
        measures.heights.median,
        expected,
        norm,
        measures.endplates,
        measures.heights.depth_mm,
        measures.endplates.wedge_deg,
        wedged_run,
    )
    return verdict_of(case, settings.grade)


def _wedged_runs(
    measures: Sequence[VertebraMeasures], expected: Mapping[int, Expected], settings: GradeSettings
) -> list[int]:
    """For each vertebra how many in a row, itself included, are wedged and have lost height in front."""
    wedged = [
        isinstance(m.wedge_deg, float)
        and m.wedge_deg >= settings.scheuermann_deg
        and m.label in expected
        and expected[m.label].anterior_loss >= settings.scheuermann_loss
        for m in measures
    ]
    runs = [0] * len(wedged)
    start = 0
    for i, one in enumerate([*wedged, False]):
        if not one:
            runs[start:i] = [i - start] * (i - start)
            start = i + 1
    return runs


def _not_assessed(label: int, why: NotMeasured) -> Finding:
    reasons = (Why.LEVEL_NOT_GRADED,) if why.reason is Reason.LEVEL_NOT_GRADED else ()
    return Finding(label, Verdict.NOT_ASSESSED, why, None, why, reasons, {}, why)


def _cautions(
    spine: Spine, phase: ContrastPhase, settings: FindingSettings, acquisition: Acquisition, *, fused: bool
) -> tuple[Caution, ...]:
    found = [Caution.ANKYLOSIS] if fused else []
    if acquisition.craniocaudal_mm > settings.coarsest_mm:
        found.append(Caution.THICK_SLICES)
    if phase in (ContrastPhase.ARTERIAL, ContrastPhase.PORTAL_VENOUS) or acquisition.contrast_agent:
        found.append(Caution.CONTRAST)
    if spine.numbering.status is NumberingStatus.RELATIVE:
        found.append(Caution.RELATIVE_NUMBERING)
    if spine.numbering.variants:
        found.append(Caution.VARIANT)
    found.append(Caution.FRACTURE_AGE)
    return tuple(found)
