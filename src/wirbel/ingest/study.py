"""An input read: `read_study` for analysis, `inspect_input` to see what ingest makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wirbel.dicom.source import ByteSource
from wirbel.errors import InputRejected
from wirbel.ingest.candidate import Candidate
from wirbel.ingest.choose import Choice, Purpose, choose
from wirbel.ingest.files import sources_of
from wirbel.ingest.load import check_sample
from wirbel.ingest.nifti import is_nifti
from wirbel.ingest.nifti_ct import checked_header, is_label_map, read_ct
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.report import Inspection, Kind, SeriesReport, geometry_report, series_reports
from wirbel.ingest.series import LoadedSeries, dicom_series
from wirbel.ingest.settings import IngestSettings
from wirbel.ingest.survey import Rejected, Survey, survey


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A study's chosen series. `main` finds, names and segments; the others may be the same object.

    `main` is in memory and checked; the others are checked on a few slices and read when first used, all on
    `main`'s frame of reference. `series` reports every series of the input, used or refused.
    """

    name: str
    main: LoadedSeries
    heights: LoadedSeries
    density: LoadedSeries
    cortex: LoadedSeries
    series: tuple[SeriesReport, ...]
    other_files: int = 0


def read_study(path: Path, settings: IngestSettings | None = None) -> Study:
    """The CT study in a DICOM folder, a zip archive, one multi-frame file or a NIfTI file.

    Raises `InputRejected` with one line that names file and reason (and a `Refusal` as code), `DeliveryError`
    where the disk cannot be read, `UsageError` where nothing is there.
    """
    settings = settings or IngestSettings()
    sources = sources_of(path, settings.archive)
    name = _name(path)
    if (nifti := _only_nifti(sources, name)) is not None:
        return _nifti_study(nifti, name, settings)
    return _dicom_study(survey(sources, name, settings), name, settings)


def inspect_input(path: Path, settings: IngestSettings | None = None) -> Inspection:
    """What ingest makes of an input, refusals included; only a disk that fails raises, or no such path."""
    settings = settings or IngestSettings()
    name = _name(path)
    looked: Survey | None = None
    try:
        sources = sources_of(path, settings.archive)
        if (nifti := _only_nifti(sources, name)) is not None:
            return _inspected_nifti(nifti, name, settings)
        looked = survey(sources, name, settings)
        study = _dicom_study(looked, name, settings)
    except InputRejected as refused:
        series = series_reports(looked, None) if looked else ()
        return Inspection(name, None, refused.code, str(refused), series, looked.other_files if looked else 0)
    return Inspection(name, Kind.CT, None, "can be read", study.series, study.other_files)


def _name(path: Path) -> str:
    return path.name or path.resolve().name or "input"


def _only_nifti(sources: Sequence[ByteSource], name: str) -> ByteSource | None:
    """The NIfTI file of an input that is one, or holds one and no DICOM."""
    if len(sources) == 1:
        return sources[0] if is_nifti(sources[0]) else None
    named = [s for s in sources if s.name.lower().endswith((".nii", ".nii.gz"))]
    if not named or len(named) < sum(not _is_beside(s) for s in sources):
        return None
    if len(named) > 1:
        raise InputRejected(
            f"{name}: holds {len(named)} NIfTI files, which is the CT? Name one", code=Refusal.SEVERAL_IMAGES
        )
    return named[0]


def _is_beside(source: ByteSource) -> bool:
    """Files that may lie beside a NIfTI file without being images."""
    last = source.name.rsplit("/", 1)[-1].lower()
    return last.endswith((".json", ".txt", ".md", ".csv", ".bval", ".bvec", ".html")) or "." not in last


