"""The page a newcomer reads first: the whole method, each line one room."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wirbel.etiology import Clinical, Etiology, EtiologyScorer, classify, no_classifier, supported, without_discitis
from wirbel.finding import Findings, Verdict, find_all
from wirbel.finding.signs import Signs, signs_of_all
from wirbel.spine import Segmenter, Spine, name_levels
from wirbel.spine.shift import name_from, shift_levels
from wirbel.study.made_by import made_by
from wirbel.study.no_spine import must_have_a_whole_one, must_have_vertebrae
from wirbel.study.result import StudyResult
from wirbel.study.series import Series, StudySeries
from wirbel.study.settings import Settings
from wirbel.vertebra import VertebraMeasures, VertebraSettings, measure_all

#: Verdicts whose vertebrae get their signs measured; and so do those in which a lesion is suspected.
WITH_SIGNS = frozenset({Verdict.FRACTURE, Verdict.BORDERLINE})


def analyse(
    series: StudySeries,
    *,
    segment: Segmenter,
    settings: Settings,
    scorer: EtiologyScorer | None = None,
    clinical: Clinical | None = None,
    bundles: Mapping[str, str] | None = None,
) -> StudyResult:
    """Find, name, measure and judge every vertebra of a study; with a `scorer` also tell the cause of fractures.

    `bundles` are the hashes of the networks behind `segment` and `scorer`, for the provenance; `clinical` is what
    is known of the patient. Pure but for the reading of the series, which happens when their values are first
    needed. Raises `InputRejected` without any whole vertebra.
    """
    ct = series.main.volume
    evidence = segment(ct)
    must_have_vertebrae(evidence, series.main.ref)
    spine = _as_read(name_levels(evidence, settings.spine), settings)
    measures = _measured(series, spine, settings.vertebra)
    must_have_a_whole_one(measures, series.main.ref)
    heights, density = series.heights.ref, series.density.ref
    findings = find_all(
        ct, spine, measures, settings.finding, heights.acquisition, density_acquisition=density.acquisition
    )
    etiology = (
        classify(
            ct, spine, measures, findings, scorer, settings.etiology, real=not series.main.ref.says_simulated
        )
        if scorer is not None
        else no_classifier([vertebra.label for vertebra in spine.vertebrae])
    )
    signs = _signs(series.main, spine, measures, findings, etiology, settings)
    return StudyResult(
        series=series.main.ref,
        heights_series=heights,
        density_series=density,
        spine=spine,
        measures=measures,
        findings=findings,
        etiology=without_discitis(supported(etiology, signs), signs),
        provenance=made_by(evidence.source, scorer, bundles or {}, settings),
        signs=signs,
        clinical=clinical or Clinical(),
    )


def _as_read(spine: Spine, settings: Settings) -> Spine:
    """The column with the names a reader corrected."""
    spine = shift_levels(spine, settings.shift_levels)
    return spine if settings.named is None else name_from(spine, settings.named)


def _signs(
    main: Series,
    spine: Spine,
    measures: Sequence[VertebraMeasures],
    findings: Findings,
    etiology: Etiology,
    settings: Settings,
) -> tuple[Signs | None, ...]:
    """The signs of the vertebrae in which something was found; None for the others."""
    concerned = {
        finding.label
        for finding, cause in zip(findings.vertebrae, etiology.vertebrae, strict=True)
        if finding.verdict in WITH_SIGNS or cause.suspicion is not None
    }
    if not concerned:
        return tuple(None for _ in spine.vertebrae)
    found = signs_of_all(
        main.volume, spine, measures, settings.signs, main.ref.acquisition, labels=concerned, suspects=concerned
    )
    by_label = {signs.label: signs for signs in found}
    return tuple(by_label.get(vertebra.label) for vertebra in spine.vertebrae)


def _measured(series: StudySeries, spine: Spine, settings: VertebraSettings) -> tuple[VertebraMeasures, ...]:
    """Heights from one series; density from another one where that has the better kernel."""
    measures = _of(series.heights, series, spine, settings)
    if series.density is series.heights:
        return measures
    other = _of(series.density, series, spine, settings)
    return tuple(replace(m, density=d.density) for m, d in zip(measures, other, strict=True))


def _of(
    chosen: Series, series: StudySeries, spine: Spine, settings: VertebraSettings
) -> tuple[VertebraMeasures, ...]:
    measures: Sequence[VertebraMeasures] = measure_all(chosen.volume, spine, settings, chosen.ref.acquisition)
    if chosen is not series.main:
        chosen.release()
    return tuple(measures)
