"""A series ready to be measured: its values, read when asked for, and its reference for the result."""

from collections.abc import Callable

from wirbel.dicom.header import ImageHeader
from wirbel.ingest.candidate import Candidate
from wirbel.ingest.load import Loaded, load
from wirbel.ingest.settings import IngestSettings
from wirbel.study import SeriesRef
from wirbel.volume import Acquisition, Volume


class LoadedSeries:
    """One chosen series. `volume` and `ref` are read on first use and kept until `release`."""

    def __init__(self, read: Callable[[], Loaded], reference: Callable[[Loaded], SeriesRef]) -> None:
        self._read = read
        self._reference = reference
        self._loaded: Loaded | None = None
        self._ref: SeriesRef | None = None

    @property
    def volume(self) -> Volume:
        """The CT: canonical axes, int16 HU, native spacing."""
        return self._kept().volume

    @property
    def ref(self) -> SeriesRef:
        """The series as its header has it; stays after `release`."""
        if self._ref is None:
            self._kept()
        if self._ref is None:  # pragma: no cover - `_kept` sets it
            raise RuntimeError("a loaded series has a reference")
        return self._ref

    def release(self) -> None:
        """Give the memory back; the next use of `volume` reads again."""
        self._loaded = None

    def _kept(self) -> Loaded:
        if self._loaded is None:
            self._loaded = self._read()
            self._ref = self._reference(self._loaded)
        return self._loaded


def dicom_series(candidate: Candidate, name: str, settings: IngestSettings) -> LoadedSeries:
    """The lazy series of a candidate from an input of that name."""
    return LoadedSeries(lambda: load(candidate, settings), lambda loaded: _dicom_ref(candidate, name, loaded))


def _dicom_ref(candidate: Candidate, name: str, loaded: Loaded) -> SeriesRef:
    header: ImageHeader = candidate.header
    return SeriesRef(
        source_name=name,
        sha256=loaded.sha256,
        modality=header.modality,
        slices=len(candidate.stack.slices),
        acquisition=candidate.acquisition,
        in_plane_mm=round(candidate.in_plane_mm, 4),
        manufacturer=header.manufacturer,
        model=header.model,
        series_number=header.series_number,
        series_description=header.series_description,
        accession=header.accession,
        patient_id=header.patient_id,
        study_date=header.study_date,
        study_uid=header.study_uid,
        series_uid=header.series_uid,
        notes=candidate.notes,
    )


def nifti_series(
    loaded: Loaded, name: str, acquisition: Acquisition, slices: int, notes: tuple[str, ...]
) -> LoadedSeries:
    """A NIfTI volume that was read already; `slices` as they were acquired, whatever plane they lie in."""
    grid = loaded.volume.grid
    ref = SeriesRef(
        source_name=name,
        sha256=loaded.sha256,
        modality="CT",
        slices=slices,
        acquisition=acquisition,
        in_plane_mm=round(sorted(grid.spacing_mm)[1], 4),
        notes=notes,
    )
    return LoadedSeries(lambda: loaded, lambda _: ref)