def _nifti_study(source: ByteSource, name: str, settings: IngestSettings) -> Study:
    header = checked_header(source, settings)
    if is_label_map(header):
        raise InputRejected(
            f"{source.name}: a label mask, no CT: give the CT, and the mask with --masks", code=Refusal.LABEL_MASK
        )
    main = read_ct(header, settings)
    acquisition = main.ref.acquisition
    report = SeriesReport(
        files=1,
        first_file=source.name,
        modality="CT",
        series_number=None,
        kernel_name=None,
        slices=main.ref.slices,
        code=None,
        sentence="the only volume: used for everything",
        purposes=tuple(Purpose),
        acquisition=acquisition,
        geometry=geometry_report(main.volume.grid),
        notes=main.ref.notes,
    )
    return Study(name, main, main, main, main, (report,))


def _inspected_nifti(source: ByteSource, name: str, settings: IngestSettings) -> Inspection:
    header = checked_header(source, settings)
    if not is_label_map(header):
        study = _nifti_study(source, name, settings)
        return Inspection(name, Kind.CT, None, "can be read", study.series)
    report = SeriesReport(
        files=1,
        first_file=source.name,
        modality="",
        series_number=None,
        kernel_name=None,
        slices=max(header.grid.shape),
        code=Refusal.LABEL_MASK,
        sentence="a label mask: usable with --masks, not as a CT",
        geometry=geometry_report(header.grid),
        notes=header.notes,
    )
    return Inspection(name, Kind.LABEL_MAP, None, "a label mask: usable with --masks, not as a CT", (report,))


def _dicom_study(looked: Survey, name: str, settings: IngestSettings) -> Study:
    """Choose, read, and choose again without the series whose values turn out unusable."""
    read: dict[int, LoadedSeries] = {}
    while looked.candidates:
        choice = choose(looked.candidates, settings.table)
        bad = _first_unusable(choice, name, settings, read)
        if bad is None:
            return _study_of(looked, choice, name, read)
        looked = _without(looked, *bad)
    raise _none_usable(looked, name)


def _first_unusable(
    choice: Choice, name: str, settings: IngestSettings, read: dict[int, LoadedSeries]
) -> tuple[Candidate, InputRejected] | None:
    for candidate in (choice.finding, choice.heights, choice.density, choice.cortex):
        if id(candidate) in read:
            continue
        series = dicom_series(candidate, name, settings)
        try:
            if candidate is choice.finding:
                _ = series.volume
            else:
                check_sample(candidate, settings)
        except InputRejected as refused:
            return candidate, refused
        read[id(candidate)] = series
    return None


def _study_of(looked: Survey, choice: Choice, name: str, read: dict[int, LoadedSeries]) -> Study:
    return Study(
        name,
        main=read[id(choice.finding)],
        heights=read[id(choice.heights)],
        density=read[id(choice.density)],
        cortex=read[id(choice.cortex)],
        series=series_reports(looked, choice),
        other_files=looked.other_files,
    )


def _without(looked: Survey, candidate: Candidate, refused: InputRejected) -> Survey:
    return replace(
        looked,
        candidates=tuple(c for c in looked.candidates if c is not candidate),
        rejected=(*looked.rejected, Rejected(candidate.stack.slices, candidate.notes, refused.code, str(refused))),
    )


def _none_usable(looked: Survey, name: str) -> InputRejected:
    """One line: the reason of the series that came nearest to being used."""
    nearest = max(looked.rejected, key=lambda r: (_progress(r.code), len(r.slices)))
    count = len(looked.rejected)
    if count == 1:
        text = nearest.sentence if nearest.sentence.startswith(name) else f"{name}: {nearest.sentence}"
        return InputRejected(text, code=nearest.code)
    codes = ", ".join(f"{sum(r.code == code for r in looked.rejected)} {code}" for code in _codes(looked))
    text = f"{name}: none of {count} series can be used ({codes}); {nearest.sentence}"
    return InputRejected(text, code=nearest.code)


def _codes(looked: Survey) -> list[str]:
    return sorted({r.code for r in looked.rejected})


def _progress(code: str) -> int:
    """How far a series came before it was refused: the order of the enumeration."""
    order = [str(refusal) for refusal in Refusal]
    return order.index(code) if code in order else 0
