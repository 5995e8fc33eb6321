"""Drawn columns with box-like vertebrae, and results as the rooms before the report would give them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from wirbel.etiology import Cause, Etiology
from wirbel.finding import (
    BoneScreen,
    Caution,
    ContrastPhase,
    DensityReading,
    Finding,
    Findings,
    Grade,
    Kyphosis,
    Shape,
    Verdict,
    Why,
)
from wirbel.spine import Level, Numbering, NumberingReason, NumberingStatus, Part, Spine, Vertebra
from wirbel.study import Provenance, SeriesRef, StudyResult
from wirbel.vertebra import (
    BodyHeights,
    Density,
    Frame,
    Heights,
    NotMeasured,
    Reason,
    SixPoints,
    VertebraMeasures,
)
from wirbel.volume import Acquisition, Grid, Kernel, LabelMap, Plane, Volume

HEIGHT_MM, DISC_MM, DEPTH_MM, WIDTH_MM = 24.0, 8.0, 30.0, 38.0
Study = tuple[StudyResult, Volume]


def column(levels: list[Level | None]) -> tuple[Volume, Spine]:
    """A lordotic, slightly scoliotic column of boxes with a spinous process, 1.5 mm voxels."""
    pitch = HEIGHT_MM + DISC_MM
    top_mm = pitch * len(levels) + 20.0
    grid = Grid.axis_aligned((int(top_mm / 1.5) + 12, 84, 72), (1.5, 1.5, 1.5), (-54.0, -70.0, 0.0))
    z, y, x = (grid.to_lps_mm(np.indices(grid.shape).reshape(3, -1).T.astype(float)).T[i] for i in (2, 1, 0))
    hu = np.where((x / 50) ** 2 + ((y + 5) / 56) ** 2 < 1, 40, -1000).astype(np.int16)
    instances, parts = np.zeros(z.size, np.uint8), np.zeros(z.size, np.uint8)
    vertebrae = []
    for i, level in enumerate(levels):
        cz = top_mm - pitch * (i + 0.5)
        cy, cx = -10.0 + 8.0 * np.sin(cz / 40), 4.0 * np.sin(cz / 60)
        right, back, up = x - cx, y - cy, abs(z - cz)
        body = (up < HEIGHT_MM / 2) & ((right / (WIDTH_MM / 2)) ** 2 + (back / (DEPTH_MM / 2)) ** 2 < 1)
        inner = (right / (WIDTH_MM / 2 - 2)) ** 2 + (back / (DEPTH_MM / 2 - 2)) ** 2 < 1
        core = (up < HEIGHT_MM / 2 - 2) & inner
        spinous = (abs(z - cz + 6) < 8) & (abs(right) < 4) & (abs(back - DEPTH_MM / 2 - 24) < 10)
        hu[body], hu[core], hu[spinous] = 550, 150, 450
        instances[body | spinous] = i + 1
        parts[body], parts[spinous] = Part.BODY, Part.POSTERIOR
        vertebrae.append(Vertebra(i + 1, level, 0.97 if level else None, np.array([cx, cy, cz]), False))
    relative = any(level is None for level in levels)
    anchors = ("last rib at T12", "sacrum below L5")
    numbering = (
        Numbering(NumberingStatus.RELATIVE, None, None, None, reason=NumberingReason.NO_ANCHOR)
        if relative
        else Numbering(NumberingStatus.NAMED, 0.97, tuple(levels), 0.02, anchors=anchors)
    )
    spine = Spine(
        tuple(vertebrae),
        LabelMap(grid, instances.reshape(grid.shape)),
        LabelMap(grid, parts.reshape(grid.shape)),
        numbering,
        "drawn",
    )
    return Volume(grid, hu.reshape(grid.shape)), spine


def measured(vertebra: Vertebra, *, squeezed: float = 0.0) -> VertebraMeasures:
    """Measures of a drawn box, its front squeezed by a fraction."""
    centre = vertebra.centre_lps_mm
    frame = Frame(centre, np.array([0.0, 0.0, 1.0]), np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    front, middle = HEIGHT_MM * (1 - squeezed), HEIGHT_MM * (1 - 0.6 * squeezed)
    places = {}
    for part, away, height in (("anterior", -12.0, front), ("middle", 0.0, middle), ("posterior", 12.0, HEIGHT_MM)):
        places[f"{part}_superior"] = centre + np.array([0, away, height - HEIGHT_MM / 2])
        places[f"{part}_inferior"] = centre + np.array([0, away, -HEIGHT_MM / 2])
    heights = Heights(front, middle, HEIGHT_MM)
    return VertebraMeasures(
        label=vertebra.label,
        frame=frame,
        heights=BodyHeights(heights, heights, DEPTH_MM, 7, SixPoints(**places)),
        wedge_deg=18.0 * squeezed,
        density=Density(131.0 + 3 * vertebra.label, 42.0, 9000.0, NotMeasured(Reason.NO_CALIBRATION)),
        body_volume_mm3=27000.0,
    )


def blank(vertebra: Vertebra, reason: Reason = Reason.TOUCHES_EDGE) -> VertebraMeasures:
    gap = NotMeasured(reason)
    return VertebraMeasures(vertebra.label, gap, gap, gap, gap, gap)


def normal(label: int) -> Finding:
    return Finding(label, Verdict.NORMAL, Grade.NONE, None, 0.04, (Why.HEIGHTS_WITHIN_NORMAL,), {})


def fracture(label: int, grade: Grade, shape: Shape, loss: float) -> Finding:
    numbers = {"upper_endplate_sunk_mm": 4.2, "lower_endplate_sunk_mm": 0.6}
    return Finding(label, Verdict.FRACTURE, grade, shape, loss, (Why.ENDPLATE_DEPRESSED,), numbers)


def not_assessed(label: int, reason: Reason = Reason.TOUCHES_EDGE) -> Finding:
    gap = NotMeasured(reason)
    return Finding(label, Verdict.NOT_ASSESSED, gap, None, gap, (), {}, not_assessed=gap)


SERIES = SeriesRef(
    source_name="series-4",
    sha256="9f2c" * 16,
    modality="CT",
    slices=120,
    acquisition=Acquisition(Plane.AXIAL, 1.5, 1.5, Kernel.SOFT, "B31f", 120.0),
    in_plane_mm=1.5,
    manufacturer="Siemens",
    model="Sensation 64",
    series_number="4",
    series_description="Abdomen 1.5 B31f",
    accession="A-20240131-7",
    patient_id="P-0042",
    study_date="20240131",
)
PROVENANCE = Provenance(
    "0.1.0", "drawn", "none", {"spine-find": "ab" * 32}, {"finding.mild_loss": 0.2, "spine.min_probability": 0.9}
)


def result_of(
    spine: Spine,
    measures: list[VertebraMeasures],
    findings: list[Finding],
    *,
    series: SeriesRef = SERIES,
    cautions: tuple[Caution, ...] = (Caution.FRACTURE_AGE,),
    density: DensityReading | None = None,
) -> StudyResult:
    labels = [v.label for v in spine.vertebrae]
    bare = DensityReading(None, None, NotMeasured(Reason.NO_CALIBRATION), ContrastPhase.UNKNOWN)
    return StudyResult(
        series=series,
        heights_series=series,
        density_series=series,
        spine=spine,
        measures=tuple(measures),
        findings=Findings(
            tuple(findings),
            Kyphosis(labels[0], labels[-1], 12.4) if labels else NotMeasured(Reason.NO_NEIGHBOURS),
            density or bare,
            cautions,
        ),
        etiology=Etiology(tuple(Cause(label, NotMeasured(Reason.NO_CLASSIFIER)) for label in labels)),
        provenance=PROVENANCE,
    )


@pytest.fixture(scope="session")
def clear_study() -> Study:
    """T12-L5, all normal."""
    ct, spine = column([Level.T12, Level.L1, Level.L2, Level.L3, Level.L4, Level.L5])
    reading = DensityReading(2, 137.0, BoneScreen.LOW, ContrastPhase.NATIVE)
    return result_of(
        spine, [measured(v) for v in spine.vertebrae], [normal(v.label) for v in spine.vertebrae], density=reading
    ), ct


@pytest.fixture(scope="session")
def relative_study() -> Study:
    """Five unnumbered vertebrae: two fractures, a borderline one, a height loss, one cut by the border."""
    ct, spine = column([None] * 5)
    spine = replace(spine, vertebrae=(*spine.vertebrae[:4], replace(spine.vertebrae[4], cut_by_border=True)))
    v = spine.vertebrae
    squeezed = [measured(each, squeezed=s) for each, s in zip(v, (0.0, 0.3, 0.45, 0.0), strict=False)]
    measures = [*squeezed, blank(v[4])]
    findings = [
        Finding(1, Verdict.BORDERLINE, Grade.NONE, None, 0.19, (Why.NEAR_THRESHOLD,), {"own_loss": 0.21}),
        fracture(2, Grade.MODERATE, Shape.WEDGE, 0.3),
        fracture(3, Grade.SEVERE, Shape.CRUSH, 0.45),
        Finding(4, Verdict.HEIGHT_LOSS, Grade.NONE, None, 0.22, (Why.NO_ENDPLATE_DEPRESSION,), {}),
        not_assessed(5),
    ]
    simulated = replace(SERIES, series_description="Simulated CT, seed 7", accession=None, patient_id=None)
    cautions = (Caution.RELATIVE_NUMBERING, Caution.THICK_SLICES, Caution.CONTRAST, Caution.FRACTURE_AGE)
    return result_of(spine, measures, findings, series=simulated, cautions=cautions), ct


@pytest.fixture(scope="session")
def gaps_study() -> Study:
    """L1-L3, none of which could be assessed."""
    ct, spine = column([Level.L1, Level.L2, Level.L3])
    reasons = [Reason.TOUCHES_EDGE, Reason.METAL, Reason.TOO_COARSE]
    measures = [blank(v, r) for v, r in zip(spine.vertebrae, reasons, strict=True)]
    return result_of(spine, measures, [not_assessed(i + 1, r) for i, r in enumerate(reasons)]), ct


@pytest.fixture(scope="session")
def empty_study() -> Study:
    """A CT in which no vertebra was found."""
    ct, spine = column([Level.L1])
    hidden = replace(spine, vertebrae=(), instances=LabelMap(ct.grid, np.zeros(ct.grid.shape, np.uint8)))
    return result_of(hidden, [], []), ct


@pytest.fixture(scope="session")
def one_of() -> Callable[[StudyResult, Finding], StudyResult]:
    """Put one finding in place of the one with its label."""

    def swapped(result: StudyResult, finding: Finding) -> StudyResult:
        vertebrae = tuple(finding if f.label == finding.label else f for f in result.findings.vertebrae)
        return replace(result, findings=replace(result.findings, vertebrae=vertebrae))

    return swapped
