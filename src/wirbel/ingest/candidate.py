"""A series that could be used: where it lies, how it was made, what speaks against it."""

from dataclasses import dataclass

from wirbel.dicom.header import ImageHeader
from wirbel.errors import InputRejected
from wirbel.ingest.geometry import Stack, craniocaudal_extent_mm, craniocaudal_mm, plane_of, stack_of
from wirbel.ingest.refusal import Refusal
from wirbel.ingest.separate import Part
from wirbel.ingest.settings import IngestSettings
from wirbel.ingest.table import SeriesTable
from wirbel.volume import Acquisition, Grid, Plane


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A stack with what the choice weighs."""

    stack: Stack
    acquisition: Acquisition
    notes: tuple[str, ...]

    @property
    def header(self) -> ImageHeader:
        """The first slice's header, for what all slices share."""
        return self.stack.slices[0]

    @property
    def grid(self) -> Grid:
        """The grid as taken."""
        return self.stack.grid

    @property
    def extent_mm(self) -> float:
        """Cover along the body's axis."""
        return craniocaudal_extent_mm(self.grid)

    @property
    def in_plane_mm(self) -> float:
        """The coarser pixel side."""
        return max(self.grid.spacing_mm[1:])

    @property
    def is_original(self) -> bool:
        """Reconstructed from the scanner's raw data, no reformat."""
        return not self.header.image_type or self.header.image_type[0].upper() == "ORIGINAL"


def candidate_of(part: Part, settings: IngestSettings) -> Candidate:
    """The part as a usable series; raises `InputRejected` with the first reason against it."""
    table = settings.table
    first = part.slices[0]
    _check_kind(part, table)
    name = f"series of {len(part.slices)} slices at {first.source.name}"
    stack = stack_of(part.slices, settings.geometry)
    if len(stack.slices) < settings.geometry.min_slices:
        raise InputRejected(
            f"{first.source.name}: {_slices(len(stack.slices))}, at least {settings.geometry.min_slices} are "
            "needed: give the whole series",
            code=Refusal.TOO_FEW_SLICES,
        )
    if _voxels(stack.grid) > settings.max_voxels:
        raise InputRejected(
            f"{name}: {_voxels(stack.grid) / 1e6:.0f} million voxels, limit {settings.max_voxels / 1e6:.0f}",
            code=Refusal.TOO_LARGE,
        )
    acquisition = acquisition_of(stack, table)
    if acquisition.slice_mm > table.max_slice_mm:
        raise InputRejected(
            f"{name}: slices of {acquisition.slice_mm:.2f} mm, limit {table.max_slice_mm:.2f} mm",
            code=Refusal.TOO_THICK,
        )
    return Candidate(stack, acquisition, part.notes + stack.notes + _notes(stack, acquisition, table, name))


def acquisition_of(stack: Stack, table: SeriesTable) -> Acquisition:
    """What the header says about the making, as far as measures hang on it."""
    header = stack.slices[0]
    steps = stack.grid.spacing_mm
    thickness = max((s.thickness_mm or 0.0) for s in stack.slices)
    slice_mm = max(steps[0], thickness)
    words = _words(header)
    description = header.series_description or ""
    agent = (header.contrast_agent or "").strip().upper()
    return Acquisition(
        plane=plane_of(stack.grid),
        slice_mm=round(slice_mm, 4),
        craniocaudal_mm=round(craniocaudal_mm(stack.grid, slice_mm), 4),
        kernel=table.kernel_of(header.kernel, header.manufacturer),
        kernel_name=header.kernel,
        kvp=header.kvp if header.kvp else None,
        contrast_agent=None if agent in table.no_contrast else True,
        spectral=bool(words & table.spectral_words)
        or any(p.search(description) for p in table.spectral_descriptions),
    )


def _check_kind(part: Part, table: SeriesTable) -> None:
    first = part.slices[0]
    name = first.source.name
    if first.modality not in table.modalities:
        raise InputRejected(
            f"{name}: modality {_shown(first.modality)} is no CT", code=Refusal.NOT_CT
        )
    if first.sop_class not in table.sop_classes or first.layout.offset is None:
        code = Refusal.NO_PIXELS if first.sop_class in table.sop_classes else Refusal.NOT_A_CT_IMAGE
        raise InputRejected(f"{name}: holds no CT image", code=code)
    words = set().union(*(_words(s) for s in part.slices))
    if found := words & table.localizer_words:
        raise InputRejected(f"{name}: {sorted(found)[0].lower()} image, no slices", code=Refusal.LOCALIZER)
    if found := words & table.derived_words:
        raise InputRejected(
            f"{name}: derived image ({sorted(found)[0]}), its values are not those of the scan",
            code=Refusal.DERIVED,
        )
    description = first.series_description or ""
    if any(pattern.search(description) for pattern in table.refused_descriptions):
        raise InputRejected(
            f"{name}: the series' description names a derived image, its values are not those of the scan",
            code=Refusal.DERIVED,
        )
    _check_values(part, table)


def _check_values(part: Part, table: SeriesTable) -> None:
    for header in part.slices:
        if header.layout.samples != 1:
            raise InputRejected(f"{header.source.name}: colour pixels are no CT", code=Refusal.NOT_MONOCHROME)
        if header.rescale_slope is None or header.rescale_intercept is None or header.rescale_slope == 0:
            raise InputRejected(
                f"{header.source.name}: RescaleSlope or RescaleIntercept is missing, "
                "Hounsfield units cannot be told: export the original series",
                code=Refusal.NO_RESCALE,
            )
        if (header.rescale_type or "") not in table.rescale_types:
            raise InputRejected(
                f"{header.source.name}: values are in {_shown(header.rescale_type or '')}, not in HU",
                code=Refusal.NOT_HU,
            )


def _words(header: ImageHeader) -> set[str]:
    return {word.strip().upper() for word in header.image_type}


def _notes(stack: Stack, acquisition: Acquisition, table: SeriesTable, name: str) -> tuple[str, ...]:
    notes = []
    header = stack.slices[0]
    if "AXIAL" in _words(header) and acquisition.plane in {Plane.CORONAL, Plane.SAGITTAL}:
        notes.append(f"labelled axial, {acquisition.plane} by its geometry")
    width_mm = min(n * mm for n, mm in zip(stack.grid.shape[1:], stack.grid.spacing_mm[1:], strict=True))
    if width_mm < table.min_field_of_view_mm:
        raise InputRejected(
            f"{name}: field of view {width_mm:.0f} mm, at least {table.min_field_of_view_mm:.0f} mm needed",
            code=Refusal.FIELD_OF_VIEW,
        )
    if width_mm < table.small_field_of_view_mm:
        notes.append(f"small field of view of {width_mm:.0f} mm")
    if any(s.is_lossy for s in stack.slices):
        notes.append("compressed with loss")
    acquisitions = {s.acquisition_number for s in stack.slices}
    if len(acquisitions) > 1:
        notes.append(f"step-and-shoot scan of {len(acquisitions)} acquisitions in one even stack")
    return tuple(notes)


def _voxels(grid: Grid) -> int:
    return grid.shape[0] * grid.shape[1] * grid.shape[2]


def _slices(count: int) -> str:
    return "a single slice" if count == 1 else f"{count} slices"


def _shown(value: str) -> str:
    """A header's word as it may stand in a message: short, printable, never long free text."""
    word = "".join(c for c in value if c.isalnum() or c in "_ -")[:16].strip()
    return word or "(none)"
