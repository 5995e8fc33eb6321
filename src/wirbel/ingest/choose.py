"""One series for each purpose, by the rules of the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wirbel.ingest.candidate import Candidate
from wirbel.ingest.table import SeriesTable
from wirbel.volume import Kernel, Plane


class Purpose(StrEnum):
    """What a series is used for."""

    FINDING = "finding"
    HEIGHTS = "heights"
    DENSITY = "density"
    CORTEX = "cortex"


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The series of each purpose; several purposes may share one."""

    finding: Candidate
    heights: Candidate
    density: Candidate
    cortex: Candidate

    def purposes_of(self, candidate: Candidate) -> tuple[Purpose, ...]:
        """What a series was chosen for."""
        chosen = (self.finding, self.heights, self.density, self.cortex)
        return tuple(p for p, c in zip(Purpose, chosen, strict=True) if c is candidate)


def choose(candidates: Sequence[Candidate], table: SeriesTable) -> Choice:
    """Choose among usable series; the first argument must not be empty."""
    finding = choose_finding(candidates, table)
    return Choice(
        finding,
        choose_heights(candidates, finding, table),
        choose_density(candidates, finding, table),
        choose_cortex(candidates, finding, table),
    )


def choose_finding(candidates: Sequence[Candidate], table: SeriesTable) -> Candidate:
    """The widest cover along the body; among about equal ones the thinner class, better kernel, originals."""
    rule = table.finding
    widest = max(c.extent_mm for c in candidates)
    wide = [c for c in candidates if c.extent_mm >= rule.cover_share * widest]

    def rank(c: Candidate) -> tuple[Any, ...]:
        mm = c.acquisition.slice_mm
        thickness = next((i for i, limit in enumerate(rule.thickness_classes_mm) if mm <= limit), 99)
        kernels = rule.kernels
        kernel = kernels.index(c.acquisition.kernel) if c.acquisition.kernel in kernels else len(kernels)
        axial = c.acquisition.plane is not Plane.AXIAL
        return (thickness, kernel, c.acquisition.spectral, not c.is_original, axial, mm, -c.extent_mm, _number(c))

    return min(wide, key=rank)


def choose_heights(candidates: Sequence[Candidate], finding: Candidate, table: SeriesTable) -> Candidate:
    """The finest along the column, where the finding series is not fine enough and the gain is worth it."""
    rule = table.heights
    if finding.acquisition.craniocaudal_mm <= rule.good_enough_mm:
        return finding

    def rank(c: Candidate) -> tuple[Any, ...]:
        lung = c.acquisition.kernel is Kernel.LUNG
        return (round(c.acquisition.craniocaudal_mm, 1), lung, c.acquisition.slice_mm, _number(c))

    others = [c for c in candidates if _same_scan(c, finding, rule.cover_share)]
    best = min(others, key=rank)
    gained = finding.acquisition.craniocaudal_mm / best.acquisition.craniocaudal_mm >= rule.gain
    return best if gained else finding


def choose_density(candidates: Sequence[Candidate], finding: Candidate, table: SeriesTable) -> Candidate:
    """The finding series when its kernel is soft, else a soft reconstruction of the same scan."""
    rule = table.density

    def is_good(c: Candidate) -> bool:
        return c.acquisition.kernel is rule.kernels[0] and not c.acquisition.spectral

    def rank(c: Candidate) -> tuple[Any, ...]:
        return (c.acquisition.slice_mm, not c.is_original, _number(c))

    if is_good(finding):
        return finding
    good = [c for c in candidates if is_good(c) and _same_scan(c, finding, rule.cover_share)]
    return min(good, key=rank) if good else finding


def choose_cortex(candidates: Sequence[Candidate], finding: Candidate, table: SeriesTable) -> Candidate:
    """The thinnest bone reconstruction of the same scan, else the finding series."""
    rule = table.cortex
    good = [
        c
        for c in candidates
        if c.acquisition.kernel in rule.kernels
        and c.acquisition.slice_mm <= rule.max_slice_mm
        and _same_scan(c, finding, rule.cover_share)
    ]
    return min(good, key=lambda c: (c.acquisition.slice_mm, c.in_plane_mm, _number(c))) if good else finding


def _same_scan(c: Candidate, finding: Candidate, cover_share: float) -> bool:
    """A reconstruction of the same acquisition: same frame of reference, acquisition, contrast, enough cover."""
    if c is finding:
        return True
    a, b = c.header, finding.header
    frame = a.frame_of_reference_uid
    same_frame = frame is not None and frame == b.frame_of_reference_uid
    numbers = {a.acquisition_number, b.acquisition_number} - {None}
    same_contrast = c.acquisition.contrast_agent == finding.acquisition.contrast_agent
    return same_frame and len(numbers) <= 1 and same_contrast and _overlap(c, finding) >= cover_share


def _overlap(c: Candidate, finding: Candidate) -> float:
    """The share of the finding series' cover along the body that the other covers too."""
    (low, high), (from_mm, to_mm) = _reach(c), _reach(finding)
    return float(max(0.0, min(high, to_mm) - max(low, from_mm)) / max(1e-6, to_mm - from_mm))


def _reach(c: Candidate) -> tuple[float, float]:
    affine, shape = c.grid.voxel_to_lps_mm, c.grid.shape
    ends = [affine[2, 3] + sum(affine[2, k] * n for k, n in enumerate(corner)) for corner in _corners(shape)]
    return float(min(ends)), float(max(ends))


def _corners(shape: tuple[int, int, int]) -> list[tuple[float, float, float]]:
    z, y, x = ((-0.5, n - 0.5) for n in shape)
    return [(a, b, c) for a in z for b in y for c in x]


def _number(c: Candidate) -> tuple[int, str]:
    text = c.header.series_number or ""
    return (int(text) if text.isdigit() else 1 << 30, text)
