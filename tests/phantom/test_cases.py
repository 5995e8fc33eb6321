"""A painted vertebra shows what its truth says; the cause reaches the picture by its signs alone."""

from dataclasses import replace
from time import process_time

import numpy as np
import pytest
from scipy import ndimage

from wirbel.errors import UsageError
from wirbel.finding import Grade, Shape
from wirbel.phantom.cases import (
    CaseCt,
    CaseSettings,
    DrawnCause,
    Mark,
    Patient,
    Plan,
    crop_of,
    draw_case,
    draw_patient,
    look_of,
)
from wirbel.phantom.scanners import SCANNERS
from wirbel.phantom.tissue import Tissue
from wirbel.spine import Part

SMALL = CaseSettings(size_mm=56.0, spacing_mm=2.0, scanner="siemens-b30f-1", phase="native")
FINE = replace(SMALL, size_mm=72.0, spacing_mm=1.0)
SCANNER = SCANNERS["siemens-b30f-1"]
FULL = Plan(
    shape=Shape.WEDGE,
    grade=Grade.MODERATE,
    cortex_destroyed=0.2,
    lytic=0.3,
    sclerotic=0.2,
    pedicles_destroyed=(0.0, 0.6),
    fragment_mm=4.0,
    fragment_deg=45.0,
    vacuum_mm3=300.0,
    epidural_mm3=600.0,
    paravertebral_mm3=3000.0,
    lesion_azimuth_deg=60.0,
)


def with_plan(patient: Patient, plan: Plan) -> Patient:
    return replace(patient, plans={patient.index[0]: plan})


@pytest.fixture(scope="module")
def sound() -> Patient:
    return draw_patient(np.random.default_rng(5), (DrawnCause.NORMAL,))


def crop(patient: Patient, plan: Plan) -> CaseCt:
    drawn = with_plan(patient, plan)
    look = look_of(np.random.default_rng(1), drawn, SCANNER, "native")
    return crop_of(drawn, drawn.index[0], look, SCANNER, 11, FINE)


@pytest.fixture(scope="module")
def full(sound: Patient) -> CaseCt:
    return crop(sound, FULL)


@pytest.fixture(scope="module")
def plain(sound: Patient) -> CaseCt:
    return crop(sound, Plan())


def test_the_truth_counts_what_the_plan_asked_for(full: CaseCt) -> None:
    truth = full.truth
    assert truth.cortex_destroyed == pytest.approx(0.2, abs=0.05)
    assert truth.lytic_mm3 / truth.spongiosa_mm3 == pytest.approx(0.3, abs=0.06)
    assert truth.sclerotic_mm3 / truth.spongiosa_mm3 == pytest.approx(0.2, abs=0.06)
    assert (truth.pedicle_right, truth.pedicle_left) == (0.0, pytest.approx(0.6, abs=0.2))
    assert truth.epidural_mm3 == pytest.approx(600, rel=0.25)
    assert truth.paravertebral_mm3 == pytest.approx(3000, rel=0.25)
    assert truth.vacuum_mm3 == pytest.approx(300, rel=0.3)


def test_a_plain_plan_leaves_nothing_behind(plain: CaseCt) -> None:
    assert not plain.marks.any()
    truth = plain.truth
    assert (truth.cortex_destroyed, truth.lytic_mm3, truth.epidural_mm3, truth.vacuum_mm3) == (0, 0, 0, 0)
    assert truth.retropulsion_deg is None and truth.line_sharpness is None


def test_signs_look_like_what_they_are(full: CaseCt, plain: CaseCt) -> None:
    # the middle of each mark, where the scanner's blur does not reach
    hu, before = full.ct.hu.astype(float), plain.ct.hu.astype(float)
    marks = full.marks
    assert np.percentile(hu[marks == Mark.VACUUM], 10) < -300
    assert 10 < np.median(hu[marks == Mark.LYTIC]) < 110
    assert np.median(hu[marks == Mark.LYTIC]) < np.median(before[marks == Mark.LYTIC]) - 20
    assert np.median(hu[marks == Mark.SCLEROTIC]) > 350
    assert np.median(hu[marks == Mark.PEDICLE]) < np.median(before[marks == Mark.PEDICLE]) - 100
    assert np.median(hu[marks == Mark.CORTEX]) < np.median(before[marks == Mark.CORTEX]) - 60
    assert 20 < np.median(hu[marks == Mark.EPIDURAL]) < 110


