"""What ingest made of an input, series by series: for people, for `wirbel inspect`, for logs. No patient data."""

from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np

from wirbel.ingest.candidate import Candidate
from wirbel.ingest.choose import Choice, Purpose
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.survey import Rejected, Survey
from wirbel.volume import Acquisition, Grid


class Kind(StrEnum):
    """What an accepted input is."""

    CT = "ct"
    LABEL_MAP = "label map"


@dataclass(frozen=True, slots=True)
class GeometryReport:
    """The stack as taken: slices, rows, columns; mm; directions of slice, row and column steps in LPS."""

    slices: int
    rows: int
    columns: int
    slice_step_mm: float
    row_step_mm: float
    column_step_mm: float
    first_voxel_lps_mm: tuple[float, ...]
    directions_lps: tuple[tuple[float, ...], ...]
    tilt_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """One series, used or refused. `code` None: used, for `purposes`; else why not, and `sentence` says it."""

    files: int
    first_file: str
    modality: str
    series_number: str | None
    kernel_name: str | None
    slices: int
    code: str | None
    sentence: str
    purposes: tuple[Purpose, ...] = ()
    acquisition: Acquisition | None = None
    geometry: GeometryReport | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """The whole input: accepted as a CT or a label map, or refused with code and sentence."""

    name: str
    kind: Kind | None
    code: str | None
    sentence: str
    series: tuple[SeriesReport, ...]
    other_files: int = 0

    @property
    def is_accepted(self) -> bool:
        """Whether something in the input can be read."""
        return self.kind is not None

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"research_use_only": True, "accepted": self.is_accepted, **asdict(self)}


def geometry_report(grid: Grid, tilt_deg: float = 0.0) -> GeometryReport:
    """A grid in words and numbers."""
    slices, rows, columns = grid.shape
    steps = [round(mm, 5) for mm in grid.spacing_mm]
    directions = grid.voxel_to_lps_mm[:3, :3] / np.asarray(grid.spacing_mm)
    return GeometryReport(
        slices,
        rows,
        columns,
        steps[0],
        steps[1],
        steps[2],
        tuple(round(float(v), 4) for v in grid.voxel_to_lps_mm[:3, 3]),
        tuple(tuple(round(float(v), 6) for v in column) for column in directions.T),
        round(tilt_deg, 3),
    )


def used_report(candidate: Candidate, purposes: tuple[Purpose, ...]) -> SeriesReport:
    """A usable series: chosen for something, or superseded."""
    header = candidate.header
    superseded = "usable, but another series serves every purpose better"
    return SeriesReport(
        files=len({s.source.name for s in candidate.stack.slices}),
        first_file=header.source.name,
        modality=header.modality,
        series_number=header.series_number,
        kernel_name=header.kernel,
        slices=len(candidate.stack.slices),
        code=None if purposes else Refusal.SUPERSEDED,
        sentence=f"used for {', '.join(purposes)}" if purposes else superseded,
        purposes=purposes,
        acquisition=candidate.acquisition,
        geometry=geometry_report(candidate.grid, candidate.stack.tilt_deg),
        notes=candidate.notes,
    )


def refused_report(rejected: Rejected) -> SeriesReport:
    """A refused series."""
    header = rejected.slices[0]
    return SeriesReport(
        files=len({s.source.name for s in rejected.slices}),
        first_file=header.source.name,
        modality=header.modality,
        series_number=header.series_number,
        kernel_name=header.kernel,
        slices=len(rejected.slices),
        code=rejected.code,
        sentence=rejected.sentence,
        notes=rejected.notes,
    )


def series_reports(survey: Survey, choice: Choice | None) -> tuple[SeriesReport, ...]:
    """Every series of an input, the used ones first."""
    used = [used_report(c, choice.purposes_of(c) if choice else ()) for c in survey.candidates]
    used.sort(key=lambda report: not report.purposes)
    return (*used, *(refused_report(r) for r in survey.rejected))
