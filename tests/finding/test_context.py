"""Kyphosis, contrast phase, bridges and the density reading."""

import math

import numpy as np
import pytest
from scipy import ndimage

from wirbel.finding import BoneScreen, ContrastPhase, FindingSettings
from wirbel.finding.ankylosis import Bridge, bridges, is_ankylosed
from wirbel.finding.density import reading_of
from wirbel.finding.kyphosis import kyphosis_of
from wirbel.finding.settings import AnkylosisSettings, ScreenSettings, VesselSettings
from wirbel.finding.vessels import contrast_phase
from wirbel.spine import Level, Numbering, NumberingStatus, Spine, Vertebra
from wirbel.vertebra import (
    BodyHeights,
    Density,
    Endplate,
    Endplates,
    Frame,
    Heights,
    NotMeasured,
    Reason,
    SixPoints,
    VertebraMeasures,
)
from wirbel.volume import Acquisition, Grid, Kernel, LabelMap, Plane, Volume

NOTHING = np.zeros(3)
GOOD = Acquisition(Plane.AXIAL, 1.0, 1.0, kernel=Kernel.SOFT, kvp=120.0)


def frame_at(z_mm: float, lean_deg: float = 0.0) -> Frame:
    """A body's frame; positive lean: forward."""
    t = math.radians(lean_deg)
    up = np.array([0.0, -math.sin(t), math.cos(t)])
    front = np.array([0.0, -math.cos(t), -math.sin(t)])
    return Frame(np.array([0.0, 0.0, z_mm]), up, front, np.array([1.0, 0.0, 0.0]))


def measures(label: int, frame: Frame, density_hu: float = 150.0, height_mm: float = 22.0) -> VertebraMeasures:
    height = Heights(height_mm, height_mm - 1.0, height_mm)
    plate = Endplate(frame.superior, (0.0, 1.0, 0.0))
    density = Density(density_hu, 30.0, 3000.0, NotMeasured(Reason.NO_CALIBRATION))
    body = BodyHeights(height, height, 30.0, 5, SixPoints(*[NOTHING] * 6))
    return VertebraMeasures(label, frame, body, 0.0, density, 1.0, Endplates(plate, plate, 0.0))


def vertebra(label: int, level: Level | None) -> Vertebra:
    return Vertebra(label, level, None, NOTHING, False)


@pytest.mark.parametrize("cobb_deg", [-10.0, 20.0, 45.0, 70.0])
def test_kyphosis_is_the_angle_between_the_ends(cobb_deg: float) -> None:
    levels = [Level(n) for n in range(Level.T4, Level.T12 + 1)]
    leans = np.linspace(0.5 * cobb_deg, -0.5 * cobb_deg, len(levels))
    column = [vertebra(i, level) for i, level in enumerate(levels, start=1)]
    own = [measures(i, frame_at(-25.0 * i, float(lean))) for i, lean in enumerate(leans, start=1)]
    kyphosis = kyphosis_of(column, own)
    assert not isinstance(kyphosis, NotMeasured)
    assert kyphosis.cobb_deg == pytest.approx(cobb_deg, abs=1e-6)
    assert (kyphosis.upper_label, kyphosis.lower_label) == (1, 9)


def test_too_short_a_column_has_no_kyphosis() -> None:
    column = [vertebra(1, Level.T11), vertebra(2, Level.T12)]
    answer = kyphosis_of(column, [measures(1, frame_at(0)), measures(2, frame_at(-25))])
    assert isinstance(answer, NotMeasured)
    assert answer.reason is Reason.NO_NEIGHBOURS


GRID = Grid.axis_aligned((50, 70, 60), (2.0, 2.0, 2.0), (-60.0, -90.0, -50.0))


def torso(blood_hu: float, *, bowel_hu: float | None = None, seed: int = 0) -> Volume:
    """Fat and muscle around a body at the origin, an aorta of 20 mm in front of it on the left, noise."""
    z, y, x = np.meshgrid(*[np.arange(n) for n in GRID.shape], indexing="ij")
    points = GRID.to_lps_mm(np.stack([z, y, x], axis=-1).reshape(-1, 3).astype(np.float64))
    left, back, up = points.T
    hu = np.where(np.hypot(left + 15, back + 55) < 25, 50.0, -100.0)
    hu[np.hypot(left - 8, back + 32) < 10] = blood_hu
    if bowel_hu is not None:
        hu[(np.hypot(left + 15, back + 45) < 14) & (np.abs(up) < 12)] = bowel_hu
    hu[np.hypot(left / 21, back / 16) < 1] = 160.0
    hu = hu + np.random.default_rng(seed).normal(0, 15, len(hu))
    return Volume(GRID, hu.reshape(GRID.shape).astype(np.float32))