def test_signs_lie_where_they_belong(full: CaseCt) -> None:
    tissue, marks = full.labels.tissue, full.marks
    own = full.labels.instances == full.instance
    assert own[marks == Mark.LYTIC].mean() > 0.95
    assert own[marks == Mark.EPIDURAL].mean() < 0.02
    assert own[marks == Mark.PARAVERTEBRAL].mean() < 0.02
    soft = [Tissue.CANAL, Tissue.CORD, Tissue.MUSCLE, Tissue.FAT, Tissue.SOFT]
    canal = np.isin(tissue[marks == Mark.EPIDURAL], soft)
    assert canal.mean() > 0.97
    behind = np.argwhere(marks == Mark.EPIDURAL).mean(axis=0) - np.argwhere(marks == Mark.LYTIC).mean(axis=0)
    assert behind[1] > 8


def test_a_fragment_stands_in_the_canal_as_far_as_the_truth_says(full: CaseCt, plain: CaseCt) -> None:
    body = plain.labels.instances == plain.instance
    # epidural mass is painted over some of the tip's surroundings, never over the fragment's label
    fragment = (full.labels.instances == full.instance) & ~body
    assert fragment.sum() > 30
    rows = np.argwhere(fragment)
    middle = body.shape[2] // 2
    near = (slice(None), slice(None), slice(middle - 3, middle + 4))
    wall = np.argwhere(body[near] & (plain.labels.parts[near] == Part.BODY))
    reach = rows[:, 1].max() - np.percentile(wall[:, 1], 97)
    assert 2.0 <= reach <= 6.0


def test_the_picture_knows_the_cause_by_its_signs_alone(sound: Patient) -> None:
    pictures = []
    for cause in (DrawnCause.OSTEOPOROTIC_FRACTURE, DrawnCause.MALIGNANT_FRACTURE):
        patient = replace(with_plan(sound, FULL), causes={sound.index[0]: cause})
        look = look_of(np.random.default_rng(1), patient, SCANNER, "native")
        case = crop_of(patient, patient.index[0], look, SCANNER, 3, SMALL)
        assert case.truth.cause is cause
        pictures.append(case.ct.hu.tobytes())
    assert pictures[0] == pictures[1]


QUICK = (DrawnCause.HAEMANGIOMA, DrawnCause.SPONDYLODISCITIS)


def test_paint_leaves_everything_beyond_its_reach_as_it_was(full: CaseCt, plain: CaseCt) -> None:
    reach_mm = 6
    near = ndimage.binary_dilation(full.marks > 0, iterations=reach_mm)
    near |= ndimage.binary_dilation(full.labels.instances != plain.labels.instances, iterations=reach_mm)
    assert 0.1 < near.mean() < 0.5
    change = np.abs(full.ct.hu.astype(int) - plain.ct.hu)[~near]
    # a slice's noise follows its mean absorption, to which only the fragment adds
    assert np.percentile(change, 99.9) <= 1 and change.max() < 0.5 * SCANNER.noise_hu


@pytest.mark.parametrize(
    "cause", [c if c in QUICK else pytest.param(c, marks=pytest.mark.slow) for c in DrawnCause]
)
def test_every_cause_can_be_drawn_and_says_so(cause: DrawnCause) -> None:
    case = draw_case(np.random.default_rng(2), replace(SMALL, cause=cause))
    assert case.truth.cause is cause
    middle = tuple(n // 2 for n in case.ct.hu.shape)
    assert case.labels.instances[middle] == case.instance
    painted = set(np.unique(case.marks)) - {Mark.NOTHING}
    expected = {
        DrawnCause.HAEMANGIOMA: Mark.HAEMANGIOMA,
        DrawnCause.BONE_ISLAND: Mark.ISLAND,
        DrawnCause.CEMENT: Mark.CEMENT,
        DrawnCause.RADIATION: Mark.MARROW,
        DrawnCause.PAGET: Mark.MARROW,
    }
    if cause in expected:
        assert expected[cause] in painted
    if cause in (DrawnCause.NORMAL, DrawnCause.DEGENERATE, DrawnCause.SCHMORL):
        assert not painted


def test_the_same_seed_draws_the_same_case() -> None:
    settings = replace(SMALL, cause=DrawnCause.MALIGNANT_FRACTURE)
    one, two = (draw_case(np.random.default_rng(8), settings) for _ in range(2))
    assert one.ct.hu.tobytes() == two.ct.hu.tobytes() and one.marks.tobytes() == two.marks.tobytes()
    assert one.truth == two.truth


def test_an_unknown_scanner_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="say one of"):
        draw_case(np.random.default_rng(0), CaseSettings(scanner="camera"))


def test_a_case_costs_seconds_not_minutes() -> None:
    settings = CaseSettings(cause=DrawnCause.MALIGNANT_FRACTURE, size_mm=96.0)
    start = process_time()
    draw_case(np.random.default_rng(1), settings)
    assert process_time() - start < 4.0
