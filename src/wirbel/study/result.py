"""The result of one study: what was found, of which series, made by what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wirbel.etiology import Clinical, Etiology
from wirbel.finding import Findings
from wirbel.finding.signs import Signs
from wirbel.spine import Spine
from wirbel.vertebra import VertebraMeasures
from wirbel.volume import Acquisition


@dataclass(frozen=True, slots=True)
class SeriesRef:
    """The series an answer belongs to, as its header has it; None = not given, never invented.

    `sha256` is over the pixel files in slice order. `source_name` is the file or folder name (no path).
    `notes` are sentences of ingest (tilt corrected, ...), free of patient data. `repr` hides patient data.
    """

    source_name: str
    sha256: str
    modality: str
    slices: int
    acquisition: Acquisition
    in_plane_mm: float
    manufacturer: str | None = None
    model: str | None = None
    series_number: str | None = None
    series_description: str | None = None
    accession: str | None = None
    patient_id: str | None = None
    study_date: str | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def says_simulated(self) -> bool:
        """Whether the series' own description says that its images are simulated."""
        return "simulated" in (self.series_description or "").lower()

    def __repr__(self) -> str:
        return f"SeriesRef({self.modality}, {self.slices} slices, {self.acquisition.slice_mm:g} mm)"


@dataclass(frozen=True, slots=True)
class Provenance:
    """By what the result was made. `settings` are the chain's settings flattened to `room.name: value`.

    `classifier` is name and version, and says where it was trained on simulated images. `calibration_sha256` has
    the digest of the calibration of each population (`fractured`, `unfractured`) that there is one for; those
    fitted on simulated images stand in `simulated_calibrations`: their probabilities and tiers are simulated.
    """

    wirbel_version: str
    segmenter: str
    classifier: str
    bundles: Mapping[str, str]
    settings: Mapping[str, object]
    started: str | None = None
    seconds: float | None = None
    classifier_simulated: bool = False
    calibration_sha256: Mapping[str, str] = field(default_factory=dict)
    simulated_calibrations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StudyResult:
    """Every vertebra of a study, assessed or not assessed with a reason.

    `measures`, `findings.vertebrae` and `etiology.vertebrae` run in the order of `spine.vertebrae`.
    `series` is the one for finding, naming and masks; `heights_series` and `density_series` differ from it where
    another reconstruction served the purpose better. `signs` run in the same order; None where nobody asked: they
    are measured of vertebrae that are fractured, borderline or found suspicious by the classifier (empty: of a
    result without signs).
    """

    series: SeriesRef
    heights_series: SeriesRef
    density_series: SeriesRef
    spine: Spine
    measures: tuple[VertebraMeasures, ...]
    findings: Findings
    etiology: Etiology
    provenance: Provenance
    signs: tuple[Signs | None, ...] = ()
    clinical: Clinical = field(default_factory=Clinical)
