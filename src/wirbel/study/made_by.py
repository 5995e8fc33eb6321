"""By what a result was made, put together from who segmented and who scored."""

from collections.abc import Mapping

from wirbel import __version__
from wirbel.etiology import EtiologyScorer, ScorerIdentity, calibration_sha256
from wirbel.study.result import Provenance
from wirbel.study.settings import Settings, flat

NO_CLASSIFIER = "none"


def made_by(
    segmenter: str, scorer: EtiologyScorer | None, bundles: Mapping[str, str], settings: Settings
) -> Provenance:
    """The provenance of a result, but for the clock."""
    if scorer is None:
        return Provenance(__version__, segmenter, NO_CLASSIFIER, dict(bundles), flat(settings))
    given = scorer.calibrations
    fitted = [each for each in (given.fractured, given.unfractured) if each is not None]
    return Provenance(
        __version__,
        segmenter,
        classifier_name(scorer.identity),
        dict(bundles),
        flat(settings),
        classifier_simulated=scorer.identity.simulated,
        calibration_sha256={each.population.value: calibration_sha256(each) for each in fitted},
        simulated_calibrations=tuple(each.population.value for each in fitted if each.cohort.simulated),
    )


def classifier_name(identity: ScorerIdentity) -> str:
    """Name and version, and that it was trained on simulated images where it was."""
    name = f"{identity.name} {identity.version}".strip()
    return f"{name}, trained on simulated images" if identity.simulated else name
