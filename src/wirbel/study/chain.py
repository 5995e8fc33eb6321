"""The page a newcomer reads first: the whole method, each line one room."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wirbel import __version__
from wirbel.etiology import no_classifier
from wirbel.finding import find_all
from wirbel.spine import Segmenter, Spine, name_levels
from wirbel.spine.shift import name_from, shift_levels
from wirbel.study.no_spine import must_have_a_whole_one, must_have_vertebrae
from wirbel.study.result import Provenance, StudyResult
from wirbel.study.series import Series, StudySeries
from wirbel.study.settings import Settings, flat
from wirbel.vertebra import VertebraMeasures, VertebraSettings, measure_all


def analyse(
    series: StudySeries, *, segment: Segmenter, settings: Settings, bundles: Mapping[str, str] | None = None
) -> StudyResult:
    """Find, name, measure and judge every vertebra of a study.

    `bundles` are the hashes of the networks behind `segment`, for the provenance. Pure but for the reading of the
    series, which happens when their values are first needed. Raises `InputRejected` without any whole vertebra.
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
    return StudyResult(
        series=series.main.ref,
        heights_series=heights,
        density_series=density,
        spine=spine,
        measures=measures,
        findings=findings,
        etiology=no_classifier([vertebra.label for vertebra in spine.vertebrae]),
        provenance=Provenance(__version__, evidence.source, "none installed", dict(bundles or {}), flat(settings)),
    )


def _as_read(spine: Spine, settings: Settings) -> Spine:
    """The column with the names a reader corrected."""
    spine = shift_levels(spine, settings.shift_levels)
    return spine if settings.named is None else name_from(spine, settings.named)


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