def around_bodies() -> Spine:
    z, y, x = np.meshgrid(*[np.arange(n) for n in GRID.shape], indexing="ij")
    points = GRID.to_lps_mm(np.stack([z, y, x], axis=-1).reshape(-1, 3).astype(np.float64))
    body = (np.hypot(points[:, 0] / 21, points[:, 1] / 16) < 1).reshape(GRID.shape).astype(np.uint8)
    masks = LabelMap(GRID, body)
    return Spine((), masks, masks, Numbering(NumberingStatus.GIVEN, None, None, None), "test")


FRAMES = [frame_at(z) for z in (35.0, 0.0, -35.0)]


@pytest.mark.parametrize(
    ("blood_hu", "phase"),
    [(40.0, ContrastPhase.NATIVE), (140.0, ContrastPhase.PORTAL_VENOUS), (320.0, ContrastPhase.ARTERIAL)],
)
def test_the_phase_is_read_from_the_aorta(blood_hu: float, phase: ContrastPhase) -> None:
    assert contrast_phase(torso(blood_hu), around_bodies(), FRAMES, VesselSettings()) is phase


def test_contrast_in_the_bowel_beside_one_body_is_no_enhanced_blood() -> None:
    ct = torso(40.0, bowel_hu=300.0)
    assert contrast_phase(ct, around_bodies(), FRAMES, VesselSettings()) is ContrastPhase.NATIVE


def test_without_soft_tissue_in_view_the_phase_is_unknown() -> None:
    air = Volume(GRID, np.full(GRID.shape, -1000.0, dtype=np.float32))
    assert contrast_phase(air, around_bodies(), FRAMES, VesselSettings()) is ContrastPhase.UNKNOWN


def column_of_cylinders(
    in_front_mm: dict[int, float],
    *,
    disc_mm: float = 8.0,
    blur_mm: float = 0.0,
    fused: frozenset[int] = frozenset(),
) -> tuple[Volume, list[VertebraMeasures]]:
    """Five cylinders 30 mm apart, each with a dense plate of 1 mm above and below.

    `in_front_mm`: how much of the disc below is covered by bone in front of it, from both sides; `fused`: bone in
    the disc's place.
    """
    grid = Grid.axis_aligned((160, 44, 52), (1.0, 1.0, 1.0), (-26.0, -24.0, -145.0))
    z, y, x = np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij")
    left, back, up = grid.to_lps_mm(np.stack([z, y, x], axis=-1).reshape(-1, 3).astype(np.float64)).T
    hu = np.full(len(left), 60.0)
    inside = np.hypot(left / 18.75, back / 15) < 1
    half_mm = 15.0 - 0.5 * disc_mm
    for i in range(5):
        at = np.abs(up + 30 * i)
        hu[inside & (at < half_mm)] = 900.0
        hu[inside & (at < half_mm - 1.0)] = 220.0
        from_disc = np.abs(up + 30 * i + 15)
        if i in in_front_mm:
            bar = (np.abs(left) < 9) & (back < -10) & (back > -20) & (from_disc < 9)
            hu[bar & (from_disc >= 0.5 * (disc_mm - in_front_mm[i]))] = 400.0
        if i in fused:
            hu[inside & (from_disc < 6)] = 350.0
    drawn = ndimage.gaussian_filter(hu.reshape(grid.shape), blur_mm / 2.355)
    own = [measures(i + 1, frame_at(-30.0 * i), height_mm=2 * half_mm) for i in range(5)]
    return Volume(grid, drawn.astype(np.float32)), own


SETTINGS = AnkylosisSettings()
NONE, PARTIAL, WHOLE = Bridge.NONE, Bridge.PARTIAL, Bridge.WHOLE


def test_flowing_bone_over_four_vertebrae_is_ankylosis_and_less_is_not() -> None:
    ct, own = column_of_cylinders({0: 8.0, 1: 8.0, 2: 8.0})
    assert bridges(ct, own, SETTINGS) == (WHOLE, WHOLE, WHOLE, NONE)
    assert is_ankylosed(bridges(ct, own, SETTINGS), SETTINGS)
    ct, own = column_of_cylinders({0: 8.0, 2: 8.0})
    assert bridges(ct, own, SETTINGS) == (WHOLE, NONE, WHOLE, NONE)
    assert not is_ankylosed(bridges(ct, own, SETTINGS), SETTINGS)


