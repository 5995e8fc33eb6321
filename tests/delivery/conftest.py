"""A small drawn column and pages as the report would give them."""

import numpy as np
import pytest

from wirbel.etiology import Etiology
from wirbel.finding import ContrastPhase, DensityReading, Findings
from wirbel.report import ReportPages
from wirbel.spine import Level, Numbering, NumberingReason, NumberingStatus, Part, Spine, Vertebra
from wirbel.study import Provenance, SeriesRef, StudyResult
from wirbel.vertebra import NotMeasured, Reason
from wirbel.volume import Acquisition, Grid, LabelMap, Plane, Volume


def drawn_spine(levels: tuple[Level | None, ...]) -> Spine:
    """Boxes of 6 mm in a 1 mm grid, a sacrum below."""
    grid = Grid.axis_aligned((40, 20, 16), (1.0, 1.0, 1.0), (-8.0, -120.0, 300.0))
    instances, parts = np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, np.uint8)
    vertebrae = []
    for i, level in enumerate(levels):
        low = 30 - 9 * i
        instances[low : low + 6, 4:14, 4:12] = i + 1
        parts[low : low + 6, 4:10, 4:12], parts[low : low + 6, 10:14, 4:12] = Part.BODY, Part.POSTERIOR
        centre = grid.to_lps_mm(np.array([[low + 2.5, 6.5, 7.5]]))[0]
        vertebrae.append(Vertebra(i + 1, level, None, centre, False))
    parts[0:4, 6:12, 3:13] = Part.SACRUM
    relative = None in levels
    numbering = Numbering(
        NumberingStatus.RELATIVE if relative else NumberingStatus.NAMED, None, None, None,
        reason=NumberingReason.TOO_FEW if relative else None,
    )  # fmt: skip
    return Spine(tuple(vertebrae), LabelMap(grid, instances), LabelMap(grid, parts), numbering, "drawn")


@pytest.fixture
def spine() -> Spine:
    return drawn_spine((Level.L3, Level.L4, Level.L5))


@pytest.fixture
def unnumbered() -> Spine:
    return drawn_spine((None, None, None))


@pytest.fixture
def ct() -> Volume:
    """Coarser than the masks, and reaching beyond them."""
    grid = Grid.axis_aligned((26, 16, 12), (2.0, 1.5, 1.5), (-9.0, -122.0, 296.0))
    return Volume(grid, np.zeros(grid.shape, np.int16))


@pytest.fixture
def result(spine: Spine) -> StudyResult:
    ref = SeriesRef("ct", "00" * 32, "CT", 26, Acquisition(Plane.AXIAL, 2.0, 2.0), 1.5)
    nothing = NotMeasured(Reason.NO_NEIGHBOURS)
    findings = Findings((), nothing, DensityReading(None, None, nothing, ContrastPhase.UNKNOWN), ())
    provenance = Provenance("0.1.0", "drawn", "none", {}, {})
    return StudyResult(ref, ref, ref, spine, (), findings, Etiology(()), provenance)


@pytest.fixture
def pages() -> ReportPages:
    return ReportPages("<html>", b"%PDF-", "text\n", b"\x89PNG", "{}\n", "label\r\n1\r\n")