def test_beaks_that_nearly_meet_do_not_end_a_row_of_bridges_and_make_none() -> None:
    ct, own = column_of_cylinders({0: 8.0, 1: 5.0, 2: 8.0, 3: 8.0}, blur_mm=1.0)
    assert bridges(ct, own, SETTINGS) == (WHOLE, PARTIAL, WHOLE, WHOLE)
    assert is_ankylosed(bridges(ct, own, SETTINGS), SETTINGS)
    ct, own = column_of_cylinders(dict.fromkeys(range(4), 5.0), blur_mm=1.0)
    assert bridges(ct, own, SETTINGS) == (PARTIAL,) * 4
    assert not is_ankylosed(bridges(ct, own, SETTINGS), SETTINGS)


@pytest.mark.parametrize("disc_mm", [1.5, 2.0, 3.0, 8.0])
@pytest.mark.parametrize("blur_mm", [1.0, 1.8, 2.5])
def test_thin_discs_however_blurred_are_no_bridges(disc_mm: float, blur_mm: float) -> None:
    ct, own = column_of_cylinders({}, disc_mm=disc_mm, blur_mm=blur_mm)
    assert Bridge.WHOLE not in bridges(ct, own, SETTINGS)
    assert not is_ankylosed(bridges(ct, own, SETTINGS), SETTINGS)


def test_discs_that_are_bone_through_and_through_are_ankylosis() -> None:
    ct, own = column_of_cylinders({}, fused=frozenset({1, 2, 3}), blur_mm=1.0)
    assert bridges(ct, own, SETTINGS) == (NONE, WHOLE, WHOLE, WHOLE)
    assert is_ankylosed(bridges(ct, own, SETTINGS), SETTINGS)


@pytest.mark.parametrize(
    ("hu", "screen"),
    [(90.0, BoneScreen.OSTEOPOROSIS_LIKELY), (130.0, BoneScreen.LOW), (170.0, BoneScreen.NORMAL)],
)
def test_the_screen_reads_l1(hu: float, screen: BoneScreen) -> None:
    column = [vertebra(1, Level.T12), vertebra(2, Level.L1)]
    own = [measures(1, frame_at(0), 300.0), measures(2, frame_at(-30), hu)]
    reading = reading_of(column, own, ContrastPhase.NATIVE, GOOD, ScreenSettings())
    assert (reading.label, reading.median_hu, reading.screen) == (2, hu, screen)


@pytest.mark.parametrize(
    ("phase", "acquisition", "reason"),
    [
        (ContrastPhase.PORTAL_VENOUS, GOOD, Reason.CONTRAST),
        (ContrastPhase.UNKNOWN, GOOD, Reason.CONTRAST),
        (ContrastPhase.NATIVE, Acquisition(Plane.AXIAL, 1.0, 1.0, Kernel.SOFT, None, 120.0, True), Reason.CONTRAST),
        (ContrastPhase.NATIVE, Acquisition(Plane.AXIAL, 1.0, 1.0, Kernel.SOFT, None, 100.0), Reason.TUBE_VOLTAGE),
        (ContrastPhase.NATIVE, Acquisition(Plane.AXIAL, 1.0, 1.0, Kernel.SOFT), Reason.TUBE_VOLTAGE),
        (ContrastPhase.NATIVE, Acquisition(Plane.AXIAL, 1.0, 1.0, Kernel.LUNG, None, 120.0), Reason.KERNEL),
        (
            ContrastPhase.NATIVE,
            Acquisition(Plane.AXIAL, 1.0, 1.0, Kernel.SOFT, None, 120.0, None, True),
            Reason.SPECTRAL,
        ),
    ],
)
def test_where_a_condition_of_the_screen_fails_the_number_stays_and_the_reason_is_said(
    phase: ContrastPhase, acquisition: Acquisition, reason: Reason
) -> None:
    reading = reading_of([vertebra(1, Level.L1)], [measures(1, frame_at(0))], phase, acquisition, ScreenSettings())
    assert reading.median_hu == 150.0
    assert isinstance(reading.screen, NotMeasured)
    assert reading.screen.reason is reason


def test_without_a_lumbar_neighbour_there_is_no_reading() -> None:
    settings = FindingSettings().screen
    reading = reading_of([vertebra(1, Level.T7)], [measures(1, frame_at(0))], ContrastPhase.NATIVE, GOOD, settings)
    assert reading.label is None
    assert isinstance(reading.screen, NotMeasured)
